"""A fit in figures, for people and for machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from stackingnet_sk.cli.fitting import Fitted


def summarize(fitted: Fitted) -> dict[str, Any]:
    """Say what there is to say about a fit.

    Parameters
    ----------
    fitted : Fitted
        A table and its model.

    Returns
    -------
    dict
        For JSON.
    """
    estimator, solution = fitted.estimator, fitted.estimator.solution_
    board = estimator.leaderboard()
    rows = board if isinstance(board, list) else board.to_dict("records")
    reliability = dict(
        zip(estimator.model_names_, estimator.reliability_.tolist(), strict=True)
    )
    data = fitted.data
    return {
        "task": fitted.roles.task,
        "n_items": len(data),
        "n_labelled": data.n_labelled,
        "guesses": fitted.roles.said,
        "models": [{**row, "reliability": reliability[row["model"]]} for row in rows],
        "certificate": {
            "status": solution.status.value,
            "gap": solution.gap,
            "residual": solution.residual,
            "objective": solution.objective,
        },
    }


def as_text(summary: dict[str, Any]) -> str:
    """Lay a summary out for a terminal.

    Parameters
    ----------
    summary : dict
        From `summarize`.

    Returns
    -------
    str
    """
    rows = summary["models"]
    width = max(5, *(min(30, len(str(row["model"]))) for row in rows))
    heads = [key for key in rows[0] if key != "model"]
    # Two blanks between columns.
    wide = {head: max(len(head), 9) + 2 for head in heads}
    lines = [f"{'model':<{width}}" + "".join(f"{head:>{wide[head]}}" for head in heads)]
    for row in rows:
        cells = "".join(_figure(row[head], wide[head]) for head in heads)
        lines.append(f"{str(row['model'])[:30]:<{width}}{cells}")
    certificate = summary["certificate"]
    proofs = [
        f"{what} {certificate[key]:.1e}"
        for what, key in (("relative duality gap", "gap"), ("residual", "residual"))
        if np.isfinite(certificate[key])
    ]
    counted = f"{summary['n_items']} items, {summary['n_labelled']} labelled."
    sure = f"Certificate: {', '.join([certificate['status'], *proofs])}."
    return "\n".join([*lines, f"{counted} {sure}"])


def _figure(value: float, width: int) -> str:
    return f"{value:>{width}.4g}" if np.isfinite(value) else f"{'-':>{width}}"
