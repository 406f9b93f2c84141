"""Every method on every trial: one error for each case, budget, method and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from ..black_box.limit import limit
from ..black_box.task import Unavailable
from .case import Array, Case, Trial

__all__ = ["Arena", "Errors", "Predict", "run"]

LIMIT = 60  # seconds that a method may take on one trial

Predict = Callable[[Trial], Array]
Errors = dict[str, dict[int, dict[str, list[float]]]]
"""Case -> budget -> method -> errors of the seeds; NaN where it cannot answer."""


@dataclass(frozen=True)
class Arena:
    """A task: who competes, where, and how errors are counted.

    Attributes
    ----------
    ours, rivals : name -> classes or numbers for the test rows of a trial.
    named : the rivals that somebody could have named in advance.
    error : truth and predictions to a positive number.
    what : what that number is, in words.
    cases : folder of tables or None, and number of unlabelled rows, to cases.
    """

    name: str
    ours: dict[str, Predict]
    rivals: dict[str, Predict]
    named: tuple[str, ...]
    error: Callable[[Array, Array], float]
    what: str
    cases: Callable[[Path | None, int], list[Case]]
    budgets: tuple[int, ...]


def run(
    arena: Arena,
    cases: Sequence[Case],
    budgets: Sequence[int],
    draws: int,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> Errors:
    """Return all errors; trials are drawn by their seed, so the order is no matter."""
    errors: Errors = {}
    with Parallel(n_jobs=n_jobs) as parallel:
        for case in cases:
            errors[case.name] = {}
            for budget in budgets:
                trials = parallel(
                    delayed(attempt)(arena, case, budget, seed) for seed in range(draws)
                )
                errors[case.name][budget] = gather(trials)
            progress(case.name)
    return errors


def attempt(arena: Arena, case: Case, budget: int, seed: int) -> dict[str, float]:
    """Return the error of each method on one trial."""
    trial = case.draw(budget, seed)
    methods = {**arena.ours, **arena.rivals}
    return {name: score(arena, predict, trial) for name, predict in methods.items()}


def score(arena: Arena, predict: Predict, trial: Trial) -> float:
    try:
        with limit(LIMIT):
            return arena.error(trial.truth, predict(trial))
    except Unavailable:
        return float("nan")


def gather(trials: Iterable[dict[str, float]]) -> dict[str, list[float]]:
    """Return the errors of each method that answered in some trial."""
    columns: dict[str, list[float]] = {}
    for trial in trials:
        for name, error in trial.items():
            columns.setdefault(name, []).append(error)
    return {name: e for name, e in columns.items() if not np.isnan(e).all()}
