"""The kernel on constructed optima, hard matrices, and certificates that can fail."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import nnls
from weights_problems import law, long_gap, random_covariance, table

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import (
    CONSTRAINTS,
    Certificate,
    StackingObjective,
    Status,
    solve,
    solve_moments,
)
from stackingnet_sk.weights.certified import decide_status
from stackingnet_sk.weights.problem import Minimum
from stackingnet_sk.weights.quadratic_problem import QuadraticProblem

SETS = pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])


def complement(rng, weights):
    """Positive definite but for the direction of the weights, where it is zero."""
    n_models = len(weights)
    away = np.eye(n_models) - np.outer(weights, weights) / (weights @ weights)
    return away @ random_covariance(rng, n_models) @ away


def support_and_slack(rng, n_models):
    active = rng.random(n_models) < rng.choice([0.1, 0.5, 0.9])
    active[rng.integers(n_models)] = True
    weights = np.where(active, rng.uniform(0.1, 1.0, n_models), 0.0)
    slack = np.where(active, 0.0, rng.uniform(0.01, 1.0, n_models))
    return weights, slack


def simplex_problem(rng, n_models):
    """``Cw = l 1 + s`` with ``s >= 0`` and ``w's = 0`` makes ``w`` the optimum."""
    weights, slack = support_and_slack(rng, n_models)
    weights = weights / weights.sum()
    multiplier = rng.uniform(0.1, 2.0)
    image = multiplier + slack
    error = np.outer(image, image) / multiplier + complement(rng, weights)
    return StackingObjective((error + error.T) / 2), weights


def cone_problem(rng, n_models):
    """``Gw - sigma^2 (1 - a'w) a = s`` with ``s >= 0`` and ``w's = 0``, likewise."""
    weights, slack = support_and_slack(rng, n_models)
    slopes = rng.uniform(-0.5, 1.5, n_models)
    slopes[weights > 0] = np.abs(slopes[weights > 0]) + 0.1
    weights *= rng.uniform(0.2, 0.95) / (slopes @ weights)
    target = rng.uniform(0.1, 5.0)
    image = target * (1.0 - slopes @ weights) * slopes + slack
    rest = np.outer(image, image) / (weights @ image) + complement(rng, weights)
    error_target = target * (slopes - 1.0)
    error = rest + np.outer(error_target, error_target) / target
    return StackingObjective((error + error.T) / 2, error_target, target), weights


PROBLEMS = {"nonnegative": cone_problem, "simplex": simplex_problem}


@SETS
@law
@given(seed=st.integers(0, 2**20), n_models=st.integers(1, 30))
def test_constructed_optima_are_found(constraint, seed, n_models):
    objective, weights = PROBLEMS[constraint](np.random.default_rng(seed), n_models)
    solution = solve(objective, constraint)
    assert_allclose(solution.weights, weights, rtol=0, atol=1e-10 * weights.max())
    assert solution.gap <= 1e-12
    assert solution.residual <= 1e-12
    assert solution.status is Status.OPTIMAL


@SETS
@pytest.mark.parametrize("n_models", [64, 65, 70, 128, 250, 400])
@pytest.mark.parametrize("seed", range(3))
def test_constructed_optima_of_many_models(constraint, n_models, seed):
    """Above 64 models the free block grows from the best few; seeds vary from a tenth
    to nine tenths active.
    """
    objective, weights = PROBLEMS[constraint](np.random.default_rng(seed), n_models)
    solution = solve(objective, constraint)
    assert_allclose(solution.weights, weights, rtol=0, atol=1e-9 * weights.max())
    assert solution.gap <= 1e-12
    assert_allclose(solution.weights > 0, weights > 0)


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
@pytest.mark.parametrize("n_models", [100, 300])
def test_growth_path_in_which_few_or_all_models_count(share, n_models):
    """Errors along the first models' mean push the others out, or nothing does."""
    rng = np.random.default_rng(n_models)
    loadings = np.linspace(0.1, 3.0, n_models) if share < 1 else np.full(n_models, 0.1)
    error = np.outer(loadings, loadings) + share * np.diag(
        rng.uniform(0.5, 1.5, n_models)
    )
    solution = solve(StackingObjective(error), "simplex")
    assert long_gap(error, solution.weights) <= 1e-13
    if share == 1:
        assert (solution.weights > 0).all()
    else:
        assert 0 < np.count_nonzero(solution.weights) < n_models


