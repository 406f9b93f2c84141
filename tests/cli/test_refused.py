"""What can't be used: a line with the remedy, exit status 2, and nothing lost."""

import codecs
import io
import json
import os
import re
import stat

import calling
import numpy as np
import pyarrow as pa
import pytest
from example_tables import column, numbers, to_csv, to_jsonl, votes
from pyarrow import parquet

command, refused, write = calling.command, calling.refused, calling.write

NUMBERS = numbers()
VOTES = votes()
HEADS = ("a", "b", "c", "label")


def to_parquet(**columns):
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


# -------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"\n \n\r\n", "empty"),
        (codecs.BOM_UTF8, ""),
        (b"a,b,label\n", "no rows"),
        (b"a\n1\n2\n", "--separator"),
        (b"prose without any structure", "--separator"),
        (
            to_csv(NUMBERS, heads=("a", "é", "c", "label")).encode("latin-1"),
            "--encoding",
        ),
        (to_csv(NUMBERS).encode("utf-16"), "--encoding"),
        (to_csv(NUMBERS).encode() + b"\xff,1,2,3\n", "Line 62"),
        (b"a,b,a,label\n1,2,3,4\n2,3,4,5\n", r"['a'] occur more than once"),
        (b"a,b,label\n1,2,3\n1,2\n", "Line 3 has 2 columns, the header 3"),
        (b"a,b,label\n1,2,3\n1,2,3,4\n", "Line 3 has 4 columns, the header 3"),
        (b'a,b,label\n1,2,3\n1,"2,3\n4,5,6\n', "quote in line 3"),
        (b'a,b,label\nx,y,z\nhe said "no", then,y,z\n', "Line 3 has 4 columns"),
        (b'a,b,label\nx,y,z\n"he said "no"",y,z\n', "quote in line 3"),
    ],
    ids=repr,
)
def test_files_that_are_no_table(refused, write, data, word):
    assert word in refused("combine", write(data))
    assert word in refused("combine", "-", stdin=data)


@pytest.mark.parametrize("verb", ["combine", "rank", "prune"])
def test_every_command_refuses_alike(refused, write, verb):
    assert "empty" in refused(verb, write(b""))
    assert "'human'" in refused(verb, write(to_csv(NUMBERS)), "--label", "human")


def test_the_flawed_line_is_named_behind_cells_of_several_lines(refused, write):
    """Lines are those of the file, as an editor counts them."""
    data = 'a,b,label\n"x\ny",1,2\nx,"y ""z""",3\n1,2\n'
    assert "Line 5 has 2 columns" in refused("combine", write(data))


@pytest.mark.parametrize("source", ["nothing.csv", "no/folder/t.csv"])
def test_a_file_that_is_not_there(refused, tmp_path, source):
    assert "No such file" in refused("combine", tmp_path / source)


def test_a_folder_is_no_table(refused, tmp_path):
    assert str(tmp_path) in refused("combine", tmp_path)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--encoding", "klingon"),
        ("--encoding", "hex"),
        ("--separator", "ab"),
        ("--separator", ""),
        ("--separator", ";"),
        ("--separator", "§"),
        ("--format", "jsonl"),
        ("--format", "parquet"),
    ],
)
def test_wrong_options_of_reading(refused, write, option, value):
    """The line names the option that is wrong, or the format."""
    line = refused("combine", write(to_csv(NUMBERS)), option, value)
    word = {"jsonl": "JSON", "parquet": "Parquet"}.get(value, option[2:])
    assert word in line


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ('{"a": 1, "label": 2}\n{"a": 1, "label":\n', "JSON"),
        ('{"a": 1, "label": 2}\n{"a": "x", "label": 2}\n', "several types"),
        ('{"a": [1], "label": 2}\n', "lists or objects"),
        ('{"a": {"b": 1}, "label": 2}\n', "lists or objects"),
        ('{"a": 1, "a": 2, "label": 2}\n', "'a'|/a"),
        ("1\n2\n", "JSON"),
        ('{"a": "é", "label": "é"}\n'.encode("latin-1"), "UTF-?8"),
    ],
    ids=repr,
)
def test_bad_jsonl(refused, write, data, word):
    assert re.search(word, refused("combine", write(data, "t.jsonl")))


