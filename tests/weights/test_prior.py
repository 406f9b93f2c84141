"""The direction that needs no labels, and the penalty toward it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import covariance, law, penalty, table

from stackingnet_sk.weights import ShrinkagePrior, factor_scores


def one_factor(loadings):
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    return correlation


@law
@given(
    loadings=st.lists(st.floats(0.05, 0.98), min_size=3, max_size=30).map(np.array),
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


def test_heywood_case_is_uniform():
    """A communality above one: ``r_12 r_13 / r_23 = 1.26``."""
    correlation = np.array([[1.0, 0.9, 0.7], [0.9, 1.0, 0.5], [0.7, 0.5, 1.0]])
    assert_array_equal(factor_scores(correlation), 1.0)


def test_communality_near_one_does_not_take_all():
    """``l = 0.999`` would weigh 500 times as much as the rest, on an estimate."""
    scores = factor_scores(one_factor(np.array([0.999, 0.5, 0.5, 0.5])))
    assert_array_equal(scores, 1.0)


@pytest.mark.parametrize("flipped", [0, 2, 4])
def test_flipped_model_gets_zero(flipped):
    """Against all others it would need a negative weight, which no cone allows."""
    loadings = np.array([0.6, 0.7, 0.8, 0.5, 0.6])
    loadings[flipped] *= -1
    scores = factor_scores(one_factor(loadings))
    assert scores[flipped] == 0
    assert (np.delete(scores, flipped) > 0).all()


def test_flipped_model_gets_zero_in_the_fallback():
    correlation = np.array(
        [
            [1.0, 0.9, 0.7, -0.2],
            [0.9, 1.0, 0.5, -0.2],
            [0.7, 0.5, 1.0, -0.2],
            [-0.2, -0.2, -0.2, 1.0],
        ]
    )
    assert_array_equal(factor_scores(correlation), [1, 1, 1, 0])


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


@pytest.mark.parametrize("free_slope", [False, True])
@pytest.mark.parametrize("n_models", [1, 2, 5])
@pytest.mark.parametrize("strength", [7.5, 100.0])
def test_penalty_is_its_definition(free_slope, n_models, strength):
    predictions, _ = table(1, 40, n_models, slopes=True)
    prior = ShrinkagePrior.from_covariance(covariance(predictions), strength)
    matrix = prior.penalty(40.0, free_slope=free_slope)
    rng = np.random.default_rng(0)
    for weights in rng.standard_normal((10, n_models)):
        expected = penalty(predictions, weights, strength, free_slope=free_slope)
        assert weights @ matrix @ weights == pytest.approx(
            expected, rel=1e-11, abs=1e-13 * np.trace(matrix)
        )


def test_penalty_is_positive_semidefinite_and_free_along_its_direction():
    """Where the slope is fixed the direction itself costs nothing."""
    predictions, _ = table(2, 40, 5)
    prior = ShrinkagePrior.from_covariance(covariance(predictions), 100.0)
    matrix = prior.penalty(10.0, free_slope=False)
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-12 * values[-1]
    assert np.abs(matrix @ prior.direction).max() < 1e-12 * values[-1]
    assert prior.direction.sum() == pytest.approx(1.0, rel=1e-14)
    free = prior.penalty(10.0, free_slope=True)
    along = prior.direction @ free @ prior.direction
    assert along == pytest.approx(100.0 / 20 * prior.variance / 10.0, rel=1e-10)


@pytest.mark.parametrize("n_models", [1, 3, 6])
def test_units_of_a_model_are_of_no_account(n_models):
    """``w'Kw`` at reciprocal weights."""
    predictions, _ = table(3, 40, n_models)
    rng = np.random.default_rng(0)
    factor = np.exp(3 * rng.standard_normal(n_models))
    weights = rng.standard_normal(n_models)
    values = [
        w
        @ ShrinkagePrior.from_covariance(covariance(p), 50.0).penalty(
            5.0, free_slope=True
        )
        @ w
        for p, w in ((predictions, weights), (predictions * factor, weights / factor))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-10)
