"""What is written: what was read and the answers, whole or not at all, harmless."""

import csv
import errno
import io
import json
import os
import stat

import calling
import numpy as np
import pyarrow as pa
import pytest
from example_tables import from_csv, numbers, to_csv, to_jsonl, votes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from stackingnet_sk.cli import writing

command, write = calling.command, calling.write

NUMBERS = numbers(missing=0.1)
VOTES = votes(missing=0.1)
HEADS = ["a", "b", "c", "label"]


# ------------------------------------------------------------- what was read comes back


def back(command, write, rows, heads, *options):
    """Return the columns that were there before."""
    answer = command("combine", write(to_csv(rows, heads=heads)), *options)
    assert answer.status == 0, answer.err
    found, cells = from_csv(answer.out)
    n_new = len(found) - len(heads)
    assert n_new == 2
    return found[:-2], [row[:-2] for row in cells]


@pytest.mark.parametrize("rows", [NUMBERS, VOTES], ids=["numbers", "votes"])
def test_cells_are_those_of_the_file(command, write, rows):
    found = back(command, write, rows, HEADS)
    assert found == (HEADS, rows)


@pytest.mark.parametrize(
    "cell",
    [
        "1.500",
        "007",
        "1e-3",
        " blanks ",
        "2024-01-01",
        "12:30",
        "TRUE",
        "NA",
        "nan",
        "",
        "a,b",
        'say "hi"',
        '"',
        "two\nlines",
        "two\r\nlines",
        "naïve 🙂",
        "it's",
        "'quoted'",
        "a=b",
        "x" * 5000,
    ],
)
def test_cells_of_any_kind_come_back(command, write, cell):
    """Also where a whole row of it might be read as something else."""
    rows = [[cell, "1.0", *row] for row in NUMBERS]
    heads = ["note", "version", *HEADS]
    found = back(command, write, rows, heads, "--ignore", "note", "--ignore", "version")
    assert found == (heads, rows)


@pytest.mark.parametrize(
    "cell", ["-1", "+1", "-1.5", "+1.5", "-1e5", "+.5", "-3.", " -1", "-0"]
)
def test_signed_numbers_are_no_formulas(command, write, cell):
    rows = [[cell, *row] for row in NUMBERS]
    assert back(command, write, rows, ["note", *HEADS]) == (["note", *HEADS], rows)


def test_signed_numbers_with_decimal_commas_are_no_formulas(command, write):
    """They would be texts afterwards, and in the next reading."""
    rows = [[cell.replace(".", ",") for cell in row] for row in NUMBERS]
    data = to_csv(rows, separator=";")
    answer = command("combine", write(data), "--decimal", ",")
    text = answer.text
    separator = ";" if text.startswith("a;b") else ","
    _, *cells = csv.reader(io.StringIO(text), delimiter=separator)
    assert any(cell.startswith("-") for row in rows for cell in row)
    assert [row[:4] for row in cells] == rows


