"""The real estimators, members and all, under the row that each must reproduce."""

from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression, RidgeCV

from stackingnet_sk import StackingNetRegressor

from .members import MEMBERS
from .ours import DEFAULT

__all__ = ["ESTIMATORS"]

_members = list(MEMBERS)

# In one process (n_jobs=None), with the folds of the out-of-fold predictions.
ESTIMATORS = {
    "VotingRegressor (uniform)": VotingRegressor(_members),
    "StackingRegressor (RidgeCV)": StackingRegressor(_members, RidgeCV(), cv=5),
    "StackingRegressor (NNLS)": StackingRegressor(
        _members, LinearRegression(positive=True), cv=5
    ),
    DEFAULT: StackingNetRegressor(_members, cv=5),
}
