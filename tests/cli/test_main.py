"""The command as a whole: what it can, its exit status, and life without extras."""

import subprocess
import sys

import calling
import pytest
from example_tables import numbers, to_csv

from stackingnet_sk import __version__
from stackingnet_sk.cli import main

command, write = calling.command, calling.write

COMMANDS = ["combine", "demo", "predict", "prune", "rank", "report"]


def test_demo_shows_what_it_promises(capsys):
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    regression, classification = shown.split("Handwritten digits")
    for word in ("RMSE", "bias", "R2"):
        assert word in regression
    for word in ("reliability", "balanced accuracy", "log loss"):
        assert word in classification
    for part, task in ((regression, "Regressor"), (classification, "Classifier")):
        for word in ("poor", "Certificate: optimal", "best member", "constant"):
            assert word in part
        for rival in ("StackingNet", "Voting", "Stacking"):
            assert f"{rival}{task}" in part
        assert f"Ahead of StackingNet{task} in " in part


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"stackingnet {__version__}"


def test_help_names_commands_and_exit_statuses(command):
    shown = command("--help")
    assert shown.status == 0
    assert not shown.err
    for word in (*COMMANDS, "Exit status: 0", "2 arguments", "1 interrupted"):
        assert word in " ".join(shown.text.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(command, name):
    shown = command(name, "--help")
    assert shown.status == 0
    assert shown.text.startswith(f"Usage: stackingnet {name}")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["combine"],
        ["combine", "t.csv", "--unknown"],
        ["combine", "t.csv", "--task", "ranking"],
        ["combine", "t.csv", "--low", "little"],
        ["predict", "model.skops"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_end_with_2(command, arguments):
    answer = command(*arguments)
    assert answer.status == 2
    assert answer.err.startswith("Usage: stackingnet")


@pytest.fixture
def without_click(monkeypatch):
    monkeypatch.setitem(sys.modules, "click", None)


@pytest.mark.usefixtures("without_click")
def test_demo_and_version_work_without_click(capsys, monkeypatch):
    # It runs for seconds, and is tested above.
    monkeypatch.setattr("stackingnet_sk.demo.demo", lambda: print("The demo."))
    assert main(["demo"]) == 0
    assert capsys.readouterr().out == "The demo.\n"
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"stackingnet {__version__}"


@pytest.mark.usefixtures("without_click")
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_without_click_the_rest_says_how_to_install(capsys, name):
    assert main([name, "t.csv"]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "pip install 'stackingnet_sk[cli]'" in shown.err


@pytest.mark.usefixtures("without_click")
@pytest.mark.parametrize("arguments", [[], ["unknown"]], ids=" ".join)
def test_without_click_wrong_arguments_end_with_2(capsys, arguments):
    assert main(arguments) == 2
    assert "usage: stackingnet" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pyarrow", "skops.io"])
def test_click_alone_is_not_enough(write, tmp_path, name):
    """Other packages bring click, so that it may be there without the rest."""
    program = (
        f"import sys; sys.modules[{name!r}] = None\n"
        "from stackingnet_sk.cli import main; sys.exit(main())"
    )
    arguments = [
        "combine",
        str(write(to_csv(numbers()))),
        "--save",
        tmp_path / "m.skops",
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'stackingnet_sk[cli]'" in done.stderr


def test_an_interruption_is_not_an_error(command, write, tmp_path, monkeypatch):
    """Ctrl-C: status 1, no traceback, nothing written."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    from stackingnet_sk import StackingNetRegressor

    monkeypatch.setattr(StackingNetRegressor, "fit", interrupt)
    out = tmp_path / "out.csv"
    answer = command("combine", write(to_csv(numbers())), "--out", out)
    assert answer.status == 1
    assert "Traceback" not in answer.err
    assert answer.out == b""
    assert not out.exists()


def test_a_bug_is_not_blamed_on_the_user(command, write, monkeypatch):
    """Only what a user can mend ends with 2."""

    def fail(*_, **__):
        raise ZeroDivisionError

    from stackingnet_sk import StackingNetRegressor

    monkeypatch.setattr(StackingNetRegressor, "fit", fail)
    with pytest.raises(ZeroDivisionError):
        command("combine", write(to_csv(numbers())))
