"""Greedy ensemble selection (Caruana, Niculescu-Mizil, Crew & Ksikes, ICML 2004).

Forward selection with replacement from a sorted initialization, on the
out-of-fold mean squared error. Strength: it can't leave the simplex and stops
early, so it overfits little. Limit: weights are multiples of 1/size, no intercept.
"""

from __future__ import annotations

import numpy as np

from ..task import Array

__all__ = ["greedy_weights"]


def greedy_weights(P: Array, y: Array, rounds: int = 100) -> Array:
    """Return the shares of the members in the best ensemble met on the way.

    With counts ``c`` that sum to k, and G the second moments of the members'
    residuals, the ensemble's mean squared error is ``c'Gc / k^2``; adding member m
    makes it ``(c'Gc + 2 (Gc)_m + G_mm) / (k + 1)^2``. The data are read once.
    """
    residuals = P - y[:, None]
    G = residuals.T @ residuals / len(y)
    counts = _sorted_initialization(G)
    best, best_error = counts, _error(G, counts)
    for _ in range(rounds):
        growth = 2.0 * (G @ counts) + np.diag(G)
        counts = counts + np.eye(len(G))[np.argmin(growth)]
        error = _error(G, counts)
        if error < best_error:
            best, best_error = counts, error
    return best / best.sum()


def _sorted_initialization(G: Array) -> Array:
    """Return one of each of the k best members, k being the best such number.

    Starting from several good members keeps the first steps from overfitting.
    """
    ranks = np.argsort(np.argsort(np.diag(G)))
    starts = [(ranks < k).astype(float) for k in range(1, len(G) + 1)]
    return min(starts, key=lambda counts: _error(G, counts))


def _error(G: Array, counts: Array) -> float:
    return float(counts @ G @ counts) / counts.sum() ** 2
