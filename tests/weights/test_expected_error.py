"""What error to expect on new rows: simulation, limits, leaving rows out in turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from weights_problems import fitted, law, table

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import (
    CONSTRAINTS,
    StackingObjective,
    solve_moments,
    solve_unlabelled,
)

seeds = st.integers(0, 2**20)
MEAN, SPREAD = 3.0, 2.0


def truth(n_models):
    """Errors of unequal size with a third of their variance in common, and bias."""
    size = np.linspace(0.5, 1.5, n_models)
    covariance = np.outer(size, size) * (0.3 + 0.7 * np.eye(n_models))
    return covariance, np.linspace(-0.5, 0.5, n_models)


def draw(rng, n_rows, n_models):
    covariance, bias = truth(n_models)
    target = MEAN + SPREAD * rng.standard_normal(n_rows)
    errors = rng.standard_normal((n_rows, n_models)) @ np.linalg.cholesky(covariance).T
    return target[:, None] + errors + bias, target


def error_on_new_rows(weights, intercept, n_models):
    """By integration: errors are normal and independent of the target."""
    covariance, bias = truth(n_models)
    slope = 1.0 - weights.sum()
    off = slope * MEAN - weights @ bias - intercept
    return off**2 + slope**2 * SPREAD**2 + weights @ covariance @ weights


@pytest.mark.parametrize("shrinkage", [0.0, 20.0, "auto"])
@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@pytest.mark.parametrize(("n_rows", "n_models"), [(20, 3), (20, 10), (200, 10)])
def test_it_is_the_error_on_new_rows_on_average(
    n_rows, n_models, constraint, shrinkage
):
    """Within a few percent, where the error on the rows of the fit may be a quarter of
    it. How hard the rows of a draw are is taken out: it is seen in the error of weights
    that are always the same.
    """
    rng = np.random.default_rng(0)
    same = np.full(n_models, 1.0 / n_models)
    usual = error_on_new_rows(same, 0.0, n_models)
    expected, real, seen = [], [], []
    for _ in range(60):
        predictions, target = draw(rng, n_rows, n_models)
        found = fitted(predictions, target, constraint, shrinkage=shrinkage)
        hard = np.mean((predictions @ same - target) ** 2) / usual
        expected.append(found.expected_error / hard)
        real.append(error_on_new_rows(found.weights, found.intercept, n_models))
        residuals = target - predictions @ found.weights - found.intercept
        seen.append(np.mean(residuals**2) / hard)

    few = n_rows == 20
    assert np.mean(expected) == pytest.approx(np.mean(real), rel=0.1 if few else 0.03)
    assert np.mean(seen) < (0.95 if few else 0.995) * np.mean(real)


@law
@given(
    seed=seeds,
    n_rows=st.integers(12, 60),
    n_models=st.integers(1, 6),
    constraint=st.sampled_from(sorted(CONSTRAINTS)),
    fit_intercept=st.booleans(),
    shrinkage=st.sampled_from([0.0, 5.0, "auto"]),
)
def test_it_is_above_the_error_on_the_rows_of_the_fit(
    seed, n_rows, n_models, constraint, fit_intercept, shrinkage
):
    """Freedom is never negative; without a prior the objective is that error."""
    predictions, target = table(seed, n_rows, n_models)
    found = fitted(
        predictions,
        target,
        constraint,
        fit_intercept=fit_intercept,
        shrinkage=shrinkage,
    )
    residuals = target - predictions @ found.weights - found.intercept
    assert found.expected_error >= np.mean(residuals**2) * (1 - 1e-9)
    if not shrinkage:
        assert found.expected_error >= found.objective


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("constraint", ["affine", "simplex", "nonnegative", "uniform"])
def test_without_a_prior_weights_are_counted(constraint, fit_intercept):
    """The trace of a projection: a dimension each, less one where they sum to one, and
    one more for the intercept, which is all that uniform weights have.
    """
    for seed in range(5):
        predictions, target = table(seed, 60, 5, spread=1.0)
        found = fitted(predictions, target, constraint, fit_intercept=fit_intercept)
        freedom = np.count_nonzero(found.weights) - (constraint != "nonnegative")
        if constraint == "uniform":
            freedom = 0
        left = 1 - (freedom + fit_intercept) / 60
        assert found.expected_error == pytest.approx(
            found.objective / left**2, rel=1e-8
        )


@pytest.mark.parametrize("n_rows", [30, 120])
def test_leaving_each_row_out_says_the_same(n_rows):
    """Affine weights are least squares, of which leaving one out is a refit."""
    errors = []
    for seed in range(3):
        predictions, target = table(seed, n_rows, 4)
        out = []
        for i in range(n_rows):
            rest = np.arange(n_rows) != i
            found = fitted(predictions[rest], target[rest], "affine")
            out.append(predictions[i] @ found.weights + found.intercept - target[i])
        expected = fitted(predictions, target, "affine").expected_error
        errors.append(expected / np.mean(np.square(out)) - 1)
    assert np.abs(errors).max() < 3 / n_rows


def degrees_of_freedom(
    predictions, target, constraint, shrinkage, prediction_moments=None
):
    """Solved for: they are what the expected error adds to that on the rows."""
    moments = Moments.from_rows(predictions, target)
    found = solve_moments(
        moments, constraint, shrinkage=shrinkage, prediction_moments=prediction_moments
    )
    residuals = target - predictions @ found.weights - found.intercept
    left = np.sqrt(np.mean(residuals**2) / found.expected_error)
    return (1 - left) * len(target) - 1


@pytest.mark.parametrize("constraint", ["affine", "simplex", "nonnegative"])
def test_freedom_falls_with_shrinkage_to_what_the_prior_leaves(constraint):
    """A strong prior on the direction leaves the slope, which it shrinks a twentieth as
    strongly, and nothing where the weights sum to one.
    """
    predictions, target = table(3, 60, 5, spread=0.1)
    strengths = [0.0, 1.0, 10.0, 100.0, 1e4, 1e8]
    found = [degrees_of_freedom(predictions, target, constraint, k) for k in strengths]
    assert found[0] == pytest.approx(5 if constraint == "nonnegative" else 4, abs=1e-6)
    assert (np.diff(found) < 0).all()
    assert found[-1] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("shrinkage", [0.0, 1e-6, 10.0])
def test_derivative_of_fitted_labels(shrinkage):
    """The definition: the sum over rows of how much a label moves its own fit, at
    weights that all stay positive. The prior is held, it has read all rows.
    """
    predictions, target = table(4, 40, 4, spread=0.1)
    prediction_moments = Moments.from_rows(predictions, np.zeros(40))
    step = 1e-5
    for constraint in ("affine", "simplex", "nonnegative"):
        moved = 0.0
        for i in range(40):
            fits = []
            for sign in (1, -1):
                other = target.copy()
                other[i] += sign * step
                found = solve_moments(
                    Moments.from_rows(predictions, other),
                    constraint,
                    shrinkage=shrinkage,
                    prediction_moments=prediction_moments,
                )
                assert (found.weights > 0).all()
                fits.append(predictions[i] @ found.weights + found.intercept)
            moved += (fits[0] - fits[1]) / (2 * step)
        freedom = degrees_of_freedom(
            predictions, target, constraint, shrinkage, prediction_moments
        )
        assert freedom + 1 == pytest.approx(moved, rel=1e-4)


@pytest.mark.parametrize("constraint", ["affine", "simplex", "nonnegative"])
@pytest.mark.parametrize("copies", [1, 4])
def test_copies_count_once(constraint, copies):
    """They span nothing that their originals do not, nor do means of others."""
    predictions, target = table(2, 40, 4, spread=0.1)
    mean = predictions.mean(axis=1)
    alone = fitted(predictions, target, constraint)
    for other in (predictions[:, 0], mean):
        more = np.column_stack([predictions, *[other] * copies])
        again = fitted(more, target, constraint)
        assert again.expected_error == pytest.approx(alone.expected_error, rel=1e-6)


@law
@given(seed=seeds, shrinkage=st.sampled_from([0.0, 5.0, "auto"]), unit=st.floats(-9, 9))
def test_order_of_models_and_units(seed, shrinkage, unit):
    predictions, target = table(seed, 30, 4)
    unit = 10.0**unit
    order = np.random.default_rng(seed).permutation(4)
    plain = fitted(predictions, target, "nonnegative", shrinkage=shrinkage)
    other = fitted(
        unit * predictions[:, order], unit * target, "nonnegative", shrinkage=shrinkage
    )
    assert other.expected_error == pytest.approx(
        unit**2 * plain.expected_error, rel=1e-6
    )


@pytest.mark.parametrize("unit", [1e-100, 1e100])
def test_far_units_neither_overflow_nor_vanish(unit):
    predictions, target = table(0, 30, 4)
    plain = fitted(predictions, target, "simplex").expected_error
    other = fitted(unit * predictions, unit * target, "simplex").expected_error
    assert other / unit / unit == pytest.approx(plain, rel=1e-9)


def test_where_labels_set_everything_nothing_is_known():
    """As many weights as rows fit exactly, whatever the error on new rows."""
    predictions, target = table(0, 5, 8, spread=0.1)
    found = fitted(predictions, target, "affine")
    assert found.objective < 1e-12
    assert found.expected_error == np.inf


def test_integer_weight_is_a_repetition():
    predictions, target = table(0, 30, 4)
    times = np.random.default_rng(0).integers(1, 4, 30)
    weighted = fitted(predictions, target, "simplex", sample_weight=times.astype(float))
    rows = np.repeat(np.arange(30), times)
    repeated = fitted(predictions[rows], target[rows], "simplex")
    assert weighted.expected_error == pytest.approx(repeated.expected_error, rel=1e-9)


ACCURACY = np.linspace(0.75, 0.55, 10)


def vote(rng, n_rows, n_classes=2):
    labels = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, len(ACCURACY))) < ACCURACY
    off = rng.integers(1, n_classes, size=right.shape)
    return (labels[:, None] + np.where(right, 0, off)) % n_classes, labels


def log_losses(weights, intercept, votes, labels):
    scores = intercept + weights[np.arange(votes.shape[1]), votes].sum(axis=1)
    return logsumexp(scores, axis=1) - scores[np.arange(len(labels)), labels]


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_it_is_the_log_loss_on_new_rows_on_average(structure):
    """How hard the rows of a draw are is taken out, as it is of numbers. That the prior
    has seen the labels is left: of 200 labels a few percent.
    """
    rng = np.random.default_rng(0)
    same = np.log(ACCURACY / (1 - ACCURACY))[:, None, None] * np.eye(2)
    new = vote(rng, 20_000)
    usual = log_losses(same, 0.0, *new).mean()
    model = StackingNetClassifier(classes=range(2), structure=structure)
    expected, real, seen = [], [], []
    for _ in range(15):
        votes, labels = vote(rng, 200)
        hard = log_losses(same, 0.0, votes, labels).mean() / usual
        found = model.fit(votes, labels, X_unlabeled=vote(rng, 500)[0]).solution_
        combination = found.vote_weights, found.intercept
        expected.append(found.expected_error / hard)
        seen.append(log_losses(*combination, votes, labels).mean() / hard)
        real.append(log_losses(*combination, *new).mean())
    assert np.mean(expected) == pytest.approx(np.mean(real), rel=0.06)
    assert np.mean(seen) < 0.98 * np.mean(expected)


def test_without_labels_it_is_nan():
    """Nor is it known of the linear pool."""
    predictions, target = table(0, 30, 4)
    free = solve_unlabelled(Moments.from_rows(predictions, np.zeros_like(target)))
    assert np.isnan(free.expected_error)
    votes, labels = vote(np.random.default_rng(0), 30)
    found = StackingNetClassifier().fit(votes).solution_
    assert np.isnan(found.expected_error)
    given = np.where(votes[:, :, None] == np.arange(2), 0.8, 0.2)
    found = StackingNetClassifier(pool="linear").fit(given, labels).solution_
    assert np.isnan(found.expected_error)


@pytest.mark.parametrize("total", [None, 1.0])
def test_freedom_of_an_objective(total):
    """Without a prior the shares of a plane are its dimensions; of none, zero."""
    error = np.diag([1.0, 2.0, 3.0])
    plain = StackingObjective(error)
    held = StackingObjective(2.0 * error)
    weights = np.array([0.5, 0.5, 0.0])
    less = total is not None
    assert plain.degrees_of_freedom(plain, weights, total) == pytest.approx(2 - less)
    # A prior as strong as the data halves them.
    assert held.degrees_of_freedom(plain, weights, total) == pytest.approx(
        (2 - less) / 2
    )
    assert plain.degrees_of_freedom(plain, np.zeros(3), total) == 0


def test_freedom_is_zero_with_one_weight_that_must_be_one():
    objective = StackingObjective(np.eye(3))
    assert_allclose(objective.degrees_of_freedom(objective, np.eye(3)[0], 1.0), 0)
