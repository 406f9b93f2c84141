"""What is claimed of ours: leads in ranking, and less disparity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..black_box.claim import Claim
from .disparity import BUDGETS, GAP, WORST, Disparities
from .half import NONE, Audit
from .taus import KENDALL, Ranking

__all__ = ["disparity_claims", "ranking_claims"]


def ranking_claims(ranking: Ranking) -> Iterator[Claim]:
    """Yield ours less the best rival, chosen in hindsight, in each setting."""
    for setting, bound in ranking.half.leads.items():
        ours, rivals = taus(ranking, setting)
        known = {name: own for name, own in rivals.items() if np.isfinite(own).all()}
        best = max(known, key=lambda name: np.mean(known[name]))
        leads = ours - known[best]
        lead, worst = float(leads.mean()), int(leads.argmin())
        yield Claim(
            f"{KENDALL}, {setting}: ours less the best rival",
            lead,
            bound,
            lead >= bound,
            f"{best}, {np.mean(known[best]):.3f}; "
            f"worst table {ranking.tables[worst]}, {leads[worst]:+.3f}",
        )


def taus(ranking: Ranking, setting: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return ours and the rivals on each table; who needs no labels is always one."""
    half = ranking.half
    ours = half.ours_unlabelled if setting == NONE else half.ours
    found = {
        ranker.name: np.array(
            [
                ranking.value(setting if ranker.labels else NONE, ranker, [table])
                for table in ranking.tables
            ]
        )
        for ranker in half.rankers
        if not (setting == NONE and ranker.labels)
    }
    own = found[ours.name]
    for name in (half.ours.name, half.ours_unlabelled.name):
        found.pop(name, None)
    return own, found


def disparity_claims(measure: Audit, found: Disparities) -> Iterator[Claim]:
    """Yield ours over the average and over the best single model."""
    tables, own = found.tables, measure.ours.name
    if not tables:
        return
    for figure in (WORST, GAP):
        for rival in (measure.average.name, measure.single.name):
            values = {
                (scope, budget): ratio(
                    found.value(measure.name, budget, on, own, figure),
                    found.value(measure.name, budget, on, rival, figure),
                )
                for scope, on in (("", tables), *((t, [t]) for t in tables))
                for budget in BUDGETS
            }
            value, budget = max((values["", b], b) for b in BUDGETS)
            single, (table, at) = max((v, key) for key, v in values.items() if key[0])
            yield Claim(
                f"{measure.name}, {figure}: ours / {rival}",
                value,
                1.0,
                value < 1.0,
                f"{own}, {budget} of labels; worst table {table}, {at}, {single:.3f}",
            )


def ratio(ours: float, other: float) -> float:
    """Return ours over another; infinite where there is nothing to be below."""
    return ours / other if other else float("inf")
