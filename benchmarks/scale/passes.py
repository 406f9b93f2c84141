"""One pass over a table in files, as a job of a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from stackingnet_sk import StackingNetRegressor

from .child import measured
from .files import RawTable, forget

__all__ = ["parquet_pass", "raw_pass"]

CHUNK_BYTES = 2**22  # of a read


def raw_pass(
    how: str, P: str, y: str, rows: int, models: int, n_jobs: int = 1
) -> dict[str, Any]:
    """Pass over a raw table that the system has forgotten."""
    table = RawTable(Path(P), Path(y), rows, models)
    few = RawTable(Path(P), Path(y), min(rows, 2000), models)
    # Libraries load at first use.
    RAW[how](few, n_jobs)
    forget(P, y)
    return measured(lambda: RAW[how](table, n_jobs))


def parquet_pass(how: str, path: str, n_jobs: int = 1) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.dataset as ds

    data = ds.dataset(path)
    names = data.schema.names
    few = np.random.default_rng(0).normal(size=(len(names), 2000)).astype(np.float32)
    PARQUET[how](ds.dataset(pa.table(list(few), names)), n_jobs)
    forget(path)
    return measured(lambda: PARQUET[how](data, n_jobs))


def read(table: RawTable, _: int = 1) -> None:
    for _ in buffers(table):
        pass


def buffers(table: RawTable) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield views of buffers that are filled again and again."""
    size = max(1, min(table.rows, CHUNK_BYTES // (4 * table.models)))
    chunk = np.empty((size, table.models), np.float32)
    labels = np.empty(size, np.float32)
    with (
        open(table.P, "rb", buffering=0) as predictions,
        open(table.y, "rb", buffering=0) as target,
    ):
        for start in range(0, table.rows, size):
            n = min(size, table.rows - start)
            fill(predictions, chunk[:n])
            fill(target, labels[:n])
            yield chunk[:n], labels[:n]


def fill(file: Any, part: NDArray) -> None:
    if file.readinto(part.reshape(-1).view(np.uint8)) != part.nbytes:
        raise OSError(f"{file.name} is shorter than it should be.")


def bare(table: RawTable, _: int = 1) -> NDArray:
    """Sum up what no exact method can do without: products of the errors."""
    total = np.zeros((table.models, table.models), order="F")
    errors = None
    for chunk, labels in buffers(table):
        if errors is None:
            errors = np.empty(chunk.shape)
        own = errors[: len(chunk)]
        np.subtract(chunk, labels[:, None], out=own, dtype=np.float64)
        total = dsyrk(1.0, own.T, beta=1.0, c=total, overwrite_c=True)
    return total


def fit(table: RawTable, n_jobs: int) -> None:
    P, y = table.mapped()
    StackingNetRegressor(n_jobs=n_jobs).fit(P, y)


def fit_iterator(table: RawTable, n_jobs: int) -> None:
    blocks = ((P.copy(), y.copy()) for P, y in buffers(table))
    StackingNetRegressor(n_jobs=n_jobs).fit(blocks)


def scan(data: Any, _: int) -> None:
    import pyarrow.dataset as ds

    # Else the whole file is held in memory.
    lean = ds.ParquetFragmentScanOptions(pre_buffer=False)
    options = (
        {} if isinstance(data, ds.InMemoryDataset) else {"fragment_scan_options": lean}
    )
    for _ in data.to_batches(batch_readahead=1, fragment_readahead=1, **options):
        pass


def fit_parquet(data: Any, n_jobs: int) -> None:
    StackingNetRegressor(n_jobs=n_jobs).fit(data, y="y")


RAW: dict[str, Callable[[RawTable, int], Any]] = {
    "read": read,
    "bare": bare,
    "fit": fit,
    "iterator": fit_iterator,
}
PARQUET: dict[str, Callable[[Any, int], Any]] = {"read": scan, "fit": fit_parquet}
