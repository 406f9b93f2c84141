"""The direction that needs no labels, and the penalty toward it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import covariance, law, penalty, table

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import ShrinkagePrior, factor_scores, solve_moments
from stackingnet_sk.weights.prior import common_spread


def one_factor(loadings):
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    return correlation


@law
@given(
    loadings=st.lists(st.floats(0.05, 0.97), min_size=3, max_size=30).map(np.array),
)
def test_closed_form_recovers_the_loadings(loadings):
    """On an exact one-factor correlation the scores are ``l / (1 - l^2)``, which is the
    direction of the best linear predictor ``R^-1 l`` of the factor.
    """
    correlation = one_factor(loadings)
    scores = factor_scores(correlation)
    assert_allclose(scores, loadings / (1 - loadings**2), rtol=1e-9)
    best = np.linalg.solve(correlation, loadings)
    assert_allclose(scores / scores.sum(), best / best.sum(), rtol=1e-8)


@law
@given(seed=st.integers(0, 2**20), n_models=st.integers(1, 12))
def test_order_of_models_is_of_no_account(seed, n_models):
    predictions, _ = table(seed, 40, n_models)
    correlation = np.atleast_2d(np.corrcoef(predictions, rowvar=False))
    order = np.random.default_rng(seed).permutation(n_models)
    permuted = factor_scores(correlation[np.ix_(order, order)])
    assert_allclose(permuted, factor_scores(correlation)[order], rtol=1e-11)


@law
@given(seed=st.integers(0, 2**20), n_models=st.integers(1, 12))
def test_never_negative_and_never_all_zero(seed, n_models):
    """Whatever the signs of the correlations: a direction has to have a length."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_models + 3, n_models))
    rows += rng.standard_normal((n_models + 3, 1)) * rng.choice([-1, 0, 1], n_models)
    correlation = np.atleast_2d(np.corrcoef(rows, rowvar=False))
    scores = factor_scores(correlation)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    assert scores.any()


def test_the_better_model_weighs_more():
    scores = factor_scores(one_factor(np.array([0.3, 0.5, 0.7, 0.9])))
    assert (np.diff(scores) > 0).all()


def test_heywood_case_is_capped():
    """A communality above one, ``r_12 r_13 / r_23 = 1.26``, passes for 0.95."""
    correlation = np.array([[1.0, 0.9, 0.7], [0.9, 1.0, 0.5], [0.7, 0.5, 1.0]])
    assert factor_scores(correlation)[0] == pytest.approx(0.95**0.5 / 0.05)


def test_communality_near_one_does_not_take_all():
    """``l = 0.999`` would weigh 500 times as much as one half does, on an estimate."""
    scores = factor_scores(one_factor(np.array([0.999, 0.5, 0.5, 0.5])))
    assert scores[0] < 30 * scores[1]


@law
@given(loadings=st.lists(st.floats(0.05, 0.9), min_size=3, max_size=10).map(np.array))
def test_few_rows_say_that_all_are_alike(loadings):
    """From no rows to very many, equal scores become those of the loadings."""
    correlation = one_factor(loadings)
    ratio = [
        np.ptp(np.log(factor_scores(correlation, n_rows)))
        for n_rows in (0.0, 1.0, 10.0, 100.0, np.inf)
    ]
    assert ratio[0] < 1e-12
    assert (np.diff(ratio) >= -1e-12).all()


@pytest.mark.parametrize("flipped", [0, 2, 4])
def test_flipped_model_gets_zero(flipped):
    """Against all others it would need a negative weight, which no cone allows."""
    loadings = np.array([0.6, 0.7, 0.8, 0.5, 0.6])
    loadings[flipped] *= -1
    scores = factor_scores(one_factor(loadings))
    assert scores[flipped] == 0
    assert (np.delete(scores, flipped) > 0).all()


def test_flipped_model_gets_zero_beside_a_heywood_case():
    correlation = np.array(
        [
            [1.0, 0.9, 0.7, -0.2],
            [0.9, 1.0, 0.5, -0.2],
            [0.7, 0.5, 1.0, -0.2],
            [-0.2, -0.2, -0.2, 1.0],
        ]
    )
    scores = factor_scores(correlation)
    assert scores[3] == 0
    assert (scores[:3] > 0).all()


@pytest.mark.parametrize("correlation", [0.5, 0.0, -0.5, 1.0, -1.0])
def test_two_models_share(correlation):
    """Only the product of two loadings is identified."""
    scores = factor_scores(np.array([[1.0, correlation], [correlation, 1.0]]))
    assert_array_equal(scores, 1.0)


