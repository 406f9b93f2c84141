"""Models that are silent on some rows: at fit, at predict, in tables and as members."""

import copy
import pickle
import time

import numpy as np
import pandas as pd
import pytest
from example_members import FirstFeature
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.evidence import PredictionModel
from stackingnet_sk.predictions import PredictionClipper, PredictionNormalizer

CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")
each_constraint = pytest.mark.parametrize("constraint", CONSTRAINTS)
each_shrinkage = pytest.mark.parametrize("shrinkage", ["auto", 0, 30.0])
each_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
law = settings(deadline=None, derandomize=True, max_examples=40)
# All patterns of answers of five models, nobody first.
PATTERNS = (np.arange(32)[:, None] >> np.arange(5)) % 2 > 0


@pytest.fixture
def H(P):
    """The table with holes; nobody answers on row 11."""
    holes = np.random.default_rng(5).random(P.shape) < 0.3
    holes[11] = True
    return np.where(holes, np.nan, P)


def panel(seed, n_rows, spread=(0.3, 0.5, 0.8, 1.0, 1.5), rho=0.3):
    """Truth, and models with errors that are partly in common."""
    rng = np.random.default_rng(seed)
    truth = 1.0 + rng.normal(size=n_rows)
    noise = np.sqrt(1 - rho) * rng.normal(size=(n_rows, len(spread)))
    noise += np.sqrt(rho) * rng.normal(size=(n_rows, 1))
    return truth[:, None] + noise * spread + 0.2, truth


def punched(rng, table, share=0.3):
    return np.where(rng.random(table.shape) < share, np.nan, table)


def rules(model, patterns):
    """Weights and intercept of each pattern, read off predictions alone."""
    zero = np.where(patterns, 0.0, np.nan)
    intercepts = model.predict(zero)
    weights = np.zeros(patterns.shape)
    for j in range(patterns.shape[1]):
        unit = zero.copy()
        unit[:, j] += 1.0
        rows = patterns[:, j]
        weights[rows, j] = model.predict(unit[rows]) - intercepts[rows]
    return weights, intercepts


def assert_same(model, other, rtol=1e-9):
    for name in ("weights_", "intercept_", "reliability_"):
        here, there = getattr(model, name), getattr(other, name)
        assert_allclose(here, there, rtol=rtol, atol=rtol, err_msg=name)


def public(model):
    return {key: value for key, value in vars(model).items() if key[0] != "_"}


# ----------------------------------------------------------------------- where none is


@each_constraint
@each_shrinkage
def test_holes_at_predict_do_not_change_the_fit(P, y, H, constraint, shrinkage):
    """Nor the predictions of rows where all answer, whatever was asked before."""
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage).fit(P, y)
    before = copy.deepcopy(model)
    model.predict(H)
    model.expected_error(H)
    model.n_answers(H)

    assert public(model).keys() == public(before).keys()
    assert vars(model).keys() == vars(before).keys()
    assert_array_equal(model.weights_, before.weights_)
    assert_array_equal(model.predict(P), before.predict(P))
    assert_array_equal(model.predict(H), before.predict(H))
    assert model.moments_per_model_ == {}


@each_constraint
def test_without_prior_holes_on_unlabelled_rows_are_ignored_bit_by_bit(
    P, y, H, constraint
):
    model = StackingNetRegressor(constraint=constraint, shrinkage=0)
    alone = clone(model).fit(P, y)
    both = clone(model).fit(P, y, X_unlabeled=H)
    mixed = clone(model).fit(np.vstack([P, H]), np.append(y, np.full(60, np.nan)))

    for other in (both, mixed):
        assert_array_equal(other.weights_, alone.weights_)
        assert other.intercept_ == alone.intercept_
        assert other.solution_.expected_error == alone.solution_.expected_error
        assert other.moments_per_model_ == {}


@each_constraint
def test_few_holes_change_little(P, y, constraint):
    """Continuity: a hole where the prediction is what the others suggest anyway."""
    model = StackingNetRegressor(constraint=constraint, shrinkage=5.0)
    P = np.tile(P, (20, 1))
    y = np.tile(y, 20)
    full = clone(model).fit(P, y)
    P[17, 4] = np.nan
    one = clone(model).fit(P, y)

    assert_allclose(one.weights_, full.weights_, atol=2e-3)
    assert list(one.moments_per_model_) == [4]


def test_rows_where_all_answer_are_combined_as_ever(P, y, H):
    model = StackingNetRegressor().fit(H, y)

    assert_allclose(model.predict(P), P @ model.weights_ + model.intercept_, rtol=1e-12)
    assert_allclose(model.expected_error(P), model.solution_.expected_error, rtol=0)


# ------------------------------------------------------------------- who stands in


@each_constraint
@each_intercept
def test_weights_of_every_pattern_are_feasible(y, H, constraint, fit_intercept):
    """And certified, for a warning would be an error here."""
    model = StackingNetRegressor(constraint=constraint, fit_intercept=fit_intercept)
    weights, intercepts = rules(model.fit(H, y), PATTERNS[1:])

    assert not weights[~PATTERNS[1:]].any()
    if constraint != "affine":
        assert (weights >= -1e-12).all()
    if constraint in ("affine", "simplex"):
        assert_allclose(weights.sum(axis=1), 1, rtol=1e-9)
    if constraint == "uniform":
        share = PATTERNS[1:] / PATTERNS[1:].sum(axis=1, keepdims=True)
        assert_allclose(weights, share, atol=1e-12)
    if not fit_intercept:
        assert_array_equal(intercepts, 0)


