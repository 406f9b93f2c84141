"""Tables to files: whole or not at all, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.reading import FORMATS
from stackingnet_sk.report.as_json import plain

# Texts that a spreadsheet takes for a formula, unless they are numbers.
_FORMULA = r"^\s*[=+\-@\t\r]"
NUMBER = r"^\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*$"
_SUFFIXES = ("", ".csv", ".tsv", ".txt", *FORMATS)


def is_text(column: Any) -> bool:
    """Tell whether a column holds texts."""
    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def refuse_existing(
    path: str | None, force: bool, suffixes: Sequence[str] | None = _SUFFIXES
) -> None:
    """Refuse a path that cannot be written, before any work is done.

    A ValueError is raised if its suffix is none of `suffixes` (None allows any), an
    OSError if the file exists and may not be replaced (`force`), or the folder does
    not exist.
    """
    if path is None:
        return
    if suffixes is not None and Path(path).suffix.lower() not in suffixes:
        raise ValueError(
            f"{path!r} would be in a format that can't be written; name it "
            f"{', '.join(filter(None, suffixes))}."
        )
    if not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(Path(path).parent)!r}.")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path!r} is a folder; name a file in it.")
    if Path(path).exists() and not force:
        raise FileExistsError(f"{path!r} exists; --force writes over it.")


def write_table(
    table: pa.Table, file: IO[bytes], suffix: str = "", separator: str = ","
) -> None:
    """Write a table in the format of a suffix; CSV by default."""
    kind = FORMATS.get(suffix.lower(), "csv")
    if kind == "csv":
        _write_csv(table, file, "\t" if suffix.lower() == ".tsv" else separator)
    else:
        {"parquet": _write_parquet, "jsonl": _write_jsonl}[kind](table, file)


def write_to_stdout(table: pa.Table, separator: str) -> None:
    """Write CSV on standard output."""
    sys.stdout.flush()
    write_table(table, sys.stdout.buffer, separator=separator)
    sys.stdout.buffer.flush()


def _write_csv(table: pa.Table, file: IO[bytes], separator: str = ",") -> None:
    from pyarrow import csv as arrow

    quoted = False
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if pa.types.is_nested(column.type):
            column = pa.array([to_json(value) for value in column.to_pylist()])
            table = table.set_column(place, name, column)
        if not is_text(column):
            continue
        # There are few distinct texts, and checking these is faster.
        distinct = pc.unique(column)
        if pc.any(_is_formula(distinct)).as_py():
            harmless = pc.binary_join_element_wise("'", column, "")
            column = pc.if_else(_is_formula(column), harmless, column)
            table = table.set_column(place, name, column)
        structural = pc.match_substring_regex(distinct, f'["\r\n{separator}]')
        quoted |= bool(pc.any(structural).as_py())
    text = io.StringIO()
    heads = [
        f"'{name}" if re.match(_FORMULA, name) else name for name in table.column_names
    ]
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(heads)
    file.write(text.getvalue().encode())
    style = "needed" if quoted else "none"
    options = arrow.WriteOptions(
        include_header=False, quoting_style=style, delimiter=separator
    )
    arrow.write_csv(table, file, options)


def _is_formula(cells: Any) -> Any:
    number = pc.match_substring_regex(cells, NUMBER)
    return pc.and_(pc.match_substring_regex(cells, _FORMULA), pc.invert(number))


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    from pyarrow import parquet

    parquet.write_table(table, file)


def _write_jsonl(table: pa.Table, file: IO[bytes]) -> None:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            file.write(f"{to_json(row)}\n".encode())


def to_json(value: Any, indent: int | None = None) -> str:
    """Write standard JSON: NaN and infinity are null."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False)


def print_json(figures: dict[str, Any]) -> None:
    """Print JSON on standard output."""
    click.echo(to_json(figures, indent=2))
