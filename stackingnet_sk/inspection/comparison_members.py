"""Members as a table: what each predicts of rows that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv

from stackingnet_sk.predictions import (
    NUMBER,
    Answer,
    ClassAnswer,
    collect_out_of_fold,
)

Array = NDArray[Any]


def has_members(model: Any) -> bool:
    """Tell whether members are fitted in `fit`.

    Parameters
    ----------
    model : StackingNetRegressor or StackingNetClassifier
        One of members, of members that are fitted already, or of a table.

    Returns
    -------
    bool
        True of the first.
    """
    prefit = isinstance(model.cv, str) and model.cv == "prefit"
    return model.estimators is not None and not prefit


@dataclass(frozen=True, eq=False)
class MemberTable:
    """Members, fitted on all rows, and what they predicted of these out of fold.

    Parameters
    ----------
    members : list of (str, estimator)
        Fitted.
    answer : Answer
        What they are asked for.
    table : ndarray of shape (n_predicted, n_models) or \
(n_predicted, n_models, n_classes)
        Predictions out of fold.
    rows : ndarray of int of shape (n_predicted,)
        Whose they are; a splitter may leave rows out.
    model : estimator
        The combination without members, to be fitted on such tables.
    """

    members: list[tuple[str, Any]]
    answer: Answer
    table: Array
    rows: Array
    model: Any

    @classmethod
    def of(cls, model: Any, X: Any, y: Array) -> MemberTable:
        """Cross-predict as `fit` does.

        Parameters
        ----------
        model : StackingNetRegressor or StackingNetClassifier
            With members; a classifier knows its classes, by `classes`.
        X, y : array-like
            Rows, all with a label.

        Returns
        -------
        MemberTable
        """
        labels = np.array(y.tolist())
        members = [item for item in model.estimators if not isinstance(item[1], str)]
        answer: Answer = NUMBER
        if is_classifier(model):
            answer = ClassAnswer(np.unique(model.classes))
        splitter = check_cv(model.cv, labels, classifier=is_classifier(model))
        found = collect_out_of_fold(
            members,
            X,
            labels,
            splitter.split(X, labels),
            {name: {} for name, _ in members},
            answer=answer,
            memory=model.memory,
            n_jobs=model.n_jobs,
            verbose=model.verbose,
        )
        # Of a row that is predicted several times one prediction counts.
        rows, first = np.unique(found.rows, return_index=True)
        fitted = zip(members, found.estimators, strict=True)
        return cls(
            [(name, member) for (name, _), member in fitted],
            answer,
            found.table[first],
            rows,
            clone(model).set_params(estimators=None, cv=None),
        )

    def ask(self, X: Any) -> Array:
        """Let the fitted members predict other rows.

        Parameters
        ----------
        X : array-like
            What they take.

        Returns
        -------
        ndarray of shape (n_rows, n_models) or (n_rows, n_models, n_classes)
        """
        return np.stack([self.answer(*member, X) for member in self.members], axis=1)

    def fit(self, table: Array, y: Array) -> Any:
        """Fit the combination, and give its models the names of the members.

        Parameters
        ----------
        table, y : array-like
            Predictions, and labels.

        Returns
        -------
        estimator
        """
        model = self.model.fit(table, y)
        model.model_names_ = np.array([name for name, _ in self.members], dtype=object)
        return model
