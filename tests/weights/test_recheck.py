"""A solution can be asked again: the certificate is recomputed from its problem."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from weights_problems import fitted, table

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import at_most_models, bounded_group_loss, max_weight
from stackingnet_sk.datasets import make_experts
from stackingnet_sk.weights import CONSTRAINTS, Certificate, Status

UNITS = [1.0, 1e-9, 1e150]


def numbers(seed=0, unit=1.0):
    predictions, target = table(seed, 60, 5)
    return predictions * unit, target * unit


def agrees(solution):
    """What recheck says is what the solution says, in the units of the user."""
    certificate = solution.recheck()
    figures = [*vars(certificate).values(), solution.gap, solution.residual]
    figures += [solution.objective, solution.violation, solution.certificate]
    assert {type(figure) for figure in figures} == {float}
    assert certificate.objective == pytest.approx(solution.objective, rel=1e-9)
    assert certificate.gap == pytest.approx(solution.gap, rel=1e-6, abs=1e-9)
    assert certificate.residual == pytest.approx(solution.residual, rel=1e-6, abs=1e-9)
    assert certificate.violation == pytest.approx(solution.violation, abs=1e-12)


def voters():
    skill = [0.9, 0.8, 0.7, 0.6]
    return make_experts(120, 4, n_classes=2, accuracy=skill, random_state=0)


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("unit", UNITS)
def test_regressors(constraint, fit_intercept, unit):
    """The objective is the mean squared error of what the model predicts."""
    X, y = numbers(unit=unit)
    model = StackingNetRegressor(
        constraint=constraint, fit_intercept=fit_intercept, shrinkage=0
    ).fit(X, y)
    agrees(model.solution_)
    error = np.mean(np.square((model.predict(X) - y) / unit)) * unit * unit
    assert model.solution_.recheck().objective == pytest.approx(error, rel=1e-10)
    agrees(StackingNetRegressor(constraint=constraint).fit(X, y).solution_)


def test_models_without_weight_are_known_by_the_problem():
    """Constants and models that never answer are left out of the problem and come back
    with a weight of zero; any other weight of theirs is not the problem's.
    """
    X, y = numbers()
    X = np.insert(X, 1, 3.0, axis=1)
    X = np.insert(X, 3, np.nan, axis=1)
    X[::7, 0] = np.nan
    with pytest.warns(UserWarning, match="never answer"):
        solution = StackingNetRegressor().fit(X, y).solution_

    assert len(solution.weights) == 7
    agrees(solution)
    for m in (1, 3):
        moved = solution.weights + 0.1 * (np.arange(7) == m)
        assert replace(solution, weights=moved).recheck().violation == np.inf


@pytest.mark.parametrize("constraint", ["simplex", "nonnegative", "affine"])
def test_user_constraints(constraint):
    """Where they bind, the gap is that of the tangent; where not, the optimum's own."""
    X, y = numbers()
    for cap in (0.25, 0.9):
        model = StackingNetRegressor(constraint=constraint & max_weight(cap)).fit(X, y)
        agrees(model.solution_)
        free = replace(model.solution_, weights=np.array([1.0, 0, 0, 0, 0]))
        assert free.recheck().violation > 0.1
    groups = ["a", "b"] * 30
    limit = bounded_group_loss(float(model.solution_.objective) * 1.3)
    model = StackingNetRegressor(constraint=limit)
    agrees(model.fit(X, y, sensitive_features=groups).solution_)


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_subsets(k):
    """The search is done again, so the bound is that of all subsets."""
    X, y = numbers()
    for constraint in ("simplex" & at_most_models(k), at_most_models(k)):
        solution = StackingNetRegressor(constraint=constraint).fit(X, y).solution_
        agrees(solution)
    dense = replace(solution, weights=np.full(5, 0.2))
    assert dense.recheck().violation == (np.inf if k < 5 else 0.0)
    other = np.roll(solution.weights, 1)
    if k < 5:
        assert replace(solution, weights=other).recheck().gap > 1e-3


@pytest.mark.parametrize("structure", ["shared", "full", "auto"])
@pytest.mark.parametrize("solver", ["auto", "cvxpy"])
def test_votes(structure, solver):
    judges = voters()
    model = StackingNetClassifier(structure=structure, solver=solver)
    solution = model.fit(judges.X, judges.y).solution_
    agrees(solution)
    moved = replace(solution, vote_weights=solution.vote_weights + 0.1)
    moved = replace(moved, weights=solution.weights + 0.1)
    assert moved.recheck().gap > 1e3 * max(solution.gap, 1e-12)


def test_votes_under_a_user_constraint():
    judges = voters()
    model = StackingNetClassifier(constraint=max_weight(0.5)).fit(judges.X, judges.y)
    agrees(model.solution_)


@pytest.mark.parametrize("constraint", [None, max_weight(0.4)])
def test_pool(constraint):
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=80)
    right = rng.beta(3, 1.5, size=(80, 4))
    proba = np.where(truth[:, None, None] == [0, 1], right[..., None], 0)
    proba = np.where(proba > 0, proba, 1 - right[..., None])
    model = StackingNetClassifier(pool="linear", constraint=constraint)
    solution = model.fit(proba, truth).solution_
    agrees(solution)
    certificate = replace(solution, weights=np.array([0.7, 0.3, 0.2, -0.2])).recheck()
    assert certificate.violation >= 0.2


def test_changed_weights_get_what_they_deserve():
    predictions, target = numbers()
    solution = fitted(predictions, target, "simplex")
    certificate = replace(solution, weights=np.full(5, 0.3)).recheck()
    assert certificate.violation == pytest.approx(0.5)
    assert certificate.residual >= certificate.violation
    moved = replace(solution, weights=np.full(5, 0.2)).recheck()
    assert moved.gap > 1e-3
    assert moved.objective > solution.objective
    assert moved.violation < 1e-12
    biased = replace(solution, intercept=solution.intercept + 0.1).recheck()
    assert type(biased.gap) is type(biased.residual) is float
    assert biased.objective == pytest.approx(solution.objective + 0.01)
    assert biased.gap > 1e-3


def test_without_labels():
    """Numbers have a problem, that of the prior; votes have a local optimum, no gap."""
    X, _ = numbers()
    solution = StackingNetRegressor().fit(X).solution_
    assert solution.status is Status.UNLABELLED
    assert solution.recheck().gap == pytest.approx(solution.gap, abs=1e-15)
    assert type(solution.gap) is type(solution.residual) is float
    judges = voters()
    certificate = StackingNetClassifier().fit(judges.X).solution_.recheck()
    assert certificate == Certificate(np.inf, np.inf, np.inf, np.inf)


def test_a_saved_solution_needs_its_problem():
    """Problems hold callables and rows of the user, which no file should have."""
    X, y = numbers()
    solution = StackingNetRegressor().fit(X, y).solution_
    loaded = pickle.loads(pickle.dumps(solution))
    assert loaded.problem is None
    assert loaded.recheck().gap == np.inf
    assert loaded.recheck(solution.problem) == solution.recheck()
    assert_allclose(loaded.weights, solution.weights)
    with pytest.raises(FrozenInstanceError):
        solution.recheck().gap = 0.0
