"""What the models behind a fitted estimator say of given rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.validation import check_labels
from stackingnet_sk.predictions import check_predictions, is_labelled


@dataclass(frozen=True, eq=False)
class ModelAnswers:
    """Answers of each model, and the labels that are known.

    Parameters
    ----------
    names : ndarray of str of shape (n_models,)
        Names of the models.
    table : ndarray of shape (n_samples, n_models) or (n_samples, n_models, n_classes)
        Predictions of numbers, NaN if missing; of classes the votes as one-hot vectors,
        or probabilities, zeros where a model is silent.
    labels : ndarray of shape (n_samples,)
        Labels of numbers, NaN where there is none; indices of classes, -1 where there
        is none.
    classes : ndarray of shape (n_classes,) or None
        The classes; None of a regressor.
    """

    names: NDArray[Any]
    table: NDArray[np.float64]
    labels: NDArray[Any]
    classes: NDArray[Any] | None

    @classmethod
    def of(
        cls, estimator: Any, X: Any, y: ArrayLike | None = None, *, labels: bool = False
    ) -> ModelAnswers:
        """Ask the models of a fitted estimator.

        Parameters
        ----------
        estimator : StackingNetRegressor or StackingNetClassifier
            Fitted. Its members should not have seen `X`.
        X : array-like
            What `estimator` predicts from.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without.
        labels : bool, default=False
            Whether at least one row needs a label.

        Returns
        -------
        ModelAnswers

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it does not combine models.
        ValueError
            If there are fewer than two models, or no label where one is needed, or the
            answers or labels cannot be used.
        """
        require_models(estimator)
        names = estimator.model_names_
        table = np.asarray(estimator.transform(X))  # set_output may make a frame
        classes = None
        if is_classifier(estimator):
            classes = estimator.classes_
            codes: NDArray[Any] = check_class_labels(table, y, classes)[0]
            table = table.reshape(len(table), len(names), len(classes))
        else:
            codes = check_labels(table, y)
            check_predictions(table, names, allow_missing=True)
        known = codes >= 0 if classes is not None else is_labelled(codes)
        if labels and not known.any():
            raise ValueError(
                "y=None, but labels are needed here; label at least one row."
            )
        return cls(names, table, codes, classes)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which rows have a label."""
        if self.classes is None:
            return is_labelled(self.labels)
        return self.labels >= 0

    @property
    def votes(self) -> NDArray[np.intp]:
        """Index of the class that each model finds most probable, -1 for silence."""
        return np.where(self.table.any(axis=2), self.table.argmax(axis=2), -1)


def require_models(estimator: Any) -> None:
    """Check that an estimator is fitted and has models to compare.

    Parameters
    ----------
    estimator : object
        Anything.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If there are fewer than two models.
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
