"""Terminals, pipes and signals."""

import os
import signal
import subprocess
import sys
import time

import calling
import pytest
from example_tables import column, from_csv, numbers, to_csv, votes

command, write = calling.command, calling.write

PROGRAM = "import sys; from stackingnet_sk.cli import main; sys.exit(main())"


def run(*arguments, **options):
    """Run the program by itself."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        timeout=60,
        **options,
    )


@pytest.fixture
def terminal(monkeypatch):
    """Let standard error be a terminal."""

    def switch(yes):
        # The harness puts its own stream in its place when it calls.
        monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: yes, raising=False)

    return switch


def bars(text):
    return text.count("[#") + text.count("[--")


@pytest.mark.parametrize("verb", ["combine", "rank", "prune"])
def test_progress_is_shown_on_a_terminal_only(command, write, terminal, verb):
    path = write(to_csv(votes()))
    terminal(False)
    piped = command(verb, path)
    assert "%" not in piped.err
    assert "\r" not in piped.err
    terminal(True)
    shown = command(verb, path)
    assert bars(shown.err)
    assert "100%" in shown.err
    assert "Reading" in shown.err
    assert shown.out == piped.out, "standard output is the same"


def test_sentences_are_on_lines_of_their_own(command, write, terminal):
    """Not behind the bar."""
    path = write(to_csv(votes()))
    terminal(False)
    sentences = command("combine", path).err.splitlines()
    terminal(True)
    shown = command("combine", path).err.replace("\r", "\n").splitlines()
    assert [sentence for sentence in sentences if sentence not in shown] == []


def test_an_error_is_on_a_line_of_its_own(command, write, terminal):
    terminal(True)
    answer = command("combine", write(to_csv(votes())), "--label", "nothing")
    assert answer.status == 2
    assert len(answer.errors) == 1


def test_a_pipe_gets_the_table_and_nothing_else(write, tmp_path):
    """``cat t.csv | stackingnet combine - > out.csv``."""
    rows = votes()
    data = write(to_csv(rows)).read_bytes()
    done = run("combine", "-", input=data)
    assert done.returncode == 0, done.stderr
    heads, cells = from_csv(done.stdout)
    assert heads == ["a", "b", "c", "label", "combined", "combined_probability"]
    assert [row[:4] for row in cells] == rows
    assert b"Format: csv" in done.stderr
    assert b"%" not in done.stderr


def test_two_commands_in_a_pipe(write, tmp_path):
    """What one writes the other reads, and leaves the first one's column alone."""
    path = write(to_csv(numbers()))
    first = run("combine", path)
    again = run(
        "combine",
        "-",
        "--name",
        "again",
        "--use",
        "a",
        "--use",
        "b",
        input=first.stdout,
    )
    assert again.returncode == 0, again.stderr
    assert column(again.stdout, "combined") == column(first.stdout, "combined")


@pytest.mark.skipif(
    os.name != "posix", reason="Windows has no EPIPE for a reader that has gone"
)
def test_a_reader_that_stops_early_is_no_error(write):
    """``stackingnet combine t.csv | head -1``."""
    rows = votes(n_items=20_000, n_labelled=30)
    path = write(to_csv(rows))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "combine", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline().startswith(b"a,b,c,label,combined")
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in said
    assert "Error" not in said


@pytest.mark.skipif(
    os.name != "posix", reason="Windows interrupts a group of processes, not one"
)
def test_ctrl_c_while_waiting_for_input():
    """No traceback, and a status that a shell sees."""
    ready = (
        "import sys, stackingnet_sk.cli.fitting, stackingnet_sk.cli.commands\n"
        "print('ready', file=sys.stderr, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", ready + PROGRAM, "combine", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr.readline() == b"ready\n"
    # From here to the reading there is a moment.
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert out == b""
    assert b"Traceback" not in said


def test_warnings_of_the_package_are_notes(command, write):
    """A line each, without a file name or a category."""
    rows = votes(n_labelled=60)
    rows[5][1] = "dragon"
    answer = command("combine", write(to_csv(rows)))
    assert answer.status == 0
    notes = [line for line in answer.err.splitlines() if line.startswith("Note:")]
    assert len(notes) == 1
    assert "'b' votes 'dragon' at row 5" in notes[0]
    assert "UserWarning" not in answer.err


def test_names_do_not_steer_the_terminal(command, write, tmp_path):
    """A name is shown, not obeyed; the table itself keeps it."""
    data = to_csv(numbers(), heads=("\x1b[31mred", "b", "c", "label"))
    for verb in (("rank",), ("prune",), ("combine", "--out", tmp_path / "out.csv")):
        answer = command(verb[0], write(data), *verb[1:])
        assert answer.status == 0, answer.err
        assert "\x1b" not in answer.text + answer.err
        assert "red" in answer.text
    assert "\x1b[31mred" in (tmp_path / "out.csv").read_text()
    assert "\x1b" not in command("combine", "\x1b[2Jnothing.csv").err
