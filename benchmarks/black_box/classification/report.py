"""The classification report, as text (at most 100 columns) and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from .. import report as shared
from ..summary import Summary
from ..task import Array, Method
from . import adversaries, calibration, reliability
from .claims import claims
from .grid import grid
from .rivals import MAJORITY

__all__ = ["ClassificationReport", "report"]


@dataclass(frozen=True)
class ClassificationReport:
    """Balanced accuracies, probabilities, reliability, adversaries and claims."""

    summary: Summary
    probabilities: calibration.Calibration
    taus: reliability.Taus
    planted: adversaries.Found

    def text(self) -> str:
        """Return the tables and the claims."""
        summary = self.summary
        methods = (*summary.task.methods, *summary.task.hindsight)
        unlabelled = [m for m in methods if not m.labels or m in summary.task.hindsight]
        labelled = [MAJORITY, *(m for m in summary.task.methods if m.labels)]
        sections = [
            introduction(summary),
            block(summary, "Without labels", 0, unlabelled),
            *(
                block(summary, f"{budget} labelled", j, labelled)
                for j, budget in enumerate(summary.budgets)
            ),
            seconds(summary),
            calibration.report(summary, self.probabilities),
            reliability.report(summary, self.taus),
            adversaries.report(self.planted),
            map(str, self.claims()),
        ]
        return shared.as_text(sections)

    def claims(self) -> Iterator[Any]:
        """Yield the claims."""
        return claims(self.summary, self.taus, self.planted)

    def json(self) -> dict[str, Any]:
        """Return everything measured, and what was computed from it."""
        return shared.as_json(
            self.summary,
            "scores",
            self.claims(),
            calibration=self.probabilities.json(),
            taus=self.taus,
            adversaries=self.planted.json(),
        )


def report(summary: Summary, progress: Callable[[str], None]) -> ClassificationReport:
    """Measure what only classification has, and return all that is to be said."""
    pairs, seeds = summary.record.pairs, summary.n_seeds
    progress("probabilities")
    probabilities = calibration.calibration(summary)
    progress("reliability")
    taus = reliability.taus(pairs, seeds)
    progress("adversaries")
    planted = adversaries.plant_all(pairs, seeds)
    return ClassificationReport(summary, probabilities, taus, planted)


def introduction(summary: Summary) -> Iterator[str]:
    """Yield what is shown, and the tables."""
    yield f"Task: {summary.task.name}. {summary.task.metric} on the test items,"
    yield f"  mean over {summary.n_seeds} seeds. Budgets are stratified labels, as"
    yield "  percentages of all rows or as numbers."
    yield "  + U: sees the predictions of the test items as unlabelled rows"
    yield "  hindsight: chosen on the test items, not a rival; rank: mean over tables,"
    yield "  within a block and without these rows"
    yield "A missing answer abstains; for the replicas and single models it is a random"
    yield "  class. Of tied classes the first wins. -: could not answer"
    yield from shared.legend(summary)


def block(
    summary: Summary, title: str, budget: int, methods: Sequence[Method]
) -> Iterator[str]:
    """Yield the accuracies of some methods at a budget."""
    scopes = summary.scopes
    values = np.array(
        [[summary.row(s, m)[budget] for s in scopes] for m in methods], dtype=float
    )
    n_families = len(summary.families)
    rivals = [m not in summary.task.hindsight for m in methods]
    ranks = np.full(len(methods), np.nan)
    ranks[rivals] = mean_ranks(values[rivals, n_families:])
    columns = [*(f"{f}_mean" for f in summary.families), "rank", *summary.tables]
    rows = [
        (m.name, [*v[:n_families], rank, *v[n_families:]])
        for m, v, rank in zip(methods, values, ranks, strict=True)
    ]
    yield from grid(title, columns, rows)


def mean_ranks(values: Array) -> Array:
    """Return mean ranks over columns, 1 the best, of those who answered."""
    ranks = rankdata(-values.round(9), axis=0, nan_policy="omit")
    answered = ~np.isnan(ranks)
    sums = np.where(answered, ranks, 0.0).sum(axis=1)
    return np.where(
        answered.any(axis=1), sums / np.maximum(answered.sum(axis=1), 1), np.nan
    )


def seconds(summary: Summary) -> Iterator[str]:
    """Yield the median time of a fit on each table."""
    rows = []
    for method in summary.task.methods:
        times = (summary.seconds(table, method) for table in summary.tables)
        medians = [np.median(t) if len(t) else np.nan for t in times]
        known = [t for t in medians if not np.isnan(t)]
        rows.append((method.name, [np.median(known) if known else np.nan, *medians]))
    columns = ["median", *summary.tables]
    yield from grid("Seconds of a fit, the median", columns, rows, digits=3)
