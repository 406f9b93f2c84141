"""Ties, silence, orders and blocks: none of them may change an answer by accident."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from stackingnet_sk import StackingNetClassifier


def panel(seed, n_rows=40, accuracy=(0.8, 0.7, 0.7, 0.6, 0.5), n_classes=3):
    """Votes of independent models, some missing, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    guesses = rng.integers(n_classes, size=(n_rows, len(accuracy)))
    right = rng.random(guesses.shape) < accuracy
    votes = np.where(right, truth[:, None], guesses).astype(float)
    votes[rng.random(votes.shape) < 0.1] = np.nan
    return votes, truth


def partly(truth, n_labels):
    return np.where(np.arange(len(truth)) < n_labels, truth.astype(float), np.nan)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n_labels", [0, 15, 40])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_the_order_of_models_and_rows_does_not_matter(seed, n_labels, class_weight):
    """Small tables, full of ties: predictions are the same, not only close."""
    votes, truth = panel(seed)
    y = partly(truth, n_labels) if n_labels else None
    model = StackingNetClassifier(classes=range(3), class_weight=class_weight)
    rng = np.random.default_rng(seed)
    models, rows = rng.permutation(votes.shape[1]), rng.permutation(len(votes))
    plain = clone(model).fit(votes, y)
    turned = clone(model).fit(votes[:, models], y)
    mixed = clone(model).fit(votes[rows], None if y is None else y[rows])

    assert_array_equal(turned.predict(votes[:, models]), plain.predict(votes))
    assert_allclose(turned.weights_, plain.weights_[models], atol=1e-8)
    assert_allclose(turned.reliability_, plain.reliability_[models], atol=1e-8)
    for attribute in ("weights_", "vote_weights_", "intercept_", "confusion_"):
        assert_array_equal(getattr(mixed, attribute), getattr(plain, attribute))


def test_a_tie_goes_to_the_larger_prior():
    """Two models of equal weight that disagree leave it to the rates."""
    votes = np.array([[0, 0]] * 6 + [[1, 1]] * 3)
    model = StackingNetClassifier().fit(votes, votes[:, 0])

    assert model.predict([[0, 1], [1, 0]]).tolist() == [0, 0]


def test_then_to_the_more_reliable_model():
    """Under equal priors; without weights to tell them apart."""
    rng = np.random.default_rng(0)
    truth = np.tile([0, 1], 50)
    good = np.where(rng.random(100) < 0.9, truth, 1 - truth)
    fair = np.where(rng.random(100) < 0.7, truth, 1 - truth)
    model = StackingNetClassifier(class_weight="balanced")
    model.fit(np.column_stack([good, fair]), truth)
    model.vote_weights_ = np.tile(np.eye(2), (2, 1, 1))
    model.intercept_ = np.zeros(2)

    assert model.reliability_[0] > model.reliability_[1]
    assert model.predict([[0, 1], [1, 0]]).tolist() == [0, 1]


def test_then_to_the_first_class():
    """Two models alike in all: neither order of columns wins."""
    votes = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    model = StackingNetClassifier(class_weight="balanced").fit(votes)

    assert model.predict([[0, 1], [1, 0]]).tolist() == [0, 0]
    shown = model.predict_proba([[0, 1]])
    assert_allclose(shown, 0.5, atol=1e-8)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0}], ids=str)
@pytest.mark.parametrize("n_labels", [0, 40])
def test_silence_is_answered_by_the_class_prior(class_weight, n_labels):
    """Exactly, whatever the intercepts, times what it says that all models abstain."""
    votes, truth = panel(3)
    y = partly(truth, n_labels) if n_labels else None
    model = StackingNetClassifier(class_weight=class_weight).fit(votes, y)
    silence = np.full((2, votes.shape[1]), np.nan)

    expected = model.class_prior_ * np.exp(model.abstention_weights_.sum(axis=0))
    expected /= expected.sum()
    assert_allclose(model.predict_proba(silence), [expected] * 2, atol=1e-8)
    full = StackingNetClassifier(class_weight=class_weight, structure="full")
    full.fit(votes, y)
    assert_allclose(full.predict_proba(silence), [full.class_prior_] * 2, atol=1e-8)
    assert model.n_answers(silence).tolist() == [0, 0]


