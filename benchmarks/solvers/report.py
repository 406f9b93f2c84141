"""The report of the race as text (at most 100 columns) and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from .race import GAP, OURS, TOO_SLOW, Result
from .rivals import RIVALS

__all__ = ["Problem", "as_json", "footer", "header", "machine", "row"]

NAMES = [rival.name for rival in RIVALS]
MANY = 100  # models; the bounds differ on the two sides
BOUNDS = {"few": 2.5, "many": 1.0}
GAP_BOUND = 1e-12


@dataclass(frozen=True)
class Problem:
    """One race."""

    family: str
    M: int
    seed: int
    results: Mapping[str, Result]

    @property
    def fastest(self) -> str | None:
        """The fastest rival of those whose answer counts."""
        valid = [n for n, r in self.results.items() if n != OURS and r.valid]
        return min(valid, key=lambda n: self.results[n].seconds, default=None)

    @property
    def ratio(self) -> float:
        """Our time over that of the fastest rival; infinite if ours does not count."""
        own = self.results[OURS]
        if not own.valid:
            return float("inf")
        rival = self.fastest
        return own.seconds / self.results[rival].seconds if rival else 0.0


def header() -> Iterator[str]:
    """Yield what is shown."""
    yield "min w'Cw, w >= 0, 1'w = 1: least milliseconds to weights and duality gap."
    yield "Everybody on one thread. Of the seeds of a size, the worst ratio for us;"
    yield "  ratio: ours over the fastest rival that reaches the gap, marked *"
    yield f"  !: gap above {GAP:g} or infeasible at every tolerance, does not count"
    yield f"  -: failed, or skipped after more than {TOO_SLOW:g} s at the size before"
    yield (
        f"{'family':<18}{'M':>5}{OURS:>10}{'gap':>9}"
        + "".join(f"{name:>10}" for name in NAMES)
        + f"{'ratio':>7}"
    )


def row(problems: Iterable[Problem]) -> str:
    """Return the line of one family and size."""
    problems = list(problems)
    worst = max(problems, key=lambda problem: problem.ratio)
    gap = max(problem.results[OURS].gap for problem in problems)
    cells = [_cell(worst, name) for name in NAMES]
    return (
        f"{worst.family:<18}{worst.M:>5}{_cell(worst, OURS)}{gap:>9.0e}"
        + "".join(cells)
        + f"{worst.ratio:>7.2f}"
    )


def _cell(problem: Problem, name: str) -> str:
    if name not in problem.results:
        return f"{'-':>9} "
    result = problem.results[name]
    mark = "!" if not result.valid else "*" if name == problem.fastest else " "
    milliseconds = 1e3 * result.seconds
    return f"{milliseconds:>9.{4 if milliseconds < 1000 else 0}f}{mark}"


def claims(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return the worst figures of the run, each with the problem it comes from."""
    problems = list(problems)
    sides = {
        "few": [problem for problem in problems if problem.M < MANY],
        "many": [problem for problem in problems if problem.M >= MANY],
    }
    found: dict[str, Any] = {
        side: max(members, key=lambda problem: problem.ratio)
        for side, members in sides.items()
        if members
    }
    found["gap"] = max(problems, key=lambda problem: problem.results[OURS].gap)
    return found


def footer(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield one line per claim, with its verdict."""
    worst = claims(problems)
    for side, sign in (("many", ">="), ("few", "<")):
        if side in worst:
            p, bound = worst[side], BOUNDS[side]
            yield (
                f"worst ratio for M {sign} {MANY}: {p.ratio:.2f} "
                f"({p.family}, M = {p.M}, {p.fastest}), {_verdict(p.ratio, bound)}"
            )
    p = worst["gap"]
    gap = p.results[OURS].gap
    yield (
        f"our worst gap: {gap:.1e} ({p.family}, M = {p.M}), {_verdict(gap, GAP_BOUND)}"
    )


def _verdict(value: float, bound: float) -> str:
    return f"{'within' if value <= bound else 'NOT within'} the bound {bound:g}"


def as_json(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return every race, and on what it was run."""
    raw = [asdict(p) | {"fastest": p.fastest, "ratio": p.ratio} for p in problems]
    return machine() | {"gap": GAP, "bounds": BOUNDS, "problems": raw}


def machine() -> dict[str, Any]:
    """Return versions and machine."""
    packages = (
        "numpy",
        "scipy",
        "scikit-learn",
        "quadprog",
        "daqp",
        "piqp",
        "clarabel",
    )
    return {
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in packages},
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
    }
