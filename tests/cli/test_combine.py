"""What the command answers is what the Python API answers on the same table."""

import calling
import numpy as np
import pytest
from example_tables import column, from_csv, numbers, to_array, to_csv, votes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.inspection import prune, rank_models

command, write = calling.command, calling.write

NAMES = ["a", "b", "c"]
# Arrays are laid out by rows and tables by columns, so that sums may round otherwise.
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture
def call(command, write):
    def combine(rows, *options, verb="combine"):
        answer = command(verb, write(to_csv(rows)), *options)
        assert answer.status == 0, answer.err
        return answer

    return combine


def floats(cells):
    return np.array([float(cell or "nan") for cell in cells])


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("n_labelled", [0, 5, 30, 60])
@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine", "uniform"])
def test_numbers(call, missing, n_labelled, constraint):
    rows = numbers(missing=missing, n_labelled=n_labelled)
    answer = call(rows, "--constraint", constraint)
    P, y = to_array(rows, number=True)
    model = StackingNetRegressor(constraint=constraint).fit(
        P, y if n_labelled else None
    )
    assert_allclose(floats(column(answer.out, "combined")), model.predict(P), **CLOSE)
    error = model.expected_error(P) ** 0.5
    assert_allclose(floats(column(answer.out, "combined_error")), error, **CLOSE)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("n_labelled", [0, 12, 60])
@pytest.mark.parametrize("balanced", [False, True])
def test_votes(call, missing, n_labelled, balanced):
    rows = votes(missing=missing, n_labelled=n_labelled)
    answer = call(rows, *["--balanced"] * balanced)
    P, y = to_array(rows, number=False)
    weight = "balanced" if balanced else None
    model = StackingNetClassifier(class_weight=weight).fit(P, y if n_labelled else None)
    assert column(answer.out, "combined") == model.predict(P).tolist()
    sure = model.predict_proba(P).max(axis=1)
    assert_allclose(floats(column(answer.out, "combined_probability")), sure, **CLOSE)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, None), (None, 0.5)])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_range_clips_answers(call, missing, low, high):
    rows = numbers(missing=missing)
    options = [
        f"--{side}={end}"
        for side, end in (("low", low), ("high", high))
        if end is not None
    ]
    answer = call(rows, *options)
    P, y = to_array(rows, number=True)
    clipped = np.clip(P, low, high)
    model = StackingNetRegressor().fit(clipped, y)
    found = floats(column(answer.out, "combined"))
    assert_allclose(found, model.predict(clipped), **CLOSE)
    if low is not None and high is not None:
        pipeline = make_pipeline(PredictionClipper(low, high), StackingNetRegressor())
        assert_allclose(found, pipeline.fit(P, y).predict(P), **CLOSE)


def test_classes_can_be_named(call):
    """Where labels do not show all of them."""
    rows = votes()
    few = [[*row[:3], row[3] if row[3] != "cat" else ""] for row in rows]
    options = [option for name in ("ant", "bee", "cat") for option in ("--class", name)]
    answer = call(few, *options)
    P, y = to_array(few, number=False)
    model = StackingNetClassifier(classes=["ant", "bee", "cat"]).fit(P, y)
    assert column(answer.out, "combined") == model.predict(P).tolist()
    assert "cat" in column(answer.out, "combined")


