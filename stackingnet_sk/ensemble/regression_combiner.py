"""The fitted combiner of numbers: from statistics to weights, from rows to answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from stackingnet_sk.ensemble.units import unit_warnings
from stackingnet_sk.ensemble.user_constraints import (
    make_user_constraints,
    split_constraint,
)
from stackingnet_sk.ensemble.validation import check_parameters
from stackingnet_sk.evidence import (
    AnswerPatterns,
    ImputedMoments,
    PredictionModel,
    PredictionStatistics,
    group_patterns,
)
from stackingnet_sk.predictions import check_predictions
from stackingnet_sk.weights import (
    InfeasibleError,
    Solution,
    Status,
    UnitsError,
    UserConstraints,
    error_due_to_missing,
    reliability,
    solve_moments,
    solve_pattern,
    solve_unlabelled,
)

# Solutions of patterns of answers that are kept for the next call.
_MOST_PATTERNS = 100_000
# Numbers of a table that are converted to double precision at once: they stay in the
# cache of the processor.
_BATCH = 100_000

Groups = Sequence[Mapping[str, AnswerPatterns]]


class RegressionParameters(NamedTuple):
    """Parameters of a regressor that its weights depend on, besides the rows."""

    constraint: Any
    fit_intercept: bool
    shrinkage: float | str
    solver: str

    @classmethod
    def of(cls, estimator: Any) -> RegressionParameters:
        """Check the parameters of an estimator; a ValueError names a wrong one."""
        shrinkage = check_parameters(estimator)
        fit_intercept = bool(estimator.fit_intercept)
        return cls(estimator.constraint, fit_intercept, shrinkage, estimator.solver)


@dataclass(frozen=True, eq=False)
class RegressionCombiner:
    """Weights, the statistics they come from, and how rows are combined with them.

    `groups` holds, for each column of groups, the labelled rows of each group.
    `moments` are the second moments of the combined models. `models` are the indices of
    the models that are combined, or None for all; the weight of a model that never
    answers is zero.
    """

    statistics: PredictionStatistics
    parameters: RegressionParameters
    model_names: NDArray[np.object_]
    groups: Groups
    moments: ImputedMoments
    solution: Solution
    constraint_set: str
    user_constraints: UserConstraints | None
    models: NDArray[np.intp] | None = None
    _solutions: dict[str, Solution] = field(default_factory=dict)

    @classmethod
    def from_statistics(
        cls,
        statistics: PredictionStatistics,
        parameters: RegressionParameters,
        model_names: NDArray[np.object_],
        groups: Groups = (),
        models: NDArray[np.intp] | None = None,
    ) -> RegressionCombiner:
        """Solve for the weights of some models, or of all if `models` is None.

        A ValueError is raised if no model answers any row, or if a group has no
        labelled row that counts; an InfeasibleError if no weights fulfil all
        constraints.
        """
        combined = statistics if models is None else statistics.subset(models)
        moments = of_all_models = combined.imputed()
        if models is not None and groups:
            # Limits on groups are about the weights of all models.
            of_all_models = statistics.imputed()
        user_constraints = make_user_constraints(
            parameters.constraint, model_names, groups, of_all_models.of_group
        )
        if models is not None and user_constraints is not None:
            user_constraints = user_constraints.subset(models)
        constraint_set = split_constraint(parameters.constraint)[0]
        try:
            solution = _solve(moments, constraint_set, user_constraints, parameters)
        except UnitsError as error:
            names = model_names if models is None else model_names[models]
            raise UnitsError(names[moments.answering][error.model]) from error
        if moments.error_moments.weight == 0:
            constraint_set = solution.constraint
        return cls(
            statistics,
            parameters,
            model_names,
            groups,
            moments,
            solution,
            constraint_set,
            user_constraints,
            models,
        )

    def subset(self, models: NDArray[np.intp]) -> RegressionCombiner:
        """Combine some of the models only, given by their indices."""
        return self.from_statistics(
            self.statistics,
            self.parameters,
            self.model_names,
            self.groups,
            models if self.models is None else self.models[models],
        )

    def refitted(
        self, statistics: PredictionStatistics, groups: Groups = ()
    ) -> RegressionCombiner:
        """Combine the same models with weights from other rows."""
        return self.from_statistics(
            statistics, self.parameters, self.model_names, groups
        )

    @property
    def combined_names(self) -> NDArray[np.object_]:
        """Names of the combined models."""
        return (
            self.model_names if self.models is None else self.model_names[self.models]
        )

    @cached_property
    def reliability(self) -> NDArray[np.float64]:
        """Reliability of each combined model."""
        return reliability(
            self.moments.error_moments,
            self.moments.prediction_moments,
            self.moments.moments_per_model,
        )

    def predict(
        self, table: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], list[Solution]]:
        """Combine a table (n_rows, n_models) whose missing entries are NaN.

        Returns the predictions (n_rows,), and the solutions for the patterns of answers
        of the rows with missing entries. A ValueError is raised if a prediction is
        infinite; an InfeasibleError if the models that answer a row cannot fulfil the
        constraints.
        """
        weights, intercept = self.solution.weights, float(self.solution.intercept)
        if table.dtype == weights.dtype:
            combined = table @ weights + intercept
        else:
            combined = np.empty(len(table))
            for rows in gen_batches(len(table), max(1, _BATCH // len(weights))):
                combined[rows] = table[rows] @ weights + intercept
        incomplete = ~np.isfinite(combined)
        if not incomplete.any():
            return combined, []
        check_predictions(table, self.combined_names, allow_missing=True)
        missing = np.isnan(table[incomplete])
        solutions, pattern = self.solve_rows(~missing, np.flatnonzero(incomplete))
        row_weights = np.stack([answer.weights for answer in solutions])[pattern]
        intercepts = np.array([answer.intercept for answer in solutions])[pattern]
        predictions = np.where(missing, 0.0, table[incomplete])
        combined[incomplete] = (
            np.einsum("ij,ij->i", predictions, row_weights) + intercepts
        )
        return combined, solutions

    def solve_rows(
        self, answered: NDArray[np.bool_], rows: NDArray[np.intp]
    ) -> tuple[list[Solution], NDArray[np.intp]]:
        """Solve for the weights once for each pattern of `answered` (n_rows, n_models).

        Returns the solutions, and for each row the index of its solution. `rows` are
        numbers of the rows, for error messages.
        """
        answered = answered & self.moments.answering
        patterns, pattern, _ = group_patterns(answered)
        model = PredictionModel.from_moments(self.moments.prediction_moments)
        solutions = []
        for number, answering in enumerate(patterns):
            key = np.packbits(answering).tobytes().hex()
            solution = self._solutions.get(key)
            if solution is None:
                try:
                    solution = self._solve_pattern(model, answering)
                except InfeasibleError as error:
                    row = rows[(pattern == number).argmax()]
                    names = self.combined_names[answering].tolist()
                    raise InfeasibleError(
                        f"Row {row}, where only {names[:10]} answer: {error} Beside "
                        "'nonnegative' weights may sum to less, and the intercept "
                        "makes up."
                    ) from None
                if len(self._solutions) < _MOST_PATTERNS:
                    self._solutions[key] = solution
            solutions.append(solution)
        return solutions, pattern

    def expected_error(self, answered: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Squared error to expect of each row, by which models answer it."""
        solutions, pattern = self.solve_rows(answered, np.arange(len(answered)))
        added = np.array([solution.objective for solution in solutions])[pattern]
        error = self.solution.expected_error + added
        answered = answered & self.moments.answering
        error[~answered.any(axis=1)] = self.without_answers()[1]
        return error

    def _solve_pattern(
        self, model: PredictionModel, answered: NDArray[np.bool_]
    ) -> Solution:
        if not answered.any():
            constant = replace(self.solution, weights=np.zeros(len(answered)))
            return replace(constant, intercept=self.without_answers()[0], objective=0.0)
        return solve_pattern(
            model,
            self.solution,
            answered,
            self.constraint_set,
            fit_intercept=self.parameters.fit_intercept,
            solver=self.parameters.solver,
            user_constraints=self.user_constraints,
        )

    def without_answers(self) -> tuple[float, float]:
        """Return the prediction of a row that no model answers, and its squared error.

        The mean of the labels, and the squared error to expect of it; without labels
        the prediction for average rows, and NaN.
        """
        labels = self.moments.label_moments
        if labels.weight == 0:
            moments = self.moments.prediction_moments
            mean = moments.mean[:-1] / moments.scale
            average = float(mean @ self.solution.weights)
            return average + float(self.solution.intercept), np.nan
        remaining = 1.0 - 1.0 / labels.n_effective
        if remaining <= 0:
            error = np.inf
        else:
            spread = float(np.sqrt(labels.scatter[-1, -1] / labels.weight))
            error = np.square(spread / remaining / labels.scale)
        return float(labels.mean[-1]) / labels.scale, float(error)

    def warnings(self, statistics: PredictionStatistics) -> Iterator[Warning]:
        """Yield what a user should know about the fit to these statistics."""
        answering = self.moments.answering
        models = answering.nonzero()[0]
        for message in unit_warnings(
            statistics.extent.subset(models),
            self.moments.error_moments.subset(models),
            self.combined_names[answering],
        ):
            yield UserWarning(message)
        if not answering.all():
            never_answering = self.combined_names[~answering]
            yield UserWarning(
                f"{[str(name) for name in never_answering[:5]]} never answer (of "
                f"{len(answering)} models {len(never_answering)}): nothing is known of "
                "them, and they get no weight. Drop them."
            )
        if self.solution.warning:
            yield ConvergenceWarning(self.solution.warning)


