"""From raw values to the numbers of the report; none is typed in.

A scope is a family or one table: values of a family are means over its tables, seed by
seed, so that standard errors over seeds and paired differences hold for both.
"""

from __future__ import annotations

import numpy as np

from .protocol import Record
from .task import Array, Method, Task

__all__ = ["Summary", "standard_error"]


class Summary:
    """Means and standard errors of a record.

    Arrays over budgets are in the order of ``budgets``; a row that could not answer is
    NaN.
    """

    def __init__(self, task: Task, record: Record) -> None:
        self.task = task
        self.record = record
        self.rows = [row.name for row in task.rows]
        self.tables = list(record.values)
        self.budgets = list(record.values[self.tables[0]])
        self.families: dict[str, list[str]] = {}
        for name, pair in record.pairs.items():
            self.families.setdefault(pair.target.family, []).append(name)
        self._values = {
            table: np.array([[v[b][r] for b in self.budgets] for r in self.rows])
            for table, v in record.values.items()
        }
        self.n_seeds = self._values[self.tables[0]].shape[2]

    @property
    def scopes(self) -> list[str]:
        """Families, then tables."""
        return [*self.families, *self.tables]

    def values(self, scope: str) -> Array:
        """Return values (rows, budgets, seeds)."""
        tables = self.families.get(scope, [scope])
        return np.mean([self._values[table] for table in tables], axis=0)

    def mean(self, scope: str) -> Array:
        """Return means over seeds (rows, budgets)."""
        return self.values(scope).mean(axis=2)

    def standard_error(self, scope: str) -> Array:
        """Return standard errors of the means over seeds (rows, budgets)."""
        return standard_error(self.values(scope))

    def row(self, scope: str, method: Method) -> Array:
        """Return the means of one row."""
        return self.mean(scope)[self.rows.index(method.name)]

    def n_labels(self, scope: str) -> Array:
        """Return the labels of each budget, the mean over tables."""
        tables = self.families.get(scope, [scope])
        counts = [list(self.record.n_labels[table].values()) for table in tables]
        return np.mean(counts, axis=0)

    def seconds(self, table: str, method: Method) -> Array:
        """Return the times of all fits of a row on a table."""
        return np.array(self.record.seconds[table].get(method.name, []))


def standard_error(values: Array) -> Array:
    """Return the standard errors of means over the last axis."""
    n = values.shape[-1]
    if n == 1:
        return np.full(values.shape[:-1], np.nan)
    return values.std(axis=-1, ddof=1) / np.sqrt(n)
