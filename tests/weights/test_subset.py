"""At most k models: against all subsets, one by one."""

from itertools import combinations

import numpy as np
import pytest
from weights_problems import CONSTRAINED, fitted, table

from stackingnet_sk.constraints import budget, max_weight
from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import (
    CONSTRAINTS,
    InfeasibleError,
    StackingObjective,
    Status,
    UserConstraints,
)
from stackingnet_sk.weights.subset import best_subset


def at_most(predictions, target, constraint, k, builders=(), **options):
    names = [str(m) for m in range(predictions.shape[1])]
    limits = UserConstraints(builders, names, at_most=k)
    return fitted(predictions, target, constraint, user_constraints=limits, **options)


def objective_of(predictions, target, constraint, fit_intercept):
    return StackingObjective.from_moments(
        Moments.from_rows(predictions, target),
        fit_intercept=fit_intercept,
        free_slope=constraint == "nonnegative",
    )


def enumerated(objective, constraint, k):
    """The least objective over every subset of k models, each solved by itself."""
    chosen = CONSTRAINTS[constraint]
    values = []
    for own in combinations(range(objective.n_models), k):
        small = objective.restricted(np.array(own))
        values.append(small.value(chosen.optimize(small)[0]))
    return min(values)


def plain(rng, predictions, target):
    return predictions, target


def copies(rng, predictions, target):
    """Several subsets are best; the search has to end all the same."""
    predictions[:, 1] = predictions[:, 0]
    predictions[:, -1] = predictions[:, 2]
    return predictions, target


def few_rows(rng, predictions, target):
    return predictions[:4], target[:4]


def perfect(rng, predictions, target):
    predictions[:, 1] = target
    return predictions, target


def no_use(rng, predictions, target):
    """No model knows anything: with w >= 0, no weights may be best."""
    return rng.standard_normal(predictions.shape), target


def opposed(rng, predictions, target):
    """The errors of two cancel, that alone are the worst: greedy search misses it."""
    predictions[:, 0] = target + 5.0 * (predictions[:, 2] - target)
    predictions[:, 1] = 2.0 * target - predictions[:, 0]
    predictions[:, 1] += 1e-3 * rng.standard_normal(len(target))
    return predictions, target


KINDS = [plain, copies, few_rows, perfect, no_use, opposed]


@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_best_of_all_subsets(kind, constraint):
    """Branch and bound proves what trying all of them finds."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n_models = int(rng.integers(4, 9))
        predictions, target = kind(rng, *table(seed, 50, n_models))
        fit_intercept = bool(seed % 2)
        objective = objective_of(predictions, target, constraint, fit_intercept)
        unit = max(objective.scale, 1e-4 * target.var())
        for k in range(1, n_models):
            found = at_most(
                predictions, target, constraint, k, fit_intercept=fit_intercept
            )
            best = enumerated(objective, constraint, k)
            assert np.count_nonzero(found.weights) <= k
            assert abs(found.objective - best) <= 1e-9 * unit, (seed, k)
            assert found.status is Status.BEST_SUBSET or (
                # Fewer than k were best anyway, or nothing is left to prove.
                found.certificate <= 1e-9
            )


def test_the_prior_counts_too():
    """With shrinkage, the penalized objective is what is least."""
    for seed in range(2):
        predictions, target = table(seed, 40, 6)
        options = {"shrinkage": 10.0, "fit_intercept": True}
        for k in (1, 2, 4):
            found = at_most(predictions, target, "simplex", k, **options)
            values = []
            for own in combinations(range(6), k):
                # All others out of reach, so that the prior is that of all six.
                out = np.ones(6)
                out[list(own)] = 0.0
                limits = UserConstraints(
                    [budget(list(out), 0.0)], [str(m) for m in range(6)]
                )
                other = fitted(
                    predictions, target, "simplex", user_constraints=limits, **options
                )
                values.append(other.objective)
            assert found.objective == pytest.approx(min(values), rel=1e-6)


@pytest.mark.parametrize("constraint", CONSTRAINED)
def test_it_keeps_what_else_is_asked_for(constraint):
    """At most k of them, none above a cap: the best of all subsets under the cap."""
    cap = 0.45
    for seed in range(3):
        predictions, target = table(seed, 50, 5)
        names = [str(m) for m in range(5)]
        found = at_most(predictions, target, constraint, 3, [max_weight(cap)])
        values = []
        for own in combinations(range(5), 3):
            columns = list(own)
            limits = UserConstraints([max_weight(cap)], [names[m] for m in own])
            try:
                other = fitted(
                    predictions[:, columns], target, constraint, user_constraints=limits
                )
            except InfeasibleError:
                continue
            values.append(other.objective)
        assert found.objective == pytest.approx(min(values), rel=1e-6)
        assert np.count_nonzero(found.weights) <= 3
        assert found.weights.max() <= cap + 1e-8


def test_too_few_models_for_the_cap():
    """Two models of at most 0.4 don't sum to one."""
    predictions, target = table(0, 50, 5)
    with pytest.raises(InfeasibleError, match="No 2 models"):
        at_most(predictions, target, "simplex", 2, [max_weight(0.4)])


