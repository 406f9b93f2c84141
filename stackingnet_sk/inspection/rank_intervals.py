"""Which differences are there, and what they say of ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Differences below this are rounding.
_ROUNDING = 1e-12


def different_pairs(
    values: NDArray[np.float64], draws: NDArray[np.float64], level: float
) -> NDArray[np.bool_]:
    r"""Tell which pairs differ, all of them judged together.

    The differences ``d_jk`` of the values are compared with the largest studentized
    deviation over all pairs, ``max |d*_jk - d_jk| / s_jk`` with ``s_jk`` the standard
    deviation over the draws, at its `level` quantile, so that with that probability
    none is judged wrongly (Romano and Wolf, 2005; ranks: Mogstad, Romano, Shaikh and
    Wilhelm, 2024).

    Parameters
    ----------
    values : ndarray of shape (n_models,)
        What is compared; NaN differs from nothing.
    draws : ndarray of shape (n_draws, n_models)
        The same on bootstrap replicates.
    level : float
        Simultaneous confidence level.

    Returns
    -------
    ndarray of bool of shape (n_models, n_models)
        Whether model j, the row, is surely better than model k, the column.
    """
    n_models = len(values)
    left, right = np.triu_indices(n_models, 1)
    differences = values[left] - values[right]
    away = draws[:, left] - draws[:, right] - differences
    spread = np.sqrt(np.mean(np.square(away), axis=0))
    known = spread > _ROUNDING
    better = np.zeros((n_models, n_models), dtype=bool)
    if not known.any():
        return better
    largest = np.abs(away[:, known] / spread[known]).max(axis=1)
    bound = float(np.quantile(largest, level)) * spread
    up, down = known & (differences > bound), known & (differences < -bound)
    better[left[up], right[up]] = True
    better[right[down], left[down]] = True
    return better


def simultaneous_ranks(
    better: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rank intervals from the pairs that differ.

    Parameters
    ----------
    better : ndarray of bool of shape (n_models, n_models)
        That of :func:`different_pairs`.

    Returns
    -------
    low, high : ndarray of int of shape (n_models,)
        Rank 1 is the best: those surely better come before, those surely worse after.
    """
    return 1 + better.sum(axis=0), len(better) - better.sum(axis=1)


def plain_ranks(
    draws: NDArray[np.float64], level: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Percentiles of the bootstrapped ranks, each model judged alone.

    Near ties it misses the true rank too often, for ranks are no smooth function; it
    is here to be compared with.

    Parameters
    ----------
    draws : ndarray of shape (n_draws, n_models)
        Values on bootstrap replicates.
    level : float
        Confidence level.

    Returns
    -------
    low, high : ndarray of int of shape (n_models,)
    """
    ranks = 1 + (draws[:, None, :] > draws[:, :, None]).sum(axis=2)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(ranks, [tail, 1.0 - tail], axis=0)
    return np.floor(low).astype(int), np.ceil(high).astype(int)


def groups(order: NDArray[np.intp], better: NDArray[np.bool_]) -> list[str]:
    """Letters of groups within which no two models are told apart.

    Parameters
    ----------
    order : ndarray of int of shape (n_models,)
        The models, the best first.
    better : ndarray of bool of shape (n_models, n_models)
        That of :func:`different_pairs`.

    Returns
    -------
    list of str
        The letters of each model: two that share one can't be told apart. Groups are
        runs of neighbours in `order`; "a" is that of the best.
    """
    differ = (better | better.T)[np.ix_(order, order)]
    letters = ["" for _ in order]
    reached, group = 0, 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and not differ[start:stop, stop].any():
            stop += 1
        if stop > reached:
            for place in range(start, stop):
                letters[order[place]] += letter(group)
            reached, group = stop, group + 1
    return letters


def letter(number: int) -> str:
    """Name a group: a to z, then a' and so on.

    Parameters
    ----------
    number : int
        From zero.

    Returns
    -------
    str
    """
    return chr(ord("a") + number % 26) + "'" * (number // 26)


def probability_best(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the draws in which each model is the best; ties share.

    Parameters
    ----------
    draws : ndarray of shape (n_draws, n_models)
        Values on bootstrap replicates.

    Returns
    -------
    ndarray of shape (n_models,)
        They sum to one.
    """
    best = draws == draws.max(axis=1, keepdims=True)
    share: NDArray[np.float64] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return share
