"""The regression task."""

import numpy as np
from sklearn.metrics import mean_absolute_error

from ..task import Array, Family, Published, Task
from .ours import DEFAULT, LABELLED_ONLY, OURS
from .ranges import Range
from .replica import PUBLISHED, REPLICA
from .report import report
from .rivals import ORACLE, RIVALS

__all__ = ["REGRESSION"]


def draw(y: Array, n: int, seed: int) -> Array:
    """Return the positions of n labels, as the paper draws them."""
    return np.random.RandomState(seed).choice(len(y), size=n, replace=False)


REGRESSION = Task(
    name="regression",
    metric="mean absolute error",
    score=mean_absolute_error,
    families=(
        Family("rating", Range(1.0, 10.0).prepare),
        Family("faces", Range(1.0, 7.0).prepare),
    ),
    budgets=("5", "10", "20", "50", "1%", "2%", "5%", "10%", "20%"),
    seeds=20,
    quick_seeds=5,
    draw=draw,
    rivals=RIVALS,
    ours=OURS,
    hindsight=(ORACLE,),
    # The figures have three digits.
    published=(Published(REPLICA, "1%", PUBLISHED, tolerance=5e-4),),
    report=report,
    drawn=(
        "average less mean bias",
        "mean label (constant)",
        "LinearRegression(positive)",
        "RidgeCV",
        REPLICA.name,
        LABELLED_ONLY.name,
        DEFAULT.name,
        ORACLE.name,
    ),
)
