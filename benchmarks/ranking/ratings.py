"""Ways to rank the raters of a number, each a score, greater for a better one.

To add one, add an entry to ``RANKERS``.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.theory import rank_by_covariance

from ..black_box.classification.rankers import Ranker
from ..black_box.regression.ours import DEFAULT
from ..black_box.regression.replica import train
from ..black_box.task import Array, Given, Unavailable

__all__ = [
    "LABELLED",
    "OURS",
    "OURS_UNLABELLED",
    "RANKERS",
    "WEIGHTS",
    "correlations",
]


def correlations(P: Array, target: Array) -> Array:
    """Return the correlation of each column with one target, or its own; 0 of none."""
    P, target = P - P.mean(axis=0), (target - target.mean(axis=0)).T
    spread = np.sqrt(np.square(P).sum(axis=0) * np.square(target).sum(axis=-1))
    products = target @ P if target.ndim == 1 else np.einsum("jn,nj->j", target, P)
    varies = spread > 1e-9 * len(P)
    return np.where(varies, products / np.where(varies, spread, 1.0), 0.0)


def error(given: Given) -> Array:
    """Return what ranks like 1 / MSE, and is finite for a model without error."""
    return -np.square(given.P - given.y[:, None]).mean(axis=0)


def labelled(given: Given) -> Array:
    r = correlations(given.P, given.y)
    return r * np.abs(r)


def others(given: Given) -> Array:
    """Return correlations with the average of the other models."""
    Q = given.unlabeled
    return correlations(Q, (Q.sum(axis=1, keepdims=True) - Q) / (Q.shape[1] - 1))


def median(given: Given) -> Array:
    """Return the closeness to the median of the models."""
    Q = given.unlabeled
    return -np.sqrt(np.square(Q - np.median(Q, axis=1)[:, None]).mean(axis=0))


def leading(matrix: Array) -> Array:
    """Return the loadings on the leading eigenvector, the diagonal completed."""
    try:
        return rank_by_covariance(matrix)
    except ValueError as reason:
        raise Unavailable(str(reason)) from reason


def correlation_matrix(Q: Array) -> Array:
    return np.array([correlations(Q, column) for column in Q.T])


LABELLED = Ranker("labelled sq. correlation", labelled)
WEIGHTS = Ranker("replica's weights", lambda given: train(given).weights)
OURS = Ranker("StackingNet + U", lambda given: DEFAULT.fit(given).reliability_)
OURS_UNLABELLED = Ranker(
    "StackingNet, no labels",
    lambda given: StackingNetRegressor().fit(given.unlabeled).reliability_,
    labels=False,
)
RANKERS = (
    Ranker("correlation with others", others, labels=False),
    Ranker("closeness to median", median, labels=False),
    Ranker(
        "covariance, rank one",
        lambda given: leading(np.cov(given.unlabeled.T)),
        labels=False,
    ),
    Ranker(
        "correlations, rank one",
        lambda given: leading(correlation_matrix(given.unlabeled)),
        labels=False,
    ),
    Ranker("1 / MSE on the labels", error),
    LABELLED,
    WEIGHTS,
    OURS,
    OURS_UNLABELLED,
)
