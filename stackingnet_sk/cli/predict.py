"""``stackingnet predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stackingnet_sk._files import whole_file
from stackingnet_sk.cli.cells import (
    MISSING,
    Cells,
    texts_beside_numbers,
    trimmed,
    without_missing,
)
from stackingnet_sk.cli.columns import append_columns, combined_columns
from stackingnet_sk.cli.fitting import final_step
from stackingnet_sk.cli.guesses import Guesses
from stackingnet_sk.cli.guessing import Roles, guess_decimal
from stackingnet_sk.cli.opening import long_table, open_table
from stackingnet_sk.cli.saving import load_model
from stackingnet_sk.cli.speech import say
from stackingnet_sk.cli.writing import refuse_existing, write_table, write_to_stdout


def run(
    *,
    model: str,
    out: str | None,
    name: str,
    force: bool,
    missing: tuple[str, ...],
    decimal: str | None,
    **options: Any,
) -> None:
    """Combine the answers of a new table with a saved model, and write them."""
    out = None if out == "-" else out
    refuse_existing(out, force)
    saved, guesses = load_model(model), Guesses(say)
    source = open_table(options, guesses)
    cells = source.cells
    markers = list(missing or [*saved.missing, *MISSING])
    if long := long_table(options):
        cells = long.widen(cells, Roles(missing=markers, decimal=decimal))
    if decimal is None and saved.decimal == ",":
        # Numbers with points are read all the same.
        decimal = ","
    elif decimal is None:
        names = [column for column in saved.models if column in cells.column_names]
        decimal = guess_decimal(map(Cells.of, cells.select(names)), guesses)
    if saved.numbers and hasattr(final_step(saved.model), "classes_"):
        plain = without_missing(trimmed(cells, decimal), markers, saved.models)
        texts = texts_beside_numbers(plain, saved.models)
        if texts:
            listed = ", ".join(f"{text!r} ({n})" for text, n in texts.most_common(5))
            guesses.add(f"No class, so no vote: {listed}.")
        markers += texts
    roles = Roles(
        models=saved.models,
        missing=markers,
        decimal=decimal,
        # A model that was fitted on numbers does not recognize them as texts.
        task="regression" if saved.numbers else None,
    )
    answers = roles.read(cells).X
    try:
        combined = combined_columns(saved.model, answers, name)
    except (AttributeError, IndexError, KeyError) as error:
        raise ValueError(f"{model!r} holds a damaged model.") from error
    table = append_columns(cells, combined, decimal)
    if out is None:
        write_to_stdout(table, source.separator)
    else:
        with whole_file(out) as file:
            write_table(table, file, Path(out).suffix, source.separator)
