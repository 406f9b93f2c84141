"""Tables that are never held whole: from files, iterators, data sets.

Each kind of source says how it comes in blocks of rows; whoever reads them needs to
know no more.
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

# Bytes of predictions in a block: large beside what a block costs, small beside what a
# machine has, with two or three blocks on their way.
BLOCK_BYTES = 3 * 2**22
# Of a column of a Parquet file that are read at once.
_PAGE_BYTES = 2**16


class Block(NamedTuple):
    """Some of the rows.

    Parameters
    ----------
    where : str
        Which ones, for errors.
    X : array-like of shape (n_rows, n_models)
        Predictions.
    y : array-like of shape (n_rows,) or None
        Labels.
    sample_weight : array-like of shape (n_rows,) or None
        Weights of the rows.
    """

    where: str
    X: Any
    y: Any = None
    sample_weight: Any = None


@contextmanager
def about(where: str) -> Iterator[None]:
    """Let errors say which part of the data they are about.

    Parameters
    ----------
    where : str
        The part, such as "X_unlabeled".

    Raises
    ------
    TypeError or ValueError
        What was raised inside, `where` before its message.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{where}: {error}") from error


class Mergeable(Protocol):
    """Statistics of rows."""

    def merge(self, other: Self, /) -> Self:
        """Combine with those of other rows."""


T = TypeVar("T", bound=Mergeable)


def comes_in_blocks(X: Any) -> bool:
    """Tell whether a table is one that is read in blocks.

    Parameters
    ----------
    X : object
        What `fit` received.

    Returns
    -------
    bool
    """
    return any(recognize(X) for recognize, _ in _SOURCES)


def blocks_of(X: Any, y: Any = None, sample_weight: Any = None) -> Iterator[Block]:
    """Split a table that comes in blocks.

    Parameters
    ----------
    X : iterator, memory-mapped array, or Arrow data
        The blocks themselves, each a table or a tuple ``(X, y)`` or ``(X, y,
        sample_weight)``; or a table to be read piece by piece.
    y : array-like of shape (n_samples,), str or None
        Labels; of Arrow data the name of a column. Of an iterator they come with the
        blocks.
    sample_weight : array-like of shape (n_samples,), str or None
        Likewise.

    Returns
    -------
    iterator of Block

    Raises
    ------
    ValueError
        If labels or weights do not come as this kind of table wants them.
    """
    split = next(split for recognize, split in _SOURCES if recognize(X))
    return split(X, y, sample_weight)


def sum_blocks(
    blocks: Iterator[Block],
    read: Callable[[Block], Callable[[], T]],
    n_threads: int = 1,
) -> T | None:
    """Sum up blocks, the next one on its way while one is summed.

    Parameters
    ----------
    blocks : iterator of Block
        The rows. Those without rows are skipped.
    read : callable
        Checks a block, in this thread, and returns what sums it up in another.
    n_threads : int, default=1
        How many blocks are summed at the same time. The answer does not depend on it.

    Returns
    -------
    object or None
        The statistics, merged in the order of the blocks; None where there are none.
    """
    found: T | None = None
    waiting: deque[tuple[str, Future[T]]] = deque()

    def collect(at_most: int) -> None:
        nonlocal found
        while len(waiting) > at_most:
            where, total = waiting.popleft()
            with about(where):
                own = total.result()
                found = own if found is None else found.merge(own)

    with ThreadPoolExecutor(n_threads) as pool:
        for block in blocks:
            if count_rows(block.X):
                with about(block.where):
                    waiting.append((block.where, pool.submit(read(block))))
            collect(n_threads)
        collect(0)
    return found


def column_names(X: Any) -> list[Any]:
    """List the names of the columns, where there are any.

    Parameters
    ----------
    X : object
        A frame, an Arrow table, or anything else.

    Returns
    -------
    list
    """
    return list(getattr(X, "column_names", getattr(X, "columns", ())))


def split_columns(frame: Any, *columns: Any) -> tuple[Any, ...]:
    """Take labels and weights out of a frame that has them.

    Parameters
    ----------
    frame : frame
        With named columns: pandas, polars, Arrow, Dask.
    *columns : str or object
        Names; what is no text is returned as it is.

    Returns
    -------
    tuple
        The other columns, and those named.

    Raises
    ------
    ValueError
        If there is no column of a name.
    """
    names = column_names(frame)
    taken = [name for name in columns if isinstance(name, str)]
    if not taken:
        return frame, *columns
    if unknown := [name for name in taken if name not in names]:
        among = f"among {names[:10]}" if names else "where columns have no names"
        raise ValueError(f"There is no column {unknown[0]!r} {among}.")
    rest = [name for name in names if name not in taken]
    own = frame.select(rest) if hasattr(frame, "select") else frame[rest]
    return own, *(frame[c] if isinstance(c, str) else c for c in columns)


