"""The linear opinion pool: derivatives, certificates, optima from many sides."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import LinearPoolObjective, VoterEstimates, solve_pool
from stackingnet_sk.weights import solve_pool_unlabelled as pool_unlabelled
from stackingnet_sk.weights.cvxpy_solver import minimize
from stackingnet_sk.weights.linear_pool import minimize_linear_pool
from stackingnet_sk.weights.pool_problem import PoolProblem

seeds = st.integers(0, 2**20)


def problem(seed, strength=None, n_models=None):
    """Probabilities sharp or blunt; copies, zeros, perfect and hopeless models."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.choice([5, 20, 100, 300]))
    n_models = n_models or int(rng.choice([1, 2, 3, 5, 10, 40]))
    sharp = rng.choice([0.1, 0.3, 1.0, 5.0])
    likelihood = rng.beta(sharp * 1.5, sharp, size=(n_rows, n_models)) + 1e-6
    likelihood = np.minimum(likelihood, 1.0)
    kind = seed % 5
    if kind == 1:
        likelihood[:, -1] = likelihood[:, 0]
    if kind == 2:
        likelihood[rng.random(likelihood.shape) < 0.3] = 0.0
    if kind == 3:
        likelihood[:, 0] = 1.0
    if kind == 4 and n_models > 1:
        likelihood[:, 0] = 0.0
    impossible = likelihood.max(axis=1) == 0
    likelihood[impossible, -1] = 0.5
    weights = rng.exponential(size=n_rows) + 0.01 if rng.random() < 0.5 else None
    weights = np.ones(n_rows) if weights is None else weights
    strength = rng.choice([0.0, 0.1, 10.0]) if strength is None else strength
    center = rng.dirichlet(np.ones(n_models))
    return LinearPoolObjective(likelihood, weights, center, float(strength))


def points(rng, n_models, n_points=10):
    """Of the simplex, vertices among them; a vertex may be impossible."""
    return [*rng.dirichlet(np.full(n_models, 0.5), n_points), *np.eye(n_models)[:3]]


def reference(objective, weights):
    """The definition, row by row; infinite where a row is impossible."""
    rows = zip(objective.likelihood, objective.weights, strict=True)
    total = 0.0
    for likelihood, weight in rows:
        chance = math.fsum(likelihood * weights)
        total -= weight * math.log(chance) if chance > 0 else -math.inf
    total += objective.strength / 2 * math.fsum((weights - objective.center) ** 2)
    return total / math.fsum(objective.weights)


@law
@given(seed=seeds)
def test_value_gradient_and_unit(seed):
    """Against the definition and its differences; the unit is the uniform loss, one
    where that is zero.
    """
    objective = problem(seed)
    rng = np.random.default_rng(seed)
    n_models = len(objective.center)
    for weights in points(rng, n_models):
        value = reference(objective, weights)
        assert objective.value(weights) == pytest.approx(value, rel=1e-12)
    weights = rng.dirichlet(np.full(n_models, 5.0)) * 0.9 + 0.1 / n_models
    step = 1e-6 * np.eye(n_models) * weights
    around = [(weights + e, weights - e) for e in step]
    rise = [reference(objective, a) - reference(objective, b) for a, b in around]
    slopes = np.array(rise) / (2e-6 * weights)
    assert_allclose(objective.gradient(weights), slopes, rtol=1e-5, atol=1e-6)
    plain = replace(objective, strength=0.0)
    uniform = reference(plain, np.full(n_models, 1 / n_models))
    # Next to no loss at all, the unit is a thousandth.
    assert objective.scale == pytest.approx(max(uniform, 1e-3), rel=1e-12)


