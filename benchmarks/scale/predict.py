"""Predictions of a fitted model against the product of the table and its weights."""

from __future__ import annotations

import numpy as np

from stackingnet_sk import StackingNetRegressor

from ..solvers.table import table
from .race import race
from .settings import Settings, fits_in_memory
from .sheet import Sheet

__all__ = ["measure"]

ROWS, QUICK_ROWS, MODELS, LABELS = 1_000_000, 200_000, 100, 10_000
TURNS, BOUND = 15, 1.2
COLUMNS = {
    "predict": "",
    "rows": ",",
    "models": "d",
    "median ms": ".1f",
    "least ms": ".1f",
    "x product": ".3f",
    "by least": ".3f",
}


def measure(settings: Settings) -> Sheet:
    """Time both in both precisions."""
    sheet = Sheet(COLUMNS)
    rows = settings.one(settings.rows, ROWS, QUICK_ROWS)
    models = settings.one(settings.models, MODELS, MODELS)
    sheet.say(
        "model.predict(X), validation included, against X @ w, w of the type of X: "
        "ratios of medians and of least times."
    )
    if not fits_in_memory(12.0 * rows * models):
        sheet.say(f"{rows:,} x {models} does not fit into memory; skipped.")
        return sheet
    P, y = table(rows, models)
    for kind in (np.float64, np.float32):
        X = P.astype(kind, copy=False)
        model = StackingNetRegressor().fit(X[:LABELS], y[:LABELS])
        w = model.weights_.astype(kind)
        contestants = {
            "X @ w": lambda X=X, w=w: X @ w,
            "predict": lambda X=X, model=model: model.predict(X),
        }
        if kind is np.float32:
            # As precise as ours, which sums in double precision.
            exact = model.weights_
            contestants["X @ w, w float64"] = lambda X=X, w=exact: X @ w
        for run in contestants.values():
            run()
        times = race(contestants, TURNS)
        for name, own in times.items():
            sheet.row(
                predict=f"{name}, {np.dtype(kind).name}",
                rows=rows,
                models=models,
                median_ms=1e3 * own.median,
                least_ms=1e3 * own.least,
                x_product=own.over(times["X @ w"]),
                by_least=own.least_over(times["X @ w"]),
            )
    for row in sheet.rows:
        if not row["predict"].startswith("predict"):
            continue
        sheet.at_most(
            f"{row['predict']}, over X @ w, {rows:,} x {models}",
            row["x product"],
            BOUND,
            f"ratio of least times {row['by least']:.3f}",
        )
    return sheet
