"""From tables to errors: every contestant on the same labels and the same holes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np

from ..black_box.data import Table
from ..black_box.protocol import n_labels
from ..black_box.regression import REGRESSION
from ..black_box.summary import standard_error
from ..black_box.task import Array
from .case import Case, Contestant
from .contestants import CONTESTANTS, OURS
from .masks import KINDS, punch

__all__ = ["MODES", "Errors", "Key", "measure"]

# Whether the rows to predict are given when something is fitted.
MODES = {"known": True, "unknown": False}

Key = tuple[str, str, int]  # mode, kind of hole, rate in percent


@dataclass
class Errors:
    """Mean absolute errors on the test rows.

    ``values`` maps mode, kind and rate -> row -> table -> budget -> seeds.
    """

    tables: Sequence[Table]
    budgets: Sequence[str]
    rates: Sequence[int]
    seeds: int
    values: dict[Key, dict[str, list[list[list[float]]]]] = field(default_factory=dict)

    def keys(self, mode: str) -> list[Key]:
        """Return the keys of a mode, in order."""
        return list(product([mode], KINDS, self.rates))

    def mean(self, key: Key, of: Contestant) -> Array:
        """Return the means over seeds (tables, budgets)."""
        return np.mean(self.values[key][of.name], axis=2)

    def ratio(
        self, key: Key, other: Contestant, axis: int | None = None
    ) -> Any:  # a number or, by axis, an array
        """Return ours over another, of the means over an axis, or over all."""
        own = self.mean(key, OURS).mean(axis=axis)
        return own / self.mean(key, other).mean(axis=axis)

    def uncertainty(self, key: Key, other: Contestant) -> float:
        """Return the standard error over draws of ours over another, over all."""
        own, theirs = (
            np.mean(self.values[key][each.name], axis=(0, 1)) for each in (OURS, other)
        )
        return float(standard_error(own / theirs))

    def worst(self, key: Key, other: Contestant) -> tuple[float, str]:
        """Return the largest ratio on a table at a budget, and where it is."""
        ratios = self.mean(key, OURS) / self.mean(key, other)
        table, budget = np.unravel_index(ratios.argmax(), ratios.shape)
        where = f"{self.tables[table].name}, {self.budgets[budget]} of labels"
        return float(ratios.max()), where


def measure(
    tables: Sequence[Table],
    budgets: Sequence[str],
    rates: Sequence[int],
    seeds: int,
    progress: Callable[[str], None],
) -> Errors:
    """Measure everybody in every case."""
    errors = Errors(tables, budgets, rates, seeds)
    for key in product(MODES, KINDS, rates):
        start = perf_counter()
        found = np.array(
            [
                [list(scores(table, budget, key, seeds)) for budget in budgets]
                for table in tables
            ]
        )  # tables, budgets, seeds, rows
        errors.values[key] = {
            each.name: found[..., i].tolist() for i, each in enumerate(CONTESTANTS)
        }
        mode, kind, rate = key
        seconds = perf_counter() - start
        progress(f"{mode} at fit, {kind}, {rate}%: {seconds:.0f} s")
    return errors


def scores(table: Table, budget: str, key: Key, seeds: int) -> Iterator[list[float]]:
    """Yield everybody's errors, seed by seed."""
    mode, kind, rate = key
    for seed in range(seeds):
        size = n_labels(budget, table)
        rows = table.pool[REGRESSION.draw(table.y[table.pool], size, seed)]
        holes, full = (
            Case(P[rows], table.y[rows], P[table.test], MODES[mode])
            for P in (punch(table, kind, rate, seed), table.P)
        )
        yield [
            float(
                REGRESSION.score(
                    table.truth, each.predict(full if each.complete else holes)
                )
            )
            for each in CONTESTANTS
        ]