@pytest.mark.parametrize("n_models", [1, 2, 5, 40])
def test_affine_is_the_explicit_formula(n_models):
    """Perrone and Cooper (1993): ``C^-1 1 / (1'C^-1 1)`` and error ``1/(1'C^-1 1)``."""
    for seed in range(20):
        error = random_covariance(np.random.default_rng(seed), n_models, 50.0)
        row = np.linalg.inv(error).sum(axis=1)
        solution = solve(StackingObjective(error), "affine")
        assert_allclose(solution.weights, row / row.sum(), rtol=1e-9, atol=1e-12)
        assert solution.objective == pytest.approx(1.0 / row.sum(), rel=1e-11)


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_affine_on_the_null_space(rank):
    """``N1 / (1'N1)``: of all errorless weights the least."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.standard_normal((7, 7)))[0]
        kept, null = basis[:, :rank], basis[:, rank:]
        error = kept @ np.diag(rng.uniform(0.5, 2.0, rank)) @ kept.T
        ones = null @ null.sum(axis=0)
        solution = solve(StackingObjective((error + error.T) / 2), "affine")
        assert_allclose(solution.weights, ones / ones.sum(), rtol=1e-9, atol=1e-11)
        # Rounding of the covariance itself, times the weights.
        assert solution.objective < 1e-15 * (1 + solution.weights @ solution.weights)
        unique = rank == 6
        assert (solution.status is Status.OPTIMAL) == unique


def test_affine_pseudo_inverse():
    """Where the null space sums to zero no weights are perfect, and ``C^+ 1`` is best.
    Copies of models are the common case.
    """
    rng = np.random.default_rng(0)
    small = random_covariance(rng, 3)
    copies = np.array([0, 1, 1, 2, 2, 2])
    error = small[np.ix_(copies, copies)]
    solution = solve(StackingObjective(error), "affine")
    row = np.linalg.pinv(error, hermitian=True).sum(axis=1)
    assert_allclose(solution.weights, row / row.sum(), rtol=1e-10)
    assert solution.status is Status.MINIMUM_NORM


def degenerate(seed):
    """Copies, mixtures of other models, and more models than rows."""
    rng = np.random.default_rng(seed)
    n_models = int(rng.integers(3, 9))
    rows = rng.standard_normal((int(rng.integers(1, 5)), n_models))
    rows += rng.choice([0.0, 1.0, 3.0])
    if seed % 3 == 0:
        rows[:, 1] = rows[:, 0]
    if seed % 3 == 1:
        rows[:, 2] = (rows[:, 0] + rows[:, 1]) / 2
    return rows


def least_norm_reference(rows, slopes=None, target=None):
    """Second solve ``min |w|^2`` on the optimal face of the first, both as NNLS, with
    the constraints ``Rw = Rw*`` weighted by 1e5.
    """
    if slopes is None:
        system = np.vstack((rows, np.ones(rows.shape[1])))
        goal = np.append(np.zeros(len(rows)), 1.0)
        weights = nnls(system, goal)[0]
        weights /= weights.sum()
        constraints = system
    else:
        constraints = np.vstack((rows, np.sqrt(target) * slopes))
        goal = np.append(np.zeros(len(rows)), np.sqrt(target))
        weights = nnls(constraints, goal)[0]
    values = constraints @ weights
    stacked = np.vstack((1e5 * constraints, np.eye(rows.shape[1])))
    goal = np.concatenate((1e5 * values, np.zeros(rows.shape[1])))
    return nnls(stacked, goal)[0]


@pytest.mark.parametrize("seed", range(60))
def test_of_several_optima_the_least(seed):
    """Against a penalized second solve, which is off by 1e-10 of the multipliers."""
    rows = degenerate(seed)
    solution = solve(StackingObjective(rows.T @ rows), "simplex")
    reference = least_norm_reference(rows)
    assert_allclose(solution.weights, reference, rtol=0, atol=1e-6)
    assert solution.status is not Status.INACCURATE


@pytest.mark.parametrize("seed", range(60))
def test_of_several_optima_on_the_cone_the_least(seed):
    rows = degenerate(seed)
    rng = np.random.default_rng(seed)
    slopes = rng.uniform(0.3, 1.5, rows.shape[1])
    if seed % 3 == 0:
        slopes[1] = slopes[0]
    if seed % 3 == 1:
        slopes[2] = (slopes[0] + slopes[1]) / 2
    error_target = slopes - 1.0
    error = rows.T @ rows + np.outer(error_target, error_target)
    solution = solve(StackingObjective(error, error_target, 1.0), "nonnegative")
    reference = least_norm_reference(rows, slopes, 1.0)
    assert_allclose(solution.weights, reference, rtol=0, atol=1e-6)
    assert solution.status is not Status.INACCURATE


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-30, 1e30, 1e200, 1e280])
@pytest.mark.parametrize("constraint", ["affine", "simplex", "nonnegative"])
@pytest.mark.parametrize("singular", [False, True])
def test_size_of_the_covariance_is_of_no_account(factor, constraint, singular):
    """Without over- or underflow anywhere, in the pivoting and in its fallback."""
    objective, _ = cone_problem(np.random.default_rng(1), 6)
    if singular:
        both = np.array([0, 1, 2, 3, 4, 5, 0, 3])
        objective = objective.restricted(both)
    scaled = StackingObjective(
        factor * objective.error,
        factor * objective.error_target,
        factor * objective.target,
    )
    plain, found = solve(objective, constraint), solve(scaled, constraint)
    assert_allclose(found.weights, plain.weights, rtol=0, atol=1e-12)
    assert found.objective / factor == pytest.approx(plain.objective, rel=1e-11)
    assert found.certificate <= 1e-12
    assert found.status is plain.status


# Certificates ---------------------------------------------------------------------


@SETS
@law
@given(
    seed=st.integers(0, 2**20),
    n_models=st.integers(1, 12),
    away=st.sampled_from([1e-6, 1e-3, 0.1, 1.0, 30.0]),
)
def test_gap_bounds_the_distance_to_the_optimum(constraint, seed, n_models, away):
    """At any feasible weights, near and far; the optimum is known by construction."""
    rng = np.random.default_rng(seed)
    objective, optimum = PROBLEMS[constraint](rng, n_models)
    other = optimum + away * rng.exponential(size=n_models)
    if constraint == "simplex":
        other /= other.sum()
    gap, residual = CONSTRAINTS[constraint].certify(objective, other)
    distance = objective.value(other) - objective.value(optimum)
    unit = objective.scale
    if constraint == "nonnegative":
        unit = max(unit, objective.target)
    # One part in 1e12 for rounding: both sides are differences of larger numbers.
    rounding = 1e-12 * max(unit, objective.value(other))
    assert gap * unit >= distance - rounding
    assert residual >= 0


@law
@given(seed=st.integers(0, 2**20), n_models=st.integers(1, 6))
def test_gap_on_the_cone_is_sharp_along_rays(seed, n_models):
    """What the slice ``a'w = 1`` cannot see is the length, which ``f(w)`` itself has:
    at the optimal direction the gap is the distance, not just a bound.
    """
    rng = np.random.default_rng(seed)
    objective, optimum = cone_problem(rng, n_models)
    for length in (0.3, 0.99, 1.01, 4.0):
        gap, _ = CONSTRAINTS["nonnegative"].certify(objective, length * optimum)
        distance = objective.value(length * optimum) - objective.value(optimum)
        at_optimum, _ = CONSTRAINTS["nonnegative"].certify(objective, optimum)
        assert at_optimum <= 1e-12
        far, _ = CONSTRAINTS["nonnegative"].certify(objective, 10.0 * optimum)
        # In the unit of the certificate, whichever that is.
        unit = objective.value(10.0 * optimum) - objective.value(optimum)
        assert gap / far == pytest.approx(distance / unit, rel=1e-6)


@pytest.mark.parametrize("constraint", ["affine", "nonnegative", "simplex"])
@pytest.mark.parametrize("away", [1e-4, 1e-2, 0.5])
@pytest.mark.parametrize("seed", range(10))
def test_certificates_can_fail(constraint, away, seed):
    """Moved weights are feasible but not certified; the farther, the less."""
    rng = np.random.default_rng(seed)
    objective, _ = PROBLEMS.get(constraint, simplex_problem)(rng, 8)
    solution = solve(objective, constraint)
    direction = rng.exponential(size=8)
    moved = solution.weights + away * direction
    if constraint != "nonnegative":
        moved /= moved.sum()
    gap, residual = CONSTRAINTS[constraint].certify(objective, moved)
    assert min(gap, residual) > 1e-9
    assert residual > 1e3 * solution.residual
    # A relative excess of 1e-6 of the objective is no optimum.
    assert objective.value(moved) > solution.objective


@SETS
@pytest.mark.parametrize("size", [1e3, 1e6, 1e10])
def test_one_huge_model_does_not_certify_the_rest(constraint, size):
    """Measured by the average of all models, any weights of the others would pass."""
    rng = np.random.default_rng(0)
    error = np.diag([0.1, 0.2, 0.4, 1.0, size**2])
    extra = (np.zeros(5), 2.0) if constraint == "nonnegative" else ()
    objective = StackingObjective(error, *extra)
    solution = solve(objective, constraint)
    assert solution.status is Status.OPTIMAL
    for _ in range(10):
        weights = np.append(rng.dirichlet(np.ones(4)), 0.0)
        assert objective.value(weights) > 1.01 * solution.objective
        gap, residual = CONSTRAINTS[constraint].certify(objective, weights)
        assert min(gap, residual) > 1e-3


def test_predictions_that_spread_too_much_do_not_certify_any_slope():
    """1000 times too much: the average's error is 1e6 times that of the optimum."""
    predictions, target = table(1, 100, 4)
    moments = Moments.from_rows(1000.0 * predictions, target)
    objective = StackingObjective.from_moments(
        moments, fit_intercept=True, free_slope=True
    )
    solution = solve(objective, "nonnegative")
    moved = 1.01 * solution.weights
    assert objective.value(moved) > 1.0001 * solution.objective
    gap, residual = CONSTRAINTS["nonnegative"].certify(objective, moved)
    assert min(gap, residual) > 1e-6


