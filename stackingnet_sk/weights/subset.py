"""At most k models: best-first branch and bound over the convex relaxations.

Method: a node allows some models and keeps others for sure; without the cardinality the
problem is convex, and its optimum bounds all subsets. It branches on the model of most
weight. Strength: proves the optimum, or says how far off it may be. Limit: exponential
where models are alike; beyond 30 models it follows the pruning path instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

# Up to here subsets are searched until the best is proven.
LARGEST_EXACT = 30
# Of the models of a step of the pruning path these are tried, the least first.
_TRIED = 5
_ROUNDING = 1e-12

Relaxation = Callable[[NDArray[np.intp]], tuple[float, NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class Subset:
    """The best models found.

    Parameters
    ----------
    models : ndarray of int
        Which.
    value : float
        Their objective.
    bound : float
        No subset has less.
    nodes : int
        Problems solved.
    """

    models: NDArray[np.intp]
    value: float
    bound: float
    nodes: int


def best_subset(
    relax: Relaxation, n_models: int, at_most: int, most_nodes: int = 1_000_000
) -> Subset:
    """Find the best models of limited number.

    Parameters
    ----------
    relax : callable
        ``relax(models) -> (value, weights)``: the optimum with these models alone,
        infinite where there is none, and its weights, of shape (n_models,).
    n_models : int
        Number of models.
    at_most : int
        Most models with a weight.
    most_nodes : int, default=1_000_000
        Problems to solve at most, about.

    Returns
    -------
    Subset
    """
    search = _Search(relax, at_most, most_nodes)
    everybody = np.arange(n_models)
    bound, weights = search.relax(everybody)
    if len(_support(weights)) > at_most:
        search.prune(weights)
        if n_models <= LARGEST_EXACT:
            bound = search.branch(everybody, bound, weights)
    return Subset(search.models, search.value, min(bound, search.value), search.nodes)


class _Search:
    def __init__(self, relax: Relaxation, at_most: int, most_nodes: int) -> None:
        self._relax, self.at_most, self.most_nodes = relax, at_most, most_nodes
        self.models = np.arange(0)
        self.value = np.inf
        self.nodes = 0

    def relax(self, models: NDArray[np.intp]) -> tuple[float, NDArray[np.float64]]:
        """Solve a relaxation, and remember it where it is a solution."""
        self.nodes += 1
        value, weights = self._relax(models)
        support = _support(weights)
        if value < self.value and len(support) <= self.at_most:
            self.models, self.value = support, value
        return value, weights

    def prune(self, weights: NDArray[np.float64]) -> None:
        """Drop one model after the other, the one whose loss costs least."""
        while len(support := _support(weights)) > self.at_most:
            least = support[np.argsort(np.abs(weights[support]), kind="stable")]
            tried = [self.relax(support[support != m]) for m in least[:_TRIED]]
            value, weights = min(tried, key=lambda each: each[0])
            if not np.isfinite(value):
                return

    def branch(
        self, allowed: NDArray[np.intp], bound: float, weights: NDArray[np.float64]
    ) -> float:
        """Search all subsets; return a bound on what any could reach."""
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
            value, found = self.relax(others)
            if value < self.value and len(_support(found)) > self.at_most:
                heappush(heap, (value, next(ties), others, kept, found))
            sure = kept | {chosen}
            if len(sure) == self.at_most:
                self.relax(np.array(sorted(sure)))
            else:
                heappush(heap, (bound, next(ties), allowed, sure, weights))
        return self.value


def _support(weights: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.flatnonzero(weights)
