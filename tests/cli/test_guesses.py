"""What is guessed is said, with the option that decides otherwise, and that does."""

import io

import calling
import numpy as np
import pyarrow as pa
import pytest
from example_tables import column, from_csv, numbers, to_csv, votes
from pyarrow import parquet

command, refused, write = calling.command, calling.refused, calling.write

NUMBERS = numbers(missing=0.1)
VOTES = votes(missing=0.1)


def said(answer, word):
    """Return the one sentence with the word."""
    lines = [line for line in answer.err.splitlines() if line.startswith(word)]
    assert len(lines) == 1, answer.err
    return lines[0]


@pytest.fixture
def combine(command, write):
    def call(data, *options, status=0, verb="combine"):
        answer = command(verb, write(data), *options)
        assert answer.status == status, answer.err
        return answer

    return call


def models(answer):
    """Return the models of an answer in JSON."""
    return sorted(row["model"] for row in answer.json["models"])


# ---------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "name", ["label", "Label", "TRUTH", "target", "y_true", "gold"]
)
def test_the_label_is_guessed_by_its_name(combine, name):
    heads = ("a", "b", "c", name)
    guessed = combine(to_csv(NUMBERS, heads=heads))
    assert f"column {name!r} (--label, --no-label)" in said(guessed, "Labels:")
    named = combine(to_csv(NUMBERS, heads=heads), "--label", name)
    assert named.out == guessed.out
    assert "Labels:" not in named.err


def test_the_label_can_be_named_otherwise(combine):
    answer = combine(
        to_csv(NUMBERS, heads=("label", "b", "c", "human")),
        "--label",
        "human",
        "--json",
    )
    assert answer.json["n_labelled"] == 30
    assert models(answer) == ["b", "c", "label"]
    # It looks like a mistake, so that it is said.
    assert "'label' is taken for a model (--ignore)" in answer.err


def test_no_label_takes_the_name_for_a_models(combine):
    answer = combine(to_csv(NUMBERS), "--no-label", "--json")
    assert answer.json["n_labelled"] == 0
    assert "label" in models(answer)
    assert "No item has a label" in answer.err


# ------------------------------------------------------------------------------ task


def several(values, n=40, columns=4, seed=0):
    return np.random.default_rng(seed).choice(values, size=(n, columns)).tolist()


@pytest.mark.parametrize(
    ("rows", "task"),
    [
        (NUMBERS, "regression"),
        (VOTES, "classification"),
        (several(["0", "1"]), "classification"),
        (several(["-1", "1"]), "classification"),
        (several(["1", "2"]), "classification"),
        (several(["0", "1", "2", "3"]), "classification"),
        (several(["0.0", "1.0"]), "classification"),
        (several(["3", "7"]), "classification"),
        (several(["1", "2", "3", "4", "5"]), "regression"),
        (several(["0", "0.5", "1"]), "regression"),
        (several([str(n) for n in range(60)], n=200), "regression"),
        (several(["yes", "no"]), "classification"),
        (several(["True", "False"]), "classification"),
    ],
)
def test_the_task_is_guessed_and_said(combine, rows, task):
    answer = combine(to_csv(rows), "--json")
    assert answer.json["task"] == task
    assert said(answer, "Task:").startswith(f"Task: {task}, as ")
    assert "(--task)" in said(answer, "Task:")


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_task_can_be_named(combine, task):
    answer = combine(to_csv(several(["0", "1", "2", "3"])), "--task", task, "--json")
    assert answer.json["task"] == task
    assert "Task:" not in answer.err


def test_one_slip_among_numbers_does_not_make_them_classes(combine):
    """Labels of mixed kinds are an error that names the cell, not a guess."""
    rows = [[*row[:3], row[3] or "0.5"] for row in numbers()]
    rows[17][3] = "7?"
    answer = combine(to_csv(rows), status=2)
    assert "'label'" in answer.errors[0]
    assert "'7?'" in answer.errors[0]


# ---------------------------------------------------------------------------- missing


