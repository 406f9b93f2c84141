"""The regressor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.metadata_routing import UNUSED

from stackingnet_sk._compat import (
    BaseComposition,
    backend_of,
    begin_fit,
    end_fit,
    to_numpy,
    with_callbacks,
)
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.number_table import (
    PredictionStatistics,
    read_rows,
)
from stackingnet_sk.ensemble.summing import SummingMixin, sum_rows
from stackingnet_sk.ensemble.user_constraints import (
    rows_of_groups,
)
from stackingnet_sk.ensemble.validation import (
    check_labels,
    check_parameters,
    check_table,
    check_weights,
    names_of_columns,
    refuse_metadata,
)
from stackingnet_sk.evidence import AnswerPatterns
from stackingnet_sk.predictions import about, is_labelled, split_columns


class StackingNetRegressor(SummingMixin, RegressorMixin, BaseComposition):
    """Combine regressors, or given predictions, by certified optimal weights.

    The prediction is ``H(x) = w'h(x) + b``, with weights `w` that minimize the mean
    squared error over the labelled rows under a constraint, plus a prior that fades as
    labels come. The weights are the combiner and the list of whom to prune; each
    solution carries the proof of its optimality.

    Two ways in: with `estimators`, members are fitted and the weights come from their
    out-of-fold predictions; without, the columns of `X` are the predictions of models
    that are fitted already, or that are not programs at all.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members by name; a member set to ``"drop"`` is left out. None: a column of `X`
        is a model's predictions, in the units of `y`.
    constraint : {"nonnegative", "simplex", "affine", "uniform"}, Constraint or \
