"""A cost model from small runs, checked against a large one, and what it foretells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from stackingnet_sk import StackingNetRegressor

from ..solvers.table import table
from . import disk
from .child import run
from .files import RawTable, write_raw
from .race import Times, race
from .settings import Settings
from .sheet import Sheet

__all__ = ["CostModel", "measure"]

MODELS = (5, 20, 50, 100)
MEMORY_ROWS = 20_000, 60_000, 200_000
MEMORY_CHECK, QUICK_CHECK = (1_000_000, 100), (500_000, 100)
DISK_ROWS, QUICK_DISK_ROWS = (500_000, 1_500_000, 4_000_000), (200_000, 800_000)
TURNS, TARGET, BOUND = 3, (1_000_000_000, 100), 1.25
COLUMNS = {
    "cost model": "",
    "rows": ",",
    "models": "d",
    "predicted": ".2f",
    "measured": ".2f",
    "p / m": ".2f",
    "GB read": ".1f",
}
Run = tuple[int, int, float]


@dataclass(frozen=True)
class CostModel:
    """Seconds of a fit: a + rows (b + c models + d models^2)."""

    coefficients: NDArray[np.float64]

    @classmethod
    def from_runs(cls, runs: Sequence[Run]) -> CostModel:
        """Fit it by least squares of relative errors, nothing below zero."""
        design = np.array([terms(n, m) / t for n, m, t in runs])
        size = design.max(axis=0)
        return cls(nnls(design / size, np.ones(len(runs)))[0] / size)

    def seconds(self, rows: int, models: int) -> float:
        """Foretell a fit."""
        return float(terms(rows, models) @ self.coefficients)

    def error(self, runs: Sequence[Run]) -> float:
        """Return the largest relative error."""
        return max(abs(self.seconds(n, m) / t - 1.0) for n, m, t in runs)

    def __str__(self) -> str:
        a, b, c, d = self.coefficients
        return f"{a:.3g} s + rows ({b:.3g} + {c:.3g} models + {d:.3g} models^2) s"


def terms(rows: int, models: int) -> NDArray[np.float64]:
    return np.array([1.0, rows, rows * models, rows * models**2], dtype=float)


def measure(settings: Settings) -> Sheet:
    """Measure small runs in memory and from disk, and a large one of each."""
    sheet = Sheet(COLUMNS)
    sheet.say(
        "Seconds of a fit, n_jobs=1, foretold by the cost model of small runs "
        "(medians; relative least squares, nothing below zero): float64 in memory, and "
        "float32 files that the system was asked to forget. The last row is foretold "
        "only."
    )
    in_memory = CostModel.from_runs(small(sheet, "in memory", MEMORY_ROWS, fit_once))
    rows, models = QUICK_CHECK if settings.quick else MEMORY_CHECK
    check(sheet, "in memory", in_memory, rows, models, fit_once(rows, models))

    def from_disk(table: RawTable) -> float:
        once = partial(run, "passes", "raw_pass", how="fit", **table.arguments())
        found = [once() for _ in range(TURNS)]
        return Times([one["seconds"] for one in found if one]).median

    sizes = QUICK_DISK_ROWS if settings.quick else DISK_ROWS
    files = {m: write_raw(settings, max(sizes), m) for m in MODELS}

    def first(rows: int, models: int) -> float:
        own = files[models]
        return from_disk(RawTable(own.P, own.y, rows, models))

    model = CostModel.from_runs(small(sheet, "from disk", sizes, first))
    settings.drop(*(path for own in files.values() for path in (own.P, own.y)))
    rows = settings.one(settings.rows, disk.ROWS, disk.QUICK_ROWS)
    large = write_raw(settings, rows, disk.MODELS)
    check(sheet, "from disk", model, rows, disk.MODELS, from_disk(large), large.n_bytes)
    rows, models = TARGET
    sheet.row(
        cost_model="from disk, not run",
        rows=rows,
        models=models,
        predicted=model.seconds(rows, models),
        **{"GB read": 4e-9 * rows * (models + 1)},
    )
    for row in sheet.rows:
        if "p / m" in row:
            ratio = row["p / m"]
            sheet.at_most(
                f"predicted over measured, or its inverse, {row['cost model']}, "
                f"{row['rows']:,} x {row['models']}",
                max(ratio, 1.0 / ratio),
                BOUND,
            )
    return sheet


def small(
    sheet: Sheet, where: str, sizes: Sequence[int], once: Callable[[int, int], float]
) -> list[Run]:
    runs = [(n, m, once(n, m)) for m in MODELS for n in sizes]
    model = CostModel.from_runs(runs)
    sheet.say(
        f"{where}: {model}; of {len(runs)} runs of {min(sizes):,} to {max(sizes):,} "
        f"rows the worst is {model.error(runs):.0%} off"
    )
    return runs


def fit_once(rows: int, models: int) -> float:
    P, y = table(rows, models)
    StackingNetRegressor().fit(P[:2000], y[:2000])
    own = race({"fit": lambda: StackingNetRegressor().fit(P, y)}, TURNS)
    return own["fit"].median


def check(
    sheet: Sheet,
    where: str,
    model: CostModel,
    rows: int,
    models: int,
    measured: float,
    n_bytes: int | None = None,
) -> None:
    predicted = model.seconds(rows, models)
    sheet.row(
        cost_model=where,
        rows=rows,
        models=models,
        predicted=predicted,
        measured=measured,
        **{
            "p / m": predicted / measured,
            "GB read": None if n_bytes is None else n_bytes / 1e9,
        },
    )
