"""What a certificate may say: each fault once certified as optimal, and why it is not.

Claims are checked from the rows, by code that shares nothing with the package.
"""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import fitted, law, long_gap, table

from stackingnet_sk.constraints import budget, group_cap, max_weight
from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import (
    CONSTRAINTS,
    InfeasibleError,
    StackingObjective,
    Status,
    UserConstraints,
    solve_moments,
)
from stackingnet_sk.weights.certified import decide_status
from stackingnet_sk.weights.problem import Certificate, Minimum
from stackingnet_sk.weights.quadratic_problem import QuadraticProblem

GOOD = (Status.OPTIMAL, Status.MINIMUM_NORM, Status.FEASIBLE)
SUM_TO_ONE = ("affine", "simplex")
EVERY = pytest.mark.parametrize("constraint", ["affine", "nonnegative", "simplex"])
INTERCEPT = pytest.mark.parametrize("fit_intercept", [False, True])
SOLVER = pytest.mark.parametrize("solver", ["auto", "cvxpy"])


def constrained(predictions, target, constraint, *builders, **options):
    names = [str(m) for m in range(predictions.shape[1])]
    return fitted(
        predictions,
        target,
        constraint,
        user_constraints=UserConstraints(builders, names),
        **options,
    )


def zeros_beside_models():
    """A column of zeros got a weight of 4e15, with a gap of 0 and a residual of 7e16:
    the gap was a difference of numbers that had no correct digit, clipped at zero.
    """
    rng = np.random.default_rng(3)
    target = rng.normal(size=20)
    models = target[:, None] + rng.normal(size=(20, 3))
    return np.column_stack([models, np.zeros(20)]), target


# Columns that say nothing ---------------------------------------------------------


@SOLVER
@pytest.mark.parametrize("shrinkage", [0.0, 7.5])
def test_a_column_of_zeros_has_weight_zero(solver, shrinkage):
    """Without an intercept it cannot change the combination, and the others are as if
    it were not there.
    """
    predictions, target = zeros_beside_models()
    options = {"fit_intercept": False, "shrinkage": shrinkage, "solver": solver}
    solution = fitted(predictions, target, "nonnegative", **options)
    alone = fitted(predictions[:, :3], target, "nonnegative", **options)

    assert solution.weights[3] == 0
    assert_allclose(solution.weights[:3], alone.weights, rtol=0, atol=1e-10)
    assert solution.status is Status.OPTIMAL
    assert solution.gap < 1e-9
    assert solution.residual < 1e-9


@EVERY
@INTERCEPT
@SOLVER
@pytest.mark.parametrize("level", [0.0, 1.0, -3.0, 1e5])
@pytest.mark.parametrize("copies", [1, 2])
def test_constant_columns(constraint, fit_intercept, solver, level, copies):
    """One or several constants among models: the answer is finite, feasible, certified
    and as good as least squares over the same set finds from the rows.
    """
    predictions, target = zeros_beside_models()
    constants = np.full((20, copies), level)
    predictions = np.column_stack([predictions[:, :3], constants])
    solution = fitted(
        predictions, target, constraint, fit_intercept=fit_intercept, solver=solver
    )

    assert solution.status in GOOD
    assert abs(solution.weights.sum() - 1) < 1e-9 or constraint == "nonnegative"
    assert np.abs(solution.weights).max() < 10
    best = least_squares(predictions, target, constraint, fit_intercept)
    assert solution.objective == pytest.approx(best, rel=1e-6, abs=1e-9)
    if constraint == "nonnegative" and (level == 0 or fit_intercept):
        assert_array_equal(solution.weights[3:], 0)


def least_squares(predictions, target, constraint, fit_intercept):
    """The least mean squared error over the set, from the rows."""
    weights, intercept = cp.Variable(predictions.shape[1]), cp.Variable()
    unit = np.maximum(np.abs(predictions).max(axis=0), 1.0)
    limits = [] if constraint == "affine" else [weights >= 0]
    if constraint != "nonnegative":
        limits.append(cp.sum(weights / unit) == 1)
    if not fit_intercept:
        limits.append(intercept == 0)
    left = target - (predictions / unit) @ weights - intercept
    loss = cp.sum_squares(left) / len(target)
    return cp.Problem(cp.Minimize(loss), limits).solve(
        cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11
    )


