"""How unequally errors fall on groups."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm, wasserstein_distance
from scipy.stats import t as student_t
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection.disparity import Estimate, disparity

FIGURES = (
    "error",
    "signed_error",
    "worst_group_error",
    "gap",
    "variation",
    "amplification",
    "gap_difference",
)


def judges(n=300, seed=0):
    """Three groups, of which the last is predicted worse and worse."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], size=n)
    truth = rng.normal(size=n)
    spread = np.where(group == "c", 2.0, 1.0)[:, None]
    table = truth[:, None] + rng.normal(size=(n, 4)) * spread * [0.5, 1, 1, 2]
    return table, truth, group


def voters(n=300, seed=0, silent=0.2):
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], size=n)
    truth = rng.choice(["ham", "spam"], size=n)
    other = np.where(truth == "ham", "spam", "ham")
    wrong = rng.random((n, 5)) < np.where(group == "a", 0.2, 0.4)[:, None]
    votes = np.where(wrong, other[:, None], truth[:, None]).astype(object)
    votes[rng.random((n, 5)) < silent] = None
    return votes, truth, group


def only(found):
    (grouping,) = found.groupings.values()
    return grouping


def values(grouping):
    return {key: getattr(grouping, key).value for key in FIGURES}


def assert_same(one, other):
    for key, value in values(one).items():
        assert_allclose(values(other)[key], value, atol=1e-12, err_msg=key)
    assert_allclose(one.wasserstein, other.wasserstein, atol=1e-12)


def test_numbers_by_hand():
    models = np.array([[2.0, 0.0], [4.0, 2.0], [0.0, 1.0], [1.0, -1.0]])
    y, group = np.zeros(4), ["x", "x", "y", "y"]
    found = disparity([1, 3, 0, -1], y, group, models=models, task="regression")
    assert found.task == "regression"
    assert found.names.tolist() == ["combination", "average", "model_0", "model_1"]
    assert_allclose(found.overall_error, [1.25, 1.125, 1.75, 1.0])
    group = only(found)
    assert group.groups.tolist() == ["x", "y"]
    assert_array_equal(group.n_rows, [2, 2])
    assert_allclose(group.error.value, [[2, 0.5], [2, 0.25], [3, 0.5], [1, 1]])
    assert_allclose(
        group.signed_error.value, [[2, -0.5], [2, 0.25], [3, 0.5], [1, 0.0]]
    )
    assert_allclose(group.worst_group_error.value, [2, 2, 3, 1])
    assert_allclose(group.gap.value, [1.5, 1.75, 2.5, 0])
    assert_allclose(group.variation.value, [0.6, 0.875 / 1.125, 1.25 / 1.75, 0])
    assert_allclose(group.amplification.value, [1, 1.5 / 1.75, 0.6, np.inf])
    assert_allclose(group.gap_difference.value, [0, -0.25, -1, 1.5])
    # From errors (1, 3) to (0, 1) the mass moves by 1 and by 2.
    assert group.wasserstein[0] == pytest.approx(1.5)


def test_classes_by_hand():
    """A silent model misses the row; a tie of the average is half an error."""
    y = [0, 1, 0, 1]
    models = [[0, 0], [0, None], [1, 1], [None, 1]]
    found = disparity([0, 0, 1, 1], y, ["x", "x", "y", "y"], models=models)
    assert found.task == "classification"
    group = only(found)
    assert_allclose(group.error.value, [[0.5, 0.5], [0.5, 0.5], [0.5, 1], [0, 0.5]])
    assert_allclose(
        group.signed_error.value, [[-0.5, 0.5], [-0.5, 0.5], [-0.5, 1], [0, 0.5]]
    )
    tied = disparity([0, 0, 1, 1], y, ["x", "x", "y", "y"], models=[[0, 1]] * 4)
    assert_allclose(only(tied).error.value[1], [0.5, 0.5])
    assert_allclose(only(tied).signed_error.value[1], [0, 0])


