"""The Gaussian model of a panel with holes, against definitions and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from weights_problems import law, table

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.evidence import (
    AnswerPatterns,
    Moments,
    PredictionModel,
    group_patterns,
    impute_moments,
)
from stackingnet_sk.weights import Solution, error_due_to_missing
from stackingnet_sk.weights.solution import Status

# A row of this weight counts as so many, and the prior's ten rows are nothing to it.
MANY = 1e9


def holed(seed, n_rows=60, n_models=4, share=0.3):
    """Holes anywhere, but each model answers a row, and rows may be silent."""
    rng = np.random.default_rng(seed)
    predictions = table(seed, n_rows, n_models, slopes=True)[0]
    holes = rng.random(predictions.shape) < share
    holes[np.arange(n_models), np.arange(n_models)] = False
    return np.where(holes, np.nan, predictions)


def imputed(predictions):
    return impute_moments(AnswerPatterns.from_rows(predictions)).moments


def gaussian(moments):
    """Mean and covariance in the units of the predictions."""
    covariance = moments.scatter[:-1, :-1] / moments.weight
    return moments.mean[:-1] / moments.scale, covariance / moments.scale**2


def conditional(row, mean, covariance):
    """What a Gaussian says of a row, by the textbook formula."""
    seen = ~np.isnan(row)
    guess, open_ = row.copy(), np.zeros_like(covariance)
    onto = covariance[np.ix_(~seen, seen)] @ np.linalg.pinv(
        covariance[np.ix_(seen, seen)], hermitian=True
    )
    guess[~seen] = mean[~seen] + onto @ (row[seen] - mean[seen])
    left = covariance[np.ix_(~seen, ~seen)] - onto @ covariance[np.ix_(seen, ~seen)]
    open_[np.ix_(~seen, ~seen)] = left
    return guess, open_


def log_likelihood(predictions, mean, covariance):
    """Of what is seen, row by row, up to a constant."""
    total = 0.0
    for row in predictions:
        seen = ~np.isnan(row)
        own, off = covariance[np.ix_(seen, seen)], row[seen] - mean[seen]
        total -= np.linalg.slogdet(own)[1] + off @ np.linalg.solve(own, off)
    return total / 2


def random_model(seed, n_models):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n_models, n_models + 3))
    scale = np.exp(rng.normal(size=n_models))
    covariance = (root @ root.T) * np.outer(scale, scale)
    return PredictionModel(rng.normal(size=n_models), covariance, 1.0)


# ---------------------------------------------------------------------------- patterns


@law
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 20))
def test_patterns_are_the_distinct_rows_of_the_mask(seed, n_rows, n_models):
    """Also beyond eight models, where a pattern takes more than a byte."""
    answered = np.random.default_rng(seed).random((n_rows, n_models)) < 0.8
    patterns, pattern, counts = group_patterns(answered)

    assert_array_equal(patterns[pattern], answered)
    assert len(np.unique(patterns, axis=0)) == len(patterns)
    assert_array_equal(counts, np.bincount(pattern, minlength=len(patterns)))


@pytest.mark.parametrize("n_models", [1, 8, 9, 70])
def test_no_rows_have_no_patterns(n_models):
    patterns, pattern, counts = group_patterns(np.empty((0, n_models), dtype=bool))

    assert patterns.shape == (0, n_models)
    assert len(pattern) == len(counts) == 0


@law
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_marginals_are_those_of_the_rows_that_each_model_answers(
    seed, n_models, weighted
):
    predictions = holed(seed, 40, n_models)
    omega = np.random.default_rng(seed).uniform(0.5, 2, 40) if weighted else np.ones(40)
    patterns = AnswerPatterns.from_rows(predictions, None, omega)
    mean, variance = patterns.marginals()
    mean = patterns.reference + mean

    for m, column in enumerate(predictions.T):
        seen = ~np.isnan(column)
        center = np.average(column[seen], weights=omega[seen])
        assert_allclose(mean[m], center, rtol=1e-12, atol=1e-12)
        squares = np.average((column[seen] - center) ** 2, weights=omega[seen])
        assert_allclose(variance[m], squares, rtol=1e-11, atol=1e-12)


# -------------------------------------------------------------------------------- EM


@law
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_expectations_are_those_of_each_row_by_the_textbook(seed, n_models, weighted):
    """Sums by pattern are sums over rows: conditional means, and around their mean the
    scatter of these plus the conditional covariances.
    """
    predictions = holed(seed, 40, n_models)
    omega = np.random.default_rng(seed).integers(0, 3, 40).astype(float)
    omega = omega + (omega.sum() == 0) if weighted else np.ones(40)
    model = random_model(seed, n_models)
    rows = [conditional(row, model.mean, model.covariance) for row in predictions]
    filled = np.array([guess for guess, _ in rows])
    center = np.average(filled, axis=0, weights=omega)
    off = (filled - center) * np.sqrt(omega)[:, None]
    scatter = off.T @ off + sum(
        o * left for o, (_, left) in zip(omega, rows, strict=True)
    )

    patterns = AnswerPatterns.from_rows(predictions, None, omega)
    found = patterns.imputed_with(
        model.away_from(patterns.reference),
        model.covariance,
        conditional_covariance=True,
    )

    size = np.sqrt(scatter.diagonal().max() + 1)
    assert_allclose(found.mean[:-1], center, rtol=1e-6, atol=1e-6 * size)
    assert_allclose(
        found.scatter[:-1, :-1], scatter, rtol=1e-6, atol=1e-6 * size * size
    )
    assert found.weight == pytest.approx(omega.sum())
    assert found.n_rows == 40
    assert not found.mean[-1]
    assert not found.scatter[-1].any()


@pytest.mark.parametrize("weight", [1.0, MANY], ids=["prior", "no prior"])
@pytest.mark.parametrize("seed", range(5))
def test_answer_is_a_fixed_point(seed, weight):
    """Nothing changes when it is told what it said itself: to ten times the tolerance
    of 1e-5 standard deviations, for one more iteration moves less than the last.
    """
    predictions = holed(seed)
    patterns = AnswerPatterns.from_rows(predictions, None, np.full(60, weight))
    moments = impute_moments(patterns).moments
    model = PredictionModel.from_moments(moments)
    again = gaussian(
        patterns.imputed_with(
            model.away_from(patterns.reference),
            model.covariance,
            conditional_covariance=True,
        )
    )

    unit = np.sqrt(gaussian(moments)[1].diagonal())
    assert_allclose(again[0] / unit, gaussian(moments)[0] / unit, atol=1e-4)
    square = np.outer(unit, unit)
    assert_allclose(again[1] / square, gaussian(moments)[1] / square, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_likelihood_of_what_is_seen_never_falls(seed):
    """The law of expectation-maximization, where the prior weighs nothing; the answer
    has the largest likelihood of all.
    """
    predictions = holed(seed)
    patterns = AnswerPatterns.from_rows(predictions, None, np.full(60, MANY))
    away, variance = patterns.marginals()
    place, covariance = patterns.reference, np.diag(variance)
    values = [log_likelihood(predictions, place + away, covariance)]
    for _ in range(25):
        model = PredictionModel.from_moments(
            patterns.imputed_with(away, covariance, conditional_covariance=True)
        )
        away, covariance = model.away_from(place), model.covariance
        values.append(log_likelihood(predictions, place + away, covariance))
    best = log_likelihood(predictions, *gaussian(impute_moments(patterns).moments))

    assert (np.diff(values) > -1e-6).all()
    assert values[-1] > values[0] + 10
    assert best > values[-1] - 1e-4


def monotone_maximum(predictions):
    """Maximum of the likelihood where model j answers wherever j + 1 does.

    Anderson (1957): regress each on those before it, over the rows that it answers.
    """
    n_models = predictions.shape[1]
    mean, covariance = np.zeros(n_models), np.zeros((n_models, n_models))
    for j in range(n_models):
        own = predictions[~np.isnan(predictions[:, j])]
        before = np.column_stack([np.ones(len(own)), own[:, :j]])
        onto = np.linalg.lstsq(before, own[:, j])[0]
        mean[j] = onto[0] + onto[1:] @ mean[:j]
        covariance[j, :j] = covariance[:j, j] = covariance[:j, :j] @ onto[1:]
        left = np.mean((own[:, j] - before @ onto) ** 2)
        covariance[j, j] = left + onto[1:] @ covariance[:j, :j] @ onto[1:]
    return mean, covariance


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_models", [2, 4])
def test_monotone_holes_have_a_closed_form(seed, n_models):
    """Silent where those before say much (missing at random): means and variances of
    the answers alone are far off, the maximum of the likelihood is not.
    """
    predictions = table(seed, 300, n_models, rho=0.6)[0]
    level = np.linspace(7, 4, n_models)
    for j in range(1, n_models):
        late = np.nan_to_num(predictions[:, j - 1], nan=np.inf) > level[j]
        predictions[late, j] = np.nan
    mean, covariance = monotone_maximum(predictions)
    patterns = AnswerPatterns.from_rows(predictions, None, np.full(300, MANY))
    found = gaussian(impute_moments(patterns).moments)

    unit = np.sqrt(covariance.diagonal())
    assert np.abs(np.nanmean(predictions, axis=0) - mean).max() > 0.1 * unit.max()
    assert_allclose(found[0] / unit, mean / unit, atol=1e-3)
    square = np.outer(unit, unit)
    assert_allclose(found[1] / square, covariance / square, atol=1e-3)


@pytest.mark.parametrize("n_rows", [12, 200, 5000])
def test_prior_is_worth_ten_rows(n_rows):
    """Correlations go ``10 / (n + 10)`` of the way to their average; no variance, no
    mean and not their average itself change.
    """
    moments = imputed(holed(0, n_rows))
    mean, covariance = gaussian(moments)
    model = PredictionModel.from_moments(moments)
    spread = np.sqrt(covariance.diagonal())
    before, after = (
        (each / np.outer(spread, spread))[np.triu_indices(4, 1)]
        for each in (covariance, model.covariance)
    )

    assert_allclose(model.mean, mean, rtol=1e-14)
    assert_allclose(model.covariance.diagonal(), covariance.diagonal(), rtol=1e-12)
    expected = before + 10 / (n_rows + 10) * (before.mean() - before)
    assert_allclose(after, expected, rtol=1e-12)
    assert np.ptp(before) > 0.01


def test_a_few_rows_in_common_show_little():
    """Two models that answered three rows together by chance in perfect agreement are
    not taken for copies: what all have in common speaks against it.
    """
    rng = np.random.default_rng(0)
    predictions = rng.normal(size=(40, 3))
    predictions[3:20, 0] = np.nan
    predictions[20:, 1] = np.nan
    predictions[:3, 1] = predictions[:3, 0]
    model = PredictionModel.from_moments(imputed(predictions))
    correlation = model.covariance[0, 1] / np.sqrt(
        model.covariance[0, 0] * model.covariance[1, 1]
    )

    assert correlation < 0.9
    assert np.linalg.eigvalsh(model.covariance).min() > 0


@law
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_without_holes_the_moments_are_those_of_the_rows(seed, n_models):
    predictions = table(seed, 30, n_models)[0]
    found = imputed(predictions)
    expected = Moments.from_rows(predictions, np.zeros(30))

    assert_allclose(found.mean, expected.mean, rtol=1e-10, atol=1e-12)
    assert_allclose(found.scatter, expected.scatter, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-150, 1e-20, 1e20, 1e150])
def test_units_of_the_predictions_are_of_no_account(unit):
    predictions = holed(3)
    mean, covariance = gaussian(imputed(predictions))
    found = imputed(predictions * unit)

    ratio = found.scale * unit
    assert_allclose(found.mean[:-1] / ratio, mean, rtol=1e-8)
    scatter = found.scatter[:-1, :-1] / ratio / ratio / found.weight
    assert_allclose(scatter, covariance, rtol=1e-8, atol=1e-10)


# -------------------------------------------------------------- order and convergence


def scarce(seed):
    """Ten models that gave 22 answers on 15 rows: nearly no two on the same row."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=15)
    predictions = truth[:, None] + rng.normal(size=(15, 10))
    observed = np.zeros(150, dtype=bool)
    observed[rng.choice(150, 22, replace=False)] = True
    return np.where(observed.reshape(15, 10), predictions, np.nan), truth


