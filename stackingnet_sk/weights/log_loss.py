"""The convex objective of weighted votes: multinomial log loss plus a prior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stackingnet_sk.weights.shapes import Array, Point, Rates, Table, Vector
from stackingnet_sk.weights.structures import Structure

# Pseudo-observations on the slope for each one on the direction. It is small, so that
# labels soon outweigh the prior on how much evidence there is.
_SLOPE_SHARE = 0.02
# Number of rows that stand for all of them in Hessians, if there are many more.
_SAMPLE = 20_000
_LEAST_DOUBT = 1e-3
# Share of the largest coefficient below which a coefficient is rounding.
_ROUNDING = 1e-12


def log_normalizers(scores: Table) -> Vector:
    """Return ``log sum_k exp(z_ik)``.

    On the small tables of labelled rows scipy's function takes five times as long, and
    a fit calls it hundreds of times.
    """
    largest = scores.max(axis=1)
    total = np.exp(scores - largest[:, None]).sum(axis=1)
    return np.asarray(largest + np.log(total))


def shares(scores: Table) -> Table:
    """Return probabilities, the softmax of the scores of each row."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class LogLossObjective:
    r"""Penalized log loss of a combination of votes, as a function of ``(b, c)``.

    With scores ``z_i = log pi + b + H_i c``,

    .. math:: f(b, c) = \sum_i \omega_i (\operatorname{logsumexp}_k z_{ik} - z_{i y_i})
              + \min_s \left( \frac{\kappa}{2} |c - s u|^2
              + \frac{\lambda}{2} |u|^2 (s - 1)^2 \right) + \frac{\kappa}{2} |b|^2

    where ``lambda = kappa / 50``: a Gaussian prior around u that shrinks the slope s
    along u less than the direction. The minimum over s is a quadratic form Q, whose
    smallest eigenvalue is ``kappa lambda / (kappa + lambda)``, along u.

    `structure` maps coefficients c to the scores ``H_i c`` of the rows, `labelled` is
    the weight ``omega`` of each row with each label, `offset` is ``log pi``, `center`
    is u, and `strength` is kappa, in pseudo-observations.
    """

    structure: Structure
    labelled: Table
    offset: Rates
    center: Vector
    strength: float

    @cached_property
    def weights(self) -> Vector:
        """Total weight of each row."""
        weights: Array = self.labelled.sum(axis=1)
        return weights

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.offset)

    @cached_property
    def scale(self) -> float:
        """Unit of every relative figure: the log loss of the class prior alone."""
        prior = self.offset - logsumexp(self.offset)
        return -float(self.labelled.sum(axis=0) @ prior) or 1.0

    @property
    def start(self) -> Point:
        """The centre of the prior, as ``(b, c)``."""
        return np.concatenate([np.zeros(self.n_classes), self.center])

    @cached_property
    def lower(self) -> Point:
        """Lower bounds of ``(b, c)``."""
        bound = np.full(len(self.start), self.structure.lower)
        bound[: self.n_classes] = -np.inf
        return bound

    @cached_property
    def _along(self) -> tuple[Vector, float]:
        """Unit vector along u, and by which share the prior is weaker there."""
        length = float(np.linalg.norm(self.center))
        if length == 0:
            return self.center, 0.0
        return self.center / length, 1.0 / (1.0 + _SLOPE_SHARE)

    def scores(self, point: Point) -> Table:
        """Scores of the rows."""
        b, c = np.split(point, [self.n_classes])
        return self.structure.scores(c) + (self.offset + b)

    @cached_property
    def sample(self) -> LogLossObjective:
        """The same of fewer rows, where a few percent do not matter: in a Hessian.

        Rows that the centre is sure of hardly bend the loss, and few of them are drawn.
        """
        if len(self.labelled) <= 2 * _SAMPLE:
            return self
        doubt = 1.0 - np.square(shares(self.scores(self.start))).sum(axis=1)
        return self.drawn(self.weights * (doubt + _LEAST_DOUBT))

    def drawn(self, importance: Vector) -> LogLossObjective:
        """Draw rows at equal steps of cumulated importance, if there are many rows.

        Each row drawn stands for others, so that its weight rises.
        """
        if len(self.labelled) <= 2 * _SAMPLE:
            return self
        cumulated = np.cumsum(importance)
        step = cumulated[-1] / _SAMPLE
        places = (np.arange(_SAMPLE) + 0.5) * step
        rows, times = np.unique(np.searchsorted(cumulated, places), return_counts=True)
        labelled = self.labelled[rows] * (times * step / importance[rows])[:, None]
        structure = self.structure.of_rows(rows)
        return replace(self, structure=structure, labelled=labelled)

    def value(self, point: Point) -> float:
        """``f(b, c)``, in nats."""
        return self._loss(self.scores(point)) + self._penalty(point)

    def loss(self, point: Point) -> float:
        """Log loss of the rows, without the prior."""
        return self._loss(self.scores(point))

    def _loss(self, z: Table) -> float:
        """Log loss of all rows, of scores z."""
        # Against the score of the label row by row: sums of large scores would cancel.
        losses = log_normalizers(z)[:, None] - z
        return float((self.labelled * losses).sum())

    def _penalty(self, point: Point) -> float:
        moved = point - self.start
        return 0.5 * float(moved @ self._prior_times(moved))

    def _prior_times(self, moved: Point) -> Point:
        """``Q`` times a vector."""
        unit, share = self._along
        image = self.strength * moved
        coefficients = image[self.n_classes :]
        coefficients -= share * float(unit @ coefficients) * unit
        return image

    def prior_form(self) -> Array:
        """Matrix of the prior's quadratic form in ``(b, c)``."""
        unit, share = self._along
        form = self.strength * np.eye(len(self.start))
        block = form[self.n_classes :, self.n_classes :]
        block -= self.strength * share * np.outer(unit, unit)
        return form

    def gradient(self, point: Point) -> Point:
        """Gradient of f."""
        return self.value_and_gradient(point)[1]

    def value_and_gradient(self, point: Point) -> tuple[float, Point]:
        """``f(b, c)`` and its gradient, which share the scores."""
        z = self.scores(point)
        probabilities = shares(z)
        slopes = self.weights[:, None] * probabilities - self.labelled
        loss = np.concatenate([slopes.sum(axis=0), self.structure.adjoint(slopes)])
        gradient = loss + self._prior_times(point - self.start)
        return self._loss(z) + self._penalty(point), gradient

    def hessian(self, point: Point) -> Array:
        """Hessian of f."""
        probabilities = shares(self.scores(point))
        return self.structure.curvature(self.weights, probabilities) + self.prior_form()

    def violation(self, point: Point, gradient: Point) -> Point:
        """Part of the gradient that the optimality conditions want to be zero."""
        at_bound = point <= self.lower
        return np.where(at_bound, np.minimum(gradient, 0.0), gradient)

    def certify(self, point: Point) -> tuple[float, float]:
        """Certificate of a point, recomputed from the problem.

        The gap is the lesser of two bounds: by the prior's quadratic alone,
        ``f - f* <= e'Q^-1 e / 2`` with the violation e of the optimality conditions;
        and ``f* >= 0``. The residual is the largest entry of e. Both are over `scale`.
        """
        value, gradient = self.value_and_gradient(point)
        error = self.violation(point, gradient)
        residual = float(np.abs(error).max()) / self.scale
        value /= self.scale
        if self.strength == 0:
            return value, residual
        unit, share = self._along
        along = float(unit @ error[self.n_classes :]) ** 2
        bound = float(error @ error) + along * share / (1.0 - share)
        return min(bound / (2.0 * self.strength * self.scale), value), residual


