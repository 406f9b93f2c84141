"""Predicted numbers that come in blocks: sums, and the weights that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if

from stackingnet_sk._compat import backend_of
from stackingnet_sk.ensemble.fitted_regressor import FittedRegressorMixin
from stackingnet_sk.ensemble.number_table import PredictionStatistics, read_rows
from stackingnet_sk.ensemble.streaming import StreamingMixin, takes_blocks
from stackingnet_sk.ensemble.units import unit_warnings
from stackingnet_sk.ensemble.user_constraints import (
    make_user_constraints,
    split_constraint,
)
from stackingnet_sk.ensemble.validation import (
    check_labels,
    check_parameters,
    check_table,
    check_weights,
    names_of_columns,
)
from stackingnet_sk.evidence import AnswerPatterns
from stackingnet_sk.predictions import Block
from stackingnet_sk.weights import (
    Solution,
    Status,
    error_due_to_missing,
    reliability,
    solve_moments,
    solve_unlabelled,
)


class SummingMixin(StreamingMixin, FittedRegressorMixin):
    """Weights of a regressor from sums over rows, which any block can add to."""

    statistics_: PredictionStatistics
    _statistics_name = "statistics_"
    _weighing = ("constraint", "fit_intercept", "shrinkage", "solver")

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
        seen = self._seen()
        new = self._sum_new(X, y, sample_weight)
        self._add(seen, new)
        self._follow(backend_of(X))
        return self

    def _groups(self) -> tuple[Any, ...]:
        return (self._columns,)

    def _check_block(
        self, block: Block, *, reset: bool
    ) -> Callable[[], PredictionStatistics]:
        y = check_labels(block.X, block.y, all_rows=False)
        weights = check_weights(block.sample_weight, y, all_rows=False)
        table = check_table(self, block.X, reset=reset)
        if reset:
            self.model_names_ = names_of_columns(self, block.X)
        return partial(sum_rows, table, y, weights, self.model_names_)

    def _weigh(
        self,
        statistics: PredictionStatistics,
        columns: Sequence[Mapping[str, AnswerPatterns]] = (),
    ) -> list[Warning]:
        strength, known = check_parameters(self), statistics.imputed()
        answering = known.answering.nonzero()[0]
        moments, prediction_moments = (
            each.subset(answering) for each in (known.moments, known.prediction_moments)
        )
        doubts: list[Warning] = [
            UserWarning(doubt)
            for doubt in unit_warnings(
                statistics.extent.take(answering), moments, self.model_names_[answering]
            )
        ]
        if not known.answering.all():
            never_answering = self.model_names_[~known.answering]
            doubts.append(
                UserWarning(
                    f"{[str(name) for name in never_answering[:5]]} never answer (of "
                    f"{len(known.answering)} models {len(never_answering)}): nothing "
                    "is known of them, and they get no weight. Drop them."
                )
            )
        user_constraints = make_user_constraints(
            self.constraint, self.model_names_, columns, known.of_rows
        )
        own = None if user_constraints is None else user_constraints.subset(answering)
        constraint = split_constraint(self.constraint)[0]
        options: dict[str, Any] = {
            "fit_intercept": self.fit_intercept,
            "solver": self.solver,
        }
        error = np.nan
        if moments.weight > 0:
            common = {
                "shrinkage": strength,
                "prediction_moments": prediction_moments,
                **options,
            }
            solution = solve_moments(
                moments, constraint, user_constraints=own, **common
            )
            error = solution.expected_error
            if known.patterns is not None and np.isfinite(error):
                free = solution
                if constraint != "nonnegative" or user_constraints is not None:
                    free = solve_moments(moments, "nonnegative", **common)
                error -= error_due_to_missing(
                    prediction_moments,
                    known.patterns.answered[:, answering],
                    known.patterns.weight,
                    solution.weights,
                    free.weights,
                )
        else:
            solution = solve_unlabelled(prediction_moments, constraint, own)
            constraint = solution.constraint
        if not known.converged:
            solution = replace(solution, status=Status.NOT_CONVERGED)
        if solution.warning:
            doubts.append(ConvergenceWarning(solution.warning))
        backend = backend_of(getattr(self, "weights_", None))
        # How patterns of answers are solved, whatever becomes of the parameters.
        self._rules = {
            "constraint": constraint,
            "user_constraints": user_constraints,
            **options,
        }
        self.statistics_ = statistics
        self.error_moments_, self.prediction_moments_ = (
            known.moments,
            known.prediction_moments,
        )
        self.moments_per_model_ = known.alone
        self._imputed, self._columns = known, columns
        self._patterns: dict[str, Solution] = {}
        solution = solution.expanded(answering, len(known.answering))
        self.weights_ = solution.weights.copy()
        self.intercept_ = float(solution.intercept)
        # Where few labels leave nothing over, the holes are not discounted.
        error = solution.expected_error if error <= 0 else error
        self.solution_ = replace(solution, expected_error=error)
        self.reliability_ = reliability(
            known.moments, known.prediction_moments, known.alone
        )
        self._follow(backend)
        return doubts


def sum_rows(
    table: NDArray[Any],
    labels: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    names: NDArray[np.object_],
) -> PredictionStatistics:
    """Sum up rows that others of the same type may follow.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models)
        Predictions; NaN where a model is silent.
    labels : ndarray of shape (n_rows,)
        Labels; NaN on rows without.
    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.
    names : ndarray of shape (n_models,)
        Names of the models.

    Returns
    -------
    PredictionStatistics

    Raises
    ------
    ValueError
        If a prediction is infinite, or the sums overflow.
    """
    return replace(read_rows(table, labels, weights, names), dtype=_type_name(table))


def _type_name(table: Any) -> str:
    # torch.float32 is numpy's.
    return str(table.dtype).rpartition(".")[2]
