"""The one way to solve: minimize, certify, apply user constraints, decide the status.

Problems know the mathematics (see `problem`). Best subsets, mixtures and answers
without labels set a status of their own where they are made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan

import numpy as np

from stackingnet_sk.weights.cvxpy_solver import (
    FAR_OFF,
    build,
    duality_gap,
    minimize_scaled,
    violation,
)
from stackingnet_sk.weights.problem import (
    UNDEFINED,
    Certificate,
    Combination,
    ConicProblem,
    Minimum,
    Problem,
)
from stackingnet_sk.weights.shapes import Point
from stackingnet_sk.weights.solution import CERTIFIED, CERTIFIED_CONIC, Solution, Status
from stackingnet_sk.weights.user_constraints import UserConstraints

# Values of the parameter `solver`, and the solver of each.
SOLVERS = {"auto": "native", "cvxpy": "cvxpy"}


def solve_certified(
    problem: Problem,
    user_constraints: UserConstraints | None = None,
    solver: str = "auto",
    *,
    certify: bool = True,
) -> Solution:
    """Solve a problem, natively or through cvxpy, and certify the answer.

    User constraints that hold at the optimum without them change nothing. Otherwise the
    problem goes to cvxpy. `certify=False` skips the duality gap under user constraints,
    which takes another solve.

    Raises InfeasibleError if no point fulfils all constraints, and ValueError if the
    problem is so badly scaled that its optimum is not a finite number.
    """
    solved_by = SOLVERS[solver]
    if solved_by == "native" or problem.is_single_point or problem.is_flat:
        minimum = problem.minimize()
    else:
        minimum = minimize_scaled(problem, lambda unit: problem.conic(None, unit))
    certificate = problem.certify(minimum.point)
    tolerance = CERTIFIED
    certified: Problem | ConstrainedProblem = problem
    if user_constraints is not None and user_constraints.builders:
        constrained = ConstrainedProblem(problem, user_constraints)
        if violation(constrained.plain, minimum.point):
            solved_by, tolerance = "cvxpy", CERTIFIED_CONIC
            minimum = minimize_scaled(problem, constrained.expressed)
            certificate = problem.certify(minimum.point)
            certificate = replace(UNDEFINED, objective=certificate.objective)
            if certify:
                certificate = constrained.certify(minimum.point)
        # The solution keeps the problem without its expressions, which are large.
        certified = replace(constrained)
    combination = problem.combination(minimum.point)
    if isnan(certificate.objective):
        raise ValueError(
            "The weights are not finite numbers, because some predictions are too "
            "large or too small beside the others or the labels; put all of them in "
            "the units of the labels."
        )
    return Solution(
        combination.weights,
        combination.intercept,
        max(certificate.objective, 0.0),
        certificate.gap,
        certificate.residual,
        minimum.iterations,
        decide_status(problem, minimum, certificate, tolerance),
        problem.name,
        solved_by,
        vote_weights=combination.vote_weights,
        abstention=combination.abstention,
        backend=minimum.backend,
        violation=certificate.violation,
        problem=certified,
        certificate=max(certificate.violation, *problem.proof(certificate)),
    )


def decide_status(
    problem: Problem,
    minimum: Minimum,
    certificate: Certificate,
    tolerance: float = CERTIFIED,
) -> Status:
    """Decide how the solve of one problem ended.

    A solution is optimal if every condition of optimality and of feasibility holds up
    to the tolerance, relative to `Problem.scale`. The conditions are

    - feasibility: bounds, the sum of the weights and user constraints are violated by
      no more than the tolerance;
    - the figures that the problem names as its proof. Where theory gives a finite gap
      (the simplex, the cone, strongly convex problems), this is the gap and, unless the
      gap is computed from it, the residual of the optimality conditions. Where it gives
      none (signed weights), it is the residual.

    One figure alone is not enough, because rounding can make it zero: the gap of a huge
    weight on a column of zeros is a difference of numbers without a correct digit.
    Figures of the proof may exceed the tolerance by what rounding of the objective
    explains, if that is small beside the error of a plain rival (`Problem.roundoff`).

    The tolerance is 1e-9 for native solvers and 1e-6 under user constraints, where
    interior points end.
    """
    if not certificate.violation <= tolerance:
        return Status.INACCURATE
    for figure in problem.proof(certificate):
        # Comparisons with NaN are false, so NaN proves nothing.
        if not figure <= tolerance and not figure <= problem.roundoff(minimum.point):
            return Status.INACCURATE
    if problem.is_single_point:
        return Status.FEASIBLE
    return Status.OPTIMAL if minimum.unique else Status.MINIMUM_NORM


@dataclass(frozen=True, eq=False)
class ConstrainedProblem:
    """A problem under user constraints, as a solution stores it."""

    problem: Problem
    user_constraints: UserConstraints

    @cached_property
    def plain(self) -> ConicProblem:
        """The problem and its user constraints, in the units of the plain rivals."""
        return self._build(self.problem.scale)

    def expressed(self, unit: float) -> ConicProblem:
        """Express the problem and its user constraints for objectives of about `unit`.

        Callables of the user are called again only if the unit is much larger.
        """
        far_off = unit > FAR_OFF * self.problem.scale
        return self._build(unit) if far_off else self.plain

    def _build(self, unit: float) -> ConicProblem:
        conic = self.problem.conic(self.user_constraints, unit)
        return build(conic, self.user_constraints)

    def point_of(self, combination: Combination) -> Point:
        """Return the point of a combination."""
        return self.problem.point_of(combination)

    def certify(self, point: Point) -> Certificate:
        """Certify a point.

        An optimum without user constraints that fulfils them needs no other proof. Else
        the gap is that of the tangent, relative to the objective itself if that is more
        than the plain rival's: the rival need not be feasible.
        """
        certificate = self.problem.certify(point)
        value = self.problem.value(point)
        if not np.isfinite(value):
            return UNDEFINED
        unit = max(self.problem.scale, value)
        conic = self.expressed(unit)
        worst = max(certificate.violation, violation(conic, point))
        status = decide_status(self.problem, Minimum(point, 0), certificate)
        gap, residual = certificate.gap, certificate.residual
        if status is Status.INACCURATE:
            gap = residual = duality_gap(conic, point) * (conic.unit / unit)
        residual = max(residual, worst)
        return replace(certificate, gap=gap, residual=residual, violation=worst)
