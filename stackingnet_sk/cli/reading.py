"""Tables in files, as they were written: cells of text, or of the file's own types."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

FORMATS = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_SEPARATORS = ",\t;|"


def read_table(
    source: str,
    *,
    kind: str | None = None,
    separator: str | None = None,
    encoding: str = "utf-8",
) -> tuple[pa.Table, list[str]]:
    """Read a table.

    Parameters
    ----------
    source : str
        Path of a file, or "-" for standard input.
    kind : {"csv", "parquet", "jsonl"}, default=None
        Format; guessed by default.
    separator : str, default=None
        Between the cells of a line of CSV; guessed by default.
    encoding : str, default="utf-8"
        Of CSV.

    Returns
    -------
    table : pyarrow.Table
        Cells of CSV are texts.
    said : list of str
        What was guessed.

    Raises
    ------
    OSError
        If it can't be read.
    ValueError
        If it is empty, or not of its format: where, and what to do.
    """
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    if not data.strip():
        raise ValueError("The table is empty.")
    said = []
    if kind is None:
        kind = _kind(source, data)
        if FORMATS.get(Path(source).suffix.lower(), "csv") != kind or source == "-":
            said.append(f"Format: {kind} (--format).")
    if kind == "parquet":
        table = _read_parquet(data)
    elif kind == "jsonl":
        table = _read_jsonl(data)
    else:
        table, guess = _read_csv(data, separator, encoding)
        said += guess
    twice = [name for name, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise ValueError(
            f"Columns {twice} occur more than once; give each a name of its own."
        )
    if not table.num_rows:
        raise ValueError("The table has a header and no rows.")
    return table, said


def _kind(source: str, data: bytes) -> str:
    if data[:4] == b"PAR1":
        return "parquet"
    known = FORMATS.get(Path(source).suffix.lower())
    return known or ("jsonl" if data.lstrip()[:1] == b"{" else "csv")


def _read_parquet(data: bytes) -> pa.Table:
    from pyarrow import parquet

    try:
        return parquet.read_table(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise ValueError(f"The Parquet file is damaged: {_line(error)}") from None


def _read_jsonl(data: bytes) -> pa.Table:
    from pyarrow import json

    # The block must hold the longest line.
    options = json.ReadOptions(block_size=max(2**22, len(data) // 64))
    try:
        table = json.read_json(pa.BufferReader(data), read_options=options)
    except pa.ArrowException as error:
        raise ValueError(
            "A line is no JSON object, or a field is of several types (rows are "
            f"counted from 0): {_line(error)}"
        ) from None
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_nested(column.type):
            raise ValueError(
                f"Column {name!r} has lists or objects; a cell is a number or a text."
            )
    return table


def _read_csv(
    data: bytes, separator: str | None, encoding: str
) -> tuple[pa.Table, list[str]]:
    from pyarrow import csv as arrow

    text = _decoded(data, encoding)
    said = []
    if separator is None:
        separator = _guess_separator(text)
        if separator != ",":
            said.append(f"Separator: {separator!r} (--separator).")
    names = _header(text, separator)
    if len(names) < 2:
        raise ValueError(
            f"The first line has one column, {names[0]!r}; name what separates columns "
            "in --separator."
        )
    if '"' in text:
        # A lenient reader would drop quotes, or swallow lines up to the next one.
        _refuse_flaws(text, separator, len(names))
    try:
        table = arrow.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow.ReadOptions(block_size=max(2**22, len(data) // 64)),
            parse_options=arrow.ParseOptions(
                delimiter=separator, newlines_in_values='"' in text
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        _refuse_flaws(text, separator, len(names))
        raise ValueError(f"The CSV can't be read: {_line(error)}") from None
    return table, said


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)
    except LookupError:
        raise ValueError(f"There is no encoding {encoding!r}.") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"Line {line} is not {encoding} (byte {data[error.start]:#x}); name the "
            "encoding, such as --encoding latin-1 or utf-16, or save the file as UTF-8."
        ) from None


def _guess_separator(text: str) -> str:
    """Take what makes most columns of the first line."""
    return max(_SEPARATORS, key=lambda separator: len(_header(text, separator)))


def _header(text: str, separator: str) -> list[str]:
    lines = csv.reader(io.StringIO(text[: 2**20]), delimiter=separator)
    try:
        return next((line for line in lines if line), [""])
    except csv.Error as error:
        raise ValueError(f"The first line can't be read: {error}.") from None


def _refuse_flaws(text: str, separator: str, n_columns: int) -> None:
    """Name the line where quotes or columns go wrong."""
    lines = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    before = 0
    try:
        for line in lines:
            if line and len(line) != n_columns:
                raise ValueError(
                    f"Line {before + 1} has {len(line)} columns, the header "
                    f"{n_columns}; quote cells that contain {separator!r}, and double "
                    "quotes inside of them."
                )
            before = lines.line_num
    except csv.Error as error:
        raise ValueError(
            f"A quote in line {before + 1} is not closed, or not doubled inside of a "
            f"cell: {error}."
        ) from None


def _line(error: Any) -> str:
    """Return the first line of a message, not too long."""
    first = str(error).strip().splitlines()[0]
    return first if len(first) <= 200 else f"{first[:200]}..."
