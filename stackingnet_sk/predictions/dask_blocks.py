"""Dask collections: each partition is summed on its worker, and sums merge in a tree.

The active scheduler does the work. If a worker is lost, it sends the partitions to
another worker. The statistics are small, and they are merged in a fixed order, so the
result is the same to the last bit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from stackingnet_sk.predictions.blocks import (
    Block,
    Mergeable,
    about,
    split_columns,
)
from stackingnet_sk.predictions.labels import unmasked

# Number of statistics that one task merges.
_FAN_IN = 8

T = TypeVar("T", bound=Mergeable)


def is_dask(X: Any) -> bool:
    """Tell whether a table is a Dask collection."""
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(X))


def sum_partitions(
    X: Any, y: Any, sample_weight: Any, read: Callable[[Block], T | None]
) -> T | None:
    """Sum the partitions of a Dask array or dataframe of predictions.

    Labels and weights are Dask collections or array-likes of shape (n_samples,), or
    None; for a dataframe they may also be names of columns. `read` sums a block on a
    worker, and returns None for a block without rows; so does this function without any
    rows. Raises a ValueError if labels or weights are not divided like the table.
    """
    from dask.delayed import delayed

    if hasattr(X, "chunks"):
        X = X.rechunk({1: -1})
    tables = _delayed(X)
    columns = [
        _partitions(part, X, len(tables), who)
        for part, who in ((y, "y"), (sample_weight, "sample_weight"))
    ]
    parts = [
        delayed(_read)(read, f"Partition {number}", *partition)
        for number, partition in enumerate(zip(tables, *columns, strict=True))
    ]
    while len(parts) > 1:
        groups = [parts[i : i + _FAN_IN] for i in range(0, len(parts), _FAN_IN)]
        parts = [delayed(_merge)(group) for group in groups]
    return parts[0].compute() if parts else None


def _read(read: Callable[[Block], T | None], where: str, *parts: Any) -> T | None:
    # Columns are split here, on the worker, so that a partition is loaded only once.
    """Sum one partition."""
    with about(where):
        return read(Block(where, *split_columns(*parts)))


def _merge(statistics: list[Any]) -> Any:
    """Merge the statistics of partitions that have rows."""
    present = [sums for sums in statistics if sums is not None]
    return reduce(lambda one, other: one.merge(other), present) if present else None


def _delayed(collection: Any) -> list[Any]:
    """List the partitions of a collection, as delayed objects."""
    parts = collection.to_delayed()
    return list(parts) if isinstance(parts, list) else parts.ravel().tolist()


def _partitions(part: Any, X: Any, n_parts: int, who: str) -> list[Any]:
    """Divide labels or weights like the table; a column name is kept for each part."""
    if part is None or isinstance(part, str):
        return [part] * n_parts
    rows = X.chunks[0] if hasattr(X, "chunks") else (np.nan,)
    if not is_dask(part):
        if np.isnan(rows).any():
            raise ValueError(
                f"How many rows the partitions of X have is not known, so {who} can't "
                "be divided: pass a Dask collection divided like X, or of a dataframe "
                "the name of a column."
            )
        import dask.array as da

        part = da.from_array(np.asarray(unmasked(part)))
    if hasattr(part, "chunks") and not np.isnan([*rows, *part.chunks[0]]).any():
        if part.shape != X.shape[:1]:
            raise ValueError(
                f"{who} has shape {part.shape} for {X.shape[0]} rows of X; give one "
                "value a row."
            )
        part = part.rechunk((rows,))
    parts = _delayed(part)
    if len(parts) != n_parts:
        raise ValueError(
            f"{who} has {len(parts)} partitions and X has {n_parts}; divide both alike."
        )
    return parts