def feasible(rng, constraint, n_models):
    """Random weights: corners, inside, far out where the set has an outside."""
    points = [*np.eye(n_models), *rng.dirichlet(np.full(n_models, 0.5), 20)]
    if constraint == "affine":
        away = rng.normal(size=(20, n_models)) / n_models
        points += list(1 / n_models + away - away.mean(axis=1, keepdims=True))
    if constraint == "nonnegative":
        points += [rng.uniform(0, 2) * point for point in points]
        points.append(np.zeros(n_models))
    return np.array(points)


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
@each_intercept
def test_no_feasible_weights_come_nearer_to_what_all_would_say(
    y, H, constraint, fit_intercept
):
    """The objective of a pattern from its definition, the mean square of ``(w - v)'P +
    b - c`` under the model, of random feasible v and of small steps from the answer.
    """
    model = StackingNetRegressor(constraint=constraint, fit_intercept=fit_intercept)
    model.fit(H, y)
    panel_model = PredictionModel.from_moments(model.prediction_moments_)
    mean, covariance = panel_model.mean, panel_model.covariance
    assert panel_model.scale == 1.0
    weights, intercepts = rules(model, PATTERNS[1:])

    def distance(other, intercept=None):
        off = model.weights_ - other
        bias = off @ mean + model.intercept_
        best = bias if fit_intercept else 0.0
        shift = bias - (best if intercept is None else intercept)
        return off @ covariance @ off + shift**2

    rng = np.random.default_rng(0)
    added = model.expected_error(np.where(PATTERNS[1:], 0.0, np.nan))
    added -= model.solution_.expected_error
    for answered, own, intercept, claimed in zip(
        PATTERNS[1:], weights, intercepts, added, strict=True
    ):
        reached = distance(own, intercept)
        assert claimed == pytest.approx(reached, rel=1e-7, abs=1e-9)
        points = np.zeros((len(feasible(rng, constraint, answered.sum())), 5))
        points[:, answered] = feasible(rng, constraint, answered.sum())[: len(points)]
        for point in points:
            for step in (1.0, 1e-2):
                other = own + step * (point - own)
                assert distance(other) >= reached - 1e-9


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])
def test_model_without_weight_changes_nothing_when_it_is_missing(P, y, constraint):
    # Against the truth, or with its slope and noise many times too large.
    P[:, 4] *= -5 if constraint == "nonnegative" else 20
    model = StackingNetRegressor(constraint=constraint, shrinkage=0).fit(P, y)
    assert model.weights_[4] == 0
    without = P.copy()
    without[:, 4] = np.nan

    assert_allclose(model.predict(without), model.predict(P), rtol=1e-13, atol=1e-13)
    assert_array_equal(model.expected_error(without), model.expected_error(P))


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_missing_copy_of_a_model_that_answers_costs_nothing(
    P, y, constraint, shrinkage
):
    """Rows that count for so many that the prior, which believes no one to be a copy,
    is nothing against them.
    """
    table = np.column_stack([P, P[:, 0]])
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    model.fit(table, y, sample_weight=np.full(60, 1e9))
    without = table.copy()
    without[::2, 5] = np.nan
    without[1::2, 0] = np.nan

    error = model.solution_.expected_error
    assert_allclose(model.expected_error(without), error, rtol=1e-5)
    assert_allclose(model.predict(without), model.predict(table), atol=1e-4)


@pytest.mark.parametrize("n_rows", [50, 500, 5000])
def test_missing_copy_costs_what_the_prior_of_ten_rows_says(n_rows):
    """Of a pair of copies among others, ``10 / (n + 10)`` of the way to the average
    correlation is left open, at most of the spread.
    """
    table, truth = panel(0, n_rows)
    table = np.column_stack([table, table[:, 0]])
    model = StackingNetRegressor(constraint="simplex", shrinkage=0).fit(table, truth)
    without = table.copy()
    without[:, 5] = np.nan
    added = model.expected_error(without) - model.solution_.expected_error

    most = table[:, 0].var() * 20 / (n_rows + 10) * model.weights_[5] ** 2
    assert (added <= most + 1e-9).all()


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
@given(seed=st.integers(0, 10_000))
@law
def test_fewer_answers_never_promise_less_error(constraint, seed):
    """The feasible weights of fewer models are feasible for more. ("uniform" is none of
    these sets: the average without the worst model may be the nearer one.)
    """
    rng = np.random.default_rng(seed)
    table, truth = panel(seed, 40)
    model = StackingNetRegressor(constraint=constraint).fit(punched(rng, table), truth)
    more = PATTERNS[rng.integers(1, 32, 20)]
    fewer = more & PATTERNS[rng.integers(1, 32, 20)]
    fewer[~fewer.any(axis=1)] = more[~fewer.any(axis=1)]
    high, low = (
        model.expected_error(np.where(each, 0.0, np.nan)) for each in (fewer, more)
    )

    assert (high >= low - 1e-9 * low.max() - 1e-12).all()
    assert (low >= model.solution_.expected_error).all()


