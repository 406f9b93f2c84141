"""The report as JSON: everything measured, what was computed from it, and on what."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from math import isnan
from typing import Any

from stackingnet_sk import __version__

from .scores import Scores
from .summary import Summary

__all__ = ["as_json"]


def as_json(summary: Summary) -> dict[str, Any]:
    """Return a tree of plain values; None where a metric isn't defined."""
    task, rows = summary.task, summary.rows
    return {
        "task": task.name,
        "versions": {
            "python": platform.python_version(),
            "stackingnet_sk": __version__,
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        },
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "raw": without_nan(asdict(summary.record)),
        "metrics": {
            scores.metric.name: without_nan(of_metric(scores))
            for scores in summary.scores
        },
        "solve_milliseconds": {row: summary.solve_milliseconds(row) for row in rows},
        "solve_ratio": {
            base: {row: summary.solve_ratio(row, base) for row in rows}
            for base in task.solve_baselines
        },
        "fit_ratio": {name: summary.fit_ratio(name) for name in task.estimators},
    }


def of_metric(scores: Scores) -> dict[str, Any]:
    claims = scores.claims()
    return {
        "mean_score": dict(zip(scores.rows, scores.means.tolist(), strict=True)),
        "mean_rank": dict(zip(scores.rows, scores.mean_ranks.tolist(), strict=True)),
        "claims": asdict(claims)
        | {"better": claims.better, "within_bound": claims.within_bound},
    }


def without_nan(tree: Any) -> Any:
    """Return the tree with None for NaN, which JSON doesn't have."""
    if isinstance(tree, dict):
        return {key: without_nan(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [without_nan(value) for value in tree]
    return None if isinstance(tree, float) and isnan(tree) else tree
