"""The report as text (at most 100 columns) and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from stackingnet_sk import __version__

from .claims import claims
from .summary import Summary
from .task import Method

__all__ = ["as_json", "as_text"]

LABEL = 32  # width of the rows' names
PER_BLOCK = 5  # budgets side by side


def as_text(summary: Summary) -> str:
    """Return the tables and the claims."""
    task = summary.task
    sections = [
        legend(summary),
        *(errors(summary, scope) for scope in (*summary.families, *summary.tables)),
        *(comparison(summary, method) for method in (task.default, task.labelled_only)),
        map(str, claims(summary)),
    ]
    return "\n\n".join("\n".join(section) for section in sections)


def legend(summary: Summary) -> Iterator[str]:
    """Yield what is shown, and the tables."""
    task = summary.task
    yield f"Task: {task.name}. {task.metric} on the test items and, in brackets, its"
    yield f"  standard error over {summary.n_seeds} seeds, in units of the last digit."
    yield "  Budgets are numbers of labels, or percentages of the rows."
    yield "  * the best rival of a budget, chosen in hindsight; < ours, below it"
    yield "  + U: sees the predictions of the test items as unlabelled rows"
    yield "Answers are clipped to the range; a missing one is replaced by its column's"
    yield "  mean over the pool, for all methods alike."
    for pair in summary.record.pairs.values():
        table = pair.target
        labels = f"; labels: {pair.source.name}" if pair.source is not table else ""
        yield (
            f"  {table.name:<22}{len(table.y):>6} x {len(table.models):<4}"
            f"{table.missing:>6} missing{table.clipped:>6} clipped{labels}"
        )


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
    best = summary.best_rival(scope)
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
    yield f"  {summary.task.reference.name} to the oracle; s.e.: of paired differences"
    yield (
        f"{'family':<9}{'budget':>7}{'error':>8}{'rival':>8}{'ratio':>8}"
        f"{'difference':>12}{'s.e.':>8}{'share':>8}  best rival"
    )
    for family in summary.families:
        own, ratio = summary.row(family, method), summary.ratio(family, method)
        difference, error = summary.difference(family, method)
        share, best = summary.share(family, method), summary.best_rival(family)
        for j, budget in enumerate(summary.budgets):
            yield (
                f"{family:<9}{budget:>7}{own[j]:8.3f}{own[j] - difference[j]:8.3f}"
                f"{ratio[j]:8.3f}{difference[j]:+12.4f}{error[j]:8.4f}{share[j]:8.2f}"
                f"  {summary.rows[best[j]]}"
            )


def as_json(summary: Summary) -> dict[str, Any]:
    """Return everything measured, what was computed from it, and on what."""
    task, record = summary.task, summary.record
    return {
        "task": task.name,
        "metric": task.metric,
        "versions": {
            "python": platform.python_version(),
            "stackingnet_sk": __version__,
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "tables": {
            name: {
                "source": pair.source.name,
                "models": pair.target.models,
                "rows": len(pair.target.y),
                "missing": pair.target.missing,
                "clipped": pair.target.clipped,
                "n_labels": record.n_labels[name],
            }
            for name, pair in record.pairs.items()
        },
        "errors": record.errors,
        "seconds": record.seconds,
        "mean": {
            scope: {
                row: dict(zip(summary.budgets, values, strict=True))
                for row, values in zip(
                    summary.rows, summary.mean(scope).tolist(), strict=True
                )
            }
            for scope in (*summary.families, *summary.tables)
        },
        "claims": [asdict(claim) for claim in claims(summary)],
    }
