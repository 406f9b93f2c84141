"""Weighted means of the members' answers, numbers or probabilities alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .task import Array, Combination

__all__ = ["best", "greedy", "inverse", "uniform", "weighted"]

Weights = Callable[[Array, Array], Array]  # (answers, labels) -> (M,)


def weighted(weights: Weights) -> Callable[[Array, Array], Combination]:
    """Return the solve that combines with these weights, without intercept."""

    def solve(P: Array, y: Array) -> Combination:
        found = weights(P, y)
        return lambda Q: np.tensordot(Q, found, axes=(1, 0))

    return solve


def uniform(P: Array, y: Array) -> Array:
    return np.full(P.shape[1], 1.0 / P.shape[1])


def best(errors: Weights) -> Weights:
    """Return the weights of the member of least error alone."""
    return lambda P, y: np.eye(P.shape[1])[np.argmin(errors(P, y))]


def inverse(errors: Weights) -> Weights:
    """Return weights in proportion to one over the error."""

    def weights(P: Array, y: Array) -> Array:
        precision = 1.0 / errors(P, y)
        return precision / precision.sum()

    return weights


def greedy(error_of: Callable[[Array, Array], Callable[[Array], Array]]) -> Weights:
    """Return greedy ensemble selection (Caruana et al., ICML 2004).

    Forward selection with replacement from a sorted initialization; the best ensemble
    met on the way wins. Strength: it can't leave the simplex and stops early, so it
    overfits little. Limit: weights are multiples of 1/size, no intercept.

    ``error_of(P, y)`` maps counts (..., M) of the members to the error of their mean.
    """

    def weights(P: Array, y: Array, rounds: int = 100) -> Array:
        error = error_of(P, y)
        one_more = np.eye(P.shape[1])
        ranks = np.argsort(np.argsort(error(one_more)))
        # Starting from several good members keeps the first steps from overfitting.
        starts = np.array([ranks < k for k in range(1, len(ranks) + 1)], dtype=float)
        found, least = _best(starts, error)
        counts = found
        for _ in range(rounds):
            counts, reached = _best(counts + one_more, error)
            if reached < least:
                found, least = counts, reached
        return found / found.sum()

    return weights


def _best(candidates: Array, error: Callable[[Array], Array]) -> tuple[Array, float]:
    errors = error(candidates)
    place = int(np.argmin(errors))
    return candidates[place], float(errors[place])
