"""How far each model can be trusted: bounds, symmetries and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law, table

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import reliability

seeds = st.integers(0, 2**20)


def reliabilities(predictions, target, n_labelled=None, sample_weight=None):
    """The first rows are labelled, all of them unless `n_labelled` says how many."""
    n_labelled = len(target) if n_labelled is None else n_labelled
    weights = np.ones(len(target)) if sample_weight is None else sample_weight
    own, rest = slice(n_labelled), slice(n_labelled, None)
    labelled = Moments.from_rows(predictions[own], target[own], weights[own])
    free = Moments.from_rows(
        predictions[rest], np.zeros(len(target) - n_labelled), weights[rest]
    )
    return reliability(labelled, labelled.without_labels().merge(free))


def one_factor(seed, n_rows, loadings):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(n_rows)
    errors = rng.standard_normal((n_rows, len(loadings)))
    return truth[:, None] * loadings + errors * np.sqrt(1 - loadings**2), truth


sizes = {
    "seed": seeds,
    "n_models": st.integers(1, 8),
    "n_labelled": st.sampled_from([0, 1, 2, 5, 40]),
}


@law
@given(**sizes)
def test_range(seed, n_models, n_labelled):
    """Signed shares of variance, whatever the signs and sizes of the models."""
    predictions, target = table(seed, 40, n_models)
    rng = np.random.default_rng(seed)
    predictions = predictions * rng.choice([-1, 0, 1e-3, 1, 1e3], n_models)
    found = reliabilities(predictions, target, n_labelled)

    assert found.shape == (n_models,)
    assert (np.abs(found) <= 1).all()


@law
@given(**sizes)
def test_order_of_models_is_of_no_account(seed, n_models, n_labelled):
    predictions, target = table(seed, 40, n_models)
    order = np.random.default_rng(seed).permutation(n_models)
    found = reliabilities(predictions, target, n_labelled)
    permuted = reliabilities(predictions[:, order], target, n_labelled)

    assert_allclose(permuted, found[order], rtol=1e-9, atol=1e-11)


@law
@given(**sizes)
def test_bias_and_positive_units_of_a_model_are_of_no_account(
    seed, n_models, n_labelled
):
    """The combination corrects them, so they say nothing about the model."""
    predictions, target = table(seed, 40, n_models)
    rng = np.random.default_rng(seed)
    factor, bias = np.exp(2 * rng.normal(size=n_models)), 5 * rng.normal(size=n_models)
    found = reliabilities(predictions, target, n_labelled)
    other = reliabilities(predictions * factor + bias, target, n_labelled)

    assert_allclose(other, found, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e-20, 1e20, 1e150, 1e300])
@pytest.mark.parametrize("n_labelled", [0, 10, 40])
def test_units_of_all_are_of_no_account(unit, n_labelled):
    predictions, target = table(0, 40, 5)
    found = reliabilities(predictions, target, n_labelled)
    other = reliabilities(predictions * unit, target * unit, n_labelled)

    assert_allclose(other, found, rtol=1e-10)


@pytest.mark.parametrize("unit", [1e-200, 1e-100, 1e100, 1e200])
def test_unlabelled_rows_in_other_units_do_not_overflow(unit):
    """Correlations have no units; only their blocks are merged, where one dwarfs the
    other, so the answer is that of the larger block.
    """
    predictions, target = table(0, 80, 5)
    # Means that differ would be variance, too.
    predictions[:40] -= predictions[:40].mean(axis=0)
    predictions[40:] -= predictions[40:].mean(axis=0)
    labelled = Moments.from_rows(predictions[:40], target[:40])
    rest = Moments.from_rows(predictions[40:] * unit, np.zeros(40))
    found = reliability(labelled, labelled.without_labels().merge(rest))

    larger = rest if unit > 1 else labelled.without_labels()
    assert_allclose(found, reliability(labelled, larger), rtol=1e-9)


def test_many_labels_give_the_squared_correlation():
    """Label-free knowledge counts twenty rows."""
    n_rows = 20_000
    predictions, target = table(1, n_rows, 6)
    expected = np.corrcoef(predictions.T, target)[-1, :-1] ** 2

    found = reliabilities(predictions, target)
    assert_allclose(found, expected, atol=20 / n_rows)
    assert np.abs(found - expected).max() > 0


@pytest.mark.parametrize("n_labelled", [0, 20, 2000])
def test_one_factor_is_recovered_at_every_budget(n_labelled):
    """Where errors are independent, the communality is the squared correlation with the
    truth; the labels say the same.
    """
    loadings = np.array([0.95, 0.9, 0.7, 0.5, 0.3])
    errors = [
        reliabilities(*one_factor(seed, 2000, loadings), n_labelled) - loadings**2
        for seed in range(20)
    ]

    assert_allclose(np.mean(errors, axis=0), 0, atol=0.05)


def test_labels_and_agreement_meet_half_way_at_twenty_labels():
    predictions, target = table(2, 60, 4)
    free = reliabilities(predictions, target, 0)
    known = np.corrcoef(predictions[:20].T, target[:20])[-1, :-1] ** 2

    found = reliabilities(predictions, target, 20)
    assert_allclose(found, (free + known) / 2, rtol=1e-9)


def test_unlabelled_rows_speak_through_agreement_only():
    """More of them leave the weight of the labels alone."""
    predictions, target = table(2, 400, 4)
    own = Moments.from_rows(predictions[:30], target[:30])
    prediction_moments = Moments.from_rows(predictions, np.zeros(400))
    free = reliability(
        Moments.from_rows(predictions[:0], target[:0]), prediction_moments
    )
    known = np.corrcoef(predictions[:30].T, target[:30])[-1, :-1] ** 2

    found = reliability(own, prediction_moments)
    assert_allclose(found, 0.6 * known + 0.4 * free, rtol=1e-9)


@pytest.mark.parametrize("n_labelled", [0, 10, 300])
@pytest.mark.parametrize("flipped", [0, 2, 4])
def test_flipped_model_is_negative_and_the_others_do_not_suffer(n_labelled, flipped):
    """Running against the truth is knowledge about it: the same size, other sign."""
    predictions, target = one_factor(3, 300, np.array([0.9, 0.8, 0.8, 0.7, 0.6]))
    found = reliabilities(predictions, target, n_labelled)
    predictions[:, flipped] *= -1
    other = reliabilities(predictions, target, n_labelled)

    assert found[flipped] > 0.2
    assert other[flipped] < -0.2
    assert (np.delete(other, flipped) > 0.2).all()
    if n_labelled == 300:
        assert other[flipped] == pytest.approx(-found[flipped], abs=0.1)


@law
@given(
    seed=seeds,
    n_models=st.integers(1, 5),
    n_labelled=st.sampled_from([0, 1, 5, 30]),
    constant=st.sampled_from([0.0, 0.1, -0.37, 1 / 3, 7.3, 1e5 / 3]),
)
def test_constant_model_is_zero_and_not_there_for_the_others(
    seed, n_models, n_labelled, constant
):
    """What is left of its variance is rounding, and rounding has correlations too."""
    predictions, target = table(seed, 30, n_models)
    place = seed % (n_models + 1)
    with_constant = np.insert(predictions, place, constant, axis=1)
    found = reliabilities(with_constant, target, n_labelled)

    assert found[place] == 0
    expected = reliabilities(predictions, target, n_labelled)
    assert_allclose(np.delete(found, place), expected, rtol=1e-9, atol=1e-10)


@law
@given(seed=seeds, constant=st.sampled_from([0.1, -0.37, 1 / 3, 7.3, 1e5 / 3]))
def test_model_that_is_constant_on_labelled_rows_only(seed, constant):
    """Labels say nothing about it, the other rows still do."""
    predictions, target = table(seed, 60, 4)
    predictions[:20, 1] = constant
    free = reliabilities(predictions, target, 0)

    found = reliabilities(predictions, target, 20)
    assert_allclose(found[1], free[1] / 2, rtol=1e-7, atol=1e-10)


@law
@given(seed=seeds, label=st.sampled_from([0.0, 0.1, -0.37, 1 / 3, 7.3, 1e5 / 3]))
def test_constant_labels_say_nothing(seed, label):
    predictions, _ = table(seed, 60, 4)
    free = reliabilities(predictions, np.full(60, label), 0)

    found = reliabilities(predictions, np.full(60, label), 20)
    assert_allclose(found, free / 2, rtol=1e-6, atol=1e-9)


def test_one_model():
    """Nobody contradicts a model that is alone; labels may."""
    predictions, target = table(4, 40, 1)
    assert_array_equal(reliabilities(predictions, target, 0), 1.0)
    known = np.corrcoef(predictions[:, 0], target)[0, 1] ** 2

    found = reliabilities(predictions, target)
    assert_allclose(found, (40 * known + 20) / 60, rtol=1e-9)
    assert (reliabilities(-predictions, target) < found).all()
    assert_array_equal(reliabilities(np.full((40, 1), 0.1), target), 0.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_two_models_share_their_correlation(sign):
    """Only the product of two loadings is identified."""
    predictions, target = table(5, 40, 2)
    predictions[:, 1] *= sign
    expected = np.corrcoef(predictions, rowvar=False)[0, 1]

    assert_allclose(reliabilities(predictions, target, 0), expected, rtol=1e-9)
    assert np.sign(expected) == sign


def test_models_without_anything_in_common_are_near_zero():
    """As a rule: a ratio of two sums that are nearly zero can be anything."""
    largest = [
        np.abs(reliabilities(rows, np.zeros(20_000), 0)).max()
        for rows in np.random.default_rng(0).normal(size=(20, 20_000, 6))
    ]
    assert np.median(largest) < 0.05


@pytest.mark.parametrize("n_copies", [1, 2, 3])
def test_copies_of_a_model_that_runs_against_the_others_are_not_a_pair(n_copies):
    """They agree perfectly, which sums of correlations take for knowledge."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500)
    honest = truth[:, None] + 1.5 * rng.normal(size=(500, 5))
    against = -np.repeat(honest[:, :1], n_copies, axis=1)

    found = reliabilities(np.column_stack([honest, against]), truth, 0)
    assert (found[:5] > 0).all()
    assert (found[5:] < 0).all()


@law
@given(seed=seeds, n_labelled=st.sampled_from([0, 8, 30]))
def test_integer_weight_is_a_repetition(seed, n_labelled):
    predictions, target = table(seed, 30, 4)
    times = np.random.default_rng(seed).integers(1, 4, 30)
    weighted = reliabilities(predictions, target, n_labelled, times.astype(float))
    repeated = reliabilities(
        np.repeat(predictions, times, axis=0),
        np.repeat(target, times),
        times[:n_labelled].sum(),
    )

    assert_allclose(weighted, repeated, rtol=1e-8, atol=1e-10)


def test_weights_are_those_of_the_correlation():
    predictions, target = table(6, 60, 4)
    weights = np.random.default_rng(0).uniform(size=60)
    moments = np.cov(predictions.T, target, aweights=weights)
    spread = np.sqrt(moments.diagonal())
    known = (moments[-1, :-1] / spread[:-1] / spread[-1]) ** 2

    # Heavy enough for the labels to drown what the models have in common.
    found = reliabilities(predictions, target, sample_weight=1e4 * weights)
    assert_allclose(found, known, atol=1e-4)
    plain = np.corrcoef(predictions.T, target)[-1, :-1] ** 2
    assert np.abs(known - plain).max() > 0.01
