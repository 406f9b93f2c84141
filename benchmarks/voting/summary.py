"""From raw scores and times to the numbers of the report; none is typed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from .protocol import Record
from .task import Array, Task

__all__ = ["Claims", "Summary"]


@dataclass(frozen=True)
class Claims:
    """What is claimed of the default, against rows that are not ours.

    ``shortfall`` is the greatest over data sets of the best rival's score less the
    default's. The best rival is chosen on the test rows, anew for each data set,
    which no user could do: the bound is meant to be hard.
    """

    default_score: float
    rival: str
    rival_score: float
    shortfall: float
    shortfall_dataset: str
    shortfall_rival: str
    bound: float

    @property
    def above(self) -> bool:
        """Whether the default's mean score exceeds that of every rival."""
        return self.default_score > self.rival_score

    @property
    def within_bound(self) -> bool:
        """Whether no data set exceeds the bound."""
        return self.shortfall <= self.bound


class Summary:
    """Means, ranks, times and claims of a record.

    ``scores`` is (rows, data sets), each the mean over repeats.
    """

    def __init__(self, task: Task, record: Record) -> None:
        self.task = task
        self.record = record
        self.rows = [row.name for row in task.rows]
        self.datasets = list(record.scores)
        self.scores: Array = np.array(
            [[np.mean(record.scores[d][r]) for d in self.datasets] for r in self.rows]
        )

    @property
    def mean_scores(self) -> Array:
        """The mean over data sets."""
        return self.scores.mean(axis=1)

    @property
    def mean_ranks(self) -> Array:
        """The mean rank over data sets, 1 the best; equal up to rounding is a tie."""
        return rankdata(-self.scores.round(9), axis=0).mean(axis=1)

    @property
    def best(self) -> Array:
        """Whether a row is the best of its data set, ties included."""
        rounded = self.scores.round(9)
        return rounded == rounded.max(axis=0)

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

    def claims(self) -> Claims:
        """Compare the default with the rivals that are not ours."""
        n_rivals = len(self.task.rivals)
        default = self.rows.index(self.task.default)
        rivals, own = self.scores[:n_rivals], self.scores[default]
        shortfalls = rivals.max(axis=0) - own
        worst = int(np.argmax(shortfalls))
        best = int(np.argmax(self.mean_scores[:n_rivals]))
        return Claims(
            default_score=float(self.mean_scores[default]),
            rival=self.rows[best],
            rival_score=float(self.mean_scores[best]),
            shortfall=float(shortfalls[worst]),
            shortfall_dataset=self.datasets[worst],
            shortfall_rival=self.rows[int(np.argmax(rivals[:, worst]))],
            bound=self.task.bound,
        )