@law
@given(seed=seeds)
def test_expansion_is_the_objective_to_second_order(seed):
    """Value and gradient (but for a constant, which the simplex doesn't see) at the
    point; and the regression's curvature is that of the objective.
    """
    objective = problem(seed, strength=2.0, n_models=4)
    rng = np.random.default_rng(seed)
    weights, other = rng.dirichlet(np.full(4, 5.0), 2)
    found = objective.expand(weights)
    assert found.value == pytest.approx(objective.value(weights), rel=1e-12)
    off = found.gradient - objective.gradient(weights)
    assert_allclose(off, off[0], atol=1e-10)

    move = other - weights
    step = 1e-4 * move
    three = [objective.value(weights + t * step) for t in (-1, 0, 1)]
    bend = (three[0] - 2 * three[1] + three[2]) / 1e-8
    assert move @ found.model.error @ move == pytest.approx(bend, rel=1e-2, abs=1e-4)


@settings(law, max_examples=300)
@given(seed=seeds)
def test_optimum_and_a_bound_that_is_true(seed):
    """On the simplex, at rounding, and every point's certificate bounds how far it is
    above.
    """
    objective = problem(seed)
    found, _ = minimize_linear_pool(objective)
    assert objective.certify(found)[0] <= 1e-12
    assert (found >= 0).all()
    assert abs(found.sum() - 1) <= 1e-12
    optimum = objective.value(found)
    rng = np.random.default_rng(seed)
    for point in points(rng, len(found), 5):
        for near in (1.0, 0.01):
            weights = near * point + (1 - near) * found
            value = objective.value(weights)
            assert value >= optimum - 1e-12 * objective.scale
            if value < np.inf:
                gap = objective.certify(weights)[0] * objective.scale
                assert value - optimum <= gap + 1e-12 * objective.scale


def test_certificate_sees_what_is_not_on_the_simplex():
    """Weights that sum to less, or are negative, may look better than the optimum."""
    objective = problem(0, strength=1.0, n_models=3)
    found, _ = minimize_linear_pool(objective)

    assert objective.certify(found)[1] <= 1e-12
    assert objective.certify(found * 0.999)[1] >= 1e-3 - 1e-12
    assert objective.certify(found - np.array([0, found[1] + 1e-3, 0]))[1] >= 1e-3


@pytest.mark.parametrize("strength", [5.0, 200.0])
def test_constructed_optima(strength):
    """``g = l 1 + s`` with ``s >= 0`` and ``w's = 0``, solved for the centre."""
    for seed in range(50):
        plain = problem(seed, strength=strength)
        rng = np.random.default_rng(seed)
        weights = rng.dirichlet(np.ones(len(plain.center)))
        slack = rng.exponential(size=len(weights)) * (rng.random(len(weights)) < 0.5)
        slack[0] = 0.0
        weights = np.where(slack > 0, 0, weights)
        weights = weights / weights.sum()
        # Ratios of up to twenty leave the centre near enough to resolve the weights.
        plain = replace(plain, likelihood=np.maximum(plain.likelihood, 0.05))
        own = (plain.weights / (plain.likelihood @ weights)) @ plain.likelihood
        center = weights - (own + slack) / strength
        center += (1 - center.sum()) / len(weights)
        found, _ = minimize_linear_pool(replace(plain, center=center))
        assert_allclose(found, weights, rtol=0, atol=1e-7)


def test_fixed_point_of_expectation_maximization():
    """Without a prior: ``w_m <- mean of w_m a_im / a_i'w``, which needs thousands."""
    for seed in (0, 2, 3, 10, 15):
        objective = problem(seed, strength=0.0, n_models=4)
        weights, share = np.full(4, 0.25), objective.weights / objective.total
        for _ in range(20_000):
            pooled = objective.likelihood @ weights
            weights = weights * ((share / pooled) @ objective.likelihood)
        found, iterations = minimize_linear_pool(objective)
        assert objective.value(found) <= objective.value(weights) + 1e-14
        assert_allclose(found, weights, atol=1e-4)
        assert iterations < 20


def test_cvxpy_finds_the_same():
    for seed in range(24):
        objective = problem(seed)
        found, _ = minimize_linear_pool(objective)
        other = np.maximum(minimize(PoolProblem(objective, 2).conic()).point, 0)
        other /= other.sum()
        value, unit = objective.value(found), objective.scale
        assert value <= objective.value(other) + 1e-12 * unit
        assert objective.value(other) <= value + 1e-7 * unit
        if objective.strength > 1:
            assert_allclose(other, found, atol=1e-3)


