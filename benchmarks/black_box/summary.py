"""From raw errors to the numbers of the report; none is typed in.

A scope is a family or one table: errors of a family are means over its tables, seed by
seed, so that standard errors over seeds and paired differences hold for both.
"""

from __future__ import annotations

import numpy as np

from .protocol import Record
from .task import Array, Method, Task

__all__ = ["Summary"]


class Summary:
    """Means, standard errors, best rivals and shares of a record.

    Arrays over budgets are in the order of ``budgets``.
    """

    def __init__(self, task: Task, record: Record) -> None:
        self.task = task
        self.record = record
        self.rows = [row.name for row in task.rows]
        self.tables = list(record.errors)
        self.budgets = list(record.errors[self.tables[0]])
        self.families: dict[str, list[str]] = {}
        for name, pair in record.pairs.items():
            self.families.setdefault(pair.target.family.prefix, []).append(name)
        self._errors = {
            table: np.array([[e[b][r] for b in self.budgets] for r in self.rows])
            for table, e in record.errors.items()
        }
        self.n_seeds = self._errors[self.tables[0]].shape[2]

    def errors(self, scope: str) -> Array:
        """Return errors (rows, budgets, seeds)."""
        tables = self.families.get(scope, [scope])
        return np.mean([self._errors[table] for table in tables], axis=0)

    def mean(self, scope: str) -> Array:
        """Return mean errors (rows, budgets)."""
        return self.errors(scope).mean(axis=2)

    def standard_error(self, scope: str) -> Array:
        """Return standard errors of the means over seeds (rows, budgets)."""
        return _standard_error(self.errors(scope))

    def row(self, scope: str, method: Method) -> Array:
        """Return the mean errors of one row."""
        return self.mean(scope)[self.rows.index(method.name)]

    def best_rival(self, scope: str) -> Array:
        """Return the index of the best rival at each budget, chosen in hindsight.

        It is chosen on the test items, which no user could do: a hard comparison.
        """
        return self.mean(scope)[: len(self.task.rivals)].argmin(axis=0)

    def ratio(self, scope: str, method: Method) -> Array:
        """Return a row's mean error over the best rival's."""
        rivals = self.mean(scope)[: len(self.task.rivals)]
        return self.row(scope, method) / rivals.min(axis=0)

    def difference(self, scope: str, method: Method) -> tuple[Array, Array]:
        """Return a row's error less the best rival's, and its paired standard error."""
        errors, budgets = self.errors(scope), np.arange(len(self.budgets))
        best = errors[self.best_rival(scope), budgets]
        differences = errors[self.rows.index(method.name)] - best
        return differences.mean(axis=1), _standard_error(differences)

    def share(self, scope: str, method: Method) -> Array:
        """Return the share of the way from reference to oracle that a row closes."""
        start = self.row(scope, self.task.reference)
        way = start - self.row(scope, self.task.oracle)
        return (start - self.row(scope, method)) / way

    def n_labels(self, scope: str) -> Array:
        """Return the labels of each budget, the mean over tables."""
        tables = self.families.get(scope, [scope])
        counts = [list(self.record.n_labels[table].values()) for table in tables]
        return np.mean(counts, axis=0)

    def milliseconds(self, table: str, method: Method) -> Array:
        """Return the times of all fits of a row on a table."""
        return 1e3 * np.array(self.record.seconds[table][method.name])


def _standard_error(values: Array) -> Array:
    n = values.shape[-1]
    if n == 1:
        return np.full(values.shape[:-1], np.nan)
    return values.std(axis=-1, ddof=1) / np.sqrt(n)
