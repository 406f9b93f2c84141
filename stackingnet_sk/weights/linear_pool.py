"""The linear opinion pool: a mixture of the models' probabilities under log loss.

Method: sequential quadratic programming; each step is a simplex-constrained regression
of the constant 2 on the ratios of the models' probabilities to the pool's, solved by
the quadratic kernel. Strength: a duality gap at rounding level in about ten passes over
the rows, where expectation maximization needs thousands. Limit: rows that every model
calls impossible say nothing about the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.moments import Moments
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.simplex import SIMPLEX

# Rows at a time: a block's ratios stay in the cache.
_BLOCK = 8192
_MAX_STEPS = 100
_MAX_HALVINGS = 40
_ENOUGH = 1e-15
_ARMIJO = 1e-4


@dataclass(frozen=True, eq=False)
class LinearPoolObjective:
    r"""Penalized log loss of a mixture, as a function of its weights on the simplex.

    .. math:: f(w) = \frac{1}{n} \left( - \sum_i \omega_i \log a_i' w
              + \frac{k}{2} |w - u|^2 \right)

    with ``a_im`` the probability that model m gives to the label of row i, and n the
    sum of the weights omega.

    Parameters
    ----------
    likelihood : ndarray of shape (n_rows, n_models)
        ``a``, each row with a positive entry.
    weights : ndarray of shape (n_rows,)
        ``omega``, positive.
    center : ndarray of shape (n_models,)
        ``u``, on the simplex.
    strength : float
        ``k``, in pseudo-observations.
    """

    likelihood: NDArray[np.float64]
    weights: NDArray[np.float64]
    center: NDArray[np.float64]
    strength: float

    @cached_property
    def total(self) -> float:
        """``n``."""
        return float(self.weights.sum())

    @cached_property
    def scale(self) -> float:
        """Unit of every relative figure: the log loss of the uniform weights."""
        uniform = np.full(len(self.center), 1.0 / len(self.center))
        return self._loss(self.likelihood @ uniform) or 1.0

    def _loss(self, pooled: NDArray[np.float64]) -> float:
        return -float(self.weights @ np.log(pooled)) / self.total

    def value(self, weights: NDArray[np.float64]) -> float:
        """``f(w)``, in nats a row; infinity where a row becomes impossible.

        Parameters
        ----------
        weights : ndarray of shape (n_models,)
            Point of the simplex.

        Returns
        -------
        float
        """
        pooled = self.likelihood @ weights
        if not pooled.min(initial=1.0) > 0:
            return np.inf
        moved = weights - self.center
        penalty = 0.5 * self.strength / self.total * float(moved @ moved)
        return self._loss(pooled) + penalty

    def gradient(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gradient of f.

        Parameters
        ----------
        weights : ndarray of shape (n_models,)
            Point of the simplex, no row impossible.

        Returns
        -------
        ndarray of shape (n_models,)
        """
        share = self.weights / (self.likelihood @ weights)
        own = -(share @ self.likelihood)
        return (own + self.strength * (weights - self.center)) / self.total

    def model(self, weights: NDArray[np.float64]) -> StackingObjective:
        """Quadratic model of f at a point, as a function of the weights.

        To second order ``-log(a'w) = (r'w - 2)^2 / 2`` up to a constant, with
        ``r = a / a'w0``: on the simplex the mean squared error of a regression.

        Parameters
        ----------
        weights : ndarray of shape (n_models,)
            The point ``w0``.

        Returns
        -------
        StackingObjective
        """
        n_models = len(weights)
        moments: Moments | None = None
        for start in range(0, len(self.weights), _BLOCK):
            rows = slice(start, start + _BLOCK)
            block = self.likelihood[rows]
            ratios = block / (block @ weights)[:, None]
            own = Moments.from_rows(
                ratios, np.full(len(block), 2.0), self.weights[rows]
            )
            moments = own if moments is None else moments.merge(own)
        second = np.zeros((n_models, n_models))
        if moments is not None:
            mean = moments.mean[:-1]
            second = moments.scatter[:-1, :-1] / moments.weight + np.outer(mean, mean)
            second = second / moments.scale**2
        pull = np.eye(n_models) - np.outer(self.center, np.ones(n_models))
        return StackingObjective(second + self.strength / self.total * (pull.T @ pull))

    def certify(self, weights: NDArray[np.float64]) -> tuple[float, float]:
        """Certificate of a point, recomputed from the problem.

        Parameters
        ----------
        weights : ndarray of shape (n_models,)
            Point of the simplex.

        Returns
        -------
        gap : float
            Duality gap ``w'g - min(g)`` with the gradient g (Frank and Wolfe, 1956)
            over `scale`.
        residual : float
            The gap, or how far the point is from the simplex if that is more.
        """
        gradient = self.gradient(weights)
        gap = float(weights @ gradient - gradient.min()) / self.scale
        gap = max(gap, 0.0)
        return gap, max(gap, abs(float(weights.sum()) - 1.0), -float(weights.min()))


def minimize_linear_pool(
    objective: LinearPoolObjective,
) -> tuple[NDArray[np.float64], int]:
    """Minimize over the simplex, from the uniform weights.

    Parameters
    ----------
    objective : LinearPoolObjective
        What to minimize.

    Returns
    -------
    weights : ndarray of shape (n_models,)
        Feasible; how near it is to the optimum is for the certificate to say.
    iterations : int
        Quadratic problems solved.
    """
    n_models = len(objective.center)
    weights = np.full(n_models, 1.0 / n_models)
    value = objective.value(weights)
    for iteration in range(_MAX_STEPS):
        reached, _, _ = SIMPLEX.optimize(objective.model(weights))
        step = reached - weights
        descent = -float(objective.gradient(weights) @ step)
        if descent <= _ENOUGH * objective.scale:
            if objective.value(reached) < np.inf:
                # The step is too small to show in the value, but not in the gap.
                weights = min((weights, reached), key=objective.certify)
            return weights, iteration
        length = 1.0
        for _ in range(_MAX_HALVINGS):
            moved = weights + length * step
            after = objective.value(moved)
            if after <= value - _ARMIJO * length * descent:
                break
            length *= 0.5
        else:
            return weights, iteration
        weights, value = moved, after
    return weights, _MAX_STEPS
