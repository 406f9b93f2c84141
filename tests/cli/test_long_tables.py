"""Tables with one row per answer."""

import json

import calling
import numpy as np
import pytest
from example_tables import column, from_csv, numbers, to_csv, to_jsonl, votes

command, refused, write = calling.command, calling.refused, calling.write

HEADS = ("text", "who", "said", "truth", "site")
PARTS = ("--item", "text", "--model", "who", "--answer", "said")
LABELLED = (*PARTS, "--label", "truth")


def long(rows):
    """One row per answer, items and models in their order."""
    return [
        [f"t{n}", "abc"[m], row[m], row[3], f"s{n % 2}"]
        for n, row in enumerate(rows)
        for m in range(3)
        if row[m]
    ]


@pytest.mark.parametrize("source", [numbers, votes])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_long_and_wide_are_combined_alike(command, write, source, missing):
    rows = [row for row in source(missing=missing) if any(row[:3])]
    # All models occur in their order.
    rows.sort(key=lambda row: not all(row[:3]))
    wide = command("combine", write(to_csv(rows)))
    answer = command("combine", write(to_csv(long(rows), heads=HEADS)), *LABELLED)
    assert answer.status == 0, answer.err
    heads, cells = from_csv(answer.out)
    assert heads[:5] == ["text", "a", "b", "c", "truth"]
    assert [row[1:5] for row in cells] == rows
    assert [row[0] for row in cells] == [f"t{n}" for n in range(len(rows))]
    assert column(answer.out, "combined") == column(wide.out, "combined")


@pytest.mark.parametrize("verb", ["rank", "prune"])
def test_other_commands_read_them_too(command, write, verb):
    data = to_csv(long(votes()), heads=HEADS)
    answer = command(verb, write(data), *LABELLED, "--json")
    expected = command(verb, write(to_csv(votes()), "wide.csv"), "--json")
    assert answer.status == 0, answer.err
    keys = ["models"] if verb == "rank" else ["keep", "drop", "path"]
    assert [answer.json[key] for key in keys] == [expected.json[key] for key in keys]


def test_numbers_of_jsonl(command, write):
    rows = long(numbers())
    data = to_jsonl(
        [[row[2], row[3]] for row in rows], heads=("said", "truth"), number=True
    )
    names = to_jsonl([row[:2] for row in rows], heads=("text", "who"))
    lines = (
        f"{one[:-1]}, {other[1:]}\n"
        for one, other in zip(names.splitlines(), data.splitlines(), strict=True)
    )
    answer = command("combine", write("".join(lines), "t.jsonl"), *LABELLED, "--json")
    expected = command("combine", write(to_csv(numbers())), "--json")
    assert answer.json["combined"] == pytest.approx(expected.json["combined"])


def test_groups_of_items(command, write):
    data = to_csv(long(votes()), heads=HEADS)
    answer = command("combine", write(data), *LABELLED, "--group", "site")
    assert answer.status == 0, answer.err
    assert column(answer.out, "site") == [f"s{n % 2}" for n in range(60)]
    plain = command("combine", write(data), *LABELLED)
    assert column(answer.out, "combined") == column(plain.out, "combined")


def test_without_labels(command, write):
    data = to_csv(long(votes()), heads=HEADS)
    answer = command("combine", write(data), *PARTS, "--no-label")
    assert answer.status == 0
    assert "No item has a label" in answer.err


@pytest.mark.parametrize("absent", ["--item", "--model", "--answer"])
def test_a_long_table_needs_three_columns(refused, write, absent):
    place = PARTS.index(absent)
    rest = [*PARTS[:place], *PARTS[place + 2 :]]
    if "--model" not in rest and "--answer" not in rest:
        return
    line = refused("combine", write(to_csv(long(votes()), heads=HEADS)), *rest)
    assert absent in line


@pytest.mark.parametrize(
    "option", ["--item", "--model", "--answer", "--label", "--group"]
)
def test_a_missing_column_is_answered_with_the_nearest(refused, write, option):
    options = dict(zip(LABELLED[::2], LABELLED[1::2], strict=True))
    options |= {option: "sait"}
    flat = [part for pair in options.items() for part in pair]
    line = refused("combine", write(to_csv(long(votes()), heads=HEADS)), *flat)
    assert "'sait'" in line
    assert "'said'" in line


# ----------------------------------------------------------------------- duplicates


def test_duplicates_are_listed(refused, write):
    rows = long(votes())
    rows += [rows[0], rows[4]]
    line = refused("combine", write(to_csv(rows, heads=HEADS)), *LABELLED)
    for word in ("('t0', 'a')", "('t1', 'b')", "--aggregate"):
        assert word in line


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("mean", 3.0),
        ("median", 2.0),
        ("most_frequent", 2.0),
        ("first", 2.0),
        ("last", 6.0),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_aggregates_of_numbers(command, write, kind, aggregate, expected):
    """In CSV, too, where cells are texts until somebody reads them."""
    rows = long(numbers())
    del rows[0]
    rows += [
        ["t0", "a", said, rows[0][3], "s0"] for said in ("2.0", "2.0", "2.0", "6.0")
    ]
    # Items and models keep the order in which they occur.
    if kind == "csv":
        path = write(to_csv(rows, heads=HEADS))
    else:
        lines = [
            dict(
                zip(
                    HEADS,
                    [
                        *row[:2],
                        float(row[2]),
                        float(row[3]) if row[3] else None,
                        row[4],
                    ],
                    strict=True,
                )
            )
            for row in rows
        ]
        path = write("".join(json.dumps(line) + "\n" for line in lines), "t.jsonl")
    answer = command("combine", path, *LABELLED, "--aggregate", aggregate)
    assert answer.status == 0, answer.err
    assert float(column(answer.out, "a")[0]) == expected