def test_signed_error_of_two_classes_is_predicted_minus_true_rate():
    votes, y, group = voters()
    found = only(disparity(y[::-1], y, group, models=votes))
    for g, name in enumerate(found.groups):
        own = group == name
        excess = (y[::-1][own] == "spam").mean() - (y[own] == "spam").mean()
        assert found.signed_error.value[0, g] == pytest.approx(excess)


def test_more_than_two_classes_have_no_direction():
    y = np.repeat(["a", "b", "c"], 10)
    found = only(disparity(y[::-1], y, np.tile(["x", "y"], 15)))
    assert np.isnan(found.signed_error.value).all()
    assert np.isfinite(found.error.value).all()


def test_a_row_without_any_vote_is_a_tie_of_all_classes():
    y = ["a", "b", "c", "a"]
    found = disparity(y, y, ["x", "x", "y", "y"], models=[[None, None]] * 4)
    assert_allclose(found.errors[:, 1], 2 / 3)
    assert np.isnan(found.errors[:, 2:]).all()
    assert np.isnan(only(found).error.value[2:]).all()
    assert np.isnan(only(found).gap.value[2:]).all()
    assert np.isnan(only(found).wasserstein[2:]).all()


@pytest.mark.parametrize("of", [judges, voters])
def test_equal_groups_have_no_gap(of):
    """Every row stands once in each group."""
    table, y, _ = of()
    own = table[:, 0] if of is judges else y[::-1]
    group = np.repeat(["x", "y"], len(y))
    found = only(
        disparity(np.tile(own, 2), np.tile(y, 2), group, models=np.tile(table, (2, 1)))
    )
    for each in (found.gap.value, found.variation.value, found.wasserstein):
        assert_allclose(each, 0, atol=1e-12)
    assert found.p_value == 1


@pytest.mark.parametrize("of", [judges, voters])
def test_neither_the_order_of_rows_nor_the_names_of_groups_matter(of):
    table, y, group = of()
    own = table[:, 0] if of is judges else y[::-1]
    order = np.random.default_rng(1).permutation(len(y))
    renamed = np.char.add("group ", group)
    found = only(disparity(own, y, group, models=table, n_bootstrap=0))
    other = only(
        disparity(
            own[order], y[order], renamed[order], models=table[order], n_bootstrap=0
        )
    )
    assert other.groups.tolist() == [f"group {name}" for name in found.groups]
    assert_same(found, other)


@pytest.mark.parametrize("of", [judges, voters])
def test_an_integer_weight_is_a_repetition(of):
    table, y, group = of()
    own = table[:, 0] if of is judges else y[::-1]
    times = np.random.default_rng(1).integers(0, 4, size=len(y))
    weighted = disparity(own, y, group, models=table, sample_weight=times)
    rows = np.repeat(np.arange(len(y)), times)
    repeated = disparity(own[rows], y[rows], group[rows], models=table[rows])
    assert_same(only(weighted), only(repeated))
    assert_allclose(weighted.overall_error, repeated.overall_error)
    # A row of weight zero is no row; one of weight three is still one.
    assert only(weighted).n_rows.sum() == np.count_nonzero(times)


def test_distance_is_that_of_scipy():
    table, y, group = judges()
    weights = np.random.default_rng(1).random(len(y))
    found = disparity(table[:, 0], y, group, models=table, sample_weight=weights)
    largest = max(
        wasserstein_distance(
            found.errors[group == a, 3],
            found.errors[group == b, 3],
            weights[group == a],
            weights[group == b],
        )
        for a, b in ["ab", "ac", "bc"]
    )
    assert only(found).wasserstein[3] == pytest.approx(largest)


def test_distance_is_at_least_the_gap_and_equals_it_for_classes():
    """A distance of distributions is at least that of their means."""
    table, y, group = judges()
    found = only(disparity(table[:, 0], y, group, models=table, n_bootstrap=0))
    assert (found.wasserstein >= found.gap.value - 1e-12).all()
    votes, y, group = voters()
    found = only(disparity(y[::-1], y, group, models=votes, n_bootstrap=0))
    assert_allclose(found.wasserstein[[0, 2, 3]], found.gap.value[[0, 2, 3]])


