"""The regression report, as text (at most 100 columns) and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..report import as_json, as_text, legend
from ..summary import Summary
from ..task import Method
from .claims import claims
from .comparison import REFERENCE, best_rival, difference, ratio, share
from .ours import DEFAULT, LABELLED_ONLY

__all__ = ["RegressionReport", "report"]

LABEL = 32  # width of the rows' names
PER_BLOCK = 5  # budgets side by side


@dataclass(frozen=True)
class RegressionReport:
    """Errors of every family and table, comparisons with the best rival, claims."""

    summary: Summary

    def text(self) -> str:
        """Return the tables and the claims."""
        summary = self.summary
        sections = [
            introduction(summary),
            *(errors(summary, scope) for scope in summary.scopes),
            *(comparison(summary, method) for method in (DEFAULT, LABELLED_ONLY)),
            map(str, claims(summary)),
        ]
        return as_text(sections)

    def json(self) -> dict[str, Any]:
        """Return everything measured, and what was computed from it."""
        return as_json(self.summary, "errors", claims(self.summary))


def report(summary: Summary, progress: Callable[[str], None]) -> RegressionReport:
    return RegressionReport(summary)


def introduction(summary: Summary) -> Iterator[str]:
    """Yield what is shown, and the tables."""
    task = summary.task
    yield f"Task: {task.name}. {task.metric} on the test items and, in brackets, its"
    yield f"  standard error over {summary.n_seeds} seeds, in units of the last digit."
    yield "  Budgets are numbers of labels, or percentages of the rows."
    yield "  * the best rival of a budget, chosen in hindsight; < ours, below it"
    yield "  + U: sees the predictions of the test items as unlabelled rows"
    yield "Answers are clipped to the range; a missing one is replaced by its column's"
    yield "  mean over the pool, for all methods alike."
    yield from legend(summary)


def errors(summary: Summary, scope: str) -> Iterator[str]:
    """Yield the error of each row at each budget, for a family or a table."""
    tables = summary.families.get(scope)
    yield f"{scope}: mean over its tables ({len(tables)})" if tables else scope
    n = summary.n_labels(scope)
    for start in range(0, len(summary.budgets), PER_BLOCK):
        block = range(start, min(start + PER_BLOCK, len(summary.budgets)))
        heads = [f"{summary.budgets[j]} [{n[j]:.0f}]" for j in block]
        yield f"{'budget [labels]':<{LABEL}}" + "".join(f"{h:>12} " for h in heads)
        for name, cells in rows(summary, scope):
            yield f"{name:<{LABEL}}" + "".join(cells[j] for j in block).rstrip()
        if block.stop < len(summary.budgets):
            yield ""


def rows(summary: Summary, scope: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each row's name and cells."""
    mean, error = summary.mean(scope), summary.standard_error(scope)
    best = best_rival(summary, scope)
    ours = {method.name for method in summary.task.ours}
    for i, name in enumerate(summary.rows):
        cells = []
        for j, rival in enumerate(best):
            below = name in ours and mean[i, j] < mean[rival, j]
            mark = "*" if i == rival else "<" if below else " "
            cells.append(f"{f'{mean[i, j]:.3f}({1e3 * error[i, j]:.0f})':>12}{mark}")
        yield name, cells


def comparison(summary: Summary, method: Method) -> Iterator[str]:
    """Yield one of our rows beside the best rival of each budget."""
    yield f"{method.name} against the best rival; share: of the way from"
    yield f"  {REFERENCE.name} to the oracle; s.e.: of paired differences"
    yield (
        f"{'family':<9}{'budget':>7}{'error':>8}{'rival':>8}{'ratio':>8}"
        f"{'difference':>12}{'s.e.':>8}{'share':>8}  best rival"
    )
    for family in summary.families:
        own, over_best = summary.row(family, method), ratio(summary, family, method)
        less_best, error = difference(summary, family, method)
        closed, best = share(summary, family, method), best_rival(summary, family)
        for j, budget in enumerate(summary.budgets):
            yield (
                f"{family:<9}{budget:>7}{own[j]:8.3f}{own[j] - less_best[j]:8.3f}"
                f"{over_best[j]:8.3f}{less_best[j]:+12.4f}{error[j]:8.4f}"
                f"{closed[j]:8.2f}  {summary.rows[best[j]]}"
            )
