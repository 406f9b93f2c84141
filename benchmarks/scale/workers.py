"""Dask: the answer and the time of several workers, one of which is killed."""

from __future__ import annotations

import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from numpy.typing import NDArray

from stackingnet_sk import StackingNetRegressor

from ..solvers.table import seconds
from .files import RawTable, write_raw
from .race import race
from .settings import Settings, fits_in_memory
from .sheet import Sheet

__all__ = ["measure"]

ROWS, QUICK_ROWS, MODELS, WORKERS = 20_000_000, 2_000_000, 20, (1, 2, 4)
PARTITION_BYTES, TURNS, BOUND = 2**24, 3, 1e-10
COLUMNS = {
    "Dask": "",
    "median s": ".2f",
    "least s": ".2f",
    "x memory": ".2f",
    "x alone": ".2f",
    "differs": ".1e",
}


def measure(settings: Settings) -> Sheet:
    """Fit in memory, then with each number of workers."""
    sheet = Sheet(COLUMNS)
    rows = settings.one(settings.rows, ROWS, QUICK_ROWS)
    models = settings.one(settings.models, MODELS, MODELS)
    table = write_raw(settings, rows, models)
    sheet.say(
        f"{rows:,} x {models} float32 from a file that the system has in its cache, on "
        f"{os.cpu_count()} CPUs, partitions of {PARTITION_BYTES / 2**20:.0f} MB, "
        "processes of one thread. In memory: read and fitted, n_jobs=1. Differs: "
        "largest of the weights and the intercept, over the largest of them in memory."
    )

    if not fits_in_memory(2.0 * table.n_bytes):
        sheet.say("The table does not fit into memory; skipped.")
        return sheet

    def in_memory() -> Any:
        return StackingNetRegressor().fit(*(np.array(part) for part in table.mapped()))

    exact = answer(in_memory())
    time = race({"fit": in_memory}, TURNS)["fit"]
    sheet.row(Dask="in memory", median_s=time.median, least_s=time.least, x_memory=1.0)
    alone = time
    for n_workers in WORKERS:
        own, worst = timed(table, n_workers, exact)
        alone = own if n_workers == min(WORKERS) else alone
        sheet.row(
            Dask=f"{n_workers} worker{'s'[: n_workers > 1]}",
            median_s=own.median,
            least_s=own.least,
            x_memory=own.over(time),
            differs=worst,
            **{"x alone": own.over(alone)},
        )
    lost = one_killed(table, exact, own.least)
    sheet.row(Dask=lost["what"], median_s=lost["seconds"], differs=lost["worst"])
    worst = max(row["differs"] for row in sheet.rows if "differs" in row)
    sheet.at_most("relative difference, the killed worker included", worst, BOUND)
    met = "the fit was running" if lost["running"] else "the fit had ended: no test"
    sheet.at_least("workers killed in mid-fit", lost["running"], 1, met)
    return sheet


def answer(model: Any) -> NDArray:
    return np.append(model.weights_, model.intercept_)


def difference(found: NDArray, exact: NDArray) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def collection(table: RawTable) -> tuple[da.Array, da.Array]:
    """Partitions that workers read from the file themselves."""
    size = max(1, PARTITION_BYTES // (4 * table.models))
    P, y = [], []
    for start in range(0, table.rows, size):
        n = min(size, table.rows - start)
        for parts, which, shape in ((P, 0, (n, table.models)), (y, 1, (n,))):
            part = dask.delayed(rows_of, pure=True)(table, which, start, n)
            parts.append(da.from_delayed(part, shape, np.float32))
    return da.concatenate(P), da.concatenate(y)


def rows_of(table: RawTable, which: int, start: int, n: int) -> NDArray:
    return np.array(table.mapped()[which][start : start + n])


def cluster(n_workers: int, folder: str) -> LocalCluster:
    return LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=folder,
        silence_logs=logging.CRITICAL,
    )


def timed(table: RawTable, n_workers: int, exact: NDArray) -> tuple[Any, float]:
    differences = []

    def fit() -> None:
        found = answer(StackingNetRegressor().fit(*collection(table)))
        differences.append(difference(found, exact))

    with TemporaryDirectory() as folder, cluster(n_workers, folder) as own, Client(own):
        fit()  # libraries load in every worker
        times = race({"fit": fit}, TURNS)["fit"]
    return times, max(differences)


def one_killed(table: RawTable, exact: NDArray, usual: float) -> dict[str, Any]:
    """Kill one of the most workers, in the middle of a fit's usual time."""
    n_workers = max(WORKERS)
    with (
        TemporaryDirectory() as folder,
        cluster(n_workers, folder) as own,
        Client(own) as client,
        ThreadPoolExecutor(1) as pool,
    ):

        def fit() -> NDArray:
            return answer(StackingNetRegressor().fit(*collection(table)))

        fit()
        process = next(iter(client.run(os.getpid).values()))
        found: list[NDArray] = []
        task = pool.submit(seconds, lambda: found.append(fit()))
        sleep(usual / 2)
        running = not task.done()
        os.kill(process, signal.SIGKILL)
        time = task.result()
        return {
            "what": f"{n_workers} workers, 1 killed",
            "seconds": time,
            "worst": difference(found[0], exact),
            "running": int(running),
        }
