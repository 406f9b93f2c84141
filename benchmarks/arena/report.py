"""Ratios of our error to that of rivals, as text and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from ..black_box.classification.grid import grid
from .case import Array, Case
from .race import Arena, Errors

__all__ = ["Report"]

BEST = "best rival"


@dataclass(frozen=True)
class Report:
    """What was measured, and what follows from it."""

    arena: Arena
    cases: Sequence[Case]
    errors: Errors

    @property
    def budgets(self) -> list[int]:
        """The budgets, in their order."""
        return list(next(iter(self.errors.values())))

    @property
    def families(self) -> list[str]:
        """The families, in the order of the cases."""
        return list(dict.fromkeys(case.family for case in self.cases))

    def error(self, case: str, budget: int, method: str) -> float:
        """Return the mean error over draws; NaN without one."""
        values = self.errors[case][budget].get(method, [])
        return float(np.mean(values)) if values else float("nan")

    def rival(self, case: str, budget: int, rival: str) -> float:
        """Return a rival's mean error, or that of the best one in hindsight."""
        if rival != BEST:
            return self.error(case, budget, rival)
        errors = [self.error(case, budget, name) for name in self.arena.rivals]
        return float(np.nanmin(errors))

    def ratios(self, budget: int, ours: str, rival: str) -> dict[str, float]:
        """Return our error as a share of a rival's, in each case."""
        return {
            case.name: self.error(case.name, budget, ours)
            / self.rival(case.name, budget, rival)
            for case in self.cases
        }

    def relative_standard_error(self, case: str, budget: int, method: str) -> float:
        """Return the standard error of a mean error, as a share of it."""
        values = np.array(self.errors[case][budget].get(method, [np.nan]))
        if len(values) < 2:
            return float("nan")
        return float(values.std(ddof=1) / np.sqrt(len(values)) / values.mean())

    def summary(self, ours: str, rival: str, family: str) -> Iterator[dict[str, Any]]:
        """Yield geometric mean, its standard error and the worst case, by budget.

        The standard error is that of the draws: it tells nothing of other cases.
        """
        members = [c.name for c in self.cases if c.family == family and c.bar]
        for budget in self.budgets:
            ratios = self.ratios(budget, ours, rival)
            values = {n: ratios[n] for n in members if not np.isnan(ratios[n])}
            if not values:
                yield {"budget": budget}
                continue
            logs = np.log(list(values.values()))
            spread = [self.relative_standard_error(n, budget, ours) for n in values]
            worst = max(values, key=values.__getitem__)
            yield {
                "budget": budget,
                "mean": float(np.exp(logs.mean())),
                "standard error": float(np.sqrt(np.square(spread).sum()) / len(values)),
                "worst": worst,
                "worst ratio": values[worst],
            }

    def json(self) -> dict[str, Any]:
        """Return the raw errors and the summaries."""
        packages = ("stackingnet_sk", "numpy", "scipy", "scikit-learn")
        return {
            "task": self.arena.name,
            "error": self.arena.what,
            "methods": [*self.arena.ours, *self.arena.rivals],
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in packages},
            },
            "families": {case.name: case.family for case in self.cases},
            "no bar": [case.name for case in self.cases if not case.bar],
            "errors": self.errors,
            "summaries": {
                ours: {
                    rival: {
                        f: list(self.summary(ours, rival, f)) for f in self.families
                    }
                    for rival in (BEST, *self.arena.named)
                }
                for ours in self.arena.ours
            },
        }

    def text(self) -> str:
        """Return the summaries, then every mean error."""
        return "\n".join([*self._summaries(), *self._errors()])

    def _summaries(self) -> Iterator[str]:
        for ours in self.arena.ours:
            for rival in (BEST, *self.arena.named):
                yield f"{ours}: error as a share of {rival}'s, geometric mean"
                for family in self.families:
                    for row in self.summary(ours, rival, family):
                        if "mean" in row:
                            yield (
                                f"  {family:<10} {row['budget']:>5} labels"
                                f"  {row['mean']:.3f} +- {row['standard error']:.3f}"
                                f"   worst {row['worst ratio']:.2f} {row['worst']}"
                            )
                yield ""

    def _errors(self) -> Iterator[str]:
        methods = [*self.arena.ours, *self.arena.rivals]
        for budget in self.budgets:
            rows = [(case.name, self._row(case.name, budget)) for case in self.cases]
            columns = [method.replace(" ", "_") for method in methods]
            yield from grid(f"Mean error with {budget} labels", columns, rows)
            yield ""

    def _row(self, case: str, budget: int) -> Array:
        methods = [*self.arena.ours, *self.arena.rivals]
        return np.array([self.error(case, budget, method) for method in methods])
