"""Contestants that take turns, as the machine's speed drifts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..solvers.table import seconds

__all__ = ["Times", "race"]


@dataclass
class Times:
    """Seconds of each turn."""

    each: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return what noise on either side leaves alone."""
        return median(self.each)

    @property
    def least(self) -> float:
        """Return what is left where noise only adds."""
        return min(self.each)

    def over(self, other: Times) -> float:
        """Ratio of the medians."""
        return self.median / other.median

    def least_over(self, other: Times) -> float:
        """Ratio of the least times."""
        return self.least / other.least


def race(
    contestants: Mapping[str, Callable[[], Any]], turns: int, patience: float = 20.0
) -> dict[str, Times]:
    """Time everybody turn by turn; who has had so many seconds gets no further turn."""
    found = {name: Times() for name in contestants}
    for _ in range(turns):
        for name, run in contestants.items():
            if sum(found[name].each) <= patience:
                found[name].each.append(seconds(run))
    return found
