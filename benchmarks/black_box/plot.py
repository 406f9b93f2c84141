"""The picture: error against the number of labels, a line a method, a panel a family.

Colours are Okabe and Ito's; markers and line styles differ too, for print.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .summary import Summary

__all__ = ["plot"]

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#666666"

# In the order of the task's rows in the picture. The open circles of ours without
# unlabelled rows are wide enough to show around the dots of ours with them.
STYLES: tuple[dict[str, Any], ...] = (
    {"color": GREY, "marker": "v", "linestyle": (0, (1, 1.5))},
    {"color": ORANGE, "marker": "s", "linestyle": (0, (1, 1.5))},
    {"color": GREEN, "marker": "^", "linestyle": "--"},
    {"color": SKY, "marker": "D", "linestyle": "--"},
    {"color": PURPLE, "marker": "X", "linestyle": "-.", "markersize": 7},
    {
        "color": BLUE,
        "marker": "o",
        "markersize": 10,
        "markerfacecolor": "none",
        "linestyle": (0, (8, 3)),
    },
    {"color": VERMILION, "marker": "o", "linewidth": 2.4},
    {"color": BLACK, "linestyle": (0, (6, 2, 1, 2, 1, 2)), "linewidth": 1.2},
)
HEADROOM = 1.15  # over the second highest line; the highest may leave the panel


def plot(summaries: Sequence[Summary], path: Path) -> None:
    """Write the picture, a strip of panels a task, as the file's name says."""
    from matplotlib.figure import Figure

    summaries = [summary for summary in summaries if summary.task.drawn]
    if not summaries:
        raise SystemExit("No table here belongs to a task that has a picture.")
    widest = max(len(summary.families) for summary in summaries)
    size = (1.4 + 4.6 * widest, 5.8 * len(summaries))
    figure = Figure(figsize=size, layout="constrained")
    strips = figure.subfigures(len(summaries), 1, squeeze=False)[:, 0]
    for strip, summary in zip(strips, summaries, strict=True):
        panels = strip.subplots(1, len(summary.families), squeeze=False)[0]
        for panel, family in zip(panels, summary.families, strict=True):
            draw(panel, summary, family)
        panels[0].set_ylabel(f"{summary.task.metric} on the test items")
        strip.legend(
            *panels[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=1 + len(summary.families),
            frameon=False,
            handlelength=4.5,
            title="+ U: sees the unlabelled rows too",
        )
    figure.savefig(path, dpi=160)


def draw(panel: Any, summary: Summary, family: str) -> None:
    """Draw a family's lines; two budgets of as many labels are one point."""
    from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter

    n, first = np.unique(summary.n_labels(family), return_index=True)
    rows = [summary.rows.index(name) for name in summary.task.drawn]
    lines = summary.mean(family)[np.ix_(rows, first)]
    for name, values, style in zip(summary.task.drawn, lines, STYLES, strict=True):
        panel.plot(n, values, label=name, **{"linewidth": 1.5, **style})
    bottom, top = lines.min(), HEADROOM * np.sort(lines.max(axis=1))[-2]
    if lines.max() > top:
        panel.set_ylim(bottom - 0.05 * (top - bottom), top)
        row, point = np.unravel_index(lines.argmax(), lines.shape)
        panel.annotate(
            f"↑ {lines[row, point]:.2f}",
            (n[point], 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            color=STYLES[row]["color"],
        )
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.set_xlabel("labels (log scale)")
    n_tables = len(summary.families[family])
    title = f"{family} (tables: {n_tables}, seeds: {summary.n_seeds})"
    panel.set_title(title, pad=20)
    panel.grid(axis="y", color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
