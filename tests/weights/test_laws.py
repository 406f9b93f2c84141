"""Laws of the solutions, for every constraint set, intercept and strength."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import (
    best_intercept,
    feasible_points,
    fitted,
    law,
    mean_squared_error,
    penalized,
    table,
    weighted_mean,
)

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import CONSTRAINTS, Status, solve_moments

EVERY = pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
INTERCEPT = pytest.mark.parametrize("fit_intercept", [False, True])
STRENGTH = pytest.mark.parametrize("shrinkage", [0.0, 7.5, 100.0])
SOLVED = ("affine", "nonnegative", "simplex")
SUM_TO_ONE = ("affine", "simplex", "uniform")


def assert_feasible(weights, constraint):
    assert np.isfinite(weights).all()
    if constraint != "affine":
        assert (weights >= 0).all()
    if constraint != "nonnegative":
        assert abs(weights.sum() - 1.0) <= 1e-12
    if constraint == "uniform":
        assert_array_equal(weights, 1.0 / len(weights))


@EVERY
@INTERCEPT
@STRENGTH
@pytest.mark.parametrize("shape", [(60, 5), (8, 3), (300, 12), (90, 70)])
def test_feasible_certified_and_no_point_is_better(
    constraint, fit_intercept, shrinkage, shape
):
    """The objective is what the definitions give on the rows, the optimum beats random
    feasible points and all vertices, and the certificate knows.
    """
    predictions, target = table(sum(shape), *shape, slopes=constraint != "simplex")
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    weights = solution.weights
    assert_feasible(weights, constraint)
    assert solution.certificate <= 1e-12
    expected = Status.FEASIBLE if constraint == "uniform" else Status.OPTIMAL
    assert solution.status is expected
    assert solution.constraint == constraint
    options["constraint"] = constraint
    if constraint == "uniform":
        # Nothing to shrink: the average is its own prior.
        options["shrinkage"] = 0.0
    value = penalized(predictions, target, weights, **options)
    assert solution.objective == pytest.approx(value, rel=1e-10)
    intercept = best_intercept(predictions, target, weights) if fit_intercept else 0.0
    assert solution.intercept == pytest.approx(intercept, rel=1e-10, abs=1e-12)
    if constraint == "uniform":
        return
    rng = np.random.default_rng(0)
    for point in feasible_points(rng, constraint, shape[1]):
        other = penalized(predictions, target, point, **options)
        assert other >= value * (1 - 1e-12)


@EVERY
@STRENGTH
def test_intercept_leaves_no_bias(constraint, shrinkage):
    """Weighted residuals sum to zero, whatever pulls at the weights."""
    predictions, target = table(1, 40, 4)
    weight = np.random.default_rng(2).exponential(size=40)
    solution = fitted(
        predictions, target, constraint, sample_weight=weight, shrinkage=shrinkage
    )
    left = target - predictions @ solution.weights - solution.intercept
    assert abs(weighted_mean(left, weight)) < 1e-12


@EVERY
@INTERCEPT
@STRENGTH
@law
@given(seed=st.integers(0, 2**20))
def test_order_of_models_and_rows_is_of_no_account(
    constraint, fit_intercept, shrinkage, seed
):
    rng = np.random.default_rng(seed)
    n_models = int(rng.integers(1, 9))
    predictions, target = table(seed, 50, n_models)
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    plain = fitted(predictions, target, constraint, **options)
    size = np.abs(plain.weights).max()
    models = rng.permutation(n_models)
    permuted = fitted(predictions[:, models], target, constraint, **options)
    assert_allclose(permuted.weights, plain.weights[models], rtol=0, atol=1e-12 * size)
    assert permuted.intercept == pytest.approx(plain.intercept, rel=1e-11, abs=1e-11)
    rows = rng.permutation(50)
    permuted = fitted(predictions[rows], target[rows], constraint, **options)
    assert_allclose(permuted.weights, plain.weights, rtol=0, atol=1e-10 * size)
    assert permuted.objective == pytest.approx(plain.objective, rel=1e-10)


@pytest.mark.parametrize("constraint", SOLVED)
@pytest.mark.parametrize("n_models", [70, 130])
def test_order_of_many_models(constraint, n_models):
    """Above 64 models the pivoting starts from a part of them."""
    predictions, target = table(n_models, 400, n_models, rho=0.6)
    models = np.random.default_rng(0).permutation(n_models)
    plain = fitted(predictions, target, constraint)
    permuted = fitted(predictions[:, models], target, constraint)
    size = np.abs(plain.weights).max()
    assert_allclose(permuted.weights, plain.weights[models], rtol=0, atol=1e-12 * size)


@EVERY
@pytest.mark.parametrize("shape", [(40, 4), (30, 80)])
def test_same_input_gives_the_same_bits(constraint, shape):
    predictions, target = table(3, *shape)
    first = fitted(predictions, target, constraint)
    again = fitted(predictions.copy(), target.copy(), constraint)
    assert_array_equal(first.weights, again.weights)
    assert first.intercept == again.intercept
    assert first.objective == again.objective


@EVERY
@INTERCEPT
@STRENGTH
@pytest.mark.parametrize("factor", [1e-150, 1e-9, 0.37, -2.5, 1e9, 1e150])
def test_common_units_carry_over(constraint, fit_intercept, shrinkage, factor):
    """Weights have no units; the intercept has the target's; the objective, squared."""
    predictions, target = table(4, 50, 4)
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    plain = fitted(predictions, target, constraint, **options)
    scaled = fitted(factor * predictions, factor * target, constraint, **options)
    assert_allclose(scaled.weights, plain.weights, rtol=0, atol=1e-12)
    assert scaled.intercept / factor == pytest.approx(plain.intercept, abs=1e-11)
    objective = scaled.objective / factor / factor
    assert objective == pytest.approx(plain.objective, rel=1e-12)
    assert scaled.certificate <= 1e-12


