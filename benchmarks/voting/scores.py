"""From the raw scores of one metric to means, ranks and claims; none is typed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from .task import Array, Metric, Task

__all__ = ["Claims", "Scores"]


@dataclass(frozen=True)
class Claims:
    """What is claimed of a row of ours, against rows that are not ours.

    ``ahead`` are the rivals whose mean is at least as good. ``shortfall`` is the
    greatest over data sets of what the best rival is better by. The best rival is
    chosen on the test rows, anew for each data set, which no user could do: the bound
    is meant to be hard.
    """

    claimant: str
    score: float
    rival: str
    rival_score: float
    ahead: tuple[str, ...]
    shortfall: float
    shortfall_dataset: str
    shortfall_rival: str
    bound: float

    @property
    def better(self) -> bool:
        """Whether the claimant's mean score beats that of every rival."""
        return not self.ahead

    @property
    def within_bound(self) -> bool:
        """Whether no data set exceeds the bound."""
        return self.shortfall <= self.bound


class Scores:
    """Means, ranks and claims of one metric.

    ``values`` is (rows, data sets), each the mean over repeats; a row that the metric
    isn't defined for is NaN, and takes no part in any comparison.
    """

    def __init__(
        self,
        task: Task,
        metric: Metric,
        raw: Mapping[str, Mapping[str, Sequence[float]]],
    ) -> None:
        self.metric = metric
        self.rows = [row.name for row in task.rows]
        self.n_rivals = len(task.rivals)
        self.datasets = list(raw)
        self.values: Array = np.array(
            [[np.mean(raw[d][r]) for d in self.datasets] for r in self.rows]
        )
        # The greater the better.
        self._merits: Array = metric.sign * self.values

    @property
    def means(self) -> Array:
        """The mean over data sets."""
        return self.values.mean(axis=1)

    @property
    def mean_ranks(self) -> Array:
        """The mean rank over data sets, 1 the best; equal up to rounding is a tie."""
        ranks = rankdata(-self._merits.round(9), axis=0, nan_policy="omit")
        return ranks.mean(axis=1)

    @property
    def best(self) -> Array:
        """Whether a row is the best of its data set, ties included."""
        rounded = self._merits.round(9)
        return rounded == np.nanmax(rounded, axis=0)

    def claims(self) -> Claims:
        """Compare the claimant with the rivals that are not ours."""
        claimant = self.rows.index(self.metric.claimant)
        rivals, own = self._merits[: self.n_rivals], self._merits[claimant]
        means = rivals.mean(axis=1)
        best = int(np.nanargmax(means))
        shortfalls = np.nanmax(rivals, axis=0) - own
        worst = int(np.argmax(shortfalls))
        return Claims(
            claimant=self.metric.claimant,
            score=float(self.means[claimant]),
            rival=self.rows[best],
            rival_score=float(self.means[best]),
            ahead=tuple(self.rows[i] for i in np.flatnonzero(means >= own.mean())),
            shortfall=float(shortfalls[worst]),
            shortfall_dataset=self.datasets[worst],
            shortfall_rival=self.rows[int(np.nanargmax(rivals[:, worst]))],
            bound=self.metric.bound,
        )
