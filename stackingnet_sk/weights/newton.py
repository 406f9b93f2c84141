"""Optimal weights of votes under log loss.

Method: Newton steps with backtracking. Where weights are bounded below, each step is a
quadratic problem, which the kernel of the regressor solves. Of many rows, the Hessian
is that of a sample: it steers the steps, and the gradient of all rows ends them. Beyond
a thousand coefficients scipy's L-BFGS-B takes over. Strength: it ends at rounding after
a handful of steps. Limit: Newton forms the Hessian, and without a prior there is no
finite optimum where the votes separate the labels.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.pivoting import solve_pivoting
from stackingnet_sk.weights.shapes import Array, Point

# Number of coefficients beyond which a Hessian costs more than many gradients.
LARGEST_HESSIAN = 1000
_MAX_STEPS = 100
_MAX_HALVINGS = 40
# Expected decrease, relative to the scale, from which a Newton step ends at rounding.
_ENOUGH = 1e-13
# Share of the expected decrease that a step must reach (Armijo's usual constant).
_ARMIJO = 1e-4
# Share of the largest diagonal entry that makes a singular Hessian invertible.
_NUGGET = 1e-11


def minimize_log_loss(
    objective: LogLossObjective,
) -> tuple[Point, int]:
    """Minimize from the centre of the prior; return a feasible point and the steps.

    The certificate tells how near the point is to the optimum.
    """
    point = objective.start
    if len(point) > LARGEST_HESSIAN:
        return _quasi_newton(objective)
    value, gradient = objective.value_and_gradient(point)
    for iteration in range(_MAX_STEPS):
        error = objective.violation(point, gradient)
        try:
            step = _step(objective, point, gradient)
        except LinAlgError:
            # Without a prior the Hessian can be singular.
            step = -error
        descent = -float(gradient @ step)
        if descent <= _ENOUGH * objective.scale:
            return _last(objective, point, step), iteration
        length = 1.0
        for _ in range(_MAX_HALVINGS):
            moved = np.maximum(point + length * step, objective.lower)
            reached, slope = objective.value_and_gradient(moved)
            if reached <= value - _ARMIJO * length * descent:
                break
            length *= 0.5
        else:
            return point, iteration
        point, value, gradient = moved, reached, slope
    return point, _MAX_STEPS


def _last(
    objective: LogLossObjective,
    point: Point,
    step: Point,
) -> Point:
    """Take a step too small to show in the value if the certificate says it helps."""
    moved = np.maximum(point + step, objective.lower)
    return min((point, moved), key=lambda candidate: objective.certify(candidate)[1])


def _step(
    objective: LogLossObjective,
    point: Point,
    gradient: Point,
) -> Point:
    """Minimize the quadratic model within the bounds."""
    hessian = objective.sample.hessian(point)
    if objective.strength == 0:
        # Scores that all rise alike change nothing: singular without a prior.
        diagonal = hessian.diagonal()
        hessian[np.diag_indices_from(hessian)] += _NUGGET * max(diagonal.max(), 1.0)
    n_free = objective.n_classes
    if np.isinf(objective.lower).all():
        step: Array = -cho_solve(cho_factor(hessian), gradient)
        return step
    # The intercepts are free: eliminated, they leave a problem in the weights alone.
    factor = cho_factor(hessian[:n_free, :n_free])
    cross = hessian[:n_free, n_free:]
    quadratic = hessian[n_free:, n_free:] - cross.T @ cho_solve(factor, cross)
    slopes = gradient[n_free:] - cross.T @ cho_solve(factor, gradient[:n_free])
    weights = point[n_free:]
    reached = solve_pivoting(quadratic, quadratic @ weights - slopes)[0]
    if reached is None:
        raise LinAlgError
    step = reached - weights
    intercepts = -cho_solve(factor, gradient[:n_free] + cross @ step)
    return np.concatenate([intercepts, step])


def _quasi_newton(objective: LogLossObjective) -> tuple[Point, int]:
    result = minimize(
        objective.value,
        objective.start,
        jac=objective.gradient,
        method="L-BFGS-B",
        bounds=[(low, None) for low in objective.lower],
        options={"maxiter": 10_000, "maxfun": 20_000, "ftol": 0.0, "gtol": 0.0},
    )
    return result.x, int(result.nit)
