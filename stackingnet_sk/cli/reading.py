"""Tables in files, as they were written: cells of text, or of the file's own types."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackingnet_sk.cli.guesses import Guesses

FORMATS = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_SEPARATORS = ",\t;|"


@dataclass(frozen=True)
class Source:
    """Cells as they are in the file (texts, of CSV), and what separates them there."""

    cells: pa.Table
    separator: str = ","


def read_table(
    source: str,
    guesses: Guesses,
    *,
    kind: str | None = None,
    separator: str | None = None,
    encoding: str = "utf-8",
) -> Source:
    """Read a table from a file, or from standard input where `source` is "-".

    An OSError is raised if the file cannot be read, and a ValueError if it is empty or
    not of its format; the message says where, and what to do.
    """
    if re.match(r"https?://", source):
        raise ValueError("The table is an address; download it first.")
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data, source = gzip.decompress(data), source.removesuffix(".gz")
    if data[:4] == b"PK\x03\x04":
        raise ValueError("This is a workbook or an archive; save the sheet as CSV.")
    if not data.strip():
        raise ValueError("The table is empty.")
    if kind is None:
        kind = _kind(source, data)
        if FORMATS.get(Path(source).suffix.lower(), "csv") != kind or source == "-":
            guesses.add(f"Format: {kind}", "--format")
    if kind == "parquet":
        table = _read_parquet(data)
    elif kind == "jsonl":
        table = _read_jsonl(data)
    else:
        text = _decoded(data, encoding)
        if "\n" not in text:
            text = text.replace("\r", "\n")
        if directive := re.match(r"sep=(.)\r?\n", text):
            # Excel names the separator in such a line.
            separator, text = separator or directive[1], text[directive.end() :]
        if separator is None:
            separator = _guess_separator(text)
            if separator != ",":
                guesses.add(f"Separator: {separator!r}", "--separator")
        table = _read_csv(text, separator)
    for place, column in enumerate(table.columns):
        if pa.types.is_string_view(column.type):
            # Not every function of pyarrow supports views.
            name = table.column_names[place]
            table = table.set_column(place, name, column.cast(pa.string()))
    table = table.rename_columns([name.strip() for name in table.column_names])
    kept = [
        place
        for place, name in enumerate(table.column_names)
        if name or any(table.column(place).unique().to_pylist())
    ]
    if 0 < len(kept) < table.num_columns:
        n_empty = table.num_columns - len(kept)
        guesses.add(f"Left out: {n_empty} columns without a name or a cell.")
        table = table.select(kept)
    twice = [name for name, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise ValueError(
            f"Columns {twice} occur more than once; give each a name of its own."
        )
    if not table.num_rows:
        raise ValueError("The table has a header and no rows.")
    return Source(table, separator or ",")


def _kind(source: str, data: bytes) -> str:
    if data[:4] == b"PAR1":
        return "parquet"
    named = FORMATS.get(Path(source).suffix.lower())
    return named or ("jsonl" if data.lstrip()[:1] in (b"{", b"[") else "csv")


def _read_parquet(data: bytes) -> pa.Table:
    from pyarrow import parquet

    try:
        return parquet.read_table(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise ValueError(f"The Parquet file is damaged: {_line(error)}") from None


def _read_jsonl(data: bytes) -> pa.Table:
    from pyarrow import json as arrow

    if data.lstrip()[:1] == b"[":
        data = _lines_of_array(data)
    # The block must hold the longest line.
    options = arrow.ReadOptions(block_size=max(2**22, len(data) // 64))
    schema: pa.Schema | None = None
    names: list[str] = []
    try:
        while True:
            table = arrow.read_json(
                pa.BufferReader(data),
                read_options=options,
                parse_options=arrow.ParseOptions(explicit_schema=schema),
            )
            names = names or table.column_names
            dates = [
                field for field in table.schema if pa.types.is_timestamp(field.type)
            ]
            if not dates:
                # Columns of the schema came first.
                return table.select(names)
            # Texts that look like dates must stay as they are written.
            schema = pa.schema([field.with_type(pa.string()) for field in dates])
    except pa.ArrowException as error:
        raise ValueError(
            "A line is no JSON object, or a field is of several types (rows are "
            f"counted from 0): {_line(error)}"
        ) from None


def _lines_of_array(data: bytes) -> bytes:
    """Write an array of objects as lines."""
    try:
        rows = json.loads(data)
    except ValueError as error:
        raise ValueError(f"The JSON can't be read: {error}.") from None
    return "\n".join(map(json.dumps, rows)).encode()


def _read_csv(text: str, separator: str) -> pa.Table:
    from pyarrow import csv as arrow

    # Largest size of a cell: long answers exceed Python's default limit.
    csv.field_size_limit(2**31 - 1)
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
        return arrow.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow.ReadOptions(block_size=max(2**22, len(text) // 64)),
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
    lines = csv.reader(io.StringIO(text[: 2**20], newline=""), delimiter=separator)
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
