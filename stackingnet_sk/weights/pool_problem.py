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
    Minimum,
)
from stackingnet_sk.weights.shapes import Point
from stackingnet_sk.weights.user_constraints import UserConstraints, View


@dataclass(frozen=True, eq=False)
class PoolProblem:
    """Penalized log loss of a mixture; a point is its weights."""

    objective: LinearPoolObjective
    n_classes: int
    name = "pool"
    is_single_point = False
    is_flat = False

    @property
    def scale(self) -> float:
        """Log loss of the uniform weights, in nats a row."""
        return self.objective.scale

    @property
    def ceiling(self) -> float:
        """The same as `scale`: log losses are of one order of magnitude."""
        return self.scale

    def value(self, point: Point) -> float:
        """Return the penalized log loss, in nats a row."""
        return self.objective.value(point)

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

    def roundoff(self, point: Point) -> float:
        """Return zero: the solver ends far below the tolerance."""
        return 0.0

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
        constraints = user_constraints or UserConstraints((), ())

        def by_group(measure: Any) -> list[dict[str, Any]]:
            return [
                {
                    name: (omega / omega.sum()) @ measure(likelihood)
                    for name, (likelihood, omega) in column.items()
                }
                for column in constraints.groups
            ]

        view = View(
            cp,
            weights,
            cp.Constant(0.0),
            constraints.names,
            lambda: by_group(lambda likelihood: likelihood @ weights),
            lambda: by_group(lambda likelihood: -cp.log(likelihood @ weights)),
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