@pytest.mark.parametrize(
    "mark", ["NA", "N/A", "n/a", "nan", "NaN", "null", "None", "<NA>"]
)
@pytest.mark.parametrize("rows", [NUMBERS, VOTES], ids=["numbers", "votes"])
def test_usual_markers_are_missing_and_counted(combine, rows, mark):
    marked = [[cell or mark for cell in row] for row in rows]
    n_cells = sum(cell == mark for row in marked for cell in row)
    answer = combine(to_csv(marked))
    assert f"{mark!r} ({n_cells} cells) (--missing)" in said(answer, "Missing")
    plain = combine(to_csv(rows))
    assert column(answer.out, "combined") == column(plain.out, "combined")


@pytest.mark.parametrize("rows", [NUMBERS, VOTES], ids=["numbers", "votes"])
def test_markers_can_be_named(combine, rows):
    """And then no others are looked for."""
    marked = [
        [cell or ["refused", "?"][n % 2] for cell in row] for n, row in enumerate(rows)
    ]
    answer = combine(to_csv(marked), "--missing", "refused", "--missing", "?")
    assert "Missing" not in answer.err
    plain = combine(to_csv(rows))
    assert column(answer.out, "combined") == column(plain.out, "combined")


def test_a_marker_is_a_class_if_another_one_is_named(combine):
    """Some classes are called "None"."""
    rows = [[cell.replace("ant", "None") for cell in row] for row in VOTES]
    answer = combine(to_csv(rows), "--missing", "refused")
    assert "None" in column(answer.out, "combined")


@pytest.mark.parametrize("mark", [-1, -9])
def test_a_marker_can_be_a_number(command, write, combine, mark):
    """In texts and in the numbers of a Parquet file, all the same."""
    whole = np.random.default_rng(0).integers(10, 90, size=(40, 3))
    holes = np.random.default_rng(1).random((40, 3)) < 0.2
    rows = np.where(holes, mark, whole)
    blank = [
        ["" if hole else str(cell) for cell, hole in zip(*pair, strict=True)]
        for pair in zip(whole, holes, strict=True)
    ]
    heads = ("a", "b", "label")
    expected = column(combine(to_csv(blank, heads=heads)).out, "combined")
    text = combine(to_csv(rows.tolist(), heads=heads), "--missing", mark)
    assert column(text.out, "combined") == expected
    file = io.BytesIO()
    parquet.write_table(pa.table(list(rows.T), names=heads), file)
    typed = command("combine", write(file.getvalue(), "t.parquet"), "--missing", mark)
    assert column(typed.out, "combined") == expected


# ------------------------------------------------------------- separators, decimals


def test_a_separator_is_said_unless_it_is_a_comma(combine):
    assert "Separator: ';' (--separator)" in combine(to_csv(VOTES, separator=";")).err
    assert "Separator" not in combine(to_csv(VOTES)).err


def test_decimal_commas_are_said(combine):
    rows = [
        [f"{cell.replace('.', ',')}0" if cell else cell for cell in row]
        for row in NUMBERS
    ]
    assert "(--decimal)" in said(combine(to_csv(rows, separator=";")), "Decimals:")
    assert "Decimals" not in combine(to_csv(NUMBERS)).err


@pytest.mark.parametrize("option", [(), ("--decimal", ".")])
def test_thousands_are_not_taken_for_decimals(combine, option):
    """1,234 is more than a thousand to some, so that nothing is guessed."""
    rows = np.random.default_rng(0).integers(1000, 9999, size=(30, 3))
    data = to_csv(
        [[f"{cell:,}" for cell in row] for row in rows], heads=("a", "b", "label")
    )
    answer = combine(data, *option, status=2)
    assert "1" not in column(to_csv(rows.tolist(), heads=("a", "b", "label")), "a")
    assert len(answer.errors) == 1


# --------------------------------------------------------------- which are the models


def test_identifiers_are_left_out(combine):
    rows = [[str(n), f"q{n}", *row] for n, row in enumerate(VOTES)]
    heads = ("", "question_id", "a", "b", "c", "label")
    answer = combine(to_csv(rows, heads=heads), "--json")
    assert models(answer) == ["a", "b", "c"]
    assert "question_id (--use)" in said(answer, "Left out, as they name items")


@pytest.mark.parametrize("name", ["id", "ID", "index", "Unnamed: 0", "user_id", "row"])
def test_numbers_that_name_items_are_left_out(combine, name):
    """Each once, in a table of numbers, where they would pass for predictions."""
    rows = [[str(n), *row] for n, row in enumerate(NUMBERS)]
    answer = combine(to_csv(rows, heads=(name, "a", "b", "c", "label")), "--json")
    assert models(answer) == ["a", "b", "c"]
    expected = combine(to_csv(NUMBERS), "--json")
    assert answer.json["combined"] == expected.json["combined"]