@pytest.mark.parametrize("constraint", SUM_TO_ONE)
@INTERCEPT
@SOLVER
@pytest.mark.parametrize("kind", ["constants", "zeros", "copies", "perfect", "mixed"])
def test_a_sum_of_one_is_one_whatever_the_models(
    constraint, fit_intercept, solver, kind
):
    """Constants and copies got weights of zero where a user constraint bound: their
    size was measured by the variance of their predictions, which is zero or, by
    rounding, less.
    """
    predictions, target = table(0, 30, 1)
    predictions = {
        "constants": np.full((30, 3), 1 / 3) * [1.0, 1.0, 2.0],
        "zeros": np.zeros((30, 3)),
        "copies": np.repeat(predictions, 3, axis=1),
        "perfect": np.repeat(target[:, None], 3, axis=1),
        "mixed": np.column_stack([predictions, predictions, np.full(30, 1 / 3)]),
    }[kind]
    limit = budget([1.0, 1.0, 0.0], 0.5)
    options = {"fit_intercept": fit_intercept, "solver": solver}
    for solution in (
        fitted(predictions, target, constraint, **options),
        constrained(predictions, target, constraint, limit, **options),
    ):
        assert abs(solution.weights.sum() - 1.0) < 1e-9
        assert solution.status in GOOD
        assert solution.recheck().violation < 1e-6
    assert solution.weights[:2].sum() <= 0.5 + 1e-6


# Units ----------------------------------------------------------------------------

LIMITS = {
    "max_weight": max_weight(0.4),
    "group_cap": group_cap({"a": 0.4}, families={"0": "a", "1": "a"}),
    "budget": budget([1.0, 1.0, 0.0], 0.8),
}


def unit_problem(size, what):
    rng = np.random.default_rng(5)
    target = rng.normal(size=40)
    predictions = target[:, None] + rng.normal(size=(40, 3))
    if what == "one model":
        predictions[:, 2] *= size
    elif what == "all models":
        predictions = predictions * size
    else:
        predictions, target = predictions * size, target * size
    return predictions, target


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("constraint", SUM_TO_ONE)
@pytest.mark.parametrize("what", ["one model", "all models", "everything"])
@pytest.mark.parametrize("size", [1e-8, 1e-5, 1e3, 1e5, 1e6, 1e8])
def test_units_of_models_under_limits(size, what, constraint, limit):
    """Beside a model 1e5 times larger the weights summed to 0.79, "optimal, gap 0", and
    at 1e6 feasible problems were called infeasible. Against points of the same set:
    vertices of the simplex under the limit, and mixtures of them.
    """
    predictions, target = unit_problem(size, what)
    solution = constrained(predictions, target, constraint, LIMITS[limit])
    if solution.status not in GOOD:
        # Signed weights of 1e8 on differences that the covariance has rounded away.
        assert (what, constraint, size) == ("all models", "affine", 1e-8)
        return

    assert abs(solution.weights.sum() - 1.0) < 1e-9
    rivals = {
        "max_weight": [[0.4, 0.4, 0.2], [0.4, 0.2, 0.4], [0.2, 0.4, 0.4]],
        "group_cap": [[0.4, 0.0, 0.6], [0.0, 0.4, 0.6], [0.2, 0.2, 0.6]],
        "budget": [[0.8, 0.0, 0.2], [0.0, 0.8, 0.2], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]],
    }[limit]
    left = target[:, None] - predictions @ np.array(rivals).T
    best = left.var(axis=0).min()
    assert solution.objective <= best * (1 + 1e-6)
    reached = (target - predictions @ solution.weights).var()
    assert solution.objective == pytest.approx(reached, rel=1e-6)


@pytest.mark.parametrize("size", [1e5, 1e6, 1e8])
def test_a_huge_model_that_must_have_weight(size):
    """``(.4, .4, .2)`` is the only sensible point: every bit of the third costs."""
    predictions, target = unit_problem(size, "one model")
    solution = constrained(predictions, target, "simplex", max_weight(0.4))
    assert_allclose(solution.weights, [0.4, 0.4, 0.2], atol=1e-6)
    assert solution.status is Status.OPTIMAL


@pytest.mark.parametrize("size", [1e-3, 1e3, 1e6])
@pytest.mark.parametrize("what", ["one model", "all models", "everything"])
def test_units_on_the_cone(size, what):
    """A cap that binds in the units of the models stands for the same problem."""
    plain, target = unit_problem(1.0, what)
    predictions, scaled_target = unit_problem(size, what)
    unit = {"one model": [1, 1, size], "all models": size, "everything": 1.0}[what]
    free = fitted(plain, target, "nonnegative").weights
    costs = np.ones(3) * unit
    limit, scaled = budget(list(np.ones(3)), 0.5 * free.sum()), 0.5 * free.sum()
    expected = constrained(plain, target, "nonnegative", limit)
    rescaled = constrained(
        predictions, scaled_target, "nonnegative", budget(list(costs), scaled)
    )
    assert rescaled.status in GOOD
    assert_allclose(rescaled.weights * unit, expected.weights, atol=1e-5)


