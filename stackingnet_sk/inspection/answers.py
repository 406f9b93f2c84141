"""Predictions of each model of a fitted estimator, with the labels of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.members import predict_unseen, without_members
from stackingnet_sk.ensemble.validation import check_labels
from stackingnet_sk.predictions import (
    NUMBER,
    Answer,
    ClassAnswer,
    FittedMembers,
    check_predictions,
    cross_predict,
    is_labelled,
    is_prefit,
)


@dataclass(frozen=True, eq=False)
class ModelAnswers:
    """Predictions of each model, and the labels.

    `table` has numbers (n_rows, n_models), NaN where one is missing, or one-hot votes
    or probabilities (n_rows, n_models, n_classes), zero where a model abstains.
    `labels` are numbers, NaN where missing, or indices of `classes`, -1 where missing;
    `classes` is None for a regressor. `rows` are the rows of X that cross-predicted
    members answer, or None for all.
    """

    names: NDArray[Any]
    table: NDArray[np.float64]
    labels: NDArray[Any]
    classes: NDArray[Any] | None
    rows: NDArray[np.intp] | None = None

    @classmethod
    def of(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        labels: bool = False,
        cv: Any = None,
    ) -> ModelAnswers:
        """Predict the rows of X with each model of a fitted estimator.

        If X is the table that members were fitted on, their predictions for the
        labelled rows are those that `fit` made out of fold. With `cv`, members are
        fitted anew and cross-predicted on the labelled rows. With `labels`, at least
        one row needs a label.

        Raises the errors of `require_models`, and a ValueError if no row has a label
        where one is needed, if `cv` comes without members to fit, or if predictions or
        labels are invalid. Warns if rows are left out because members were fitted on
        them and `cv` did not predict them.
        """
        require_models(estimator)
        names = estimator.model_names_
        classes = estimator.classes_ if is_classifier(estimator) else None
        unseen = predict_unseen(estimator, X) if cv is None else None
        if cv is None and unseen is None:
            rows = None
            table = np.asarray(estimator.transform(X))  # set_output may make a frame
            codes = _read_labels(table, y, classes)
        else:
            codes = _read_labels(X, y, classes)
            rows, table = unseen or _cross_predict(estimator, X, codes, cv)
            codes = codes[rows]
        if classes is None:
            check_predictions(table, names, allow_missing=True)
        else:
            table = table.reshape(len(table), len(names), len(classes))
        answers = cls(names, table, codes, classes, rows)
        if labels and not answers.labelled.any():
            raise ValueError(
                "y=None, but labels are needed here; label at least one row."
            )
        return answers

    def combined(self, estimator: Any, X: Any) -> NDArray[Any]:
        """Combine the predictions with the weights of the estimator.

        If only some rows of X are predicted, by members that have not seen them, the
        result has one entry for each of these.
        """
        if self.rows is not None:
            estimator, X = without_members(estimator), self.table
        combined: NDArray[Any] = estimator.predict(X)
        return combined

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which rows have a label."""
        if self.classes is None:
            return is_labelled(self.labels)
        return self.labels >= 0

    @property
    def votes(self) -> NDArray[np.intp]:
        """Index of the class that each model finds most probable, -1 if it abstains."""
        return np.where(self.table.any(axis=2), self.table.argmax(axis=2), -1)


def _read_labels(
    X: Any, y: ArrayLike | None, classes: NDArray[Any] | None
) -> NDArray[Any]:
    if classes is None:
        return check_labels(X, y)
    return check_class_labels(X, y, classes)[0]


def _cross_predict(
    estimator: Any, X: Any, codes: NDArray[Any], cv: Any
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Fit members anew on the labelled rows, and predict these out of fold.

    Returns the rows of X that are predicted, and their predictions.
    """
    if not hasattr(estimator, "estimators_") or is_prefit(estimator.cv):
        raise ValueError(
            f"cv={cv!r} fits members anew, but this {type(estimator).__name__} has no "
            "members that it fits itself; leave cv out."
        )
    answer: Answer = NUMBER
    labels, labelled = codes, is_labelled(codes)
    if is_classifier(estimator):
        answer, labelled = ClassAnswer(estimator.classes_), codes >= 0
        labels = estimator.classes_[np.maximum(codes, 0)]
    if not labelled.any():
        raise ValueError("cv= fits members anew, which needs labels: pass y.")
    names = estimator.model_names_.tolist()
    predicted = cross_predict(
        list(zip(names, estimator.estimators_, strict=True)),
        X,
        labels,
        cv=cv,
        labelled=labelled,
        answer=answer,
        memory=estimator.memory,
        n_jobs=estimator.n_jobs,
        verbose=estimator.verbose,
    )
    members = FittedMembers(names, predicted.estimators, answer)
    return members.predict_unseen(X, labelled.nonzero()[0], predicted)


def require_models(estimator: Any) -> None:
    """Raise an error unless an estimator is fitted and combines at least two models.

    The error is a NotFittedError, a TypeError if it does not combine models, or a
    ValueError if there are fewer than two.
    """
    if not hasattr(estimator, "leaderboard"):
        raise TypeError(
            f"{type(estimator).__name__} is no StackingNetRegressor or "
            "StackingNetClassifier; give a fitted one (of a pipeline its last step, "
            "with the data transformed by the steps before it)."
        )
    check_is_fitted(estimator)
    if len(estimator.model_names_) < 2:
        raise ValueError(
            f"{type(estimator).__name__} combines {len(estimator.model_names_)} model; "
            "comparing takes at least two."
        )