def _is_iterator(X: Any) -> bool:
    return isinstance(X, Iterator)


def _from_iterator(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
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
    """Copy what the iterator may fill with the next block while this one is summed."""
    copy = getattr(part, "copy", getattr(part, "clone", None))
    return part if copy is None else copy()


def _file_under(X: Any) -> mmap.mmap | None:
    """Find the file that an array is mapped from; a copy of one has none."""
    while isinstance(X, np.ndarray):
        X = X.base
    return X if isinstance(X, mmap.mmap) else None


def _is_mapped(X: Any) -> bool:
    return isinstance(X, np.memmap) and X.ndim == 2


def _from_mapped(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
    check_consistent_length(X, y, sample_weight)
    size = max(1, BLOCK_BYTES // max(1, X.itemsize * X.shape[1]))
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        # A copy: whoever sums it up need not wait for the disk.
        own = [
            None if part is None else np.array(unmasked(take_rows(part, rows)))
            for part in (X, y, sample_weight)
        ]
        for part in (X, y, sample_weight):
            if isinstance(part, np.memmap):
                _let_go(part[rows])
        stop = min(start + size, len(X)) - 1
        yield Block(f"Rows {start} to {stop}, counted from the first of them", *own)


def _let_go(part: Any) -> None:
    """Let the system take back the pages of a file that have been read.

    Else the whole file would count as this process's memory by and by.
    """
    mapped = _file_under(part)
    # Changes to a copy-on-write map are in these pages only.
    if mapped is None or part.mode == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return
    start = np.frombuffer(mapped, np.uint8, 1).__array_interface__["data"][0]
    low, high = np.lib.array_utils.byte_bounds(part)
    first = (low - start) // mmap.PAGESIZE * mmap.PAGESIZE
    mapped.madvise(mmap.MADV_DONTNEED, first, high - start - first)


def _is_arrow(X: Any) -> bool:
    if type(X).__module__.partition(".")[0] != "pyarrow":
        return False
    # Tables are in memory, like frames.
    reads = any(hasattr(X, name) for name in ("schema", "to_batches", "to_reader"))
    return reads and not hasattr(X, "num_columns")


def _from_arrow(X: Any, y: Any, sample_weight: Any) -> Iterator[Block]:
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
    """Read Arrow data, no more of it than the next batch ahead."""
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
            # Its rows are filtered; the scanner may read up to a gigabyte ahead.
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
    """Refuse a file whose columns pyarrow would drop, cast or fill with nulls."""
    from pyarrow.dataset import get_partition_keys

    own = {field.name: field.type for field in fragment.physical_schema}
    folder = get_partition_keys(fragment.partition_expression)
    wanted = {f.name: f.type for f in schema if f.name in own or f.name not in folder}
    if own != wanted:
        differ = sorted(
            name for name in {*own, *wanted} if own.get(name) != wanted.get(name)
        )
        where = getattr(fragment, "path", "A part")
        raise ValueError(
            f"{where} has other columns, or types of them, than the data set: "
            f"{differ[:10]}. Write all files alike, or read them one by one."
        )


def _rows_of(schema: Any) -> int:
    """Count the rows of a block."""
    return max(1, BLOCK_BYTES // (8 * max(1, len(schema.names))))


def _batches_of_fragment(fragment: Any, schema: Any) -> Iterator[Any]:
    """Read a file; of Parquet no more than pages, whatever its groups of rows."""
    from pyarrow.dataset import get_partition_keys

    folder = get_partition_keys(fragment.partition_expression)
    if not hasattr(fragment, "row_groups") or folder:
        options = {"batch_readahead": 1, "fragment_readahead": 1}
        yield from fragment.to_batches(schema=schema, **options)
        return
    from pyarrow.parquet import ParquetFile

    with fragment.open() as opened:
        # A scanner, or a file without a buffer, reads a group of rows as a whole.
        file = ParquetFile(opened, pre_buffer=False, buffer_size=_PAGE_BYTES)
        groups = [group.id for group in fragment.row_groups]
        yield from file.iter_batches(_rows_of(schema), row_groups=groups)


_SOURCES: Sequence[
    tuple[Callable[[Any], bool], Callable[[Any, Any, Any], Iterator[Block]]]
] = (
    (_is_arrow, _from_arrow),
    (_is_mapped, _from_mapped),
    (_is_iterator, _from_iterator),
)
