"""The regression task."""

from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from ..task import Metric, Task
from .datasets import DATASETS
from .estimators import ESTIMATORS
from .members import MEMBERS
from .ours import DEFAULT, OURS
from .rivals import RIVALS

__all__ = ["REGRESSION"]

REGRESSION = Task(
    name="regression",
    metrics=(Metric("R2", r2_score, claimant=DEFAULT, bound=0.01),),
    method="predict",
    cv=KFold(5),
    datasets=DATASETS,
    members=MEMBERS,
    rivals=RIVALS,
    ours=OURS,
    estimators=ESTIMATORS,
    solve_baselines=("StackingRegressor (RidgeCV)", "VotingRegressor (1/MSE)"),
    fit_baseline="StackingRegressor (RidgeCV)",
)