def test_intervals_cover_the_truth():
    """The mean absolute error of a normal error of spread s is s sqrt(2 / pi)."""
    rng = np.random.default_rng(0)
    spread = np.repeat([1.0, 2.0, 3.0], 80)
    group = np.repeat(["a", "b", "c"], 80)
    true = np.array([1.0, 2.0, 3.0]) * np.sqrt(2 / np.pi)
    covered = []
    for seed in range(200):
        errors = rng.normal(size=(240, 3)) * spread[:, None]
        models = np.column_stack([errors[:, 0], 2 * errors[:, 1]])
        found = only(
            disparity(
                errors[:, 0],
                np.zeros(240),
                group,
                models=models,
                n_bootstrap=200,
                n_permutations=0,
                random_state=seed,
            )
        )
        gap = true[2] - true[0]
        covered.append(
            [
                *((found.error.low[0] <= true) & (true <= found.error.high[0])),
                found.gap.low[0] <= gap <= found.gap.high[0],
                found.gap_difference.low[3] <= -gap <= found.gap_difference.high[3],
            ]
        )
    assert_allclose(np.mean(covered, axis=0), 0.9, atol=0.07)


def further_out(level, n_rows):
    """Ends of percentile intervals, as far from the middle as Student's t says."""
    tail = norm.cdf(-student_t.ppf((1 + level) / 2, n_rows - 1))
    return [tail, 1 - tail]


def test_intervals_of_the_bootstrap_are_those_of_copied_rows():
    """One row less than a group has, and percentiles further out: a plain bootstrap
    was too short with few rows.
    """
    table, y, group = judges(60)
    found = only(disparity(table[:, 0], y, group, n_bootstrap=4000, random_state=0))
    rng = np.random.default_rng(0)
    errors = [np.abs(table[:, 0] - y)[group == name] for name in found.groups]
    drawn = np.array(
        [[rng.choice(own, len(own) - 1).mean() for own in errors] for _ in range(4000)]
    )
    for g, own in enumerate(errors):
        low, high = np.quantile(drawn[:, g], further_out(0.9, len(own)))
        assert found.error.low[0, g] == pytest.approx(low, rel=0.03)
        assert found.error.high[0, g] == pytest.approx(high, rel=0.03)
    ends = further_out(0.9, min(len(own) for own in errors))
    low, high = np.quantile(np.ptp(drawn, axis=1), ends)
    assert_allclose([found.gap.low[0], found.gap.high[0]], [low, high], rtol=0.05)


@pytest.mark.parametrize(("n_rows", "least"), [(5, 0.85), (50, 0.87)])
def test_intervals_of_small_groups_cover(n_rows, least):
    """Nominal 90 % intervals covered .75 at five rows a group, where those of `compare`
    covered .86: both resample in one way.
    """
    rng = np.random.default_rng(0)
    true = np.array([1.0, 2.0]) * np.sqrt(2 / np.pi)
    group = np.repeat(["a", "b"], n_rows)
    spread = np.repeat([1.0, 2.0], n_rows)
    covered = []
    for seed in range(200):
        found = only(
            disparity(
                rng.normal(size=2 * n_rows) * spread,
                np.zeros(2 * n_rows),
                group,
                n_bootstrap=300,
                n_permutations=0,
                random_state=seed,
            )
        )
        covered.append((found.error.low[0] <= true) & (true <= found.error.high[0]))
    assert least <= np.mean(covered) <= 0.95


def test_missing_numbers():
    """Errors are those of the rows that a model answers, and the average is that of the
    models that answer. A row that no model answers has the combination's error only.
    """
    nan = np.nan
    models = np.array([[2.0, 0.0], [nan, 2.0], [0.0, nan], [nan, nan], [1.0, nan]])
    y, groups = np.zeros(5), ["x", "x", "y", "y", "y"]
    found = disparity(
        [1.0, 3.0, 0.5, -1.0, 0.0], y, groups, models=models, n_bootstrap=50
    )
    expected = [
        [1.0, 1.0, 2.0, 0.0],
        [3.0, 2.0, nan, 2.0],
        [0.5, 0.0, 0.0, nan],
        [1.0, nan, nan, nan],
        [0.0, 1.0, 1.0, nan],
    ]
    assert_allclose(found.errors, expected)
    grouping = only(found)
    assert_allclose(grouping.error.value, [[2, 0.5], [1.5, 0.5], [2, 0.5], [1, np.nan]])
    assert_allclose(found.overall_error, [1.1, 1, 1, 1])
    assert np.isnan(grouping.gap.value[3])
    assert np.isnan(grouping.error.low[3, 1])


