"""What the estimators share: members by name, their fits, their predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import PredefinedSplit, check_cv
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from stackingnet_sk._compat import (
    CallbackSupportMixin,
    VisualBlock,
    begin_fit,
    count_rows,
    raise_for_params,
    routing_enabled,
    take_rows,
    take_rows_of_params,
)
from stackingnet_sk.ensemble.validation import check_column_names, count_dimensions
from stackingnet_sk.predictions import (
    NUMBER,
    Answer,
    OutOfFold,
    check_splits,
    collect_out_of_fold,
    labelled_part,
    task_names,
)
from stackingnet_sk.weights import Solution

Members = Sequence[tuple[str, Any]]


def _has_members(estimator: Any) -> bool:
    return estimator.estimators is not None


def _are_pairs(estimators: Any) -> bool:
    return isinstance(estimators, list) and all(
        isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str)
        for item in estimators
    )


def _can_be_shown(estimator: Any) -> bool:
    return bool(estimator.estimators) and _are_pairs(estimator.estimators)


def _has_row_numbers(cv: Any) -> bool:
    return isinstance(cv, PredefinedSplit) or (
        isinstance(cv, Iterable) and not hasattr(cv, "split")
    )


class MembersMixin(CallbackSupportMixin):
    """Estimators that combine members, or a table whose columns are predictions.

    It stands first among the bases, before scikit-learn's mixins and
    `BaseComposition`. A subclass has the parameters `estimators`, `cv`, `memory`,
    `n_jobs` and `verbose`.
    """

    # Set by `fit`; what they are, the estimators say.
    estimators_: list[Any]
    named_estimators_: Bunch
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
        """What members are asked for; a subclass may want another answer."""
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
        """Members that can be asked; before `fit` has checked, the rest is silent."""
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
        for name, member in self._instances() if self.cv != "prefit" else ():
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
        if not _are_pairs(self.estimators):
            raise ValueError(
                "Invalid 'estimators' attribute: estimators must be a list of (name, "
                "estimator) pairs, or None if the columns of X are the predictions; "
                f"got {self.estimators!r}."
            )
        self._validate_names([name for name, _ in self.estimators])
        members = [item for item in self.estimators if item[1] != "drop"]
        if not members:
            raise ValueError(
                "estimators has no member in use; give at least one that is not 'drop'."
            )
        for name, member in members:
            who = f"Member {name!r} ({type(member).__name__})"
            needed = ("predict",) if self.cv == "prefit" else ("fit", "predict")
            for method in needed:
                if isinstance(member, type) or not hasattr(member, method):
                    raise ValueError(
                        f"{who} has no {method}; give an estimator instance that can "
                        f"{' and '.join(needed)}, or set it to 'drop'."
                    )
            tagged = hasattr(member, "__sklearn_tags__")
            if tagged and is_classifier(member) and not is_classifier(self):
                raise ValueError(
                    f"{who} is a classifier; a regressor combines regressors."
                )
        if isinstance(self.cv, str) and self.cv != "prefit":
            raise ValueError(
                f"cv={self.cv!r} is unknown; give a number of folds, a splitter, an "
                "iterable of splits, or 'prefit'."
            )
        return members

    def _fit_members(
        self,
        X: Any,
        y: NDArray[Any],
        labelled: NDArray[np.bool_],
        sample_weight: NDArray[np.float64] | None,
        groups: Any,
        params: dict[str, Any],
    ) -> tuple[OutOfFold, NDArray[np.float64]]:
        """Fit the members on the labelled rows and set what is known of them.

        Their predictions of the labelled rows, out of fold, and of the others.
        """
        members = self._check_members()
        (X,) = indexable(X)
        self._check_features(X, reset=True)
        names = [name for name, _ in members]
        self.model_names_ = np.array(names, dtype=object)
        rows, others = labelled.nonzero()[0], (~labelled).nonzero()[0]
        own_X, own_y = X, y
        if others.size:
            own_X, own_y = take_rows(X, rows), y[rows]
            given = {"sample_weight": sample_weight, "groups": groups, **params}
            params = take_rows_of_params(X, given, rows)
            sample_weight, groups = params.pop("sample_weight"), params.pop("groups")
        routed = self._route(members, sample_weight, groups, params)
        if self.cv == "prefit":
            for name, member in members:
                self._check_fitted(name, member)
            begin_fit(self, [], X, y)
            self.estimators_ = [member for _, member in members]
            everybody = range(len(members))
            found = OutOfFold(
                self.estimators_, np.arange(len(rows)), self._ask(own_X, everybody)
            )
        elif not rows.size:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None; without labels, give fitted members with cv='prefit'."
            )
        else:
            splitter = check_cv(self.cv, own_y, classifier=is_classifier(self))
            asked = hasattr(self.cv, "split") or not routing_enabled()
            metadata = routed.cv.split if asked else {}
            if not _has_row_numbers(self.cv):
                folds = check_splits(
                    splitter.split(own_X, own_y, **metadata), len(own_y)
                )
            else:
                # Row numbers that the user wrote down are those of `X`.
                folds = check_splits(splitter.split(X, y), len(y))
                place = np.cumsum(labelled) - 1
                own = [
                    (place[train[labelled[train]]], place[test[labelled[test]]])
                    for train, test in folds
                ]
                folds = check_splits(own, len(own_y))
            tasks = begin_fit(self, task_names(members, len(folds)), X, y)
            found = collect_out_of_fold(
                members,
                own_X,
                own_y,
                folds,
                {name: routed[name].fit for name in names},
                answer=self._answer,
                memory=self.memory,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                tasks=tasks,
                owner=self,
            )
            self.estimators_ = found.estimators
        fitted = dict(zip(names, self.estimators_, strict=True))
        self.named_estimators_ = Bunch(
            **{name: fitted.get(name, "drop") for name, _ in self.estimators}
        )
        unknown = self._ask(take_rows(X, others), range(len(members)))
        return replace(found, rows=rows[found.rows]), unknown

    def _route(
        self,
        members: Members,
        sample_weight: NDArray[np.float64] | None,
        groups: Any,
        params: dict[str, Any],
    ) -> Bunch:
        """Decide what each member's `fit` and the splitter receive."""
        given = {"sample_weight": sample_weight, "groups": groups}
        given = {key: value for key, value in given.items() if value is not None}
        if routing_enabled():
            return process_routing(self, "fit", **given, **params)
        raise_for_params(params, self, "fit")
        weighted = {k: v for k, v in given.items() if k == "sample_weight"}
        if weighted and self.cv != "prefit":
            for name, member in members:
                if not (
                    isinstance(member, FrozenEstimator)
                    or has_fit_parameter(member, "sample_weight")
                ):
                    raise TypeError(
                        f"Member {name!r} ({type(member).__name__}) does not support "
                        "sample weights. To weight the combiner and the other members, "
                        "enable metadata routing with "
                        "sklearn.set_config(enable_metadata_routing=True) and call "
                        "set_fit_request(sample_weight=True) on each member, or step "
                        "of a pipeline, that is to have them."
                    )
        routed = {name: Bunch(fit=weighted) for name, _ in members}
        split = {k: v for k, v in given.items() if k == "groups"}
        return Bunch(cv=Bunch(split=split), **routed)

    def _check_features(self, X: Any, *, reset: bool) -> None:
        """Remember or compare number and names of the features, where there are any."""
        # Members may take other things than tables, such as a list of texts.
        if count_dimensions(X) == 2:
            check_column_names(X)
            validate_data(self, X, reset=reset, skip_check_array=True)

    def _ask(self, X: Any, which: Iterable[int]) -> NDArray[np.float64]:
        """Answers of the fitted members, zeros for those who are not asked."""
        answer = self._answer
        table = np.zeros((count_rows(X), len(self.estimators_), *answer.shape))
        # Estimators refuse tables without rows.
        which = list(which) if len(table) else []
        columns = Parallel(n_jobs=self.n_jobs)(
            delayed(answer)(self.model_names_[j], self.estimators_[j], X) for j in which
        )
        for j, column in zip(which, columns, strict=True):
            table[:, j] = column
        return table

    def _check_fitted(self, name: str, member: Any) -> None:
        if not hasattr(member, "fit"):
            return
        try:
            check_is_fitted(member)
        except NotFittedError as error:
            raise NotFittedError(
                f"Member {name!r}, with cv='prefit': {error}"
            ) from None
