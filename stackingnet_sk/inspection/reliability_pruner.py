"""A selector of columns that keeps reliable models."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk.inspection.answers import require_models
from stackingnet_sk.inspection.ranking import Ranking, rank_models
from stackingnet_sk.predictions import as_array


class ReliabilityPruner(SelectorMixin, MetaEstimatorMixin, BaseEstimator):
    """Keep the reliable columns of a table of predictions.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Estimator without members. A clone is fitted to the columns, which are ranked by
        its `reliability_`.
    n_models : int, float or "auto", default="auto"
        How many columns to keep: a number, or a share of the columns between 0 and 1
        (rounded up). "auto" keeps all columns except those whose interval of the
        reliability is wholly below chance (a correlation of zero; one over the number
        of classes).
    threshold : float, default=None
        Keep columns of at least this reliability, and of these at most `n_models`.
    n_bootstrap : int, default=1000
        Number of replicates for the intervals.
    confidence_level : float, default=0.9
        Confidence level of the intervals.
    random_state : int or None, default=None
        Seed of the replicates.

    Attributes
    ----------
    estimator_ : StackingNetRegressor or StackingNetClassifier
        Fitted on all columns.
    ranking_ : Ranking
        Result of :func:`rank_models`. Its `against` is the evidence against each model.
    support_ : ndarray of bool of shape (n_models,)
        Which columns are kept.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; defined only if all of them are strings.

    See Also
    --------
    prune : The error of the combination along the whole path of removals.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import ReliabilityPruner
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] * [1, 1, 1, -1] + rng.normal(size=(200, 4))
    >>> pruner = ReliabilityPruner(StackingNetRegressor()).fit(judges, truth)
    >>> pruner.get_support().tolist()
    [True, True, True, False]
    """

    estimator_: Any
    ranking_: Ranking
    support_: NDArray[np.bool_]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        estimator: Any,
        *,
        n_models: int | float | str = "auto",
        threshold: float | None = None,
        n_bootstrap: int = 1000,
        confidence_level: float = 0.9,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_models = n_models
        self.threshold = threshold
        self.n_bootstrap = n_bootstrap
        self.confidence_level = confidence_level
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike | None = None) -> ReliabilityPruner:
        """Rank the columns and decide which to keep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_models)
            Predictions or votes, one column per model; NaN where one is missing.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If `estimator` does not combine models.
        ValueError
            If it has members, `n_models` is not a number of models, there are fewer
            than two columns, or no column would be kept.
        """
        if getattr(self.estimator, "estimators", None) is not None:
            raise ValueError(
                "estimator has members, but a ReliabilityPruner selects columns of "
                "predictions; give one with estimators=None."
            )
        fitted = clone(self.estimator).fit(X, y)
        if fitted.n_features_in_ < 2:
            raise ValueError(
                f"X has {fitted.n_features_in_} feature(s); choosing takes at least "
                "two columns of predictions."
            )
        require_models(fitted)
        if fitted.n_features_in_ > len(fitted.model_names_):
            raise ValueError(
                f"X has {fitted.n_features_in_} columns of probabilities of "
                f"{len(fitted.model_names_)} models; give one column per model: the "
                "class that it finds most probable."
            )
        ranking = rank_models(
            fitted,
            X,
            y,
            n_bootstrap=self.n_bootstrap,
            confidence_level=self.confidence_level,
            random_state=self.random_state,
        )
        most = self._most(len(ranking.model_names))
        if self.threshold is not None:
            keep = ranking.reliability >= self.threshold
        elif most is None:
            keep = ~ranking.below_chance
        else:
            keep = np.ones(len(ranking.model_names), dtype=bool)
        if most is not None:
            keep[most:] = False
        if not keep.any():
            best = ranking.reliability[0]
            raise ValueError(
                f"No model would be kept: the best, {ranking.model_names[0]!r}, has a "
                f"reliability of {best:.3g} (up to {ranking.high[0]:.3g}). Lower "
                "threshold, or give the number of models to keep with n_models."
            )
        self.estimator_ = fitted
        self.ranking_ = ranking
        self.support_ = np.isin(fitted.model_names_, ranking.model_names[keep])
        self.n_features_in_ = len(self.support_)
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        return self

    def _most(self, n_columns: int) -> int | None:
        """Return how many columns `n_models` allows; None for "auto"."""
        if isinstance(self.n_models, str) and self.n_models == "auto":
            return None
        if isinstance(self.n_models, numbers.Integral):
            is_number = not isinstance(self.n_models, bool)
            if is_number and 1 <= self.n_models <= n_columns:
                return int(self.n_models)
        elif isinstance(self.n_models, numbers.Real) and 0 < self.n_models <= 1:
            return int(np.ceil(self.n_models * n_columns))
        raise ValueError(
            f"n_models={self.n_models!r} is neither 'auto', a number of models from 1 "
            f"to {n_columns}, nor a share above 0 and up to 1."
        )

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Put the columns back in their places, and missing values into the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_kept)
            What `transform` returns.

        Returns
        -------
        ndarray of shape (n_samples, n_models)
            Columns that were not kept are missing: NaN, or None among texts.

        Raises
        ------
        ValueError
            If the number of columns is not the number of kept columns.
        """
        kept = as_array(X)
        number = kept.dtype.kind in "iuf"
        shape = (len(kept), len(self._get_support_mask()))
        if kept.ndim != 2 or kept.shape[1] != self.support_.sum():
            raise ValueError(
                f"X has shape {kept.shape}, but {self.support_.sum()} columns are kept."
            )
        table = np.full(shape, np.nan if number else None, float if number else object)
        table[:, self.support_] = kept
        return table

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