def test_models_that_answer_little_have_intervals():
    """Resamples without any of their rows don't tell, and the others do; the fewer rows
    a model answers, the wider.
    """
    table, y, group = judges(60)
    few = np.concatenate([np.flatnonzero(group == name)[:3] for name in "abc"])
    some = np.full(60, np.nan)
    some[few] = table[few, 1]
    models = np.column_stack([table[:, 1], some])
    found = only(disparity(table[:, 0], y, group, models=models, random_state=0))
    for figure in FIGURES:
        low, value, high = (
            getattr(getattr(found, figure), key)[2:] for key in ("low", "value", "high")
        )
        assert np.isfinite([low, high]).all()
        assert ((low <= value) & (value <= high)).all()
    # By the spread of the errors that are there, not of all.
    width = found.error.high - found.error.low
    assert np.median(width[3] / width[2]) > 1


def test_a_regressor_with_missing_predictions_is_asked_for_its_models():
    table, y, group = judges()
    table[np.random.default_rng(1).random(table.shape) < 0.5] = np.nan
    model = StackingNetRegressor().fit(table[:100], y[:100])
    rest = slice(100, None)
    found = disparity(model, y[rest], group[rest], X=table[rest])
    own = model.predict(table[rest])
    other = disparity(own, y[rest], group[rest], models=table[rest])
    assert_same(only(found), only(other))
    answered = ~np.isnan(table[rest])
    assert_array_equal(~np.isnan(found.errors[:, 2:]), answered)
    nobody = ~answered.any(axis=1)
    assert nobody.any()
    assert_array_equal(np.isnan(found.errors[:, 1]), nobody)
    average = np.nanmean(table[rest][~nobody], axis=1)
    assert_allclose(found.errors[~nobody, 1], np.abs(average - y[rest][~nobody]))


def test_the_same_seed_gives_the_same_bits():
    table, y, group = judges()
    one, two, three = (
        only(disparity(table[:, 0], y, group, models=table, random_state=seed))
        for seed in (0, 0, 1)
    )
    for key in FIGURES:
        assert_array_equal(getattr(one, key), getattr(two, key))
    assert one.gap_by_chance == two.gap_by_chance
    assert one.gap.low[0] != three.gap.low[0]


def test_blocks_of_resamples_change_nothing(monkeypatch):
    table, y, group = judges()
    one = disparity(table[:, 0], y, group, random_state=0, n_bootstrap=20)
    monkeypatch.setattr("stackingnet_sk.inspection.resampling._ELEMENTS", 250)
    two = disparity(table[:, 0], y, group, random_state=0, n_bootstrap=20)
    assert_allclose(only(one).gap, only(two).gap, rtol=1e-12)


def test_chance_tells_a_real_gap_from_noise():
    """Under no disparity a p-value is below 0.1 in a tenth of the cases at most."""
    rng = np.random.default_rng(0)
    p_values, gaps, expected = [], [], []
    for seed in range(100):
        errors = rng.exponential(size=90)
        found = only(
            disparity(
                errors,
                np.zeros(90),
                np.repeat(["a", "b", "c"], 30),
                n_bootstrap=0,
                n_permutations=99,
                random_state=seed,
            )
        )
        p_values.append(found.p_value)
        gaps.append(found.gap.value[0])
        expected.append(found.gap_by_chance)
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.08)
    assert np.mean(gaps) == pytest.approx(np.mean(expected), rel=0.15)
    table, y, group = judges()
    assert only(disparity(table[:, 0], y, group, random_state=0)).p_value < 0.01


