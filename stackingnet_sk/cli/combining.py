"""Combined answers, beside what they were made from."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.fitting import final_step, seen_by_final_step
from stackingnet_sk.cli.writing import write_table


def takes_numbers(estimator: Any) -> bool:
    """Tell whether answers are numbers, not texts.

    Parameters
    ----------
    estimator : estimator
        Fitted combination.

    Returns
    -------
    bool
    """
    return not hasattr(estimator, "classes_") or estimator.classes_.dtype.kind in "iuf"


def write_to_stdout(table: pa.Table, separator: str) -> None:
    """Write CSV on standard output.

    Parameters
    ----------
    table : pyarrow.Table
        What to write.
    separator : str
        Between cells.
    """
    sys.stdout.flush()
    write_table(table, sys.stdout.buffer, separator=separator)
    sys.stdout.buffer.flush()


def combine(model: Any, X: Any, name: str) -> dict[str, Any]:
    """Find the combined answers and how sure they are.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : pyarrow.Table
        Answers, a column a model.
    name : str
        Of the column.

    Returns
    -------
    dict of str to pyarrow.Array
    """
    answers, estimator = seen_by_final_step(model, X), final_step(model)
    if hasattr(estimator, "classes_"):
        # `predict` is its arg-max.
        probabilities = estimator.predict_proba(answers)
        said = estimator.classes_[probabilities.argmax(axis=1)].tolist()
        sure = pa.array(probabilities.max(axis=1))
        return {name: pa.array(said), f"{name}_probability": sure}
    numbers = pa.array(estimator.predict(answers))
    squares = estimator.expected_error(answers)
    # Of one label nothing is left over to tell errors by.
    error = pa.array(squares**0.5, mask=~np.isfinite(squares))
    return {name: numbers, f"{name}_error": error}


def append_columns(table: pa.Table, columns: dict[str, Any], decimal: str) -> pa.Table:
    """Add columns.

    Parameters
    ----------
    table : pyarrow.Table
        Cells as they are in the file.
    columns : dict of str to pyarrow.Array
        What to add.
    decimal : {".", ","}
        What separates the decimals in the file.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ValueError
        If a column of that name is there.
    """
    for name, column in columns.items():
        if name in table.column_names:
            raise ValueError(f"The table has a column {name!r}; choose another --name.")
        if decimal == "," and pa.types.is_floating(column.type):
            column = pc.replace_substring(column.cast(pa.string()), ".", ",")
        table = table.append_column(name, column)
    return table
