"""The linear opinion pool: a mixture of the models' probabilities under log loss.

Method: sequential quadratic programming. Each step is a simplex-constrained regression
of the constant 1 on the models' probabilities relative to the pool's, less one, which
the quadratic kernel solves. Strength: a duality gap at rounding level after a few
passes over the rows, where expectation-maximization needs thousands. Limit: rows to
whose label no model gives any probability do not inform the weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg.blas import dsyrk

from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.shapes import Table, Vector, Weights
from stackingnet_sk.weights.simplex import SIMPLEX

# Rows at a time: a block's ratios stay in the cache.
_BLOCK = 2048
# A sample of one row in this many ends so near the optimum that about three steps on
# all rows are left.
_SAMPLED = 16
# Least unit of relative figures, in nats per row.
_LEAST_LOSS = 1e-3
# A step leaves this share, at least, of each row's probability. It is shortened if it
# leaves less than the second number, which is smaller to allow for rounding.
_KEPT, _LOST = 0.1, 0.0999
_MAX_STEPS = 100
_MAX_HALVINGS = 40
# Duality gap, relative to the scale, at which the steps end.
_ENOUGH = 1e-12
# Duality gap, relative to the scale, from which a full Newton step can be the last.
_NEARLY = 1e-6
# Expected decrease, relative to the objective, that its rounding can hide.
_ROUNDING = 1e-12
# Share of the expected decrease that a step must reach (Armijo's usual constant).
_ARMIJO = 1e-4


@dataclass(frozen=True, eq=False)
class LinearPoolObjective:
    r"""Penalized log loss of a mixture, as a function of its weights on the simplex.

    .. math:: f(w) = \frac{1}{n} \left( - \sum_i \omega_i \log a_i' w
              + \frac{k}{2} |w - u|^2 \right)

    with `likelihood` ``a_im``, the probability that model m gives to the label of row
    i, positive for some model of each row; `weights` ``omega`` of the rows, positive
    and of sum n; `center` ``u``, on the simplex; and `strength` ``k``, in
    pseudo-observations.
    """

    likelihood: Table
    weights: Vector
    center: Weights
    strength: float

    @cached_property
    def total(self) -> float:
        """``n``."""
        return float(self.weights.sum())

    @cached_property
    def scale(self) -> float:
        """Unit of every relative figure: the log loss of the uniform weights."""
        uniform = _uniform(self)
        # If all models are sure and right, the loss is zero and every relative figure
        # is rounding.
        return max(self._loss(self.likelihood @ uniform), _LEAST_LOSS)

    def _loss(self, pooled: Vector) -> float:
        return -float(self.weights @ np.log(pooled)) / self.total

    def value(self, weights: Weights) -> float:
        """``f(w)``, in nats a row; infinity where a row becomes impossible."""
        pooled = self.likelihood @ weights
        if not pooled.min(initial=1.0) > 0:
            return np.inf
        moved = weights - self.center
        penalty = 0.5 * self.strength / self.total * float(moved @ moved)
        return self._loss(pooled) + penalty

    def gradient(self, weights: Weights) -> Weights:
        """Gradient of f."""
        return self._slopes(weights, self.likelihood @ weights)

    def _slopes(self, weights: Weights, pooled: Vector) -> Weights:
        loss = -((self.weights / pooled) @ self.likelihood)
        return (loss + self.strength * (weights - self.center)) / self.total

    def expand(self, weights: Weights) -> Expansion:
        """Second-order expansion of f at a point, in one pass over the rows.

        To second order ``-log(a'w) = (d'w - 1)^2 / 2`` up to a constant, with
        ``d = a / a'w0 - 1``: on the simplex the mean squared error of a regression. The
        value is infinite where a row becomes impossible.
        """
        n_models = len(weights)
        mean = np.zeros(n_models)
        second = np.zeros((n_models, n_models), order="F")
        loss = 0.0
        mixed = np.empty(len(self.weights))
        for start in range(0, len(self.weights), _BLOCK):
            block = self.likelihood[start : start + _BLOCK]
            share = self.weights[start : start + _BLOCK]
            pooled = np.dot(block, weights, out=mixed[start : start + _BLOCK])
            if not pooled.min() > 0:
                mixed = self.likelihood @ weights
                unused = StackingObjective(second)
                return Expansion(weights, np.inf, mean, unused, mixed)
            loss -= float(share @ np.log(pooled))
            root = np.sqrt(share)
            ratios = block * (root / pooled)[:, None]
            ratios -= root[:, None]
            mean += root @ ratios
            second = dsyrk(1.0, ratios.T, beta=1.0, c=second, overwrite_c=True)
        second = (second + np.triu(second, 1).T) / self.total
        mean /= self.total
        moved = weights - self.center
        pull = self.strength / self.total
        value = loss / self.total + 0.5 * pull * float(moved @ moved)
        # On the simplex this constant does not matter; it makes the form a square.
        error = second - mean[:, None] - mean + 1.0
        to_center = np.eye(n_models) - self.center[:, None]
        error += pull * (to_center.T @ to_center)
        gradient = pull * moved - mean - 1.0
        return Expansion(weights, value, gradient, StackingObjective(error), mixed)

    def certify(self, weights: Weights) -> tuple[float, float]:
        """Certificate of a point, recomputed from the problem.

        The duality gap is ``w'g - min(g)`` with the gradient g (Frank and Wolfe, 1956)
        over `scale`; it is infinite where a row becomes impossible. The residual is the
        gap, or how far the point is from the simplex if that is more.
        """
        pooled = self.likelihood @ weights
        if not pooled.min() > 0:
            return np.inf, np.inf
        gap = _gap(weights, self._slopes(weights, pooled)) / self.scale
        return gap, max(gap, abs(float(weights.sum()) - 1.0), -float(weights.min()))


@dataclass(frozen=True, eq=False)
class Expansion:
    """Value, gradient and quadratic model of the objective at a point.

    `model` is a regression whose minimum over the simplex is the next Newton step, and
    `pooled` the probability that the pool gives to each label.
    """

    weights: Weights
    value: float
    gradient: Weights
    model: StackingObjective
    pooled: Vector

    @property
    def gap(self) -> float:
        """Duality gap, in nats a row."""
        return _gap(self.weights, self.gradient)


def _gap(weights: Weights, gradient: Weights) -> float:
    return max(float(weights @ gradient - gradient.min()), 0.0)


def minimize_linear_pool(
    objective: LinearPoolObjective,
) -> tuple[Weights, int]:
    """Minimize over the simplex; return feasible weights and the number of steps.

    It starts from the uniform weights, or from the optimum of a sample of the rows. The
    certificate tells how near the weights are to the optimum.
    """
    here = objective.expand(_start(objective))
    if not here.value < np.inf:
        # Only models that got no weight on the sample give this row a probability.
        here = objective.expand(_uniform(objective))
    for iteration in range(_MAX_STEPS):
        if here.gap <= _ENOUGH * objective.scale:
            return here.weights, iteration
        reached, _, _ = SIMPLEX.optimize(here.model)
        # One step from the end the gap is cheaper than another expansion.
        nearly = here.gap <= _NEARLY * objective.scale
        if nearly and objective.certify(reached)[0] <= _ENOUGH:
            return reached, iteration + 1
        step = reached - here.weights
        descent = -float(here.gradient @ step)
        # A step too small to show in the value shows in the gap.
        small = descent <= _ROUNDING * max(objective.scale, abs(here.value))
        length = 1.0
        for _ in range(_MAX_HALVINGS):
            there = objective.expand(here.weights + length * step)
            if (there.pooled < _LOST * here.pooled).any():
                # Newton would take many steps to bring back what one step took away.
                kept = float((there.pooled / here.pooled).min())
                length *= (1.0 - _KEPT) / (1.0 - kept)
                continue
            if there.value <= here.value - _ARMIJO * length * descent:
                break
            if small and there.gap < here.gap:
                break
            length *= 0.5
        else:
            return here.weights, iteration
        here = there
    return here.weights, _MAX_STEPS


def _start(objective: LinearPoolObjective) -> Weights:
    """Optimal weights of a sample of the rows, if there are enough, else uniform."""
    if len(objective.weights) < 2 * _SAMPLED * _BLOCK:
        return _uniform(objective)
    rows = slice(None, None, _SAMPLED)
    sample = replace(
        objective,
        likelihood=np.ascontiguousarray(objective.likelihood[rows]),
        weights=objective.weights[rows],
        strength=objective.strength / _SAMPLED,
    )
    return minimize_linear_pool(sample)[0]


def _uniform(objective: LinearPoolObjective) -> Weights:
    n_models = len(objective.center)
    return np.full(n_models, 1.0 / n_models)
