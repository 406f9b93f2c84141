"""How far agreement is trusted: priors, what labels say, and what does not count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from weights_problems import law

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.weights.trust import believed, estimate_trust

seeds = st.integers(0, 2**20)


def coins(accuracy, n_classes=2):
    accuracy = np.asarray(accuracy, dtype=float)[:, None, None]
    wrong = (1 - accuracy) / (n_classes - 1)
    return np.where(np.eye(n_classes, dtype=bool), accuracy, wrong)


def labelled(accuracy, n_rows, n_classes=2):
    """Votes on so many rows of each class, in proportion to the accuracies."""
    return n_rows * coins(accuracy, n_classes)


def test_without_labels_it_is_the_prior():
    trust = estimate_trust(np.zeros((4, 2, 2)), coins([0.9] * 4), np.ones(4), 0.0)
    assert trust.mean == pytest.approx(2.5 / (2.5 + 0.67), abs=0.01)
    assert trust.beliefs.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_many_labels_find_the_share_that_is_real(share):
    """All models are above chance by a share of what agreement shows."""
    shown = np.array([0.9, 0.8, 0.75])
    real = 0.5 + share * (shown - 0.5)
    trust = estimate_trust(labelled(real, 2000), coins(shown), np.ones(3), 0.0)
    assert trust.mean == pytest.approx(share, abs=0.03)


@law
@given(seed=seeds, n_models=st.integers(1, 6))
def test_copies_and_models_that_err_together_say_it_once(seed, n_models):
    """M equal models with the weight of one, or with perfectly correlated errors."""
    accuracy = np.random.default_rng(seed).uniform(0.5, 0.95)
    one = (labelled([accuracy], 9), coins([0.9]))
    many = (labelled([accuracy] * n_models, 9), coins([0.9] * n_models))
    alone = estimate_trust(*one, np.ones(1), 0.0)
    family = estimate_trust(*many, np.full(n_models, 1 / n_models), 0.0)
    together = estimate_trust(*many, np.ones(n_models), 1.0)

    assert_allclose(family.beliefs, alone.beliefs, rtol=1e-9)
    assert_allclose(together.beliefs, alone.beliefs, rtol=1e-9)


def test_no_trust_is_guessing_and_full_trust_is_agreement():
    confusion = coins([0.9, 0.4], 3)
    assert_allclose(believed(confusion, 1.0), confusion)
    assert_allclose(believed(confusion, 0.0), 1 / 3)


def test_labels_that_show_all_models_at_chance_move_all_of_them():
    """Ten models agree on an answer that is unrelated to the label: agreement says
    that all of them are good, and 46 labels say otherwise.
    """
    rng = np.random.default_rng(0)
    truth, common = rng.integers(5, size=(2, 1000))
    votes = np.where(
        rng.random((1000, 10)) < 0.6, common[:, None], rng.integers(5, size=(1000, 10))
    )
    labels = np.where(np.arange(1000) < 46, truth, np.nan)
    without = StackingNetClassifier(classes=range(5)).fit(votes)
    model = StackingNetClassifier(classes=range(5)).fit(votes, labels)

    assert without.reliability_.min() > 0.5
    assert model.reliability_.max() < 0.3