def test_infeasible_weights_are_not_certified():
    """Sets judge optimality; feasibility is judged in one place, for all of them."""
    objective, _ = cone_problem(np.random.default_rng(2), 4)
    for constraint, weights in (
        ("simplex", np.array([0.5, 0.5, 0.5, -0.5])),
        ("simplex", np.full(4, 0.3)),
        ("affine", np.full(4, 0.3)),
        ("nonnegative", np.array([0.1, 0.1, 0.1, -0.1])),
        ("uniform", np.array([0.25, 0.25, 0.3, 0.2])),
    ):
        problem = QuadraticProblem(objective, CONSTRAINTS[constraint])
        certificate = problem.certify(weights)
        assert certificate.residual > 1e-3
        assert certificate.residual >= certificate.violation
        if constraint != "uniform":
            assert certificate.violation > 0.09


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@pytest.mark.parametrize("solver", ["auto", "cvxpy"])
def test_status_of_a_solver_that_is_wrong(constraint, solver, monkeypatch):
    """The certificate, not the solver, has the last word."""
    objective, _ = cone_problem(np.random.default_rng(3), 4)
    assert solve(objective, constraint, solver).status in {
        Status.OPTIMAL,
        Status.FEASIBLE,
    }
    wrong = np.array([0.7, 0.1, 0.1, 0.1])
    broken = replace(
        CONSTRAINTS[constraint], optimize=lambda objective: (wrong, 1, True)
    )
    monkeypatch.setitem(CONSTRAINTS, constraint, broken)
    found = solve(objective, constraint)
    assert found.status is Status.INACCURATE
    assert "not certified" in repr(found)


