"""What is claimed of ours: leads over rivals, rankings, and adversaries found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..claim import Claim
from ..summary import Summary
from ..task import Method
from . import rankers
from .adversaries import KINDS, Found
from .crowd import CROWD
from .ours import DEFAULT, UNLABELLED
from .reliability import FEW, NONE, TENTH, Taus, mean
from .replica import REPLICA
from .replica import UNLABELLED as REPLICA_UNLABELLED
from .rivals import MAJORITY
from .stacking import BALANCED

__all__ = ["claims"]

MOST, FEWER = "10%", ("1%", "2%", "5%")
MEANS = {"helm": 79.3}  # with the most labels, at least
BEHIND, BEHIND_MAJORITY = -0.1, -0.3  # points, at most
TAU_LEADS = {FEW: 0.03, TENTH: 0.0, NONE: 0.03}
FOUND, LOST = 0.95, 1.0  # share of adversaries; points lost to flipped models

Leads = list[tuple[float, str]]  # value, and where it comes from


def claims(summary: Summary, taus: Taus, planted: Found) -> Iterator[Claim]:
    """Yield the claims: with labels, without, on reliability, on adversaries."""
    yield from most_labels(summary)
    yield from fewer_labels(summary)
    yield from no_labels(summary)
    yield from rankings(summary, taus)
    yield from adversaries(planted)


def most_labels(summary: Summary) -> Iterator[Claim]:
    for family in summary.families:
        for rival in (REPLICA, BALANCED):
            text = f"{family} at {MOST}: {DEFAULT.name} less {rival.name}"
            yield least(text, leads(summary, [family], [MOST], [rival]), above=True)
        if family in MEANS:
            text = f"{family} at {MOST}: {DEFAULT.name}"
            own = [(at(summary, family, MOST, DEFAULT), "")]
            yield least(text, own, MEANS[family])


def fewer_labels(summary: Summary) -> Iterator[Claim]:
    rivals = (REPLICA, BALANCED, MAJORITY)
    for family in summary.families:
        text = f"{family} at {', '.join(FEWER)}: {DEFAULT.name} less the best of three"
        yield least(text, leads(summary, [family], FEWER, rivals), BEHIND)


def no_labels(summary: Summary) -> Iterator[Claim]:
    first = summary.budgets[:1]  # label-free rows are the same at each
    found = leads(summary, summary.tables, first, [MAJORITY], UNLABELLED)
    text = f"single tables: {UNLABELLED.name} less {MAJORITY.name}"
    yield least(text, found, BEHIND_MAJORITY)
    crowd = [method for method in CROWD if not method.labels]
    for what, rivals in (
        (REPLICA_UNLABELLED.name, [REPLICA_UNLABELLED]),
        ("the best of crowd-kit", crowd),
    ):
        for family in summary.families:
            text = f"{family}: {UNLABELLED.name} less {what}"
            found = leads(summary, [family], first, rivals, UNLABELLED)
            yield least(text, found, above=True)


def rankings(summary: Summary, taus: Taus) -> Iterator[Claim]:
    for setting, bound in TAU_LEADS.items():
        own = rankers.OURS_UNLABELLED if setting == NONE else rankers.OURS
        found = [
            (
                mean(
                    taus, setting if rival.labels else NONE, rival.name, summary.tables
                ),
                rival.name,
            )
            for rival in rankers.RIVALS
            if not (setting == NONE and rival.labels)
        ]
        best, name = max(pair for pair in found if not np.isnan(pair[0]))
        lead = mean(taus, setting, own.name, summary.tables) - best
        text = f"Kendall's tau, {setting}: {own.name} less the best rival"
        yield least(text, [(lead, name)], bound)


def adversaries(planted: Found) -> Iterator[Claim]:
    for ranker in (rankers.OURS, rankers.OURS_UNLABELLED):
        kinds = [kind for kind in KINDS if planted.cases.get(kind)]
        found = [(planted.share(kind, ranker), kind) for kind in kinds]
        yield least(
            f"planted adversaries found, worst kind: {ranker.name}", found, FOUND
        )
    losses = planted.losses.get(UNLABELLED.name, {})
    text = f"three best flipped: points that {UNLABELLED.name} loses, worst table"
    known = [(loss, table) for table, loss in losses.items() if not np.isnan(loss)]
    loss, where = max(known, default=(float("nan"), "not measured in this run"))
    yield Claim(text, loss, LOST, loss < LOST, where)


def at(summary: Summary, scope: str, budget: str, method: Method) -> float:
    """Return a mean; NaN if the budget was not measured."""
    if budget not in summary.budgets:
        return float("nan")
    return float(summary.row(scope, method)[summary.budgets.index(budget)])


def leads(
    summary: Summary,
    scopes: Sequence[str],
    budgets: Sequence[str],
    rivals: Sequence[Method],
    own: Method = DEFAULT,
) -> Leads:
    """Return how far ours is above the best of some rivals, wherever both answered."""
    found = []
    for scope in scopes:
        for budget in budgets:
            others = [(at(summary, scope, budget, r), r.name) for r in rivals]
            others = [pair for pair in others if not np.isnan(pair[0])]
            if others:
                best, name = max(others)
                lead = at(summary, scope, budget, own) - best
                where = f"{scope} at {budget}" if own.labels else scope
                found.append((lead, f"{where}, {name} {best:.2f}"))
    return found


def least(
    text: str,
    found: Iterable[tuple[float, str]],
    bound: float = 0.0,
    *,
    above: bool = False,
) -> Claim:
    """Return the claim that the least value is at least, or above, its bound."""
    found = list(found)
    if not found or any(np.isnan(value) for value, _ in found):
        return Claim(text, float("nan"), bound, False, "not measured in this run")
    value, where = min(found)
    return Claim(text, value, bound, value > bound if above else value >= bound, where)
