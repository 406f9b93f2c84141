"""The regressor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._compat import (
    Backend,
    BaseComposition,
    backend_of,
    begin_fit,
    check_same_namespace,
    end_fit,
    to_numpy,
    with_callbacks,
)
from stackingnet_sk._tables import as_frame
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.base import CombinerMixin, takes_blocks
from stackingnet_sk.ensemble.number_rows import sum_labelled_groups, sum_rows
from stackingnet_sk.ensemble.regression_combiner import (
    Groups,
    RegressionCombiner,
    RegressionParameters,
)
from stackingnet_sk.ensemble.streaming import refuse_groups
from stackingnet_sk.ensemble.user_constraints import rows_of_groups
from stackingnet_sk.ensemble.validation import (
    check_column_names,
    check_labels,
    check_parameters,
    check_table,
    check_weights,
    names_of_columns,
    refuse_metadata,
)
from stackingnet_sk.evidence import Moments, PredictionStatistics
from stackingnet_sk.predictions import (
    Block,
    about,
    check_predictions,
    is_labelled,
    split_columns,
    unmasked,
)
from stackingnet_sk.weights import Solution


class StackingNetRegressor(CombinerMixin, RegressorMixin, BaseComposition):
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
    combiner_ : RegressionCombiner
        The frozen combiner behind `predict`. ``combiner_.subset(models)`` is the
        combination of fewer models, fitted from `statistics_`.
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

    combiner_: RegressionCombiner
    error_moments_: Moments
    intercept_: float
    moments_per_model_: Mapping[int, Moments]
    prediction_moments_: Moments
    statistics_: PredictionStatistics
    _statistics_name = "statistics_"
    _weight_parameters = ("constraint", "fit_intercept", "shrinkage", "solver")
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
            What the members take; without members, predictions, one column per model.
            Also a table that is never held whole: a memory-mapped array, an iterator of
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
        self._forget()
        check_parameters(self)
        if self._is_stream(X):
            refuse_metadata(self, params)
            refuse_groups(groups, sensitive_features)
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
            table = self._read(X, reset=True)
            statistics = sum_rows(table, y, weights, self.model_names_)
            labels, row_weights = y, weights
            rows = positions = labelled.nonzero()[0]
        else:
            out_of_fold, unlabelled = self._fit_members(
                X, y, labelled, weights, groups, params
            )
            table, rows, labels = (
                out_of_fold.table,
                out_of_fold.rows,
                y[out_of_fold.rows],
            )
            positions, row_weights = np.arange(len(rows)), out_of_fold.weights(weights)
            others = (~labelled).nonzero()[0]
            other_weights = None if weights is None else weights[others]
            statistics = sum_rows(
                table, labels, row_weights, self.model_names_, rows
            ).merge(
                sum_rows(unlabelled, None, other_weights, self.model_names_, others)
            )
        columns = rows_of_groups(sensitive_features, labelled, rows)
        group_sums = sum_labelled_groups(table, labels, row_weights, positions, columns)
        return self._end_fit(X, y, statistics, X_unlabeled, group_sums)

    def _end_fit(
        self,
        X: Any,
        y: Any,
        statistics: PredictionStatistics,
        X_unlabeled: Any,
        groups: Groups = (),
    ) -> Self:
        if X_unlabeled is not None:
            with about("X_unlabeled"):
                if self._is_stream(X_unlabeled):
                    more = self._sum_stream(X_unlabeled, reset=False, labels="none")
                else:
                    table = self._table(X_unlabeled)
                    more = sum_rows(table, None, None, self.model_names_)
                statistics = statistics.merge(replace(more, dtype=None))
        statistics.refuse_weightless()
        for warning in self._weigh(statistics, groups):
            warn_user(warning)
        self._put_on(backend_of(X))
        end_fit(self, X, y)
        return self

    @available_if(takes_blocks)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Add a block of predictions to those seen so far, and weigh the models anew.

        Any split into blocks, in any order, gives the sums of one `fit`, and so its
        weights up to rounding. Only for tables of predictions, without
        `sensitive_features`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_models)
            Predictions, or a stream of them as in `fit`.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without. None: no row of the block has one.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As in `fit`, and if the columns or the type of the predictions are not those
            of the blocks before. Then the block does not count.
        """
        check_parameters(self)
        self._add(self._sum_new(X, y, sample_weight))
        self._put_on(backend_of(X))
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Combine the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions, one column per model.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``w'h(x) + b``, in the units of the labels. Where some models give no
            prediction, the others are combined with the weights that come nearest to
            the combination of all; where none does, it is the mean of the labels.

        Warns
        -----
        ConvergenceWarning
            If the weights for a pattern of missing predictions are not certified.
        """
        check_is_fitted(self)
        check_same_namespace(X, self, attribute="weights_", method="predict")
        if not hasattr(self, "estimators_"):
            combined: NDArray[np.float64] = self._combine(self._read(X, reset=False))
            return combined
        self._check_features(X, reset=False)
        # Only members with a nonzero weight are called. If every weight is zero, the
        # prediction is the intercept, and one member is called to count the rows.
        members = np.flatnonzero(self.weights_) if self.weights_.any() else np.arange(1)
        table = self._ask(X, members)
        # If a prediction is missing, members without weight may get one.
        combined = self._combine(self._table(X) if np.isnan(table).any() else table)
        return combined

    def expected_error(self, X: Any) -> NDArray[np.float64]:
        """Squared error to expect of each prediction, by which models answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`.

        Returns
        -------
        ndarray of shape (n_samples,)
            In squared units of the labels: what is expected where all answer (by
            generalized cross-validation), plus what missing predictions add. On a row
            that no model answers it is the variance of the labels. NaN if `fit` had no
            labels.
        """
        check_is_fitted(self)
        return self.combiner_.expected_error(self._answered(X))

    def n_answers(self, X: Any) -> NDArray[np.intp]:
        """Count the models that answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            Models that never answered in `fit` don't count. Where it is zero, the
            prediction is the mean of the labels.
        """
        check_is_fitted(self)
        answered = self._answered(X) & self.combiner_.moments.answering
        n_answers: NDArray[np.intp] = answered.sum(axis=1)
        return n_answers

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the predictions of all models.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions, one column per model.

        Returns
        -------
        ndarray of shape (n_samples, n_models)
            NaN where a prediction is missing.
        """
        check_is_fitted(self)
        check_same_namespace(X, self, attribute="weights_", method="transform")
        table = self._table(X)
        if backend := backend_of(table):
            copied: NDArray[np.float64] = backend.xp.asarray(table, copy=True)
            return copied
        # Return a copy: the next step may write into it, and the table is the caller's.
        return table if hasattr(self, "estimators_") else np.array(table)

    def leaderboard(self) -> Any:
        """List the models, the best alone first.

        Returns
        -------
        pandas.DataFrame or list of dict
            ``model``, ``weight``, ``rmse`` (root mean squared error of the model
            alone), ``bias`` (mean of prediction minus label), both over the labelled
            rows that it answers, out of fold with members, in the units of the labels,
            and ``answered`` (share of these rows). A frame where pandas is installed.
        """
        check_is_fitted(self)
        moments = self.combiner_.moments
        rmse, bias = moments.errors()
        columns = {
            "model": self.model_names_,
            "weight": self.solution_.weights,
            "rmse": rmse,
            "bias": bias,
            "answered": moments.answered,
        }
        order = np.lexsort((self.model_names_.astype(str), rmse))
        return as_frame({key: value[order].tolist() for key, value in columns.items()})

    def _output_names(self) -> Iterable[str]:
        return [str(name) for name in self.model_names_]

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Check a table; remember, or compare, its columns."""
        check_column_names(X, None if reset else self)
        table = check_table(X, type(self).__name__)
        self._check_columns(unmasked(X), table, reset=reset)
        if reset:
            self.model_names_ = names_of_columns(X, table.shape[1])
        return table

    def _table(self, X: Any) -> NDArray[Any]:
        """Predictions of all models; finite, or NaN where one is missing."""
        if not hasattr(self, "estimators_"):
            table = self._read(X, reset=False)
        else:
            self._check_features(X, reset=False)
            table = self._ask(X, range(len(self.estimators_)))
        check_predictions(to_numpy(table), self.model_names_, allow_missing=True)
        return table

    def _answered(self, X: Any) -> NDArray[np.bool_]:
        answered: NDArray[np.bool_] = ~np.isnan(to_numpy(self._table(X)))
        return answered

    def _check_block(
        self, block: Block, *, reset: bool
    ) -> Callable[[], PredictionStatistics]:
        y = check_labels(block.X, block.y, all_rows=False)
        weights = check_weights(block.sample_weight, y, all_rows=False)
        table = self._read(block.X, reset=reset)
        return partial(sum_rows, table, y, weights, self.model_names_)

    def _groups(self) -> tuple[Any, ...]:
        return (self._group_sums,)

    def _weigh(
        self, statistics: PredictionStatistics, groups: Groups = ()
    ) -> list[Warning]:
        combiner = RegressionCombiner.from_statistics(
            statistics, RegressionParameters.of(self), self.model_names_, groups
        )
        backend = backend_of(getattr(self, "weights_", None))
        self.statistics_ = statistics
        self.combiner_, self._group_sums = combiner, groups
        self.error_moments_ = combiner.moments.error_moments
        self.prediction_moments_ = combiner.moments.prediction_moments
        self.moments_per_model_ = combiner.moments.moments_per_model
        self.solution_ = combiner.solution
        self.weights_ = combiner.solution.weights.copy()
        self.intercept_ = float(combiner.solution.intercept)
        self.reliability_ = combiner.reliability
        self._put_on(backend)
        return list(combiner.warnings(statistics))

    def _put_on(self, backend: Backend | None) -> None:
        """Move fitted arrays to where the table is."""
        if self.estimators is None and backend:
            for name in ("weights_", "reliability_"):
                setattr(self, name, backend.put(getattr(self, name)))

    def _combine(self, table: Any) -> Any:
        if backend := backend_of(table):
            wide = backend.xp.astype(table, backend.floats[0])
            combined = backend.xp.matmul(wide, self.weights_) + self.intercept_
            if bool(backend.xp.all(backend.xp.isfinite(combined))):
                return combined
            return backend.put(self._combine(to_numpy(table)))
        combined, solutions = self.combiner_.predict(table)
        self._warn_of(solutions)
        return combined

    @staticmethod
    def _warn_of(solutions: list[Solution]) -> None:
        uncertified = [solution for solution in solutions if solution.warning]
        if uncertified:
            warn_user(
                f"On {len(uncertified)} of {len(solutions)} patterns of answers: "
                f"{uncertified[0].warning}",
                ConvergenceWarning,
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Columns that are not predictions of y cannot be combined well with w >= 0.
        tags.regressor_tags.poor_score = self.estimators is None
        tags.target_tags.required = self.estimators is not None and self.cv != "prefit"
        if self.estimators is None:
            tags.input_tags.allow_nan = True
            tags.array_api_support = True
        return tags
