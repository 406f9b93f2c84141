"""What one trial is made of: rows with labels, rows without, and rows to predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Array", "Case", "Trial"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Trial:
    """One draw. Votes are classes 0 .. K - 1, and NaN where there is no answer.

    Attributes
    ----------
    P, y : predictions (n, M) and labels (n,) of the labelled rows.
    unlabeled : predictions of rows that every method may learn from.
    test, truth : predictions that are combined, and what is right for them.
    n_classes : K, or 0 for numbers.
    seed : for whatever a method draws.
    """

    P: Array
    y: Array
    unlabeled: Array
    test: Array
    truth: Array
    n_classes: int
    seed: int


@dataclass(frozen=True)
class Case:
    """A situation or a table: where trials come from.

    Attributes
    ----------
    family : situations are "generated"; a table's family is the prefix of its name.
    draw : number of labels and a seed to a `Trial`.
    budgets : numbers of labels that the case can give, all if None.
    bar : False where no evidence in the data could show what is wrong; such cases are
        reported and count in no mean.
    """

    name: str
    family: str
    draw: Callable[[int, int], Trial]
    bar: bool = True
