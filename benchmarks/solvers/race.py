"""Time to a certified answer, ours and the rivals', on the same problem.

Everybody gets C and is timed until weights and their duality gap are there. The
contestants take turns, so that a busy moment of the machine does not fall on one
alone, and a turn lasts long enough that nobody pays for the caches another has filled;
the least time of one call counts, as noise only adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from stackingnet_sk.weights import StackingObjective, solve

from .problems import Matrix, covariance, n_seeds
from .rivals import RIVALS, Rival

__all__ = ["GAP", "OURS", "Result", "race"]

GAP = 1e-9  # an answer counts from here, relative
OURS = "ours"
TURN, SECONDS = 2e-3, 0.3  # a turn at least, all turns on one problem at most
TOO_SLOW = 5.0  # seconds; who takes longer skips the greater sizes of a family

Answer = tuple[Matrix, float]


@dataclass(frozen=True)
class Result:
    """What one contestant did on one problem."""

    seconds: float
    gap: float
    feasible: bool
    tolerance: float | None = None

    @property
    def valid(self) -> bool:
        """Whether the answer is feasible and good enough to count."""
        return self.feasible and self.gap <= GAP


def ours(C: Matrix) -> Answer:
    solution = solve(StackingObjective(C), "simplex")
    return solution.weights, solution.gap


def theirs(rival: Rival, tolerance: float | None, C: Matrix) -> Answer:
    weights = rival.solve(C, tolerance)
    return weights, gap(C, weights)


def gap(C: Matrix, weights: Matrix) -> float:
    """Return the duality gap relative to the objective of uniform weights."""
    gradient = 2.0 * (C @ weights)
    return (weights @ gradient - gradient.min()) / (C.sum() / len(C) ** 2)


def race(family: str, sizes: list[int]) -> Iterator[tuple[int, int, dict[str, Result]]]:
    """Yield (M, seed, results) for each problem of a family, small ones first."""
    rivals: tuple[Rival, ...] = RIVALS
    for M in sorted(sizes):
        slow = set()
        for seed in range(n_seeds(M)):
            results = run(covariance(family, M, seed), rivals)
            slow |= {name for name, r in results.items() if r.seconds > TOO_SLOW}
            yield M, seed, results
        rivals = tuple(rival for rival in rivals if rival.name not in slow)


def run(C: Matrix, rivals: tuple[Rival, ...]) -> dict[str, Result]:
    """Race on one problem; a rival that fails is left out."""
    contestants: dict[str, Callable[[Matrix], Answer]] = {OURS: ours}
    results = {OURS: judged(C, ours)}
    for rival in rivals:
        for tolerance in rival.tolerances:
            entry = partial(theirs, rival, tolerance)
            try:
                result = judged(C, entry, tolerance)
            except (ValueError, RuntimeError, np.linalg.LinAlgError):
                continue
            contestants[rival.name], results[rival.name] = entry, result
            if result.valid or result.seconds > TOO_SLOW:
                break
    return timed(C, contestants, results)


def judged(
    C: Matrix, solver: Callable[[Matrix], Answer], tolerance: float | None = None
) -> Result:
    """Run once and recompute what the solver claims."""
    start = perf_counter()
    weights, claimed = solver(C)
    seconds = perf_counter() - start
    feasible = abs(weights.sum() - 1.0) <= 1e-9 and weights.min() >= -1e-12
    worst = max(float(gap(C, weights)), float(claimed), 0.0)
    # Unsolved problems can end in NaN, which must not count as a small gap.
    worst = worst if np.isfinite(weights).all() else np.inf
    return Result(seconds, worst, bool(feasible), tolerance)


def timed(
    C: Matrix,
    contestants: Mapping[str, Callable[[Matrix], Answer]],
    results: Mapping[str, Result],
) -> dict[str, Result]:
    """Take turns until all have spent their time; keep the least."""
    least = {name: result.seconds for name, result in results.items()}
    spent = dict.fromkeys(contestants, 0.0)
    while going := [n for n in contestants if spent[n] + least[n] < SECONDS]:
        for name in going:
            end = spent[name] + TURN
            while spent[name] < end:
                start = perf_counter()
                contestants[name](C)
                seconds = perf_counter() - start
                spent[name] += seconds
                least[name] = min(least[name], seconds)
    return {
        name: Result(least[name], r.gap, r.feasible, r.tolerance)
        for name, r in results.items()
    }
