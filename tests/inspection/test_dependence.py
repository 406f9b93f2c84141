"""Which models err together, and how many independent ones they amount to."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import leaves_list
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import adjusted_rand_score

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.evidence import PairSums, VoteCounts, error_correlation
from stackingnet_sk.inspection.dependence import dependence, effective_models
from stackingnet_sk.theory import effective_number
from stackingnet_sk.weights import dawid_skene

# The package's index has the function by this name.
MODULE = sys.modules[dependence.__module__]

PLANTED = np.array([0, 0, 0, 1, 1, 2, 3, 4, 5, 6])
SINGLES = np.arange(10)


def numbers(seed, n, families=PLANTED, within=0.7, spread=1.0):
    """Predictions whose errors correlate by `within` in families of two or more."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    several = np.bincount(families)[families] > 1
    shared = np.sqrt(within * several) * rng.normal(size=(n, 10))[:, families]
    own = np.sqrt(1 - within * several) * rng.normal(size=(n, len(families)))
    return truth[:, None] + spread * (shared + own), truth


def incomplete(seed, n, families=PLANTED, missing=0.3, **options):
    """Numbers of which some are missing."""
    table, truth = numbers(seed, n, families, **options)
    table[np.random.default_rng(seed + 1).random(table.shape) < missing] = np.nan
    return table, truth


def votes(seed, n, families=PLANTED, within=0.64, n_classes=3, silent=0.1):
    """Votes that are wrong in 30 %, in families mostly on the same rows."""
    rng = np.random.default_rng(seed)
    shape = n, len(families)
    truth = rng.integers(n_classes, size=n)
    several = np.bincount(families)[families] > 1
    follows = (rng.random(shape) < np.sqrt(within)) & several
    common, own = rng.random((n, 10))[:, families], rng.random(shape)
    wrong = np.where(follows, common, own) < 0.3
    other = (truth[:, None] + rng.integers(1, n_classes, shape)) % n_classes
    table = np.where(wrong, other, truth[:, None]).astype(object)
    table[rng.random(shape) < silent] = None
    return table, truth


def regressor(table, truth):
    return StackingNetRegressor(constraint="uniform").fit(table, truth)


def classifier(table, truth):
    return StackingNetClassifier().fit(table, truth)


def ends(found):
    return [found.effective.number, found.effective.low, found.effective.high]


def planted_number(families, within):
    same = np.equal.outer(families, families)[np.triu_indices(len(families), 1)]
    return effective_number(len(families), within * same.mean())


def test_of_numbers_it_is_the_correlation_of_errors():
    table, truth = numbers(0, 80)
    found = dependence(regressor(table, truth), table, truth)
    expected = np.corrcoef((table - truth[:, None]).T)
    assert_allclose(found.correlation, expected, atol=1e-12)
    mean = expected[np.triu_indices(10, 1)].mean()
    assert found.effective.number == pytest.approx(effective_number(10, mean))
    assert found.labelled
    assert found.n_rows == 80


@pytest.mark.parametrize("labelled", [True, False])
def test_of_classes_it_is_that_of_being_right_within_them(labelled):
    table, truth = votes(0, 600)
    table = np.where(table == None, 0, table).astype(int)  # noqa: E711
    found = dependence(classifier(table, truth), table, truth if labelled else None)
    labels = truth if labelled else np.full(600, -1)
    counts = VoteCounts.from_rows(table, labels, 3)
    mass = counts.labelled
    if not labelled:
        mass = dawid_skene(counts).posterior * counts.unlabelled[:, None]
    for common in (False, True):
        # Nothing is missing, so the two ways of centring agree.
        sums = PairSums.from_counts(counts, mass, centred_on_common_rows=common)
        assert_allclose(found.correlation, error_correlation(sums), atol=1e-12)


