"""A grid of numbers as text: named rows, columns whose names break at underscores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

__all__ = ["grid"]

LABEL, CELL, PER_BLOCK = 28, 8, 9


def grid(
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float]]],
    digits: int | Sequence[int] = 2,
) -> Iterator[str]:
    """Yield a block of lines for every so many columns; NaN is a dash.

    Rows without any number are left out.
    """
    yield title
    shown = [(name, values) for name, values in rows if not np.isnan(values).all()]
    places = np.broadcast_to(digits, len(columns))
    for start in range(0, len(columns), PER_BLOCK):
        block = slice(start, start + PER_BLOCK)
        if start:
            yield ""
        words = [column.split("_") for column in columns[block]]
        for line in zip_longest(*words, fillvalue=""):
            yield " " * LABEL + "".join(f"{word[: CELL - 1]:>{CELL}}" for word in line)
        for name, values in shown:
            cells = zip(values[block], places[block], strict=True)
            yield f"{name:<{LABEL}}" + "".join(cell(v, n) for v, n in cells)


def cell(value: float, digits: int) -> str:
    return f"{'-':>{CELL}}" if np.isnan(value) else f"{value:{CELL}.{digits}f}"