@EVERY
@STRENGTH
@pytest.mark.parametrize("shift", [-3.0, 1e4])
def test_common_shift_changes_the_intercept_only(constraint, shrinkage, shift):
    predictions, target = table(5, 50, 4)
    plain = fitted(predictions, target, constraint, shrinkage=shrinkage)
    moved = fitted(predictions + shift, target + shift, constraint, shrinkage=shrinkage)
    # Adding 1e4 rounds the rows themselves at 1e-12.
    assert_allclose(moved.weights, plain.weights, rtol=0, atol=1e-10)
    assert moved.objective == pytest.approx(plain.objective, rel=1e-10)
    expected = plain.intercept + shift * (1 - plain.weights.sum())
    assert moved.intercept == pytest.approx(expected, abs=1e-10 * (1 + abs(shift)))


@STRENGTH
@INTERCEPT
def test_units_of_models_carry_over(shrinkage, fit_intercept):
    """On the cone models in other units get the reciprocal weight: each its own where
    nothing is shrunk, all the same where the prior compares them.
    """
    predictions, target = table(6, 60, 5, rho=0.0, spread=0.0)
    factor = np.array([1.0, 0.01, 250.0, 0.1, 1e4])
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    if shrinkage:
        factor = np.full(5, 250.0)
    plain = fitted(predictions, target, "nonnegative", **options)
    scaled = fitted(predictions * factor, target, "nonnegative", **options)
    assert plain.weights.all()
    assert_allclose(scaled.weights * factor, plain.weights, rtol=1e-9)
    # Errors of 1e4 times the target's size are rounded at 1e8 times its square's.
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-10)


@STRENGTH
def test_offset_of_one_model_is_the_intercepts_business(shrinkage):
    predictions, target = table(7, 60, 4)
    offset = np.array([0.0, 100.0, -7.0, 1e3])
    for constraint in SOLVED:
        plain = fitted(predictions, target, constraint, shrinkage=shrinkage)
        moved = fitted(predictions + offset, target, constraint, shrinkage=shrinkage)
        assert_allclose(moved.weights, plain.weights, rtol=0, atol=1e-11)


