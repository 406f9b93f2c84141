"""What both estimators do alike: blocks of rows, other parameters, feature names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from stackingnet_sk._compat import count_rows
from stackingnet_sk._state import pack, unpack
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.members import MembersMixin
from stackingnet_sk.ensemble.streaming import is_stream, sum_stream
from stackingnet_sk.ensemble.validation import NO_LABEL
from stackingnet_sk.predictions import Block, column_names, split_columns

# What a block is checked against.
_COLUMNS = ("n_features_in_", "feature_names_in_", "model_names_", "classes_")


def takes_blocks(estimator: Any) -> bool:
    """Tell whether an estimator combines given predictions."""
    return estimator.estimators is None


class CombinerMixin(MembersMixin, TransformerMixin, ABC):
    """Estimators whose weights follow from mergeable statistics of the rows.

    A subclass names the attribute that holds the statistics and the parameters that
    they do not depend on; it checks a block of rows, and it weighs the models.
    """

    _statistics_name: str
    _weighing: tuple[str, ...]

    @abstractmethod
    def _check_block(self, block: Block, *, reset: bool) -> Callable[[], Any]:
        """Check a block; what is returned sums it up, and can run elsewhere."""

    @abstractmethod
    def _weigh(self, statistics: Any, *labelled: Any) -> Iterable[Warning]:
        """Set the weights; return what there is to warn of."""

    @abstractmethod
    def _groups(self) -> tuple[Any, ...]:
        """Return what limits on groups of rows need, besides the statistics."""

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
        if unknown := sorted(set(params) - set(self._weighing)):
            raise ValueError(
                f"{unknown} can't be changed without reading the rows again; only "
                f"{list(self._weighing)} can. Use set_params and fit."
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
        """Return what is saved: parameters, and the rest without our classes."""
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
        """Delete fitted attributes: weights must never meet other models."""
        for attribute in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, attribute)

    def _check_columns(self, X: Any, table: Any, *, reset: bool) -> None:
        """Remember, or compare, number and names of the columns of a table."""
        named = X if column_names(X) else table
        validate_data(self, named, reset=reset, skip_check_array=True)

    def _check_countable(self) -> None:
        """Refuse a fit whose statistics are not all that its weights are from."""
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
        """Weigh the models with more rows; where that fails, nothing has changed."""
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
        """Sum up what comes next, one block or several."""
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
        """Sum up a stream, which has "some" labels or none, at least "one", or "none".

        At least one is needed only where labels are given.
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
        """Return what sums up a block elsewhere: a clone that knows the columns."""
        reader = clone(self)
        for attribute in _COLUMNS:
            if hasattr(self, attribute):
                setattr(reader, attribute, getattr(self, attribute))
        return partial(_sum_rows, reader)


def _sum_rows(reader: CombinerMixin, block: Block) -> Any:
    return reader._sum_up(block) if count_rows(block.X) else None
