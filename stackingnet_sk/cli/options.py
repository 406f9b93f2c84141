"""What several commands can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

READING = [
    click.option(
        "--format",
        type=click.Choice(["csv", "parquet", "jsonl"]),
        help="Format of TABLE; guessed from its name and first bytes.",
    ),
    click.option("--separator", help="Between cells of CSV; guessed. 'tab' for tabs."),
    click.option("--decimal", type=click.Choice([".", ","]), help="Guessed."),
    click.option("--encoding", default="utf-8", show_default=True, help="Of CSV."),
]
LONG = [
    click.option("--item", help="Column with the names of items."),
    click.option("--model", "answering", help="Long tables: column with the models."),
    click.option("--answer", help="Long tables: column with its answer."),
    click.option(
        "--aggregate",
        type=click.Choice(["mean", "median", "most_frequent", "first", "last"]),
        help="Long tables: what several answers of a model for an item make.",
    ),
]
MISSING_TEXT = click.option(
    "--missing",
    multiple=True,
    help="Text of a cell without an answer.",
)
ROLES = [
    click.option("--label", help="Column of the labels; empty where there is none."),
    click.option("--no-label", is_flag=True, help="No column is the label."),
    click.option(
        "--task",
        type=click.Choice(["auto", "regression", "classification"]),
        default="auto",
        show_default=True,
        help="Whether answers are numbers or classes.",
    ),
    click.option(
        "--group", multiple=True, help="Column of a group of items; can be repeated."
    ),
    click.option("--use", multiple=True, help="Column of a model; others are none."),
    click.option("--ignore", multiple=True, help="Column that is no model's."),
    MISSING_TEXT,
    *LONG,
]
FITTING = [
    click.option("--low", type=float, help="Least possible number; clips answers."),
    click.option("--high", type=float, help="Greatest possible number."),
    click.option(
        "--constraint",
        type=click.Choice(["nonnegative", "simplex", "affine", "uniform"]),
        default="nonnegative",
        show_default=True,
        help="Set of the weights of numbers.",
    ),
    click.option(
        "--class",
        "classes",
        multiple=True,
        help="A class; name all of them where labels do not show each.",
    ),
    click.option("--balanced", is_flag=True, help="All classes count the same."),
]
TABLE = click.argument("table")
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
FORCE = click.option("--force", is_flag=True, help="Write over files that exist.")
SEED = click.option("--seed", default=0, show_default=True, help="Of the intervals.")


NAME = click.option(
    "--name", default="combined", show_default=True, help="Of the new column."
)
OUT = click.option("--out", help="File for the table with the combined answers.")


def with_options(*options: Callable[..., Any]) -> Callable[[Any], Any]:
    """Give a command options, in the order of its help."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