@pytest.mark.parametrize("constraint", SOLVED)
@INTERCEPT
@STRENGTH
@pytest.mark.parametrize("copies", [2, 3, 7])
def test_duplicates_share_equally(constraint, fit_intercept, shrinkage, copies):
    """Minimum norm: what one model would get is divided among its copies."""
    predictions, target = table(8, 60, 4)
    predictions = np.column_stack((predictions, *[predictions[:, [1]]] * (copies - 1)))
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    weights = solution.weights
    shares = np.append(weights[1], weights[4:])
    assert weights[1] != 0
    assert_allclose(shares, shares[0], rtol=0, atol=1e-12)
    assert solution.certificate <= 1e-12
    if not shrinkage:
        assert solution.status is Status.MINIMUM_NORM
        single = fitted(predictions[:, :4], target, constraint, **options)
        assert solution.objective == pytest.approx(single.objective, rel=1e-11)
        together = np.array([weights[0], shares.sum(), weights[2], weights[3]])
        assert_allclose(together, single.weights, rtol=0, atol=1e-11)


@pytest.mark.parametrize("constraint", SOLVED)
@pytest.mark.parametrize("n_models", [1, 2, 5])
def test_nothing_but_duplicates(constraint, n_models):
    predictions, target = table(9, 30, 1)
    predictions = np.repeat(predictions, n_models, axis=1)
    weights = fitted(predictions, target, constraint).weights
    assert_allclose(weights, weights[0], rtol=1e-14)
    assert weights[0] > 0


@pytest.mark.parametrize("constraint", SOLVED)
@INTERCEPT
def test_perfect_model_takes_all(constraint, fit_intercept):
    predictions, target = table(10, 60, 4)
    predictions[:, 2] = target
    solution = fitted(predictions, target, constraint, fit_intercept=fit_intercept)
    assert_allclose(solution.weights, [0, 0, 1, 0], rtol=0, atol=1e-9)
    assert solution.objective < 1e-18
    assert solution.status is Status.OPTIMAL


@pytest.mark.parametrize("constraint", SOLVED)
@INTERCEPT
def test_several_perfect_models_share(constraint, fit_intercept):
    predictions, target = table(11, 60, 5)
    predictions[:, [1, 3]] = target[:, None]
    solution = fitted(predictions, target, constraint, fit_intercept=fit_intercept)
    assert_allclose(solution.weights, [0, 0.5, 0, 0.5, 0], rtol=0, atol=1e-9)
    assert solution.objective < 1e-18
    assert solution.status is Status.MINIMUM_NORM


@INTERCEPT
@pytest.mark.parametrize("seed", range(5))
def test_perfect_but_for_their_units(fit_intercept, seed):
    """All ``w`` with ``2 w_0 + 3 w_1 = 1`` are optimal; ``(2, 3) / 13`` is the least.
    The slopes leave nothing but rounding, which must not choose.
    """
    predictions, target = table(seed, 50, 5)
    predictions[:, 0], predictions[:, 1] = 2.0 * target, 3.0 * target
    solution = fitted(predictions, target, "nonnegative", fit_intercept=fit_intercept)
    expected = np.array([2.0, 3.0, 0, 0, 0]) / 13
    assert_allclose(solution.weights, expected, rtol=0, atol=1e-9)
    assert solution.status is Status.MINIMUM_NORM


@INTERCEPT
def test_perfectly_inverted_models_get_nothing(fit_intercept):
    """Rounding may leave their unexplained variance below zero, which no root
    survives; beyond 64 models they can stay outside of the first free block.
    """
    predictions, target = table(12, 50, 70)
    rng = np.random.default_rng(12)
    target -= target.mean()
    inverted = -target[:, None] * rng.uniform(0.1, 3, 20)
    both = np.column_stack((predictions, inverted))
    options = {"fit_intercept": fit_intercept}
    solution = fitted(both, target, "nonnegative", **options)
    assert_array_equal(solution.weights[70:], 0)
    alone = fitted(predictions, target, "nonnegative", **options)
    assert solution.objective == pytest.approx(alone.objective, rel=1e-9)