# ------------------------------------------------------------------ is it any good


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
@pytest.mark.parametrize("holes", ["complete", "holes"])
def test_expected_error_holds_for_every_pattern(constraint, holes):
    """New rows of each pattern, within four standard errors of their mean squared error
    and the 4 % that 20,000 rows with holes leave open of it. All models have weight
    here: what goes with the residual in a model without is not counted where that one
    stands in.
    """
    rng = np.random.default_rng(0)
    table, truth = panel(1, 20_000, rho=0.0)
    given = table if holes == "complete" else punched(rng, table)
    model = StackingNetRegressor(constraint=constraint, shrinkage=0).fit(given, truth)
    assert (model.weights_ > 0.01).all()
    new, answer = panel(2, 640_000, rho=0.0)
    pattern = np.arange(len(new)) % 32
    new = np.where(PATTERNS[pattern], new, np.nan)
    squares = ((model.predict(new) - answer) ** 2).reshape(-1, 32)
    claimed = model.expected_error(new[:32])

    noise = squares.std(axis=0) / np.sqrt(len(squares))
    off = np.abs(squares.mean(axis=0) - claimed) - 4 * noise - 0.04 * claimed
    assert (off < 0).all(), np.c_[PATTERNS, claimed / squares.mean(axis=0)][off >= 0]


@pytest.mark.parametrize("size", [1.0, 0.1, 0.01])
def test_rows_where_nobody_answers_say_nothing_of_the_models(size):
    """Their labels, all of whose variance is unexplained there, would be noise against
    good models: no worse than without these rows, but for chance.
    """
    errors = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table, truth = panel(seed, 1100)
        table = truth[:, None] + size * (table - truth[:, None])
        table[:100][rng.random(100) < 0.2] = np.nan
        some = ~np.isnan(table[:100]).all(axis=1)
        fits = [
            StackingNetRegressor().fit(table[:100], truth[:100]),
            StackingNetRegressor().fit(table[:100][some], truth[:100][some]),
        ]
        new = slice(100, None)
        errors.append(
            [np.mean((fit.predict(table[new]) - truth[new]) ** 2) for fit in fits]
        )
    silent, without = np.mean(errors, axis=0)

    assert silent < 1.05 * without


def test_weights_with_holes_tend_to_those_without():
    """Holes that come at random don't bias: what is left is the noise of fewer
    answers, which falls as one over the root of the rows. Where a constraint keeps the
    weights from their optimum, they are those of the table as it is filled in.
    """
    distance = []
    for n_rows in (400, 40_000):
        off = []
        for seed in range(6):
            table, truth = panel(seed, n_rows)
            model = StackingNetRegressor(shrinkage=0)
            full = clone(model).fit(table, truth).weights_
            holed = punched(np.random.default_rng(seed), table)
            off.append(np.abs(clone(model).fit(holed, truth).weights_ - full).max())
        distance.append(np.mean(off))

    assert distance[1] < 0.02
    assert distance[1] < distance[0] / 4


def test_better_than_leaving_out_rows_or_filling_in_means():
    """What it is for: half of the predictions missing, few labels."""
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table, truth = panel(seed, 2040)
        holed = punched(rng, table, 0.5)
        means = np.where(np.isnan(holed), np.nanmean(holed[:40], axis=0), holed)
        own = np.arange(40)
        new = np.arange(40, 2040)
        whole = own[~np.isnan(holed[:40]).any(axis=1)]
        fits = [(holed, own), (means, own)]
        if whole.size > 1:
            fits.append((means, whole))
        row = []
        for source, rows in fits:
            model = StackingNetRegressor().fit(source[rows], truth[rows])
            row.append(np.mean((model.predict(source[new]) - truth[new]) ** 2))
        errors.append(row[:2])
    ours, filled = np.mean(errors, axis=0)

    assert ours < 0.9 * filled


# --------------------------------------------------------------------- order, units


@each_constraint
@each_shrinkage
def test_same_input_gives_bit_identical_answers(y, H, constraint, shrinkage):
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    first, second = clone(model).fit(H, y), clone(model).fit(H, y)

    assert_array_equal(first.weights_, second.weights_)
    assert_array_equal(first.predict(H), second.predict(H))
    # Also when patterns were asked in another order before.
    second.predict(H[::-1][:17])
    assert_array_equal(first.predict(H), second.predict(H))
    assert_array_equal(first.expected_error(H), second.expected_error(H))


@each_constraint
@each_shrinkage
def test_order_of_models_and_rows_does_not_matter(y, H, constraint, shrinkage):
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    reference = clone(model).fit(H, y)
    models, rows = np.random.default_rng(0).permutation(5), np.arange(60)[::-1]
    other = clone(model).fit(H[rows][:, models], y[rows])

    options = {"rtol": 1e-7, "atol": 1e-8}
    assert_allclose(other.weights_, reference.weights_[models], **options)
    assert_allclose(other.reliability_, reference.reliability_[models], **options)
    assert_allclose(other.predict(H[:, models]), reference.predict(H), **options)
    errors = other.expected_error(H[:, models]), reference.expected_error(H)
    assert_allclose(*errors, **options)


