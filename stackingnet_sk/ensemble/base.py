"""What both estimators share: members, blocks of rows, parameters, saved state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin, clone, is_classifier
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from stackingnet_sk._compat import (
    CallbackSupportMixin,
    VisualBlock,
    begin_fit,
    count_rows,
    take_rows,
)
from stackingnet_sk._state import pack, unpack
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.streaming import is_stream, sum_stream
from stackingnet_sk.ensemble.validation import (
    NO_LABEL,
    check_column_names,
    count_dimensions,
)
from stackingnet_sk.predictions import (
    NUMBER,
    Answer,
    Block,
    FittedMembers,
    Members,
    OutOfFold,
    TrainingRows,
    are_pairs,
    check_fitted,
    column_names,
    cross_predict,
    is_prefit,
    labelled_part,
    members_in_use,
    route_metadata,
    split_columns,
)
from stackingnet_sk.weights import Solution

# What a block is checked against.
_COLUMNS = ("n_features_in_", "feature_names_in_", "model_names_", "classes_")


def takes_blocks(estimator: Any) -> bool:
    """Tell whether an estimator combines given predictions."""
    return estimator.estimators is None


def _has_members(estimator: Any) -> bool:
    return estimator.estimators is not None


def _can_be_shown(estimator: Any) -> bool:
    return bool(estimator.estimators) and are_pairs(estimator.estimators)


class CombinerMixin(CallbackSupportMixin, TransformerMixin):
    """Estimators that combine members, or a table whose columns are predictions.

    Their weights follow from mergeable statistics of the rows. A subclass names the
    attribute that holds the statistics and the parameters that they do not depend on;
    it checks a block of rows, and it weighs the models. It has the parameters
    `estimators`, `cv`, `memory`, `n_jobs` and `verbose`, and it lists this class first
    among its bases, before scikit-learn's mixins and `BaseComposition`.
    """

    _statistics_name: str
    _weight_parameters: tuple[str, ...]
    # Set by `fit`; the estimators document them.
    estimators_: list[Any]
    named_estimators_: Bunch
    out_of_fold_predictions_: NDArray[np.float64]
    out_of_fold_rows_: NDArray[np.intp]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    weights_: NDArray[np.float64]
    reliability_: NDArray[np.float64]
    solution_: Solution

    @abstractmethod
    def _check_block(self, block: Block, *, reset: bool) -> Callable[[], Any]:
        """Check a block of rows, and return a function that sums it elsewhere."""

    @abstractmethod
    def _weigh(self, statistics: Any, *labelled: Any) -> Iterable[Warning]:
        """Set the weights, and return the warnings."""

    @abstractmethod
    def _groups(self) -> tuple[Any, ...]:
        """Return what constraints on groups of rows need besides the statistics."""

    @property
    def model_names_(self) -> NDArray[np.object_]:
        """Names of the members in use, or of the columns."""
        # Kept as a list: fitted arrays are on the device of the table, and names can't
        # be.
        return np.array(self._model_names_, dtype=object)

    @model_names_.setter
    def model_names_(self, names: NDArray[np.object_]) -> None:
        self._model_names_ = list(names)

    @property
    def _answer(self) -> Answer:
        """What members are asked for: numbers, unless a subclass overrides it."""
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
            # No member can be called "cv", because that is the name of a parameter.
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

    @available_if(takes_blocks)
    def merge(self, other: Any) -> Self:
        """Add the rows that another estimator has seen, and weigh all of them.

        What both saw counts twice. The parameters of this one hold.

        Parameters
        ----------
        other : estimator
            Of the same class, fitted on other rows of the same models. It does not
            change.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If its columns or classes are others, or one of the two was not fitted on a
            table of predictions.
        """
        check_is_fitted(self)
        if type(other) is not type(self):
            raise ValueError(
                f"{type(self).__name__} cannot be merged with a "
                f"{type(other).__name__}; give one of the same class."
            )
        check_is_fitted(other)
        for attribute in ("model_names_", "classes_"):
            mine, theirs = (
                np.asarray(getattr(estimator, attribute, ())).tolist()
                for estimator in (self, other)
            )
            if mine != theirs:
                what = attribute.rstrip("_").replace("_", " ")
                raise ValueError(
                    f"The other estimator has {what} {theirs[:10]}, this one "
                    f"{mine[:10]}; both must have the same, in the same order."
                )
        for estimator in (self, other):
            estimator._check_mergeable()
        self._add(other._statistics())
        return self

    def reweigh(self, **params: Any) -> Self:
        """Weigh the models anew, under other parameters, without reading a row.

        Members, if any, are the same; their predictions are not made again.

        Parameters
        ----------
        **params : dict
            Of a regressor `constraint`, `fit_intercept`, `shrinkage`, `solver`; of a
            classifier `class_weight`, `constraint`, `shrinkage`, `solver`, `structure`.

        Returns
        -------
        estimator
            Another one, fitted; this one does not change.

        Raises
        ------
        ValueError
            If a parameter is another one, on which what is known of the rows depends;
            or if probabilities were combined, of which nothing but weights is kept.

        Examples
        --------
        >>> import numpy as np
        >>> from stackingnet_sk import StackingNetRegressor
        >>> truth = np.arange(8.0)
        >>> noise = np.tile([1.0, -1.0], 4)
        >>> scores = np.column_stack([truth + noise, truth - noise / 2])
        >>> model = StackingNetRegressor().fit(scores, truth)
        >>> model.reweigh(constraint="simplex", shrinkage=0).weights_.round(3)
        array([0.333, 0.667])
        """
        check_is_fitted(self)
        if unknown := sorted(set(params) - set(self._weight_parameters)):
            raise ValueError(
                f"{unknown} can't be changed without reading the rows again; only "
                f"{list(self._weight_parameters)} can. Use set_params and fit."
            )
        self._check_countable()
        other = copy(self)
        for name, value in params.items():
            setattr(other, name, value)
        for warning in other._weigh(self._statistics(), *self._groups()):
            warn_user(warning)
        return other

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        ndarray of str of shape (n_outputs,)
            Of a regressor ``stackingnetregressor_<model>``, of a classifier
            ``stackingnetclassifier_<model>_<class>``.
        """
        check_is_fitted(self)
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}_{name}" for name in self._output_names()], object)

    @abstractmethod
    def _output_names(self) -> Iterable[str]:
        """Name the columns of `transform`, without the estimator's own name."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: parameters and fitted state, without own classes."""
        parameters = self.get_params(deep=False)
        return {
            name: value if name in parameters else pack(value)
            for name, value in super().__getstate__().items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what was saved."""
        parameters = self._get_param_names()
        super().__setstate__(
            {
                name: value if name in parameters else unpack(value)
                for name, value in state.items()
            }
        )

    def _forget(self) -> None:
        """Delete fitted attributes: weights must not be used with other models."""
        for attribute in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, attribute)

    def _check_columns(self, X: Any, table: Any, *, reset: bool) -> None:
        """Remember number and names of the columns, or compare them with `fit`."""
        named = X if column_names(X) else table
        validate_data(self, named, reset=reset, skip_check_array=True)

    def _check_countable(self) -> None:
        """Refuse a fit whose weights depend on more than its statistics."""
        return

    def _check_mergeable(self) -> None:
        """Refuse a fit to which no rows can be added."""
        self._check_countable()
        if hasattr(self, "estimators_"):
            raise ValueError(
                "The estimator was fitted with members, whose predictions are out of "
                "fold; no rows of others can be added. Fit it on a table first."
            )

    def _statistics(self) -> Any:
        return getattr(self, self._statistics_name, None)

    def _add(self, statistics: Any) -> None:
        """Add rows and solve again; if that fails, nothing has changed."""
        if self._statistics() is not None:
            self._check_mergeable()
            statistics = self._statistics().merge(statistics)
        if not statistics.is_informative:
            # Weights come with the first block that has a weight and an answer.
            setattr(self, self._statistics_name, statistics)
            return
        for warning in self._weigh(statistics):
            warn_user(warning)

    def _is_stream(self, X: Any) -> bool:
        return is_stream(X, has_members=self.estimators is not None)

    def _sum_up(self, block: Block, *, reset: bool = False) -> Any:
        return self._check_block(block, reset=reset)()

    def _sum_new(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Sum the next rows: one block or several."""
        reset = self._statistics() is None
        if self._is_stream(X):
            return self._sum_stream(X, y, sample_weight, reset=reset)
        return self._sum_up(Block("", *split_columns(X, y, sample_weight)), reset=reset)

    def _sum_stream(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        reset: bool,
        labels: str = "some",
    ) -> Any:
        """Sum a stream that has "some" labels or none, at least "one", or "none".

        At least one label is needed only if labels are given.
        """
        statistics, given = sum_stream(
            X,
            y,
            sample_weight,
            self._check_block,
            reset=reset,
            with_labels=labels != "none",
            n_jobs=effective_n_jobs(self.n_jobs),
            remote_reader=self._remote_reader,
        )
        if labels == "one" and given and not statistics.has_labels:
            raise ValueError(NO_LABEL)
        return statistics

    def _remote_reader(self) -> Callable[[Block], Any]:
        """Return a function that sums a block in another process.

        It is a clone that knows the columns.
        """
        reader = clone(self)
        for attribute in _COLUMNS:
            if hasattr(self, attribute):
                setattr(reader, attribute, getattr(self, attribute))
        return partial(_sum_rows, reader)

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
        """Remember the number and names of the features, or compare them with `fit`."""
        # Members may take other input than tables, such as a list of texts.
        if count_dimensions(X) == 2:
            check_column_names(X)
            validate_data(self, X, reset=reset, skip_check_array=True)

    @property
    def _members(self) -> FittedMembers:
        names = self.model_names_.tolist()
        return FittedMembers(names, self.estimators_, self._answer)

    def _ask(self, X: Any, which: Iterable[int] | None = None) -> NDArray[np.float64]:
        """Let fitted members predict rows; members that are not called get zeros."""
        return self._members.ask(X, which, n_jobs=self.n_jobs)


def _sum_rows(reader: CombinerMixin, block: Block) -> Any:
    return reader._sum_up(block) if count_rows(block.X) else None