def test_without_draws_there_are_no_intervals():
    table, y, group = judges()
    found = only(disparity(table[:, 0], y, group, n_bootstrap=0, n_permutations=0))
    assert np.isnan(found.error.low).all()
    assert np.isnan(found.gap_by_chance)
    assert np.isnan(found.p_value)


def test_columns_are_crossed():
    table, y, group = judges()
    age = np.where(np.arange(len(y)) % 2, "old", "young")
    home = np.where(np.arange(len(y)) % 3, "town", "village")
    features = {"group": group, "age": age, "home": home}
    found = disparity(table[:, 0], y, features, n_bootstrap=0)
    crossings = ["group x age", "group x home", "age x home"]
    assert list(found.groupings) == ["group", "age", "home", *crossings]
    crossed = found.groupings["group x age"]
    assert "a x old" in crossed.groups
    both = np.char.add(np.char.add(group, " x "), age)
    assert_same(crossed, only(disparity(table[:, 0], y, both, n_bootstrap=0)))
    alone = disparity(table[:, 0], y, features, crossings=False, n_bootstrap=0)
    assert list(alone.groupings) == ["group", "age", "home"]


def test_groups_come_as_arrays_frames_series_and_dicts():
    table, y, group = judges()
    age = np.arange(len(y)) % 2
    frame = pd.DataFrame({"group": group, "age": age}, index=np.arange(len(y)) + 7)
    expected = list(disparity(table[:, 0], y, frame).groupings.values())
    for features, names in (
        (dict(frame), ["group", "age"]),
        (frame.to_numpy(), ["group_0", "group_1"]),
        (frame.to_numpy().tolist(), ["group_0", "group_1"]),
        (frame.astype("category"), ["group", "age"]),
    ):
        found = disparity(table[:, 0], y, features)
        assert list(found.groupings)[:2] == names
        for one, other in zip(found.groupings.values(), expected, strict=True):
            assert_same(one, other)
    assert list(disparity(table[:, 0], y, frame["age"]).groupings) == ["age"]
    assert list(disparity(table[:, 0], y, list(group)).groupings) == ["group"]


def test_spaces_around_a_group_do_not_make_another():
    """As in tables that people typed."""
    found = only(disparity(np.ones(4), np.zeros(4), ["F", "F ", "M", " M"]))
    assert found.groups.tolist() == ["F", "M"]


def test_small_groups_are_marked():
    table, y, group = judges(100)
    sizes = [np.count_nonzero(group == name) for name in "abc"]
    found = only(disparity(table[:, 0], y, group, min_group_size=max(sizes)))
    assert_array_equal(found.n_rows, sizes)
    assert_array_equal(found.small, np.array(sizes) < max(sizes))


@pytest.mark.parametrize("missing", [np.nan, None])
def test_rows_without_a_label_are_left_out(missing):
    table, y, group = judges()
    known = np.arange(len(y)) % 3 > 0
    some = np.where(known, y, missing)
    found = disparity(table[:, 0], some, group, models=table)
    other = disparity(table[known, 0], y[known], group[known], models=table[known])
    assert_same(only(found), only(other))
    assert len(found.labels) == known.sum()
    votes, y, group = voters()
    some = np.where(known, y, None)
    found = disparity(y[::-1], some, group, models=votes)
    other = disparity(y[::-1][known], y[known], group[known], models=votes[known])
    assert_same(only(found), only(other))


def test_a_regressor_is_asked_for_its_models():
    table, y, group = judges()
    frame = pd.DataFrame(table, columns=list("wxyz"))
    model = StackingNetRegressor().fit(frame[:100], y[:100])
    rest = slice(100, None)
    found = disparity(model, y[rest], group[rest], X=frame[rest])
    own = model.predict(frame[rest])
    other = disparity(own, y[rest], group[rest], models=frame[rest])
    assert found.names.tolist() == ["combination", "average", *"wxyz"]
    assert_array_equal(found.names, other.names)
    assert_same(only(found), only(other))


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_a_classifier_is_asked_for_its_models(structure):
    votes, y, group = voters()
    model = StackingNetClassifier(structure=structure).fit(votes[:100], y[:100])
    rest = slice(100, None)
    found = disparity(model, y[rest], group[rest], X=votes[rest])
    own = model.predict(votes[rest])
    other = disparity(own, y[rest], group[rest], models=votes[rest])
    assert found.task == "classification"
    assert_array_equal(found.predictions, own)
    assert_array_equal(found.labels, y[rest])
    assert_same(only(found), only(other))