callable, default="nonnegative"
        Feasible weights: ``w >= 0`` (the architecture of [1]_; their sum is a slope),
        ``w >= 0`` with ``sum(w) = 1``, ``sum(w) = 1`` of any sign (the closed form of
        [2]_), or all equal. Joined by ``&`` with those of
        :mod:`stackingnet_sk.constraints`, or with a callable that takes the weights and
        the intercept, as cvxpy expressions, and the names of the models, and returns
        cvxpy constraints: ``"simplex" & max_weight(0.3)``. Where no set is named,
        weights are at least zero.
    fit_intercept : bool, default=True
        Whether to fit `b`. False minimizes the raw mean squared error of ``w'h(x)``.
    shrinkage : float or "auto", default="auto"
        Strength of the prior in pseudo-observations: it counts as so many labelled
        rows, and pulls the weights toward a direction that the predictions alone
        suggest (see :class:`~stackingnet_sk.weights.ShrinkagePrior`). "auto" sets it
        by empirical Bayes, 0 is the exact least squares optimum. No effect on
        "uniform".
    solver : {"auto", "cvxpy"}, default="auto"
        Native solvers, or an independent, slower one, which does not look for the least
        of several optima.
    cv : int, splitter, iterable of splits or "prefit", default=None
        How members are cross-predicted; None is 5 folds. Rows that the splitter leaves
        out do not count for the weights, rows that it repeats count once in all.
        "prefit": the members are fitted already, and their predictions of `X` are used
        as they are: give rows that they have not seen.
    memory : str, path-like or joblib.Memory, default=None
        Folder in which fits of the members are kept, by member, data and split: a
        search over other parameters does each once.
    n_jobs : int, default=None
        How many fits run at the same time, over all members and folds; without members,
        how many blocks of a stream are summed at the same time.
    verbose : int, default=0
        Above 0, a line for each fit.

    Attributes
    ----------
    weights_ : ndarray of shape (n_models,)
        Weights of the models, in the order of `model_names_`.
    intercept_ : float
        The constant `b`, in the units of `y`.
    reliability_ : ndarray of shape (n_models,)
        Squared correlation of each model with the truth, from the labels and from what
        the models have in common; in [-1, 1], negative for a model that runs against
        the truth. Unlike a weight, it does not depend on who else is there.
    solution_ : Solution
        Objective, certificate (relative duality gap, residual of the optimality
        conditions), iterations and status.
    model_names_ : ndarray of shape (n_models,)
        Names of the members in use, or of the columns.
    statistics_ : PredictionStatistics
        Sums over all rows, by which models answer: all that weights need. Those of
        other rows can be added.
    error_moments_ : Moments
        Second moments of the errors from which the weights were computed.
    prediction_moments_ : Moments
        Those of the predictions alone, on all rows, labelled or not.
    moments_per_model_ : dict of int to Moments
        For each model with missing predictions, the moments of the labelled rows that
        it answers. In `error_moments_` its missing predictions are imputed from those
        of the other models; `prediction_moments_` also includes the variance that
        imputing leaves out.
    estimators_ : list of estimators
        The members, fitted on all rows. Only with `estimators`.
    named_estimators_ : Bunch
        The same by name. Only with `estimators`.
    out_of_fold_predictions_ : ndarray of shape (n_predicted, n_models)
        What the members predicted of the labelled rows, each by a fit that had not seen
        the row: the table that the weights come from. Only with members that are fitted
        here, not with ``cv="prefit"``.
    out_of_fold_rows_ : ndarray of int of shape (n_predicted,)
        The row of `X` that each of these predictions is for, ascending. A splitter may
        leave rows out or repeat them.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features; defined only when all of them are strings.

    See Also
    --------
    sklearn.ensemble.VotingRegressor : Average with weights that the user sets.
    sklearn.ensemble.StackingRegressor : Train any estimator on the predictions.

    References
    ----------
    .. [1] Li et al., "StackingNet", 2026, arXiv:2602.13792.
    .. [2] Perrone and Cooper, "When networks disagree: Ensemble methods for hybrid
       neural networks", 1993.

    Examples
    --------
    Judges whose scores are the columns of a table:

    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> y = np.arange(10.0)
    >>> noise = np.tile([1.0, -1.0], 5)
    >>> scores = np.column_stack([y + noise, y - noise / 2, np.full(10, 3.0)])
    >>> model = StackingNetRegressor(constraint="simplex", shrinkage=0)
    >>> model.fit(scores, y).weights_.round(3)
    array([0.333, 0.667, 0.   ])

    Members that are fitted:

    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> model = StackingNetRegressor(
    ...     [("line", LinearRegression()), ("tree", DecisionTreeRegressor())]
    ... ).fit(y[:, None], 2 * y)
    >>> bool(model.score(y[:, None], 2 * y) > 0.9)
    True
    """

    # The splitter consumes groups, the combiner does not.
    __metadata_request__fit: ClassVar = {"groups": UNUSED}

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        constraint: Any = "nonnegative",
        fit_intercept: bool = True,
        shrinkage: float | str = "auto",
        solver: str = "auto",
        cv: Any = None,
        memory: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.constraint = constraint
        self.fit_intercept = fit_intercept
        self.shrinkage = shrinkage
        self.solver = solver
        self.cv = cv
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        X_unlabeled: Any = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        sensitive_features: Any = None,
        **params: Any,
    ) -> Self:
        """Fit the members, if any, and the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions, a column a model. Also
            a table that is never held whole: a memory-mapped array, an iterator of
            blocks (tables, tuples ``(X, y)`` or ``(X, y, sample_weight)``), an Arrow
            data set, a Dask array or dataframe.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without. Of frames, in memory or in a stream,
            Arrow data and Dask dataframes also the name of a column, like
            `sample_weight`. Members are
            fitted on the labelled rows. With ``y=None`` the weights are a label-free
            average, whose slope is one and whose bias is zero; members must be "prefit"
            then.
        X_unlabeled : array-like of shape (n_unlabelled, n_features), default=None
            More rows without labels, drawn like the others. What the models predict
            there informs the prior and `reliability_`. Cross-validation passes it on
            whole, unless it has as many rows as `X`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative; an integer weight is a repetition, and weights below one on
            average count as Kish's effective number of rows. Reaches the members' `fit`
            and the weights.
        groups : array-like of shape (n_samples,), default=None
            For the splitter, such as `GroupKFold`.
        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)\
