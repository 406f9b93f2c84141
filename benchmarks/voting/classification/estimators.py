"""The real estimators, members and all, under the row that each must reproduce."""

from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression

from stackingnet_sk import StackingNetClassifier

from .members import MEMBERS
from .ours import DEFAULT

__all__ = ["ESTIMATORS"]

_members = list(MEMBERS)

# In one process (n_jobs=None), with the folds of the out-of-fold probabilities.
ESTIMATORS = {
    "VotingClassifier (hard)": VotingClassifier(_members),
    "VotingClassifier (soft)": VotingClassifier(_members, voting="soft"),
    "StackingClassifier (logistic)": StackingClassifier(_members, cv=5),
    "StackingClassifier (balanced)": StackingClassifier(
        _members, LogisticRegression(class_weight="balanced"), cv=5
    ),
    DEFAULT: StackingNetClassifier(_members, cv=5),
}
