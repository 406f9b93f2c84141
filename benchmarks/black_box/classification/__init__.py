"""The classification task."""

from ..task import Family, Published, Task
from .ours import OURS
from .replica import PUBLISHED, PUBLISHED_UNLABELLED, REPLICA, UNLABELLED
from .report import report
from .rivals import HINDSIGHT, RIVALS
from .votes import balanced_accuracy, draw, prepare

__all__ = ["CLASSIFICATION"]

BUDGET, TOLERANCE = "10%", 0.3  # of the published figures

CLASSIFICATION = Task(
    name="classification",
    metric="balanced accuracy (%)",
    score=balanced_accuracy,
    families=(Family("helm", prepare), Family("text", prepare)),
    budgets=("1%", "2%", "5%", "10%"),
    seeds=5,
    quick_seeds=2,
    draw=draw,
    rivals=RIVALS,
    ours=OURS,
    hindsight=HINDSIGHT,
    published=(
        Published(REPLICA, BUDGET, PUBLISHED, TOLERANCE),
        Published(UNLABELLED, BUDGET, PUBLISHED_UNLABELLED, TOLERANCE),
    ),
    report=report,
)
