"""The scikit-learn contract of an estimator that combines members."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from stackingnet_sk._compat import (
    CallbackSupportMixin,
    VisualBlock,
    begin_fit,
    take_rows,
)
from stackingnet_sk.ensemble.validation import check_column_names, count_dimensions
from stackingnet_sk.predictions import (
    NUMBER,
    Answer,
    FittedMembers,
    Members,
    OutOfFold,
    TrainingRows,
    are_pairs,
    check_fitted,
    cross_predict,
    is_prefit,
    labelled_part,
    members_in_use,
    route_metadata,
)
from stackingnet_sk.weights import Solution

# Attributes of a fitted estimator that speak of members and of what they take.
_OF_MEMBERS = (
    "estimators_",
    "named_estimators_",
    "out_of_fold_predictions_",
    "out_of_fold_rows_",
    "_training_rows_",
    "feature_names_in_",
)


def _has_members(estimator: Any) -> bool:
    return estimator.estimators is not None


def _can_be_shown(estimator: Any) -> bool:
    return bool(estimator.estimators) and are_pairs(estimator.estimators)


class MembersMixin(CallbackSupportMixin):
    """Estimators that combine members, or a table whose columns are predictions.

    It stands first among the bases, before scikit-learn's mixins and
    `BaseComposition`. A subclass has the parameters `estimators`, `cv`, `memory`,
    `n_jobs` and `verbose`.
    """

    # Set by `fit`; what they are, the estimators say.
    estimators_: list[Any]
    named_estimators_: Bunch
    out_of_fold_predictions_: NDArray[np.float64]
    out_of_fold_rows_: NDArray[np.intp]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    weights_: NDArray[np.float64]
    reliability_: NDArray[np.float64]
    solution_: Solution

    @property
    def model_names_(self) -> NDArray[np.object_]:
        """Names of the members in use, or of the columns."""
        # Kept as a list: fitted arrays lie where the table lies, and names can't.
        return np.array(self._model_names_, dtype=object)

    @model_names_.setter
    def model_names_(self, names: NDArray[np.object_]) -> None:
        self._model_names_ = list(names)

    @property
    def _answer(self) -> Answer:
        """What members are asked for: numbers, unless a subclass says otherwise."""
        return NUMBER

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters, those of the members included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list ``<member>`` and ``<member>__<parameter>`` too.

        Returns
        -------
        dict
        """
        deep = deep and _has_members(self)
        parameters: dict[str, Any] = self._get_params("estimators", deep=deep)
        return parameters

    def set_params(self, **params: Any) -> Any:
        """Set parameters, members (by name, or "drop") and their parameters.

        Parameters
        ----------
        **params : dict
            ``parameter=value``, ``member=estimator``, ``member="drop"`` or
            ``member__parameter=value``.

        Returns
        -------
        self : object
        """
        self._set_params("estimators", **params)
        return self

    @property
    def named_estimators(self) -> Bunch:
        """Members by name, not fitted."""
        return Bunch(**dict(self.estimators or ()))

    def _instances(self) -> Members:
        """List the members that have tags; `fit` refuses what is not an estimator."""
        return [
            (name, member)
            for name, member in (self.estimators if _can_be_shown(self) else ())
            if hasattr(member, "__sklearn_tags__") and not isinstance(member, type)
        ]

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the members' `fit` and to the splitter.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        for name, member in self._instances() if not is_prefit(self.cv) else ():
            router.add(
                **{name: member},
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        if hasattr(self.cv, "split") and not isinstance(self.cv, str):
            # No member can be called "cv", the name of a parameter of ours.
            router.add(
                cv=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        return router

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score the predictions of the labelled rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions.
        y : array-like of shape (n_samples,)
            Labels; NaN or None on rows without.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Coefficient of determination for a regressor, accuracy for a classifier.
        """
        X, y, weight = labelled_part(X, y, sample_weight=sample_weight)
        score: float = super().score(X, y, **weight)
        return score

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether `fit` has ended, not only begun."""
        return hasattr(self, "weights_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(member) for _, member in self._instances()]
        if members:
            tags.input_tags.allow_nan = all(m.input_tags.allow_nan for m in members)
            tags.input_tags.sparse = all(m.input_tags.sparse for m in members)
        return tags

    @available_if(_can_be_shown)
    def _sk_visual_block_(self) -> VisualBlock:
        names, members = zip(*self.estimators, strict=True)
        return VisualBlock("parallel", members, names=names)

    def _check_members(self) -> Members:
        """List the members in use and refuse what cannot take part."""
        if not are_pairs(self.estimators):
            raise ValueError(
                "Invalid 'estimators' attribute: estimators must be a list of (name, "
                "estimator) pairs, or None if the columns of X are the predictions; "
                f"got {self.estimators!r}."
            )
        self._validate_names([name for name, _ in self.estimators])
        return members_in_use(self.estimators, self.cv, classifies=is_classifier(self))

    def _fit_members(
        self,
        X: Any,
        y: NDArray[Any],
        labelled: NDArray[np.bool_],
        sample_weight: NDArray[np.float64] | None,
        groups: Any,
        params: dict[str, Any],
    ) -> tuple[OutOfFold, NDArray[np.float64]]:
        """Fit the members, set their attributes and return their predictions.

        Those of the labelled rows are out of fold; the second table is of the others.
        """
        members = self._check_members()
        (X,) = indexable(X)
        self._check_features(X, reset=True)
        self.model_names_ = np.array([name for name, _ in members], dtype=object)
        metadata = route_metadata(self, members, sample_weight, groups, params)
        if is_prefit(self.cv):
            check_fitted(members)
            begin_fit(self, [], X, y)
            self.estimators_ = [member for _, member in members]
            rows = labelled.nonzero()[0]
            labelled_X = X if labelled.all() else take_rows(X, rows)
            predicted = OutOfFold(self.estimators_, rows, self._ask(labelled_X))
        elif not labelled.any():
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None; without labels, give fitted members with cv='prefit'."
            )
        else:
            # Before the members see the table, which they may change.
            self._training_rows_ = TrainingRows.of(X, labelled)
            predicted = cross_predict(
                members,
                X,
                y,
                cv=self.cv,
                labelled=labelled,
                answer=self._answer,
                metadata=metadata,
                memory=self.memory,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                owner=self,
            )
            self.estimators_ = predicted.estimators
            self.out_of_fold_predictions_ = predicted.table
            self.out_of_fold_rows_ = predicted.rows
        fitted = dict(zip(self.model_names_, self.estimators_, strict=True))
        self.named_estimators_ = Bunch(
            **{name: fitted.get(name, "drop") for name, _ in self.estimators}
        )
        others = (~labelled).nonzero()[0]
        return predicted, self._ask(take_rows(X, others))

    def _check_features(self, X: Any, *, reset: bool) -> None:
        """Remember or compare number and names of the features, where there are any."""
        # Members may take other things than tables, such as a list of texts.
        if count_dimensions(X) == 2:
            check_column_names(X)
            validate_data(self, X, reset=reset, skip_check_array=True)

    @property
    def _members(self) -> FittedMembers:
        names = self.model_names_.tolist()
        return FittedMembers(names, self.estimators_, self._answer)

    def _ask(self, X: Any, which: Iterable[int] | None = None) -> NDArray[np.float64]:
        """Let fitted members predict rows; zeros for those that are not asked."""
        return self._members.ask(X, which, n_jobs=self.n_jobs)


def predict_unseen(
    estimator: Any, X: Any
) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """Predict the rows of `fit` by members that have not seen them.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    X : array-like
        Rows.

    Returns
    -------
    rows : ndarray of int of shape (n_predicted,)
        Rows of `X` that have such a prediction, ascending: labelled rows that were
        predicted out of fold in `fit`, and rows without a label, which no member has
        learned from.
    table : ndarray of shape (n_predicted, n_models) or \
(n_predicted, n_models, n_classes)
        None instead of both where no members were fitted, or `X` is another table than
        that of `fit`.
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
    """Return the same combination of a table, whose columns the members predict.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted, with members.

    Returns
    -------
    estimator
        Fitted; it takes numbers of shape (n_samples, n_models), or probabilities of
        shape (n_samples, n_models, n_classes).
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


def as_frame(columns: dict[str, list[Any]]) -> Any:
    """Make a frame where pandas is installed, else a list of dicts.

    Parameters
    ----------
    columns : dict of str to list
        Name and values of each column.

    Returns
    -------
    pandas.DataFrame or list of dict
    """
    try:
        from pandas import DataFrame
    except ImportError:
        return [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]
    return DataFrame(columns)
