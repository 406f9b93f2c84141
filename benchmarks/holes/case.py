"""What a contestant sees, and who it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..black_box.task import Array

__all__ = ["Case", "Contestant"]


@dataclass(frozen=True)
class Case:
    """Labelled rows and the rows to predict.

    Attributes
    ----------
    P, y : predictions (n_labels, M), NaN where a model is silent, and labels.
    Q : predictions of the rows to predict, likewise.
    known : whether Q is there already when something is fitted.
    """

    P: Array
    y: Array
    Q: Array
    known: bool


@dataclass(frozen=True)
class Contestant:
    """A row of the tables.

    Attributes
    ----------
    predict : from a case to predictions of its Q.
    complete : whether it is given the tables without holes, as a reference.
    """

    name: str
    predict: Callable[[Case], Array]
    complete: bool = False