def test_the_most_frequent_vote(command, write):
    rows = long(votes())
    said = rows[0][2]
    other = "bee" if said != "bee" else "cat"
    more = [["t0", "a", other, rows[0][3], "s0"]] * 2
    path = write(to_csv(rows + more, heads=HEADS))
    answer = command("combine", path, *LABELLED, "--aggregate", "most_frequent")
    assert column(answer.out, "a")[0] == other
    tied = write(to_csv(rows + more[:1], heads=HEADS), "tied.csv")
    answer = command("combine", tied, *LABELLED, "--aggregate", "most_frequent")
    assert column(answer.out, "a")[0] == ""


@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_texts_have_no_mean(refused, write, aggregate):
    rows = long(votes())
    path = write(to_csv([*rows, rows[0]], heads=HEADS))
    line = refused("combine", path, *LABELLED, "--aggregate", aggregate)
    assert "--aggregate" in line


@pytest.mark.parametrize("mark", ["", "NA", "refused"])
def test_a_missing_answer_is_no_duplicate(command, write, mark):
    """Of a model that was asked again after it had failed."""
    rows = long(votes())
    expected = column(
        command("combine", write(to_csv(rows, heads=HEADS)), *LABELLED).out, "combined"
    )
    again = [[*rows[0][:2], mark, *rows[0][3:]], *rows]
    options = ["--missing", "refused"] if mark == "refused" else []
    answer = command("combine", write(to_csv(again, heads=HEADS)), *LABELLED, *options)
    assert answer.status == 0, answer.err
    assert column(answer.out, "combined") == expected


# ------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_number_that_marks_missing_answers_is_not_averaged(command, write, kind):
    """Also where the file itself has numbers."""
    answers = [["q", "a", "-9"], ["q", "a", "4"], ["q", "b", "5"], ["r", "a", "1.5"]]
    heads = ("text", "who", "said")
    if kind == "jsonl":
        lines = (
            f'{{"text": "{item}", "who": "{model}", "said": {answer}}}\n'
            for item, model, answer in answers
        )
        path = write("".join(lines), "table.jsonl")
    else:
        path = write(to_csv(answers, heads=heads))
    options = ("--aggregate", "mean", "--missing", "-9", "--task", "regression")
    answer = command("combine", path, *PARTS, *options)
    assert answer.status == 0, answer.err
    assert [float(cell) for cell in column(answer.out, "a")] == [4.0, 1.5]


def test_an_item_has_one_label(refused, write):
    rows = long(votes(n_labelled=60))
    rows[1][3] = "bee" if rows[0][3] != "bee" else "cat"
    line = refused("combine", write(to_csv(rows, heads=HEADS)), *LABELLED)
    assert "'t0' has two labels" in line


@pytest.mark.parametrize(("place", "what"), [(0, "item"), (1, "model")])
def test_a_row_without_item_or_model(refused, write, place, what):
    rows = long(votes())
    rows[7][place] = ""
    line = refused("combine", write(to_csv(rows, heads=HEADS)), *LABELLED)
    assert f"Row 7 has no {what}" in line


@pytest.mark.parametrize("name", ["text", "truth"])
def test_a_model_by_the_name_of_another_column(refused, write, name):
    rows = [
        [row[0], name if row[1] == "a" else row[1], *row[2:]] for row in long(votes())
    ]
    line = refused("combine", write(to_csv(rows, heads=HEADS)), *LABELLED)
    assert "rename" in line


def test_item_model_and_answer_are_three_columns(refused, write):
    refused(
        "combine",
        write(to_csv(long(votes()), heads=HEADS)),
        "--item",
        "text",
        "--model",
        "text",
        "--answer",
        "said",
    )


def test_items_that_are_numbers(command, write):
    """Written back as they were."""
    rows = [[str(int(row[0][1:]) + 7), *row[1:]] for row in long(votes())]
    answer = command("combine", write(to_csv(rows, heads=HEADS)), *LABELLED)
    assert column(answer.out, "text") == [str(n + 7) for n in range(60)]
    assert np.size(column(answer.out, "combined")) == 60


def test_new_long_tables_are_predicted(command, write, tmp_path):
    """By a model that was saved from a long one, or from a wide one."""
    wide = votes()
    heads = ("a", "b", "c")
    long = [
        [f"q{i}", name, cell, row[-1]]
        for i, row in enumerate(wide)
        for name, cell in zip(heads, row[:-1], strict=True)
        if cell
    ]
    names = ("item", "model", "answer", "label")
    options = ("--item", "item", "--model", "model", "--answer", "answer")
    model = tmp_path / "model.skops"
    path = write(to_csv(long, heads=names))
    fitted = command("combine", path, *options, "--label", "label", "--save", model)
    assert fitted.status == 0, fitted.err
    again = command("predict", model, path, *options)
    assert again.status == 0, again.err
    assert column(again.out, "combined") == column(fitted.out, "combined")
