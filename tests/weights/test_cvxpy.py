"""Against cvxpy: the package's own door to it, and formulations on the rows."""

import cvxpy as cp
import numpy as np
import pytest
from weights_problems import CONSTRAINED, center, fitted, penalized, table

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import StackingObjective, Status


def on_the_rows(predictions, target, constraint, *, fit_intercept, shrinkage):
    """The problem as DESIGN.md writes it: no moments, no profiling, nothing completed.
    Clarabel at its tightest.
    """
    n_rows, n_models = predictions.shape
    weights = cp.Variable(n_models)
    intercept = cp.Variable() if fit_intercept else 0.0
    left = target - predictions @ weights - intercept
    loss = cp.sum_squares(left / np.sqrt(n_rows))
    if shrinkage:
        spread, direction, sigma = center(predictions)
        along = spread**2 * direction
        slope = (along / (along @ direction)) @ weights
        away = cp.multiply(spread, weights - slope * direction)
        loss += shrinkage / n_rows * cp.sum_squares(away)
        if constraint == "nonnegative":
            variance = direction @ sigma @ direction
            loss += shrinkage / 20 * variance / n_rows * cp.square(slope)
    limits = [] if constraint == "affine" else [weights >= 0]
    if constraint != "nonnegative":
        limits.append(cp.sum(weights) == 1)
    problem = cp.Problem(cp.Minimize(loss), limits)
    problem.solve(
        solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13
    )
    answer = np.array(weights.value)
    if constraint != "affine":
        answer = np.maximum(answer, 0.0)
    return answer if constraint == "nonnegative" else answer / answer.sum()


def problem(seed):
    """A fifth of them degenerate: copies, constants, more models than rows."""
    rng = np.random.default_rng(seed)
    n_models = int(rng.integers(2, 9))
    n_rows = int(rng.integers(n_models + 4, 60))
    predictions, target = table(
        seed,
        n_rows,
        n_models,
        rho=rng.choice([0.0, 0.5, 0.9]),
        slopes=bool(rng.integers(2)),
    )
    kind = seed % 10
    if kind == 0:
        predictions[:, 0] = predictions[:, 1]
    if kind == 1:
        n_kept = max(n_models - 1, 2)  # one row has no spread for the prior
        predictions, target = predictions[:n_kept], target[:n_kept]
    options = {
        "fit_intercept": bool(rng.integers(2)),
        "shrinkage": float(rng.choice([0.0, 7.5, 100.0])),
    }
    return predictions, target, options, kind > 1


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate:UserWarning")
@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize("block", range(10))
def test_agreement(constraint, block):
    """360 problems. The native solution is never worse than an interior point's, and
    no better than its accuracy allows; well-conditioned weights agree.
    """
    for seed in range(12 * block, 12 * (block + 1)):
        predictions, target, options, well = problem(seed)
        native = fitted(predictions, target, constraint, **options)
        assert native.status is not Status.INACCURATE
        rows = on_the_rows(predictions, target, constraint, **options)
        through = fitted(predictions, target, constraint, solver="cvxpy", **options)
        values = [
            penalized(predictions, target, weights, constraint=constraint, **options)
            for weights in (native.weights, rows, through.weights)
        ]
        # Interpolating optima are zero: their unit is what interior points resolve.
        unit = values[0] + 1e-4 * target.var()
        for value in values[1:]:
            assert values[0] <= value + 1e-12 * unit
            assert value <= values[0] + 1e-8 * unit
        if well:
            size = max(np.abs(native.weights).max(), 1.0)
            assert np.abs(rows - native.weights).max() <= 1e-6 * size
            assert np.abs(through.weights - native.weights).max() <= 1e-6 * size


@pytest.mark.parametrize("constraint", CONSTRAINED)
def test_the_door_returns_feasible_certified_weights(constraint):
    """Interior points end inside or slightly outside; what is returned is feasible."""
    predictions, target = table(3, 60, 6)
    solution = fitted(predictions, target, constraint, solver="cvxpy")
    assert solution.solver == "cvxpy"
    assert np.isfinite(solution.certificate)
    if constraint != "affine":
        assert (solution.weights >= 0).all()
    if constraint != "nonnegative":
        assert abs(solution.weights.sum() - 1.0) <= 1e-12


