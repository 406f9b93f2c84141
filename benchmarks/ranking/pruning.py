"""What the combination is worth while models are removed, the least reliable first.

Each ranker scores once, and the combination is fitted again on what is left, down to
two models. The second path starts with three adversaries, one of each kind, in place of
the worst models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from ..black_box.classification.adversaries import planted
from ..black_box.classification.grid import grid
from ..black_box.data import Pair, Table
from ..black_box.protocol import given
from ..black_box.task import Array
from .half import Half

__all__ = ["Paths", "prune", "report"]

AS_IS, PLANTED = "as they are", "three adversaries"
HINDSIGHT = "true order (hindsight)"
LEFT = 2

Path = list[float]  # quality with 0, 1, ... models removed


@dataclass
class Paths:
    """``found`` maps variant -> ranker -> table -> draws of labels -> path."""

    found: dict[str, dict[str, dict[str, list[Path]]]] = field(default_factory=dict)

    def sizes(self) -> dict[int, list[str]]:
        """Return the tables by their number of models."""
        sizes: dict[int, list[str]] = {}
        for name, paths in self.found[AS_IS][HINDSIGHT].items():
            sizes.setdefault(len(paths[0]) + LEFT - 1, []).append(name)
        return sizes

    def mean(self, variant: str, ranker: str, tables: list[str]) -> Array:
        """Return the mean path of tables with one number of models."""
        paths = self.found[variant][ranker]
        return np.mean([np.mean(paths[table], axis=0) for table in tables], axis=0)


def prune(half: Half, pairs: Mapping[str, Pair], seeds: int) -> Paths:
    """Follow each ranker's path on every table and draw."""
    paths = Paths()
    for name, pair in pairs.items():
        for seed in range(seeds):
            for variant, table in (
                (AS_IS, pair.target),
                (PLANTED, adversarial(half, pair.target, seed)),
            ):
                for ranker, path in walk(half, table, seed).items():
                    own = paths.found.setdefault(variant, {}).setdefault(ranker, {})
                    own.setdefault(name, []).append(path)
    return paths


def adversarial(half: Half, table: Table, seed: int) -> Table:
    """Return the table with its worst models replaced, by one of each kind."""
    order = np.argsort(half.truth(table))
    changed = table
    for model, plant in zip(order[:-1], half.planting.kinds.values(), strict=False):
        drawn = planted(table, plant, np.array([model]), int(order[-1]), seed)
        P = changed.P.copy()
        P[:, model] = drawn.P[:, model]
        changed = replace(changed, P=P)
    return changed


def walk(half: Half, table: Table, seed: int) -> dict[str, Path]:
    """Return the path of each ranker, and of the order that the truth gives."""
    pair = Pair(table, table)
    labelled = half.settings[half.path_labels](pair, seed)
    orders = {
        ranker.name: ranker(given(pair, labelled if ranker.labels else [], seed))
        for ranker in half.path
    }
    orders[HINDSIGHT] = half.truth(table)
    known: dict[tuple[str, ...], float] = {}

    def quality(models: tuple[str, ...]) -> float:
        if models not in known:
            left = table.columns(models)
            seen = given(Pair(left, left), labelled, seed)
            predicted = half.combine.fit(seen).predict(seen.unlabeled)
            known[models] = float(half.task.score(left.truth, predicted))
        return known[models]

    paths = {}
    for name, scores in orders.items():
        order = np.argsort(scores, kind="stable")
        kept = [np.sort(order[n:]) for n in range(len(order) - LEFT + 1)]
        paths[name] = [quality(tuple(table.models[j] for j in own)) for own in kept]
    return paths


def report(half: Half, paths: Paths) -> Iterator[str]:
    """Yield a row an order, for the tables of each number of models."""
    yield f"Pruning: {half.task.metric} of {half.combine.name} with {half.path_labels}"
    yield "  and 0, 1, ... models removed, in ascending order of each score"
    for variant, (size, tables) in product(paths.found, paths.sizes().items()):
        rows = [
            (ranker, paths.mean(variant, ranker, tables).tolist())
            for ranker in paths.found[variant]
        ]
        columns = [str(n) for n in range(size - LEFT + 1)]
        yield f"{size} models, {variant}: mean of {len(tables)} tables"
        yield from grid(f"  ({', '.join(tables)})", columns, rows, digits=3)
