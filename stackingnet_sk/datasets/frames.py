"""Frames of any library, through narwhals."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._missing import are_missing, is_missing


def open_frame(frame: Any) -> Any:
    """Look at a frame in memory in the same way, whatever its library.

    Names that are no texts, as pandas allows, become texts.

    Raises
    ------
    ImportError
        If narwhals is not installed.
    TypeError
        If it is no frame, or a lazy one.
    ValueError
        If two columns have the same name.
    """
    try:
        import narwhals as nw
        from narwhals.exceptions import DuplicateError
    except ImportError as error:
        raise ImportError(
            "Frames are read through narwhals: pip install 'stackingnet_sk[frames]'."
        ) from error
    if type(frame).__module__.startswith("pandas"):
        # Only pandas has names that are not texts.
        frame = frame.rename(columns=str)
    try:
        opened = nw.from_native(frame, eager_only=True)
        # Some libraries raise the error only when columns are read.
        _ = opened.columns
    except DuplicateError:
        names = [str(name) for name in getattr(frame, "column_names", frame.columns)]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(
            f"Columns {twice} occur more than once; rename or drop one of each."
        ) from None
    except TypeError:
        raise TypeError(
            f"A {type(frame).__name__} is no frame in memory; pass one of pandas, "
            "polars or pyarrow (of a lazy frame what collect() gives)."
        ) from None
    return opened


def make_frame(columns: Mapping[Any, Any], backend: Any) -> Any:
    """Make a frame of the given library (a name, or an implementation of narwhals)."""
    import narwhals as nw

    return nw.from_dict(dict(columns), backend=backend).to_native()


def require_columns(opened: Any, names: Iterable[Hashable], what: str) -> None:
    """Refuse names that no column has, with a ValueError that offers near ones."""
    there = opened.columns
    for name in names:
        if name in there:
            continue
        lower = {str(column).lower(): column for column in there}
        near = get_close_matches(str(name).lower(), lower, n=3, cutoff=0.5)
        offer = [lower[match] for match in near] or there[:8]
        kind = "nearest" if near else "first"
        raise ValueError(
            f"There is no column {name!r} for {what} among {len(there)} columns; the "
            f"{kind} are {', '.join(repr(column) for column in offer)}."
        )


def as_values(column: Any) -> NDArray[Any]:
    """Return whole numbers, floats (NaN where missing) or objects (None likewise)."""
    if column.dtype.is_float():
        return np.asarray(column.to_numpy(), dtype=np.float64)
    values = column.to_list()
    return pack([None if is_missing(value) else value for value in values])


def labels_or_none(labels: NDArray[Any]) -> NDArray[Any] | None:
    """Return labels, or None if all of them are missing."""
    return None if are_missing(labels).all() else labels


def pack(values: Sequence[Any]) -> NDArray[Any]:
    """Make an array of values, None where one is missing.

    It has floats, with NaN, where all others are floats; objects where there is a None
    beside others; else what numpy makes of them.
    """
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, (float, np.floating)) for value in given):
        return np.array(
            [np.nan if value is None else value for value in values], dtype=np.float64
        )
    # numpy would turn numbers beside a text into texts.
    alike = len({type(value) for value in given}) == 1 and len(given) == len(values)
    if alike and isinstance(given[0], (int, str, np.integer, np.bool_)):
        return np.array(values)
    packed = np.empty(len(values), dtype=object)
    packed[:] = values
    return packed


def refuse_mixed(name: Hashable, values: Iterable[Any]) -> None:
    """Refuse a column of numbers and texts; the ValueError names one cell of each."""
    first: dict[str, str] = {}
    for row, value in enumerate(values):
        if is_missing(value):
            continue
        kind = "a text" if isinstance(value, (str, bytes)) else "a number"
        first.setdefault(kind, f"{kind} in row {row} ({value!r})")
        if len(first) == 2:
            raise ValueError(
                f"Column {name!r} has {' and '.join(first.values())}; make it one "
                "kind, or name what stands for a missing answer in missing=."
            )
