"""A fit from a given table against one BLAS pass over it.

``dsyrk`` reads the table once and forms ``P'P``: no exact method can do less, so its
time is the unit. Both run in this process with the same BLAS threads.
"""

from __future__ import annotations

import resource
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from stackingnet_sk import StackingNetRegressor

__all__ = ["Fit", "as_text", "measure"]

PASSES = 5
RATIO_BOUND, MEMORY_BOUND = 1.6, 64.0  # megabytes, of 1e6 bytes
_BYTES = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss


@dataclass(frozen=True)
class Fit:
    """Least seconds of both, and the memory that a fit takes beside the table."""

    rows: int
    columns: int
    fit_seconds: float
    dsyrk_seconds: float
    allocated_megabytes: float
    resident_megabytes: float

    @property
    def ratio(self) -> float:
        """Fit over BLAS."""
        return self.fit_seconds / self.dsyrk_seconds

    @property
    def megabytes(self) -> float:
        """The greater of the two measures."""
        return max(self.allocated_megabytes, self.resident_megabytes)


def measure(rows: int, columns: int) -> Fit:
    """Build a table and measure on it."""
    P, y = table(rows, columns)

    def fit() -> None:
        StackingNetRegressor().fit(P, y)

    def unit() -> None:
        # P.T is in Fortran's order: scipy makes no copy.
        dsyrk(1.0, P.T)

    # Libraries load and BLAS allots its buffers at first use, whoever calls.
    StackingNetRegressor().fit(P[:2000], y[:2000])
    unit()
    resident = peak_resident()
    fit()
    resident = peak_resident() - resident
    times = np.array([[seconds(fit), seconds(unit)] for _ in range(PASSES)])
    least = times.min(axis=0)
    return Fit(
        rows,
        columns,
        fit_seconds=float(least[0]),
        dsyrk_seconds=float(least[1]),
        allocated_megabytes=peak_allocated(fit) / 1e6,
        resident_megabytes=resident / 1e6,
    )


def table(rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return predictions with unequal errors, one part common, and the target."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal(rows)
    P = np.empty((rows, columns))
    size = rng.uniform(0.3, 1.0, columns)
    # In blocks, or the table's own making would set the peak of memory.
    for start in range(0, rows, 10_000):
        block, labels = P[start : start + 10_000], y[start : start + 10_000, None]
        rng.standard_normal(out=block)
        block *= size
        block += labels + 0.3 * rng.standard_normal(labels.shape)
    return P, y


def seconds(function: Callable[[], None]) -> float:
    start = perf_counter()
    function()
    return perf_counter() - start


def peak_resident() -> int:
    """Return the process's peak so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES


def peak_allocated(function: Callable[[], None]) -> int:
    """Return the peak of what Python and numpy allot, in bytes; slows what it runs."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def as_text(fit: Fit) -> Iterator[str]:
    """Yield the figures, then one line per claim with its verdict."""
    yield f"StackingNetRegressor().fit, validated: {fit.rows:,} x {fit.columns} float64"
    yield f"  fit    {fit.fit_seconds:9.4f} s, least of {PASSES}"
    yield f"  dsyrk  {fit.dsyrk_seconds:9.4f} s, one pass over the same table"
    yield f"  memory {fit.allocated_megabytes:9.1f} MB allotted by numpy and Python"
    yield f"         {fit.resident_megabytes:9.1f} MB growth of the resident peak"
    for name, value, bound in (
        ("ratio fit / dsyrk", fit.ratio, RATIO_BOUND),
        ("extra memory, MB", fit.megabytes, MEMORY_BOUND),
    ):
        verdict = "within" if value <= bound else "NOT within"
        yield f"{name}: {value:.2f}, {verdict} the bound {bound:g}"