def leave_one_out(
    objective: LogLossObjective,
    point: Point,
    row_weight: Rates,
    moves: Callable[[NDArray[np.intp], int], Table] | None = None,
) -> float:
    """Approximate leave-one-out log loss, by one Newton step from the optimum.

    `row_weight` is the weight of a single row of each class. `moves` returns, for rows
    of a class, by how much the centre of the prior moves if one such row is left out;
    by default it stays. The weighted mean is in nats. It is infinite if the optimum
    without a row is undetermined, because there is next to no prior. It is a function
    of counts, so the order of rows does not matter. Of many rows, by how much leaving
    one out raises its loss is added up over a sample, of rows with large losses first.
    """
    # A weight that is zero up to rounding is at its bound, or the order of the models
    # would decide whether it is free.
    free = point > objective.lower + _ROUNDING * np.abs(point).max()
    hessian = objective.sample.hessian(point)
    if objective.strength == 0:
        # Raising all intercepts alike changes no probability, so the Hessian is
        # singular. Any curvature along that direction gives the same answer.
        intercepts = slice(objective.n_classes)
        hessian[intercepts, intercepts] += hessian.diagonal().max()
        rank = np.linalg.matrix_rank(hessian[np.ix_(free, free)], hermitian=True)
        if rank < np.count_nonzero(free):
            return np.inf
    inverse = np.zeros_like(hessian)
    try:
        inverse[np.ix_(free, free)] = np.linalg.inv(hessian[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        return np.inf
    loss, total = objective.loss(point), float(objective.labelled.sum())
    surprise = 1.0 - shares(objective.scores(point))
    importance = (objective.labelled * np.square(surprise)).sum(axis=1)
    objective = objective.drawn(importance + np.finfo(float).tiny)
    loss -= objective.loss(point)
    spread = objective.structure.leverage(inverse)
    z = objective.scores(point)
    p = shares(z)
    curvature = p[:, :, None] * (np.eye(objective.n_classes) - p[:, None, :])
    # How the optimum follows the centre.
    follows = (inverse @ objective.prior_form())[:, objective.n_classes :]
    for k, weight in enumerate(row_weight):
        rows = objective.labelled[:, k].nonzero()[0]
        leverage = spread[rows]
        system = np.eye(objective.n_classes) - weight * curvature[rows] @ leverage
        pull = weight * (p[rows] - np.eye(objective.n_classes)[k])
        shift = np.zeros_like(pull)
        if moves is not None and len(rows):
            change = moves(rows, k) @ follows.T
            shift = change[:, : objective.n_classes]
            coefficients = change[:, objective.n_classes :]
            shift = shift + objective.structure.scores_of(rows, coefficients)
            pull += weight * (curvature[rows] @ shift[:, :, None])[:, :, 0]
        try:
            moved = np.linalg.solve(system, pull[:, :, None])
        except np.linalg.LinAlgError:
            return np.inf
        without = z[rows] + shift + (leverage @ moved)[:, :, 0]
        with np.errstate(invalid="ignore"):  # Infinite scores, see below.
            losses = log_normalizers(without) - without[:, k]
        loss += float(objective.labelled[rows, k] @ losses)
    return loss / total if np.isfinite(loss) else np.inf