, default=None
            Groups of the rows, for constraints that compare groups.
        **params : dict
            Metadata for the members, with metadata routing enabled.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter is unknown, or a prediction, label or weight is not a number
            that can be used; the message names the column or member and the row.
        InfeasibleError
            If no weights fulfil all constraints; a ValueError that names those that
            can't hold.
        TypeError
            If a member does not take sample weights that are given.

        Warns
        -----
        UserWarning
            If predictions and labels seem to be in different units, or a model's
            predictions vary too little against the labels to be resolved.
        ConvergenceWarning
            If the solution is not certified.
        """
        # Whatever fails below, weights never meet other models than their own.
        for attribute in [key for key in vars(self) if key.endswith("_")]:
            delattr(self, attribute)
        check_parameters(self)
        if self._is_stream(X):
            refuse_metadata(self, params)
            self._refuse_groups(groups, sensitive_features)
            begin_fit(self, [], X, y)
            statistics = self._sum_stream(X, y, sample_weight, reset=True, labels="one")
            return self._end_fit(X, y, statistics, X_unlabeled)
        X, y, sample_weight = split_columns(X, y, sample_weight)
        y = check_labels(X, y)
        weights = check_weights(sample_weight, y)
        labelled = is_labelled(y)
        if self.estimators is None:
            refuse_metadata(self, params)
            begin_fit(self, [], X, y)
            table = check_table(self, X, reset=True)
            self.model_names_ = names_of_columns(self, X)
            statistics = sum_rows(table, y, weights, self.model_names_)
            rows, at = labelled.nonzero()[0], labelled.nonzero()[0]
            labels, own_weights = y, weights
        else:
            found, unknown = self._fit_members(X, y, labelled, weights, groups, params)
            table, rows, at = found.table, found.rows, np.arange(len(found.rows))
            labels, own_weights = y[rows], found.weights(weights)
            others = None if weights is None else weights[~labelled]
            statistics = read_rows(
                table, labels, own_weights, self.model_names_, rows
            ).merge(
                read_rows(
                    unknown, None, others, self.model_names_, (~labelled).nonzero()[0]
                )
            )

        def sums(own: NDArray[np.intp]) -> AnswerPatterns:
            share = None if own_weights is None else own_weights[at[own]]
            return AnswerPatterns.from_rows(
                to_numpy(table)[at[own]], labels[at[own]], share
            )

        columns = [
            {group: sums(own) for group, own in column.items()}
            for column in rows_of_groups(sensitive_features, labelled, rows)
        ]
        return self._end_fit(X, y, statistics, X_unlabeled, columns)

    def _end_fit(
        self,
        X: Any,
        y: Any,
        statistics: PredictionStatistics,
        X_unlabeled: Any,
        columns: Sequence[Mapping[str, AnswerPatterns]] = (),
    ) -> Self:
        if X_unlabeled is not None:
            with about("X_unlabeled"):
                if self._is_stream(X_unlabeled):
                    more = self._sum_stream(X_unlabeled, reset=False, labels="none")
                else:
                    table = self._table(X_unlabeled)
                    more = read_rows(table, None, None, self.model_names_)
                statistics = statistics.merge(replace(more, dtype=None))
        statistics.refuse_weightless()
        for doubt in self._weigh(statistics, columns):
            warn_user(doubt)
        self._follow(backend_of(X))
        end_fit(self, X, y)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Columns that are not predictions of y cannot be combined well with w >= 0.
        tags.regressor_tags.poor_score = self.estimators is None
        tags.target_tags.required = self.estimators is not None and self.cv != "prefit"
        if self.estimators is None:
            tags.input_tags.allow_nan = True
            tags.array_api_support = True
        return tags
