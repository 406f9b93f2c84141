"""Which cells are missing: None, NaN, and the NA and NaT of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_missing(value: object) -> bool:
    """Tell whether a single cell is missing."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def are_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which cells of an array are missing."""
    missing: NDArray[np.bool_]
    if values.dtype.kind == "f":
        missing = np.isnan(values)
    elif values.dtype.kind == "O":
        cells = [is_missing(value) for value in values.ravel()]
        missing = np.array(cells, dtype=bool).reshape(values.shape)
    else:
        missing = np.zeros(values.shape, dtype=bool)
    return missing