@pytest.mark.parametrize("n_models", [1, 2, 3, 5])
@STRENGTH
def test_all_models_against_the_target(n_models, shrinkage):
    """Zero is the optimum on the cone, copies or not, and the intercept the mean."""
    rng = np.random.default_rng(13)
    target = rng.standard_normal(30)
    one = -target + 0.1 * rng.standard_normal(30)
    for predictions in (
        np.repeat(one[:, None], n_models, axis=1),
        one[:, None] + 0.1 * rng.standard_normal((30, n_models)),
    ):
        solution = fitted(predictions, target, "nonnegative", shrinkage=shrinkage)
        assert_array_equal(solution.weights, 0)
        assert solution.intercept == pytest.approx(target.mean(), abs=1e-15)
        assert solution.objective == pytest.approx(target.var(), rel=1e-13)
        assert solution.status is not Status.INACCURATE


@EVERY
@INTERCEPT
@STRENGTH
@pytest.mark.parametrize("level", [1 / 3, 1.0, 1e5])
@pytest.mark.parametrize("n_models", [1, 3])
def test_all_models_constant(constraint, fit_intercept, shrinkage, level, n_models):
    """1/3 has no exact mean: what varies is rounding, and must not count. Nor may the
    slope on the target, zero up to rounding, be divided by an error that is zero, too.
    """
    _, target = table(14, 40, 1)
    target = np.where(target > 3, 1.0, 0.0)
    predictions = np.full((40, n_models), level) * [1.0, 2.0, 0.7][:n_models]
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    assert_feasible(solution.weights, constraint)
    assert solution.certificate <= 1e-12
    if not fit_intercept:
        return
    assert solution.objective == pytest.approx(target.var(), rel=1e-12)
    combined = predictions @ solution.weights + solution.intercept
    assert_allclose(combined, target.mean(), rtol=1e-12, atol=1e-15 * level)
    if constraint == "nonnegative":
        assert_array_equal(solution.weights, 0)
    else:
        # All are equally good, so all are equal.
        assert_allclose(solution.weights, 1 / n_models, atol=1e-9)


@STRENGTH
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_constant_model_gets_nothing_next_to_an_intercept(shrinkage, value):
    predictions, target = table(15, 40, 4)
    plain = fitted(predictions, target, "nonnegative", shrinkage=shrinkage)
    with_constant = np.insert(predictions, 2, value, axis=1)
    solution = fitted(with_constant, target, "nonnegative", shrinkage=shrinkage)
    assert solution.weights[2] == 0
    assert_allclose(np.delete(solution.weights, 2), plain.weights, rtol=1e-12)


@EVERY
@INTERCEPT
@STRENGTH
def test_constant_target(constraint, fit_intercept, shrinkage):
    """On the cone the intercept explains it all; elsewhere the models' noise is
    averaged.
    """
    predictions, _ = table(16, 40, 3)
    target = np.full(40, 0.1)
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    assert_feasible(solution.weights, constraint)
    assert solution.certificate <= 1e-12
    if fit_intercept and constraint == "nonnegative":
        assert_allclose(solution.weights, 0, atol=1e-15)
        assert solution.intercept == pytest.approx(0.1, rel=1e-14)


@EVERY
@INTERCEPT
@STRENGTH
@pytest.mark.parametrize("n_rows", [1, 2])
@pytest.mark.parametrize("n_models", [1, 2, 3, 80])
def test_one_or_two_rows(constraint, fit_intercept, shrinkage, n_rows, n_models):
    """As many optima as you like: feasible, finite, certified, unbiased.

    Of 80 models one is right on a single row by chance. Relative to its error rounding
    is 1e-9, more or less by the order in which a version of BLAS sums.
    """
    predictions, target = table(17, n_rows, n_models)
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    assert_feasible(solution.weights, constraint)
    assert solution.warning is None
    assert solution.certificate <= 1e-8
    if fit_intercept:
        left = target - predictions @ solution.weights - solution.intercept
        assert abs(left.mean()) < 1e-9 * (1 + np.abs(solution.weights).sum())


@EVERY
def test_one_row_with_an_intercept_says_nothing(constraint):
    """No variance, no information: least norm, which is the average, or nothing."""
    predictions, target = table(18, 1, 5)
    weights = fitted(predictions, target, constraint).weights
    expected = 0.0 if constraint == "nonnegative" else 0.2
    assert_allclose(weights, expected, rtol=0, atol=1e-12)