@pytest.mark.parametrize("name", ["t.json", "t.jsonl", "t"])
def test_a_json_array_is_read(command, write, name):
    """What pandas.to_json writes."""
    data = '[{"a": "x", "label": "y"}, {"a": "y", "label": "y"}]'
    answer = command("combine", write(data, name))
    assert answer.status == 0
    assert column(answer.out.decode(), "combined") == ["y", "y"]
    assert "JSON" in command("combine", write("[1, 2", name)).err


@pytest.mark.parametrize(
    "data",
    [b"PAR1", b"PAR1" + b"\x00" * 50 + b"PAR1", to_parquet(a=[1.0], label=[1.0])[:-9]],
    ids=["start", "noise", "cut"],
)
def test_damaged_parquet(refused, write, data):
    assert "Parquet" in refused("combine", write(data, "t.parquet"))


@pytest.mark.parametrize("cell", [[1, 2], {"x": 1}], ids=["list", "struct"])
def test_cells_of_parquet_that_hold_several_values(refused, command, write, cell):
    """They are refused as answers, left out aloud, and come back as JSON."""
    data = to_parquet(a=[1.0, 2.0, 3.0], b=[cell] * 3, label=[1.0, 2.0, 3.5])
    path = write(data, "t.parquet")
    assert "'b'" in refused("combine", path, "--use", "a", "--use", "b")
    answer = command("combine", path)
    assert "lists or objects: b" in answer.err
    assert [json.loads(own) for own in column(answer.out, "b")] == [cell] * 3


# ----------------------------------------------------------------------- the columns


def test_a_missing_label_column_is_answered_with_the_nearest(refused, write):
    path = write(to_csv(NUMBERS, heads=("a", "b", "human", "humans")))
    line = refused("combine", path, "--label", "humn")
    assert "'humn'" in line
    assert "'human', 'humans'" in line


