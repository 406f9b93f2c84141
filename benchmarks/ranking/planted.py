"""How many of the planted adversaries are found."""

from __future__ import annotations

from collections.abc import Iterator

from ..black_box.classification.adversaries import Found
from ..black_box.classification.grid import grid
from .half import Half

__all__ = ["report"]


def report(half: Half, found: Found) -> Iterator[str]:
    """Yield a row a ranker, and a column a kind."""
    planting, ours = half.planting, half.ours.name
    counts = {
        kind: len(found.cases.get(kind, {}).get(ours, [])) for kind in planting.kinds
    }
    yield "Planted adversaries: share of cases in which they are the lowest, with"
    yield f"  {half.path_labels} or none; of a tie, the chance that a draw is lucky"
    rows = [
        (ranker.name, [found.share(kind, ranker) for kind in planting.kinds])
        for ranker in planting.rankers
    ]
    columns = [kind.replace(" ", "_") for kind in planting.kinds]
    cases = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    yield from grid(f"  cases: {cases}", columns, rows, digits=3)
