"""At most k models: best-first branch and bound over the convex relaxations.

Method: a node allows some models and requires others; without the limit on their number
the problem is convex, and its optimum bounds all subsets. The search branches on the
model with the largest weight. Strength: proves the optimum, or bounds how far off it
may be. Limit: exponential where models are alike; beyond 30 models it follows the
pruning path instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count

import numpy as np

from stackingnet_sk.weights.certified import ConstrainedProblem, solve_certified
from stackingnet_sk.weights.problem import (
    UNDEFINED,
    Certifiable,
    Certificate,
    Combination,
)
from stackingnet_sk.weights.quadratic_problem import QuadraticProblem
from stackingnet_sk.weights.shapes import Models, Point, Weights
from stackingnet_sk.weights.solution import CERTIFIED, Solution, Status
from stackingnet_sk.weights.user_constraints import InfeasibleError, UserConstraints

# Largest number of models for which subsets are searched until the best is proven.
LARGEST_EXACT = 30
# Most problems to solve for the best subset, natively or through cvxpy. One of ten
# models takes about 0.05 ms natively and 20 ms through cvxpy.
_MOST_NODES = 1_000_000
_MOST_CONIC = 2_000
# Number of models, those with the smallest weights, that each step of the pruning path
# tries to remove.
_TRIED = 5
# Share of the objective within which two subsets are equally good.
_ROUNDING = 1e-12

Relaxation = Callable[[Models], tuple[float, Weights]]


@dataclass(frozen=True, eq=False)
class Subset:
    """The best subset of models; its objective, and a bound that no subset is below."""

    models: Models
    value: float
    bound: float
    nodes: int


@dataclass(frozen=True, eq=False)
class SubsetProblem:
    """A quadratic problem with at most `user_constraints.at_most` nonzero weights."""

    problem: QuadraticProblem
    user_constraints: UserConstraints

    @property
    def at_most(self) -> int:
        """Most models with a weight."""
        at_most = self.user_constraints.at_most
        return self.problem.objective.n_models if at_most is None else at_most

    def search(self) -> Subset:
        """Find the best subset."""
        nodes = _MOST_CONIC if self.user_constraints.builders else _MOST_NODES
        n_models = self.problem.objective.n_models
        return best_subset(self._relaxation, n_models, self.at_most, nodes)

    def _relaxation(self, models: Models) -> tuple[float, Weights]:
        weights = np.zeros(self.problem.objective.n_models)
        if not models.size:
            return np.inf, weights
        part = self.problem.restricted(models)
        if not self.user_constraints.builders:
            point = part.minimize().point
        else:
            constraints = self.user_constraints.subset(models)
            try:
                solution = solve_certified(part, constraints, certify=False)
            except InfeasibleError:
                return np.inf, weights
            point = part.point_of(solution.combination)
        weights[models] = point[: len(models)]
        return part.value(point), weights

    def point_of(self, combination: Combination) -> Point:
        """Return the point of a combination."""
        return self.problem.point_of(combination)

    def certify(self, point: Point) -> Certificate:
        """Certify a point by searching all subsets again."""
        n_models = self.problem.objective.n_models
        models = _support(point[:n_models])
        if len(models) > self.at_most:
            return replace(self.problem.certify(point), violation=np.inf)
        models = models if models.size else np.arange(1)
        part = self.problem.restricted(models)
        certified: Certifiable = part
        if self.user_constraints.builders:
            certified = ConstrainedProblem(part, self.user_constraints.subset(models))
        best = self.search()
        if not np.isfinite(best.value):
            return UNDEFINED
        certificate = certified.certify(np.append(point[models], point[n_models:]))
        missed = max(self.problem.value(point) - best.bound, 0.0)
        return self.of_all_subsets(certificate, part, missed)

    def of_all_subsets(
        self, certificate: Certificate, part: QuadraticProblem, missed: float
    ) -> Certificate:
        """Add what another subset could gain; relative to the scale of all models."""
        unit, missed = part.scale / self.problem.scale, missed / self.problem.scale
        return replace(
            certificate,
            gap=unit * certificate.gap + missed,
            residual=unit * certificate.residual + missed,
        )


def solve_subset(
    problem: QuadraticProblem, user_constraints: UserConstraints, solver: str
) -> Solution:
    """Solve with at most so many models; raise InfeasibleError if no weights exist."""
    whole = SubsetProblem(problem, user_constraints)
    subset = whole.search()
    if not np.isfinite(subset.value):
        # This raises an error that names what cannot hold even for all models.
        solve_certified(problem, user_constraints, solver, certify=False)
        raise InfeasibleError(
            f"No {whole.at_most} models fulfil {user_constraints.builders}; allow "
            "more models, or loosen the others."
        )
    # Weights of zero are optimal where nothing is to be explained.
    models = subset.models if subset.models.size else np.arange(1)
    part = problem.restricted(models)
    best = solve_certified(part, user_constraints.subset(models), solver)
    missed = max(subset.value - subset.bound, 0.0)
    certificate = whole.of_all_subsets(
        Certificate(best.gap, best.residual, best.violation, best.objective),
        part,
        missed,
    )
    status = best.status
    if status is not Status.INACCURATE:
        exact = missed <= CERTIFIED * problem.scale
        status = Status.BEST_SUBSET if exact else Status.BOUNDED_SUBSET
    best = best.expanded(models, problem.objective.n_models)
    return replace(
        best,
        gap=certificate.gap,
        residual=certificate.residual,
        certificate=max(certificate.gap, best.certificate),
        iterations=subset.nodes,
        status=status,
        problem=whole,
        models=None,
    )


def best_subset(
    relax: Relaxation, n_models: int, at_most: int, most_nodes: int = _MOST_NODES
) -> Subset:
    """Find the best subset, after about `most_nodes` problems at most.

    ``relax(models) -> (value, weights)`` gives the optimum with these models alone,
    infinite where there is none, and its weights.
    """
    search = _Search(relax, at_most, most_nodes)
    all_models = np.arange(n_models)
    bound, weights = search.relax(all_models)
    if len(_support(weights)) > at_most:
        search.prune(weights)
        if n_models <= LARGEST_EXACT:
            bound = search.branch(all_models, bound, weights)
    return Subset(search.models, search.value, min(bound, search.value), search.nodes)


class _Search:
    def __init__(self, relax: Relaxation, at_most: int, most_nodes: int) -> None:
        self._relax, self.at_most, self.most_nodes = relax, at_most, most_nodes
        self.models = np.arange(0)
        self.value = np.inf
        self.nodes = 0

    def relax(self, models: Models) -> tuple[float, Weights]:
        """Solve a relaxation, and remember it where it is a solution."""
        self.nodes += 1
        value, weights = self._relax(models)
        support = _support(weights)
        if value < self.value and len(support) <= self.at_most:
            self.models, self.value = support, value
        return value, weights

    def prune(self, weights: Weights) -> None:
        """Drop one model after the other, always the one that costs least."""
        while len(support := _support(weights)) > self.at_most:
            least = support[np.argsort(np.abs(weights[support]), kind="stable")]
            tried = [self.relax(support[support != m]) for m in least[:_TRIED]]
            value, weights = min(tried, key=lambda relaxation: relaxation[0])
            if not np.isfinite(value):
                return

    def branch(self, allowed: Models, bound: float, weights: Weights) -> float:
        """Search all subsets; return a lower bound on the objective of any."""
        ties = count()
        kept: frozenset[int] = frozenset()
        heap = [(bound, next(ties), allowed, kept, weights)]
        while heap:
            bound, _, allowed, kept, weights = heappop(heap)
            if bound >= self.value - _ROUNDING * abs(self.value):
                return self.value
            if self.nodes > self.most_nodes:
                return bound
            free = [m for m in _support(weights) if m not in kept]
            chosen = int(max(free, key=lambda m: abs(weights[m])))
            others = allowed[allowed != chosen]
            value, relaxed = self.relax(others)
            if value < self.value and len(_support(relaxed)) > self.at_most:
                heappush(heap, (value, next(ties), others, kept, relaxed))
            required = kept | {chosen}
            if len(required) == self.at_most:
                self.relax(np.array(sorted(required)))
            else:
                heappush(heap, (bound, next(ties), allowed, required, weights))
        return self.value


def _support(weights: Weights) -> Models:
    return np.flatnonzero(weights)