def test_texts_are_left_out_of_numbers(combine):
    rows = [[f"What is {n}?", "2024-01-01", *row] for n, row in enumerate(NUMBERS)]
    answer = combine(
        to_csv(rows, heads=("question", "day", "a", "b", "c", "label")), "--json"
    )
    assert models(answer) == ["a", "b", "c"]
    assert "question, day (--use)" in said(answer, "Left out, as they hold no number")


def test_what_names_no_class_is_left_out_of_votes(combine):
    rows = [[f"What is {n % 7}?", str(n), *row] for n, row in enumerate(VOTES)]
    answer = combine(
        to_csv(rows, heads=("question", "tokens", "a", "b", "c", "label")), "--json"
    )
    assert models(answer) == ["a", "b", "c"]


def test_empty_columns_are_left_out(combine):
    rows = [["", *row] for row in VOTES]
    answer = combine(to_csv(rows, heads=("empty", "a", "b", "c", "label")), "--json")
    assert models(answer) == ["a", "b", "c"]


def test_use_and_ignore_decide(combine):
    data = to_csv(NUMBERS)
    assert models(combine(data, "--use", "a", "--use", "b", "--json")) == ["a", "b"]
    assert models(combine(data, "--ignore", "a", "--json")) == ["b", "c"]
    rows = [[str(n), *row] for n, row in enumerate(NUMBERS)]
    with_id = to_csv(rows, heads=("id", "a", "b", "c", "label"))
    assert models(combine(with_id, "--use", "id", "--use", "a", "--json")) == [
        "a",
        "id",
    ]


@pytest.mark.parametrize(
    "option", ["--label", "--group", "--use", "--ignore", "--item"]
)
def test_a_misspelt_column_is_refused_with_the_nearest(refused, write, option):
    """Also of --ignore: else the column stays a model, and nobody knows."""
    rows = [[*row[:3], "120", row[3]] for row in NUMBERS]
    path = write(to_csv(rows, heads=("a", "b", "c", "tokens", "label")))
    line = refused("combine", path, option, "tokns")
    assert "'tokns'" in line
    assert "'tokens'" in line


@pytest.mark.parametrize("verb", ["combine", "rank", "prune"])
def test_groups_are_no_models(combine, verb):
    rows = [
        ["north" if n % 2 else "south", str(n % 3), *row]
        for n, row in enumerate(NUMBERS)
    ]
    heads = ("region", "site", "a", "b", "c", "label")
    options = ("--group", "region", "--group", "site", "--json")
    answer = combine(to_csv(rows, heads=heads), *options, verb=verb)
    found = (
        answer.json["keep"] + answer.json["drop"] if verb == "prune" else models(answer)
    )
    assert sorted(found) == ["a", "b", "c"]


def test_columns_by_the_name_of_groups_are_left_out_and_said(combine):
    rows = [["north" if n % 2 else "south", *row] for n, row in enumerate(VOTES)]
    answer = combine(
        to_csv(rows, heads=("group_region", "a", "b", "c", "label")), "--json"
    )
    assert models(answer) == ["a", "b", "c"]
    assert "group_region (--use)" in said(
        answer, "Left out, as they are groups (--group)"
    )


def test_reasons_are_said_where_no_model_is_left(combine):
    """The error alone would be a riddle."""
    rows = [["Yes", "No", cell] for cell in ["yes", "no"] * 10]
    answer = combine(to_csv(rows, heads=("a", "b", "label")), status=2)
    assert "No column is left for a model" in answer.errors[0]
    assert "name no class of the labels: a, b" in answer.err


# ------------------------------------------------------------------- other suspicions


def test_a_model_that_is_the_label_is_pointed_out(combine):
    rows = [[*row[:3], row[3], row[3]] for row in NUMBERS]
    answer = combine(to_csv(rows, heads=("a", "b", "c", "copy", "label")))
    assert "'copy' agrees with the label in all 30 items" in answer.err
    assert "--ignore" in said(answer, "Model 'copy'")