def test_what_is_infeasible_is_so_in_any_units():
    for size in (1.0, 1e6):
        predictions, target = unit_problem(size, "one model")
        with pytest.raises(InfeasibleError, match=r"max_weight\(0.3\) can't hold"):
            constrained(predictions, target, "simplex", max_weight(0.3))


@pytest.mark.parametrize("constraint", ["affine", "nonnegative", "simplex"])
@pytest.mark.parametrize("missing", [False, True])
def test_labels_that_underflow_beside_a_model_are_an_error(constraint, missing):
    """Squares of 1e150 and of 1e-150 do not fit in one matrix. The intercept was NaN,
    "optimal", or the labels were taken for zeros.
    """
    rng = np.random.default_rng(0)
    target = 1e-150 * rng.normal(size=20)
    predictions = rng.normal(size=(20, 3)) * [1e150, 1.0, 1e-150]
    with pytest.raises(ValueError, match=r"model 0 .* units of the labels, or drop"):
        fitted(predictions, target, constraint)


# The rule -------------------------------------------------------------------------

NAN = float("nan")


@pytest.mark.parametrize(
    ("certificate", "good"),
    [
        (Certificate(0.0, 0.0, 0.0, 1.0), True),
        (Certificate(1e-12, 1e-12, 1e-12, 1.0), True),
        (Certificate(1e-6, 0.0, 0.0, 1.0), False),
        (Certificate(0.0, 1e-6, 0.0, 1.0), False),
        (Certificate(0.0, 0.0, 1e-6, 1.0), False),
        (Certificate(NAN, 0.0, 0.0, 1.0), False),
        (Certificate(0.0, NAN, 0.0, 1.0), False),
        (Certificate(0.0, 0.0, NAN, 1.0), False),
    ],
)
def test_every_condition_counts(certificate, good):
    """The better of two proofs used to be enough, and the sum was not asked for."""
    problem = QuadraticProblem(StackingObjective(np.eye(2)), CONSTRAINTS["simplex"])
    status = decide_status(problem, Minimum(np.full(2, 0.5), 1), certificate)
    assert (status is Status.OPTIMAL) == good


def test_rounding_excuses_nothing_where_no_digit_is_left():
    """Weights of 4e15 on zeros, made by hand: their rounding is larger than the problem
    itself, so nothing they claim counts.
    """
    predictions, target = zeros_beside_models()
    moments = Moments.from_rows(predictions, target)
    objective = StackingObjective.from_moments(
        moments, fit_intercept=False, free_slope=True
    )
    problem = QuadraticProblem(objective, CONSTRAINTS["nonnegative"], moments)
    weights = np.array([0.125, 0.311, 0.391, 4.02e15])
    certificate = problem.certify(weights)
    status = decide_status(problem, Minimum(weights, 1), certificate)
    assert status is Status.INACCURATE


# Fuzz -----------------------------------------------------------------------------