def test_uniform_is_uniform_by_any_solver():
    objective = StackingObjective(np.diag([1.0, 3.0]))
    for solver in ("auto", "cvxpy"):
        solution = solve(objective, "uniform", solver)
        assert_allclose(solution.weights, 0.5, rtol=1e-15)
        assert solution.status is Status.FEASIBLE
        assert solution.objective == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("constraint", ["simplex", "nonnegative", "affine"])
def test_certificate_is_what_the_status_is_decided_by(constraint):
    """One figure alone is no proof: rounding can make a gap of zero."""
    objective = StackingObjective(np.diag([1.0, 3.0]), np.array([0.1, 0.2]), 1.0)
    solution = solve(objective, constraint)
    assert solution.certificate <= 1e-9
    problem = solution.problem
    for certificate in (
        Certificate(0.0, 7e16, 0.0, 1.0),
        Certificate(0.0, 0.0, 1e-3, 1.0),
    ):
        status = decide_status(problem, Minimum(solution.weights, 1), certificate)
        assert status is Status.INACCURATE


# Hard problems --------------------------------------------------------------------


@pytest.mark.parametrize("condition", [1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("n_models", [2, 10, 64, 65, 150])
def test_ill_conditioned(condition, n_models):
    """Eigenvalues over twelve decades: certified, on the simplex and on the cone. The
    covariance itself is rounded at 1e-16, so that less than 1e-9 of the uniform error
    cannot be asked for.
    """
    for seed in range(3):
        rng = np.random.default_rng(seed)
        error = random_covariance(rng, n_models, condition)
        solution = solve(StackingObjective(error), "simplex")
        assert long_gap(error, solution.weights) <= 1e-9
        assert solution.status is not Status.INACCURATE
        slopes = rng.uniform(0.5, 1.5, n_models)
        full = error + np.outer(slopes - 1.0, slopes - 1.0)
        solution = solve(StackingObjective(full, slopes - 1.0, 1.0), "nonnegative")
        assert solution.certificate <= 1e-9
        assert np.isfinite(solution.weights).all()


DIFFERENCES = [1e-3, 1e-6, 1e-7, 1e-8, 3e-9, 1e-9, 1e-10, 1e-12, 1e-15]


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("shape", [(200, 2), (20, 2), (50, 10), (200, 40), (100, 80)])
def test_near_duplicates(difference, shape):
    """Half of the models nearly copy the others. Somewhere in between they become
    copies for all that rounding can tell: no cliff, always certified.
    """
    n_rows, n_models = shape
    for seed in range(4):
        predictions, target = table(seed, *shape)
        rng = np.random.default_rng(seed)
        half = n_models // 2
        errors = predictions - target[:, None]
        noise = difference * rng.standard_normal((n_rows, half))
        errors[:, -half:] = errors[:, :half] + noise * errors[:, :half].std(axis=0)
        moments = Moments.from_rows(target[:, None] + errors, target)
        for constraint in ("simplex", "nonnegative"):
            objective = StackingObjective.from_moments(
                moments, fit_intercept=True, free_slope=constraint == "nonnegative"
            )
            solution = solve(objective, constraint)
            assert solution.status is not Status.INACCURATE
            assert solution.certificate <= 1e-9
            if constraint == "simplex":
                assert long_gap(objective.error, solution.weights) <= 1e-9
        # Signed weights make a regressor of each difference, until it is less than the
        # rank tolerance, 1e-12 of the variance: there one part in 1e6 may be lost.
        objective = StackingObjective.from_moments(moments, fit_intercept=True)
        signed = solve(objective, "affine")
        assert np.isfinite(signed.weights).all()
        best = solve(objective, "simplex").objective
        assert signed.objective <= best * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(50, 300), (15, 80), (5, 400)])
