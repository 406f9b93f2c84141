"""scikit-learn's own checks over a table of instances, none expected to fail."""

import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from stackingnet_sk import StackingNetRegressor

MEMBERS = [
    ("ridge", Ridge()),
    ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
]
CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")


# The checks' X are features, not predictions of their y: the warning is right.
@pytest.mark.filterwarnings("ignore:The labels lie in:UserWarning")
@parametrize_with_checks(
    [
        *(
            StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
            for constraint in CONSTRAINTS
            for shrinkage in ("auto", 0)
        ),
        StackingNetRegressor(fit_intercept=False),
        *(StackingNetRegressor(MEMBERS, constraint=each) for each in CONSTRAINTS),
        StackingNetRegressor(MEMBERS, shrinkage=0, cv=3, n_jobs=2),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