def test_one_model():
    assert_array_equal(factor_scores(np.ones((1, 1))), 1.0)


@pytest.mark.parametrize("n_models", [3, 6])
def test_no_agreement_is_uniform(n_models):
    assert_array_equal(factor_scores(np.eye(n_models)), 1.0)


@pytest.mark.parametrize("n_models", [1, 2, 5])
@pytest.mark.parametrize("strength", [7.5, 100.0])
def test_penalty_is_its_definition(n_models, strength):
    predictions, _ = table(1, 40, n_models, slopes=True)
    prior = ShrinkagePrior.from_covariance(covariance(predictions), strength, 40)
    matrix = prior.penalty(40.0)
    seen, label = prior.slope_observation()
    rng = np.random.default_rng(0)
    for weights in rng.standard_normal((10, n_models)):
        toward = weights @ matrix @ weights
        assert toward == pytest.approx(
            penalty(predictions, weights, strength, free_slope=False),
            rel=1e-11,
            abs=1e-13 * np.trace(matrix),
        )
        assert toward + (label - seen @ weights) ** 2 / 40 == pytest.approx(
            penalty(predictions, weights, strength, free_slope=True),
            rel=1e-11,
            abs=1e-13 * np.trace(matrix),
        )


def test_penalty_is_positive_semidefinite_and_free_along_its_direction():
    """Where the slope is fixed the direction itself costs nothing."""
    predictions, _ = table(2, 40, 5)
    prior = ShrinkagePrior.from_covariance(covariance(predictions), 100.0)
    matrix = prior.penalty(10.0)
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-12 * values[-1]
    assert np.abs(matrix @ prior.direction).max() < 1e-12 * values[-1]
    assert prior.direction.sum() == pytest.approx(1.0, rel=1e-14)


def test_slope_is_pulled_where_the_prior_says():
    """Its observation is free of error at any weights of slope ``s_0``, and costs
    ``l g^2`` a squared unit of slope elsewhere.
    """
    predictions, target = table(2, 40, 5)
    own = covariance(predictions)
    cross = np.cov(predictions, target, rowvar=False, ddof=0)
    prior = ShrinkagePrior.from_covariance(own, n_rows=40).with_evidence(
        own, cross[:-1, -1], cross[-1, -1], 40.0
    )
    seen, label = prior.slope_observation()
    assert prior.slope * prior.variance**0.5 == pytest.approx(target.std() / 4)
    assert seen @ (prior.slope * prior.direction) == pytest.approx(label, rel=1e-12)
    away = (seen @ ((prior.slope + 2) * prior.direction) - label) ** 2
    assert away == pytest.approx(4 * prior.slope_strength * prior.variance, rel=1e-12)


@law
@given(seed=st.integers(0, 2**20), unit=st.floats(1e-6, 1e6))
def test_units_of_all_models_are_of_no_account(seed, unit):
    """``w'Kw`` at reciprocal weights."""
    predictions, _ = table(seed, 40, 5, slopes=True)
    weights = np.random.default_rng(seed).standard_normal(5)
    values = [
        w @ ShrinkagePrior.from_covariance(covariance(p), 50.0, 40).penalty(5.0) @ w
        for p, w in ((predictions, weights), (predictions * unit, weights / unit))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_model_in_other_units_has_units_of_its_own():
    """Spreads of the same order are one unit; a model in percent is not shut out."""
    spread = np.array([1.0, 0.5, 2.0, 1.2, 100.0, 0.01])
    common = common_spread(spread)
    assert_allclose(common[:4], (1.0 * 1.2) ** 0.5)  # the median, of logarithms
    assert_allclose(common[4:], spread[4:] / [3, 1 / 3])
    assert_allclose(common_spread(spread[::-1]), common[::-1], rtol=1e-15)


def test_units_change_without_a_jump():
    grid = np.geomspace(0.01, 100, 2001)
    units = np.array([common_spread(np.array([1.0, 1.0, 1.0, x]))[3] for x in grid])
    assert np.abs(np.diff(np.log(units))).max() <= np.log(grid[1] / grid[0]) + 1e-12


def test_models_that_cancel_have_a_unit():
    """Their sum does not vary, so that no slope can be told from it: the weights stay
    small, and nothing is divided by zero.
    """
    predictions = np.array([[1.0, 2.0], [2.0, 1.0]])
    moments = Moments.from_rows(predictions, np.array([6.0, 5.75]))
    for constraint in ("nonnegative", "simplex", "affine"):
        found = solve_moments(moments, constraint, shrinkage="auto")
        assert np.abs(found.weights).max() <= 1.0
