"""Masked arrays: what is masked is missing, not what lies beneath."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.predictions import is_labelled, unmasked


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=60)
    return truth[:, None] + rng.normal(size=(60, 3)), truth


def test_kinds():
    mask = [False, True]
    assert_array_equal(unmasked(np.ma.array([1.0, 2.0], mask=mask)), [1.0, np.nan])
    assert_array_equal(unmasked(np.ma.array([1, 2], mask=mask)), [1.0, np.nan])
    assert unmasked(np.ma.array(["a", "b"], mask=mask)).tolist() == ["a", None]
    assert is_labelled(np.ma.array([1, 2], mask=mask)).tolist() == [True, False]
    same = np.arange(3)
    assert unmasked(same) is same


def test_masked_labels_are_none(table):
    rows, truth = table
    hidden = np.ma.array(truth, mask=np.arange(60) >= 20)
    expected = StackingNetRegressor().fit(rows, hidden.filled(np.nan))
    assert_allclose(
        StackingNetRegressor().fit(rows, hidden).weights_, expected.weights_
    )


def test_masked_predictions_are_missing(table):
    """What lies beneath the mask, here infinity, is never read."""
    rows, truth = table
    rows[3, 1] = np.inf
    masked = np.ma.array(rows, mask=~np.isfinite(rows))
    holes = masked.filled(np.nan)
    read = StackingNetRegressor().fit(masked, truth)
    expected = StackingNetRegressor().fit(holes, truth)
    assert list(read.moments_per_model_) == [1]
    assert_array_equal(read.weights_, expected.weights_)
    assert_array_equal(read.predict(masked), expected.predict(holes))
    assert_array_equal(read.n_answers(masked), 3 - np.isnan(holes).sum(axis=1))


@pytest.mark.parametrize("kind", [int, str])
def test_masked_votes_abstain(kind):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=80)
    votes = np.where(rng.random((80, 4)) < 0.7, truth[:, None], 0)
    silent = rng.random(votes.shape) < 0.2
    masked = np.ma.array(votes.astype(kind), mask=silent)
    plain = np.where(silent, None, votes.astype(kind).astype(object))
    labels = np.ma.array(truth.astype(kind), mask=np.arange(80) >= 30)
    some = np.where(np.arange(80) < 30, truth.astype(kind).astype(object), None)
    read = StackingNetClassifier().fit(masked, labels)
    expected = StackingNetClassifier().fit(plain, some)
    assert_array_equal(read.n_answers(masked), (~silent).sum(axis=1))
    assert_array_equal(read.vote_weights_, expected.vote_weights_)


def test_masked_predictions_stay_missing_when_clipped(table):
    rows = np.ma.array(table[0], mask=np.zeros((60, 3)))
    rows[0, 0] = np.ma.masked
    clipped = PredictionClipper(-1, 1).fit(rows).transform(rows)
    assert np.isnan(clipped[0, 0])
    assert np.isnan(clipped).sum() == 1
