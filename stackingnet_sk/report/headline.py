"""The headline figures of a report, a card each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from stackingnet_sk.inspection import Comparison
from stackingnet_sk.report.figures import Figures
from stackingnet_sk.report.sections import Absent
from stackingnet_sk.report.words import at, figure


class Card(NamedTuple):
    """A headline figure."""

    label: str
    value: str
    note: str
    main: bool = False


def cards(figures: Figures) -> Iterator[Card]:
    """List the headline figures."""
    data, dependence = figures.data, figures.dependence
    if not isinstance(figures.comparison, Absent):
        yield from _score_cards(figures.comparison)
    yield Card("labels", f"{data.n_labelled:,}", f"of {data.n_rows:,} items")
    if isinstance(dependence, Absent):
        return
    effective = dependence.effective
    if math.isfinite(effective.number):
        value, ends = figure([effective.number, effective.low, effective.high], True)
        yield Card(
            "independent models they are worth",
            ("" if dependence.labelled else "≤ ") + value,
            f"{ends}, of {len(data.models)}",
        )


def _score_cards(comparison: Comparison) -> Iterator[Card]:
    metric, is_number = comparison.metric, comparison.is_number
    scores, lead = comparison.scores[metric], comparison.leads[metric]
    rival, constant = comparison.best_rival, comparison.constant
    yield Card(f"{metric}, held out", *figure(at(scores, 0), is_number), main=True)
    name = comparison.names[rival]
    yield Card(f"best plain rival: {name}", *figure(at(scores, rival), is_number))
    if rival != constant:
        yield Card("a constant", *figure(at(scores, constant), is_number))
    size, ends = figure(at(lead, rival), is_number, sign=True)
    points = "" if is_number else " points"
    note = f"{ends}: {comparison.verdict(rival)}"
    yield Card("lead over the best rival", size + points, note)
