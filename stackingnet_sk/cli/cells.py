"""Cells of Arrow columns: which are missing, which are numbers, which differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.writing import NUMBER, is_text

# Texts that usually mark a missing answer; an empty cell is always missing.
MISSING = (
    *("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "-"),
    *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"),
)
_COMMA = r"^([+-]?\d*),(\d+)$"


def is_missing(column: Any, markers: Collection[str]) -> Any:
    """Tell which cells are missing: null, NaN, empty, or one of the markers.

    In columns of numbers, markers stand for the numbers that they write.
    """
    missing = column.is_null(nan_is_null=True)
    if is_text(column):
        values = pa.array(["", *markers], column.type)
    elif _is_number(column.type):
        numbers = [float(text) for text in markers if re.match(NUMBER, text)]
        values, column = pa.array(numbers, pa.float64()), column.cast(pa.float64())
    else:
        return missing
    return pc.or_(missing, pc.is_in(column, value_set=values))


def without_missing(
    table: pa.Table, markers: Collection[str], names: Collection[str | None]
) -> pa.Table:
    """Put nulls where cells of the named columns are missing."""
    columns = [
        pc.if_else(is_missing(column, markers), pa.scalar(None, column.type), column)
        if name in names and not pa.types.is_null(column.type)
        else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def texts_beside_numbers(table: pa.Table, names: Sequence[str]) -> Counter[str]:
    """Count the texts of some columns that are no numbers."""
    texts: Counter[str] = Counter()
    for name in names:
        if name in table.column_names and is_text(table.column(name)):
            cells = Cells.of(table.column(name)).given(())
            odd = pc.invert(pc.match_substring_regex(cells.values, NUMBER))
            values = cells.values.filter(odd).to_pylist()
            counts = cells.counts.filter(odd).to_pylist()
            texts.update(dict(zip(values, counts, strict=True)))
    return texts


def trimmed(table: pa.Table, decimal: str | None = None) -> pa.Table:
    """Leave out the blanks around texts, and write decimals with points."""
    columns = [
        _with_points(pc.utf8_trim_whitespace(column), decimal)
        if is_text(column)
        else column
        for column in map(_plain, table.columns)
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain(column: Any) -> Any:
    """Turn categories and truth values into texts, and decimals into numbers."""
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


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


@dataclass(frozen=True)
class Cells:
    """The distinct values of a column, and how often each occurs."""

    values: Any
    counts: Any

    @classmethod
    def of(cls, column: Any) -> Cells:
        """Count the values of a column."""
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

    def given(self, markers: Collection[str]) -> Cells:
        """Leave out what is missing."""
        given = pc.invert(is_missing(self.values, markers))
        return Cells(self.values.filter(given), self.counts.filter(given))

    def count_texts(self, texts: Iterable[str]) -> dict[str, int]:
        """Count the cells that hold one of these texts, by text."""
        if not is_text(self.values):
            return {}
        chosen = pc.is_in(self.values, value_set=pa.array(texts, self.values.type))
        values, counts = (
            column.filter(chosen).to_pylist() for column in (self.values, self.counts)
        )
        return dict(zip(values, counts, strict=True))

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
        if not is_text(self.values):
            return float(_is_number(self.values.type))
        if not len(self.values):
            return 0.0
        try:
            self.values.cast(pa.float64())
        except pa.ArrowInvalid:
            numbers = pc.match_substring_regex(self.values, NUMBER)
            n_numbers = pc.sum(self.counts.filter(numbers)).as_py() or 0
            return float(n_numbers / self.total)
        return 1.0

    @cached_property
    def classes(self) -> set[Any]:
        """The distinct values, where "1" and "1.0" are the same."""
        return {as_class(value) for value in self.values.to_pylist()}


def as_class(cell: Any) -> Any:
    """Return a number where the cell writes one, and the cell itself otherwise."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell
