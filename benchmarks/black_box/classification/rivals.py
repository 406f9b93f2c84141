"""What people use to combine votes, with labels and without.

To add a rival, add an entry to ``RIVALS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..task import Array, Given, Method
from .crowd import CROWD
from .replica import REPLICA, UNLABELLED
from .spectral import SPECTRAL
from .stacking import BALANCED, UNBALANCED
from .votes import WeightedVote, balanced_accuracies, imputed, majority

__all__ = ["AGREEMENT", "HINDSIGHT", "MAJORITY", "RIVALS", "agreement"]


@dataclass(frozen=True)
class Constant:
    """The same class for every row."""

    answer: int

    def predict(self, Q: Array) -> Array:
        """Return the class for each row of Q."""
        return np.full(len(Q), self.answer)


def constant(given: Given) -> Constant:
    return Constant(int(np.bincount(given.y).argmax()))


def single(choose: Callable[[Array], int]) -> Callable[[Given], WeightedVote]:
    """Return a choice by balanced accuracy on the labels; the seed imputes."""

    def fit(given: Given) -> WeightedVote:
        P = imputed(given.P, given.domain, given.seed)
        chosen = choose(balanced_accuracies(P, given.y, given.domain))
        weights = np.eye(P.shape[1])[chosen]
        return WeightedVote(weights, given.domain, given.seed)

    return fit


def vote(given: Given) -> WeightedVote:
    return WeightedVote(np.ones(given.unlabeled.shape[1]), given.domain)


def agreement(Q: Array, n_classes: int) -> Array:
    """Return how often each model's answers are the majority's."""
    answered = ~np.isnan(Q)
    same = majority(Q, n_classes)[:, None] == Q
    return same.sum(axis=0) / np.maximum(answered.sum(axis=0), 1)


def agreement_vote(given: Given) -> WeightedVote:
    """Return what crowd-kit calls Wawa."""
    return WeightedVote(agreement(given.unlabeled, given.domain), given.domain)


def accuracy_vote(given: Given) -> WeightedVote:
    """Return crowd-kit's GoldMajorityVote, which not every version of it can run."""
    right = (given.y[:, None] == given.P).sum(axis=0)
    answered = (~np.isnan(given.P)).sum(axis=0)
    return WeightedVote(right / np.maximum(answered, 1), given.domain)


MAJORITY = Method("majority vote", vote, labels=False)
AGREEMENT = Method("agreement-weighted vote", agreement_vote, labels=False)
RIVALS = (
    MAJORITY,
    AGREEMENT,
    SPECTRAL,
    *CROWD,
    UNLABELLED,
    Method("constant (majority class)", constant),
    Method("best single (on labels)", single(np.argmax)),
    Method("accuracy-weighted vote", accuracy_vote),
    BALANCED,
    UNBALANCED,
    REPLICA,
)

# Given the labels of the test items, see the protocol: no rivals.
HINDSIGHT = (
    Method("best single (hindsight)", single(np.argmax)),
    Method("worst single (hindsight)", single(np.argmin)),
)
