"""What people use to combine classifiers, each as a solve on out-of-fold probabilities.

The real ``VotingClassifier`` and ``StackingClassifier`` do the same arithmetic after
fitting their members; the protocol checks that their answers agree.
To add a rival, add an entry to ``RIVALS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from ..task import Array, Combination, Rival
from ..weighted import best, greedy, inverse, uniform, weighted
from .votes import votes

__all__ = ["RIVALS"]

IMPOSSIBLE = float(np.finfo(float).eps)  # as in sklearn.metrics.log_loss


def likelihoods(P: Array, y: Array) -> Array:
    """Return the probability that each member gives to the label, (n, M)."""
    return P[np.arange(len(y)), :, y]


def losses(likelihood: Array) -> Array:
    return -np.log(np.maximum(likelihood, IMPOSSIBLE)).mean(axis=0)


def log_losses(P: Array, y: Array) -> Array:
    return losses(likelihoods(P, y))


def loss_of_mean(P: Array, y: Array) -> Callable[[Array], Array]:
    """Return the log loss of a mean of members, as a function of counts."""
    likelihood = likelihoods(P, y)
    return lambda counts: losses(likelihood @ (counts.T / counts.sum(-1)))


def constant(P: Array, y: Array) -> Combination:
    return DummyClassifier(strategy="prior").fit(P, y).predict_proba


def majority(P: Array, y: Array) -> Combination:
    """Return a majority vote; a tie goes to the first class."""
    one_hot = np.eye(P.shape[2])
    return lambda Q: one_hot[votes(Q)].sum(axis=1).argmax(axis=1)


def stacked(**parameters: Any) -> Callable[[Array, Array], Combination]:
    """Return a logistic regression, of two classes on the second's probability."""

    def features(P: Array) -> Array:
        return P[:, :, P.shape[2] == 2 :].reshape(len(P), -1)

    def solve(P: Array, y: Array) -> Combination:
        model = LogisticRegression(**parameters).fit(features(P), y)
        return lambda Q: model.predict_proba(features(Q))

    return solve


RIVALS = (
    Rival("constant (class frequencies)", constant),
    Rival("best single (out of fold)", weighted(best(log_losses))),
    Rival("VotingClassifier (hard)", majority),
    Rival("VotingClassifier (soft)", weighted(uniform)),
    Rival("VotingClassifier (1/log loss)", weighted(inverse(log_losses))),
    Rival("greedy selection", weighted(greedy(loss_of_mean))),
    Rival("StackingClassifier (logistic)", stacked()),
    Rival("StackingClassifier (balanced)", stacked(class_weight="balanced")),
)