def least_norm(predictions, target, constraint, value):
    """The optimum of least norm by brute force: ``min |w|^2`` over the optimal set.
    Along it the fitted values ``Pw`` do not change, by strict convexity in them.
    """
    weights = cp.Variable(predictions.shape[1])
    limits = [predictions @ weights == value]
    if constraint != "affine":
        limits.append(weights >= 0)
    if constraint != "nonnegative":
        limits.append(cp.sum(weights) == 1)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(weights)), limits)
    problem.solve(solver=cp.CLARABEL)
    return weights.value


@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize("seed", range(12))
def test_of_several_optima_the_least(constraint, seed):
    """Copies and mixtures of models, and more models than rows."""
    rng = np.random.default_rng(seed)
    n_models = int(rng.integers(4, 8))
    n_rows = 20 if seed % 2 else n_models - 2
    predictions, target = table(seed, n_rows, n_models)
    if seed % 2:
        predictions[:, 1] = predictions[:, 0]
        predictions[:, 3] = (predictions[:, 0] + predictions[:, 2]) / 2
    solution = fitted(predictions, target, constraint, fit_intercept=False)
    combined = predictions @ solution.weights
    expected = least_norm(predictions, target, constraint, combined)
    assert np.abs(solution.weights - expected).max() < 1e-5


def agreement(predictions, target, constraint, **options):
    """Native and through cvxpy: largest difference of the weights, relative to the
    largest weight, and of the objective, in units of the objective's scale.
    """
    native, through = (
        fitted(predictions, target, constraint, solver=solver, **options)
        for solver in ("auto", "cvxpy")
    )
    size = max(np.abs(native.weights).max(), 1.0)
    off = np.abs(through.weights - native.weights).max() / size
    objective = StackingObjective.from_moments(
        Moments.from_rows(predictions, target), fit_intercept=options["fit_intercept"]
    )
    return off, (through.objective - native.objective) / objective.scale


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("constraint", [*CONSTRAINED, "uniform"])
def test_weights_agree_where_they_are_well_determined(constraint, fit_intercept):
    """504 problems of up to ten models, none of which nearly repeats others, on forty
    rows or more: there is one optimum, and each way finds it.
    """
    for seed in range(63):
        rng = np.random.default_rng([seed, fit_intercept])
        n_models = int(rng.integers(1, 11))
        shrinkage = (0.0, 7.5, "auto")[seed % 3]
        predictions, target = table(
            int(rng.integers(2**30)),
            int(rng.integers(40, 200)),
            n_models,
            rho=rng.uniform(0.0, 0.7),
            slopes=bool(seed % 2),
        )
        weights, value = agreement(
            predictions,
            target,
            constraint,
            fit_intercept=fit_intercept,
            shrinkage=shrinkage,
        )
        assert weights <= 1e-6, seed
        assert abs(value) <= 1e-8, seed


def copies(rng, predictions, target):
    predictions[:, 1] = predictions[:, 0]
    predictions[:, -1] = predictions[:, 0]
    return predictions, target


def few_rows(rng, predictions, target):
    n_rows = max(predictions.shape[1] - 2, 2)
    return predictions[:n_rows], target[:n_rows]


def perfect(rng, predictions, target):
    predictions[:, int(rng.integers(predictions.shape[1]))] = target
    return predictions, target


def perfect_line(rng, predictions, target):
    predictions[:, 0] = 2.0 * target - 1.0
    return predictions, target


def constants(rng, predictions, target):
    predictions[:, 0] = 3.0
    return predictions, target


def mixtures(rng, predictions, target):
    predictions[:, 0] = predictions[:, 1:].mean(axis=1)
    return predictions, target


@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize(
    "spoil", [copies, few_rows, perfect, perfect_line, constants, mixtures]
)
def test_objectives_agree_where_weights_need_not(spoil, constraint):
    """Of several optima an interior point finds another, of the same value."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        predictions, target = table(seed, 60, int(rng.integers(3, 9)))
        predictions, target = spoil(rng, predictions, target)
        for fit_intercept in (True, False):
            _, value = agreement(
                predictions,
                target,
                constraint,
                fit_intercept=fit_intercept,
                shrinkage=(0.0, 7.5)[seed % 2],
            )
            assert abs(value) <= 1e-8, (seed, fit_intercept)