def test_whole_numbers_are_what_the_caller_says():
    rng = np.random.default_rng(0)
    y, own = rng.integers(1, 6, size=(2, 100))
    group = np.tile(["a", "b"], 50)
    with pytest.raises(ValueError, match="whole numbers can be ratings or classes"):
        disparity(own, y, group)
    numbers = disparity(own, y, group, task="regression")
    classes = disparity(own, y, group, task="classification")
    assert numbers.overall_error[0] == pytest.approx(np.abs(own - y).mean())
    assert classes.overall_error[0] == pytest.approx((own != y).mean())
    # Of zero and one the two are the same.
    own, y = own % 2, y % 2
    numbers = disparity(own, y, group, task="regression", random_state=0)
    assert_same(only(numbers), only(disparity(own, y, group, random_state=0)))


def test_frame_lists_every_estimate(monkeypatch):
    table, y, group = judges()
    found = disparity(table[:, 0], y, group, models=table, random_state=0)
    frame = found.to_frame()
    assert len(frame) == 2 * 6 * 3 + 5 * 6
    row = frame.query("model == 'model_3' and figure == 'error' and group == 'c'")
    grouping = only(found)
    assert row["value"].item() == grouping.error.value[5, 2]
    assert row["high"].item() == grouping.error.high[5, 2]
    row = frame.query("model == 'average' and figure == 'gap_difference'")
    assert row["low"].item() == grouping.gap_difference.low[1]
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert found.to_frame()[0]["figure"] == "error"
    assert found.to_frame()[-1]["group"] is None


def test_it_prints_a_line_a_group_and_marks_small_ones():
    table, y, group = judges(100)
    found = disparity(table[:, 0], y, group, models=table, min_group_size=35)
    lines = str(found).splitlines()
    assert len(lines) == 1 + 3 + 2 + 1
    for line, size in zip(lines[1:4], only(found).n_rows, strict=True):
        assert f"({size}{'*' * int(size < 35)})" in line


def test_metric_frame_of_fairlearn():
    pytest.importorskip("fairlearn.metrics")
    table, y, group = judges()
    weights = np.random.default_rng(1).random(len(y))
    votes, labels, two = voters()
    for found in (
        disparity(table[:, 0], y, group, sample_weight=weights),
        disparity(labels[::-1], labels, two, models=votes),
    ):
        frame = found.metric_frame("group")
        assert_allclose(frame.by_group["error"], only(found).error.value[0])
        assert_allclose(frame.overall["error"], found.overall_error[0])
        assert_allclose(frame.difference()["error"], only(found).gap.value[0])


def test_metric_frame_needs_fairlearn(monkeypatch):
    monkeypatch.setitem(sys.modules, "fairlearn", None)
    monkeypatch.setitem(sys.modules, "fairlearn.metrics", None)
    table, y, group = judges()
    with pytest.raises(ImportError, match="pip install fairlearn"):
        disparity(table[:, 0], y, group).metric_frame("group")


def test_inputs_are_left_alone():
    table, y, group = judges()
    given = [table.copy(), y.copy(), group.copy()]
    disparity(table[:, 0], y, group, models=table)
    for now, before in zip([table, y, group], given, strict=True):
        assert_array_equal(now, before)


def test_a_perfect_combination():
    """Equal errors of zero vary by nothing, and amplify nothing."""
    _, y, group = judges()
    found = only(disparity(y, y, group, models=np.column_stack([y, y + 1])))
    assert found.variation.value[0] == 0
    assert np.isnan(found.amplification.value[0])
    assert isinstance(found.gap, Estimate)


