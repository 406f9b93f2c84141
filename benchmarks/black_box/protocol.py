"""From tables to raw errors: the paper's protocol, at every budget of labels.

The pool and the test items of a table are fixed, and a seed says which items of the
pool are labelled. Every method sees the same labelled items and is scored on the same
test items. The oracle sees the test labels, once a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from .data import Pair, Table
from .task import Given, Method, Task

__all__ = ["BUDGETS", "Record", "check_budget", "labelled_items", "n_labels", "run"]

BUDGETS = ("5", "10", "20", "50", "1%", "2%", "5%", "10%", "20%")

Errors = dict[str, list[float]]


@dataclass
class Record:
    """Everything measured, raw; the summary computes the rest.

    ``errors`` maps table -> budget -> row -> values of the seeds; ``seconds`` maps
    table -> row -> seconds of all fits; ``n_labels`` maps table -> budget -> labels.
    """

    pairs: dict[str, Pair] = field(default_factory=dict)
    errors: dict[str, dict[str, Errors]] = field(default_factory=dict)
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    n_labels: dict[str, dict[str, int]] = field(default_factory=dict)


def check_budget(budget: str) -> str:
    """Return a budget, a number of labels or a percentage, if it is one."""
    number = int(budget.removesuffix("%"))
    if number < 1 or (budget.endswith("%") and number > 100):
        raise ValueError(f"{budget!r} is no number of labels and no percentage")
    return budget


def n_labels(budget: str, table: Table) -> int:
    """Return how many labels a budget means on a table, at most its pool."""
    number = int(budget.removesuffix("%"))
    if budget.endswith("%"):
        number = max(int(len(table.y) // (100 // number)), 1)
    return min(number, len(table.pool))


def labelled_items(table: Table, n: int, seed: int) -> np.ndarray:
    """Return the rows of the pool that a seed labels."""
    chosen = np.random.RandomState(seed).choice(len(table.pool), size=n, replace=False)
    return table.pool[chosen]


def run(
    task: Task,
    pairs: Iterable[Pair],
    budgets: Sequence[str],
    seeds: int,
    progress: Callable[[str], None] = lambda line: None,
) -> Record:
    """Measure every row of a task."""
    record = Record()
    for pair in pairs:
        start, name = perf_counter(), pair.target.name
        record.pairs[name] = pair
        record.seconds[name] = {row.name: [] for row in task.rows}
        # On small tables two budgets can be the same number of labels.
        counts = {budget: n_labels(budget, pair.source) for budget in budgets}
        errors = {
            n: measure(task, pair, n, seeds, record.seconds[name])
            for n in sorted(set(counts.values()))
        }
        oracle = bound(task, pair.target)
        record.n_labels[name] = counts
        record.errors[name] = {
            budget: errors[n] | {task.oracle.name: [oracle] * seeds}
            for budget, n in counts.items()
        }
        progress(f"{name}: {perf_counter() - start:.1f} s")
    return record


def measure(
    task: Task, pair: Pair, n: int, seeds: int, seconds: dict[str, list[float]]
) -> Errors:
    """Return the errors of all rows but the oracle with n labels; append the times."""
    target, source, family = pair.target, pair.source, pair.target.family
    Q, truth = target.P[target.test], target.y[target.test]
    methods = (*task.rivals, *task.ours)
    errors: Errors = {method.name: [] for method in methods}
    for seed in range(seeds):
        items = labelled_items(source, n, seed)
        given = Given(source.P[items], source.y[items], Q, family.low, family.high)
        for method in methods:
            error, duration = score(task, method, given, truth)
            errors[method.name].append(error)
            seconds[method.name].append(duration)
    return errors


def bound(task: Task, table: Table) -> float:
    """Return the error of the oracle, which is given what it is asked."""
    Q, truth, family = table.P[table.test], table.y[table.test], table.family
    given = Given(Q, truth, Q, family.low, family.high)
    return score(task, task.oracle, given, truth)[0]


def score(
    task: Task, method: Method, given: Given, truth: np.ndarray
) -> tuple[float, float]:
    """Return the error on the items to predict, and the seconds of the fit."""
    start = perf_counter()
    model = method.fit(given)
    duration = perf_counter() - start
    return float(task.error(truth, model.predict(given.unlabeled))), duration
