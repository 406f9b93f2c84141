"""Where things stand in the charts of a report, in percent of their width and height.

Marks are placed in percent and texts sized in pixels, so a chart fills a phone as well
as a page, and its letters stay readable on both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from stackingnet_sk.report.words import figure, fixed, number

Figures = dict[str, Any]
Chart = dict[str, Any]

# Room for the mark at either end.
_INSET = 2.0
# Pixels of a cell of the heat map with its number, and of the map with none.
_CELL, _MOST_NUMBERED, _MAP = 38, 16, 870
_SMALLEST_CELL, _LARGEST_CELL = 14, 24
_LONGEST_NAME, _LONGEST_IN_MAP = 32, 22


@dataclass(frozen=True)
class Scale:
    """A range of values on an axis.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    ticks : list of float
        Round values within.
    places : int
        Decimals that they take.
    """

    low: float
    high: float
    ticks: list[float]
    places: int

    @classmethod
    def over(cls, values: list[float | None], most_ticks: int = 5) -> Scale:
        """Make an axis that all values have a place on.

        Parameters
        ----------
        values : list of float or None
            At least one; None has no place.
        most_ticks : int, default=5
            Roughly.

        Returns
        -------
        Scale
        """
        known = [v for v in values if v is not None and math.isfinite(v)]
        low, high = min(known, default=0.0), max(known, default=1.0)
        if low == high:
            pad = abs(low) / 10 or 1.0
            low, high = low - pad, high + pad
        step = _round_step((high - low) / most_ticks)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        ticks = [n * step for n in range(first, last + 1)]
        return cls(low, high, ticks, max(0, -math.floor(math.log10(step))))

    def at(self, value: float) -> float:
        """Backend a value.

        Parameters
        ----------
        value : float
            On the axis.

        Returns
        -------
        float
            Percent.
        """
        where = (value - self.low) / (self.high - self.low)
        return round(_INSET + (100 - 2 * _INSET) * where, 2)


def _round_step(step: float) -> float:
    """Find the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(n for n in (1, 2, 5, 10) if n * power >= step * (1 - 1e-9))


def _ticks(scale: Scale, is_number: bool, sign: bool = False) -> list[Chart]:
    found = []
    for tick in scale.ticks:
        value, places = (tick, scale.places) if is_number else (100 * tick, 0)
        text = fixed(value, places, sign=sign) if abs(value) > 1e-12 else "0"
        unit = "" if is_number or sign else "\u00a0%"
        found.append({"at": scale.at(tick), "text": text + unit})
    return found


def _mark(scale: Scale, triple: list[float | None]) -> Chart:
    """Backend a value and its interval, as far as they are known."""
    if triple[0] is None:
        return {}
    value, low, high = (triple[0] if v is None else v for v in triple)
    places = {"at": scale.at(value), "low": scale.at(low), "high": scale.at(high)}
    places["width"] = round(places["high"] - places["low"], 2)
    return places


def _dots(
    rows: list[Chart],
    triples: list[list[float | None]],
    line: float,
    *,
    is_number: bool = True,
    sign: bool = False,
) -> Chart:
    """Dots with intervals, a row each, and a line to compare them with."""
    scale = Scale.over([value for triple in triples for value in triple] + [line])
    marks = [_mark(scale, triple) for triple in triples]
    return {
        "rows": [{**row, **mark} for row, mark in zip(rows, marks, strict=True)],
        "ticks": _ticks(scale, is_number, sign),
        "line": scale.at(line),
    }


def comparison_chart(found: Figures) -> Chart:
    """Scores of the contenders.

    Parameters
    ----------
    found : dict
        Section of the comparison.

    Returns
    -------
    dict
    """
    metric, is_number = found["metric"], found["is_number"]
    triples = [row["scores"][metric] for row in found["rows"]]
    rows = [
        {
            "label": row["name"],
            "text": figure(triple, is_number)[0],
            "kind": "own" if j == 0 else "other",
        }
        for j, (row, triple) in enumerate(zip(found["rows"], triples, strict=True))
    ]
    return _dots(rows, triples, triples[0][0], is_number=is_number)


def lead_chart(found: Figures) -> Chart:
    """Leads over the rivals.

    Parameters
    ----------
    found : dict
        Section of the comparison.

    Returns
    -------
    dict
    """
    metric, is_number = found["metric"], found["is_number"]
    rivals = found["rows"][1:]
    triples = [row["leads"][metric] for row in rivals]
    kinds = {"surely better": "good", "surely worse": "bad"}
    rows = [
        {
            "label": row["name"],
            "text": figure(triple, is_number, sign=True)[0],
            "kind": kinds.get(row["verdict"], "other"),
        }
        for row, triple in zip(rivals, triples, strict=True)
    ]

    return _dots(rows, triples, 0.0, is_number=is_number, sign=True)


