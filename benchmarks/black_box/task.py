"""What a half of this benchmark is made of: families of tables, rivals and ours.

Data, protocol, summary and the shared part of the report know these nouns only. A half
is a package that fills in a ``Task``, and one entry in the command's table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..voting.task import Array

__all__ = [
    "Array",
    "Family",
    "Given",
    "Method",
    "Predictor",
    "Prepared",
    "Published",
    "Report",
    "Task",
    "Unavailable",
]


class Predictor(Protocol):
    """Anything that turns a table of answers into predictions."""

    def predict(self, Q: Array, /) -> Array:
        """Combine the columns of Q."""


class Unavailable(Exception):
    """A method cannot answer here; the message says why, and the report repeats it."""


@dataclass(frozen=True)
class Prepared:
    """What a half makes of a table's answers.

    Attributes
    ----------
    P, y : predictions (n, M) and labels.
    domain : what an answer can be: a range in regression, a number of classes in
        classification.
    counts : what was done to the answers, for the legend: name -> how many.
    """

    P: Array
    y: Array
    domain: Any
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Family:
    """Tables whose names start with ``prefix_``.

    ``prepare`` sees the answers as they are in the file (NaN where missing), the labels
    and the rows of the pool.
    """

    prefix: str
    prepare: Callable[[Array, Array, Array], Prepared]


@dataclass(frozen=True)
class Given:
    """What a method may see: labelled rows, and predictions of unlabelled rows.

    Attributes
    ----------
    P, y : predictions (n_labels, M) and labels of the labelled rows.
    unlabeled : predictions (n, M) of the items to predict.
    domain : see `Prepared`.
    seed : for whatever the method draws.
    """

    P: Array
    y: Array
    unlabeled: Array
    domain: Any
    seed: int


@dataclass(frozen=True)
class Method:
    """A row of the tables.

    Attributes
    ----------
    fit : from what is given to a predictor; raises `Unavailable` where it cannot.
    labels : whether it uses labels; if not, it is given none.
    random : whether it draws, so that without labels seeds differ too.
    """

    name: str
    fit: Callable[[Given], Predictor]
    labels: bool = True
    random: bool = False


@dataclass(frozen=True)
class Published:
    """What a method must reproduce on known tables, as a mean over ``seeds``."""

    method: Method
    budget: str
    values: Mapping[str, float]
    tolerance: float
    seeds: int = 5


class Report(Protocol):
    """What a half has to say about its measurements; ``summary`` is drawn."""

    summary: Any

    def text(self) -> str:
        """Return tables and claims, at most 100 columns wide."""

    def json(self) -> dict[str, Any]:
        """Return everything measured, and what was computed from it."""


@dataclass(frozen=True)
class Task:
    """One half of the benchmark.

    Attributes
    ----------
    metric, score : its name, and ``score(y_true, y_pred)``.
    budgets, seeds, quick_seeds : what is measured unless the command says otherwise.
    draw : ``draw(y_pool, n, seed)``, the positions in the pool that are labelled.
    rivals, ours : the rows of the tables.
    hindsight : rows that are given the labels of the test items: no methods.
    published : what the replica must reproduce.
    report : from the summary and a way to tell progress.
    drawn : names of the rows in the picture, if there is one.
    """

    name: str
    metric: str
    score: Callable[[Array, Array], float]
    families: Sequence[Family]
    budgets: Sequence[str]
    seeds: int
    quick_seeds: int
    draw: Callable[[Array, int, int], Array]
    rivals: Sequence[Method]
    ours: Sequence[Method]
    hindsight: Sequence[Method]
    published: Sequence[Published]
    report: Callable[[Any, Callable[[str], None]], Report]
    drawn: Sequence[str] = ()

    @property
    def methods(self) -> tuple[Method, ...]:
        """The rows that could be used, rivals first."""
        return (*self.rivals, *self.ours)

    @property
    def rows(self) -> tuple[Method, ...]:
        """All rows, those in hindsight last."""
        return (*self.methods, *self.hindsight)
