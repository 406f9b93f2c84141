"""Log loss of the linear opinion pool, as a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stackingnet_sk.weights.cvxpy_solver import import_cvxpy
from stackingnet_sk.weights.linear_pool import (
    LinearPoolObjective,
    minimize_linear_pool,
)
from stackingnet_sk.weights.problem import (
    Certificate,
    Combination,
    ConicProblem,
    LogLossProblem,
    Minimum,
)
from stackingnet_sk.weights.shapes import Point, Table, Vector
from stackingnet_sk.weights.user_constraints import UserConstraints, View


@dataclass(frozen=True, eq=False)
class PoolProblem(LogLossProblem):
    """Penalized log loss of a mixture, per row; a point is its weights."""

    objective: LinearPoolObjective
    n_classes: int
    name = "pool"

    def minimize(self) -> Minimum:
        """Minimize by sequential quadratic programming."""
        return Minimum(*minimize_linear_pool(self.objective))

    def certify(self, point: Point) -> Certificate:
        """Certify weights on the simplex."""
        gap, residual = self.objective.certify(point)
        off = max(abs(float(point.sum()) - 1.0), -float(point.min()), 0.0)
        return Certificate(gap, residual, off, self.value(point))

    def proof(self, certificate: Certificate) -> tuple[float, ...]:
        """Return gap and residual."""
        return certificate.gap, certificate.residual

    def project(self, point: Point) -> Point:
        """Apply the bounds and the sum."""
        inside = np.maximum(point, 0.0)
        return inside / float(inside.sum())

    def combination(self, point: Point) -> Combination:
        """Return the weights, no intercept, and the weights as matrices."""
        vote_weights = point[:, None, None] * np.eye(self.n_classes)
        return Combination(point, np.zeros(self.n_classes), vote_weights)

    def point_of(self, combination: Combination) -> Point:
        """Return the weights."""
        return combination.weights

    def conic(
        self, user_constraints: UserConstraints | None = None, unit: float | None = None
    ) -> ConicProblem:
        """Express the problem in cvxpy's terms, for objectives of about `unit`."""
        cp, objective = import_cvxpy(), self.objective
        unit = objective.scale if unit is None else unit
        weights = cp.Variable(len(objective.center))
        share = objective.weights / objective.total
        loss = -(share @ cp.log(objective.likelihood @ weights))
        pull = 0.5 * objective.strength / objective.total
        loss += pull * cp.sum_squares(weights - objective.center)
        constraints = user_constraints or UserConstraints()

        def mean_probability(group: tuple[Table, Vector]) -> Any:
            likelihood, omega = group
            return (omega / omega.sum()) @ (likelihood @ weights)

        def log_loss(group: tuple[Table, Vector]) -> Any:
            likelihood, omega = group
            return (omega / omega.sum()) @ -cp.log(likelihood @ weights)

        view = View(
            cp,
            weights,
            cp.Constant(0.0),
            constraints.names,
            lambda: constraints.per_group(mean_probability),
            lambda: constraints.per_group(log_loss),
            1.0,
        )
        return ConicProblem(
            weights,
            np.ones(len(objective.center)),
            loss / unit,
            [weights >= 0, cp.sum(weights) == 1],
            lambda point: objective.gradient(point) / unit,
            view,
            unit,
        )
