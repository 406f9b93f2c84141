"""What is claimed of ours: the figure of this run, its bound and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import le, lt

import numpy as np

from .summary import Summary
from .task import Array

__all__ = ["Claim", "claims"]


@dataclass(frozen=True)
class Claim:
    """A figure and its bound; ``where`` says what it comes from."""

    text: str
    value: float
    bound: float
    holds: bool
    where: str = ""

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        where = f"\n  ({self.where})" if self.where else ""
        return (
            f"{self.text}: {self.value:.3f}, bound {self.bound:.3f}, {verdict}{where}"
        )


def claims(summary: Summary) -> Iterator[Claim]:
    """Yield the claims of the task, in the order of its bounds."""
    yield from below_every_rival(summary)
    yield from shares(summary)
    yield from labelled_rows_only(summary)
    yield fit_time(summary)


def below_every_rival(summary: Summary) -> Iterator[Claim]:
    """Yield worst ratios to the best rival: of each family, and of the tables."""
    default = summary.task.default

    def ratio(scope: str) -> Array:
        return summary.ratio(scope, default)

    for family in summary.families:
        text = f"{family}: {default.name} / best rival, worst budget"
        yield worst(summary, text, [family], ratio, 1.0, holds=lt)
    text = f"single tables: {default.name} / best rival"
    yield worst(summary, text, summary.tables, ratio, summary.task.bounds.table)


def shares(summary: Summary) -> Iterator[Claim]:
    """Yield the shares of the way from reference to oracle that have a bound."""
    task = summary.task
    for family in summary.families:
        found = zip(summary.budgets, summary.share(family, task.default), strict=True)
        for budget, share in found:
            if (bound := task.bounds.shares[family].get(budget)) is not None:
                text = (
                    f"{family}: share of the way from reference to oracle at {budget}"
                )
                yield Claim(text, float(share), bound, bool(share >= bound))


def labelled_rows_only(summary: Summary) -> Iterator[Claim]:
    """Yield worst ratios without unlabelled rows, for more and for few labels."""
    task, bounds = summary.task, summary.task.bounds
    method = task.labelled_only

    def to_rivals(scope: str) -> Array:
        few = summary.n_labels(scope) <= bounds.few
        return np.where(few, np.nan, summary.ratio(scope, method))

    def to_reference(scope: str) -> Array:
        few = summary.n_labels(scope) <= bounds.few
        ratio = summary.row(scope, method) / summary.row(scope, task.reference)
        return np.where(few, ratio, np.nan)

    for what, scopes in (
        ("families", list(summary.families)),
        ("single tables", summary.tables),
    ):
        text = f"{what}: {method.name} / best rival, above {bounds.few} labels"
        yield worst(summary, text, scopes, to_rivals, bounds.labelled_only)
        text = f"{what}: {method.name} / reference, up to {bounds.few} labels"
        yield worst(summary, text, scopes, to_reference, bounds.few_labelled_only)


def fit_time(summary: Summary) -> Claim:
    """Return the median milliseconds of a fit, on the table where it is greatest."""
    method, bound = summary.task.default, summary.task.bounds.milliseconds
    times = {table: summary.milliseconds(table, method) for table in summary.tables}
    table = max(times, key=lambda table: np.median(times[table]))
    median, target = float(np.median(times[table])), summary.record.pairs[table].target
    where = (
        f"{table}: {len(target.models)} models, {len(target.test)} unlabelled rows; "
        f"least {times[table].min():.3f}"
    )
    text = f"{method.name}: median milliseconds of a fit"
    return Claim(text, median, bound, median <= bound, where)


def worst(
    summary: Summary,
    text: str,
    scopes: Iterable[str],
    ratio: Callable[[str], Array],
    bound: float,
    *,
    holds: Callable[[float, float], bool] = le,
) -> Claim:
    """Return the claim about the greatest ratio over scopes and budgets; NaN: none."""
    found = [
        (float(value), f"{scope} at {budget}, best rival {summary.rows[best]}")
        for scope in scopes
        for value, budget, best in zip(
            ratio(scope), summary.budgets, summary.best_rival(scope), strict=True
        )
        if not np.isnan(value)
    ]
    if not found:
        return Claim(text, float("nan"), bound, False, "no such budget in this run")
    value, where = max(found)
    if missed := sum(not holds(value, bound) for value, _ in found):
        where = f"{where}; {missed} of {len(found)} above"
    return Claim(text, value, bound, not missed, where)