@SETS
def test_far_more_models_than_rows(shape, constraint):
    for seed in range(2):
        predictions, target = table(seed, *shape)
        moments = Moments.from_rows(predictions, target)
        objective = StackingObjective.from_moments(
            moments, fit_intercept=True, free_slope=constraint == "nonnegative"
        )
        solution = solve(objective, constraint)
        assert solution.certificate <= 1e-12
        assert solution.status is not Status.INACCURATE


@SETS
def test_models_nearly_perfect_next_to_a_prior(constraint):
    """Errors of 1e-7 next to a penalty of size one leave few digits of the errors; what
    is left is certified as far as rounding allows, and close to the best.
    """
    for seed in range(10):
        rng = np.random.default_rng(seed)
        target = rng.standard_normal(60)
        predictions = target[:, None] + 1e-7 * rng.standard_normal((60, 4))
        moments = Moments.from_rows(predictions, target)
        for shrinkage in (0.0, 100.0):
            solution = solve_moments(moments, constraint, shrinkage=shrinkage)
            assert solution.status is not Status.INACCURATE
        assert_allclose(
            solve_moments(moments, "affine", shrinkage=100.0).weights, 0.25, atol=1e-6
        )


@SETS
def test_optimum_is_continuous(constraint):
    """A change of 1e-9 of the problem changes well-conditioned weights by about that,
    also where a model enters or leaves.
    """
    for seed in range(20):
        rng = np.random.default_rng(seed)
        objective, _ = PROBLEMS[constraint](rng, 12)
        other, _ = PROBLEMS[constraint](rng, 12)
        before = solve(objective, constraint).weights
        for share in np.linspace(0, 1, 30)[1:]:
            steps = []
            for at in (share, share + 1e-9):
                between = StackingObjective(
                    (1 - at) * objective.error + at * other.error,
                    None
                    if objective.error_target is None
                    else (1 - at) * objective.error_target + at * other.error_target,
                    (1 - at) * objective.target + at * other.target,
                )
                steps.append(solve(between, constraint).weights)
            assert np.abs(steps[1] - steps[0]).max() < 1e-6
            assert np.abs(steps[0] - before).max() < 1.0
            before = steps[0]


