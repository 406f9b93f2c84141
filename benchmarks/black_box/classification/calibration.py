"""How right the probabilities are: log loss, predicted against observed shares.

Test items are weighted so that classes count equally: that is the population which
balanced class weights speak of. All classes' probabilities are looked at together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..protocol import Bench
from ..summary import Summary
from ..task import Array, Unavailable
from .grid import grid
from .ours import DEFAULT, LABELLED_ONLY, UNLABELLED
from .stacking import BALANCED
from .votes import one_hot

__all__ = ["Calibration", "calibration", "report"]

METHODS = (BALANCED, UNLABELLED, LABELLED_ONLY, DEFAULT)
BINS, LEAST = 10, 1e-15  # probability below which the logarithm is cut
PREFERRED = "10%"


@dataclass
class Calibration:
    """What was found at a budget.

    ``log_loss`` maps method -> table -> mean over seeds; ``bins`` maps method -> sums
    of weight, weight x predicted and weight x observed (3, BINS), tables counting
    equally.
    """

    budget: str
    log_loss: dict[str, dict[str, float]] = field(default_factory=dict)
    bins: dict[str, Array] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """Return everything found."""
        bins = {name: sums.tolist() for name, sums in self.bins.items()}
        return {"budget": self.budget, "log_loss": self.log_loss, "bins": bins}


def calibration(summary: Summary) -> Calibration:
    """Fit once more at 10 %, or at the largest budget, and look at probabilities."""
    n = np.mean([summary.n_labels(table) for table in summary.tables], axis=0)
    largest = summary.budgets[int(n.argmax())]
    found = Calibration(PREFERRED if PREFERRED in summary.budgets else largest)
    for name, pair in summary.record.pairs.items():
        bench, labels = Bench(summary.task, pair), summary.record.n_labels[name]
        hits = one_hot(pair.target.truth, pair.target.domain)
        weights = 1.0 / (hits.sum(axis=0) * hits.shape[1])[pair.target.truth]
        for method in METHODS:
            losses = []
            for seed in range(summary.n_seeds if method.labels else 1):
                n = labels[found.budget] if method.labels else 0
                seen = bench.given(n, seed)
                try:
                    p = method.fit(seen).predict_proba(seen.unlabeled)
                except Unavailable:
                    continue
                right = np.maximum((p * hits).sum(axis=1), LEAST)
                losses.append(float(-weights @ np.log(right)))
                sums = found.bins.setdefault(method.name, np.zeros((3, BINS)))
                sums += binned(p, hits, weights)
            loss = float(np.mean(losses)) if losses else float("nan")
            found.log_loss.setdefault(method.name, {})[name] = loss
    return found


def binned(p: Array, hits: Array, weights: Array) -> Array:
    """Return sums of weight, weight x predicted and weight x observed, bin by bin."""
    cells = np.minimum((BINS * p).astype(int), BINS - 1).ravel()
    w = np.repeat(weights, p.shape[1])
    return np.array(
        [
            np.bincount(cells, values, minlength=BINS)
            for values in (w, w * p.ravel(), w * hits.ravel())
        ]
    )


def report(summary: Summary, found: Calibration) -> Iterator[str]:
    """Yield log losses, and a row of predicted and one of observed shares a method."""
    title = f"Log loss at {found.budget}, classes weighted equally"
    families = summary.families.values()
    rows = [
        (
            name,
            [*(np.mean([losses[t] for t in f]) for f in families), *losses.values()],
        )
        for name, losses in found.log_loss.items()
    ]
    columns = [*summary.families, *summary.tables]
    yield from grid(title, columns, rows, digits=3)
    for name, sums in found.bins.items():
        yield ""
        yield f"Calibration at {found.budget}: {name}"
        weight = np.where(sums[0] > 0, sums[0], np.nan)
        shares = sums[0] / sums[0].sum()
        for what, values in (
            ("mean predicted", sums[1] / weight),
            ("observed", sums[2] / weight),
            ("share of probabilities", shares),
        ):
            cells = ("-" if np.isnan(v) else f"{v:.3f}" for v in values)
            yield f"{what:<28}" + "".join(f"{text:>7}" for text in cells)