@each_constraint
@pytest.mark.parametrize("unit", [1e-150, 1e-20, 1e20, 1e150])
def test_units_are_of_no_account(y, H, constraint, unit):
    model = StackingNetRegressor(constraint=constraint)
    reference = clone(model).fit(H, y)
    other = clone(model).fit(H * unit, y * unit)

    options = {"rtol": 1e-7, "atol": 1e-8}
    assert_allclose(other.weights_, reference.weights_, **options)
    assert_allclose(other.reliability_, reference.reliability_, **options)
    assert_allclose(other.intercept_ / unit, reference.intercept_, **options)
    assert_allclose(other.predict(H * unit) / unit, reference.predict(H), **options)
    errors = other.expected_error(H * unit) / unit / unit
    assert_allclose(errors, reference.expected_error(H), **options)


@each_constraint
@pytest.mark.parametrize("shift", [-3.0, 1e4])
def test_origin_is_of_no_account_beside_an_intercept(y, H, constraint, shift):
    model = StackingNetRegressor(constraint=constraint)
    reference = clone(model).fit(H, y)
    other = clone(model).fit(H + shift, y + shift)

    options = {"rtol": 1e-5, "atol": 1e-5}
    assert_allclose(other.weights_, reference.weights_, **options)
    moved = reference.intercept_ + shift * (1 - reference.weights_.sum())
    assert_allclose(other.intercept_, moved, **options)
    assert_allclose(other.predict(H + shift) - shift, reference.predict(H), **options)
    assert_allclose(
        other.expected_error(H + shift), reference.expected_error(H), **options
    )


@each_constraint
@each_shrinkage
@pytest.mark.parametrize("unlabelled", [False, True])
def test_integer_weight_is_a_repetition_of_the_row(
    y, H, constraint, shrinkage, unlabelled
):
    times = np.random.default_rng(3).integers(0, 4, 60)
    labels = np.where(np.arange(60) % 3 == 0, np.nan, y) if unlabelled else y
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    weighted = clone(model).fit(H, labels, sample_weight=times)
    repeated = clone(model).fit(np.repeat(H, times, axis=0), np.repeat(labels, times))

    options = {"rtol": 1e-7, "atol": 1e-8}
    assert_same(weighted, repeated, 1e-7)
    assert_allclose(weighted.predict(H), repeated.predict(H), **options)
    assert_allclose(weighted.expected_error(H), repeated.expected_error(H), **options)
    boards = [each.leaderboard().set_index("model") for each in (weighted, repeated)]
    assert_allclose(*(board.loc[boards[0].index] for board in boards), rtol=1e-7)


def test_rows_without_weight_are_not_there(y, H):
    spoiled = np.vstack([H, 1e3 * H[:20]])
    weight = np.append(np.ones(60), np.zeros(20))
    weighted = StackingNetRegressor().fit(
        spoiled, np.append(y, y[:20]), sample_weight=weight
    )

    assert_same(weighted, StackingNetRegressor().fit(H, y))


# ---------------------------------------------------------------------------- nobody


@each_constraint
@each_intercept
def test_where_nobody_answers_it_is_the_weighted_mean_of_the_labels(
    y, H, constraint, fit_intercept
):
    omega = np.random.default_rng(0).uniform(0, 2, 60)
    model = StackingNetRegressor(constraint=constraint, fit_intercept=fit_intercept)
    model.fit(H, y, sample_weight=omega)
    nobody = np.full((3, 5), np.nan)

    assert_allclose(model.predict(nobody), np.average(y, weights=omega), rtol=1e-12)
    assert_array_equal(model.n_answers(nobody), 0)
    variance = np.average((y - np.average(y, weights=omega)) ** 2, weights=omega)
    effective = max(omega.sum(), omega.sum() ** 2 / (omega**2).sum())
    expected = variance / (1 - 1 / effective) ** 2
    assert_allclose(model.expected_error(nobody), expected, rtol=1e-10)


def test_number_of_answers(y, H):
    model = StackingNetRegressor().fit(H, y)

    assert_array_equal(model.n_answers(H), (~np.isnan(H)).sum(axis=1))
    assert model.n_answers(H).dtype.kind == "i"


