"""The classification task."""

from sklearn.model_selection import StratifiedKFold

from ..task import Task
from .datasets import DATASETS
from .estimators import ESTIMATORS
from .members import MEMBERS
from .metrics import METRICS
from .ours import OURS
from .rivals import RIVALS

__all__ = ["CLASSIFICATION"]

CLASSIFICATION = Task(
    name="classification",
    metrics=METRICS,
    method="predict_proba",
    cv=StratifiedKFold(5),
    datasets=DATASETS,
    members=MEMBERS,
    rivals=RIVALS,
    ours=OURS,
    estimators=ESTIMATORS,
    solve_baselines=("StackingClassifier (logistic)", "VotingClassifier (1/log loss)"),
    fit_baseline="StackingClassifier (logistic)",
)