@EVERY
@INTERCEPT
@STRENGTH
def test_one_model(constraint, fit_intercept, shrinkage):
    predictions, target = table(19, 30, 1, slopes=True)
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    if constraint != "nonnegative":
        assert_array_equal(solution.weights, 1.0)
        return
    x, y = predictions[:, 0], target
    strength = shrinkage / 20 * x.var() / 30
    if fit_intercept:
        x, y = x - x.mean(), y - y.mean()
    expected = (x @ y / 30) / (x @ x / 30 + strength)
    assert solution.weights[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("constraint", SOLVED)
@INTERCEPT
@pytest.mark.parametrize("n_models", [30, 100])
def test_more_models_than_rows(constraint, fit_intercept, n_models):
    """Affine weights interpolate; on the others the certificate holds."""
    predictions, target = table(20, 15, n_models)
    solution = fitted(predictions, target, constraint, fit_intercept=fit_intercept)
    assert_feasible(solution.weights, constraint)
    assert solution.certificate <= 1e-12
    if constraint == "affine":
        assert solution.objective < 1e-15
        # Interpolating weights that also sum to one: least squares knows the least.
        rows = predictions - target[:, None]
        rows = rows - rows.mean(axis=0) if fit_intercept else rows
        system = np.vstack((rows, np.ones(n_models)))
        least = np.linalg.lstsq(system, np.append(np.zeros(15), 1.0), rcond=1e-10)[0]
        assert_allclose(solution.weights, least, rtol=0, atol=1e-9)


@pytest.mark.parametrize("constraint", SOLVED)
@pytest.mark.parametrize("n_models", [2, 6])
def test_errors_that_cancel_exactly(constraint, n_models):
    """The average is perfect though no model is: no share of zero in any scale."""
    rng = np.random.default_rng(21)
    target = rng.standard_normal(50)
    half = rng.standard_normal((50, n_models // 2))
    half = np.round(half * 64) / 64
    target = np.round(target * 64) / 64
    predictions = target[:, None] + np.column_stack((half, -half))
    solution = fitted(predictions, target, constraint, fit_intercept=False)
    assert solution.objective < 1e-15
    assert_allclose(solution.weights, 1 / n_models, rtol=0, atol=1e-12)
    assert solution.status is not Status.INACCURATE


@pytest.mark.parametrize("constraint", SOLVED)
@pytest.mark.parametrize("difference", [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_errors_that_nearly_cancel(constraint, difference):
    """The covariance is singular up to rounding, yet the optimum is plain to see."""
    rng = np.random.default_rng(22)
    target = rng.standard_normal(80)
    error = rng.standard_normal(80)
    predictions = np.column_stack((target + error, target - error * (1 + difference)))
    solution = fitted(predictions, target, constraint)
    expected = np.array([1 + difference, 1.0]) / (2 + difference)
    assert_allclose(solution.weights, expected, rtol=0, atol=1e-6)
    assert solution.objective < 1e-12
    assert solution.status is not Status.INACCURATE


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])
@INTERCEPT
def test_one_garbage_model_hides_nothing(constraint, fit_intercept):
    """Errors 1e10 times the others': neither do these look singular, nor does the
    certificate, if measured by the average, accept just any weights of theirs.
    """
    predictions, target = table(23, 200, 4)
    options = {"fit_intercept": fit_intercept}
    alone = fitted(predictions, target, constraint, **options)
    garbage = 1e10 * np.random.default_rng(23).standard_normal(200)
    # Of the two signs the one that cannot help, so that its weight is exactly zero.
    combined = predictions @ alone.weights + alone.intercept
    garbage *= np.sign(garbage @ (combined - target))
    if constraint == "nonnegative":
        garbage -= target * (garbage @ target) / (target @ target)
    both = np.column_stack((predictions, target + garbage))
    solution = fitted(both, target, constraint, **options)
    assert_allclose(solution.weights[:4], alone.weights, rtol=0, atol=1e-8)
    assert solution.weights[4] == 0
    assert solution.objective == pytest.approx(alone.objective, rel=1e-9)
    assert solution.status is Status.OPTIMAL


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_one_garbage_model_in_the_closed_form(fit_intercept):
    """Signed weights use the garbage as one more regressor: least squares knows how."""
    predictions, target = table(24, 200, 4)
    garbage = np.random.default_rng(24).standard_normal(200)
    both = np.column_stack((predictions, target + 1e10 * garbage))
    solution = fitted(both, target, "affine", fit_intercept=fit_intercept)
    errors = np.column_stack((predictions - target[:, None], garbage))
    design = errors[:, 1:4] - errors[:, [0]]
    design = np.column_stack((design, garbage))
    goal = -errors[:, 0]
    if fit_intercept:
        design = np.column_stack((design, np.ones(200)))
    free = np.linalg.lstsq(design, goal, rcond=None)[0]
    assert_allclose(solution.weights[1:4], free[:3], rtol=0, atol=1e-8)
    assert solution.weights[4] * 1e10 == pytest.approx(free[3], rel=1e-6)
    assert solution.status is Status.OPTIMAL


@EVERY
@INTERCEPT
@STRENGTH
@law
@given(data=st.data())
def test_never_fails_on_ties_and_small_integers(
    constraint, fit_intercept, shrinkage, data
):
    """Integer ratings tie, repeat, cancel and are constant: always a certified answer
    that is no worse than any single model or the average.
    """
    n_rows = data.draw(st.integers(1, 6))
    n_models = data.draw(st.integers(1, 5))
    entry = st.integers(-2, 2).map(float)
    rows = data.draw(
        st.lists(
            st.lists(entry, min_size=n_models + 1, max_size=n_models + 1),
            min_size=n_rows,
            max_size=n_rows,
        )
    )
    rows = np.array(rows)
    predictions, target = rows[:, :-1], rows[:, -1]
    options = {"fit_intercept": fit_intercept, "shrinkage": shrinkage}
    solution = fitted(predictions, target, constraint, **options)
    assert_feasible(solution.weights, constraint)
    assert solution.certificate <= 1e-9
    if constraint == "uniform" or shrinkage:
        return
    for point in (*np.eye(n_models), np.full(n_models, 1 / n_models)):
        intercept = 0.0
        if fit_intercept:
            intercept = best_intercept(predictions, target, point)
        other = mean_squared_error(predictions, target, point, intercept)
        assert solution.objective <= other + 1e-12


@INTERCEPT
def test_larger_sets_have_smaller_optima(fit_intercept):
    """The uniform point lies in the simplex, which lies in both other sets."""
    for seed in range(20):
        predictions, target = table(seed, 30, 6, slopes=True)
        value = {
            constraint: fitted(
                predictions, target, constraint, fit_intercept=fit_intercept
            ).objective
            for constraint in CONSTRAINTS
        }
        assert value["simplex"] <= value["uniform"]
        assert value["affine"] <= value["simplex"] * (1 + 1e-12)
        assert value["nonnegative"] <= value["simplex"] * (1 + 1e-12)


@pytest.mark.parametrize("constraint", SOLVED)
def test_prior_fades_as_labels_come(constraint):
    """Pseudo-observations: the same rows a thousand times over outvote the prior."""
    predictions, target = table(25, 40, 4)
    exact = fitted(predictions, target, constraint).weights
    distance = [
        np.abs(
            fitted(
                predictions,
                target,
                constraint,
                sample_weight=np.full(40, repetitions),
                shrinkage=100.0,
            ).weights
            - exact
        ).max()
        for repetitions in (1.0, 10.0, 100.0, 1e6)
    ]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 1e-4 < distance[0]


def test_no_weight_is_an_error():
    predictions, target = table(26, 10, 3)
    moments = Moments.from_rows(predictions, target, np.zeros(10))
    with pytest.raises(ValueError, match="no weight"):
        solve_moments(moments)


@pytest.mark.parametrize("parameter", ["constraint", "solver"])
@pytest.mark.parametrize("value", ["convex", None, 3, ["simplex"]])
def test_unknown_choices_name_the_known(parameter, value):
    predictions, target = table(27, 10, 3)
    moments = Moments.from_rows(predictions, target)
    with pytest.raises(ValueError, match=f"{parameter}=.*choose one of"):
        solve_moments(moments, **{parameter: value})
