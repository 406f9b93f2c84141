"""What the reports of both halves have in common: the tables' legend, and the JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from textwrap import wrap
from typing import Any

from stackingnet_sk import __version__

from .claim import Claim
from .summary import Summary

__all__ = ["as_json", "as_text", "legend"]

WIDTH = 100


def as_text(sections: Iterable[Iterable[str]]) -> str:
    """Return sections of lines, with an empty line between two."""
    return "\n\n".join("\n".join(section) for section in sections)


def legend(summary: Summary) -> Iterator[str]:
    """Yield a line a table, and a line a reason why a row is absent."""
    for pair in summary.record.pairs.values():
        table = pair.target
        labels = f"; labels: {pair.source.name}" if pair.source is not table else ""
        yield (
            f"  {table.name:<22}{len(table.y):>6} x {len(table.models):<4}"
            + "".join(f"{n:>6} {what}" for what, n in table.counts.items())
            + labels
        )
    for reason, rows in summary.record.skipped.items():
        for tables in {tuple(tables) for tables in rows.values()}:
            names = ", ".join(row for row in rows if tuple(rows[row]) == tables)
            everywhere = set(tables) == set(summary.tables)
            where = "" if everywhere else f" on {', '.join(tables)}"
            line = f"Skipped{where}: {names} ({reason})"
            yield from wrap(line, WIDTH, subsequent_indent="  ")


def as_json(
    summary: Summary, values: str, claims: Iterable[Claim], **more: Any
) -> dict[str, Any]:
    """Return everything measured, what was computed from it, and on what.

    ``values`` is the name of the raw values.
    """
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
                **pair.target.counts,
                "n_labels": record.n_labels[name],
            }
            for name, pair in record.pairs.items()
        },
        values: record.values,
        "seconds": record.seconds,
        "skipped": record.skipped,
        "mean": {
            scope: {
                row: dict(zip(summary.budgets, means, strict=True))
                for row, means in zip(
                    summary.rows, summary.mean(scope).tolist(), strict=True
                )
            }
            for scope in summary.scopes
        },
        **more,
        "claims": [asdict(claim) for claim in claims],
    }
