"""Logistic stacking: multinomial regression on one-hot votes, as scikit-learn has it.

Strength: any interplay of a model and a class. Limit: M K coefficients a class, and
with its usual penalty too few labels for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from ..task import Array, Given, Method
from .votes import one_hot

__all__ = ["BALANCED", "UNBALANCED"]


def features(P: Array, n_classes: int) -> Array:
    """Return (n, M K) indicators; a missing answer is all zero."""
    return one_hot(P, n_classes).reshape(len(P), -1)


@dataclass(frozen=True)
class Stacked:
    """A fitted logistic regression on votes, or the only class that has labels."""

    model: LogisticRegression | DummyClassifier
    n_classes: int

    def predict(self, Q: Array) -> Array:
        """Return the most probable classes."""
        return self.predict_proba(Q).argmax(axis=1)

    def predict_proba(self, Q: Array) -> Array:
        """Return probabilities (n, K), 0 for a class without a label."""
        probabilities = np.zeros((len(Q), self.n_classes))
        found = self.model.predict_proba(features(Q, self.n_classes))
        probabilities[:, self.model.classes_] = found
        return probabilities


def logistic(class_weight: str | None) -> Callable[[Given], Stacked]:
    def fit(given: Given) -> Stacked:
        model = LogisticRegression(class_weight=class_weight, max_iter=2000)
        if len(np.unique(given.y)) == 1:
            model = DummyClassifier()
        model.fit(features(given.P, given.domain), given.y)
        return Stacked(model, given.domain)

    return fit


BALANCED = Method("logistic, balanced", logistic("balanced"))
UNBALANCED = Method("logistic, unbalanced", logistic(None))