def test_only_rows_that_both_answer_count():
    """Two models who both answer what is hard, and each an easy half of the rest, are
    right together more often than the one by the other's overall rate.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=3000)
    chance = np.where(np.arange(3000) < 1000, 0.6, 0.97)[:, None]
    table = np.where(rng.random((3000, 3)) < chance, truth[:, None], 1 - truth[:, None])
    table = table.astype(object)
    table[1000:2000, 0] = table[2000:, 1] = None
    found = dependence(classifier(table, truth), table, truth).correlation[0, 1]
    right = (table[:1000, :2] == truth[:1000, None]).astype(float)
    for k in range(2):
        right[truth[:1000] == k] -= right[truth[:1000] == k].mean(axis=0)
    assert found == pytest.approx(np.corrcoef(right, rowvar=False)[0, 1], rel=1e-9)
    assert abs(found) < 0.1


def test_of_missing_numbers_only_rows_that_both_answer_count():
    """Each pair has the plain correlation of its own rows. What is missing elsewhere,
    and how large it is, does not reach pairs of models that always answer.
    """
    table, truth = incomplete(0, 80)
    table[:, :2] = numbers(0, 80)[0][:, :2]
    found = dependence(regressor(table, truth), table, truth)
    errors = pd.DataFrame(table - truth[:, None])
    assert_allclose(found.correlation, errors.corr(min_periods=4), atol=1e-12)
    assert found.n_rows == 80

    table[:, 2:] *= 1e6
    again = dependence(regressor(table, truth), table, truth)
    both = np.ix_([0, 1], [0, 1])
    assert_allclose(again.correlation[both], found.correlation[both], atol=1e-12)


def test_without_labels_the_factor_is_fitted_to_pairs_that_meet():
    """Two models that answer no common row say nothing of each other: what the others
    owe to the truth is as if this pair were not there, not as if it did not correlate.
    """
    table, truth = numbers(0, 4000, SINGLES[:6])
    # On all predictions: a fit to those left would rightly warn that nothing
    # determines the covariance of the two.
    model = regressor(table.copy(), truth)
    table[:2000, 0] = table[2000:, 1] = np.nan
    found = dependence(model, table).correlation
    assert np.isnan(found[0, 1])
    known = found[~np.isnan(found) & ~np.eye(6, dtype=bool)]
    assert_allclose(known, 0, atol=0.12)
    assert known.mean() == pytest.approx(0, abs=0.02)


def test_one_class_being_difficult_is_no_dependence():
    """Being right correlates over the classes, though within each it does not."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=4000)
    right = rng.random((4000, 6)) < np.where(truth, 0.95, 0.55)[:, None]
    table = np.where(right, truth[:, None], 1 - truth[:, None])
    assert np.corrcoef(right.T)[0, 1] > 0.15
    found = dependence(classifier(table, truth), table, truth)
    assert found.effective.number == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize(("fit", "panel"), [(regressor, numbers), (classifier, votes)])
def test_independent_models_count_fully_and_copies_as_one(fit, panel):
    table, truth = panel(0, 3000, SINGLES)
    alone = effective_models(fit(table, truth), table, truth)
    assert alone.number == pytest.approx(10, rel=0.05)
    copies = np.repeat(table[:, :1], 4, axis=1)
    found = dependence(fit(copies, truth), copies, truth)
    assert_allclose(ends(found), 1.0, atol=1e-9)
    assert_array_equal(found.families, 0)


def test_errors_that_cancel_count_for_more():
    """By result 2: the average of two opposite errors has none."""
    table, truth = numbers(0, 50, SINGLES[:2])
    table[:, 1] = 2 * truth - table[:, 0]
    assert effective_models(regressor(table, truth), table, truth).number > 1e9


