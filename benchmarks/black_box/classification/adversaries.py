"""Whether planted adversaries are found, and what they cost the combination.

Three of the models, drawn by seed among all but the best, are replaced by voters that
answer at random, by flipped copies of the best model, or by anti-experts, flipped
copies of themselves; flipped: class k becomes k + 1, the last the first. Only cases
count where each planted model is at least five points below every honest one. They are
found if they are the three lowest in reliability; a tie with honest models counts as
the chance that a draw decides it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import comb
from typing import Any

import numpy as np

from ..data import Pair, Table
from ..protocol import given
from ..task import Array, Method, Unavailable
from .grid import grid
from .ours import UNLABELLED
from .rankers import RANKERS, Ranker
from .reliability import few_labels, truth
from .rivals import MAJORITY
from .votes import balanced_accuracy

__all__ = [
    "COMBINATIONS",
    "KINDS",
    "MARGIN",
    "PLANTED",
    "VOTES",
    "Found",
    "Planting",
    "plant_all",
    "plant_cases",
    "planted",
    "report",
    "try_case",
]

PLANTED, HONEST = 3, 4  # replaced, and at least so many left
MARGIN = 0.05
COMBINATIONS = (MAJORITY, UNLABELLED)

Plant = Callable[[Table, Array, int, np.random.Generator], Array]


def flipped(votes: Array, n_classes: int) -> Array:
    return (votes + 1) % n_classes


KINDS: Mapping[str, Plant] = {
    "random voters": lambda table, models, best, rng: rng.integers(
        table.domain, size=(len(table.y), len(models))
    ),
    "flipped best": lambda table, models, best, rng: flipped(
        table.P[:, [best] * len(models)], table.domain
    ),
    "anti-experts": lambda table, models, best, rng: flipped(
        table.P[:, models], table.domain
    ),
}


@dataclass(frozen=True)
class Planting:
    """What is planted, and who is asked to find it.

    ``truth`` and ``margin`` say whether planted models are the worst, ``labelled``
    which positions in the pool have labels.
    """

    kinds: Mapping[str, Plant]
    truth: Callable[[Table], Array]
    margin: float
    rankers: Sequence[Ranker]
    labelled: Callable[[Pair, int], Sequence[int]]


VOTES = Planting(KINDS, truth, MARGIN, RANKERS, few_labels)


@dataclass
class Found:
    """What the report shows.

    ``cases`` maps kind -> ranker -> how far each case was found; ``losses`` maps
    combination -> table -> points lost when the three best models are flipped.
    """

    cases: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    losses: dict[str, dict[str, float]] = field(default_factory=dict)

    def share(self, kind: str, ranker: Ranker) -> float:
        """Return the share of cases found; NaN without a case or a ranking."""
        cases = self.cases.get(kind, {}).get(ranker.name, [])
        return float(np.mean(cases)) if cases else float("nan")

    def json(self) -> dict[str, Any]:
        """Return everything found."""
        return asdict(self)


def planted(table: Table, plant: Plant, models: Array, best: int, seed: int) -> Table:
    """Return the table with some models replaced, in the pool too."""
    P = table.P.copy()
    rng = np.random.default_rng([seed, len(table.y)])
    P[:, models] = plant(table, models, best, rng)
    return replace(table, P=P)


def plant_all(pairs: Mapping[str, Pair], seeds: int) -> Found:
    """Try every kind on every table and seed, then flip the best models."""
    found = plant_cases(pairs, seeds)
    for name, pair in pairs.items():
        true = truth(pair.target)
        if len(true) < PLANTED + HONEST:
            continue
        top = np.argsort(true)[-PLANTED:]
        turned = planted(pair.target, KINDS["anti-experts"], top, top[-1], 0)
        for method in COMBINATIONS:
            loss = score(method, pair.target) - score(method, turned)
            found.losses.setdefault(method.name, {})[name] = loss
    return found


def plant_cases(pairs: Mapping[str, Pair], seeds: int) -> Found:
    """Try every kind on every table and seed."""
    found = Found()
    for pair in pairs.values():
        true = truth(pair.target)
        if len(true) < PLANTED + HONEST:
            continue
        best = int(true.argmax())
        others = np.delete(np.arange(len(true)), best)
        for kind in KINDS:
            for seed in range(seeds):
                draw = np.random.default_rng(seed)
                models = draw.choice(others, size=PLANTED, replace=False)
                try_case(found, VOTES, pair, kind, models, best, seed)
    return found


def try_case(
    found: Found,
    planting: Planting,
    pair: Pair,
    kind: str,
    models: Array,
    best: int,
    seed: int,
) -> None:
    """Plant once, and ask each ranker, if the planted models are the worst."""
    changed = Pair(
        planted(pair.source, planting.kinds[kind], models, best, seed),
        planted(pair.target, planting.kinds[kind], models, best, seed),
    )
    honest = np.delete(np.arange(pair.target.P.shape[1]), models)
    true = planting.truth(changed.target)
    if true[models].max() > true[honest].min() - planting.margin:
        return
    for ranker in planting.rankers:
        labelled = planting.labelled(changed, seed) if ranker.labels else []
        scores = ranker(given(changed, labelled, seed))
        if not np.isnan(scores).any():
            chance = lowest(scores[models], scores[honest])
            found.cases.setdefault(kind, {}).setdefault(ranker.name, []).append(chance)


def lowest(planted: Array, honest: Array) -> float:
    """Return the chance that all planted are below all honest, ties at random."""
    edge = planted.max()
    if honest.min() < edge:
        return 0.0
    tied = np.sum(planted == edge)
    return 1.0 / comb(int(tied + np.sum(honest == edge)), int(tied))


def score(method: Method, table: Table) -> float:
    """Return the balanced accuracy of a label-free combination; NaN without one."""
    try:
        model = method.fit(given(Pair(table, table), [], 0))
    except Unavailable:
        return float("nan")
    return balanced_accuracy(table.truth, model.predict(table.unlabeled))


def report(found: Found) -> Iterator[str]:
    """Yield the shares found, and the losses."""
    n = {
        kind: len(found.cases.get(kind, {}).get(RANKERS[0].name, [])) for kind in KINDS
    }
    yield "Planted adversaries: share of cases in which the three are the three lowest,"
    yield "  five labels a class or none; of a tie, the chance that a draw is lucky"
    cases = ", ".join(f"{kind} {count}" for kind, count in n.items())
    rows = [(r.name, [found.share(kind, r) for kind in KINDS]) for r in RANKERS]
    columns = [kind.replace(" ", "_") for kind in KINDS]
    title = f"  cases: {cases}"
    yield from grid(title, columns, rows, digits=3)
    yield ""
    rows = [
        (name, [*losses.values(), float(np.mean(list(losses.values())))])
        for name, losses in found.losses.items()
    ]
    title = "Points of balanced accuracy lost when the three best models are flipped"
    columns = [*next(iter(found.losses.values()), {}), "mean"]
    yield from grid(title, columns, rows)