def test_objective_is_continuous_where_models_become_copies():
    """Weights may jump to equal shares there; the error must not."""
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((30, 4))
    noise = rng.standard_normal(30)
    values = []
    for difference in np.geomspace(1e-16, 1e-2, 57):
        copies = np.column_stack((rows, rows[:, 0] + difference * noise))
        error = copies.T @ copies
        values.append(solve(StackingObjective(error), "simplex").objective)
    exact = solve(StackingObjective(rows.T @ rows), "simplex").objective
    distance = np.abs(np.array(values) - exact) / exact
    assert (distance <= 10 * np.geomspace(1e-16, 1e-2, 57) + 1e-9).all()


@pytest.mark.parametrize("constraint", ["affine", "nonnegative", "simplex"])
def test_objective_and_gradient_agree(constraint):
    """Central differences of a quadratic are exact but for rounding."""
    objective, _ = cone_problem(np.random.default_rng(6), 5)
    weights = solve(objective, constraint).weights + 0.1
    numeric = [
        (objective.value(weights + step) - objective.value(weights - step)) / 2e-3
        for step in 1e-3 * np.eye(5)
    ]
    assert_allclose(objective.gradient(weights), numeric, rtol=1e-9, atol=1e-11)


def test_completed_square_is_the_same_objective():
    """``f(w) = w'Gw + sigma^2 (1 - a'w)^2`` at any weights."""
    rng = np.random.default_rng(7)
    objective, _ = cone_problem(rng, 5)
    for _ in range(20):
        weights = rng.standard_normal(5)
        square = weights @ objective.free_slope_error @ weights
        square += objective.target * (1.0 - objective.slopes @ weights) ** 2
        assert objective.value(weights) == pytest.approx(square, rel=1e-11)


