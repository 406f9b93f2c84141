"""The members: seven classifiers of different kinds and one that is poor.

All are cheap and deterministic, so a fit inside an ensemble and a fit outside
give the same predictions, which the protocol relies on and checks.
"""

from __future__ import annotations

from typing import Self

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from stackingnet_sk.predictions import ClassAnswer

from ..task import Array

__all__ = ["MEMBERS"]


class ProbabilitySVC(ClassifierMixin, BaseEstimator):
    """A support vector machine whose scores become probabilities without calibration.

    By the logistic function, or softmax for several classes. ``VotingClassifier``
    can't use a member without `predict_proba`, and ``StackingClassifier`` would see
    scores where the other rows see probabilities.
    """

    def fit(self, X: Array, y: Array) -> Self:
        """Fit the machine on scaled features."""
        # Else it would not predict the class of its largest score.
        machine = SVC(break_ties=True)
        self.machine_ = make_pipeline(StandardScaler(), machine).fit(X, y)
        self.classes_ = self.machine_.classes_
        return self

    def predict_proba(self, X: Array) -> Array:
        """Return (n, K) probabilities, over-confident or not."""
        return ClassAnswer(self.classes_)("svc", self.machine_, X)

    def predict(self, X: Array) -> Array:
        """Return the class of the largest probability."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


MEMBERS = (
    ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
    ("knn", make_pipeline(StandardScaler(), KNeighborsClassifier(10))),
    ("forest", RandomForestClassifier(n_estimators=50, random_state=0)),
    ("boosting", HistGradientBoostingClassifier(max_iter=60, random_state=0)),
    ("bayes", GaussianNB()),
    ("svc", ProbabilitySVC()),
    ("tree", DecisionTreeClassifier(max_depth=5, random_state=0)),
    # Fully grown on random splits: it interpolates the noise.
    ("poor", DecisionTreeClassifier(max_features=1, splitter="random", random_state=0)),
)
