"""Pairs of models that differ significantly, and the ranks that follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Standard deviation of a difference below which it is rounding (values are at most 1).
_ROUNDING = 1e-12


def different_pairs(
    values: NDArray[np.float64], draws: NDArray[np.float64], level: float
) -> NDArray[np.bool_]:
    """Tell which pairs of models differ, at a simultaneous confidence level.

    The differences ``d_jk`` of the values are compared with the `level` quantile of the
    largest studentized deviation over all pairs, ``max |d*_jk - d_jk| / s_jk``, where
    ``s_jk`` is the standard deviation over the draws (n_draws, n_models). With that
    probability no pair is judged wrongly (Romano and Wolf, 2005; for ranks: Mogstad,
    Romano, Shaikh and Wilhelm, 2024). Entry ``[j, k]`` of the result tells whether
    model j is surely better than model k. A model whose value is NaN differs from none.
    """
    n_models = len(values)
    left, right = np.triu_indices(n_models, 1)
    differences = values[left] - values[right]
    deviations = draws[:, left] - draws[:, right] - differences
    spread = np.sqrt(np.mean(np.square(deviations), axis=0))
    varying = spread > _ROUNDING
    better = np.zeros((n_models, n_models), dtype=bool)
    if not varying.any():
        return better
    largest = np.abs(deviations[:, varying] / spread[varying]).max(axis=1)
    bound = float(np.quantile(largest, level)) * spread
    up, down = varying & (differences > bound), varying & (differences < -bound)
    better[left[up], right[up]] = True
    better[right[down], left[down]] = True
    return better


def simultaneous_ranks(
    better: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the lowest and highest rank of each model, given :func:`different_pairs`.

    Rank 1 is the best: surely better models come before, and surely worse ones after.
    """
    return 1 + better.sum(axis=0), len(better) - better.sum(axis=1)


def groups(order: NDArray[np.intp], better: NDArray[np.bool_]) -> list[str]:
    """Return letters for each model; two that share a letter can't be told apart.

    `order` lists the models, the best first. A group is a run of neighbours in `order`
    no two of which differ, and "a" is the group of the best.
    """
    differ = (better | better.T)[np.ix_(order, order)]
    letters = ["" for _ in order]
    end_of_group, group = 0, 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and not differ[start:stop, stop].any():
            stop += 1
        if stop > end_of_group:
            for model in order[start:stop]:
                letters[model] += letter(group)
            end_of_group, group = stop, group + 1
    return letters


def letter(number: int) -> str:
    """Name a group, counted from zero: a to z, then a' and so on."""
    return chr(ord("a") + number % 26) + "'" * (number // 26)


def probability_best(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of draws in which each model is the best; ties are shared."""
    best = draws == draws.max(axis=1, keepdims=True)
    share: NDArray[np.float64] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return share
