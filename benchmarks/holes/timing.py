"""Seconds to predict many rows in which different models are silent.

Ours is fitted anew before each call, so that it solves every pattern in the time. The
contestants take turns, and the least time counts, as noise only adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from stackingnet_sk import StackingNetRegressor

from ..black_box.claim import Claim
from ..black_box.task import Array
from .contestants import chained_equations

__all__ = ["Timing", "measure_seconds"]

ROWS, LABELS, MODELS, PATTERNS, RATE = 100_000, 1000, 20, 300, 0.3
TURNS, BOUND = 3, 1.0


@dataclass(frozen=True)
class Timing:
    """Least seconds of ours and of the rival, imputation included."""

    ours: float
    rival: float

    def text(self) -> Iterator[str]:
        """Yield the figures and the claim."""
        yield f"Seconds to predict {ROWS:,} rows of {MODELS} models in {PATTERNS}"
        yield f"  patterns ({RATE:.0%} missing) after a fit on {LABELS:,}, least of"
        yield f"  {TURNS} turns; ours solves each pattern within"
        yield f"{'StackingNet.predict':<36}{self.ours:9.3f}"
        yield f"{'IterativeImputer.transform, predict':<36}{self.rival:9.3f}"
        yield f"{'ours / IterativeImputer':<36}{self.ours / self.rival:9.3f}"
        yield str(self.claim())

    def claim(self) -> Claim:
        """Return the claim."""
        return Claim("seconds to predict", self.ours, BOUND, self.ours < BOUND)

    def json(self) -> dict[str, Any]:
        """Return the figures."""
        return asdict(self) | {"claim": asdict(self.claim())}


def measure_seconds() -> Timing:
    """Take the times."""
    P, y, Q = panel()
    imputer = chained_equations().fit(P)
    after = StackingNetRegressor().fit(imputer.transform(P), y)
    ours, rival = [], []
    for _ in range(TURNS):
        model = StackingNetRegressor().fit(P, y)
        start = perf_counter()
        model.predict(Q)
        middle = perf_counter()
        after.predict(imputer.transform(Q))
        ours.append(middle - start)
        rival.append(perf_counter() - middle)
    return Timing(min(ours), min(rival))


def panel() -> tuple[Array, Array, Array]:
    """Return predictions and labels, and predictions of rows without: biased models.

    Their errors have a part in common.
    """
    rng = np.random.default_rng(0)
    n = LABELS + ROWS
    y = rng.normal(size=n)
    common = 0.5 * rng.normal(size=(n, 1))
    own = rng.normal(size=(n, MODELS)) * rng.uniform(0.3, 1.5, MODELS)
    P = y[:, None] + common + own + rng.normal(size=MODELS)
    silent = np.unique(rng.random((2 * PATTERNS, MODELS)) < RATE, axis=0)
    silent = rng.permutation(silent)[:PATTERNS]
    # Every pattern occurs; the rest are drawn.
    which = np.concatenate(
        [
            rng.integers(PATTERNS, size=LABELS),
            np.arange(PATTERNS),
            rng.integers(PATTERNS, size=ROWS - PATTERNS),
        ]
    )
    P[silent[which]] = np.nan
    return P[:LABELS], y[:LABELS], P[LABELS:]