def test_answers_far_outside_are_pointed_out(combine):
    rows = [list(row) for row in NUMBERS]
    rows[3][0] = "1e6"
    assert "--low, --high" in combine(to_csv(rows)).err
    assert "--low" not in combine(to_csv(rows), "--low", "-9", "--high", "9").err
    assert "--low" not in combine(to_csv(NUMBERS)).err


def test_guesses_are_in_the_json_too(combine):
    answer = combine(to_csv(VOTES, separator=";"), "--json")
    assert answer.err.splitlines() == answer.json["guesses"]


def test_cells_are_written_back_in_any_case(combine):
    """Also those of columns that are no models."""
    rows = [[f"q{n}", "", *row] for n, row in enumerate(VOTES)]
    heads = ["id", "empty", "a", "b", "c", "label"]
    found, back = from_csv(combine(to_csv(rows, heads=heads)).out)
    assert found[:6] == heads
    assert [row[:6] for row in back] == rows


def test_a_class_that_few_labels_miss_is_found_among_the_answers(command, write):
    """Else whoever names it would seem to be silent."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    rows = [
        [*(str(t if rng.random() < 0.8 else 1 - t) for _ in range(3)), ""]
        for t in truth
    ]
    ones = np.flatnonzero(truth)[:4]
    for row in ones:
        rows[row][-1] = "1"
    answer = command("combine", write(to_csv(rows)), "--json")
    assert "Classes: 0, 1; no label is '0', yet models say so (--class" in answer.err
    assert np.mean(np.array(answer.json["combined"]) == truth) > 0.8
    alone = command("combine", write(to_csv(rows)), "--class", "1", "--json")
    assert "yet models say so" not in alone.err
    assert set(alone.json["combined"]) == {1}


@pytest.mark.parametrize("form", ["00{}", "1234567{}", "{}.5", "{}.0"])
@pytest.mark.parametrize("odd", [[], ["refused"]], ids=["", "odd"])
def test_classes_are_spelled_as_they_are_read(command, write, form, odd):
    """Codes stay codes, long ones too; a text among the votes makes texts of all."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    votes = np.where(rng.random((200, 3)) < 0.8, truth[:, None], 1 - truth[:, None])
    rows = [[*map(form.format, row), ""] for row in votes.tolist()]
    for row in np.flatnonzero(truth)[:4]:
        rows[row][-1] = form.format(1)
    if odd:
        rows[7][0] = odd[0]
    # Numbers that end in .0 are whole, unless a text is among them.
    plain = form == "{}.0" and not odd
    wanted = {"0", "1"} if plain else {form.format(0), form.format(1)}
    path = write(to_csv(rows))
    options = ["--class", form.format(0), "--class", form.format(1)]
    for named in ([], options):
        answer = command("combine", path, "--task", "classification", *named)
        assert answer.status == 0, answer.err
        assert set(column(answer.out, "combined")) == wanted


def test_what_many_labels_never_show_is_no_class(command, write):
    rng = np.random.default_rng(0)
    rows = [
        [*rng.choice(["yes", "no", "refused"], p=[0.5, 0.4, 0.1], size=3), "yes"]
        for _ in range(200)
    ]
    for row in rows[::2]:
        row[-1] = "no"
    answer = command("combine", write(to_csv(rows)))
    assert "yet models say so" not in answer.err
    assert "votes 'refused'" in answer.err


def test_five_labels_and_a_single_model_are_told(command, write):
    rows = numbers(n_labelled=5)
    assert "Of 5 labels" in command("combine", write(to_csv(rows))).err
    one = [[row[0], row[-1]] for row in rows]
    answer = command("combine", write(to_csv(one, heads=("a", "label"))))
    assert "Of a long table" in answer.err


@pytest.mark.parametrize("form", ["{}%", "€{}", "{}/10", "1 {}"])
def test_numbers_with_units_are_no_classes(command, write, form):
    """All of them are texts, but nobody has so many classes."""
    rows = [
        [form.format(abs(int(float(cell) * 9))) for cell in row]
        for row in numbers(n_labelled=60)
    ]
    answer = command("combine", write(to_csv(rows)))
    assert answer.status == 2
    assert "seem to be numbers" in answer.err
    insisted = command("combine", write(to_csv(rows)), "--task", "classification")
    assert insisted.status == 0
