"""The numbers of the report: scores by metric, and times."""

from __future__ import annotations

import numpy as np

from .protocol import Record
from .scores import Scores
from .task import Array, Task

__all__ = ["Summary"]


class Summary:
    """Scores and times of a record."""

    def __init__(self, task: Task, record: Record) -> None:
        self.task = task
        self.record = record
        self.rows = [row.name for row in task.rows]
        self.datasets = list(record.solve_seconds)
        self.scores = [
            Scores(task, metric, record.scores[metric.name]) for metric in task.metrics
        ]

    @property
    def n_repeats(self) -> int:
        """The number of random splits of a data set."""
        return self._solves(self.rows[0]).shape[1]

    def solve_milliseconds(self, row: str) -> float:
        """Return the median over data sets and repeats."""
        return 1e3 * float(np.median(self._solves(row)))

    def solve_ratio(self, row: str, baseline: str) -> float:
        """Return the median of the ratios taken split by split."""
        return float(np.median(self._solves(row) / self._solves(baseline)))

    def _solves(self, row: str) -> Array:
        return np.array([self.record.solve_seconds[d][row] for d in self.datasets])

    def fit_seconds(self, name: str) -> float:
        """Return the sum over the data sets timed."""
        return sum(fits[name] for fits in self.record.fit_seconds.values())

    def fit_ratio(self, name: str) -> float:
        """Return the median over data sets of the ratio to the baseline."""
        baseline = self.task.fit_baseline
        fits = self.record.fit_seconds.values()
        return float(np.median([times[name] / times[baseline] for times in fits]))