def test_inputs_are_kept():
    for constraint in CONSTRAINTS:
        objective, _ = cone_problem(np.random.default_rng(8), 6)
        before = objective.error.copy(), objective.error_target.copy()
        objective.error.flags.writeable = False
        objective.error_target.flags.writeable = False
        solve(objective, constraint)
        assert (objective.error == before[0]).all()
        assert (objective.error_target == before[1]).all()


def test_second_solve_never_costs_the_optimum():
    """Found among 2,000 random tables: copies up to 1e-8 of a hundred models on fifty
    rows, where the least-norm step on a face only nearly flat took the objective
    from 0.0045 to 355. What the first solve had, the second must not lose.
    """
    rng = np.random.default_rng(1053)
    rng.choice(13), rng.random(), rng.choice(9), rng.choice(5)  # as it was found
    target = rng.standard_normal(50) * rng.choice([0.1, 1.0, 10.0])
    target += rng.choice([0.0, 3.0])
    common = rng.standard_normal((50, 1))
    rho = rng.choice([0.0, 0.5, 0.9, 0.99, 0.999])
    errors = np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.standard_normal((50, 100))
    errors *= np.exp(rng.standard_normal(100) * rng.choice([0.0, 0.3, 1.0]))
    predictions = errors + target[:, None]
    source = predictions[:, rng.integers(0, 50, 50)]
    noise = rng.standard_normal((50, 50))
    predictions[:, 50:] = source + 1e-8 * np.abs(source).std() * noise
    solution = solve_moments(Moments.from_rows(predictions, target), "nonnegative")
    assert solution.objective < 0.005
    assert solution.status is not Status.INACCURATE


def test_slopes_that_are_rounding_next_to_models_that_run_against_the_target():
    """With five labels: constant models, whose slopes are zero to rounding, and models
    with negative slopes. Nothing helps, so nothing gets weight; scipy's nnls, given
    1e-16 beside -2, returned weights of 0.06.
    """
    rng = np.random.default_rng(0)
    target = rng.standard_normal(5)
    predictions = np.column_stack(
        [-k * target + 0.3 * rng.standard_normal(5) for k in (1.0, 0.5, 2.0)]
        + [np.full(5, 0.1), np.full(5, 0.7)]
    )
    more = rng.standard_normal((40, 5)) + rng.standard_normal((40, 1))
    moments = Moments.from_rows(predictions, target)
    prediction_moments = moments.without_labels().merge(
        Moments.from_rows(more, np.zeros(40))
    )
    solution = solve_moments(
        moments, shrinkage=10.0, prediction_moments=prediction_moments
    )
    assert solution.status is Status.OPTIMAL
    assert_allclose(solution.weights, 0.0, atol=1e-12)


def test_small_positive_slopes_beside_large_negative_ones():
    """The certificate of the cone must hold whatever the signs and sizes of slopes."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        n_models = int(rng.integers(2, 24))
        error = random_covariance(rng, n_models, 100.0)
        slopes = rng.choice([-1.0, 1e-6, 1e-10, 0.0, 1.0], n_models)
        target = 1.0
        error_target = (slopes - 1.0) * target
        objective = StackingObjective(
            error + np.outer(error_target, error_target) / target, error_target, target
        )
        assert solve(objective, "nonnegative").status is not Status.INACCURATE