def test_column_of_nothing_warns_names_it_and_gets_no_weight(P, y, H):
    frame = pd.DataFrame(H, columns=list("abcde")).assign(c=np.nan, e=np.nan)
    with pytest.warns(UserWarning, match=r"\['c', 'e'\] never answer \(of 5") as caught:
        model = StackingNetRegressor(constraint="affine").fit(frame, y)
    without = StackingNetRegressor(constraint="affine").fit(frame[list("abd")], y)

    # The line to look at is the caller's.
    assert caught[0].filename == __file__
    assert_array_equal(model.weights_[[2, 4]], 0)
    # A later block could bring its answers, so it is in the sums: rounding differs.
    assert_allclose(model.weights_[[0, 1, 3]], without.weights_, rtol=1e-12)
    assert model.intercept_ == pytest.approx(without.intercept_, abs=1e-12)
    assert_allclose(model.reliability_[[0, 1, 3]], without.reliability_, rtol=1e-12)
    # What it says now is no answer: nothing is known of it.
    now = pd.DataFrame(P, columns=list("abcde"))
    assert_allclose(model.predict(now), without.predict(now[list("abd")]), rtol=1e-12)
    assert_array_equal(model.n_answers(now), 3)
    only = now.assign(a=np.nan, b=np.nan, d=np.nan)
    assert_allclose(model.predict(only), y.mean(), rtol=1e-12)
    assert_allclose(
        model.expected_error(only), without.expected_error(only[list("abd")])
    )
    board = model.leaderboard().set_index("model")
    assert board.loc["c", "answered"] == 0
    assert np.isnan(board.loc["c", "rmse"])


def test_silent_column_does_not_hide_that_units_differ(P, y):
    """It has no range of its own."""
    P = P - P.min() + 1000 * (1 + np.ptp(P))
    labels = y - y.mean()
    P[:, 2] = np.nan
    with (
        pytest.warns(UserWarning, match="never answer"),
        pytest.warns(UserWarning, match="normalized"),
    ):
        StackingNetRegressor().fit(P, labels)


@pytest.mark.parametrize("labels", [True, False])
def test_table_of_nothing_is_an_error(y, labels):
    nothing = np.full((60, 3), np.nan)
    model = StackingNetRegressor()
    with pytest.raises(ValueError, match="No model answers on any row"):
        model.fit(nothing, y if labels else None)

    with pytest.raises(NotFittedError):
        model.predict(nothing)


def test_model_that_answers_unlabelled_rows_only(P, y, H):
    """Known by what it has in common with the others; its error is not known."""
    H[:, 2] = np.nan
    model = StackingNetRegressor().fit(H, y, X_unlabeled=P)
    board = model.leaderboard().set_index("model")

    assert board.loc["model_2", "answered"] == 0
    assert np.isnan(board.loc["model_2", "rmse"])
    assert model.reliability_[2] > 0
    assert board.index[-1] == "model_2"


