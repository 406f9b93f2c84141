"""Plain rivals of a combination: each learns from a table and labels, and predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[Any]

CONSTANT, BEST = "constant", "best single model"
_ALPHAS = np.logspace(-2, 4, 13)


class TrainingData(NamedTuple):
    """What a rival learns from, and what it is asked.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models) or (n_rows, n_models, n_classes)
        Predictions, NaN for none; of classes one-hot votes or probabilities, zeros for
        none.
    labels : ndarray of shape (n_rows,)
        Numbers, or indices of classes.
    asked : ndarray of shape (n_asked, ...)
        The table of the rows that are held out.
    class_weight : dict of int to float, "balanced" or None
        How much classes count; of numbers None.
    """

    table: Array
    labels: Array
    asked: Array
    class_weight: Any = None


class Rival(NamedTuple):
    """A plain way to combine, in a sentence and as a function."""

    name: str
    does: str
    predict: Callable[[TrainingData], Array]


def _averages(table: Array, otherwise: float) -> Array:
    """Mean of those who answer."""
    given: Array = ~np.isnan(table)
    n_given = given.sum(axis=1)
    total = np.where(given, table, 0.0).sum(axis=1)
    means: Array = np.where(n_given > 0, total / np.maximum(n_given, 1), otherwise)
    return means


def average(training: TrainingData) -> Array:
    """Average the predictions of those who answer."""
    return _averages(training.asked, training.labels.mean())


def centred_average(training: TrainingData) -> Array:
    """Average, and remove the mean error that the average has on the labels."""
    level = training.labels.mean()
    bias = (_averages(training.table, level) - training.labels).mean()
    return np.asarray(_averages(training.asked, level) - bias)


def choose_model(training: TrainingData) -> int:
    """Find the model that does best alone on the labels; silence is the constant."""
    if training.table.ndim == 2:
        filled = _fill(training.table, training.labels.mean())
        return int(np.abs(filled - training.labels[:, None]).mean(axis=0).argmin())
    votes = _votes(training.table, _most_frequent(training.labels))
    if training.class_weight == "balanced":
        scores = [_balanced_accuracy(training.labels, own) for own in votes.T]
        return int(np.argmax(scores))
    return int((votes == training.labels[:, None]).mean(axis=0).argmax())


def best_model(training: TrainingData) -> Array:
    """Predict what the model says that did best on the labels."""
    chosen = choose_model(training)
    if training.table.ndim == 2:
        return _fill(training.asked, training.labels.mean())[:, chosen]
    return _votes(training.asked, _most_frequent(training.labels))[:, chosen]


def ridge(training: TrainingData) -> Array:
    """Fit a ridge regression to the predictions."""
    model = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), RidgeCV(_ALPHAS)
    )
    return np.asarray(
        model.fit(training.table, training.labels).predict(training.asked)
    )


def constant(training: TrainingData) -> Array:
    """Predict the mean, or the most frequent class, of the labels."""
    if training.table.ndim == 2:
        model = DummyRegressor()
    else:
        model = DummyClassifier(strategy="most_frequent")
    rows = np.zeros((len(training.labels), 1))
    model.fit(rows, training.labels)
    return np.asarray(model.predict(np.zeros((len(training.asked), 1))))


def majority_vote(training: TrainingData) -> Array:
    """Name the class with most votes; of tied ones that which labels have most."""
    votes = np.eye(training.table.shape[2])[_votes(training.asked, 0)]
    votes *= np.any(training.asked, axis=2, keepdims=True)
    return _most(votes.sum(axis=1), training.labels)


def average_probability(training: TrainingData) -> Array:
    """Name the class with the largest mean probability."""
    return _most(training.asked.sum(axis=1), training.labels)


def logistic(training: TrainingData) -> Array:
    """Fit a logistic regression to one-hot votes, or to probabilities."""
    if len(np.unique(training.labels)) < 2:
        return constant(training)
    model = LogisticRegression(class_weight=training.class_weight, max_iter=1000)
    model.fit(training.table.reshape(len(training.table), -1), training.labels)
    return np.asarray(model.predict(training.asked.reshape(len(training.asked), -1)))


def _fill(table: Array, value: float) -> Array:
    return np.where(np.isnan(table), value, table)


def _votes(table: Array, otherwise: int) -> Array:
    return np.where(table.any(axis=2), table.argmax(axis=2), otherwise)


def _most_frequent(labels: Array) -> int:
    return int(np.bincount(labels).argmax())


def _most(scores: Array, labels: Array) -> Array:
    """Name the class of the highest score; shares of the labels settle ties."""
    shares = np.bincount(labels, minlength=scores.shape[1]) / (2 * len(labels))
    # Scores are counts, or sums that are equal only up to rounding.
    tied = scores >= scores.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(np.where(tied, shares, -1.0).argmax(axis=1))


def _balanced_accuracy(labels: Array, votes: Array) -> float:
    # scikit-learn's own would warn of votes for a class that has no label here.
    return float(recall_score(labels, votes, labels=np.unique(labels), average="macro"))


_BEST = "the model that is best alone on the training labels; where it is silent, the "
_NUMBERS = (
    Rival("average", "mean of the models that answer", average),
    Rival(
        "average, bias removed",
        "the average minus its mean error on the training labels",
        centred_average,
    ),
    Rival("ridge stacking", "ridge regression; a hole is its column's mean", ridge),
    Rival(BEST, _BEST + "constant", best_model),
    Rival(CONSTANT, "mean of the training labels, whatever the models say", constant),
)
_CLASSES = (
    Rival("majority vote", "most votes of the models that answer", majority_vote),
    Rival(
        "logistic stacking",
        "logistic regression on the votes; silence is no vote",
        logistic,
    ),
    Rival(BEST, _BEST + "constant", best_model),
    Rival(
        CONSTANT,
        "most frequent class of the training labels, whatever the models say",
        constant,
    ),
)
_SOFT = Rival(
    "average probability",
    "mean probability of the models that answer",
    average_probability,
)


def rivals(*, is_number: bool, soft: bool) -> tuple[Rival, ...]:
    """List the rivals.

    Parameters
    ----------
    is_number : bool
        Whether predictions are numbers, not classes.
    soft : bool
        Whether models give probabilities.

    Returns
    -------
    tuple of Rival
    """
    if is_number:
        return _NUMBERS
    return (_SOFT, *_CLASSES) if soft else _CLASSES