def test_bad_groups():
    table, y, group = judges()
    own = table[:, 0]
    for missing in (np.nan, None, pd.NA, "", " "):
        features = group.astype(object)
        features[5] = missing
        with pytest.raises(ValueError, match=r"'race' has no group at row 5 \(1 in al"):
            disparity(own, y, {"race": features})
    lonely = np.where(np.arange(len(y)) == 5, "z", group)
    with pytest.raises(ValueError, match=r"Group 'z' of 'race' has 1 lab.*merge it"):
        disparity(own, y, {"race": lonely})
    with pytest.raises(ValueError, match="Group 'c' of 'group' has 0 labelled rows"):
        disparity(own, np.where(group == "c", np.nan, y), group)
    crossed = {"g": group, "h": np.where(np.arange(len(y)) < 3, "few", "many")}
    with pytest.raises(ValueError, match=r"of 'g x h' has . labelled.*crossings=False"):
        disparity(own, y, crossed)
    disparity(own, y, crossed, crossings=False)
    with pytest.raises(ValueError, match="'group' has one group only"):
        disparity(own, y, ["a"] * len(y))
    with pytest.raises(ValueError, match=r"'race' has shape \(299,\), y \(300,\)"):
        disparity(own, y, {"race": group[1:]})
    twice = pd.DataFrame(np.column_stack([group, group]), columns=["g", "g"])
    with pytest.raises(ValueError, match="Column names are not unique"):
        disparity(own, y, twice)


def test_bad_labels_and_predictions():
    table, y, group = judges()
    own = table[:, 0]
    with pytest.raises(ValueError, match="1d array"):
        disparity(own, None, group)
    with pytest.raises(ValueError, match="label at least one row"):
        disparity(own, np.full(len(y), np.nan), group)
    _, labels, two = voters()
    with pytest.raises(ValueError, match="No row of y has a label"):
        disparity(labels, [None] * len(y), two)
    with pytest.raises(ValueError, match=r"'combination' \(column 0\), first at row 3"):
        disparity(np.where(np.arange(len(y)) == 3, np.nan, own), y, group)
    with pytest.raises(ValueError, match="No prediction at row 3"):
        disparity(np.where(np.arange(len(y)) == 3, None, labels), labels, two)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        disparity(own[1:], y, group)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        disparity(own, y, group, models=table[1:])
    with pytest.raises(ValueError, match="at least two models"):
        disparity(own, y, group, models=table[:, :1])
    with pytest.raises(ValueError, match="all texts or all numbers"):
        disparity(np.ones(len(y), dtype=int), labels, two)
    with pytest.raises(ValueError, match="task='ranking'"):
        disparity(own, y, group, task="ranking")
    with pytest.raises(ValueError, match="sample_weight is negative"):
        disparity(own, y, group, sample_weight=-np.ones(len(y)))
    with pytest.raises(ValueError, match="between 0 and 1"):
        disparity(own, y, group, confidence_level=1.5)
    with pytest.raises(ValueError, match="must not be negative"):
        disparity(own, y, group, n_permutations=-1)


def test_bad_estimators():
    table, y, group = judges()
    model = StackingNetRegressor().fit(table, y)
    with pytest.raises(NotFittedError):
        disparity(clone(model), y, group, X=table)
    with pytest.raises(TypeError, match="LinearRegression is no StackingNet"):
        disparity(LinearRegression().fit(table, y), y, group, X=table)
    with pytest.raises(ValueError, match="Give X= with an estimator"):
        disparity(model, y, group)
    with pytest.raises(ValueError, match="or models= with predictions"):
        disparity(table[:, 0], y, group, X=table)
    with pytest.raises(ValueError, match="Give X= with an estimator"):
        disparity(model, y, group, X=table, models=table)
    with pytest.raises(ValueError, match="y=None, but labels are needed"):
        disparity(model, None, group, X=table)
    alone = StackingNetRegressor().fit(table[:, :1], y)
    with pytest.raises(ValueError, match="comparing takes at least two"):
        disparity(alone, y, group, X=table[:, :1])