def answering(patterns):
    return patterns.subset(np.flatnonzero(patterns.answered.any(axis=0)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("weighted", [False, True])
def test_order_of_the_rows_is_of_no_account_to_the_last_bit(seed, weighted):
    """Where the likelihood has no maximum the iteration amplifies rounding without
    limit: objectives were 2.37, 1.76 and 1.84 by permutation. Sums are now those of one
    order of the rows, whatever order they come in.
    """
    rng = np.random.default_rng(seed)
    predictions, _ = scarce(seed)
    # Equal rows may come in any order, also with unequal weights.
    predictions = np.vstack([predictions, predictions[:4]])
    weights = rng.uniform(0.5, 2.0, 19) if weighted else np.ones(19)
    order = rng.permutation(19)
    plain, permuted = (
        answering(AnswerPatterns.from_rows(predictions[rows], None, weights[rows]))
        for rows in (np.arange(19), order)
    )
    assert_array_equal(plain.origin, permuted.origin)
    assert_array_equal(plain.mean, permuted.mean)
    one, other = impute_moments(plain), impute_moments(permuted)
    assert_array_equal(one.moments.mean, other.moments.mean)
    assert_array_equal(one.moments.scatter, other.moments.scatter)
    assert one.converged == other.converged


def test_an_iteration_that_did_not_end_says_so():
    """At its limit of steps, on some tables; where much is observed it ends."""
    ended = [
        impute_moments(answering(AnswerPatterns.from_rows(scarce(seed)[0]))).converged
        for seed in range(12)
    ]
    assert not all(ended)
    for seed in range(4):
        patterns = AnswerPatterns.from_rows(holed(seed, 200))
        assert impute_moments(patterns).converged


@pytest.mark.parametrize("size", [1e-5, 1e-8])
def test_models_that_differ_by_rounding_are_no_false_alarm(size):
    """Beside a spread of one, differences of 1e-8 are known to a few digits: the
    iteration rests where rounding moves it.
    """
    predictions = holed(0, 300)
    truth = np.random.default_rng(0).normal(size=(300, 1))
    predictions = truth + size * predictions
    assert impute_moments(AnswerPatterns.from_rows(predictions)).converged


@pytest.mark.filterwarnings("ignore:.*never answer:UserWarning")
def test_estimators_warn_and_give_one_answer_for_all_orders():
    objectives = set()
    for seed in (4, 9):
        predictions, truth = scarce(seed)
        for shuffle in range(3):
            rows = np.random.default_rng(shuffle).permutation(15)
            with pytest.warns(ConvergenceWarning, match="still rising"):
                model = StackingNetRegressor().fit(predictions[rows], truth[rows])
            assert model.solution_.status is Status.NOT_CONVERGED
            objectives.add(model.solution_.objective)
    assert len(objectives) == 2


@pytest.mark.parametrize("columns", [[1e150, 1e-150], [1.0, 1e150, 1e-150]])
def test_squares_that_underflow_leave_no_nan(columns):
    """A variance of 1e-301 times the nugget is no number that can be divided by. Such a
    model is constant beside the others.
    """
    for seed in range(10):
        predictions = holed(seed, 12, len(columns)) * columns
        moments = imputed(predictions)
        assert np.isfinite(moments.mean).all()
        assert np.isfinite(moments.scatter).all()


# ------------------------------------------------------------------- what stands in


@law
@given(
    st.integers(0, 10_000),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([1.0, 2.0**-300]),
)
def test_completed_labelled_rows_are_those_filled_by_the_textbook(
    seed, n_models, weighted, scale
):
    """Conditional means, computed of whole patterns at once, against labels that have
    no say in them.
    """
    rng = np.random.default_rng(seed)
    predictions = holed(seed, 20, n_models, 0.5)
    labels = rng.normal(3, 2, 20)
    omega = rng.uniform(0.5, 2, 20) if weighted else None
    model = random_model(seed, n_models)
    filled = [conditional(row, model.mean, model.covariance)[0] for row in predictions]
    expected = Moments.from_rows(np.array(filled), labels, omega)

    patterns = AnswerPatterns.from_rows(predictions / scale, labels / scale, omega)
    patterns = patterns.rescaled(scale)
    found = patterns.imputed_with(
        model.away_from(patterns.reference),
        model.covariance,
        conditional_covariance=False,
    )

    size = np.sqrt(expected.scatter.diagonal().max())
    assert_allclose(found.mean, expected.mean, atol=1e-5 * size)
    assert_allclose(found.scatter, expected.scatter, atol=1e-5 * size * size)
    assert found.weight == pytest.approx(expected.weight)
    assert found.weight_norm == pytest.approx(expected.weight_norm)


@law
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_left_open_is_the_mean_conditional_covariance(seed, n_models):
    rng = np.random.default_rng(seed)
    model = random_model(seed, n_models)
    answered = rng.random((7, n_models)) < 0.6
    rows = np.where(answered, 0.0, np.nan)
    share = rng.uniform(0.1, 1.0, 7)
    expected = np.average(
        [conditional(row, model.mean, model.covariance)[1] for row in rows],
        axis=0,
        weights=share,
    )

    total = model.covariance.trace() + 1
    assert_allclose(
        model.conditional_covariance(answered, share), expected, atol=1e-6 * total
    )


def test_what_holes_add_to_the_error():
    """Of filled rows, as the formula has it, whatever the weights: a simulation."""
    rng = np.random.default_rng(0)
    n_rows = 200_000
    truth = rng.normal(size=n_rows)
    table = truth[:, None] + rng.normal(size=(n_rows, 3)) * [0.5, 0.8, 1.0]
    answered = rng.random(table.shape) < 0.7
    prediction_moments = Moments.from_rows(table, np.zeros(n_rows))
    model = PredictionModel.from_moments(prediction_moments)
    holes = AnswerPatterns.from_rows(np.where(answered, table, np.nan), truth)
    moments = [
        holes.imputed_with(
            model.away_from(holes.reference),
            model.covariance,
            conditional_covariance=False,
        ),
        Moments.from_rows(table, truth),
    ]
    slopes = np.linalg.lstsq(table - table.mean(axis=0), truth, rcond=None)[0]
    for weights in ([0.5, 0.3, 0.2], [1.0, 0.0, 0.0], slopes):
        weights = np.array(weights)
        added = error_due_to_missing(
            prediction_moments, holes.answered, holes.weight, weights, slopes
        )
        onto = np.append(weights, weights.sum() - 1.0)
        errors = [onto @ each.scatter @ onto / n_rows for each in moments]
        assert abs(errors[0] - errors[1] - added) < 0.01


@law
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_combination_is_the_problem_of_coming_near_to_all(seed, n_models):
    """Its errors are ``P_o - (w'P + b)``, its target ``w'P + b``."""
    rng = np.random.default_rng(seed)
    model, weights = random_model(seed, n_models), rng.normal(size=n_models)
    answered = rng.random(n_models) < 0.6
    answered[0] = True
    solution = Solution(
        weights, 0.7, 0.0, 0.0, 0.0, 0, Status.OPTIMAL, "affine", "native"
    )
    moments, models = model.combination(answered, solution.weights, solution.intercept)

    assert_array_equal(models, np.flatnonzero(answered))
    # As a linear map of the predictions.
    onto = np.vstack([np.eye(n_models)[models] - weights, weights])
    size = np.abs(model.covariance).max() * (1 + np.abs(weights).sum()) ** 2
    assert_allclose(
        moments.scatter, onto @ model.covariance @ onto.T, atol=1e-12 * size
    )
    shift = np.append(np.full(len(models), -0.7), 0.7)
    assert_allclose(
        moments.mean, onto @ model.mean + shift, rtol=1e-9, atol=1e-12 * size
    )


@law
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_covariance_of_a_model_is_positive_semidefinite(seed, n_models):
    """Whatever the holes: few rows, constants and copies of a model among them."""
    rng = np.random.default_rng(seed)
    predictions = holed(seed, 5 + n_models, n_models, 0.6)
    if rng.random() < 0.5:
        predictions[:, -1] = np.where(np.isnan(predictions[:, -1]), np.nan, 2.0)
    if rng.random() < 0.5:
        predictions[:, 0] = predictions[:, -1]
    covariance = PredictionModel.from_moments(imputed(predictions)).covariance

    lowest = np.linalg.eigvalsh(covariance).min()
    assert lowest >= -1e-9 * np.trace(covariance)
