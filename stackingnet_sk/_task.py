"""Whether values are numbers or classes, where the user has not said which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

Task = Literal["regression", "classification"]


def numbers_or_classes(values: Iterable[Any]) -> Task | None:
    """Guess the task from values that are given (not missing).

    Texts and booleans are classes, and so are at most two whole numbers. Fractions are
    numbers. More whole numbers may be ratings or classes: None.
    """
    array = np.array(list(values))
    if array.dtype.kind not in "iuf":
        return "classification"
    if (array != np.rint(array)).any():
        return "regression"
    return "classification" if len(np.unique(array)) <= 2 else None
