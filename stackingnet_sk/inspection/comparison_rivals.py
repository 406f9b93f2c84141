"""Plain rivals of a combination, which learn from a table and labels, and predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import recall_score
from sklearn.preprocessing import StandardScaler

Array = NDArray[Any]

CONSTANT, BEST = "constant", "best single model"
_ALPHAS = np.logspace(-2, 4, 13)


class TrainingData(NamedTuple):
    """Rows that a rival learns from, and rows that it predicts.

    `table` and `held_out` are as in :class:`ModelAnswers`. `labels`
    are numbers, or indices of classes. `class_weight` is None for numbers, and
    `weights` is None if all rows count the same.
    """

    table: Array
    labels: Array
    held_out: Array
    class_weight: Any = None
    weights: Array | None = None

    @property
    def level(self) -> float:
        """Mean of the labels."""
        return float(np.average(self.labels, weights=self.weights))

    @property
    def shares(self) -> Array:
        """Share of each class among the labels."""
        n_classes = self.table.shape[2]
        counts = np.bincount(self.labels, self.weights, minlength=n_classes)
        shares: Array = counts / counts.sum()
        return shares


class Rival(NamedTuple):
    """A plain way to combine, in a sentence and as a function."""

    name: str
    does: str
    predict: Callable[[TrainingData], Array]


def _averages(table: Array, otherwise: float) -> Array:
    """Mean of the predictions in each row that are not missing."""
    answered: Array = ~np.isnan(table)
    n_answers = answered.sum(axis=1)
    total = np.where(answered, table, 0.0).sum(axis=1)
    means: Array = np.where(n_answers > 0, total / np.maximum(n_answers, 1), otherwise)
    return means


def average(training: TrainingData) -> Array:
    """Average the predictions that are there."""
    return _averages(training.held_out, training.level)


def centred_average(training: TrainingData) -> Array:
    """Average, and remove the mean error that the average has on the labels."""
    level = training.level
    errors = _averages(training.table, level) - training.labels
    bias = np.average(errors, weights=training.weights)
    return np.asarray(_averages(training.held_out, level) - bias)


def choose_model(training: TrainingData) -> int:
    """Find the model that is best alone on the labels.

    A missing prediction counts as the mean of the labels or the most frequent class.
    """
    labels, weights = training.labels, training.weights
    if training.table.ndim == 2:
        errors = np.abs(_fill(training.table, training.level) - labels[:, None])
        return int(np.average(errors, axis=0, weights=weights).argmin())
    votes = _votes(training.table, int(training.shares.argmax()))
    if training.class_weight == "balanced":
        # scikit-learn's balanced_accuracy_score would warn about votes for a class that
        # has no label here.
        options = {"labels": np.unique(labels), "average": "macro"}
        return int(
            np.argmax(
                [
                    recall_score(labels, vote, sample_weight=weights, **options)
                    for vote in votes.T
                ]
            )
        )
    right = votes == labels[:, None]
    return int(np.average(right, axis=0, weights=weights).argmax())


def best_model(training: TrainingData) -> Array:
    """Predict what the model predicts that is best alone on the labels."""
    chosen = choose_model(training)
    if training.table.ndim == 2:
        return _fill(training.held_out, training.level)[:, chosen]
    return _votes(training.held_out, int(training.shares.argmax()))[:, chosen]


def ridge(training: TrainingData) -> Array:
    """Fit a ridge regression to the predictions."""
    weights = training.weights
    fill = SimpleImputer(keep_empty_features=True)
    table, held_out = (
        fill.fit_transform(training.table),
        fill.transform(training.held_out),
    )
    scale = StandardScaler().fit(table, sample_weight=weights)
    model = RidgeCV(_ALPHAS)
    model.fit(scale.transform(table), training.labels, sample_weight=weights)
    return np.asarray(model.predict(scale.transform(held_out)))


def constant(training: TrainingData) -> Array:
    """Predict the mean, or the most frequent class, of the labels."""
    if training.table.ndim == 2:
        model = DummyRegressor()
    else:
        model = DummyClassifier(strategy="most_frequent")
    rows = np.zeros((len(training.labels), 1))
    model.fit(rows, training.labels, sample_weight=training.weights)
    return np.asarray(model.predict(np.zeros((len(training.held_out), 1))))


def majority_vote(training: TrainingData) -> Array:
    """Name the class with most votes; ties go to the more frequent class."""
    votes = np.eye(training.table.shape[2])[_votes(training.held_out, 0)]
    votes *= np.any(training.held_out, axis=2, keepdims=True)
    return _most(votes.sum(axis=1), training)


def average_probability(training: TrainingData) -> Array:
    """Name the class with the largest mean probability."""
    return _most(training.held_out.sum(axis=1), training)


def logistic(training: TrainingData) -> Array:
    """Fit a logistic regression to one-hot votes, or to probabilities."""
    if len(np.unique(training.labels)) < 2:
        return constant(training)
    model = LogisticRegression(class_weight=training.class_weight, max_iter=1000)
    table = training.table.reshape(len(training.table), -1)
    model.fit(table, training.labels, sample_weight=training.weights)
    return np.asarray(
        model.predict(training.held_out.reshape(len(training.held_out), -1))
    )


def _fill(table: Array, value: float) -> Array:
    return np.where(np.isnan(table), value, table)


def _votes(table: Array, otherwise: int) -> Array:
    return np.where(table.any(axis=2), table.argmax(axis=2), otherwise)


def _most(scores: Array, training: TrainingData) -> Array:
    """Name the class of the highest score; ties go to the more frequent class."""
    # Scores are counts, or sums that are equal only up to rounding.
    tied = scores >= scores.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(np.where(tied, training.shares, -1.0).argmax(axis=1))


_BEST = "the model that is best alone on the training labels; if it abstains, the "
_NUMBERS = (
    Rival("average", "mean of the models that answer", average),
    Rival(
        "average, bias removed",
        "the average minus its mean error on the training labels",
        centred_average,
    ),
    Rival(
        "ridge stacking",
        "ridge regression; a missing prediction is its column's mean",
        ridge,
    ),
    Rival(BEST, _BEST + "constant", best_model),
    Rival(
        CONSTANT, "mean of the training labels, whatever the models predict", constant
    ),
)
_CLASSES = (
    Rival("majority vote", "most votes of the models that answer", majority_vote),
    Rival(
        "logistic stacking",
        "logistic regression on the votes; a model that abstains has no vote",
        logistic,
    ),
    Rival(BEST, _BEST + "constant", best_model),
    Rival(
        CONSTANT,
        "most frequent class of the training labels, whatever the models predict",
        constant,
    ),
)
_SOFT = Rival(
    "average probability",
    "mean probability of the models that answer",
    average_probability,
)


def rivals(*, is_number: bool, soft: bool) -> tuple[Rival, ...]:
    """Return the rivals for numbers, for votes, or for probabilities (`soft`)."""
    if is_number:
        return _NUMBERS
    return (_SOFT, *_CLASSES) if soft else _CLASSES