def panel(n_classes=3, n=50):
    """Three models' votes and the truth, as numbers of classes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(n_classes, size=n)
    guess = rng.integers(n_classes, size=(n, 3))
    return np.where(rng.random((n, 3)) < 0.75, truth[:, None], guess), truth


@pytest.mark.parametrize("form", ["{}", "{}.0"])
def test_classes_that_are_whole_numbers(call, form):
    """However the votes are written, the answer is as a label is."""
    table, truth = panel()
    rows = [
        [*map(form.format, row), str(label)]
        for row, label in zip(table, truth, strict=True)
    ]
    model = StackingNetClassifier().fit(table, truth)
    assert (
        column(call(rows).out, "combined") == model.predict(table).astype(str).tolist()
    )


@pytest.mark.parametrize(
    "codes",
    [
        ["007", "042"],
        ["02139", "10001"],
        ["9007199254740993", "9007199254740995"],
    ],
)
def test_codes_stay_what_they_are(call, codes):
    """Numbers that name something: no zero is lost, no digit rounded."""
    rows = np.array(codes)[np.c_[panel(2)]].tolist()
    answer = call(rows, "--task", "classification")
    assert set(column(answer.out, "combined")) == set(codes)


def test_rows_without_labels_help_and_are_answered(call):
    """An empty label is no label, and no class either."""
    rows = votes(n_labelled=6)
    answer = call(rows, "--json")
    assert answer.json["n_labelled"] == 6
    assert answer.json["n_items"] == len(answer.json["combined"]) == 60
    labelled = [row for row in rows if row[3]]
    alone = call(labelled, "--json")
    weights = [
        [row["weight"] for row in found.json["models"]] for found in (answer, alone)
    ]
    assert not np.allclose(*weights), "the test would show nothing"


@pytest.mark.parametrize("source", [numbers, votes])
@pytest.mark.parametrize("options", [[], ["--no-label"]], ids=["empty", "none"])
def test_no_labels_at_all(call, source, options):
    """Said aloud; the same whether the column is empty or not there."""
    rows = source(n_labelled=0)
    answer = call(rows, *options)
    assert "No item has a label" in answer.err
    P = to_array(rows, number=source is numbers)[0]
    estimator = StackingNetRegressor if source is numbers else StackingNetClassifier
    model = estimator().fit(P)
    found = column(answer.out, "combined")
    if source is numbers:
        assert_allclose(floats(found), model.predict(P), **CLOSE)
        assert set(column(answer.out, "combined_error")) == {""}, "nobody knows"
    else:
        assert found == model.predict(P).tolist()


# ------------------------------------------------------------------- rank and prune


@pytest.mark.parametrize("source", [numbers, votes])
@pytest.mark.parametrize("n_labelled", [0, 30])
def test_rank(call, source, n_labelled):
    rows = source(n_labelled=n_labelled)
    answer = call(rows, "--json", "--seed", "3", verb="rank")
    P, y = to_array(rows, number=source is numbers)
    y = y if n_labelled else None
    estimator = StackingNetRegressor if source is numbers else StackingNetClassifier
    ranking = rank_models(estimator().fit(P, y), P, y, random_state=3)
    found = answer.json["models"]
    order = [NAMES[int(str(name).rpartition("_")[2])] for name in ranking.model_names]
    assert [row["model"] for row in found] == order
    for name in ("reliability", "low", "high", "rank_low", "rank_high", "weight"):
        assert_allclose([row[name] for row in found], getattr(ranking, name), **CLOSE)
    shown = call(rows, "--seed", "3", verb="rank").text
    assert [line.split()[0] for line in shown.splitlines()[1:4]] == order


def test_rank_of_numbers_with_holes(call):
    """On all items, also where no item is answered by all models."""
    rows = numbers(missing=0.2)
    sparse = [
        [cell if n % 4 == m else "" for m, cell in enumerate(row[:3])] + row[3:]
        for n, row in enumerate(rows)
    ]
    for table in (rows, sparse):
        answer = call(table, "--json", verb="rank")
        assert sorted(row["model"] for row in answer.json["models"]) == NAMES
        for row in answer.json["models"]:
            cells = [line[NAMES.index(row["model"])] for line in table]
            assert row["answered"] == pytest.approx(sum(map(bool, cells)) / 60)
    assert "interval" in call(rows, verb="rank").text


@pytest.mark.parametrize("source", [numbers, votes])
def test_prune(call, source):
    rows = source()
    answer = call(rows, "--json", verb="prune")
    P, y = to_array(rows, number=source is numbers)
    estimator = StackingNetRegressor if source is numbers else StackingNetClassifier
    path = prune(estimator().fit(P, y))
    found = answer.json
    assert sorted(found["keep"] + found["drop"]) == NAMES
    assert len(found["drop"]) == path.n_best
    assert_allclose([step["error"] for step in found["path"]], path.error, **CLOSE)
    assert [step["n_models"] for step in found["path"]] == [3, 2, 1]
    shown = call(rows, verb="prune").text
    assert f"Keep {', '.join(found['keep'])}." in shown
    assert f"Drop {', '.join(found['drop']) or 'none'}." in shown


# ----------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("verb", ["combine", "rank", "prune"])
@pytest.mark.parametrize("source", [numbers, votes])
def test_json_is_all_there_is_on_standard_output(call, verb, source):
    """`json` in the harness refuses NaN and Infinity too."""
    answer = call(source(missing=0.1), "--json", verb=verb)
    assert isinstance(answer.json, dict)
    assert answer.json["guesses"]


def test_what_is_not_known_is_null(call):
    found = call(numbers(n_labelled=0), "--json").json
    assert found["combined_error"] == [None] * 60
    assert {row["rmse"] for row in found["models"]} == {None}
    # One label leaves no degree of freedom for an error.
    assert call(numbers(n_labelled=1), "--json").json["combined_error"] == [None] * 60


def test_an_error_that_nobody_knows_is_an_empty_cell(call):
    """As of no label: infinity is no number in a spreadsheet."""
    answer = call(numbers(n_labelled=1))
    assert set(column(answer.out, "combined_error")) == {""}


def test_json_beside_a_file(call, command, write, tmp_path):
    out = tmp_path / "out.csv"
    answer = command("combine", write(to_csv(votes())), "--json", "--out", out)
    assert answer.json["out"] == str(out)
    assert "combined" not in answer.json
    assert (
        column(out.read_bytes(), "combined") == call(votes(), "--json").json["combined"]
    )


@pytest.mark.parametrize("name", ["task", "models", "guesses", "certificate"])
def test_no_name_of_the_new_column_hides_a_key(command, write, name):
    plain = command("combine", write(to_csv(votes())), "--json").json
    answer = command("combine", write(to_csv(votes())), "--json", "--name", name)
    if answer.status == 0:
        assert {key: answer.json[key] for key in ("task", "models")} == {
            key: plain[key] for key in ("task", "models")
        }
    else:
        assert answer.status == 2
        assert "--name" in answer.errors[0]


def test_the_certificate_is_shown(call, command, write, tmp_path):
    found = call(numbers(), "--json").json["certificate"]
    assert found["status"] == "optimal"
    assert found["gap"] < 1e-9
    shown = command(
        "combine", write(to_csv(numbers())), "--out", tmp_path / "o.csv"
    ).text
    assert "Certificate: optimal" in shown
    assert "60 items, 30 labelled." in shown
    assert "60 combined answers in" in shown


def test_another_name_of_the_column(call):
    heads, _ = from_csv(call(votes(), "--name", "crowd").out)
    assert heads == ["a", "b", "c", "label", "crowd", "crowd_probability"]


def test_the_order_of_models_is_not_part_of_the_answer(call):
    """Up to rounding of sums in another order."""
    rows = numbers(missing=0.1)
    turned = [[row[2], row[0], row[1], row[3]] for row in rows]
    one, other = (
        floats(column(call(table).out, "combined")) for table in (rows, turned)
    )
    assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    rows = votes(missing=0.1)
    turned = [[row[2], row[0], row[1], row[3]] for row in rows]
    one, other = (column(call(table).out, "combined") for table in (rows, turned))
    assert_array_equal(one, other)