@st.composite
def degenerate_problems(draw):
    """Constants, zeros, copies, mixtures, huge and tiny columns, perfect models, few
    rows and constant labels, in any combination.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    n_rows = draw(st.integers(2, 12))
    target = np.round(rng.normal(size=n_rows), 2)
    if draw(st.integers(0, 9)) == 0:
        target = np.full(n_rows, target[0])
    kinds = {
        "model": lambda: target + rng.normal(size=n_rows),
        "noise": lambda: rng.normal(size=n_rows),
        "zero": lambda: np.zeros(n_rows),
        "constant": lambda: np.full(n_rows, rng.choice([1 / 3, 1.0, 1e3])),
        "perfect": lambda: target.copy(),
        "against": lambda: -target,
        "nearly": lambda: target + 1e-7 * rng.normal(size=n_rows),
        "huge": lambda: 1e6 * (target + rng.normal(size=n_rows)),
        "small": lambda: 1e-3 * (target + rng.normal(size=n_rows)),
    }
    columns = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from([*kinds, "copy", "mixture"]))
        if kind == "copy" and columns:
            columns.append(columns[0])
        elif kind == "mixture" and columns:
            columns.append((columns[0] + columns[-1]) / 2)
        else:
            columns.append(kinds.get(kind, kinds["model"])())
    return np.column_stack(columns), target


def claims_from_the_rows(predictions, target, weights, intercept, fit_intercept):
    """Mean squared error and its gradient in long double, and the unit of rounding."""
    long = np.longdouble
    table, goal = predictions.astype(long), target.astype(long)
    left = table @ weights.astype(long) + long(intercept) - goal
    centred = table - table.mean(axis=0) if fit_intercept else table
    # The package forms errors first, so labels are rounded once for each weight.
    sizes = (np.abs(predictions) + np.abs(target)[:, None]) @ np.abs(weights)
    sizes = sizes + np.abs(target)
    unit = float(np.mean(np.square(sizes)))
    value, gradient = (left @ left) / len(goal), 2 * centred.T @ left / len(goal)
    return float(value), gradient.astype(float), unit


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@INTERCEPT
@settings(law, max_examples=150)
@given(problem=degenerate_problems())
def test_claims_are_true_from_the_rows(constraint, fit_intercept, problem):
    """What is called optimal is feasible, has the objective that it says, and cannot be
    improved by a step towards a vertex, along an axis or towards nothing.
    """
    predictions, target = problem
    solution = fitted(predictions, target, constraint, fit_intercept=fit_intercept)
    weights = solution.weights

    assert np.isfinite(weights).all()
    assert np.isfinite(solution.intercept)
    recheck = solution.recheck()
    assert recheck.gap == pytest.approx(solution.gap, abs=1e-15)
    assert recheck.residual == pytest.approx(solution.residual, abs=1e-15)
    assert max(recheck.objective, 0.0) == solution.objective
    if solution.status not in GOOD:
        return
    # Feasible, to the letter.
    low = -np.inf if constraint == "affine" else 0.0
    assert weights.min() >= low
    if constraint != "nonnegative":
        assert abs(weights.sum() - 1.0) <= 1e-9
    value, gradient, unit = claims_from_the_rows(
        predictions, target, weights, solution.intercept, fit_intercept
    )
    assert abs(solution.objective - value) <= 1e-11 * unit
    if constraint == "uniform":
        return
    # No feasible direction descends by more than rounding: towards each vertex, along
    # each axis, and to nothing.
    size = np.sqrt(np.mean(np.square(predictions), axis=0)) + 1e-300
    ends = [*np.eye(len(weights)), np.full(len(weights), 1 / len(weights))]
    if constraint == "nonnegative":
        ends = [weights + end / size for end in ends] + [0 * weights]
    for end in ends:
        step = end - weights
        bend = predictions - predictions.mean(axis=0) if fit_intercept else predictions
        bend = float(np.mean(np.square(bend @ step)))
        slope = float(gradient @ step)
        gain = min(slope, 0.0) ** 2 / (4 * bend) if bend > 0 else 0.0
        gain = gain if -slope < 2 * bend else -slope - bend
        assert gain <= 2e-9 * (value + unit * 1e-3) + 1e-11 * unit


@settings(law, max_examples=40)
@given(problem=degenerate_problems(), cap=st.sampled_from([0.3, 0.5, 0.8]))
@pytest.mark.parametrize("constraint", SUM_TO_ONE)
def test_no_infeasible_answer_is_called_optimal(constraint, problem, cap):
    """Under a cap that may bind, or that no weights fulfil."""
    predictions, target = problem
    n_models = predictions.shape[1]
    if cap * n_models < 1:
        with pytest.raises(InfeasibleError):
            constrained(predictions, target, constraint, max_weight(cap))
        return
    solution = constrained(predictions, target, constraint, max_weight(cap))
    if solution.status in GOOD:
        assert abs(solution.weights.sum() - 1.0) <= 1e-9
        assert solution.weights.max() <= cap * (1 + 2e-6)
        assert solution.weights.min() >= (0.0 if constraint == "simplex" else -np.inf)
        uniform = np.full(n_models, 1 / n_models)
        left = (target - predictions @ uniform).var()
        assert solution.objective <= left * (1 + 1e-6) + 1e-12


@law
@given(seed=st.integers(0, 2**20), n_models=st.integers(1, 8))
def test_the_gap_of_the_simplex_is_that_of_long_double(seed, n_models):
    predictions, target = table(seed, 30, n_models)
    solution = fitted(predictions, target, "simplex")
    errors = predictions - target[:, None]
    errors = errors - errors.mean(axis=0)
    assert long_gap(errors.T @ errors / 30, solution.weights) <= solution.gap + 1e-12


def test_solve_moments_has_finite_answers_only():
    with pytest.raises(ValueError, match="not finite"):
        solve_moments(
            Moments(1.0, 1, np.array([np.nan, 0.0]), np.full((2, 2), np.nan), 1.0)
        )
