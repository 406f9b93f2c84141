"""Fitted members, judged on rows that they have not seen."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from stackingnet_sk.predictions import (
    OutOfFold,
)

# Attributes of a fitted estimator about members and their input.
_OF_MEMBERS = (
    "estimators_",
    "named_estimators_",
    "out_of_fold_predictions_",
    "out_of_fold_rows_",
    "_training_rows_",
    "feature_names_in_",
)


def predict_unseen(
    estimator: Any, X: Any
) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """Predict the rows of `fit` by members that have not seen them.

    Returns the rows of X that have such a prediction, ascending, and the predictions,
    of shape (n_predicted, n_models) or (n_predicted, n_models, n_classes). These are
    the labelled rows that `fit` predicted out of fold, and the rows without a label,
    which no member has learned from. None is returned if no members were fitted, or if
    X is another table than that of `fit`.
    """
    trained = getattr(estimator, "_training_rows_", None)
    if trained is None or not trained.are_of(X):
        return None
    predicted = OutOfFold(
        estimator.estimators_,
        estimator.out_of_fold_rows_,
        estimator.out_of_fold_predictions_,
    )
    rows_and_table: tuple[NDArray[np.intp], NDArray[np.float64]] = (
        estimator._members.predict_unseen(X, trained.rows, predicted)
    )
    return rows_and_table


def without_members(estimator: Any) -> Any:
    """Return the same fitted combination for a table of the members' predictions.

    It takes numbers of shape (n_samples, n_models), or probabilities of shape
    (n_samples, n_models, n_classes).
    """
    combination = copy(estimator)
    for name in [key for key in vars(combination) if key in _OF_MEMBERS]:
        delattr(combination, name)
    combination.estimators, combination.cv = None, None
    n_columns = len(estimator.model_names_)
    if is_classifier(estimator):
        # The columns of `transform` are in this order.
        combination.classes, combination.input = estimator.classes_, "auto"
        n_columns *= len(estimator.classes_)
    combination.n_features_in_ = n_columns
    return combination
