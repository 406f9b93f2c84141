"""What a problem has to provide so that it can be solved and certified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from stackingnet_sk.weights.shapes import (
    Point,
    Rates,
    Table,
    Vector,
    VoteWeights,
    Weights,
)
from stackingnet_sk.weights.user_constraints import Named, UserConstraints, View


@dataclass(frozen=True)
class Certificate:
    """What is known about a point, computed from the problem and the point alone.

    Parameters
    ----------
    gap : float
        Upper bound on how far the objective is above the optimum, relative to
        `Problem.scale`. It is infinite where no bound is known.
    residual : float
        Largest violation of the optimality (Karush-Kuhn-Tucker) conditions, relative.
    violation : float
        Largest violation of a constraint: of a bound, of the sum of the weights, or of
        a user constraint. It is infinite for weights that the problem cannot have.
    objective : float
        Objective at the point, in the units of the user. It is not clipped: a mean
        square can be slightly negative by rounding.
    """

    gap: float
    residual: float
    violation: float
    objective: float


UNDEFINED = Certificate(np.inf, np.inf, np.inf, np.inf)


class Minimum(NamedTuple):
    """A point at which a solver stopped.

    `unique` says whether it is the only optimum, as far as the solver can tell;
    `backend` names the solver behind cvxpy, and which solvers failed before it.
    """

    point: Point
    iterations: int
    unique: bool = True
    backend: str = ""


class Combination(NamedTuple):
    """A point in the units of the user."""

    weights: Weights
    intercept: float | Rates
    vote_weights: VoteWeights | None = None
    abstention: Table | None = None


class Certifiable(Protocol):
    """What :meth:`Solution.recheck` needs to know of a problem."""

    def point_of(self, combination: Combination) -> Point:
        """Return the point of a combination, the inverse of `Problem.combination`."""

    def certify(self, point: Point) -> Certificate:
        """Recompute the certificate of any point, from nothing that a solver kept."""


class Problem(Certifiable, Protocol):
    """A convex problem; its points are vectors of a fixed length.

    To add a problem, write a class with these methods. `solve_certified` does the rest:
    it minimizes, certifies, applies the user constraints and decides the status.
    """

    @property
    def name(self) -> str:
        """Name of the constraint set, of the structure, or of the pool."""

    @property
    def scale(self) -> float:
        """Unit of every relative figure: the objective of a plain rival."""

    @property
    def ceiling(self) -> float:
        """Largest objective that constraints could force, in order of magnitude."""

    @property
    def is_single_point(self) -> bool:
        """Whether one point is feasible, so that there is nothing to optimize."""

    @property
    def is_flat(self) -> bool:
        """Whether no point is better than another, so that cvxpy is not needed."""

    def value(self, point: Point) -> float:
        """Return the objective, in the units of `scale`."""

    def minimize(self) -> Minimum:
        """Minimize with the native solver."""

    def project(self, point: Point) -> Point:
        """Move what rounding left outside of the constraint set back into it."""

    def conic(
        self, user_constraints: UserConstraints | None = None, unit: float | None = None
    ) -> ConicProblem:
        """Express the problem in cvxpy's terms, for objectives of about `unit`."""

    def proof(self, certificate: Certificate) -> tuple[float, ...]:
        """Return the figures that all must be zero at an optimum, up to rounding."""

    def roundoff(self, point: Point) -> float:
        """Bound what rounding alone can add to the figures of `proof`."""

    def combination(self, point: Point) -> Combination:
        """Return the point in the units of the user."""


class LogLossProblem(Problem):
    """What the problems of log loss share; their native solvers end at rounding."""

    objective: Any
    is_single_point = False
    is_flat = False

    @property
    def scale(self) -> float:
        """Scale of the objective, in nats."""
        return float(self.objective.scale)

    @property
    def ceiling(self) -> float:
        """The same as `scale`: log losses are of one order of magnitude."""
        return self.scale

    def value(self, point: Point) -> float:
        """Return the penalized log loss, in nats."""
        return float(self.objective.value(point))

    def roundoff(self, point: Point) -> float:
        """Return zero: the native solvers end far below the tolerance."""
        return 0.0


@dataclass(frozen=True, eq=False)
class ConicProblem:
    """A convex problem in cvxpy's terms, scaled.

    `variable` is the point divided by `units`, the expected size of each of its
    entries, so that variables are about one. `loss` is minimized and about one in size;
    a loss of one is `unit` in the units of the problem's objective. `hard` are the
    constraints of the constraint set, `gradient` is that of the loss with respect to
    the point, `view` is what user constraints see, and `named` are those constraints.
    """

    variable: Any
    units: Vector
    loss: Any
    hard: list[Any]
    gradient: Callable[[Point], Point]
    view: View
    unit: float
    named: list[Named] = field(default_factory=list)

    @property
    def constraints(self) -> list[Any]:
        """All constraints."""
        return self.hard + [limit for _, limit, _ in self.named]

    @property
    def point(self) -> Point:
        """Value of the variable as a point of the problem."""
        return np.asarray(self.units * np.atleast_1d(self.variable.value))

    def scaled(self, point: Point) -> Vector:
        """Value of the variable at a point; entries that it leaves out are zero."""
        full = np.zeros(len(self.units))
        full[: len(point)] = point
        return full / self.units
