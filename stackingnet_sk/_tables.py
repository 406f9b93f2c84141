"""Tables of results: as a frame, and as lines of text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any


def as_frame(columns: dict[str, list[Any]]) -> Any:
    """Make a pandas frame of columns; without pandas a list of dicts, one per row."""
    try:
        from pandas import DataFrame
    except ImportError:
        return as_rows(columns)
    return DataFrame(columns)


def as_rows(table: Any) -> list[dict[str, Any]]:
    """List the rows of columns, or of what `as_frame` has made of columns."""
    if isinstance(table, list):
        return table
    columns = table if isinstance(table, dict) else table.to_dict("list")
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def text_table(
    rows: Iterable[Sequence[object]], left: Collection[int] = (0,)
) -> list[str]:
    """Align rows of cells: columns in `left` at their left end, others at the right."""
    table = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if j in left else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