def ranking_chart(found: Figures) -> Chart:
    """Reliability of the models.

    Parameters
    ----------
    found : dict
        Section of the ranking.

    Returns
    -------
    dict
    """
    rows, triples = [], []
    for row in found["rows"]:
        low, high = row["rank_low"], row["rank_high"]
        rank = f"{low}" if low == high else f"{low}–{high}"
        # Intervals that rest on agreement don't know of errors in common.
        kind = "other" if found["agreement"] >= 0.5 else "own"
        kind = "bad" if row["model"] in found["below_chance"] else kind
        letters = " ".join(row["group"])
        rows.append(
            {"label": row["model"], "text": rank, "letters": letters, "kind": kind}
        )
        triples.append([row["reliability"], row["low"], row["high"]])
    return _dots(rows, triples, found["chance"])


def disparity_chart(found: Figures) -> Chart:
    """Errors of the groups.

    Parameters
    ----------
    found : dict
        Section of one grouping.

    Returns
    -------
    dict
    """
    is_number = found["is_number"]
    triples = [row["error"] for row in found["rows"]]
    rows = [
        {
            "label": row["group"],
            "text": figure(row["error"], is_number)[0],
            "kind": "other" if row["small"] else "own",
        }
        for row in found["rows"]
    ]
    return _dots(rows, triples, found["overall"], is_number=is_number)


def weights_chart(found: Figures) -> Chart:
    """Bars of the weights that are not zero.

    Parameters
    ----------
    found : dict
        Section of the weights.

    Returns
    -------
    dict
    """
    rows = [row for row in found["rows"] if row["weight"]]
    scale = Scale.over([0.0, *(row["weight"] for row in rows)])
    zero = scale.at(0.0)
    bars = []
    for row in rows:
        end = scale.at(row["weight"])
        bars.append(
            {
                "label": row["model"],
                "text": number(row["weight"]),
                "from": min(zero, end),
                "width": round(abs(end - zero), 2),
                "kind": "bad" if row["weight"] < 0 else "own",
            }
        )
    return {"rows": bars, "ticks": _ticks(scale, is_number=True), "line": zero}


def pruning_chart(found: Figures) -> Chart:
    """Error against the number of models that are left.

    Parameters
    ----------
    found : dict
        Section of the pruning path.

    Returns
    -------
    dict
    """
    rows = [row for row in found["rows"] if row["error"] is not None]
    scale = Scale.over([row["error"] for row in rows], 4)
    last = max(len(rows) - 1, 1)
    # Every number of models has a point, but not each has room for its text.
    every = math.ceil(len(rows) / 12)
    points = [
        {
            "x": round(_INSET + (100 - 2 * _INSET) * n / last, 2),
            "y": round(100 - scale.at(row["error"]), 2),
            "text": str(row["n_models"]) if n % every == 0 else "",
            "best": n == found["n_best"],
            "says": f"{row['n_models']} models: {number(row['error'])}",
        }
        for n, row in enumerate(rows)
    ]
    ticks = [
        {"at": round(100 - tick["at"], 2), "text": tick["text"]}
        for tick in _ticks(scale, is_number=True)
    ]
    return {
        "points": points,
        "lines": list(pairwise(points)),
        "ticks": ticks,
    }


def heat_map(found: Figures) -> Chart:
    """Correlations of errors, models that err together side by side.

    Parameters
    ----------
    found : dict
        Section of dependence.

    Returns
    -------
    dict
        In pixels.
    """
    names, correlation = found["names"], found["correlation"]
    n_models = len(names)
    numbered = n_models <= _MOST_NUMBERED
    longest = min(max(map(len, names)), _LONGEST_IN_MAP)
    left, top = 8 * longest + 28, 26
    room = (_MAP - left) // n_models
    size = _CELL if numbered else min(max(room, _SMALLEST_CELL), _LARGEST_CELL)
    cells = []
    for i, row in enumerate(correlation):
        for j, value in enumerate(row):
            known = value is not None
            text = fixed(value, 2).replace("0.", ".", 1)
            cells.append(
                {
                    "x": left + j * size,
                    "y": top + i * size,
                    "depth": round(abs(value), 3) if known else 0,
                    "kind": "same" if not known or value >= 0 else "opposed",
                    "text": text,
                    "says": f"{names[i]} and {names[j]}: {number(value, 2)}",
                    "own": i == j,
                }
            )
    labels = [
        {
            "text": shortened(name, _LONGEST_IN_MAP),
            "full": name,
            "number": n + 1,
            "y": top + n * size + size / 2,
            "x": left + n * size + size / 2,
        }
        for n, name in enumerate(names)
    ]
    boxes = []
    family = found["family"]
    for start in range(n_models):
        if start and family[start] == family[start - 1]:
            continue
        end = start
        while end + 1 < n_models and family[end + 1] == family[start]:
            end += 1
        if end > start:
            span = (end - start + 1) * size
            place = {"x": left + start * size, "y": top + start * size, "size": span}
            boxes.append(place)
    return {
        "width": left + n_models * size + 2,
        "height": top + n_models * size + 2,
        "size": size,
        "left": left,
        "numbered": numbered,
        "cells": cells,
        "labels": labels,
        "boxes": boxes,
    }


def shortened(name: str, most: int = _LONGEST_NAME) -> str:
    """Leave out the middle of a long name: versions stand at its end.

    Parameters
    ----------
    name : str
        Of a model.
    most : int
        Letters to keep.

    Returns
    -------
    str
    """
    if len(name) <= most:
        return name
    tail = (most - 1) * 3 // 5
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"
