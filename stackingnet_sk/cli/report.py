"""``stackingnet report``."""

from __future__ import annotations

import shlex
from typing import Any

import click

from stackingnet_sk._text import harmless
from stackingnet_sk.cli.opening import fit_table
from stackingnet_sk.cli.speech import Progress
from stackingnet_sk.cli.writing import print_json, refuse_existing
from stackingnet_sk.report import report


def run(
    *,
    as_json: bool,
    force: bool,
    seed: int,
    out: str,
    title: str | None,
    **options: Any,
) -> None:
    """Write the page about a table."""
    refuse_existing(out, force, (".html", ".htm"))
    table = options["table"]
    arguments = shlex.join(click.get_current_context().obj)
    with Progress("Reading", "Fitting", "Reporting") as progress:
        fitted, _ = fit_table(options, progress)
        groups = fitted.data.groups
        page = report(
            fitted.model,
            fitted.data.X,
            fitted.data.y,
            groups=None if groups is None else groups.to_pydict(),
            title=title,
            source="standard input" if table == "-" else table,
            settings={
                "command": f"stackingnet {arguments}",
                **{f"guess {n}": text for n, text in enumerate(fitted.guesses, 1)},
            },
            random_state=seed,
        )
        page.save(out, overwrite=force)
    if as_json:
        print_json({**page.to_dict(), "out": out})
    else:
        click.echo(harmless(f"Report in {out}."))
