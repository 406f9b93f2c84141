"""What can be asked of the command; each command imports what it needs when it runs."""

from __future__ import annotations

from typing import Any

import click

from stackingnet_sk import __version__
from stackingnet_sk.cli.options import (
    FITTING,
    FORCE,
    JSON,
    LONG,
    MISSING_TEXT,
    NAME,
    OUT,
    READING,
    ROLES,
    SEED,
    TABLE,
    with_options,
)
from stackingnet_sk.cli.speech import spoken_errors

_EPILOG = """\b
Exit status: 0 done; 2 arguments, a table or a file can't be used, and nothing was
written; 1 interrupted, or a bug. What was guessed is said on standard error."""


def run(arguments: list[str]) -> None:
    """Run the command with arguments; leave by SystemExit with the exit status."""
    stackingnet.main(args=arguments, prog_name="stackingnet", obj=arguments)


@click.group(epilog=_EPILOG, context_settings={"max_content_width": 88})
@click.version_option(__version__, message="%(prog)s %(version)s")
def stackingnet() -> None:
    """Combine the predictions of independent models.

    A TABLE has one row per item and one column per model, and a column of labels if
    there are any: CSV, Parquet or JSONL, from a file or, as "-", from standard input.
    """


@stackingnet.command()
def demo() -> None:
    """Combine members on data that scikit-learn bundles."""
    from stackingnet_sk.demo import demo as show

    show()


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, OUT, NAME, JSON, FORCE)
@click.option("--save", help="File for the fitted model (skops), for `predict`.")
@spoken_errors()
def combine(**options: Any) -> None:
    """Combine the answers of all models, an answer an item.

    The table comes back with the combined answer and how sure it is: of numbers the
    root mean squared error that is expected (empty without labels), of classes the
    probability.
    """
    from stackingnet_sk.cli.combine import run

    run(**options)


@stackingnet.command()
@click.argument("model")
@with_options(TABLE, MISSING_TEXT, *LONG, *READING, OUT, NAME, FORCE)
@spoken_errors()
def predict(**options: Any) -> None:
    """Combine new answers with a MODEL that `combine --save` has written."""
    from stackingnet_sk.cli.predict import run

    run(**options)


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, SEED)
@spoken_errors()
def rank(**options: Any) -> None:
    """Rank the models by their reliability, with intervals."""
    from stackingnet_sk.cli.rank import run

    run(**options)


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON)
@spoken_errors()
def prune(**options: Any) -> None:
    """Say which models the combination is better without. Needs labels."""
    from stackingnet_sk.cli.prune import run

    run(**options)


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, FORCE, SEED)
@click.option("--out", default="report.html", show_default=True, help="The page.")
@click.option("--title", help="Its title.")
@spoken_errors()
def report(**options: Any) -> None:
    """Write a page with all that can be said: one HTML file, to be opened or sent."""
    from stackingnet_sk.cli.report import run

    run(**options)
