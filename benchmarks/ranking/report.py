"""The report of a half, as text (at most 100 columns) and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..black_box.claim import Claim
from ..black_box.classification.adversaries import Found
from ..black_box.data import Pair
from ..black_box.report import as_text
from . import disparity, planted, pruning, taus
from .claims import disparity_claims, ranking_claims
from .half import Half

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """Everything that one task's tables say."""

    half: Half
    pairs: dict[str, Pair]
    seeds: int
    ranking: taus.Ranking
    found: Found
    paths: pruning.Paths
    disparities: disparity.Disparities

    def text(self) -> str:
        """Return the tables and the claims."""
        families: dict[str, list[str]] = {}
        for name, pair in self.pairs.items():
            families.setdefault(pair.target.family, []).append(name)
        audits = self.half.audits if self.disparities.tables else ()
        sections = [
            self.introduction(),
            taus.report(self.ranking, families),
            planted.report(self.half, self.found),
            pruning.report(self.half, self.paths),
            *(disparity.report(measure, self.disparities) for measure in audits),
            map(str, self.claims()),
        ]
        return as_text(sections)

    def json(self) -> dict[str, Any]:
        """Return everything measured, and what was computed from it."""
        return {
            "seeds": self.seeds,
            "ranking": self.ranking.json(),
            "adversaries": self.found.cases,
            "pruning": self.paths.found,
            "disparity": self.disparities.found,
            "claims": [asdict(claim) for claim in self.claims()],
        }

    def claims(self) -> Iterator[Claim]:
        """Yield the claims."""
        yield from ranking_claims(self.ranking)
        for measure in self.half.audits:
            yield from disparity_claims(measure, self.disparities)

    def introduction(self) -> Iterator[str]:
        """Yield what is shown, and the tables."""
        ours, alone = self.half.ours.name, self.half.ours_unlabelled.name
        yield f"Task: {self.half.task.name}, {self.seeds} draws of labels from the"
        yield "  pool; all is measured on the test items, mean over draws and tables."
        yield f"  Ours, in the claims: {ours}, and {alone}"
        yield "  + U: sees the predictions of the test items as unlabelled rows"
        for name, pair in self.pairs.items():
            table = pair.target
            yield (
                f"  {name:<22}{len(table.models):>4} models,{len(table.pool):>6} items "
                f"in the pool,{len(table.test):>6} to test on"
            )
