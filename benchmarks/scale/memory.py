"""Tables in memory: a fit against one pass of BLAS, and others' fits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.optimize import nnls
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

from stackingnet_sk import StackingNetRegressor

from ..solvers.table import table
from .child import measured, run
from .race import Times, race
from .settings import Settings, fits_in_memory
from .sheet import Sheet

__all__ = ["measure", "memory_of"]

ROWS, MODELS = [10_000, 100_000, 1_000_000], [5, 20, 100]
QUICK_ROWS, QUICK_MODELS = [10_000, 100_000], [10, 50]
TURNS, TOO_SLOW, BOUND = 7, 60.0, 1.6
UNIT, OURS = "dsyrk", "StackingNetRegressor"
CONTESTANTS: dict[str, Callable[[Any, Any], Any]] = {
    # P.T is in Fortran's order: scipy makes no copy.
    UNIT: lambda P, y: dsyrk(1.0, P.T),
    OURS: lambda P, y: StackingNetRegressor().fit(P, y),
    "LinearRegression positive": lambda P, y: LinearRegression(positive=True).fit(P, y),
    "Ridge": lambda P, y: Ridge().fit(P, y),
    "scipy nnls": nnls,
    "RidgeCV": lambda P, y: RidgeCV().fit(P, y),
}
COLUMNS = {
    "in memory": "",
    "rows": ",",
    "models": "d",
    "median s": ".4f",
    "least s": ".4f",
    "x dsyrk": ".2f",
    "by least": ".2f",
    "extra MB": ".1f",
}


def measure(settings: Settings) -> Sheet:
    """Time everybody in this process, and take the memory of each in one of its own."""
    sheet = Sheet(COLUMNS)
    sheet.say(
        "Fits from a float64 table, validation included, against one dsyrk pass over "
        "it: ratios of medians and of least times. RidgeCV is the final fit of "
        "StackingRegressor. Extra: growth of a process of its own beyond the table. "
        f"-: took over {TOO_SLOW:g} s with fewer rows, or failed."
    )
    for models in settings.several(settings.models, MODELS, QUICK_MODELS):
        slow: set[str] = set()
        for rows in settings.several(settings.rows, ROWS, QUICK_ROWS):
            if not fits_in_memory(8.0 * rows * (models + 1)):
                sheet.say(f"{rows:,} x {models} does not fit into memory; skipped.")
                continue
            one_size(settings, sheet, rows, models, slow)
    ours = [row for row in sheet.rows if row["in memory"] == OURS]
    if ours:
        most = max(ours, key=lambda row: row["rows"] * row["models"])
        sheet.at_most(
            f"fit over one dsyrk pass, {most['rows']:,} x {most['models']}",
            most["x dsyrk"],
            BOUND,
            f"ratio of least times {most['by least']:.2f}",
        )
    return sheet


def one_size(
    settings: Settings, sheet: Sheet, rows: int, models: int, slow: set[str]
) -> None:
    P, y = table(rows, models)
    times = turns(P, y, slow)
    path, _ = settings.place(f"memory-{rows}x{models}.f64", P.nbytes + y.nbytes)
    with path.open("wb") as file:
        P.tofile(file)
        y.tofile(file)
    del P, y
    for name in CONTESTANTS:
        own = times.get(name)
        if own is None:
            sheet.row(in_memory=name, rows=rows, models=models)
            continue
        found = run("memory", "memory_of", name=name, path=path, models=models)
        sheet.row(
            in_memory=name,
            rows=rows,
            models=models,
            median_s=own.median,
            least_s=own.least,
            x_dsyrk=own.over(times[UNIT]),
            by_least=own.least_over(times[UNIT]),
            extra_MB=None if found is None else found["growth"] / 1e6,
        )
    slow |= {name for name, own in times.items() if own.least > TOO_SLOW}
    path.unlink()


def turns(P: Any, y: Any, slow: set[str]) -> dict[str, Times]:
    fits = {name: fit for name, fit in CONTESTANTS.items() if name not in slow}
    for fit in fits.values():
        # Libraries load and buffers are allotted at first use, whoever calls.
        fit(P[:2000], y[:2000])
    return race({name: partial(fit, P, y) for name, fit in fits.items()}, TURNS)


def memory_of(name: str, path: str, models: int) -> dict[str, Any]:
    """Fit in this process: a table that is in a file, labels after predictions."""
    rows = Path(path).stat().st_size // 8 // (models + 1)
    with open(path, "rb") as file:
        P = np.fromfile(file, count=rows * models).reshape(rows, models)
        y = np.fromfile(file)
    fit = CONTESTANTS[name]
    fit(P[:2000], y[:2000])
    return measured(lambda: fit(P, y))
