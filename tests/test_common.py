"""scikit-learn's own checks over a table of instances, none expected to fail."""

import pytest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import max_weight
from stackingnet_sk.inspection import ReliabilityPruner

MEMBERS = [
    ("ridge", Ridge()),
    ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
]
# One for each kind of answer: probabilities, a decision function, and votes below.
CLASSIFIERS = [
    ("logistic", LogisticRegression()),
    ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
    ("ridge", RidgeClassifier()),
]
CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")


# The checks' X are features, neither predictions of their y nor votes: the warnings are
# right.
@pytest.mark.filterwarnings("ignore:The labels lie in:UserWarning")
@pytest.mark.filterwarnings("ignore:.*none of the classes:UserWarning")
@parametrize_with_checks(
    [
        *(
            StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
            for constraint in CONSTRAINTS
            for shrinkage in ("auto", 0)
        ),
        StackingNetRegressor(fit_intercept=False),
        StackingNetRegressor(fit_intercept=False, constraint="simplex", shrinkage=3.0),
        # Trees take NaN, so this one does.
        StackingNetRegressor(MEMBERS[1:]),
        *(StackingNetRegressor(MEMBERS, constraint=each) for each in CONSTRAINTS),
        StackingNetRegressor(MEMBERS, shrinkage=0, cv=3, n_jobs=2),
        StackingNetRegressor(constraint=max_weight(0.5)),
        StackingNetRegressor(MEMBERS, constraint=max_weight(0.5)),
        StackingNetClassifier(constraint=max_weight(0.5)),
        StackingNetClassifier(),
        StackingNetClassifier(structure="shared", class_weight="balanced"),
        StackingNetClassifier(CLASSIFIERS),
        StackingNetClassifier(CLASSIFIERS, pool="linear"),
        StackingNetClassifier(CLASSIFIERS[:2], structure="full", shrinkage=5.0, cv=3),
        # Few replicates: the checks are about the contract. A number to keep, for
        # features surely are no votes.
        ReliabilityPruner(StackingNetRegressor(), n_models=0.5, n_bootstrap=20),
        ReliabilityPruner(StackingNetClassifier(), n_models=0.5, n_bootstrap=20),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
