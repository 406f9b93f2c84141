"""What is claimed of ours: ratios to the best rival, shares of the way, and a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import le, lt

import numpy as np

from ..claim import Claim
from ..summary import Summary
from ..task import Array
from .comparison import REFERENCE, best_rival, ratio, share
from .ours import DEFAULT, LABELLED_ONLY

__all__ = ["claims"]

TABLE = 1.02  # on a single table, at most so many times the best rival's error
FEW = 5  # without unlabelled rows: up to so many labels against the reference ...
FEW_LABELLED_ONLY, LABELLED_ONLY_BOUND = 1.05, 1.02  # ... above against the best rival
SHARES = {  # family -> budget -> share of the way from reference to oracle, at least
    "rating": {"1%": 0.1, "5%": 0.5, "10%": 0.5, "20%": 0.5},
    "faces": {"1%": 1 / 3, "5%": 0.5, "10%": 0.5, "20%": 0.5},
}
MILLISECONDS = 5.0  # a fit, at most


def claims(summary: Summary) -> Iterator[Claim]:
    """Yield the claims, in the order of their bounds."""
    yield from below_every_rival(summary)
    yield from shares(summary)
    yield from labelled_rows_only(summary)
    yield fit_time(summary)


def below_every_rival(summary: Summary) -> Iterator[Claim]:
    """Yield worst ratios to the best rival: of each family, and of the tables."""

    def to_best(scope: str) -> Array:
        return ratio(summary, scope, DEFAULT)

    for family in summary.families:
        text = f"{family}: {DEFAULT.name} / best rival, worst budget"
        yield worst(summary, text, [family], to_best, 1.0, holds=lt)
    text = f"single tables: {DEFAULT.name} / best rival"
    yield worst(summary, text, summary.tables, to_best, TABLE)


def shares(summary: Summary) -> Iterator[Claim]:
    """Yield the shares of the way from reference to oracle that have a bound."""
    for family in summary.families:
        found = zip(summary.budgets, share(summary, family, DEFAULT), strict=True)
        for budget, closed in found:
            if (bound := SHARES[family].get(budget)) is not None:
                text = (
                    f"{family}: share of the way from reference to oracle at {budget}"
                )
                yield Claim(text, float(closed), bound, bool(closed >= bound))


def labelled_rows_only(summary: Summary) -> Iterator[Claim]:
    """Yield worst ratios without unlabelled rows, for more and for few labels."""
    method = LABELLED_ONLY

    def to_rivals(scope: str) -> Array:
        few = summary.n_labels(scope) <= FEW
        return np.where(few, np.nan, ratio(summary, scope, method))

    def to_reference(scope: str) -> Array:
        few = summary.n_labels(scope) <= FEW
        found = summary.row(scope, method) / summary.row(scope, REFERENCE)
        return np.where(few, found, np.nan)

    for what, scopes in (
        ("families", list(summary.families)),
        ("single tables", summary.tables),
    ):
        text = f"{what}: {method.name} / best rival, above {FEW} labels"
        yield worst(summary, text, scopes, to_rivals, LABELLED_ONLY_BOUND)
        text = f"{what}: {method.name} / reference, up to {FEW} labels"
        yield worst(summary, text, scopes, to_reference, FEW_LABELLED_ONLY)


def fit_time(summary: Summary) -> Claim:
    """Return the median milliseconds of a fit, on the table where it is greatest."""
    times = {name: 1e3 * summary.seconds(name, DEFAULT) for name in summary.tables}
    table = max(times, key=lambda table: np.median(times[table]))
    median, target = float(np.median(times[table])), summary.record.pairs[table].target
    where = (
        f"{table}: {len(target.models)} models, {len(target.test)} unlabelled rows; "
        f"least {times[table].min():.3f}"
    )
    text = f"{DEFAULT.name}: median milliseconds of a fit"
    return Claim(text, median, MILLISECONDS, median <= MILLISECONDS, where)


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
            ratio(scope), summary.budgets, best_rival(summary, scope), strict=True
        )
        if not np.isnan(value)
    ]
    if not found:
        return Claim(text, float("nan"), bound, False, "no such budget in this run")
    value, where = max(found)
    if missed := sum(not holds(value, bound) for value, _ in found):
        where = f"{where}; {missed} of {len(found)} above"
    return Claim(text, value, bound, not missed, where)
