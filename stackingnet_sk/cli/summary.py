"""A fit in figures, for people and for machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from stackingnet_sk._tables import as_rows, text_table
from stackingnet_sk.cli.fitting import Fitted


def summarize(fitted: Fitted) -> dict[str, Any]:
    """Collect the figures of a fit, for JSON."""
    estimator, solution = fitted.estimator, fitted.estimator.solution_
    rows = as_rows(estimator.leaderboard())
    reliability = dict(
        zip(estimator.model_names_, estimator.reliability_.tolist(), strict=True)
    )
    data = fitted.data
    return {
        "task": fitted.roles.task,
        "n_items": len(data),
        "n_labelled": data.n_labelled,
        "guesses": fitted.guesses,
        "models": [{**row, "reliability": reliability[row["model"]]} for row in rows],
        "certificate": {
            "status": solution.status.value,
            "gap": solution.gap,
            "residual": solution.residual,
            "objective": solution.objective,
        },
    }


def as_text(summary: dict[str, Any]) -> str:
    """Lay a summary out for a terminal."""
    models = summary["models"]
    heads = [key for key in models[0] if key != "model"]
    rows = [["model", *heads]]
    for row in models:
        rows.append([str(row["model"])[:30], *(_figure(row[head]) for head in heads)])
    certificate = summary["certificate"]
    proofs = [
        f"{what} {certificate[key]:.1e}"
        for what, key in (("relative duality gap", "gap"), ("residual", "residual"))
        if np.isfinite(certificate[key])
    ]
    counted = f"{summary['n_items']} items, {summary['n_labelled']} labelled."
    sure = f"Certificate: {', '.join([certificate['status'], *proofs])}."
    return "\n".join([*text_table(rows), f"{counted} {sure}"])


def _figure(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "-"
