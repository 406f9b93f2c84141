"""Tables that are read in blocks of rows: from files, iterators and data sets.

Such a table is never in memory as a whole. The list `_SOURCES` states for each kind of
source how it is recognized and how it is split. All other code sees only blocks.
"""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from sklearn.utils.validation import check_consistent_length

from stackingnet_sk._compat import count_rows, take_rows
from stackingnet_sk.predictions.labels import unmasked

# Bytes of predictions in a block. Two or three blocks are in memory at once. The size
# is large compared with the overhead of a block, and small compared with the memory of
# a machine.
BLOCK_BYTES = 3 * 2**22
# Number of bytes that are read at once of a column of a Parquet file.
_PAGE_BYTES = 2**16


class Block(NamedTuple):
    """Some of the rows of a table; `where` names them in error messages."""

    where: str
    X: Any
    y: Any = None
    sample_weight: Any = None


@contextmanager
def about(where: str) -> Iterator[None]:
    """Put a part of the data, such as "X_unlabeled", before error messages.

    A TypeError or ValueError that is raised inside is raised again with the longer
    message.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{where}: {error}") from error


class Mergeable(Protocol):
    """Statistics over rows that can be merged."""

    def merge(self, other: Self, /) -> Self:
        """Combine with the statistics of other rows."""


T = TypeVar("T", bound=Mergeable)


def comes_in_blocks(X: Any) -> bool:
    """Tell whether `fit` must read a table in blocks."""
    return any(recognize(X) for recognize, _ in _SOURCES)


def blocks_of(X: Any, y: Any = None, sample_weight: Any = None) -> Iterator[Block]:
    """Split a table that is read in blocks.

    X is an iterator of blocks (each a table or a tuple ``(X, y)`` or
    ``(X, y, sample_weight)``), a memory-mapped array, or Arrow data. Labels and weights
    of an iterator come with its blocks, and those of Arrow data are names of columns.
    Raises a ValueError if they are given otherwise.
    """
    split = next(split for recognize, split in _SOURCES if recognize(X))
    return split(X, y, sample_weight)


def sum_blocks(
    blocks: Iterator[Block],
    read: Callable[[Block], Callable[[], T]],
    n_threads: int = 1,
) -> T | None:
    """Sum blocks, reading the next block while one is summed.

    `read` checks a block in this thread, and returns a function that sums it in another
    thread. `n_threads` blocks are summed at the same time; the result does not depend
    on their number. Blocks without rows are skipped. The statistics are merged in the
    order of the blocks, and are None if there are none.
    """
    merged: T | None = None
    waiting: deque[tuple[str, Future[T]]] = deque()

    def collect(at_most: int) -> None:
        """Merge the oldest results until at most so many are waiting."""
        nonlocal merged
        while len(waiting) > at_most:
            where, future = waiting.popleft()
            with about(where):
                statistics = future.result()
                merged = statistics if merged is None else merged.merge(statistics)

    with ThreadPoolExecutor(n_threads) as pool:
        for block in blocks:
            if count_rows(block.X):
                with about(block.where):
                    waiting.append((block.where, pool.submit(read(block))))
            collect(n_threads)
        collect(0)
    return merged


def column_names(X: Any) -> list[Any]:
    """List the names of the columns of a table, if they have names."""
    return list(getattr(X, "column_names", getattr(X, "columns", ())))


def split_columns(frame: Any, *columns: Any) -> tuple[Any, ...]:
    """Take labels and weights out of a frame, if they are columns of it.

    Returns the other columns, and then each of `columns`: the column of that name if it
    is a text, and otherwise the object itself. Raises a ValueError if there is no such
    column.
    """
    names = column_names(frame)
    taken = [name for name in columns if isinstance(name, str)]
    if not taken:
        return frame, *columns
    if unknown := [name for name in taken if name not in names]:
        among = f"among {names[:10]}" if names else "where columns have no names"
        raise ValueError(f"There is no column {unknown[0]!r} {among}.")
    remaining = [name for name in names if name not in taken]
    others = frame.select(remaining) if hasattr(frame, "select") else frame[remaining]
    return others, *(frame[c] if isinstance(c, str) else c for c in columns)


def _is_iterator(X: Any) -> bool:
    """Tell whether X is an iterator."""
    return isinstance(X, Iterator)


def _from_iterator(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
    """Yield the blocks of an iterator."""
    named = [c for c in (y, sample_weight) if c is not None]
    if not all(isinstance(c, str) for c in named):
        raise ValueError(
            "The labels and weights of a stream come with its blocks: let it yield "
            "(X, y) or (X, y, sample_weight), or frames, and name their columns."
        )
    for number, item in enumerate(X):
        where = f"Block {number}"
        if isinstance(item, list) and any(hasattr(part, "shape") for part in item):
            raise ValueError(f"{where} is a list of arrays; yield a tuple (X, y).")
        if not isinstance(item, tuple):
            with about(where):
                parts = split_columns(item, y, sample_weight)
            yield Block(where, *map(_kept, parts))
        elif named or not 1 <= len(item) <= 3:
            raise ValueError(
                f"{where} is a tuple of {len(item)}; yield X, (X, y) or (X, y, "
                "sample_weight), and pass no y then."
            )
        else:
            yield Block(where, *map(_kept, item))


def _kept(part: Any) -> Any:
    """Copy a part of a block, which its iterator may overwrite with the next block."""
    copy = getattr(part, "copy", getattr(part, "clone", None))
    return part if copy is None else copy()


def _file_under(X: Any) -> mmap.mmap | None:
    """Find the file that an array is mapped from; None for a copy of such an array."""
    while isinstance(X, np.ndarray):
        X = X.base
    return X if isinstance(X, mmap.mmap) else None


def _is_mapped(X: Any) -> bool:
    """Tell whether X is a memory-mapped table."""
    return isinstance(X, np.memmap) and X.ndim == 2


def _from_mapped(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
    """Yield copies of blocks of a memory-mapped table."""
    check_consistent_length(X, y, sample_weight)
    size = max(1, BLOCK_BYTES // max(1, X.itemsize * X.shape[1]))
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        # Copy the rows, so that the thread that sums them need not wait for the disk.
        parts = [
            None if part is None else np.array(unmasked(take_rows(part, rows)))
            for part in (X, y, sample_weight)
        ]
        for part in (X, y, sample_weight):
            if isinstance(part, np.memmap):
                _release_pages(part[rows])
        stop = min(start + size, len(X)) - 1
        yield Block(f"Rows {start} to {stop}, counted from the first of them", *parts)


def _release_pages(part: Any) -> None:
    """Let the system release the pages of a file that have been read.

    Otherwise the whole file would in time count as memory of this process.
    """
    mapped = _file_under(part)
    # The pages of a copy-on-write map are the only place of its changes: keep them.
    if mapped is None or part.mode == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return
    start = np.frombuffer(mapped, np.uint8, 1).__array_interface__["data"][0]
    low, high = np.lib.array_utils.byte_bounds(part)
    first = (low - start) // mmap.PAGESIZE * mmap.PAGESIZE
    mapped.madvise(mmap.MADV_DONTNEED, first, high - start - first)


def _is_arrow(X: Any) -> bool:
    """Tell whether X is Arrow data that is read in batches."""
    if type(X).__module__.partition(".")[0] != "pyarrow":
        return False
    # Arrow tables are in memory, so they are treated like frames.
    reads = any(hasattr(X, name) for name in ("schema", "to_batches", "to_reader"))
    return reads and not hasattr(X, "num_columns")


def _from_arrow(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
    """Yield the blocks of Arrow data."""
    if not all(c is None or isinstance(c, str) for c in (y, sample_weight)):
        raise ValueError(
            "Labels and weights of Arrow data are columns of it; pass their names."
        )
    from pyarrow import Table

    for number, batch in enumerate(_batches(X)):
        whole = Table.from_batches([batch])
        size = _rows_of(whole.schema)
        for start in range(0, len(whole), size):
            where = f"Batch {number}" + (f", from row {start} on" if start else "")
            with about(where):
                parts = split_columns(whole.slice(start, size), y, sample_weight)
            yield Block(where, *parts)


def _batches(X: Any) -> Iterable[Any]:
    """Read Arrow data in batches, at most one batch ahead."""
    from pyarrow import RecordBatchReader
    from pyarrow.dataset import Dataset, Fragment, Scanner

    batches: Iterable[Any] = X
    if isinstance(X, Scanner):
        batches = X.to_reader()
        return batches
    if isinstance(X, RecordBatchReader):
        return batches
    if isinstance(X, Dataset):
        try:
            fragments = list(X.get_fragments())
        except ValueError:
            # The rows are filtered. The scanner may read up to a gigabyte ahead.
            batches = X.to_batches(batch_readahead=1, fragment_readahead=1)
            return batches
        for part in fragments:
            _refuse_other_columns(part, X.schema)
        return (b for part in fragments for b in _batches_of_fragment(part, X.schema))
    if isinstance(X, Fragment):
        return _batches_of_fragment(X, X.physical_schema)
    if hasattr(X, "iter_batches"):
        return (
            batch
            for group in range(X.num_row_groups)
            for batch in X.iter_batches(_rows_of(X.schema), row_groups=[group])
        )
    raise ValueError(
        f"Rows of a pyarrow {type(X).__name__} can't be read in blocks; pass a "
        "dataset, a Scanner, a ParquetFile or a RecordBatchReader."
    )


def _refuse_other_columns(fragment: Any, schema: Any) -> None:
    """Raise a ValueError if pyarrow would drop, cast or fill a column of a file."""
    from pyarrow.dataset import get_partition_keys

    actual = {field.name: field.type for field in fragment.physical_schema}
    folder = get_partition_keys(fragment.partition_expression)
    wanted = {
        f.name: f.type for f in schema if f.name in actual or f.name not in folder
    }
    if actual != wanted:
        differ = sorted(
            name for name in {*actual, *wanted} if actual.get(name) != wanted.get(name)
        )
        where = getattr(fragment, "path", "A part")
        raise ValueError(
            f"{where} has other columns, or types of them, than the data set: "
            f"{differ[:10]}. Write all files alike, or read them one by one."
        )


def _rows_of(schema: Any) -> int:
    """Return the number of rows of a block."""
    return max(1, BLOCK_BYTES // (8 * max(1, len(schema.names))))


def _batches_of_fragment(fragment: Any, schema: Any) -> Iterator[Any]:
    """Read a file in batches; a Parquet file by pages, whatever its row groups."""
    from pyarrow.dataset import get_partition_keys

    folder = get_partition_keys(fragment.partition_expression)
    if not hasattr(fragment, "row_groups") or folder:
        options = {"batch_readahead": 1, "fragment_readahead": 1}
        yield from fragment.to_batches(schema=schema, **options)
        return
    from pyarrow.parquet import ParquetFile

    with fragment.open() as opened:
        # A scanner, or a file without a buffer, would read a whole row group at once.
        file = ParquetFile(opened, pre_buffer=False, buffer_size=_PAGE_BYTES)
        groups = [group.id for group in fragment.row_groups]
        yield from file.iter_batches(_rows_of(schema), row_groups=groups)


# How each kind of table is recognized, and how it is split into blocks.
_SOURCES: Sequence[
    tuple[Callable[[Any], bool], Callable[[Any, Any, Any], Iterator[Block]]]
] = (
    (_is_arrow, _from_arrow),
    (_is_mapped, _from_mapped),
    (_is_iterator, _from_iterator),
)
