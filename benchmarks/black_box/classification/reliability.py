"""How well scores rank the models: as their true balanced accuracies do, or not.

Truth is a model's balanced accuracy on the test items that it answered. Kendall's tau
with it, at five labels a class, at 10 %, and without labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from ..data import Pair, Table
from ..protocol import given, n_labels
from ..summary import Summary
from ..task import Array
from .grid import grid
from .rankers import RANKERS
from .votes import balanced_accuracies, draw

__all__ = [
    "FEW",
    "NONE",
    "TENTH",
    "Taus",
    "correlation",
    "few_labels",
    "report",
    "taus",
    "truth",
]

FEW, TENTH, NONE = "5 a class", "10%", "no labels"
PER_CLASS = 5

Taus = dict[str, dict[str, dict[str, list[float]]]]  # setting, ranker, table, seeds


def few_labels(pair: Pair, seed: int) -> Sequence[int]:
    """Return positions in the pool of five labels a class, as far as there are."""
    y, rng = pair.source.y[pair.source.pool], np.random.RandomState(seed)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(y == k))[:PER_CLASS] for k in np.unique(y)]
    )


def tenth(pair: Pair, seed: int) -> Sequence[int]:
    y = pair.source.y[pair.source.pool]
    return draw(y, n_labels(TENTH, pair.source), seed)


SETTINGS: Mapping[str, Callable[[Pair, int], Sequence[int]]] = {
    FEW: few_labels,
    TENTH: tenth,
    NONE: lambda pair, seed: [],
}


def truth(table: Table) -> Array:
    """Return the true balanced accuracy of each model."""
    return balanced_accuracies(table.unlabeled, table.truth, table.domain)


def correlation(
    scores: Array, true: Array, of: Callable[[Array, Array], Any] = kendalltau
) -> float:
    """Return Kendall's tau, or another; 0 where scores are all equal, ranking none."""
    if np.isnan(scores).any():
        return float("nan")
    if np.ptp(scores) == 0:
        return 0.0
    return float(of(scores, true).statistic)


def taus(pairs: Mapping[str, Pair], seeds: int) -> Taus:
    """Return the tau of each seed, where a ranker's need of labels fits a setting."""
    found: Taus = {}
    for setting, labelled in SETTINGS.items():
        for ranker in (r for r in RANKERS if r.labels == (setting != NONE)):
            own = found.setdefault(setting, {}).setdefault(ranker.name, {})
            for name, pair in pairs.items():
                true = truth(pair.target)
                draws = seeds if ranker.labels or ranker.random else 1
                own[name] = [
                    correlation(ranker(given(pair, labelled(pair, seed), seed)), true)
                    for seed in range(draws)
                ]
    return found


def mean(found: Taus, setting: str, ranker: str, tables: Sequence[str]) -> float:
    """Return the mean over tables and seeds; NaN if the setting isn't the ranker's."""
    known = found[setting].get(ranker)
    return (
        np.nan if known is None else float(np.mean([np.mean(known[t]) for t in tables]))
    )


def report(summary: Summary, found: Taus) -> Iterator[str]:
    """Yield a row a ranker, for each family and over all tables."""
    scopes = {**summary.families, "all": summary.tables}
    columns = [
        f"{scope}_{setting}".replace(" ", "_") for scope in scopes for setting in found
    ]
    rows = [
        (
            ranker.name,
            [
                mean(found, setting, ranker.name, tables)
                for tables in scopes.values()
                for setting in found
            ],
        )
        for ranker in RANKERS
    ]
    title = "Reliability: Kendall's tau with the models' true balanced accuracy"
    yield from grid(title, columns, rows, digits=3)
