"""Tables in files: float32 predictions row by row, and labels in a file beside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .settings import Settings

__all__ = ["RawTable", "forget", "write_parquet", "write_raw"]

CHUNK = 100_000  # rows that are made at a time
FACTORS = 3


@dataclass(frozen=True)
class RawTable:
    """Two files, or their first rows."""

    P: Path
    y: Path
    rows: int
    models: int

    @property
    def n_bytes(self) -> int:
        """Return the size of its rows, labels included."""
        return 4 * self.rows * (self.models + 1)

    def arguments(self) -> dict[str, str | int]:
        """Return what a job needs to find it."""
        own = {"P": str(self.P), "y": str(self.y)}
        return own | {"rows": self.rows, "models": self.models}

    def mapped(self) -> tuple[np.memmap, np.memmap]:
        """Return predictions and labels, mapped."""
        return (
            np.memmap(self.P, np.float32, "r", shape=(self.rows, self.models)),
            np.memmap(self.y, np.float32, "r", shape=(self.rows,)),
        )


def write_raw(settings: Settings, rows: int, models: int) -> RawTable:
    """Write a table chunk by chunk, unless it is there from a run before."""
    name = f"scale-{rows}x{models}"
    P, there = settings.place(f"{name}.f32", 4 * rows * (models + 1))
    y, known = settings.place(f"{name}.labels.f32", 4 * rows)
    found = RawTable(P, y, rows, models)
    if there and known and P.stat().st_size + y.stat().st_size == found.n_bytes:
        return found
    with P.open("wb") as table, y.open("wb") as labels:
        for chunk, own in chunks(rows, models):
            chunk.tofile(table)
            own.tofile(labels)
    return found


def chunks(rows: int, models: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield predictions whose errors have common factors and noise of their own."""
    rng = np.random.default_rng(models)
    loadings = rng.normal(0.0, 0.3, (FACTORS, models)).astype(np.float32)
    noise = rng.uniform(0.3, 1.0, models).astype(np.float32)
    for start in range(0, rows, CHUNK):
        n = min(CHUNK, rows - start)
        y = rng.standard_normal(n, dtype=np.float32)
        chunk = rng.standard_normal((n, models), dtype=np.float32)
        chunk *= noise
        chunk += y[:, None]
        chunk += rng.standard_normal((n, FACTORS), dtype=np.float32) @ loadings
        yield chunk, y


def write_parquet(settings: Settings, table: RawTable) -> Path:
    """Write the same rows as one file of many row groups, labels as column "y"."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = f"scale-{table.rows}x{table.models}.parquet"
    path, there = settings.place(name, 2 * table.n_bytes)
    if there:
        return path
    P, y = table.mapped()
    names = [f"m{number}" for number in range(table.models)]
    schema = pa.schema([(column, pa.float32()) for column in [*names, "y"]])
    part = path.with_suffix(".part")
    # No two numbers are the same: a dictionary of them would only be larger.
    with pq.ParquetWriter(part, schema, use_dictionary=False) as writer:
        for start in range(0, table.rows, CHUNK):
            own = slice(start, start + CHUNK)
            columns = [*np.array(P[own].T, order="C"), np.array(y[own])]
            writer.write_table(pa.table(columns, schema=schema))
    part.rename(path)
    return path


def forget(*paths: str | Path) -> None:
    """Ask the system to drop its cache of files, where it can."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())  # what is not on the disk yet stays
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
