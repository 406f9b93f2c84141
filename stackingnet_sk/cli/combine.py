"""``stackingnet combine``."""

from __future__ import annotations

from contextlib import ExitStack
from os.path import realpath
from pathlib import Path
from typing import Any

import click

from stackingnet_sk._files import whole_file
from stackingnet_sk._text import harmless
from stackingnet_sk.cli.columns import append_columns, combined_columns
from stackingnet_sk.cli.opening import fit_table
from stackingnet_sk.cli.saving import Saved, save_model
from stackingnet_sk.cli.speech import Progress
from stackingnet_sk.cli.summary import as_text, summarize
from stackingnet_sk.cli.writing import (
    print_json,
    refuse_existing,
    write_table,
    write_to_stdout,
)


def run(
    *,
    out: str | None,
    save: str | None,
    name: str,
    as_json: bool,
    force: bool,
    **options: Any,
) -> None:
    """Combine the answers of a table, write them, and save the model if asked to."""
    out = None if out == "-" else out
    refuse_existing(out, force)
    refuse_existing(save, force, None)
    if out is not None and save is not None and realpath(out) == realpath(save):
        raise ValueError("--out and --save name the same file.")
    with Progress("Reading", "Fitting", "Combining", "Writing") as progress:
        fitted, source = fit_table(options, progress)
        combined = combined_columns(fitted.model, fitted.data.X, name)
        table = append_columns(fitted.table, combined, str(fitted.roles.decimal))
        progress.step()
        with ExitStack() as files:
            # Either both files are written, or neither.
            if save is not None:
                save_model(Saved.of(fitted), files.enter_context(whole_file(save)))
            if out is not None:
                file = files.enter_context(whole_file(out))
                write_table(table, file, Path(out).suffix, source.separator)
    summary = summarize(fitted)
    if as_json:
        columns = {key: column.to_pylist() for key, column in combined.items()}
        if not out and (both := sorted(columns.keys() & summary.keys())):
            raise ValueError(f"{both[0]!r} is a key of the JSON; another --name.")
        print_json({**summary, "out": out} if out else {**summary, **columns})
    elif out is None:
        write_to_stdout(table, source.separator)
    else:
        click.echo(harmless(as_text(summary)))
        click.echo(harmless(f"{table.num_rows} combined answers in {out}."))
