"""How often intervals of ranks hold: ``python -m benchmarks.ranks``.

Models whose reliability is known are simulated again and again. An answer holds if the
intervals of all models together contain every true rank; models that are tied may come
in any order, and all of these ranks are true.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import ndtr

from stackingnet_sk.ensemble.number_rows import sum_rows
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.inspection.rank_intervals import (
    different_pairs,
    simultaneous_ranks,
)
from stackingnet_sk.inspection.resampling import number_replicates, vote_replicates
from stackingnet_sk.weights import VoterEstimates, reliability

from .arguments import positive

__all__ = ["Scenario", "coverage", "plain_ranks"]

LEVEL = 0.9
UNLABELLED = 1000
# Labels, or labels of each class; with or without further rows.
LABELS = ("5 each", "5 each+", "20", "20+", "200", "200+", "2000", "2000+", "0+")
QUALITIES = ("apart", "near", "tied")
ERRORS = ("own", "common", "skewed")


@dataclass(frozen=True)
class Scenario:
    """Models, labels and errors; `n_classes` is zero for numbers."""

    n_classes: int
    n_models: int
    labels: str
    qualities: str
    errors: str

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Squared correlation with the truth, or balanced accuracy, of each model."""
        if self.qualities == "apart":
            return np.linspace(0.95, 0.55, self.n_models)
        if self.qualities == "near":
            return 0.75 - 0.001 * np.arange(self.n_models)
        return np.where(np.arange(self.n_models) < self.n_models // 2, 0.8, 0.7)

    def draw(self, rng: np.random.Generator) -> ModelAnswers:
        """Simulate what the models say; their reliability is exactly as stated."""
        few = self.labels.startswith("5 each")
        n = 5 * max(self.n_classes, 1) if few else int(self.labels.rstrip("+"))
        n_rows = n + UNLABELLED * self.labels.endswith("+")
        shared = 0.3 * (self.errors == "common")
        errors = np.sqrt(1 - shared) * rng.normal(size=(n_rows, self.n_models))
        errors += np.sqrt(shared) * rng.normal(size=(n_rows, 1))
        names = np.array([f"model {m}" for m in range(self.n_models)])
        if not self.n_classes:
            truth = rng.normal(size=n_rows)
            table = truth[:, None] * np.sqrt(self.reliability)
            table += errors * np.sqrt(1 - self.reliability)
            known = np.where(np.arange(n_rows) < n, truth, np.nan)
            return ModelAnswers(names, table, known, None)
        classes = np.arange(self.n_classes)
        skewed = self.errors == "skewed"
        rates = 0.5**classes if skewed else np.ones(self.n_classes)
        labels = rng.choice(self.n_classes, n_rows, p=rates / rates.sum())
        if few:
            labels[:n] = np.repeat(classes, 5)
        # Every other model is better on the frequent classes, the others on the rare.
        tilt = 0.1 * skewed * np.where(np.arange(self.n_models) % 2, 1, -1)
        recalls = self.reliability + np.outer(np.linspace(-1, 1, self.n_classes), tilt)
        right = ndtr(errors) < recalls[labels]
        own = rng.integers(1, self.n_classes, size=right.shape)
        same = rng.random(right.shape) < shared
        wrong = np.where(same, rng.integers(1, self.n_classes, (n_rows, 1)), own)
        votes = (labels[:, None] + np.where(right, 0, wrong)) % self.n_classes
        known = np.where(np.arange(n_rows) < n, labels, -1)
        return ModelAnswers(names, np.eye(self.n_classes)[votes], known, classes)

    def case(self, seed: int, n_draws: int) -> list[float]:
        """Tell whether simultaneous and plain intervals hold, and their mean widths."""
        rng = np.random.default_rng(seed)
        answers = self.draw(rng)
        if answers.classes is None:
            statistics = sum_rows(answers.table, answers.labels, None, answers.names)
            imputed = statistics.imputed()
            values = reliability(imputed.error_moments, imputed.prediction_moments)
            draws = number_replicates(answers, imputed, rng, n_draws)
        else:
            counts = VoteCounts.from_rows(
                answers.votes, answers.labels, len(answers.classes)
            )
            values = VoterEstimates.from_counts(counts.effective()).reliability
            draws = vote_replicates(counts, rng, n_draws)
        better = different_pairs(values, draws, LEVEL)
        truth = self.reliability
        first, last = simultaneous_ranks(truth[:, None] > truth)
        both = simultaneous_ranks(better), plain_ranks(draws, LEVEL)
        holds = [(low <= first).all() & (last <= high).all() for low, high in both]
        return [*holds, *(np.mean(high - low + 1) for low, high in both)]


def plain_ranks(
    draws: NDArray[np.float64], level: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return percentiles of the bootstrapped ranks, each model judged alone.

    `draws` has shape (n_draws, n_models). Near ties these intervals miss the true rank
    too often, because ranks are not a smooth function of the values.
    """
    ranks = 1 + (draws[:, None, :] > draws[:, :, None]).sum(axis=2)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(ranks, [tail, 1.0 - tail], axis=0)
    return np.floor(low).astype(int), np.ceil(high).astype(int)


def coverage(
    scenario: Scenario, n_cases: int = 200, n_draws: int = 1000, jobs: int = 1
) -> NDArray[np.float64]:
    """Share of cases in which simultaneous and plain intervals hold; mean widths."""
    cases = (delayed(scenario.case)(seed, n_draws) for seed in range(n_cases))
    return np.mean(Parallel(jobs)(cases), axis=0)


def scenarios(quick: bool) -> Iterator[Scenario]:
    sizes = (4,) if quick else (4, 10)
    for found in product((0, 2, 3), sizes, LABELS, QUALITIES, ERRORS):
        scenario = Scenario(*found)
        # Skewed classes are for votes.
        if scenario.n_classes or scenario.errors != "skewed":
            yield scenario


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line a scenario."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranks")
    parser.add_argument("--cases", type=positive, default=200)
    parser.add_argument("--draws", type=positive, default=1000)
    parser.add_argument("--jobs", type=positive, default=1)
    parser.add_argument("--quick", action="store_true", help="4 models only")
    args = parser.parse_args(argv)
    print(f"{LEVEL:.0%} intervals of ranks; {args.cases} cases each")
    print(f"{'':42}{'all hold':^18}{'mean width':^14}")
    print("classes models   labels qualities errors    simult.  plain  simult. plain")
    for scenario in scenarios(args.quick):
        found = coverage(scenario, args.cases, args.draws, args.jobs)
        held, plain, width, other = found
        print(
            f"{scenario.n_classes or '-':>7} {scenario.n_models:>6} "
            f"{scenario.labels:>8} {scenario.qualities:>9} {scenario.errors:<8} "
            f"{held:>8.3f} {plain:>6.3f} {width:>8.2f} {other:>5.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