def test_a_label_among_the_models(refused, write):
    path = write(to_csv(NUMBERS))
    line = refused("combine", path, "--label", "a", "--use", "a", "--use", "b")
    assert "'a' is the label, so it is no model" in line


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--label", "label", "--no-label"], "--no-label"),
        (["--label", "label", "--group", "label"], "only one of"),
        (["--group", "a", "--use", "a", "--use", "b"], "'a' is a group"),
        (["--use", "a", "--use", "a"], "twice"),
        (["--ignore", "a", "--use", "a", "--use", "b"], "'a'"),
        (["--low", "10", "--high", "1"], "low"),
        (["--low", "nan"], "low"),
        (["--balanced"], "--balanced"),
        (["--class", "x"], "--class"),
        (["--aggregate", "mean"], "--aggregate"),
        (["--model", "a"], "--item and --answer"),
        (["--item", "a", "--answer", "b"], "--model"),
        (["--name", "a"], "--name"),
        (["--name", "label"], "--name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_contradict_each_other_or_the_table(refused, write, options, word):
    assert word in refused("combine", write(to_csv(NUMBERS)), *options)


@pytest.mark.parametrize(
    "options",
    [["--low", "1"], ["--high", "1"], ["--constraint", "simplex"]],
    ids=" ".join,
)
def test_options_of_numbers_are_refused_for_classes(refused, write, options):
    assert options[0] in refused("combine", write(to_csv(VOTES)), *options)


def test_ten_thousand_columns(refused, command, write):
    """Hardly models; if they are, they can be named."""
    heads = [f"c{n}" for n in range(10_000)]
    rows = np.random.default_rng(0).normal(size=(5, 10_000)).round(2).tolist()
    path = write(to_csv(rows, heads=heads))
    line = refused("combine", path)
    assert "10000 columns" in line
    assert "--use" in line
    answer = command(
        "combine", path, "--use", "c1", "--use", "c2", "--label", "c3", "--json"
    )
    assert answer.status == 0
    assert answer.json["n_labelled"] == 5


@pytest.mark.parametrize("cell", ["refused", "Rating: 7/10", "85%", "1,234", "six"])
def test_a_text_among_numbers_is_named(refused, write, cell):
    """One model's cell, with row, column and what to do."""
    rows = [list(row) for row in NUMBERS]
    rows[4][1] = cell
    line = refused("combine", write(to_csv(rows)))
    for word in ("'b'", repr(cell), "row 4", "--missing"):
        assert word in line


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e999"])
def test_infinity_is_no_prediction(refused, write, cell):
    rows = [list(row) for row in NUMBERS]
    rows[4][1] = cell
    line = refused("combine", write(to_csv(rows)))
    assert "'b'" in line
    assert "row 4" in line


def test_classes_that_are_no_whole_numbers(refused, write):
    """The line says which option asked for it."""
    line = refused("combine", write(to_csv(NUMBERS)), "--task", "classification")
    assert "--task" in line


@pytest.mark.parametrize(
    "rows",
    [
        [["Yes", "No", cell] for cell in ["yes", "no"] * 10],
        [["True", "False", cell] for cell in "01" * 10],
        [["85%", "90%", cell] for cell in ["80.5", "90.1"] * 10],
        [["x", "", cell] for cell in ["1.5", "2.5"] * 10],
    ],
)
def test_no_column_left_for_a_model(refused, write, rows):
    line = refused("combine", write(to_csv(rows, heads=("a", "b", "label"))))
    assert "--use" in line


def test_pruning_needs_labels(refused, write):
    rows = [[*row[:3], ""] for row in NUMBERS]
    assert "label" in refused("prune", write(to_csv(rows)))


@pytest.mark.parametrize("verb", ["rank", "prune"])
def test_comparing_takes_two(refused, write, verb):
    line = refused(verb, write(to_csv(NUMBERS)), "--use", "a")
    assert "at least two" in line


# ------------------------------------------------------------------------ the output


@pytest.mark.parametrize("option", ["--out", "--save"])
def test_a_file_that_exists_stays(refused, command, write, tmp_path, option):
    there = write("precious", "there")
    line = refused("combine", write(to_csv(NUMBERS)), option, there)
    assert "--force" in line
    answer = command("combine", tmp_path / "table.csv", option, there, "--force")
    assert answer.status == 0
    assert there.read_bytes() != b"precious"


def test_an_existing_file_is_found_before_any_work(refused, write, tmp_path):
    """Not after an hour of reading; the table need not even be there."""
    there = write("precious", "there")
    line = refused("combine", tmp_path / "nothing.csv", "--out", there)
    assert "--force" in line


@pytest.mark.parametrize("option", ["--out", "--save"])
def test_a_folder_that_is_not_there(refused, write, tmp_path, option):
    line = refused("combine", write(to_csv(NUMBERS)), option, tmp_path / "no" / "out")
    assert "no folder" in line


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
def test_a_folder_is_no_place_for_a_table(refused, write, tmp_path, force):
    (tmp_path / "folder").mkdir()
    path = write(to_csv(NUMBERS))
    assert "is a folder" in refused(
        "combine", path, "--out", tmp_path / "folder", *force
    )


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="Windows has no pipes among its files"
)
def test_what_is_no_regular_file_is_not_replaced(refused, write, tmp_path, force):
    """Least of all the machine's null device, by a user who is root."""
    place = tmp_path / "pipe"
    os.mkfifo(place)
    refused("combine", write(to_csv(NUMBERS)), "--out", place, *force)
    assert stat.S_ISFIFO(place.stat().st_mode)


