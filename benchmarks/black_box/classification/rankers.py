"""Ways to rank models, each a score a model, greater for a better one.

To add one, add an entry to ``RANKERS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stackingnet_sk.theory import rank_by_covariance

from ..task import Array, Given, Unavailable
from . import ours, replica
from .crowd import dawid_skene_skills
from .rivals import agreement
from .votes import balanced_accuracies, one_hot

__all__ = [
    "LABELLED",
    "OURS",
    "OURS_UNLABELLED",
    "RANKERS",
    "RIVALS",
    "WEIGHTS",
    "Ranker",
]


@dataclass(frozen=True)
class Ranker:
    """A row of the tables on reliability; ``labels`` and ``random`` as of a method."""

    name: str
    score: Callable[[Given], Array]
    labels: bool = True
    random: bool = False

    def __call__(self, given: Given) -> Array:
        """Return the scores; NaN where there are none to be had."""
        try:
            return np.asarray(self.score(given), dtype=float)
        except Unavailable:
            return np.full(given.unlabeled.shape[1], np.nan)


def covariance_skills(Q: Array, n_classes: int) -> Array:
    """Return what Parisi et al. (2014) score: loadings of the covariance of +-1 votes.

    The mean over classes against the rest, as it is made for two; a missing vote is 0.
    """
    coded = (2.0 * one_hot(Q, n_classes) - 1.0) * ~np.isnan(Q)[..., None]
    try:
        loadings = [rank_by_covariance(np.cov(votes)) for votes in coded.T]
    except ValueError as error:
        raise Unavailable(str(error)) from error
    return np.mean(loadings, axis=0)


OURS = Ranker("StackingNet + U", lambda given: ours.DEFAULT.fit(given).reliability_)
OURS_UNLABELLED = Ranker(
    "StackingNet, no labels",
    lambda given: ours.UNLABELLED.fit(given).reliability_,
    labels=False,
)
LABELLED = Ranker(
    "labelled bal. accuracy",
    lambda given: balanced_accuracies(given.P, given.y, given.domain),
)
WEIGHTS = Ranker("replica's weights", lambda given: replica.train(given).weights)
RIVALS = (
    LABELLED,
    WEIGHTS,
    Ranker(
        "replica's, no labels",
        lambda given: replica.train_unlabelled(given).weights,
        labels=False,
        random=True,
    ),
    Ranker(
        "crowd-kit DawidSkene",
        lambda given: dawid_skene_skills(given.unlabeled, given.domain),
        labels=False,
    ),
)
RANKERS = (
    Ranker(
        "agreement with majority",
        lambda given: agreement(given.unlabeled, given.domain),
        labels=False,
    ),
    Ranker(
        "covariance of votes",
        lambda given: covariance_skills(given.unlabeled, given.domain),
        labels=False,
    ),
    *RIVALS,
    OURS,
    OURS_UNLABELLED,
)
