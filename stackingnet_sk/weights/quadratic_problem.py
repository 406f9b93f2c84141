"""Squared error over a constraint set, the problem of combining numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.cvxpy_solver import import_cvxpy
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.problem import (
    Certificate,
    Combination,
    ConicProblem,
    Minimum,
)
from stackingnet_sk.weights.shapes import Array, Covariance, Models, Point, Weights
from stackingnet_sk.weights.solution import CERTIFIED
from stackingnet_sk.weights.uniform import UNIFORM
from stackingnet_sk.weights.user_constraints import UserConstraints, View

# Share of the largest entry of a scaled interior point below which an entry is zero.
# Interior points end at about 1e-11; weights above 1e-8 change the objective by more
# than the conic tolerance can.
_TRACE = 1e-8


@dataclass(frozen=True, eq=False)
class QuadraticProblem:
    """A quadratic objective over a constraint set; the intercept is profiled out.

    A point is the weights. They may be followed by how far the intercept is from the
    best one for these weights, in the units of the moments, if it is not zero.

    `moments` are those of the labelled rows behind the objective. User constraints, the
    intercept and the units of the user need them.
    """

    objective: StackingObjective
    constraint: ConstraintSet
    moments: Moments | None = None
    fit_intercept: bool = False

    @property
    def name(self) -> str:
        """Name of the constraint set."""
        return self.constraint.name

    @property
    def scale(self) -> float:
        """Objective of the uniform weights or of the best model.

        On the cone also that of no model, as predictions may be in any units there.
        """
        if self.constraint.total is not None:
            return self.objective.scale
        return min(self.objective.scale, self.objective.target or np.inf)

    @property
    def ceiling(self) -> float:
        """Objective of the worst model, or of no model on the cone."""
        if self.constraint.total is not None:
            return float(self.objective.error.diagonal().max())
        return self.objective.target

    @property
    def is_single_point(self) -> bool:
        """Whether the weights are uniform."""
        return self.constraint is UNIFORM

    @property
    def is_flat(self) -> bool:
        """Whether no weight changes anything, as with constants and an intercept."""
        return self.constraint.total is None and not self.objective.curvature.any()

    def value(self, point: Point) -> float:
        """Return the mean squared error plus the penalty, in squares of the moments."""
        weights, offset = self.split(point)
        return self.objective.value(weights) + offset**2

    def split(self, point: Point) -> tuple[Weights, float]:
        """Split a point into weights and the offset of the intercept."""
        n_models = len(self.objective.error)
        if len(point) == n_models:
            return point, 0.0
        return point[:n_models], float(point[-1])

    def minimize(self) -> Minimum:
        """Minimize with the solver of the constraint set."""
        return Minimum(*self.constraint.optimize(self.objective))

    def certify(self, point: Point) -> Certificate:
        """Certify weights by the constraint set, and the offset of the intercept.

        A mean square that is negative by more than rounding shows that the arithmetic
        has no correct digit left, so nothing is proven.
        """
        weights, offset = self.split(point)
        objective = self.objective
        gap, residual = self.constraint.certify(objective, weights)
        value = objective.value(weights)
        if value < 0 and value < -CERTIFIED * objective.plain_error:
            gap = residual = np.inf
        violation = self.constraint.violation(weights)
        if offset:
            # Without an intercept there is no other feasible value than zero.
            share = abs(offset) / sqrt(self.scale)
            value += offset**2
            gap, residual = gap + share**2, max(residual, share)
            violation = violation if self.fit_intercept else max(violation, share)
        if self.moments is not None:
            value = value / self.moments.scale / self.moments.scale
        return Certificate(gap, max(residual, violation), violation, value)

    def proof(self, certificate: Certificate) -> tuple[float, ...]:
        """Return gap and residual, or the residual alone where there is no gap.

        On the cone the residual is a share of a standard deviation and the gap one of a
        variance: a residual of ``r`` can be removed for a gain of about ``r^2``.
        """
        if certificate.gap == np.inf:
            return (certificate.residual,)
        if self.constraint.total is None:
            return certificate.gap, certificate.residual**2
        return certificate.gap, certificate.residual

    def roundoff(self, point: Point) -> float:
        """Bound the rounding of the objective, relative; zero where it is too large.

        Weights whose errors nearly cancel are large against what is left of them.
        It is zero if rounding is not small beside the error of a plain rival: then an
        excess over the tolerance must not pass as rounding.
        """
        weights = np.abs(self.split(point)[0])
        terms = float(weights @ np.abs(self.objective.error) @ weights)
        rounding = 10.0 * np.finfo(float).eps * self.objective.n_models * terms
        if rounding > CERTIFIED * self.objective.plain_error:
            return 0.0
        return rounding / self.scale

    def project(self, point: Point) -> Point:
        """Apply bounds and sum, and drop the traces that interior points leave."""
        weights, offset = self.split(point)
        weights = np.maximum(weights, self.constraint.lower)
        size = np.abs(weights) / self._units(max(self.scale, self.value(point)))
        weights = np.where(size > _TRACE * size.max(), weights, 0.0)
        if self.constraint.total is not None:
            weights *= self.constraint.total / weights.sum()
        return np.append(weights, offset) if self.fit_intercept else weights

    def _units(self, unit: float) -> Weights:
        """Size of weights with which a model alone adds `unit` to the objective.

        Weights that sum to one are not larger than about one. On the cone a model
        predicts the target at most, and models without variance have no natural unit.
        """
        if self.constraint.total is not None:
            size = np.sqrt(np.maximum(self.objective.error.diagonal(), unit))
            return np.asarray(np.sqrt(unit) / size)
        size = np.sqrt(np.maximum(self.objective.curvature.diagonal(), 0.0))
        goal = np.sqrt(max(unit, self.objective.target))
        return np.divide(goal, size, out=np.ones_like(size), where=size > 0)

    def _best_intercept(self, weights: Weights) -> float:
        """Compute the best intercept without forming the means of the predictions."""
        if self.moments is None or not self.fit_intercept:
            return 0.0
        label = float(self.moments.mean[-1])
        bias = float(self.moments.mean[:-1] @ weights)
        return (1.0 - float(weights.sum())) * label - bias

    def combination(self, point: Point) -> Combination:
        """Return weights and intercept in the units of the target."""
        weights, offset = self.split(point)
        if self.moments is None:
            return Combination(weights, offset)
        intercept = self._best_intercept(weights) + offset
        return Combination(weights, intercept / self.moments.scale)

    def point_of(self, combination: Combination) -> Point:
        """Return weights and the offset of the intercept."""
        weights, intercept, *_ = combination
        unit = 1.0 if self.moments is None else self.moments.scale
        offset = float(intercept) * unit - self._best_intercept(weights)
        return np.append(weights, offset) if offset else weights

    def restricted(self, models: Models) -> QuadraticProblem:
        """Return the problem of some of the models."""
        moments = None if self.moments is None else self.moments.subset(models)
        objective = self.objective.restricted(models)
        return replace(self, objective=objective, moments=moments)

    def conic(
        self, user_constraints: UserConstraints | None = None, unit: float | None = None
    ) -> ConicProblem:
        """Express the problem in cvxpy's terms, for objectives of about `unit`."""
        cp, objective = import_cvxpy(), self.objective
        unit = self.scale if unit is None else unit
        root = np.sqrt(unit)
        # Data may be far from zero, so the intercept is measured from the best one, and
        # in units of the labels' spread, because solvers want numbers about one.
        spread = 1.0 if self.moments is None else _label_spread(self.moments)
        units = np.append(self._units(unit), spread)
        variable = cp.Variable(len(units))
        weights = cp.multiply(units[:-1], variable[:-1])
        offset = spread * variable[-1]
        free_slope = self.constraint.total is None
        quadratic = objective.free_slope_error if free_slope else objective.error
        loss = cp.sum_squares((_root(quadratic) * units[:-1] / root) @ variable[:-1])
        hard = []
        if self.constraint is UNIFORM:
            hard.append(weights == np.full(objective.n_models, 1 / objective.n_models))
        if free_slope:
            miss = objective.slopes @ weights - 1.0
            loss += cp.square((np.sqrt(objective.target) / root) * miss)
        else:
            hard.append(cp.sum(weights) == self.constraint.total)
        if np.isfinite(self.constraint.lower):
            hard.append(weights >= self.constraint.lower)
        if self.fit_intercept:
            loss += cp.square((spread / root) * variable[-1])
        else:
            hard.append(variable[-1] == 0)

        def gradient(point: Point) -> Point:
            weights, offset = self.split(point)
            return np.append(objective.gradient(weights), 2.0 * offset) / unit

        view = self._view(cp, weights, offset, user_constraints)
        return ConicProblem(variable, units, loss, hard, gradient, view, unit)

    def _view(
        self,
        cp: Any,
        weights: Any,
        offset: Any,
        user_constraints: UserConstraints | None,
    ) -> View:
        """Express what user constraints can refer to."""
        size = self.objective.n_models
        zero = np.zeros((size + 1, size + 1))
        moments = self.moments or Moments(1.0, 1, zero[0], zero, 1.0)
        if user_constraints is None:
            user_constraints = UserConstraints((), [str(m) for m in range(size)])
        # The best intercept for given weights is start + along @ weights.
        along, start, unit = np.zeros(size), 0.0, _label_spread(moments)
        if self.fit_intercept:
            start = float(moments.mean[-1])
            along = -(moments.mean[:-1] + start)
        embedding = user_constraints.embedding
        all_weights = embedding @ weights

        def bias(group: Moments) -> Any:
            group = group.rescaled(moments.scale)
            label = float(group.mean[-1])
            # Differences of means, so that data may be far from zero.
            slopes = (group.mean[:-1] + label) @ embedding + along
            return (slopes / unit) @ weights + ((start - label) + offset) / unit

        def squared_error(group: Moments) -> Any:
            group = group.rescaled(moments.scale)
            parts = cp.hstack([all_weights, cp.sum(all_weights) - 1.0])
            root = _root(group.scatter / group.weight) / unit
            return cp.sum_squares(root @ parts) + cp.square(bias(group))

        return View(
            cp,
            all_weights,
            (along @ weights + start + offset) / moments.scale,
            user_constraints.names,
            lambda: user_constraints.per_group(bias),
            lambda: user_constraints.per_group(squared_error),
            unit / moments.scale,
        )


def _label_spread(moments: Moments) -> float:
    """Measure the spread of the labels, in the units of the moments; one if zero."""
    return float(np.sqrt(moments.scatter[-1, -1] / moments.weight)) or 1.0


def _root(quadratic: Covariance) -> Array:
    values, vectors, unit = equilibrated(quadratic)
    return (np.sqrt(np.maximum(values, 0.0)) * vectors).T * unit