# ---------------------------------------------------------------------- blocks


@pytest.mark.parametrize("n_labels", [0, 25, 40])
def test_blocks_are_one_fit(n_labels):
    """Counts merge exactly, labelled or not, in any order."""
    votes, truth = panel(4)
    y = partly(truth, n_labels) if n_labels else None
    whole = StackingNetClassifier(classes=range(3)).fit(votes, y)
    blocks = [slice(30, 40), slice(0, 7), slice(7, 30)]
    parts = StackingNetClassifier()
    for rows in blocks:
        own = None if y is None or np.isnan(y[rows]).all() else y[rows]
        parts.partial_fit(votes[rows], own, classes=range(3))

    for attribute in ("weights_", "vote_weights_", "intercept_", "reliability_"):
        assert_array_equal(getattr(parts, attribute), getattr(whole, attribute))


def test_weights_are_repetitions():
    """Also of rows without a label."""
    votes, truth = panel(5)
    y = partly(truth, 25)
    times = np.random.default_rng(0).integers(0, 4, size=len(y))
    model = StackingNetClassifier(classes=range(3))
    weighted = clone(model).fit(votes, y, sample_weight=times)
    repeated = clone(model).fit(np.repeat(votes, times, axis=0), np.repeat(y, times))

    assert_allclose(weighted.vote_weights_, repeated.vote_weights_, atol=1e-9)


@pytest.mark.parametrize("n_labels", [0, 25])
def test_the_unit_of_small_weights_does_not_matter(n_labels):
    """Weights that sum to one don't claim that there is a single row."""
    votes, truth = panel(8, n_rows=400)
    y = partly(truth, n_labels) if n_labels else None
    plain = StackingNetClassifier(classes=range(3)).fit(votes, y)
    shares = StackingNetClassifier(classes=range(3))
    shares.fit(votes, y, sample_weight=np.full(400, 1 / 400))

    assert_allclose(shares.vote_weights_, plain.vote_weights_, atol=1e-7)
    assert_allclose(shares.reliability_, plain.reliability_, atol=1e-8)


def test_a_block_need_not_have_a_label():
    """Nor need a stream say so by y=None."""
    votes, truth = panel(9)
    y = partly(truth, 12)
    whole = StackingNetClassifier(classes=range(3)).fit(votes, y)
    parts = StackingNetClassifier(classes=range(3))
    for start in range(0, 40, 10):
        rows = slice(start, start + 10)
        parts.partial_fit(votes[rows], y[rows])

    assert_array_equal(parts.vote_weights_, whole.vote_weights_)


@pytest.mark.parametrize("unit", [1e-200, 1e-3, 1e6])
def test_weights_of_any_size(unit):
    votes, truth = panel(10)
    model = StackingNetClassifier(classes=range(3))
    model.fit(votes, truth, sample_weight=np.full(40, unit))
    assert np.isfinite(model.vote_weights_).all()


def test_classes_come_first_in_partial_fit():
    votes, truth = panel(6)
    with pytest.raises(ValueError, match="classes=None at the first call"):
        StackingNetClassifier().partial_fit(votes, truth)
    began = StackingNetClassifier().partial_fit(votes, truth, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="differ from those of the first call"):
        began.partial_fit(votes, truth, classes=[0, 1])


def test_memory_is_bounded():
    votes, truth = panel(7)
    with pytest.raises(ValueError, match="more than max_patterns=5; raise it"):
        StackingNetClassifier(max_patterns=5).fit(votes, truth)
    few = StackingNetClassifier(max_patterns=30, classes=range(3))
    few.partial_fit(votes[:20], truth[:20])
    with pytest.raises(ValueError, match="distinct rows of votes"):
        few.partial_fit(votes[20:], truth[20:])
