"""What a benchmark task is made of: data sets, members, rivals and metrics.

The protocol and the report know these nouns only, so a further task is a package
beside ``regression`` and ``classification``, and one entry in the command's table.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

Array = NDArray[Any]
# From a table of member answers to the answers of their combination.
Combination = Callable[[Array], Array]


@dataclass(frozen=True)
class DataSet:
    """A named source of ``(X, y)``.

    Attributes
    ----------
    key : the name on the command line and over a column.
    source : what the data are, for the legend.
    make : seed -> (X, y); bundled data ignore the seed. Classes are 0, 1, 2, ...
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

    ``solve`` sees the out-of-fold answers (n, M) or (n, M, K) and the labels, and
    nothing else: all rivals start from the same table.
    """

    name: str
    solve: Callable[[Array, Array], Combination]


@dataclass(frozen=True)
class Metric:
    """A figure of merit, and what is claimed of it.

    Attributes
    ----------
    score : ``score(y_true, answers)``; NaN where it isn't defined.
    claimant : the row of ours whose claims are checked.
    bound : the shortfall on one data set that this row may have.
    sign : 1 where greater is better, -1 where less is.
    """

    name: str
    score: Callable[[Array, Array], float]
    claimant: str
    bound: float
    sign: int = 1


@dataclass(frozen=True)
class Task:
    """One half of the benchmark.

    Attributes
    ----------
    metrics : one or several.
    method : what estimators are asked by, ``predict`` where they don't have it.
    cv : the folds of the out-of-fold answers.
    members : what everybody combines.
    rivals, ours : the rows of the table; ``ours[0]`` is the default estimator.
    estimators : real estimators under the name of the row that each must
        reproduce. Their whole fit is timed.
    solve_baselines, fit_baseline : the rows that times are divided by.
    """

    name: str
    metrics: Sequence[Metric]
    method: str
    cv: BaseCrossValidator
    datasets: Sequence[DataSet]
    members: Sequence[tuple[str, BaseEstimator]]
    rivals: Sequence[Rival]
    ours: Sequence[Rival]
    estimators: Mapping[str, BaseEstimator]
    solve_baselines: Sequence[str]
    fit_baseline: str

    @property
    def rows(self) -> tuple[Rival, ...]:
        """All rows, rivals first."""
        return (*self.rivals, *self.ours)
