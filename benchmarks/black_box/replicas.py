"""Whether replicas reproduce what is published, on the tables that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .data import Pair, Table
from .protocol import Bench, n_labels
from .task import Task

__all__ = ["Check", "check", "status"]


@dataclass(frozen=True)
class Check:
    """One published figure beside ours."""

    name: str
    value: float
    published: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether they agree within the tolerance."""
        return abs(self.value - self.published) <= self.tolerance

    def __str__(self) -> str:
        verdict = "agrees" if self.agrees else "DISAGREES"
        return (
            f"{self.name} {self.value:.3f}, to be {self.published:.3f} "
            f"within {self.tolerance:g}, {verdict}"
        )


def check(task: Task, tables: Sequence[Table]) -> Iterator[Check]:
    """Yield the published figures of a task whose tables are here."""
    for table in tables:
        bench = Bench(task, Pair(table, table))
        for known in task.published:
            if table.name in known.values:
                n = n_labels(known.budget, table)
                values = bench.values(known.method, n, known.seeds)
                yield Check(
                    f"{table.name}: {known.method.name}",
                    float(np.mean(values)),
                    known.values[table.name],
                    known.tolerance,
                )


def status(checks: Iterable[Check]) -> int:
    """Print the checks; return the exit status."""
    found = list(checks)
    print("\n".join(map(str, found)) or "No table here has a published value.")
    return int(not all(one.agrees for one in found))
