"""Dask collections: partitions are summed up where they are, and merged in a tree.

Whichever scheduler is active does the work. It sends partitions of a worker that is
lost to another one; statistics are small, and their order is fixed, so the answer is
the same to the last bit.
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

# Statistics that are merged by one task.
_FAN_IN = 8

T = TypeVar("T", bound=Mergeable)


def is_dask(X: Any) -> bool:
    """Tell whether a table is a Dask collection.

    Parameters
    ----------
    X : object
        What `fit` received.

    Returns
    -------
    bool
    """
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(X))


def sum_partitions(
    X: Any, y: Any, sample_weight: Any, read: Callable[[Block], T | None]
) -> T | None:
    """Sum up the partitions of a collection.

    Parameters
    ----------
    X : dask array of shape (n_samples, n_models), or dask dataframe
        Predictions.
    y : dask array or series, array-like of shape (n_samples,), str or None
        Labels; of a dataframe also the name of its column.
    sample_weight : dask array or series, array-like of shape (n_samples,), str or None
        Weights of the rows, likewise.
    read : callable
        Sums up a block, on a worker; None where it has no rows.

    Returns
    -------
    object or None
        The statistics; None where there are no rows.

    Raises
    ------
    ValueError
        If labels or weights are not divided like the table.
    """
    from dask.delayed import delayed

    if hasattr(X, "chunks"):
        X = X.rechunk({1: -1})
    tables = _delayed(X)
    rest = [
        _partitions(part, X, len(tables), who)
        for part, who in ((y, "y"), (sample_weight, "sample_weight"))
    ]
    parts = [
        delayed(_read)(read, f"Partition {number}", *own)
        for number, own in enumerate(zip(tables, *rest, strict=True))
    ]
    while len(parts) > 1:
        groups = [parts[i : i + _FAN_IN] for i in range(0, len(parts), _FAN_IN)]
        parts = [delayed(_merge)(group) for group in groups]
    return parts[0].compute() if parts else None


def _read(read: Callable[[Block], T | None], where: str, *parts: Any) -> T | None:
    # Columns are taken out here: a partition is loaded once.
    with about(where):
        return read(Block(where, *split_columns(*parts)))


def _merge(statistics: list[Any]) -> Any:
    known = [each for each in statistics if each is not None]
    return reduce(lambda one, other: one.merge(other), known) if known else None


def _delayed(collection: Any) -> list[Any]:
    parts = collection.to_delayed()
    return list(parts) if isinstance(parts, list) else parts.ravel().tolist()


def _partitions(part: Any, X: Any, n_parts: int, who: str) -> list[Any]:
    """Divide labels or weights like the table; a name is that of a column of each."""
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
    own = _delayed(part)
    if len(own) != n_parts:
        raise ValueError(
            f"{who} has {len(own)} partitions and X has {n_parts}; divide both alike."
        )
    return own
