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

from stackingnet_sk._compat import place_of
from stackingnet_sk.ensemble.fitted_regressor import FittedRegressorMixin
from stackingnet_sk.ensemble.limiting import make_limits, split_constraint
from stackingnet_sk.ensemble.number_table import PanelStatistics, read_rows
from stackingnet_sk.ensemble.streaming import StreamingMixin, takes_blocks
from stackingnet_sk.ensemble.units import doubt_units
from stackingnet_sk.ensemble.validation import (
    check_labels,
    check_parameters,
    check_table,
    check_weights,
    names_of_columns,
)
from stackingnet_sk.predictions import Block
from stackingnet_sk.weights import (
    AnswerPatterns,
    Solution,
    due_to_holes,
    reliability,
    solve_moments,
    solve_unlabelled,
)


class SummingMixin(StreamingMixin, FittedRegressorMixin):
    """Weights of a regressor from sums over rows, which any block can add to."""

    statistics_: PanelStatistics
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
        self._follow(place_of(X))
        return self

    def _groups(self) -> tuple[Any, ...]:
        return (self._columns,)

    def _check_block(
        self, block: Block, *, reset: bool
    ) -> Callable[[], PanelStatistics]:
        y = check_labels(block.X, block.y, all_rows=False)
        weights = check_weights(block.sample_weight, y, all_rows=False)
        table = check_table(self, block.X, reset=reset)
        if reset:
            self.model_names_ = names_of_columns(self, block.X)
        return partial(sum_rows, table, y, weights, self.model_names_)

    def _weigh(
        self,
        statistics: PanelStatistics,
        columns: Sequence[Mapping[str, AnswerPatterns]] = (),
    ) -> list[Warning]:
        strength, known = check_parameters(self), statistics.panel()
        heard = known.heard.nonzero()[0]
        moments, everything = (
            each.subset(heard) for each in (known.moments, known.everything)
        )
        doubts: list[Warning] = [
            UserWarning(doubt)
            for doubt in doubt_units(
                statistics.extent.take(heard), moments, self.model_names_[heard]
            )
        ]
        if not known.heard.all():
            unheard = self.model_names_[~known.heard]
            doubts.append(
                UserWarning(
                    f"{[str(name) for name in unheard[:5]]} never answer (of "
                    f"{len(known.heard)} models {len(unheard)}): nothing is known of "
                    "them, and they get no weight. Drop them."
                )
            )
        limits = make_limits(self.constraint, self.model_names_, columns, known.of_rows)
        own = None if limits is None else limits.subset(heard)
        constraint = split_constraint(self.constraint)[0]
        options: dict[str, Any] = {
            "fit_intercept": self.fit_intercept,
            "solver": self.solver,
        }
        error = np.nan
        if moments.weight > 0:
            common = {"shrinkage": strength, "everything": everything, **options}
            solution = solve_moments(moments, constraint, limits=own, **common)
            error = solution.expected_error
            if known.patterns is not None and np.isfinite(error):
                free = solution
                if constraint != "nonnegative" or limits is not None:
                    free = solve_moments(moments, "nonnegative", **common)
                error -= due_to_holes(
                    everything,
                    known.patterns.answered[:, heard],
                    known.patterns.weight,
                    solution.weights,
                    free.weights,
                )
        else:
            solution = solve_unlabelled(everything, constraint, own)
            constraint = solution.constraint
        if solution.doubt:
            doubts.append(ConvergenceWarning(solution.doubt))
        place = place_of(getattr(self, "weights_", None))
        # How patterns of answers are solved, whatever becomes of the parameters.
        self._rules = {"constraint": constraint, "limits": limits, **options}
        self.statistics_ = statistics
        self.moments_, self.everything_ = known.moments, known.everything
        self.alone_ = known.alone
        self._panel, self._columns = known, columns
        self._patterns: dict[str, Solution] = {}
        self.weights_ = np.zeros(len(known.heard))
        self.weights_[heard] = solution.weights
        self.intercept_ = float(solution.intercept)
        # Where few labels leave nothing over, the holes are not discounted.
        error = solution.expected_error if error <= 0 else error
        self.solution_ = replace(
            solution, weights=self.weights_.copy(), expected_error=error
        )
        self.reliability_ = reliability(known.moments, known.everything, known.alone)
        self._follow(place)
        return doubts


def sum_rows(
    table: NDArray[Any],
    labels: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    names: NDArray[np.object_],
) -> PanelStatistics:
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
    PanelStatistics

    Raises
    ------
    ValueError
        If a prediction is infinite, or the sums overflow.
    """
    return replace(read_rows(table, labels, weights, names), dtype=_type_name(table))


def _type_name(table: Any) -> str:
    # torch.float32 is numpy's.
    return str(table.dtype).rpartition(".")[2]
