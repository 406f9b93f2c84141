"""Combined answers, beside what they were made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.fitting import final_step


def combined_columns(model: Any, X: pa.Table, name: str) -> dict[str, pa.Array]:
    """Make a column of the combined answers, and one of how sure they are."""
    estimator = final_step(model)
    answers = X if model is estimator else model[:-1].transform(X)
    if hasattr(estimator, "classes_"):
        # `predict` takes the largest of these, in a second pass.
        probabilities = estimator.predict_proba(answers)
        votes = estimator.classes_[probabilities.argmax(axis=1)].tolist()
        sure = pa.array(probabilities.max(axis=1))
        return {name: pa.array(votes), f"{name}_probability": sure}
    numbers = pa.array(estimator.predict(answers))
    squares = estimator.expected_error(answers)
    # With one label, no residuals are left to estimate errors from.
    error = pa.array(squares**0.5, mask=~np.isfinite(squares))
    return {name: numbers, f"{name}_error": error}


def append_columns(
    table: pa.Table, columns: dict[str, pa.Array], decimal: str
) -> pa.Table:
    """Add columns to cells as they are in the file, with its decimal separator.

    A ValueError is raised if the table has a column of that name.
    """
    for name, column in columns.items():
        if name in table.column_names:
            raise ValueError(f"The table has a column {name!r}; choose another --name.")
        if decimal == "," and pa.types.is_floating(column.type):
            column = pc.replace_substring(column.cast(pa.string()), ".", ",")
        table = table.append_column(name, column)
    return table
