"""The regression task."""

from sklearn.metrics import mean_absolute_error

from ..task import Bounds, Family, Task
from .ours import DEFAULT, LABELLED_ONLY, OURS
from .replica import REPLICA
from .rivals import ORACLE, RIVALS

__all__ = ["REGRESSION"]

REGRESSION = Task(
    name="regression",
    metric="mean absolute error",
    error=mean_absolute_error,
    families=(Family("rating", 1.0, 10.0), Family("faces", 1.0, 7.0)),
    reference=REPLICA,
    rivals=RIVALS,
    default=DEFAULT,
    labelled_only=LABELLED_ONLY,
    ours=OURS,
    oracle=ORACLE,
    bounds=Bounds(
        table=1.02,
        labelled_only=1.02,
        few_labelled_only=1.05,
        few=5,
        shares={
            "rating": {"1%": 0.1, "5%": 0.5, "10%": 0.5, "20%": 0.5},
            "faces": {"1%": 1 / 3, "5%": 0.5, "10%": 0.5, "20%": 0.5},
        },
        milliseconds=5.0,
    ),
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
