"""Quadratic problems under the user's own constraints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.cvxpy_problems import label_spread, quadratic_problem
from stackingnet_sk.weights.cvxpy_solver import minimize_within
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.solution import CERTIFIED, Solution, Status, conic_status
from stackingnet_sk.weights.subset import best_subset
from stackingnet_sk.weights.user_constraints import InfeasibleError, UserConstraints

# Problems to solve at most for the best subset, natively or through cvxpy.
_MOST_NODES = 1_000_000
_MOST_CONIC = 2_000
# Share of the largest below which a weight, times its model's spread, is a trace.
_TRACE = 1e-8


@dataclass(frozen=True, eq=False)
class LimitedProblem:
    """A quadratic problem with limits.

    Parameters
    ----------
    objective : StackingObjective
        The objective, its intercept profiled out.
    constraint : ConstraintSet
        The set.
    moments : Moments
        Moments of the labelled rows that it is from.
    user_constraints : UserConstraints
        The user's constraints.
    fit_intercept : bool
        Whether there is an intercept.
    native : callable
        ``native(objective) -> Solution``: solves without limits.
    """

    objective: StackingObjective
    constraint: ConstraintSet
    moments: Moments
    user_constraints: UserConstraints
    fit_intercept: bool
    native: Callable[[StackingObjective], Solution]

    def solve(self) -> Solution:
        """Minimize the objective.

        Returns
        -------
        Solution
            Its intercept is in the units of the moments.

        Raises
        ------
        InfeasibleError
            If no weights fulfil all constraints.
        """
        at_most = self.user_constraints.at_most
        if at_most is None or at_most >= self.objective.n_models:
            return self._convex()
        size = self.objective.n_models
        nodes = _MOST_CONIC if self.user_constraints.builders else _MOST_NODES
        found = best_subset(self._relaxation, size, at_most, nodes)
        if not np.isfinite(found.value):
            # What can't hold for all models is named.
            self._convex(certify=False)
            raise InfeasibleError(
                f"No {at_most} models fulfil {self.user_constraints.builders}; allow "
                "more models, or loosen the others."
            )
        # Weights of zero are optimal where nothing is to be explained.
        models = found.models if found.models.size else np.arange(1)
        part = self._restricted(models)
        best = part._convex()
        # All relative to the objective of all models.
        unit = part.objective.scale / self.objective.scale
        missed = max(found.value - found.bound, 0.0) / self.objective.scale
        exact = missed <= CERTIFIED
        status = best.status
        if status is not Status.INACCURATE:
            status = Status.BEST_SUBSET if exact else Status.BOUNDED_SUBSET
        return replace(
            best,
            weights=self._expanded(best.weights, models),
            gap=unit * best.gap + missed,
            residual=unit * best.residual + missed,
            iterations=found.nodes,
            status=status,
        )

    def _restricted(self, models: NDArray[np.intp]) -> LimitedProblem:
        return replace(
            self,
            objective=self.objective.restricted(models),
            moments=self.moments.subset(models),
            user_constraints=self.user_constraints.subset(models),
        )

    def _expanded(
        self, own: NDArray[np.float64], models: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        weights = np.zeros(self.objective.n_models)
        weights[models] = own
        return weights

    def _relaxation(
        self, models: NDArray[np.intp]
    ) -> tuple[float, NDArray[np.float64]]:
        if not models.size:
            return np.inf, np.zeros(self.objective.n_models)
        own = self._restricted(models)
        if not self.user_constraints.builders:
            weights = self.constraint.optimize(own.objective)[0]
            return own.objective.value(weights), self._expanded(weights, models)
        try:
            solution = own._convex(certify=False)
        except InfeasibleError:
            return np.inf, np.zeros(self.objective.n_models)
        return solution.objective, self._expanded(solution.weights, models)

    def _intercept(self, weights: NDArray[np.float64]) -> float:
        """Profile it out, without forming the means of the predictions."""
        if not self.fit_intercept:
            return 0.0
        label = float(self.moments.mean[-1])
        bias = float(self.moments.mean[:-1] @ weights)
        return (1.0 - float(weights.sum())) * label - bias

    def _onto_set(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = np.maximum(point[:-1], self.constraint.lower)
        # Interior points leave traces of models that have no weight.
        size = np.abs(weights) * np.sqrt(self.objective.curvature.diagonal())
        weights = np.where(size > _TRACE * size.max(), weights, 0.0)
        return np.append(weights, point[-1] if self.fit_intercept else 0.0)

    def _convex(self, *, certify: bool = True) -> Solution:
        native = self.native(self.objective)
        native = replace(native, intercept=self._intercept(native.weights))
        if not self.user_constraints.builders:
            return native
        problem = quadratic_problem(
            self.objective,
            self.constraint,
            self.moments,
            self.user_constraints,
            fit_intercept=self.fit_intercept,
        )
        free = np.append(native.weights, 0.0)
        answer = minimize_within(
            problem,
            self.user_constraints.builders,
            free,
            self._onto_set,
            certify=certify,
        )
        if answer is None:
            return native
        weights = answer.point[:-1]
        off = float(answer.point[-1]) * label_spread(self.moments)
        return replace(
            native,
            weights=weights,
            intercept=self._intercept(weights) + off,
            objective=max(self.objective.value(weights), 0.0) + off**2,
            gap=answer.gap,
            residual=answer.gap,
            iterations=answer.iterations,
            status=conic_status(answer.gap),
            solver="cvxpy",
            backend=answer.backend,
        )
