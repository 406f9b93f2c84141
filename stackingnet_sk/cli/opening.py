"""From the options of a command to a table, and to a model fitted on it."""

from __future__ import annotations

from typing import Any

from stackingnet_sk.cli.fitting import Fitted, Long, fit
from stackingnet_sk.cli.guesses import Guesses
from stackingnet_sk.cli.guessing import Roles, guess_roles
from stackingnet_sk.cli.reading import Source, read_table
from stackingnet_sk.cli.speech import Progress


def open_table(options: dict[str, Any], guesses: Guesses) -> Source:
    """Read the table that the options describe."""
    separator = options["separator"]
    if separator not in (None, "tab") and len(separator) != 1:
        raise ValueError("--separator is one character, or 'tab'.")
    return read_table(
        options["table"],
        guesses,
        kind=options["format"],
        separator="\t" if separator == "tab" else separator,
        encoding=options["encoding"],
    )


def long_table(options: dict[str, Any]) -> Long | None:
    """Return the columns of a long table, or None where the table is wide."""
    if options["answering"] is None and options["answer"] is None:
        if options["aggregate"] is not None:
            raise ValueError("--aggregate is for long tables (--model, --answer).")
        return None
    columns = {
        "item": options["item"],
        "model": options["answering"],
        "answer": options["answer"],
    }
    absent = [f"--{key}" for key, value in columns.items() if value is None]
    if absent:
        raise ValueError(f"A long table needs {' and '.join(absent)} too.")
    return Long(**columns, aggregate=options["aggregate"])


def fit_table(options: dict[str, Any], progress: Progress) -> tuple[Fitted, Source]:
    """Read and fit the table that the options describe.

    These are two steps of `progress`; the third begins when this returns.
    """
    if options["label"] is not None and options["no_label"]:
        raise ValueError("--label and --no-label exclude each other.")
    long = long_table(options)
    guesses = Guesses(progress.say)
    progress.step()
    source = open_table(options, guesses)
    # Names of columns are read without blanks around them.
    label, item = (
        None if options[key] is None else options[key].strip()
        for key in ("label", "item")
    )
    groups, models, ignored = (
        [name.strip() for name in options[key]] for key in ("group", "use", "ignore")
    )
    given = Roles(
        label=label,
        item=item,
        groups=groups,
        models=models,
        ignored=ignored,
        missing=options["missing"] or None,
        classes=options["classes"],
        decimal=options["decimal"],
        task=None if options["task"] == "auto" else options["task"],
    )
    cells = source.cells if long is None else long.widen(source.cells, given)
    roles = guess_roles(cells, given, guesses, no_label=options["no_label"])
    progress.step()
    keys = ("low", "high", "constraint", "balanced")
    fitted = fit(cells, roles, guesses, **{key: options[key] for key in keys})
    progress.step()
    return fitted, source