FORMULAS = [
    "=1+1",
    "+cmd",
    "-x",
    "@sum",
    '=HYPERLINK("x","y")',
    " =1",
    "\t=1",
    "-1+1",
    "+1-1",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_escaped_in_cells_and_headers(command, write, formula):
    """A spreadsheet would compute them, or call another program."""
    rows = [[formula, *row] for row in NUMBERS]
    heads, cells = back(command, write, rows, [formula, *HEADS], "--ignore", formula)
    assert heads[0] == f"'{formula.strip()}"  # names have no blanks around them
    assert {row[0] for row in cells} == {f"'{formula}"}
    assert [row[1:] for row in cells] == NUMBERS


def test_formulas_in_names_and_answers_that_are_new(command, write):
    rows = [[cell and f"={cell}" for cell in row] for row in VOTES]
    answer = command("combine", write(to_csv(rows)), "--name", "=new")
    heads, cells = from_csv(answer.out)
    assert heads[4:] == ["'=new", "'=new_probability"]
    assert {row[4] for row in cells} == {"'=ant", "'=bee", "'=cat"}


def test_formulas_stay_as_they_are_in_files_that_no_spreadsheet_opens(
    command, write, tmp_path
):
    rows = [["=1+1", *row] for row in VOTES]
    path = write(to_csv(rows, heads=("note", *HEADS)))
    for name in ("out.parquet", "out.jsonl"):
        command("combine", path, "--ignore", "note", "--out", tmp_path / name)
    assert parquet.read_table(tmp_path / "out.parquet")["note"][0].as_py() == "=1+1"
    assert '"note": "=1+1"' in (tmp_path / "out.jsonl").read_text("utf-8")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_comes_back_from_csv(rows):
    """An apostrophe before what looks like a formula is all that may differ."""
    table = pa.table(
        {
            name: list(cells)
            for name, cells in zip("xyz", zip(*rows, strict=True), strict=True)
        }
    )
    file = io.BytesIO()
    writing._write_csv(table, file)
    _, found = from_csv(file.getvalue())
    for before, after in zip(rows, found, strict=True):
        for cell, written in zip(before, after, strict=True):
            assert written in (cell, f"'{cell}")
            if written != cell:
                assert cell.lstrip()[:1] in "=+-@\t\r" or cell[:1].isspace()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_exactly(number):
    """All digits that a double has."""
    file = io.BytesIO()
    writing.write_table(pa.table({"x": [number]}), file)
    assert float(from_csv(file.getvalue())[1][0][0]) == number


# ------------------------------------------------------------------------ the formats


@pytest.mark.parametrize("name", ["out.csv", "out.CSV", "out.txt", "out"])
def test_csv_is_the_default(command, write, tmp_path, name):
    path, out = write(to_csv(VOTES)), tmp_path / name
    command("combine", path, "--out", out)
    assert out.read_bytes() == command("combine", path).out


@pytest.mark.parametrize("name", ["out.parquet", "out.PARQUET"])
def test_parquet_keeps_types(command, write, tmp_path, name):
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "a": pa.array(rng.integers(20, size=30), pa.int16()),
            "b": pa.array(rng.normal(size=30), pa.float32()),
            "day": pa.array(np.arange(30).astype("datetime64[D]")),
            "kind": pa.array(["x", "y", None] * 10).dictionary_encode(),
            "label": pa.array(rng.normal(size=30)),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    command("combine", write(file.getvalue(), "in.parquet"), "--out", tmp_path / name)
    found = parquet.read_table(tmp_path / name)
    assert found.select(table.column_names).equals(table)
    assert found.column_names[5:] == ["combined", "combined_error"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.ndjson"])
def test_jsonl(command, write, tmp_path, name):
    heads = ["a", "b", "c", "label"]
    command("combine", write(to_jsonl(VOTES), "in.jsonl"), "--out", tmp_path / name)
    lines = [
        json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()
    ]
    assert [[line[head] or "" for head in heads] for line in lines] == VOTES
    assert list(lines[0])[4:] == ["combined", "combined_probability"]


@pytest.mark.parametrize(
    "cell",
    ["2024-01-01", "2024-01-01T12:30:00Z", "12:30:00", "007", "1.0", "true", "🙂"],
)
def test_texts_of_jsonl_stay_texts(command, write, tmp_path, cell):
    """A date is a text in JSON, and comes back as it was."""
    lines = [json.loads(line) | {"note": cell} for line in to_jsonl(VOTES).splitlines()]
    path = write("".join(json.dumps(line) + "\n" for line in lines), "in.jsonl")
    out = tmp_path / "out.jsonl"
    assert command("combine", path, "--ignore", "note", "--out", out).status == 0
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert {line["note"] for line in found} == {cell}
    # And in CSV.
    _, cells = from_csv(command("combine", path, "--ignore", "note").out)
    assert {row[4] for row in cells} == {cell}


def test_not_a_number_is_null_in_jsonl(command, write, tmp_path):
    def refuse(constant):
        raise AssertionError(constant)

    rows = [[*row[:3], ""] for row in NUMBERS]
    out = tmp_path / "out.jsonl"
    command("combine", write(to_csv(rows)), "--out", out)
    for line in out.read_text().splitlines():
        assert json.loads(line, parse_constant=refuse)["combined_error"] is None


# ------------------------------------------------------------------ whole or not at all


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")]
)
@pytest.mark.parametrize("place", ["os.replace", "writer"])
def test_an_interrupted_write_loses_nothing(
    command, write, tmp_path, monkeypatch, kind, error, place
):
    """The old file is whole, and no other is left behind."""
    path, out = write(to_csv(VOTES)), tmp_path / f"out{kind}"
    out.write_bytes(b"precious")
    before = listing(tmp_path)

    def fail(*_, **__):
        raise error

    target = {
        ".csv": "_write_csv",
        ".parquet": "_write_parquet",
        ".jsonl": "_write_jsonl",
    }
    name = f"stackingnet_sk.cli.writing.{target[kind]}"
    if place == "writer":

        def half(table, file, *_):
            file.write(b"half of it")
            raise error

        monkeypatch.setattr(name, half)
    else:
        monkeypatch.setattr(os, "replace", fail)
    answer = command("combine", path, "--out", out, "--force")
    assert answer.status == (1 if error is KeyboardInterrupt else 2)
    assert "Traceback" not in answer.err
    assert out.read_bytes() == b"precious"
    assert listing(tmp_path) == before


def test_a_full_disk_is_named(command, write, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stackingnet_sk.cli.writing._write_csv", fail)
    answer = command("combine", write(to_csv(VOTES)), "--out", tmp_path / "out.csv")
    assert answer.status == 2
    assert answer.errors[0].startswith("Error:")
    assert "No space left on device" in answer.errors[0]
    assert answer.out == b""


def test_all_files_or_none(command, write, tmp_path, monkeypatch):
    """If the table can't be written, the model is not either: "nothing was written"."""

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stackingnet_sk.cli.writing._write_csv", fail)
    path = write(to_csv(VOTES))
    before = listing(tmp_path)
    answer = command(
        "combine", path, "--out", tmp_path / "o.csv", "--save", tmp_path / "m.skops"
    )
    assert answer.status == 2
    assert listing(tmp_path) == before


def test_the_table_may_be_written_over_itself(command, write):
    """It has been read before."""
    path = write(to_csv(VOTES))
    expected = command("combine", path).out
    assert command("combine", path, "--out", path, "--force").status == 0
    assert path.read_bytes() == expected


def test_a_new_file_is_as_readable_as_any(command, write, tmp_path):
    """Not for its owner alone, as temporary files are."""
    out, plain = tmp_path / "out.csv", tmp_path / "plain"
    plain.touch()
    command("combine", write(to_csv(VOTES)), "--out", out)
    assert out.stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="Windows has no mode 600")
def test_a_private_file_stays_private(command, write, tmp_path):
    """Who wrote it for himself does not expect others to read the next version."""
    out = tmp_path / "out.csv"
    out.write_bytes(b"secret")
    out.chmod(0o600)
    command("combine", write(to_csv(VOTES)), "--out", out, "--force")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="Windows asks a right for links")
def test_a_link_is_followed(command, write, tmp_path):
    """As by every other program that writes to it."""
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_bytes(b"old")
    link.symlink_to(target)
    command("combine", write(to_csv(VOTES)), "--out", link, "--force")
    assert link.is_symlink()
    assert target.read_bytes() != b"old"


@pytest.mark.skipif(os.name != "posix", reason="Windows asks a right for links")
def test_a_link_to_nothing_is_a_file_that_exists_or_a_new_one(command, write, tmp_path):
    """Never lost in silence."""
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "later.csv")
    answer = command("combine", write(to_csv(VOTES)), "--out", link)
    assert link.is_symlink()
    assert answer.status == 2 or (tmp_path / "later.csv").exists()
