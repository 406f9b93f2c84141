"""Rows that come in blocks: statistics that any block can add to, and their weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._compat import count_rows
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.validation import NO_LABEL
from stackingnet_sk.predictions import (
    Block,
    blocks_of,
    column_names,
    comes_in_blocks,
    is_dask,
    split_columns,
    sum_blocks,
    sum_partitions,
)

# What a worker must know to read a block like the estimator.
_COLUMNS = ("n_features_in_", "feature_names_in_", "model_names_", "classes_")

_OTHER_COLUMNS = (
    "The columns are {}, those of the blocks before {}; all must have the same names, "
    "in the same order."
)


def takes_blocks(estimator: Any) -> bool:
    """Tell whether an estimator combines given predictions."""
    return estimator.estimators is None


class StreamingMixin(ABC):
    """Weights from mergeable statistics of the rows.

    A subclass names the attribute that holds them, checks a block and weighs.
    """

    _statistics_name: str
    # Parameters that statistics do not depend on.
    _weighing: tuple[str, ...]
    estimators: Any
    n_jobs: int | None

    @abstractmethod
    def _check_block(self, block: Block, *, reset: bool) -> Callable[[], Any]:
        """Check a block; what is returned sums it up, and can run elsewhere."""

    @abstractmethod
    def _weigh(self, statistics: Any) -> list[Warning]:
        """Set the weights; what there is to warn of."""

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
            own, theirs = (
                np.asarray(getattr(each, attribute, ())).tolist()
                for each in (self, other)
            )
            if own != theirs:
                what = attribute.rstrip("_").replace("_", " ")
                raise ValueError(
                    f"The other estimator has {what} {theirs[:10]}, this one "
                    f"{own[:10]}; both must have the same, in the same order."
                )
        for each in (self, other):
            each._check_mergeable()
        self._add(self._seen(), other._seen())
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
        for doubt in other._weigh(self._seen(), *self._groups()):
            warn_user(doubt)
        return other

    def _groups(self) -> tuple[Any, ...]:
        """Return what else is known of the rows, for limits on groups."""
        return ()

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

    def _seen(self) -> Any:
        return getattr(self, self._statistics_name, None)

    def _add(self, seen: Any, new: Any) -> None:
        """Weigh anew; where that fails, nothing has changed."""
        if seen is not None:
            self._check_mergeable()
            new = seen.merge(new)
        if not new.is_informative:
            # Weights come with the first block that has a weight and an answer.
            setattr(self, self._statistics_name, new)
            return
        for doubt in self._weigh(new):
            warn_user(doubt)

    def _is_stream(self, X: Any) -> bool:
        """Tell whether a table is read in blocks; members can't be fitted on one."""
        if not (is_dask(X) or comes_in_blocks(X)):
            return False
        if self.estimators is None:
            return True
        if isinstance(X, np.ndarray) or (is_dask(X) and hasattr(X, "chunks")):
            # Arrays to anybody who asks.
            return False
        raise ValueError(
            f"Members are fitted on arrays, not on a {type(X).__name__}; collect its "
            "rows, or combine given predictions with estimators=None."
        )

    @staticmethod
    def _refuse_groups(groups: Any, sensitive_features: Any) -> None:
        """Refuse what a stream has no rows for."""
        for name, given in (
            ("groups", groups),
            ("sensitive_features", sensitive_features),
        ):
            if given is not None:
                raise ValueError(
                    f"{name} cannot be given with a table that comes in blocks; read "
                    "it into an array."
                )

    def _sum_new(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Statistics of what comes next, one block or several."""
        reset = self._seen() is None
        if self._is_stream(X):
            return self._sum_stream(X, y, sample_weight, reset=reset)
        block = Block("", *split_columns(X, y, sample_weight))
        return self._sum_block(block, reset=reset)

    def _sum_block(self, block: Block, *, reset: bool = False) -> Any:
        return self._check_block(block, reset=reset)()

    def _sum_stream(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        reset: bool,
        labels: str = "some",
    ) -> Any:
        """Statistics of a table that comes in blocks.

        Of labels there are "some" or none, or, where they are given, at least "one"; or
        there must be "none".
        """
        first, given = reset, y is not None
        names: list[Any] | None = None

        def read(block: Block) -> Callable[[], Any]:
            nonlocal first, given, names
            own = column_names(block.X)
            names = own if names is None else names
            # scikit-learn compares texts, and only warns where one has no names.
            if bool(own) != bool(names):
                raise ValueError(_OTHER_COLUMNS.format(own[:10], names[:10]))
            given |= block.y is not None
            if given and labels == "none":
                raise ValueError("rows without labels come with some; yield X alone.")
            total = self._check_block(block, reset=first)
            if own != names:
                raise ValueError(_OTHER_COLUMNS.format(own[:10], names[:10]))
            first = False
            return total

        if is_dask(X):
            found = self._sum_dask(X, y, sample_weight, reset=reset)
        else:
            blocks = blocks_of(X, y, sample_weight)
            found = sum_blocks(blocks, read, effective_n_jobs(self.n_jobs))
        if found is None:
            raise ValueError("The stream has no rows: it ended before its first block.")
        if labels == "one" and given and not found.has_labels:
            raise ValueError(NO_LABEL)
        return found

    def _sum_dask(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Any:
        if hasattr(X, "chunks") and X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead.")
        if reset:
            # Number and names of the columns are known before any row is.
            taken = [c for c in (y, sample_weight) if isinstance(c, str)]
            self._check_block(Block("", _no_rows_of(X, taken)), reset=True)
        reader = clone(self)
        for attribute in _COLUMNS:
            if hasattr(self, attribute):
                setattr(reader, attribute, getattr(self, attribute))
        return sum_partitions(X, y, sample_weight, partial(_sum_up, reader))


def _sum_up(reader: StreamingMixin, block: Block) -> Any:
    return reader._sum_block(block) if count_rows(block.X) else None


def _no_rows_of(X: Any, taken: list[str]) -> Any:
    """Return a row without answers, with the columns of a collection."""
    if not hasattr(X, "columns"):
        return np.full((1, X.shape[1]), np.nan)
    from pandas import DataFrame

    rest = [name for name in X.columns if name not in taken]
    return DataFrame(np.full((1, len(rest)), np.nan), columns=rest)
