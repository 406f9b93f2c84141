"""The report as text (at most 100 columns) and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import scipy
import sklearn

from stackingnet_sk._version import __version__

from .summary import Summary

__all__ = ["as_json", "as_text"]

LABEL = 33  # width of the rows' names
PER_BLOCK = 6  # data sets side by side


def as_text(summary: Summary) -> str:
    """Return the tables and the claims."""
    sections = (legend, score_tables, overview, whole_fits, claims)
    return "\n\n".join("\n".join(section(summary)) for section in sections)


def legend(summary: Summary) -> Iterator[str]:
    """Yield what the data sets and the members are."""
    task, record = summary.task, summary.record
    yield f"Task: {task.name}. Members: {', '.join(name for name, _ in task.members)}."
    for data in task.datasets:
        if data.key in record.shapes:
            n_rows, n_features = record.shapes[data.key]
            yield f"  {data.key:<10} {n_rows:>5} x {n_features:<4} ({data.source})"


def score_tables(summary: Summary) -> Iterator[str]:
    """Yield the score of each row on each data set."""
    n_repeats = len(next(iter(summary.record.scores.values()))[summary.rows[0]])
    yield (
        f"Test {summary.task.metric}, mean of {n_repeats} random splits; "
        "* the best of a data set"
    )
    for start in range(0, len(summary.datasets), PER_BLOCK):
        block = slice(start, start + PER_BLOCK)
        yield " " * LABEL + "".join(f"{key:>10} " for key in summary.datasets[block])
        for row, scores, best in zip(
            summary.rows, summary.scores[:, block], summary.best[:, block], strict=True
        ):
            cells = zip(scores, best, strict=True)
            yield f"{row:<{LABEL}}" + "".join(
                f"{s:10.4f}{'*' if b else ' '}" for s, b in cells
            )
        if start + PER_BLOCK < len(summary.datasets):
            yield ""


def overview(summary: Summary) -> Iterator[str]:
    """Yield mean score, mean rank and the time of the solve of each row."""
    baselines = summary.task.solve_baselines
    yield "Over the data sets; solve: from the out-of-fold predictions to the weights"
    for baseline, column in zip(baselines, "ab", strict=True):
        yield f"  time / {column}: median ratio to {baseline} on the same split"
    yield (
        " " * LABEL + f"{'mean ' + summary.task.metric:>10}{'mean rank':>11}"
        f"{'solve ms':>11}{'time / a':>11}{'time / b':>11}"
    )
    for row, score, rank in zip(
        summary.rows, summary.mean_scores, summary.mean_ranks, strict=True
    ):
        ratios = (summary.solve_ratio(row, baseline) for baseline in baselines)
        yield (
            f"{row:<{LABEL}}{score:10.4f}{rank:11.2f}"
            f"{summary.solve_milliseconds(row):11.3f}"
            + "".join(f"{ratio:11.2f}" for ratio in ratios)
        )


def whole_fits(summary: Summary) -> Iterator[str]:
    """Yield the time of the real estimators, members included."""
    count = len(summary.record.fit_seconds)
    yield (
        f"Whole fit with the members, n_jobs=None, {count} data set(s); "
        f"ratio to {summary.task.fit_baseline}"
    )
    yield " " * LABEL + f"{'seconds':>10}{'ratio':>11}"
    for name in summary.task.estimators:
        seconds, ratio = summary.fit_seconds(name), summary.fit_ratio(name)
        yield f"{name:<{LABEL}}{seconds:10.2f}{ratio:11.3f}"


def claims(summary: Summary) -> Iterator[str]:
    """Yield one line per claim, with its verdict."""
    c, metric = summary.claims(), summary.task.metric
    yield (
        f"mean {metric} of the default {c.default_score:.4f} vs best rival "
        f"{c.rival_score:.4f} ({c.rival}): {'above' if c.above else 'NOT above'}"
    )
    yield (
        "worst shortfall of the default against the best rival on a data set: "
        f"{c.shortfall:.4f} on {c.shortfall_dataset} (bound {c.bound})"
    )
    yield (
        f"  {'within' if c.within_bound else 'NOT within'} the bound; the rival there: "
        f"{c.shortfall_rival}"
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """Return everything measured, what was computed from it, and on what."""
    rows, baselines = summary.rows, summary.task.solve_baselines
    c = summary.claims()
    return {
        "task": summary.task.name,
        "metric": summary.task.metric,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
            "stackingnet_sk": __version__,
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "raw": asdict(summary.record),
        "mean_score": dict(zip(rows, summary.mean_scores.tolist(), strict=True)),
        "mean_rank": dict(zip(rows, summary.mean_ranks.tolist(), strict=True)),
        "solve_milliseconds": {row: summary.solve_milliseconds(row) for row in rows},
        "solve_ratio": {
            base: {row: summary.solve_ratio(row, base) for row in rows}
            for base in baselines
        },
        "fit_ratio": {
            name: summary.fit_ratio(name) for name in summary.task.estimators
        },
        "claims": asdict(c) | {"above": c.above, "within_bound": c.within_bound},
    }