def _solve(
    moments: ImputedMoments,
    constraint_set: str,
    user_constraints: UserConstraints | None,
    parameters: RegressionParameters,
) -> Solution:
    """Solve for the models that answer; the others get weight zero."""
    answering = moments.answering
    models = answering.nonzero()[0]
    error_moments = moments.error_moments.subset(models)
    prediction_moments = moments.prediction_moments.subset(models)
    limits = None if user_constraints is None else user_constraints.subset(models)
    expected_error = np.nan
    if error_moments.weight > 0:
        options: dict[str, Any] = {
            "prediction_moments": prediction_moments,
            "shrinkage": parameters.shrinkage,
            "fit_intercept": parameters.fit_intercept,
            "solver": parameters.solver,
        }
        solution = solve_moments(
            error_moments, constraint_set, user_constraints=limits, **options
        )
        expected_error = solution.expected_error
        if moments.patterns is not None and np.isfinite(expected_error):
            slopes = solution.weights
            if constraint_set != "nonnegative" or limits is not None:
                slopes = solve_moments(error_moments, "nonnegative", **options).weights
            expected_error -= error_due_to_missing(
                prediction_moments,
                moments.patterns.answered[:, models],
                moments.patterns.weight,
                solution.weights,
                slopes,
            )
    else:
        solution = solve_unlabelled(prediction_moments, constraint_set, limits)
    if expected_error <= 0:
        # With few labels the correction for missing predictions can exceed the error.
        expected_error = solution.expected_error
    if not moments.converged:
        solution = replace(solution, status=Status.NOT_CONVERGED)
    solution = solution.expanded(models, len(answering))
    return replace(solution, expected_error=expected_error)
