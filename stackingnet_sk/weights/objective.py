"""The one quadratic behind every constraint set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpstrf

from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.pivoting import rank_tolerance
from stackingnet_sk.weights.prior import ShrinkagePrior
from stackingnet_sk.weights.shapes import Array, Covariance, Models, Weights

_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class StackingObjective:
    r"""Penalized mean squared error of a combination, as a function of its weights.

    With errors ``R = P - y`` (centred where there is an intercept), ``t = 1'w`` and
    the mean over the weighted rows,

    .. math:: f(w) = \overline{((1 - t)\, y - R w)^2} + w' K w
              = (1 - t)^2 \sigma^2 - 2 (1 - t)\, c'w + w' (C + K) w

    On ``1'w = 1`` only ``C + K`` is left. Without that constraint, completing the
    square in ``t`` gives ``f(w) = w'Gw + sigma^2 (1 - a'w)^2`` with
    ``a = 1 + c / sigma^2`` (the slopes of the predictions on the target) and
    ``G = C + K - c c' / sigma^2``: the same kind of problem, ``w'Gw`` against
    ``a'w``.

    `error` is ``C + K``, Perrone and Cooper's error covariance plus the prior's
    penalty; `error_target` is ``c``, the covariance of the errors with the target, zero
    by default; and `target` is ``sigma^2``, the variance of the target.
    """

    error: Covariance
    error_target: Weights | None = None
    target: float = 0.0

    @classmethod
    def from_moments(
        cls,
        moments: Moments,
        *,
        fit_intercept: bool,
        prior: ShrinkagePrior | None = None,
        free_slope: bool = False,
    ) -> StackingObjective:
        """Build the objective, in squared units of ``moments.scale`` times the target.

        An intercept is profiled out, which leaves centred moments; without one they are
        about zero. `free_slope` says that the sum of the weights is free, so that the
        prior on the slope counts. The total weight must be above zero.
        """
        second = moments.scatter / moments.weight
        if not fit_intercept:
            second = second + np.outer(moments.mean, moments.mean)
        if prior is not None and free_slope:
            predictions, label = prior.slope_observation()
            row = np.append(predictions - label, label)
            second = second + np.outer(row, row / moments.n_effective)
        error = second[:-1, :-1]
        if prior is not None:
            error = error + prior.penalty(moments.n_effective)
        return cls(error, second[:-1, -1], float(second[-1, -1]))

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.error)

    @cached_property
    def scale(self) -> float:
        """Unit of every relative figure: the lesser of two objectives.

        These are the objectives of the uniform weights and of the best model alone.
        Beside one model with huge errors, the first would accept any weights of the
        others. Where errors cancel so well that only rounding is left of it, the mean
        error of the models replaces it.
        """
        errors = self.error.diagonal()
        best: float = min(errors.tolist())
        uniform = float(np.add.reduce(self.error, None)) / self.n_models**2
        if uniform < 1e-3 * best or best <= 0:
            mean_error = float(np.add.reduce(errors)) / self.n_models
            if uniform <= self.n_models * _EPS * mean_error:
                uniform = mean_error or 1.0
        return min(uniform, best) if best > 0 else uniform

    @property
    def plain_error(self) -> float:
        """Error of the best model, or `scale` if that model is perfect."""
        return float(np.minimum.reduce(self.error.diagonal())) or self.scale

    @property
    def slopes(self) -> Weights:
        """``a``: slope of each model's predictions on the target."""
        if self.error_target is None or self.target == 0:
            return np.ones(self.n_models)
        ratio = self.error_target / self.target
        slopes = 1.0 + ratio
        # A slope this small is rounding: such a model ignores the target.
        slopes[np.abs(slopes) <= 16.0 * _EPS * (1.0 + np.abs(ratio))] = 0.0
        return slopes

    @cached_property
    def free_slope_error(self) -> Covariance:
        """``G``: covariance of what the target does not explain of the predictions."""
        if self.error_target is None or self.target == 0:
            return self.error
        error = self.error - np.outer(
            self.error_target, self.error_target / self.target
        )
        # Models that are linear in the target leave nothing but rounding here.
        size = self.error.diagonal()
        linear = error.diagonal() <= 64.0 * _EPS * size
        linear &= self.slopes**2 * self.target > 1e-8 * size
        error[linear] = 0.0
        error[:, linear] = 0.0
        return error

    def value(self, weights: Weights) -> float:
        """``f(w)``."""
        value = float(weights.dot(self.error.dot(weights)))
        if self.error_target is not None:
            missing = 1.0 - float(weights.sum())
            with_target = float(self.error_target @ weights)
            value += missing * (missing * self.target - 2.0 * with_target)
        return value

    def gradient(self, weights: Weights) -> Weights:
        """Gradient of ``f`` at ``w``."""
        half = self.error @ weights
        if self.error_target is not None:
            missing = 1.0 - float(weights.sum())
            half += float(self.error_target @ weights) - missing * (
                self.target + self.error_target
            )
        return 2.0 * half

    @property
    def curvature(self) -> Covariance:
        """Half the Hessian of ``f``: covariance of the predictions, plus ``K``."""
        if self.error_target is None:
            return self.error
        return self.error + self.error_target[:, None] + self.error_target + self.target

    def degrees_of_freedom(
        self,
        plain: StackingObjective,
        weights: Weights,
        total: float | None,
    ) -> float:
        """Effective number of weights that the labels set, the intercept not counted.

        This is the trace of the matrix that maps labels to fitted labels, without the
        models that have no weight at the optimum. `plain` is the objective without its
        prior, and `total` is the required sum of the weights, if any.
        """
        active = weights.nonzero()[0]
        if not active.size:
            return 0.0
        block = np.ix_(active, active)
        kernel, data = self.curvature[block], plain.curvature[block]
        unit = kernel.diagonal()
        if total is not None:
            # Such weights only move along differences of the models.
            kernel = _differences(self.error[block])
            data = _differences(plain.error[block])
            unit = self.error.diagonal()[active]
            unit = unit[1:] + unit[0]
        if not unit.any():
            return 0.0
        unit = np.sqrt(np.maximum(unit, np.finfo(float).tiny))
        square = np.outer(unit, unit)
        kernel, data = kernel / square, data / square
        # A model that adds nothing to the others, such as a copy, is not counted.
        factor, order, rank, _ = dpstrf(kernel, tol=rank_tolerance(len(unit)))
        kept = order[:rank] - 1
        shares = cho_solve((factor[:rank, :rank], False), data[np.ix_(kept, kept)])
        return max(float(np.trace(shares)), 0.0)

    def restricted(self, models: Models) -> StackingObjective:
        """Build the objective of a subset of the models."""
        return StackingObjective(
            self.error[np.ix_(models, models)],
            None if self.error_target is None else self.error_target[models],
            self.target,
        )


def _differences(matrix: Covariance) -> Covariance:
    """Turn a covariance of models into that of their differences from the first."""
    differences: Array = matrix[1:, 1:] - matrix[1:, :1] - matrix[:1, 1:] + matrix[0, 0]
    return differences