def test_bias_and_units_do_not_matter():
    """Errors are centred, and a correlation has no unit."""
    table, truth = numbers(0, 60)
    plain = dependence(regressor(table, truth), table, truth).correlation
    moved = table + np.arange(10)
    found = dependence(regressor(moved, truth), moved, truth)
    assert_allclose(found.correlation, plain, atol=1e-12)
    for unit in (1e-160, 1e160):
        small = dependence(regressor(table, truth), table * unit, truth * unit)
        assert_allclose(small.correlation, plain, atol=1e-9)


@pytest.mark.parametrize(("fit", "panel"), [(regressor, numbers), (classifier, votes)])
@pytest.mark.parametrize("labelled", [True, False])
def test_the_order_of_the_models_does_not_matter(fit, panel, labelled):
    table, truth = panel(2, 400)
    order = np.random.default_rng(0).permutation(10)
    y = truth if labelled else None
    found = dependence(fit(table, truth), table, y)
    moved = dependence(fit(table[:, order], truth), table[:, order], y)
    expected = found.correlation[np.ix_(order, order)]
    assert_allclose(moved.correlation, expected, atol=1e-6)
    assert adjusted_rand_score(moved.families, found.families[order]) == 1
    assert_allclose(ends(moved), ends(found), rtol=1e-6)


@pytest.mark.parametrize(
    ("fit", "panel"),
    [(regressor, numbers), (regressor, incomplete), (classifier, votes)],
)
@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("families", [PLANTED, SINGLES])
def test_planted_families_are_found_and_no_others(fit, panel, labelled, families):
    table, truth = panel(3, 1500, families)
    found = dependence(fit(table, truth), table, truth if labelled else None)
    assert_array_equal(found.families, families)
    assert_array_equal(found.order, leaves_list(found.linkage))


@pytest.mark.parametrize(
    ("panel", "n", "labelled"),
    [
        (numbers, 15, True),
        (numbers, 15, False),
        (incomplete, 30, True),
        (incomplete, 60, False),
    ],
)
def test_few_rows_make_no_families_of_chance(panel, n, labelled):
    """The largest of 45 correlations of 15 rows is beyond 0.5 nearly always. Where 0.3
    of the numbers are missing, two models answer half of the rows. Without labels it
    takes some more, for the pairs that a factor is fitted to are of different rows.
    """
    single = 0
    for seed in range(40):
        table, truth = panel(seed, n, SINGLES)
        y = truth if labelled else None
        found = dependence(regressor(table, truth), table, y)
        single += len(set(found.families)) == 10
    assert single >= 36


def test_the_threshold_cuts_the_tree():
    table, truth = numbers(0, 500)
    model = regressor(table, truth)
    assert len(set(dependence(model, table, truth, threshold=0.95).families)) == 10
    assert len(set(dependence(model, table, truth, threshold=0.01).families)) < 7


@pytest.mark.parametrize("panel", [numbers, incomplete])
@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_without_labels_it_is_the_truth_if_families_err_independently(panel, spread):
    """Then predictions have one factor in common between families, the truth."""
    found, number = [], []
    for seed in range(40):
        table, truth = panel(seed, 500, spread=spread)
        each = dependence(regressor(table, truth), table)
        found.append(each.correlation)
        number.append(each.effective.number)
    expected = 0.7 * np.equal.outer(PLANTED, PLANTED)
    expected[SINGLES, SINGLES] = 1.0
    expected[SINGLES[5:], SINGLES[5:]] = 1.0
    assert_allclose(np.mean(found, axis=0), expected, atol=0.03)
    assert np.mean(number) == pytest.approx(planted_number(PLANTED, 0.7), rel=0.02)


def test_without_labels_models_that_run_against_the_others_are_turned_around():
    table, truth = numbers(0, 2000)
    turned = table * np.where(SINGLES == 9, -1, 1)
    plain = dependence(regressor(table, truth), table)
    found = dependence(regressor(turned, truth), turned)
    sign = np.where(SINGLES == 9, -1, 1)
    expected = plain.correlation * np.outer(sign, sign)
    assert_allclose(found.correlation, expected, atol=1e-9)


