"""What a benchmark task is made of: data sets, members, rivals and a metric.

The protocol and the report know these nouns only, so a further task (a
classification half, say) is a package beside ``regression`` and one entry in the
command's table.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

Array = NDArray[Any]


class Predictor(Protocol):
    """Anything that turns a table of member predictions into predictions."""

    def predict(self, Q: Array, /) -> Array:
        """Combine the columns of Q."""


@dataclass(frozen=True)
class DataSet:
    """A named source of ``(X, y)``.

    Attributes
    ----------
    key : the name on the command line and over a column.
    source : what the data are, for the legend.
    make : seed -> (X, y); bundled data ignore the seed.
    quick : whether ``--quick`` includes it.
    """

    key: str
    source: str
    make: Callable[[int], tuple[Array, Array]]
    quick: bool = False

    def seed(self, repeat: int) -> int:
        """Return the seed of one repeat; it depends on nothing but key and repeat.

        Adding or leaving out a data set therefore changes no other's numbers.
        """
        entropy = [zlib.crc32(self.key.encode()), repeat]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@dataclass(frozen=True)
class Rival:
    """A way to combine members.

    ``solve`` sees the out-of-fold predictions (n, M) and the labels, and nothing
    else: all rivals start from the same table.
    """

    name: str
    solve: Callable[[Array, Array], Predictor]


@dataclass(frozen=True)
class Task:
    """One half of the benchmark.

    Attributes
    ----------
    metric, score : its name, and ``score(y_true, y_pred)``; greater is better.
    cv : the folds of the out-of-fold predictions.
    members : what everybody combines.
    rivals, ours : the rows of the table; ``ours[0]`` is the default estimator.
    estimators : real estimators under the name of the row that each must
        reproduce. Their whole fit is timed.
    solve_baselines, fit_baseline : the rows that times are divided by.
    bound : the shortfall on one data set that the default may have.
    """

    name: str
    metric: str
    score: Callable[[Array, Array], float]
    cv: BaseCrossValidator
    datasets: Sequence[DataSet]
    members: Sequence[tuple[str, BaseEstimator]]
    rivals: Sequence[Rival]
    ours: Sequence[Rival]
    estimators: Mapping[str, BaseEstimator]
    solve_baselines: Sequence[str]
    fit_baseline: str
    bound: float

    @property
    def default(self) -> str:
        """The row whose claims are checked."""
        return self.ours[0].name

    @property
    def rows(self) -> tuple[Rival, ...]:
        """All rows, rivals first."""
        return (*self.rivals, *self.ours)