@pytest.mark.parametrize("place", ["X", "X_unlabeled", "predict"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_among_holes_is_named(P, y, H, place, value):
    spoiled = H.copy()
    spoiled[7, 2] = value
    words = r"infinity.*'model_2'.*row 7"
    model = StackingNetRegressor()
    if place == "X_unlabeled":
        with pytest.raises(ValueError, match=f"X_unlabeled: .*{words}"):
            model.fit(H, y, X_unlabeled=spoiled)
    elif place == "X":
        with pytest.raises(ValueError, match=words):
            model.fit(spoiled, y)
    else:
        model.fit(P, y)
        for method in ("predict", "expected_error", "n_answers", "transform"):
            with pytest.raises(ValueError, match=words):
                getattr(model, method)(spoiled)


def test_infinity_on_a_row_without_label_is_counted_in_the_data_given(y, H):
    few = np.where(np.arange(60) % 2 == 0, y, np.nan)
    H[33, 1] = np.inf
    with pytest.raises(ValueError, match=r"infinity.*'model_1'.*row 33\b"):
        StackingNetRegressor().fit(H, few)


# --------------------------------------------------------------------- no labels


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine", "uniform"])
def test_without_labels_holes_are_filled_all_the_same(H, constraint):
    model = StackingNetRegressor(constraint=constraint).fit(H)
    weights, _ = rules(model, PATTERNS[1:])

    assert model.weights_.sum() == pytest.approx(1)
    assert_allclose(weights.sum(axis=1), 1, rtol=1e-9)
    assert (weights >= -1e-12).all()
    assert np.isnan(model.expected_error(H)).all()
    assert np.isfinite(model.predict(H)).all()
    # Where nobody answers there is but the mean of what they say.
    center = model.prediction_moments_.mean[:-1] @ model.weights_
    assert_allclose(model.predict(np.full((1, 5), np.nan)), center)


@pytest.mark.parametrize("constraint", ["nonnegative", "uniform"])
def test_without_labels_holes_may_be_in_x_unlabeled(P, H, constraint):
    model = StackingNetRegressor(constraint=constraint)
    together = clone(model).fit(np.vstack([P, H]))
    apart = clone(model).fit(P, X_unlabeled=H)

    assert_same(together, apart)
    assert_allclose(together.predict(H), apart.predict(H), rtol=1e-7)


def test_without_labels_the_precise_get_the_weight():
    table, _ = panel(0, 20_000, rho=0.0)
    full = StackingNetRegressor().fit(table)
    holed = StackingNetRegressor().fit(punched(np.random.default_rng(0), table))

    assert_allclose(holed.weights_, full.weights_, atol=0.03)
    assert_allclose(holed.reliability_, full.reliability_, atol=0.03)


# ----------------------------------------------------------- what is known of each


def test_leaderboard_is_over_the_rows_that_a_model_answers(y, H):
    omega = np.random.default_rng(0).uniform(0.5, 2, 60)
    H[:, 0] = y + 0.1
    board = StackingNetRegressor().fit(H, y, sample_weight=omega).leaderboard()
    by_name = board.set_index("model").loc[[f"model_{j}" for j in range(5)]]

    for j, column in enumerate(H.T):
        seen = ~np.isnan(column)
        off = (column - y)[seen]
        rmse, bias = by_name.iloc[j][["rmse", "bias"]]
        mean = np.average(off**2, weights=omega[seen])
        assert rmse == pytest.approx(np.sqrt(mean))
        assert bias == pytest.approx(np.average(off, weights=omega[seen]))
        share = omega[seen].sum() / omega.sum()
        assert by_name.iloc[j]["answered"] == pytest.approx(share)
    assert (np.diff(board["rmse"]) >= 0).all()


def test_alone_are_the_moments_of_the_rows_that_a_model_answers(y, H):
    H[:, 1] = y + 0.1 * np.arange(60)
    model = StackingNetRegressor().fit(H, y)

    assert sorted(model.moments_per_model_) == [0, 2, 3, 4]
    for m, moments in model.moments_per_model_.items():
        seen = ~np.isnan(H[:, m])
        assert moments.n_rows == seen.sum()
        assert moments.mean[0] == pytest.approx((H[:, m] - y)[seen].mean())


def test_reliability_of_a_model_does_not_suffer_from_its_silence():
    """Holes at random: the same as without, to what fewer rows leave open."""
    table, truth = panel(0, 5000)
    holed = table.copy()
    holed[1000:, 1] = np.nan
    full = StackingNetRegressor().fit(table, truth).reliability_
    holes = StackingNetRegressor().fit(holed, truth).reliability_

    assert_allclose(np.delete(holes, 1), np.delete(full, 1), atol=0.02)
    assert holes[1] == pytest.approx(full[1], abs=0.05)


# -------------------------------------------------------------------- kinds of tables


@pytest.mark.parametrize("missing", [None, np.nan])
def test_kinds_of_tables(y, H, missing):
    expected = StackingNetRegressor().fit(H, y)
    cells = np.where(np.isnan(H), missing, H.astype(object))
    names = list("abcde")
    # pd.NA, in columns of a type that knows it.
    frame = pd.DataFrame(H, columns=names).convert_dtypes()
    assert frame.isna().iloc[11].all()
    masked = np.ma.array(np.nan_to_num(H, nan=7.0), mask=np.isnan(H))
    for table in (cells, cells.tolist(), pd.DataFrame(cells, columns=names), frame):
        model = StackingNetRegressor().fit(table, y)
        assert_same(model, expected, 1e-13)
        assert_allclose(model.predict(table), expected.predict(H), rtol=1e-12)
    for table in (masked, np.asfortranarray(H), H[::-1][::-1]):
        assert_allclose(expected.predict(table), expected.predict(H), rtol=1e-12)
        assert_same(StackingNetRegressor().fit(table, y), expected, 1e-13)


def test_single_precision_is_read_in_double(y, H):
    single = H.astype(np.float32)
    expected = StackingNetRegressor().fit(single.astype(float), y)
    model = StackingNetRegressor().fit(single, y)

    assert_array_equal(model.weights_, expected.weights_)
    options = {"rtol": 1e-5, "atol": 1e-6}
    double = single.astype(float)
    assert_allclose(model.predict(single), expected.predict(double), **options)


def test_tables_are_never_written_to(P, y, H):
    given = H.copy()
    given.flags.writeable = False
    model = StackingNetRegressor().fit(given, y, X_unlabeled=given)
    for method in ("predict", "expected_error", "n_answers"):
        getattr(model, method)(given)
    answers = model.transform(given)

    assert_array_equal(answers, H)
    assert answers is not given
    assert answers.flags.writeable


def test_score_and_cross_validation_count_rows_with_holes(y, H):
    model = StackingNetRegressor().fit(H, y)
    error = np.sum((model.predict(H) - y) ** 2) / np.sum((y - y.mean()) ** 2)

    assert model.score(H, y) == pytest.approx(1 - error)
    assert (cross_val_score(StackingNetRegressor(), H, y, cv=3) > 0.5).all()
    column = cross_val_predict(StackingNetRegressor(), H, y, cv=3)
    assert np.isfinite(column).all()


def test_grid_search_in_a_pipeline(y, H):
    pipeline = make_pipeline(
        PredictionClipper(-3, 4), PredictionNormalizer(-3, 4), StackingNetRegressor()
    )
    labels = PredictionNormalizer(-3, 4).fit_transform(np.clip(y, -3, 4)[:, None])[:, 0]
    grid = {
        "stackingnetregressor__constraint": list(CONSTRAINTS),
        "stackingnetregressor__shrinkage": [0, "auto"],
    }
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(H, labels)
    clipped = (np.clip(H, -3, 4) + 3) / 7
    best = search.best_estimator_[-1]
    alone = clone(best).fit(clipped, labels)

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert_allclose(alone.weights_, best.weights_, rtol=1e-9, atol=1e-12)
    assert_allclose(search.predict(H), alone.predict(clipped), rtol=1e-9)
    assert search.score(H, labels) > 0.5


@pytest.mark.parametrize("asked", [False, True])
def test_clone_pickle_and_copy(y, H, asked):
    model = StackingNetRegressor().fit(H, y)
    expected = clone(model).fit(H, y).predict(H)
    if asked:
        model.predict(H[:30])
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.predict(H), expected)
    assert not hasattr(clone(model), "weights_")


def test_refit_forgets_the_patterns(P, y, H):
    model = StackingNetRegressor().fit(H, y)
    model.predict(H)
    fresh = StackingNetRegressor().fit(P, 2 * y)

    assert_array_equal(model.fit(P, 2 * y).predict(H), fresh.predict(H))
    assert model.moments_per_model_ == {}


@pytest.mark.parametrize(
    "change",
    [{"fit_intercept": False}, {"constraint": "affine"}, {"solver": "cvxpy"}],
    ids=str,
)
def test_a_changed_parameter_counts_from_the_next_fit(y, H, change):
    """Also for patterns that nobody has asked about yet."""
    model = StackingNetRegressor(constraint="simplex").fit(H, y)
    expected = copy.deepcopy(model).predict(H)

    assert_array_equal(model.set_params(**change).predict(H), expected)


# ---------------------------------------------------------------------------- members


def silent_where(condition):
    def spoil(first):
        return np.where(condition(first), np.nan, first)

    return spoil


def silent_on_high(first):
    return np.where(first > 0.5, np.nan, first)


@pytest.fixture
def some(X, y):
    """Members of which one is silent on some rows, by what they see there."""
    return [
        ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
        ("first", FirstFeature(silent_on_high)),
        ("line", LinearRegression()),
    ]


def test_members_are_the_table_of_their_predictions(X, y, some):
    columns = [cross_val_predict(member, X, y, cv=5) for _, member in some]
    given = np.column_stack(columns)
    assert 0 < np.isnan(given).sum() < 60
    table = StackingNetRegressor().fit(given, y)
    model = StackingNetRegressor(some).fit(X, y)

    assert_array_equal(model.weights_, table.weights_)
    assert list(model.moments_per_model_) == [1]
    # At predict too, by what the refitted members say.
    answers = model.transform(X)
    assert_array_equal(np.isnan(answers[:, 1]), X[:, 0] > 0.5)
    assert_allclose(model.predict(X), table.predict(answers), rtol=1e-12)
    assert_allclose(model.expected_error(X), table.expected_error(answers))
    assert_array_equal(model.n_answers(X), 3 - np.isnan(answers).sum(axis=1))


@pytest.mark.parametrize("position", [0, 1])
def test_member_without_weight_stands_in(X, y, position):
    """It is not asked where the others answer; where they are silent, it is all."""
    noise = np.random.default_rng(0).normal(size=60)
    table = np.column_stack([y, y + noise])
    members = [
        ("exact", FirstFeature(silent_on_high)),
        ("rough", FirstFeature(lambda first: first + 0.01)),
    ]
    if position:
        members, table = members[::-1], table[:, ::-1]
    for _, member in members:
        member.fit(X, y)
    first = X[:, 0].copy()
    labels = np.where(first > 0.5, 2 * first, first)
    model = StackingNetRegressor(members, cv="prefit", constraint="simplex")
    model.set_params(shrinkage=0).fit(X[first <= 0.5], labels[first <= 0.5])
    exact = [name for name, _ in members].index("exact")
    assert model.weights_[1 - exact] == pytest.approx(0, abs=1e-3)
    answers = model.predict(X)

    assert_allclose(answers[first <= 0.5], first[first <= 0.5], atol=1e-2)
    # Above one half "rough" is the only one that says anything.
    assert_allclose(answers[first > 0.5], first[first > 0.5], atol=0.02)
    assert_array_equal(model.n_answers(X), np.where(first > 0.5, 1, 2))


def test_member_that_never_answers_is_named(X, y):
    members = [
        ("ridge", Ridge()),
        ("mute", FirstFeature(silent_where(lambda first: first < np.inf))),
    ]
    with pytest.warns(UserWarning, match=r"\['mute'\] never answer") as caught:
        model = StackingNetRegressor(members).fit(X, y)

    assert caught[0].filename == __file__
    assert model.weights_[1] == 0
    alone = StackingNetRegressor(members[:1]).fit(X, y)
    assert_allclose(model.predict(X), alone.predict(X), rtol=1e-12)


def test_no_weights_at_all_and_a_silent_member(X, y):
    """The constant that is left does not need anybody."""
    still = FirstFeature(lambda first: np.where(first > 0.5, np.nan, 3.0)).fit(X, y)
    members = [("a", still), ("b", DummyRegressor().fit(X, y))]
    model = StackingNetRegressor(members, cv="prefit").fit(X, y)
    assert not model.weights_.any()

    assert_allclose(model.predict(X), y.mean(), rtol=1e-12)


# ------------------------------------------------------------------ hard to digest


def hard_cases():
    rng = np.random.default_rng(0)
    table, truth = panel(0, 60)
    one = table[:, :1].copy()
    one[::3] = np.nan
    yield "one model", one, truth
    holed = punched(rng, table)
    label = np.where(np.arange(60) == 4, truth, np.nan)
    yield "one label", holed, label
    mute = holed.copy()
    mute[4] = np.nan
    yield "one label, nobody answers", mute, label
    yield "all patterns", np.where(PATTERNS, table[:32], np.nan), truth[:32]
    constant = table.copy()
    constant[:, 1], constant[:, 3] = 2.0, 3.0
    yield "constants", punched(rng, constant), truth
    yield "nothing but constants", punched(rng, np.full((60, 3), 2.0)), truth
    copies = table.copy()
    copies[:, 1] = copies[:, 2] = copies[:, 0]
    yield "copies", punched(rng, copies), truth
    apart = table.copy()
    apart[:30, :2] = apart[30:, 2:] = np.nan
    yield "never together", apart, truth
    lonely = table.copy()
    lonely[:7, 0] = lonely[8:, 0] = np.nan
    yield "one answer", lonely, truth
    yield "two rows", np.array([[1.0, np.nan], [np.nan, 2.0]]), np.array([1.0, 2.5])
    yield "one row", np.array([[1.0, np.nan, 3.0]]), np.array([2.0])
    yield "huge offset", punched(rng, table + 1e7), truth + 1e7
    yield "near-perfect", punched(rng, truth[:, None] + 1e-3 * (table - 1)), truth


@each_constraint
@each_intercept
@pytest.mark.filterwarnings("ignore:.*never answer:UserWarning")
@pytest.mark.parametrize("case", [pytest.param(c, id=c[0]) for c in hard_cases()])
def test_whatever_comes_the_answer_is_a_number(case, constraint, fit_intercept):
    _, table, truth = case
    for shrinkage in ("auto", 0):
        model = StackingNetRegressor(
            constraint=constraint, fit_intercept=fit_intercept, shrinkage=shrinkage
        ).fit(table, truth)
        assert np.isfinite(model.predict(table)).all()
        error = model.expected_error(table)
        assert (error >= 0).all(), "NaN is not"
        assert (np.abs(model.reliability_) <= 1).all()


@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-8])
def test_near_perfect_models_keep_their_precision(size):
    """Holes must not cost the digits that the models have."""
    rng = np.random.default_rng(0)
    table, truth = panel(0, 300, rho=0.0)
    new, answer = panel(1, 2000, rho=0.0)
    table, new = (
        t[:, None] + size * (p - t[:, None]) for p, t in ((table, truth), (new, answer))
    )
    given, holed = (punched(rng, each) for each in (table, new))
    heard, some = (~np.isnan(each).all(axis=1) for each in (given, holed))
    model = StackingNetRegressor(constraint="simplex", shrinkage=0)
    model.fit(given[heard], truth[heard])
    found = np.mean((model.predict(holed[some]) - answer[some]) ** 2)

    # The best alone has an error of 0.3, the worst of 1.5; without holes it is 0.23.
    assert np.sqrt(found) < 0.45 * size
    # Squares of less are rounding beside the variance of the predictions.
    if size > 1e-7:
        claimed = np.mean(model.expected_error(holed[some]))
        assert claimed == pytest.approx(found, rel=0.5)


