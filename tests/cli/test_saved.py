"""Saved models: the same answers later, and no code that comes with a file."""

import io
import json
import pickle
import zipfile

import calling
import numpy as np
import pytest
import skops.io
from example_tables import column, from_csv, numbers, to_csv, to_jsonl, votes
from sklearn.linear_model import LinearRegression, LogisticRegression

command, refused, write = calling.command, calling.refused, calling.write

HEADS = ["a", "b", "c", "label"]


@pytest.fixture
def saved(command, write, tmp_path):
    """Fit on a table, save the model, and return its path and the answers."""

    def fit(rows, *options, name="model.skops", **layout):
        path = tmp_path / name
        answer = command(
            "combine", write(to_csv(rows, **layout)), "--save", path, *options
        )
        assert answer.status == 0, answer.err
        return path, answer.out

    return fit


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (numbers(), []),
        (numbers(missing=0.2), []),
        (numbers(missing=0.2, n_labelled=0), []),
        (numbers(), ["--low", "-1", "--high", "1"]),
        (numbers(missing=0.2), ["--low", "-1"]),
        (numbers(), ["--constraint", "affine"]),
        (votes(), []),
        (votes(missing=0.2), []),
        (votes(n_labelled=0), []),
        (votes(), ["--balanced"]),
        ([[str(len(cell)) for cell in row] for row in votes(n_labelled=60)], []),
    ],
)
def test_predictions_are_those_of_the_fit(command, saved, tmp_path, rows, options):
    """On the same table all bytes are."""
    model, expected = saved(rows, *options)
    answer = command("predict", model, tmp_path / "table.csv")
    assert answer.status == 0, answer.err
    assert answer.out == expected


def test_predictions_of_a_row_do_not_depend_on_the_others(command, saved, write):
    """Nor on columns that were no models, nor on the order of those that were."""
    rows = votes(missing=0.2)
    model, out = saved(rows)
    expected = column(out, "combined")
    turned = [[f"q{n}", row[2], row[0], row[1]] for n, row in enumerate(rows)]
    data = to_csv(turned[5:25], heads=("id", "c", "a", "b"))
    answer = command("predict", model, write(data, "new.csv"))
    heads, _ = from_csv(answer.out)
    assert heads == ["id", "c", "a", "b", "combined", "combined_probability"]
    assert column(answer.out, "combined") == expected[5:25]


@pytest.mark.parametrize("source", [numbers, votes])
def test_new_tables_may_come_in_another_format(command, saved, write, source):
    rows = source(missing=0.2)
    model, out = saved(rows)
    data = to_jsonl(rows, number=source is numbers)
    path = write(data, "new.jsonl")
    found = command("predict", model, path).out
    assert column(found, "combined") == column(out, "combined")
    piped = command("predict", model, "-", stdin=to_csv(rows, separator="\t").encode())
    assert column(piped.out, "combined") == column(out, "combined")


@pytest.mark.parametrize("name", ["new.csv", "new.parquet", "new.jsonl"])
def test_out_force_and_name(command, saved, refused, tmp_path, name):
    model, _ = saved(votes())
    out = tmp_path / name
    command("predict", model, tmp_path / "table.csv", "--out", out, "--name", "crowd")
    assert out.exists()
    assert "--force" in refused("predict", model, tmp_path / "table.csv", "--out", out)
    again = command("predict", model, tmp_path / "table.csv", "--out", out, "--force")
    assert again.status == 0


def test_a_missing_model_column_is_named(refused, saved, write):
    model, _ = saved(votes())
    path = write(to_csv([["ant", "bee"]], heads=("a", "bb")), "new.csv")
    assert "'b'" in refused("predict", model, path)


def test_markers_are_remembered(command, saved, write):
    rows = [[cell or "refused" for cell in row] for row in votes(missing=0.2)]
    model, out = saved(rows, "--missing", "refused")
    answer = command("predict", model, write(to_csv(rows), "new.csv"))
    assert column(answer.out, "combined") == column(out, "combined")


@pytest.mark.parametrize("mark", ["NA", "refused"])
def test_markers_can_be_new(command, saved, write, mark):
    """The error's remedy is an option of this command, too."""
    rows = numbers()
    model, _ = saved(rows)
    holes = [[*row[:2], mark if n % 2 else row[2], ""] for n, row in enumerate(rows)]
    path = write(to_csv(holes), "new.csv")
    answer = command("predict", model, path)
    if answer.status:
        assert "--missing" in answer.errors[0]
        answer = command("predict", model, path, "--missing", mark)
        assert answer.status == 0, answer.err
    blank = [["" if cell == mark else cell for cell in row] for row in holes]
    expected = command("predict", model, write(to_csv(blank), "blank.csv"))
    assert column(answer.out, "combined") == column(expected.out, "combined")


@pytest.mark.parametrize("odd", [("b", 3), ("c", 7)])
def test_one_odd_vote_does_not_silence_the_others(command, saved, write, odd):
    """Classes are numbers here; a text among the votes abstains, alone."""
    rows = [
        [str(len(cell) % 2 + (cell > "b")) for cell in row]
        for row in votes(n_labelled=60)
    ]
    model, out = saved(rows)
    expected = column(out, "combined")
    strange = [list(row) for row in rows]
    strange[odd[1]][HEADS.index(odd[0])] = "refused"
    answer = command("predict", model, write(to_csv(strange), "new.csv"))
    assert answer.status == 0, answer.err
    found = column(answer.out, "combined")
    assert [f for n, f in enumerate(found) if n != odd[1]] == [
        e for n, e in enumerate(expected) if n != odd[1]
    ]