def test_out_and_save_are_two_files(refused, write, tmp_path):
    """Else one of them would be lost at once."""
    same = tmp_path / "same"
    refused("combine", write(to_csv(NUMBERS)), "--out", same, "--save", same)
    refused(
        "combine", write(to_csv(NUMBERS)), "--out", same, "--save", f"{tmp_path}/./same"
    )


@pytest.mark.parametrize("suffix", [".xlsx", ".csv.gz"])
def test_formats_that_are_not_written_are_not_pretended(
    refused, write, tmp_path, suffix
):
    """A CSV by the name of a spreadsheet opens nowhere."""
    line = refused(
        "combine", write(to_csv(NUMBERS)), "--out", tmp_path / f"out{suffix}"
    )
    assert suffix.rpartition(".")[2] in line


# --------------------------------------------------------------- hardly a table: fine


@pytest.mark.parametrize(
    "rows",
    [
        NUMBERS[:1],
        [["1", "2", "3", "4"], ["2", "1", "3", "5"]],
        [[*row[:3], "4"] for row in NUMBERS],
        [["3", *row[1:]] for row in NUMBERS],
        [["3", "3", "3", row[3]] for row in NUMBERS],
        [[*row[:3], "4" if n == 7 else ""] for n, row in enumerate(NUMBERS)],
        [["12345678901234567890", *row[1:]] for row in NUMBERS],
    ],
    ids=["1 row", "2 rows", "one label", "constant", "constants", "1 labelled", "huge"],
)
def test_hardly_numbers(command, write, rows):
    answer = command("combine", write(to_csv(rows)), "--task", "regression", "--json")
    assert answer.status == 0, answer.err
    assert all(cell is not None for cell in answer.json["combined"])


@pytest.mark.parametrize(
    "rows",
    [
        VOTES[1:2],
        VOTES[:2],
        [[*row[:3], "ant"] for row in VOTES],
        [["ant", *row[1:]] for row in VOTES],
        [["", "", "", row[3]] if n % 3 else row for n, row in enumerate(VOTES)],
    ],
    ids=["1 row", "2 rows", "one class", "constant", "silent rows"],
)
def test_hardly_votes(command, write, rows):
    answer = command(
        "combine", write(to_csv(rows)), "--task", "classification", "--json"
    )
    assert answer.status == 0, answer.err
    assert set(answer.json["combined"]) <= {"ant", "bee", "cat"}
    assert all(0 < cell <= 1 for cell in answer.json["combined_probability"])


def test_a_constant_column_beside_holes(command, write):
    """It knows nothing, so that it changes nothing."""
    rows = numbers(missing=0.1)
    expected = command("combine", write(to_csv(rows)), "--json").json["combined"]
    more = to_csv([["120", *row] for row in rows], heads=("tokens", *HEADS))
    answer = command("combine", write(more), "--json")
    assert answer.status == 0, answer.err
    assert answer.json["combined"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "heads",
    [
        ["--out", "--label", "--help", "label"],
        ["model one", "it's", 'say "hi"', "label"],
        ["模型", "🙂", "naïve", "label"],
        ["=a", "+b", "-c", "@label"],
        ["model", "weight", "rmse", "label"],
        ["keep", "guesses", "models", "label"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("verb", ["combine", "rank", "prune"])
def test_names_of_any_kind(command, write, verb, heads):
    path = write(to_csv(NUMBERS, heads=heads))
    answer = command(verb, path, f"--label={heads[3]}", "--json")
    assert answer.status == 0, answer.err
    found = answer.json
    named = (
        found["keep"] + found["drop"]
        if verb == "prune"
        else [row["model"] for row in found["models"]]
    )
    assert sorted(named) == sorted(heads[:3])


def test_jsonl_that_holds_nan(command, write):
    """Python writes it, though it is no JSON."""
    data = to_jsonl(NUMBERS, number=True).replace("null", "NaN")
    answer = command("combine", write(data, "t.jsonl"), "--json")
    expected = command("combine", write(to_csv(NUMBERS)), "--json")
    assert answer.json["combined"] == expected.json["combined"]