def test_many_rows_and_patterns_are_fast():
    """100,000 rows of 20 models in 300 patterns, each of which is solved: a second, and
    a good deal less on a machine that is not busy.
    """
    rng = np.random.default_rng(0)
    table, truth = panel(0, 100_000, np.linspace(0.3, 1.5, 20))
    patterns = rng.random((300, 20)) < 0.6
    holed = np.where(patterns[rng.integers(300, size=len(table))], table, np.nan)
    model = StackingNetRegressor().fit(holed[:3000], truth[:3000])
    start = time.process_time()
    answers = model.predict(holed)

    assert time.process_time() - start < 1.0
    assert np.isfinite(answers).all()


@pytest.mark.parametrize("scale", [1e-160, 1e-300, 1e150])
def test_expected_errors_where_squares_leave_the_range(scale):
    """Rows with holes and rows without any answer: zero or a number, no error."""
    table, truth = panel(0, 60)
    holed = punched(np.random.default_rng(0), table)
    holed[-1] = np.nan
    model = StackingNetRegressor().fit(holed * scale, truth * scale)
    found = model.expected_error(holed * scale)
    assert np.isfinite(found).all()
    own = StackingNetRegressor().fit(holed, truth)
    assert_allclose(model.predict(holed * scale) / scale, own.predict(holed), rtol=1e-6)


@pytest.mark.parametrize("constant", [120.0, 0.3, 0.0])
def test_a_constant_beside_holes_says_nothing(constant):
    """What rounding of the labels leaves of it would seem to explain the others."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=60)
        table = y[:, None] + rng.normal(size=(60, 3)) * [0.5, 0.75, 1.3]
        table[rng.random(table.shape) < 0.1] = np.nan
        table[np.isnan(table).all(axis=1)] = 0.0  # or the constant alone would answer
        alone = StackingNetRegressor().fit(table, y)
        beside = np.column_stack([table, np.full(60, constant)])
        found = StackingNetRegressor().fit(beside, y)
        assert_allclose(found.weights_, [*alone.weights_, 0.0], rtol=1e-4, atol=1e-6)
        assert_allclose(found.predict(beside), alone.predict(table), atol=1e-3)
