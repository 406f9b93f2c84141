"""Where things stand in the charts of a report, in percent of their width and height.

Marks are placed in percent and texts sized in pixels, so a chart fills a phone as well
as a page, and its letters stay readable on both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from stackingnet_sk.inspection import Comparison, Dependence, PruningPath, Ranking
from stackingnet_sk.report.sections import GroupErrors, Weights
from stackingnet_sk.report.words import at, figure, fixed, number

# Percent of the width that is left free at either end, for half a mark.
_INSET = 2.0
# Pixels of the heat map: side of a cell with a number, and width of a map without
# numbers.
_CELL, _MAP = 38, 870
_SMALLEST_CELL, _LARGEST_CELL = 14, 24
# Models up to which cells have room for their numbers.
_MOST_NUMBERED = 16
# Longest name in a chart, and in the heat map, in letters.
_LONGEST_NAME, _LONGEST_IN_MAP = 32, 22


class Tick(NamedTuple):
    """A place on an axis, with its text."""

    at: float
    text: str


class Dot(NamedTuple):
    """A row with a dot and its interval; None where the value is not known."""

    label: str
    text: str
    kind: str
    letters: str | None = None
    at: float | None = None
    low: float | None = None
    high: float | None = None


class Bar(NamedTuple):
    """A row with a bar."""

    label: str
    text: str
    kind: str
    start: float
    width: float


class Rows(NamedTuple):
    """Rows of marks over one axis, and a line to compare them with."""

    rows: Sequence[Dot | Bar]
    ticks: list[Tick]
    line: float


class Point(NamedTuple):
    """A point of a path; `text` is below it on the axis."""

    x: float
    y: float
    text: str
    best: bool
    title: str


class Path(NamedTuple):
    """Points, the lines between neighbours, and the vertical axis."""

    points: list[Point]
    lines: list[tuple[Point, Point]]
    ticks: list[Tick]


class Cell(NamedTuple):
    """A square of the heat map."""

    x: int
    y: int
    depth: float
    kind: str
    text: str
    title: str
    diagonal: bool


class Label(NamedTuple):
    """A name beside the heat map, and its number above."""

    text: str
    full: str
    number: int
    x: float
    y: float


class Box(NamedTuple):
    """The frame of a family in the heat map."""

    x: int
    y: int
    size: int


class HeatMap(NamedTuple):
    """A heat map, in pixels; cells are squares of `size`, right of `left`."""

    width: int
    height: int
    size: int
    left: int
    numbered: bool
    cells: list[Cell]
    labels: list[Label]
    boxes: list[Box]


@dataclass(frozen=True)
class Scale:
    """A range of values on an axis, with round ticks and their number of decimals."""

    low: float
    high: float
    ticks: list[float]
    places: int

    @classmethod
    def over(cls, values: Sequence[float], most_ticks: int = 5) -> Scale:
        """Make an axis on which all finite values have a place."""
        finite = [value for value in values if math.isfinite(value)]
        low, high = min(finite, default=0.0), max(finite, default=1.0)
        if low == high:
            pad = abs(low) / 10 or 1.0
            low, high = low - pad, high + pad
        step = _round_step((high - low) / most_ticks)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        ticks = [n * step for n in range(first, last + 1)]
        return cls(low, high, ticks, max(0, -math.floor(math.log10(step))))

    def at(self, value: float) -> float:
        """Place a value, in percent."""
        share = (value - self.low) / (self.high - self.low)
        return round(_INSET + (100 - 2 * _INSET) * share, 2)


def _round_step(step: float) -> float:
    """Find the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(n for n in (1, 2, 5, 10) if n * power >= step * (1 - 1e-9))


def _ticks(scale: Scale, is_number: bool, sign: bool = False) -> list[Tick]:
    ticks = []
    for tick in scale.ticks:
        value, places = (tick, scale.places) if is_number else (100 * tick, 0)
        text = fixed(value, places, sign=sign) if abs(value) > 1e-12 else "0"
        unit = "" if is_number or sign else "\u00a0%"
        ticks.append(Tick(scale.at(tick), text + unit))
    return ticks


def _mark(scale: Scale, dot: Dot, triple: list[float]) -> Dot:
    """Place a value and its interval, as far as they are known."""
    if not math.isfinite(triple[0]):
        return dot
    value, low, high = (
        scale.at(end if math.isfinite(end) else triple[0]) for end in triple
    )
    return dot._replace(at=value, low=low, high=high)


def _dots(
    dots: list[Dot],
    triples: list[list[float]],
    line: float,
    *,
    is_number: bool = True,
    sign: bool = False,
) -> Rows:
    """Place dots with intervals, one per row, and a line to compare them with."""
    scale = Scale.over([value for triple in triples for value in triple] + [line])
    rows = [_mark(scale, *pair) for pair in zip(dots, triples, strict=True)]
    return Rows(rows, _ticks(scale, is_number, sign), scale.at(line))


def comparison_chart(comparison: Comparison) -> Rows:
    """Draw the scores of the contenders."""
    score, is_number = comparison.scores[comparison.metric], comparison.is_number
    triples = [at(score, j) for j in range(len(comparison.names))]
    rows = [
        Dot(str(name), figure(triple, is_number)[0], "other" if j else "own")
        for j, (name, triple) in enumerate(zip(comparison.names, triples, strict=True))
    ]
    return _dots(rows, triples, triples[0][0], is_number=is_number)


