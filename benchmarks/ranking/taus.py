"""How well scores rank the models as the truth does.

Scores are taken once; every truth and every statistic is computed from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr

from ..black_box.classification.grid import grid
from ..black_box.classification.rankers import Ranker
from ..black_box.classification.reliability import correlation
from ..black_box.data import Pair
from ..black_box.protocol import given
from ..black_box.task import Array
from .half import NONE, Half

__all__ = ["KENDALL", "Ranking", "rank", "report"]

KENDALL = "Kendall's tau"
STATISTICS: Mapping[str, Callable[[Array, Array], Any]] = {
    KENDALL: kendalltau,
    "Spearman's rho": spearmanr,
}


@dataclass(frozen=True)
class Ranking:
    """What was found.

    ``truths`` maps truth -> table -> models; ``scores`` maps setting -> ranker -> table
    -> draws of labels -> models.
    """

    half: Half
    truths: dict[str, dict[str, list[float]]]
    scores: dict[str, dict[str, dict[str, list[list[float]]]]]

    @property
    def tables(self) -> list[str]:
        """All tables."""
        return list(next(iter(self.truths.values())))

    @property
    def truth(self) -> str:
        """The main truth."""
        return next(iter(self.truths))

    def value(
        self,
        setting: str,
        ranker: Ranker,
        tables: Sequence[str],
        statistic: str = KENDALL,
        truth: str | None = None,
    ) -> float:
        """Return the mean over tables and draws; NaN if the setting isn't its own."""
        found = self.scores[setting].get(ranker.name)
        if found is None:
            return float("nan")
        of, true = STATISTICS[statistic], self.truths[truth or self.truth]
        means = [
            np.mean([correlation(np.array(s), np.array(true[t]), of) for s in found[t]])
            for t in tables
        ]
        return float(np.mean(means))

    def json(self) -> dict[str, Any]:
        """Return everything found, and each correlation's mean over the draws."""
        found: dict[str, Any] = {}
        for key in product(STATISTICS, self.truths, self.half.settings):
            statistic, truth, setting = key
            found[", ".join(key)] = {
                ranker.name: {
                    table: self.value(setting, ranker, [table], statistic, truth)
                    for table in self.tables
                }
                for ranker in self.half.rankers
                if ranker.name in self.scores[setting]
            }
        return {"truths": self.truths, "scores": self.scores, "correlations": found}


def rank(half: Half, pairs: Mapping[str, Pair], seeds: int) -> Ranking:
    """Ask each ranker in the settings that fit its need of labels."""
    scores: dict[str, dict[str, dict[str, list[list[float]]]]] = {}
    for setting, draw in half.settings.items():
        own = scores.setdefault(setting, {})
        for ranker in (r for r in half.rankers if r.labels == (setting != NONE)):
            draws = seeds if ranker.labels or ranker.random else 1
            own[ranker.name] = {
                name: [
                    ranker(given(pair, draw(pair, seed), seed)).tolist()
                    for seed in range(draws)
                ]
                for name, pair in pairs.items()
            }
    truths = {
        truth: {name: of(pair.target).tolist() for name, pair in pairs.items()}
        for truth, of in half.truths.items()
    }
    return Ranking(half, truths, scores)


def report(ranking: Ranking, families: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield a row a ranker: over all tables and families, then table by table."""
    settings, rankers = ranking.half.settings, ranking.half.rankers
    scopes = {"all": ranking.tables, **families}
    cells = list(product(scopes, settings))
    columns = [f"{scope}_{setting}".replace(" ", "_") for scope, setting in cells]
    for statistic, truth in product(STATISTICS, ranking.truths):
        of = (statistic, truth)
        rows = [
            (
                r.name,
                [ranking.value(setting, r, scopes[s], *of) for s, setting in cells],
            )
            for r in rankers
        ]
        yield from grid(f"{statistic} with {truth}", columns, rows, digits=3)
        yield ""
    for setting in settings:
        rows = [
            (r.name, [ranking.value(setting, r, [table]) for table in ranking.tables])
            for r in rankers
        ]
        yield from grid(f"{KENDALL}, {setting}", ranking.tables, rows, digits=3)