@law
@given(seed=seeds)
def test_order_of_models_and_rows_is_of_no_account(seed):
    objective = problem(seed, strength=10.0)
    rng = np.random.default_rng(seed)
    models = rng.permutation(len(objective.center))
    rows = rng.permutation(len(objective.weights))
    other = LinearPoolObjective(
        objective.likelihood[np.ix_(rows, models)],
        objective.weights[rows],
        objective.center[models],
        10.0,
    )
    found, permuted = (minimize_linear_pool(each)[0] for each in (objective, other))
    assert_allclose(permuted, found[models], rtol=0, atol=1e-9)


def test_perfect_model_takes_all_and_copies_are_pulled_alike():
    likelihood = np.random.default_rng(0).uniform(0.2, 0.9, (40, 3))
    likelihood[:, 1] = 1.0
    uniform = np.full(3, 1 / 3)
    objective = LinearPoolObjective(likelihood, np.ones(40), uniform, 0.0)
    assert_allclose(minimize_linear_pool(objective)[0], [0, 1, 0], atol=1e-12)

    likelihood[:, 1] = likelihood[:, 0]
    objective = LinearPoolObjective(likelihood, np.ones(40), uniform, 1.0)
    found, _ = minimize_linear_pool(objective)
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    every = LinearPoolObjective(np.ones((40, 3)), np.ones(40), uniform, 1.0)
    assert_allclose(minimize_linear_pool(every)[0], uniform, atol=1e-12)


@pytest.mark.parametrize("given_up", [False, True])
def test_many_rows_start_from_some_of_them(given_up):
    """A row may be possible only for a model that is of no use on those."""
    rng = np.random.default_rng(0)
    likelihood = rng.beta(3, 1, size=(70_000, 4))
    if given_up:
        likelihood[:, 3] = 1e-3
        likelihood[7] = [0, 0, 0, 1]
    uniform = np.full(4, 0.25)
    objective = LinearPoolObjective(likelihood, np.ones(70_000), uniform, 10.0)
    found, _ = minimize_linear_pool(objective)

    assert objective.certify(found)[0] <= 1e-11
    assert (found[3] < 1e-3) == given_up
    assert found[3] > 0


def answers(seed, n_rows=60, n_models=4):
    """Probabilities of the labels, and the panel of the votes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_rows)
    likelihood = rng.beta(3, 1.5, size=(n_rows, n_models))
    votes = np.where(likelihood > 0.5, truth[:, None], 1 - truth[:, None])
    return likelihood, VoterEstimates.from_counts(VoteCounts.from_rows(votes, truth, 2))


def test_impossible_rows_and_rows_without_weight_do_not_count():
    """All models say no to them, so they can't say who is better."""
    likelihood, panel = answers(0)
    prior, weights = np.array([0.5, 0.5]), np.ones(60)
    plain = solve_pool(likelihood, weights, panel, prior, shrinkage=5.0)
    more = np.concatenate([np.zeros((3, 4)), likelihood, np.full((2, 4), 0.5)])
    before = more.copy()
    heavy = np.concatenate([np.ones(3), weights, np.zeros(2)])
    other = solve_pool(more, heavy, panel, prior, shrinkage=5.0)

    assert_array_equal(other.weights, plain.weights)
    assert other.objective == plain.objective
    assert_array_equal(more, before)
    nothing = solve_pool(0 * likelihood, weights, panel, prior, shrinkage=5.0)
    free = pool_unlabelled(panel, prior)
    assert_array_equal(nothing.weights, free.weights)
    assert nothing.status is free.status


@pytest.mark.parametrize("least", [1e-10, 1e-50, 1e-200, 1e-300])
def test_confident_and_wrong(least):
    """One such row must not take a Newton step for each bit that it lost."""
    table = np.vstack([np.tile([0.9, 0.1], (2000, 1)), [[least, 1.0]]])
    objective = LinearPoolObjective(table, np.ones(2001), np.full(2, 0.5), 10.0)
    found, iterations = minimize_linear_pool(objective)

    assert objective.certify(found)[0] <= 1e-12
    assert iterations <= 15