def test_without_labels_what_all_share_passes_for_truth():
    """The limit that the docstring names: the number is in general too large."""
    table, truth = numbers(0, 1000, SINGLES)
    table += np.random.default_rng(1).normal(size=(1000, 1))
    model = regressor(table, truth)
    assert effective_models(model, table, truth).number < 3
    assert effective_models(model, table).number > 9
    assert "at most about" in str(dependence(model, table))


@pytest.mark.parametrize(
    ("fit", "panel", "n", "labelled"),
    [
        (regressor, numbers, 20, True),
        (regressor, numbers, 100, True),
        (regressor, numbers, 500, True),
        (regressor, numbers, 500, False),
        (regressor, incomplete, 50, True),
        (regressor, incomplete, 1000, False),
        (classifier, votes, 100, True),
    ],
)
def test_the_interval_covers(monkeypatch, fit, panel, n, labelled):
    """Nine times in ten, less five points; 500 rows are left out in groups."""
    monkeypatch.setattr(MODULE, "_GROUPS", 200)
    within = {regressor: 0.7, classifier: 0.64}[fit]
    truth, n_draws, hits = planted_number(PLANTED, within), 120, 0
    model = None
    for seed in range(n_draws):
        table, labels = panel(1000 + seed, n)
        model = model or fit(table, labels)
        found = effective_models(model, table, labels if labelled else None)
        hits += found.low <= truth <= found.high
    assert hits / n_draws >= 0.85


def test_a_higher_level_is_a_wider_interval_about_the_same_number():
    table, truth = numbers(0, 100)
    model = regressor(table, truth)
    some, most = (
        effective_models(model, table, truth, confidence_level=level)
        for level in (0.5, 0.99)
    )
    assert most.low < some.low < some.number < some.high < most.high
    assert some.number == most.number


def test_groups_of_rows_stand_for_rows(monkeypatch):
    """Two hundred groups leave the width an error of some 5 %."""
    table, truth = numbers(0, 900)
    model = regressor(table, truth)
    rows = effective_models(model, table, truth)
    monkeypatch.setattr(MODULE, "_GROUPS", 200)
    groups = effective_models(model, table, truth)
    assert groups.number == pytest.approx(rows.number, rel=1e-12)
    assert groups.high - groups.low == pytest.approx(rows.high - rows.low, rel=0.15)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_answer_is_the_same_each_time(labelled):
    table, truth = numbers(0, 1200)
    model = regressor(table, truth)
    first, again = (dependence(model, table, truth if labelled else None) for _ in "ab")
    assert first.effective == again.effective
    assert_array_equal(first.correlation, again.correlation)


@pytest.mark.parametrize(("fit", "panel"), [(regressor, numbers), (classifier, votes)])
def test_rows_without_a_label_are_left_out(fit, panel):
    table, truth = panel(0, 300)
    model = fit(table, truth)
    none = np.nan if fit is regressor else None
    some = np.where(np.arange(300) < 200, truth, none)
    found = dependence(model, table, some)
    expected = dependence(model, table[:200], truth[:200])
    assert_allclose(found.correlation, expected.correlation, rtol=1e-12)
    assert found.n_rows == 200


def test_members_are_asked():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = X.sum(axis=1) + rng.normal(size=200)
    members = [("one", Ridge(1.0)), ("two", Ridge(2.0)), ("far", Ridge(1e4))]
    model = StackingNetRegressor(members).fit(X[:100], y[:100])
    found = dependence(model, X[100:], y[100:])
    assert found.families[0] == found.families[1]
    assert list(found.model_names) == ["one", "two", "far"]


