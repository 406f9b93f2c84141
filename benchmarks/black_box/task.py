"""What a half of this benchmark is made of: families of tables, rivals and ours.

Data, protocol, summary, report and plot know these nouns only: the classification half
is a package beside ``regression`` and one entry in the command's table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..voting.task import Array, Predictor

__all__ = ["Array", "Bounds", "Family", "Given", "Method", "Predictor", "Task"]


@dataclass(frozen=True)
class Family:
    """Tables whose names start with ``prefix_``; answers lie in [low, high]."""

    prefix: str
    low: float
    high: float


@dataclass(frozen=True)
class Given:
    """What a method may see: labelled rows, and predictions of unlabelled rows.

    Attributes
    ----------
    P, y : predictions (n_labels, M) and labels of the labelled rows.
    unlabeled : predictions (n, M) of the items to predict.
    low, high : the range, in original units.
    """

    P: Array
    y: Array
    unlabeled: Array
    low: float
    high: float


@dataclass(frozen=True)
class Method:
    """A row of the tables."""

    name: str
    fit: Callable[[Given], Predictor]


@dataclass(frozen=True)
class Bounds:
    """What is claimed of the default, all as ratios or shares.

    Attributes
    ----------
    table : on a single table, at most so many times the best rival's error.
    labelled_only, few_labelled_only : the same without unlabelled rows, against the
        best rival from ``few + 1`` labels on, and against the reference up to ``few``.
    few : that number of labels.
    shares : family -> budget -> share of the way from reference to oracle, at least.
    milliseconds : a fit, at most.
    """

    table: float
    labelled_only: float
    few_labelled_only: float
    few: int
    shares: Mapping[str, Mapping[str, float]]
    milliseconds: float


@dataclass(frozen=True)
class Task:
    """One half of the benchmark.

    Attributes
    ----------
    metric, error : its name, and ``error(y_true, y_pred)``; smaller is better.
    reference : the rival from which the way to the oracle is measured.
    rivals : rows that are not ours; none sees unlabelled rows.
    default, labelled_only : what a user gets, with and without unlabelled rows.
    ours : all our rows, these two among them.
    oracle : sees the labels of the test items: a bound and not a method.
    drawn : names of the rows in the picture.
    """

    name: str
    metric: str
    error: Callable[[Array, Array], float]
    families: Sequence[Family]
    reference: Method
    rivals: Sequence[Method]
    default: Method
    labelled_only: Method
    ours: Sequence[Method]
    oracle: Method
    bounds: Bounds
    drawn: Sequence[str]

    @property
    def rows(self) -> tuple[Method, ...]:
        """All rows, rivals first and the oracle last."""
        return (*self.rivals, *self.ours, self.oracle)
