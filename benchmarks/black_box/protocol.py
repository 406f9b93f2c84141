"""From tables to raw values: the paper's protocol, at every budget of labels.

The pool and the test items of a table are fixed, and a seed says which items of the
pool are labelled. Every method sees the same labelled items and is scored on the same
test items. Rows in hindsight see the test labels, once a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from .data import Pair, Table
from .limit import limit
from .task import Given, Method, Predictor, Task, Unavailable

__all__ = ["LIMIT", "Bench", "Record", "check_budget", "given", "n_labels", "run"]

LIMIT = 300.0  # seconds a fit may take
NAN = float("nan")

Values = dict[str, list[float]]


@dataclass
class Record:
    """Everything measured, raw; the summary computes the rest.

    ``values`` maps table -> budget -> row -> values of the seeds; ``seconds`` maps
    table -> row -> seconds of all fits; ``n_labels`` maps table -> budget -> labels;
    ``skipped`` maps reason -> row -> tables.
    """

    pairs: dict[str, Pair] = field(default_factory=dict)
    values: dict[str, dict[str, Values]] = field(default_factory=dict)
    seconds: dict[str, Values] = field(default_factory=dict)
    n_labels: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: dict[str, dict[str, list[str]]] = field(default_factory=dict)


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


def given(pair: Pair, labelled: Sequence[int], seed: int) -> Given:
    """Return what a method may see, by positions in the pool."""
    source, target = pair.source, pair.target
    items = source.pool[np.asarray(labelled, dtype=int)]
    P, y = source.P[items], source.y[items]
    return Given(P, y, target.unlabeled, target.domain, seed)


@dataclass
class Bench:
    """One table, or a pair of them, on which methods are measured.

    A method without labels is fitted once, or once a seed if it draws.
    """

    task: Task
    pair: Pair
    limit: float = LIMIT
    seconds: Values = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    _known: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def given(self, n: int, seed: int) -> Given:
        """Return what a method with n labels may see."""
        source = self.pair.source
        labelled = self.task.draw(source.y[source.pool], n, seed) if n else []
        return given(self.pair, labelled, seed)

    def values(self, method: Method, n: int, seeds: int) -> list[float]:
        """Return the value of each seed."""
        return [self.value(method, n, seed) for seed in range(seeds)]

    def value(self, method: Method, n: int, seed: int) -> float:
        """Return the value on the test items; NaN where the method cannot answer."""
        n = n if method.labels else 0
        seed = seed if method.labels or method.random else 0
        key = (method.name, n, seed)
        if key not in self._known:
            self._known[key] = self._score(method, self.given(n, seed))
        return self._known[key]

    def hindsight(self, method: Method) -> float:
        """Return the value of a row which is given what it is asked."""
        target = self.pair.target
        Q = target.unlabeled
        return self._score(method, Given(Q, target.truth, Q, target.domain, 0))

    def _score(self, method: Method, given: Given) -> float:
        # What failed once would most likely fail, or exhaust its time, again.
        if method.name in self.skipped:
            return NAN
        try:
            model = self._fit(method, given)
        except Unavailable as reason:
            self.skipped[method.name] = str(reason)
            return NAN
        truth = self.pair.target.truth
        return float(self.task.score(truth, model.predict(given.unlabeled)))

    def _fit(self, method: Method, given: Given) -> Predictor:
        start = perf_counter()
        with limit(self.limit):
            model = method.fit(given)
        self.seconds.setdefault(method.name, []).append(perf_counter() - start)
        return model


def run(
    task: Task,
    pairs: Iterable[Pair],
    budgets: Sequence[str],
    seeds: int,
    progress: Callable[[str], None] = lambda line: None,
    limit: float = LIMIT,
) -> Record:
    """Measure every row of a task."""
    record = Record()
    for pair in pairs:
        start, name = perf_counter(), pair.target.name
        bench = Bench(task, pair, limit)
        # On small tables two budgets can be the same number of labels.
        counts = {budget: n_labels(budget, pair.source) for budget in budgets}
        fixed = {m.name: [bench.hindsight(m)] * seeds for m in task.hindsight}
        values = {
            n: {m.name: bench.values(m, n, seeds) for m in task.methods} | fixed
            for n in sorted(set(counts.values()))
        }
        record.pairs[name], record.n_labels[name] = pair, counts
        record.values[name] = {budget: values[n] for budget, n in counts.items()}
        record.seconds[name] = bench.seconds
        for row, reason in bench.skipped.items():
            tables = record.skipped.setdefault(reason, {}).setdefault(row, [])
            tables.append(name)
        progress(f"{name}: {perf_counter() - start:.1f} s")
    return record