@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize("n_models", [9, 34])
def test_more_models_are_never_worse_and_all_are_no_limit(constraint, n_models):
    """Subsets of k are subsets of k + 1. Beyond 30 models the path is one, too, for it
    goes through fewer and fewer models."""
    predictions, target = table(5, 120, n_models)
    free = fitted(predictions, target, constraint)
    sizes = [1, 2, 3, 5, 8] if n_models < 10 else [1, 3, 8, 20, 33]
    values = [at_most(predictions, target, constraint, k).objective for k in sizes]
    assert np.all(np.diff(values) <= 1e-12 * values[0])
    assert values[-1] >= free.objective - 1e-12 * values[0]
    for k in (n_models, n_models + 5):
        whole = at_most(predictions, target, constraint, k)
        np.testing.assert_array_equal(whole.weights, free.weights)
        assert whole.intercept == free.intercept
        assert whole.status is free.status


def test_k_that_does_not_bind_changes_nothing():
    """Where the optimum has no more models, it is the answer, to the last bit."""
    predictions, target = table(1, 60, 8, rho=0.9)
    free = fitted(predictions, target, "simplex")
    k = np.count_nonzero(free.weights)
    assert k < 8
    found = at_most(predictions, target, "simplex", k)
    np.testing.assert_allclose(found.weights, free.weights, rtol=0, atol=1e-12)


def relaxation(objective, constraint, calls=None):
    chosen = CONSTRAINTS[constraint]

    def relax(models):
        weights = np.zeros(objective.n_models)
        if calls is not None:
            calls.append(models)
        if not len(models):
            return np.inf, weights
        small = objective.restricted(models)
        weights[models] = chosen.optimize(small)[0]
        return objective.value(weights), weights

    return relax


@pytest.mark.parametrize("constraint", CONSTRAINED)
@pytest.mark.parametrize("seed", range(8))
def test_the_bound_is_one(constraint, seed):
    """No subset is below the bound, none found is below what it claims, and the search
    says how many problems it solved."""
    predictions, target = table(seed, 40, 7)
    objective = objective_of(predictions, target, constraint, True)
    for k in (1, 2, 4):
        calls = []
        found = best_subset(relaxation(objective, constraint, calls), 7, k)
        best = enumerated(objective, constraint, k)
        assert found.bound <= found.value
        assert found.bound <= best + 1e-12 * objective.scale
        assert found.value == pytest.approx(best, rel=1e-10)
        assert len(found.models) <= k
        assert found.nodes == len(calls)
        # Far from all of them: that is the point of bounds.
        assert found.nodes < 2**7


def test_the_search_gives_up_with_an_honest_bound(monkeypatch):
    """Out of nodes, it returns the best so far and a bound that holds."""
    monkeypatch.setattr("stackingnet_sk.weights.subset._MOST_NODES", 30)
    predictions, target = table(3, 60, 12, rho=0.0, spread=0.05)
    objective = objective_of(predictions, target, "simplex", True)
    best = enumerated(objective, "simplex", 4)
    found = best_subset(relaxation(objective, "simplex"), 12, 4, 30)
    assert found.bound <= best <= found.value
    solution = at_most(predictions, target, "simplex", 4)
    assert solution.status is Status.BOUNDED_SUBSET
    assert solution.gap >= (solution.objective - best) / objective.scale - 1e-9


@pytest.mark.parametrize("constraint", CONSTRAINED)
def test_beyond_thirty_models_the_gap_bounds_the_truth(constraint):
    """32 models, one or two of them: few enough to try all."""
    for seed in range(3):
        predictions, target = table(seed, 150, 32)
        objective = objective_of(predictions, target, constraint, True)
        for k in (1, 2):
            found = at_most(predictions, target, constraint, k)
            best = enumerated(objective, constraint, k)
            assert np.count_nonzero(found.weights) <= k
            assert found.objective >= best * (1 - 1e-9)
            claimed = found.objective - found.certificate * objective.scale
            assert claimed <= best * (1 + 1e-9)
            assert found.status in (Status.BEST_SUBSET, Status.BOUNDED_SUBSET)


def test_the_order_of_the_models_does_not_matter():
    """Without ties there is one best subset."""
    predictions, target = table(2, 60, 8)
    order = np.random.default_rng(0).permutation(8)
    one = at_most(predictions, target, "simplex", 3)
    other = at_most(predictions[:, order], target, "simplex", 3)
    np.testing.assert_allclose(other.weights, one.weights[order], atol=1e-10)


def test_units_of_the_predictions_do_not_matter():
    """Weights of one in a billion are weights, also beside another limit."""
    predictions, target = table(2, 60, 6)
    one = at_most(predictions, target, "nonnegative", 3)
    far = at_most(predictions * 1e9, target, "nonnegative", 3)
    np.testing.assert_allclose(far.weights * 1e9, one.weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("spread", [0.0, 1e9])
def test_labels_that_do_not_vary_leave_nothing_to_choose(spread):
    predictions, _ = table(2, 60, 6)
    found = at_most(predictions, np.full(60, spread), "nonnegative", 2)
    assert np.count_nonzero(found.weights) <= 2
    np.testing.assert_allclose(predictions @ found.weights + found.intercept, spread)
