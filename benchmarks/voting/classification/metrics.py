"""What answers are worth: answers are probabilities (n, K), or classes (n,)."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, recall_score

from ..task import Array, Metric
from .ours import BALANCED, DEFAULT

__all__ = ["METRICS"]


def decisions(answers: Array) -> Array:
    return answers if answers.ndim == 1 else answers.argmax(axis=1)


def accuracy(y: Array, answers: Array) -> float:
    return float(accuracy_score(y, decisions(answers)))


def balanced_accuracy(y: Array, answers: Array) -> float:
    """Return the mean recall over the classes that the test rows have."""
    found = decisions(answers)
    return float(recall_score(y, found, labels=np.unique(y), average="macro"))


def mean_log_loss(y: Array, answers: Array) -> float:
    """Return nats a row; NaN for classes, which have no log loss."""
    if answers.ndim == 1:
        return float("nan")
    return float(log_loss(y, answers, labels=np.arange(answers.shape[1])))


METRICS = (
    Metric("accuracy", accuracy, claimant=DEFAULT, bound=0.01),
    # The default goes for accuracy; who wants this metric says so.
    Metric("bal. accuracy", balanced_accuracy, claimant=BALANCED, bound=0.01),
    Metric("log loss", mean_log_loss, claimant=DEFAULT, bound=0.02, sign=-1),
)