def test_one_odd_vote_in_the_fit_does_not_silence_later_ones(command, saved, write):
    """There classes became texts; numbers that come later are the same classes."""
    rows = [[str(int(cell > "b")) for cell in row] for row in votes(n_labelled=60)]
    rows[3][1] = "refused"
    model, out = saved(rows)
    expected = column(out, "combined")
    answer = command("predict", model, write(to_csv(rows[4:]), "new.csv"))
    assert column(answer.out, "combined") == expected[4:]


def test_decimal_commas_are_remembered(command, saved, write):
    rows = [[cell.replace(".", ",") for cell in row] for row in numbers()]
    model, out = saved(rows, "--decimal", ",", separator=";")
    data = to_csv(rows, separator=";")
    answer = command("predict", model, write(data, "new.csv"))
    assert answer.status == 0, answer.err
    assert answer.out == out


# ------------------------------------------------------------- files that are no model


@pytest.fixture
def state(saved):
    """What a good file holds, and its bytes."""
    path, _ = saved(numbers())
    data = path.read_bytes()
    trusted = skops.io.get_untrusted_types(data=data)
    return skops.io.loads(data, trusted=trusted), data


def zipped(**files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return data.getvalue()


def edited(data, change):
    """Change each node of the file's schema."""

    def walk(node):
        if isinstance(node, dict):
            change(node)
            node = list(node.values())
        for own in node if isinstance(node, list) else []:
            walk(own)

    source = zipfile.ZipFile(io.BytesIO(data))
    files = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(files["schema.json"])
    walk(schema)
    return zipped(**files | {"schema.json": json.dumps(schema)})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"prose",
        to_csv(numbers()).encode(),
        zipped(readme="x"),
        zipped(**{"schema.json": "{}"}),
        zipped(**{"schema.json": "not json"}),
        skops.io.dumps([1, 2]),
        skops.io.dumps({"model": 1}),
        skops.io.dumps(np.zeros(3)),
    ],
    ids=[
        "empty",
        "prose",
        "csv",
        "zip",
        "no schema",
        "no JSON",
        "list",
        "dict",
        "array",
    ],
)
def test_other_files_are_refused(refused, write, data):
    table = write(to_csv(numbers()))
    line = refused("predict", write(data, "model.skops"), table)
    assert "model.skops" in line
    assert "no model that --save has written" in line


def test_a_file_that_is_not_there(refused, write, tmp_path):
    line = refused("predict", tmp_path / "no.skops", write(to_csv(numbers())))
    assert "No such file" in line


class Bomb:
    """Unpickling writes a file."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


def test_a_pickle_is_not_opened(refused, write, tmp_path):
    place = tmp_path / "executed"
    path = write(pickle.dumps({"model": Bomb(place)}), "model.skops")
    refused("predict", path, write(to_csv(numbers())))
    assert not place.exists()


def test_a_pickle_inside_is_not_opened(refused, write, tmp_path, state):
    """Arrays of objects would be pickled."""
    place = tmp_path / "executed"
    array = io.BytesIO()
    np.save(array, np.array([Bomb(place)], dtype=object), allow_pickle=True)
    source = zipfile.ZipFile(io.BytesIO(state[1]))
    files = {name: source.read(name) for name in source.namelist()}
    files |= {name: array.getvalue() for name in files if name.endswith(".npy")}
    refused("predict", write(zipped(**files), "model.skops"), write(to_csv(numbers())))
    assert not place.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("pathlib", "Path"),
    ],
)
def test_foreign_types_are_refused_by_name(refused, write, state, module, name):
    def replace(node):
        if node.get("__class__") == "StackingNetRegressor":
            node |= {"__module__": module, "__class__": name}

    path = write(edited(state[1], replace), "model.skops")
    line = refused("predict", path, write(to_csv(numbers())))
    assert "model.skops" in line
    assert name in line or "no model" in line


@pytest.mark.parametrize(
    "cut", [lambda data: data[:-100], lambda data: data[:500], lambda data: data[200:]]
)
def test_damaged_files_are_refused(refused, write, state, cut):
    path = write(cut(state[1]), "model.skops")
    assert "model.skops" in refused("predict", path, write(to_csv(numbers())))


def changed(state, **changes):
    return skops.io.dumps({**state[0], **changes})


@pytest.mark.parametrize(
    "model",
    [
        5,
        None,
        "StackingNetRegressor",
        LinearRegression().fit(np.eye(3), [0, 1, 2]),
        LogisticRegression().fit(np.eye(3), [0, 1, 1]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_another_model_is_none_of_ours(refused, write, state, model):
    """skops trusts scikit-learn's, which know neither errors nor holes."""
    path = write(changed(state, model=model), "model.skops")
    line = refused("predict", path, write(to_csv(numbers())))
    assert "model.skops" in line


@pytest.mark.parametrize(
    "changes",
    [
        {"models": None},
        {"models": [1, 2, 3]},
        {"models": ["a", "b"]},
        {"missing": 5},
        {"task": "ranking"},
        {"task": "classification"},
        {"decimal": 5},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_said_about_the_model_is_checked(refused, write, state, changes):
    """Nothing is guessed about a file that somebody else has made."""
    path = write(changed(state, **changes), "model.skops")
    refused("predict", path, write(to_csv(numbers())))


def test_another_version_is_named(refused, write, state):
    """Its parts may be others."""
    other = {key: value for key, value in state[0].items() if key != "numbers"}
    path = write(skops.io.dumps(other | {"stackingnet_sk": "99.0"}), "model.skops")
    assert "99.0" in refused("predict", path, write(to_csv(numbers())))