def test_what_is_not_known_is_nan_and_named():
    table, truth = numbers(0, 200, SINGLES[:4])
    frame = pd.DataFrame(table, columns=["good", "fair", "perfect", "constant"])
    frame["perfect"], frame["constant"] = truth, 0.1
    model = regressor(frame, truth)
    with_labels, without = dependence(model, frame, truth), dependence(model, frame)
    for found, name in ((with_labels, "perfect"), (without, "constant")):
        unknown = found.model_names == name
        assert np.isnan(found.correlation[unknown]).all()
        assert np.isfinite(found.correlation[np.ix_(~unknown, ~unknown)]).all()
        assert np.count_nonzero(found.families == found.families[unknown]) == 1
        assert str(found).endswith(f"correlation not known: {name}")
    rest = dependence(regressor(table[:, [0, 1]], truth), table[:, [0, 1]], truth)
    both = np.ix_([0, 1], [0, 1])
    assert_allclose(with_labels.correlation[both], rest.correlation, atol=1e-12)


def test_models_that_never_meet_are_named():
    table, truth = votes(0, 400, SINGLES[:4], silent=0)
    table[:200, 0] = table[200:, 1] = None
    found = dependence(classifier(table, truth), table, truth)
    assert np.isnan(found.correlation[0, 1])
    assert np.isnan(found.correlation).sum() == 2
    assert str(found).endswith("correlation not known: model_0 with model_1")
    assert np.isfinite(ends(found)).all()


def test_numbers_that_hardly_meet_are_named():
    """Two rows always correlate perfectly. A model that never answers is named, too;
    the families and the interval are those of the others.
    """
    table, truth = numbers(0, 200, SINGLES[:5])
    table[:102, 0] = table[105:, 1] = np.nan
    table[:, 2] = np.nan
    model = regressor(np.where(np.isnan(table), 0.0, table), truth)
    for y in (truth, None):
        found = dependence(model, table, y)
        assert np.isnan(found.correlation[0, 1])
        assert np.isnan(found.correlation[2]).all()
        names = "correlation not known: model_2, model_0 with model_1"
        assert str(found).endswith(names)
        assert np.isfinite(ends(found)).all()
        assert np.count_nonzero(found.families == found.families[2]) == 1


def test_nobody_errs():
    truth = np.arange(20.0)
    table = np.column_stack([truth, truth])
    found = dependence(regressor(table, truth), table, truth)
    assert np.isnan(ends(found)).all()
    assert "none" in str(found)


def test_the_frame_lists_every_pair_once_the_most_dependent_first():
    table, truth = numbers(0, 500)
    found = dependence(regressor(table, truth), table, truth)
    frame = found.to_frame()
    assert len(frame) == 45
    assert frame["correlation"].is_monotonic_decreasing
    assert frame["same_family"].sum() == 4
    assert frame["same_family"][:4].all()


def test_it_prints_the_families():
    table, truth = numbers(0, 500)
    lines = str(dependence(regressor(table, truth), table, truth)).splitlines()
    assert lines[0].startswith("10 models, 500 rows with labels")
    families = {frozenset(line.strip().split(", ")) for line in lines[3:]}
    assert families == {
        frozenset(["model_0", "model_1", "model_2"]),
        frozenset(["model_3", "model_4"]),
    }


def test_bad_input():
    table, truth = numbers(0, 30)
    model = regressor(table, truth)
    with pytest.raises(NotFittedError):
        dependence(StackingNetRegressor(), table, truth)
    with pytest.raises(TypeError, match="no StackingNetRegressor"):
        dependence(Ridge(), table, truth)
    with pytest.raises(ValueError, match="at least two"):
        dependence(regressor(table[:, :1], truth), table[:, :1], truth)
    with pytest.raises(ValueError, match=r"2 models on 30 rows .* without labels 3"):
        dependence(regressor(table[:, :2], truth), table[:, :2])
    with pytest.raises(ValueError, match=r"10 models on 3 rows .* takes 4 rows"):
        dependence(model, table, np.where(np.arange(30) < 3, truth, np.nan))
    for bad in ({"confidence_level": 90}, {"threshold": 0}, {"threshold": 1.0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            dependence(model, table, truth, **bad)
