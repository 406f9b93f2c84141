"""A fit without labels against crowd-kit's Dawid-Skene on the same votes.

Independent voters of one accuracy each: the model that the rival is made for. Both run
in this process with the same BLAS threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from stackingnet_sk import StackingNetClassifier

__all__ = ["Race", "as_text", "measure"]

RATIO_BOUND = 10.0
CLASSES, MODELS, RIVAL_ITERATIONS = (2, 4), 10, 100


@dataclass(frozen=True)
class Race:
    """Seconds of a fit, labels of the items included, and the accuracy of both."""

    rows: int
    n_classes: int
    seconds: float
    rival_seconds: float
    accuracy: float
    rival_accuracy: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.rival_seconds / self.seconds


def measure(rows: int) -> Iterator[Race]:
    """Yield a race for each number of classes."""
    from crowdkit.aggregation import DawidSkene

    for n_classes in CLASSES:
        rng = np.random.default_rng(n_classes)
        truth = rng.integers(n_classes, size=rows)
        right = rng.random((rows, MODELS)) < np.linspace(0.55, 0.9, MODELS)
        guesses = rng.integers(n_classes, size=(rows, MODELS))
        votes = np.where(right, truth[:, None], guesses)
        answers = pd.DataFrame(
            {
                "task": np.repeat(np.arange(rows), MODELS),
                "worker": np.tile(np.arange(MODELS), rows),
                "label": votes.ravel(),
            }
        )
        # Libraries load at first use, whoever calls.
        StackingNetClassifier().fit(votes[:1000]).predict(votes[:1000])
        start = perf_counter()
        own = StackingNetClassifier().fit(votes).predict(votes)
        seconds = perf_counter() - start
        with catch_warnings():
            simplefilter("ignore")
            start = perf_counter()
            rival = DawidSkene(n_iter=RIVAL_ITERATIONS).fit_predict(answers)
            rival_seconds = perf_counter() - start
        yield Race(
            rows,
            n_classes,
            seconds,
            rival_seconds,
            float((own == truth).mean()),
            float((rival.sort_index().to_numpy() == truth).mean()),
        )


def as_text(race: Race) -> Iterator[str]:
    """Yield the figures and the verdict."""
    yield f"{race.rows:,} x {MODELS} votes, {race.n_classes} classes, no labels"
    own = f"{race.seconds:8.2f} s, accuracy {race.accuracy:.5f}"
    yield f"  StackingNetClassifier  {own}"
    yield (
        f"  crowd-kit DawidSkene   {race.rival_seconds:8.2f} s, accuracy "
        f"{race.rival_accuracy:.5f}"
    )
    holds = race.ratio >= RATIO_BOUND and race.accuracy >= race.rival_accuracy
    verdict = "holds" if holds else "DOES NOT HOLD"
    yield (
        f"  {race.ratio:.1f} times faster at equal or better accuracy, bound "
        f"{RATIO_BOUND:g}: {verdict}"
    )
