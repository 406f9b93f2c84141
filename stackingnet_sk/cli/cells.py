"""Cells of text, and what differs among them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.writing import NUMBER, is_text

# Texts that stand for no answer, besides the empty one.
MISSING = (
    *("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "-"),
    *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"),
)
_COMMA = r"^([+-]?\d*),(\d+)$"


def without_markers(table: pa.Table, missing: Sequence[str] | None) -> pa.Table:
    """Put nulls where a text stands for no answer.

    Parameters
    ----------
    table : pyarrow.Table
        Trimmed.
    missing : sequence of str or None
        These texts, besides the empty one; None for the usual ones.

    Returns
    -------
    pyarrow.Table
    """
    marks = ["", *(MISSING if missing is None else missing)]
    columns = [
        pc.if_else(
            pc.is_in(column, value_set=pa.array(marks, column.type)),
            pa.scalar(None, column.type),
            column,
        )
        if is_text(column)
        else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def with_numbers(markers: Collection[str]) -> list[str | float]:
    """Add the numbers that markers are, for columns of numbers.

    Parameters
    ----------
    markers : collection of str
        Texts.

    Returns
    -------
    list of str or float
    """
    numbers = [float(text) for text in markers if re.match(NUMBER, text)]
    return [*markers, *numbers]


def no_numbers(table: pa.Table, names: Sequence[str]) -> Counter[str]:
    """Count texts that are no numbers.

    Parameters
    ----------
    table : pyarrow.Table
        Without blanks around texts.
    names : sequence of str
        Columns to look at.

    Returns
    -------
    Counter of str
    """
    found: Counter[str] = Counter()
    for name in names:
        if name in table.column_names and is_text(table.column(name)):
            cells = Cells.of(table.column(name)).without([""])
            odd = pc.invert(pc.match_substring_regex(cells.values, NUMBER))
            values = cells.values.filter(odd).to_pylist()
            found.update(
                dict(zip(values, cells.counts.filter(odd).to_pylist(), strict=True))
            )
    return found


def trimmed(table: pa.Table, decimal: str | None = None) -> pa.Table:
    """Leave out the blanks around texts.

    Parameters
    ----------
    table : pyarrow.Table
        Any.
    decimal : {".", ","}, default=None
        What separates the decimals of a number; points do afterwards.

    Returns
    -------
    pyarrow.Table
    """
    columns = [
        _with_points(pc.utf8_trim_whitespace(column), decimal)
        if is_text(column)
        else column
        for column in map(_plain, table.columns)
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain(column: Any) -> Any:
    """Take categories and truth values for texts, decimals for numbers."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_boolean(column.type):
        return column.cast(pa.string())
    return column


def _with_points(column: Any, decimal: str | None) -> Any:
    if decimal != ",":
        return column
    return pc.replace_substring_regex(column, _COMMA, r"\1.\2")


@dataclass(frozen=True)
class Cells:
    """What differs in a column, and how often it is there."""

    values: Any
    counts: Any

    @classmethod
    def of(cls, column: Any) -> Cells:
        """Count what is in a column."""
        if pa.types.is_nested(column.type):
            return cls(pa.array([], pa.string()), pa.array([], pa.int64()))
        values, counts = pc.value_counts(_plain(column)).flatten()
        return cls(
            pc.utf8_trim_whitespace(values) if is_text(values) else values, counts
        )

    def with_points(self, decimal: str) -> Cells:
        """Write numbers with points."""
        if not is_text(self.values):
            return self
        return replace(self, values=_with_points(self.values, decimal))

    def without(self, missing: Collection[str]) -> Cells:
        """Leave out what is no answer."""
        given = self.values.is_valid()
        if is_text(self.values):
            marks = pa.array(list(missing), self.values.type)
            given = pc.and_(given, pc.invert(pc.is_in(self.values, value_set=marks)))
        elif pa.types.is_floating(self.values.type):
            given = pc.and_kleene(given, pc.invert(pc.is_nan(self.values)))
        if self.numeric and not is_text(self.values):
            marks = pa.array(
                [mark for mark in with_numbers(missing) if isinstance(mark, float)],
                pa.float64(),
            )
            own = pc.is_in(self.values.cast(pa.float64()), value_set=marks)
            given = pc.and_kleene(given, pc.invert(own))
        return Cells(self.values.filter(given), self.counts.filter(given))

    @property
    def total(self) -> int:
        """How many cells there are."""
        return int(pc.sum(self.counts).as_py() or 0)

    @property
    def never_twice(self) -> bool:
        """Whether all cells differ."""
        return bool(len(self.values) == self.total)

    @cached_property
    def numeric(self) -> float:
        """Share of numbers."""
        kind = self.values.type
        if not is_text(self.values):
            return float(pa.types.is_integer(kind) or pa.types.is_floating(kind))
        if not len(self.values):
            return 0.0
        try:
            self.values.cast(pa.float64())
        except pa.ArrowInvalid:
            numbers = pc.match_substring_regex(self.values, NUMBER)
            return float(
                (pc.sum(self.counts.filter(numbers)).as_py() or 0) / self.total
            )
        return 1.0

    @cached_property
    def classes(self) -> set[Any]:
        """What differs; a number however it is written."""
        return {_as_class(value) for value in self.values.to_pylist()}


def _as_class(cell: Any) -> Any:
    """Take "1" and "1.0" for the same class."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell
