"""Tables of predictions: one row per item, one column per model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_predictions(
    table: NDArray[Any],
    names: Sequence[str] | NDArray[np.object_],
    rows: NDArray[np.intp] | None = None,
    *,
    allow_missing: bool = False,
) -> None:
    """Raise a ValueError that names a prediction that is infinite or NaN.

    This is meant for the rare case in which a result computed from the table is not
    finite. `rows` are the rows of the user's data that the rows of the table stand for,
    by default the same. With `allow_missing`, NaN is a missing prediction. The message
    names the model, the row and the remedy.
    """
    wrong = [(np.isinf, _INFINITE)] + [(np.isnan, _MISSING)] * (not allow_missing)
    for is_bad, remedy in wrong:
        bad = is_bad(table)
        counts = bad.sum(axis=0)
        if not counts.any():
            continue
        column = int(counts.argmax())
        row = int(bad[:, column].argmax())
        place = row if rows is None else rows[row]
        others = np.count_nonzero(counts) - 1
        raise ValueError(
            f"Input contains {remedy.format(count=counts[column], n_rows=len(table))} "
            f"Here: model {names[column]!r} (column {column}), first at row {place}"
            + (f", and {others} more models." if others else ".")
        )


_INFINITE = (
    "infinity, which is no prediction ({count} of {n_rows} in the worst column). "
    "Replace it by a finite number, or drop the row or the model."
)
_MISSING = (
    "NaN, a missing prediction ({count} of {n_rows} in the worst column). Comparing "
    "models takes the same rows of each: drop the rows, or the model if it rarely "
    "answers."
)


def is_number(value: Any) -> bool:
    """Tell whether a value can be an entry of a table; NaN and None can."""
    cell = np.array(value, dtype=object)
    if cell.ndim:
        return False
    try:
        float(cell.astype(np.float64))
    except (TypeError, ValueError):
        return False
    return not isinstance(value, complex)
