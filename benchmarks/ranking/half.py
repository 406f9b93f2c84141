"""What a half of this benchmark is made of; the rest knows these nouns only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..black_box.classification.adversaries import Found, Planting
from ..black_box.classification.rankers import Ranker
from ..black_box.data import Pair, Table
from ..black_box.protocol import n_labels
from ..black_box.task import Array, Method, Task

__all__ = ["NONE", "Audit", "Draw", "Half", "drawn"]

NONE = "no labels"

Draw = Callable[[Pair, int], Sequence[int]]  # positions in the pool, by seed


def drawn(task: Task, budget: str) -> Draw:
    """Return how a task draws the labels of a budget."""

    def draw(pair: Pair, seed: int) -> Sequence[int]:
        source = pair.source
        return task.draw(source.y[source.pool], n_labels(budget, source), seed)

    return draw


@dataclass(frozen=True)
class Audit:
    """A way to measure errors on groups, and whose errors.

    Attributes
    ----------
    average, single, ours : the rows that are compared.
    others : further rows.
    row_weights : from groups and labels to weights of rows in means, if any.
    """

    name: str
    average: Method
    single: Method
    ours: Method
    others: Sequence[Method]
    row_weights: Callable[[Array, Array], Array] | None = None

    @property
    def methods(self) -> tuple[Method, ...]:
        """All rows."""
        return (self.average, self.single, *self.others, self.ours)


@dataclass(frozen=True)
class Half:
    """One task.

    Attributes
    ----------
    task : families, draws and score.
    truths : what the models are ranked by on the test items, the main one first.
    settings : which labels are drawn; the last is `NONE`.
    leads : setting -> how far ours is to be above the best rival in Kendall's tau.
    rankers, ours, ours_unlabelled : all that rank, and which of them are ours.
    planting : what is planted, and who is asked to find it.
    plant_cases : plants on every table and seed.
    path_labels, path : labels with which, and rankers in whose order, models are
        removed.
    combine : what is fitted again on the models that are left.
    audits : measures of disparity.
    """

    task: Task
    truths: Mapping[str, Callable[[Table], Array]]
    settings: Mapping[str, Draw]
    leads: Mapping[str, float]
    rankers: Sequence[Ranker]
    ours: Ranker
    ours_unlabelled: Ranker
    planting: Planting
    plant_cases: Callable[[Mapping[str, Pair], int], Found]
    path_labels: str
    path: Sequence[Ranker]
    combine: Method
    audits: Sequence[Audit]

    @property
    def truth(self) -> Callable[[Table], Array]:
        """The main truth."""
        return next(iter(self.truths.values()))
