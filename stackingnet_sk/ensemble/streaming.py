"""Tables that come in blocks, summed up block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from stackingnet_sk.predictions import (
    Block,
    blocks_of,
    column_names,
    comes_in_blocks,
    is_dask,
    sum_blocks,
    sum_partitions,
)

_OTHER_COLUMNS = (
    "The columns are {}, those of the blocks before {}; all must have the same names, "
    "in the same order."
)


class BlockReader(Protocol):
    """Checks a block and returns what sums it up, which can run in another thread."""

    def __call__(self, block: Block, *, reset: bool) -> Callable[[], Any]:
        """Check a block; with `reset` its columns are those of all blocks."""


def is_stream(X: Any, *, has_members: bool) -> bool:
    """Tell whether a table is read in blocks.

    A ValueError is raised if it is and there are members, which can't be fitted on
    blocks.
    """
    if not (is_dask(X) or comes_in_blocks(X)):
        return False
    if not has_members:
        return True
    if isinstance(X, np.ndarray) or (is_dask(X) and hasattr(X, "chunks")):
        return False
    raise ValueError(
        f"Members are fitted on arrays, not on a {type(X).__name__}; collect its "
        "rows, or combine given predictions with estimators=None."
    )


def refuse_groups(groups: Any, sensitive_features: Any) -> None:
    """Raise a ValueError for arguments that need all rows at once."""
    for name, value in (("groups", groups), ("sensitive_features", sensitive_features)):
        if value is not None:
            raise ValueError(
                f"{name} cannot be given with a table that comes in blocks; read "
                "it into an array."
            )


def sum_stream(
    X: Any,
    y: Any,
    sample_weight: Any,
    read_block: BlockReader,
    *,
    reset: bool,
    with_labels: bool = True,
    n_jobs: int = 1,
    remote_reader: Callable[[], Callable[[Block], Any]],
) -> tuple[Any, bool]:
    """Sum the blocks of a stream into statistics.

    `y` and `sample_weight` tell where labels and weights are, as in `fit`. `read_block`
    checks a block; `reset` tells whether the first block decides what the columns are;
    `remote_reader` returns a function that sums a block in another process. Returns the
    statistics of all rows, and whether labels were given, even if all are missing. A
    ValueError is raised if there are no rows, if blocks have different columns, or if
    there are labels and `with_labels` is False.
    """
    if is_dask(X):
        return _sum_dask(
            X, y, sample_weight, read_block, remote_reader, reset=reset
        ), y is not None
    first, given = reset, y is not None
    names: list[Any] | None = None

    def read(block: Block) -> Callable[[], Any]:
        nonlocal first, given, names
        block_names = column_names(block.X)
        names = block_names if names is None else names
        # scikit-learn compares names that are strings, and only warns if one block has
        # none.
        if bool(block_names) != bool(names):
            raise ValueError(_OTHER_COLUMNS.format(block_names[:10], names[:10]))
        given |= block.y is not None
        if given and not with_labels:
            raise ValueError("rows without labels come with some; yield X alone.")
        add_up = read_block(block, reset=first)
        if block_names != names:
            raise ValueError(_OTHER_COLUMNS.format(block_names[:10], names[:10]))
        first = False
        return add_up

    statistics = sum_blocks(blocks_of(X, y, sample_weight), read, n_jobs)
    if statistics is None:
        raise ValueError("The stream has no rows: it ended before its first block.")
    return statistics, given


def _sum_dask(
    X: Any,
    y: Any,
    sample_weight: Any,
    read_block: BlockReader,
    remote_reader: Callable[[], Callable[[Block], Any]],
    *,
    reset: bool,
) -> Any:
    if hasattr(X, "chunks") and X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead.")
    if reset:
        # Number and names of the columns are known before any row is.
        taken = [column for column in (y, sample_weight) if isinstance(column, str)]
        read_block(Block("", _no_rows_of(X, taken)), reset=True)
    statistics = sum_partitions(X, y, sample_weight, remote_reader())
    if statistics is None:
        raise ValueError("The stream has no rows: it ended before its first block.")
    return statistics


def _no_rows_of(X: Any, taken: list[str]) -> Any:
    """Return a row without answers, with the columns of a collection."""
    if not hasattr(X, "columns"):
        return np.full((1, X.shape[1]), np.nan)
    from pandas import DataFrame

    names = [name for name in X.columns if name not in taken]
    return DataFrame(np.full((1, len(names)), np.nan), columns=names)
