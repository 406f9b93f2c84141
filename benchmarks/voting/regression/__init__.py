"""The regression task."""

from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from ..task import Task
from .datasets import DATASETS
from .estimators import ESTIMATORS
from .members import MEMBERS
from .ours import OURS
from .rivals import RIVALS

__all__ = ["REGRESSION"]

REGRESSION = Task(
    name="regression",
    metric="R2",
    score=r2_score,
    cv=KFold(5),
    datasets=DATASETS,
    members=MEMBERS,
    rivals=RIVALS,
    ours=OURS,
    estimators=ESTIMATORS,
    solve_baselines=("StackingRegressor (RidgeCV)", "VotingRegressor (1/MSE)"),
    fit_baseline="StackingRegressor (RidgeCV)",
    bound=0.01,
)