def lead_chart(comparison: Comparison) -> Rows:
    """Draw the leads over the rivals."""
    lead, is_number = comparison.leads[comparison.metric], comparison.is_number
    rivals = range(1, len(comparison.names))
    triples = [at(lead, j) for j in rivals]
    kinds = {"surely better": "good", "surely worse": "bad"}
    rows = [
        Dot(
            str(comparison.names[j]),
            figure(triple, is_number, sign=True)[0],
            kinds.get(comparison.verdict(j), "other"),
        )
        for j, triple in zip(rivals, triples, strict=True)
    ]
    return _dots(rows, triples, 0.0, is_number=is_number, sign=True)


def ranking_chart(ranking: Ranking) -> Rows:
    """Draw the reliability of the models."""
    # Intervals that rest on agreement leave out the errors that models share.
    usual = "other" if ranking.agreement >= 0.5 else "own"
    rows, triples = [], []
    for m, name in enumerate(ranking.model_names):
        low, high = ranking.rank_low[m], ranking.rank_high[m]
        rank = f"{low}" if low == high else f"{low}–{high}"
        kind = "bad" if ranking.below_chance[m] else usual
        rows.append(Dot(str(name), rank, kind, " ".join(ranking.group[m])))
        triples.append(at((ranking.reliability, ranking.low, ranking.high), m))
    return _dots(rows, triples, ranking.chance)


def disparity_chart(section: GroupErrors) -> Rows:
    """Draw the errors of the groups."""
    errors, is_number = section.errors, section.is_number
    triples = [at(errors.error, (0, g)) for g in range(len(errors.groups))]
    rows = [
        Dot(str(group), figure(triple, is_number)[0], "other" if small else "own")
        for group, triple, small in zip(
            errors.groups, triples, errors.small, strict=True
        )
    ]
    return _dots(rows, triples, section.overall, is_number=is_number)


def weights_chart(weights: Weights) -> Rows:
    """Draw bars of the weights that are not zero."""
    rows = [row for row in weights.rows if row["weight"]]
    scale = Scale.over([0.0, *(row["weight"] for row in rows)])
    zero = scale.at(0.0)
    bars = []
    for row in rows:
        end = scale.at(row["weight"])
        kind = "bad" if row["weight"] < 0 else "own"
        width = round(abs(end - zero), 2)
        text = number(row["weight"])
        bars.append(Bar(row["model"], text, kind, min(zero, end), width))
    return Rows(bars, _ticks(scale, is_number=True), zero)


def pruning_chart(path: PruningPath) -> Path:
    """Draw the error against the number of models that are left."""
    errors = [(n, error) for n, error in enumerate(path.error) if math.isfinite(error)]
    scale = Scale.over([float(error) for _, error in errors], 4)
    last = max(len(errors) - 1, 1)
    # Every number of models has a point, but only some have room for their text.
    every = math.ceil(len(errors) / 12)
    points = []
    for place, (n, error) in enumerate(errors):
        left = len(path.removed) - n
        points.append(
            Point(
                round(_INSET + (100 - 2 * _INSET) * place / last, 2),
                round(100 - scale.at(error), 2),
                str(left) if place % every == 0 else "",
                n == path.n_best,
                f"{left} models: {number(error)}",
            )
        )
    ticks = [
        Tick(round(100 - tick.at, 2), tick.text)
        for tick in _ticks(scale, is_number=True)
    ]
    return Path(points, list(pairwise(points)), ticks)


def heat_map(dependence: Dependence) -> HeatMap:
    """Draw the correlations of errors, models that err together side by side."""
    order = dependence.order
    names = dependence.model_names.astype(str)[order].tolist()
    n_models = len(names)
    numbered = n_models <= _MOST_NUMBERED
    left, top = 8 * min(max(map(len, names)), _LONGEST_IN_MAP) + 28, 26
    room = (_MAP - left) // n_models
    size = _CELL if numbered else min(max(room, _SMALLEST_CELL), _LARGEST_CELL)
    cells = []
    for i, row in enumerate(dependence.correlation[order][:, order].tolist()):
        for j, value in enumerate(row):
            cells.append(
                Cell(
                    left + j * size,
                    top + i * size,
                    round(abs(value), 3) if math.isfinite(value) else 0,
                    "opposed" if value < 0 else "same",
                    fixed(value, 2).replace("0.", ".", 1),
                    f"{names[i]} and {names[j]}: {number(value, 2)}",
                    i == j,
                )
            )
    middles = [n * size + size / 2 for n in range(n_models)]
    labels = [
        Label(
            shortened(name, _LONGEST_IN_MAP), name, n + 1, left + middle, top + middle
        )
        for n, (name, middle) in enumerate(zip(names, middles, strict=True))
    ]
    boxes = [
        Box(left + start * size, top + start * size, n * size)
        for start, n in _runs(dependence.families[order].tolist())
        if n > 1
    ]
    side = n_models * size + 2
    return HeatMap(left + side, top + side, size, left, numbered, cells, labels, boxes)


def _runs(values: list[int]) -> list[tuple[int, int]]:
    """List where equal neighbours begin, and how many they are."""
    starts = [n for n in range(len(values)) if not n or values[n] != values[n - 1]]
    return [(a, b - a) for a, b in pairwise([*starts, len(values)])]


def shortened(name: str, most: int = _LONGEST_NAME) -> str:
    """Leave out the middle of a long name: versions stand at its end."""
    if len(name) <= most:
        return name
    tail = (most - 1) * 3 // 5
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"
