"""Pictures of an arena: our error as a share of a rival's, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .report import BEST, Report

__all__ = ["plot"]

# Colours that the colour-blind can tell apart (Okabe and Ito), and marks.
STYLES = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"))


def plot(report: Report, path: Path) -> None:
    """Write the picture, a panel for each rival, as the file's name says."""
    from matplotlib.figure import Figure

    rivals = (BEST, *report.arena.named)
    figure = Figure(figsize=(4.6 * len(rivals), 4.8), layout="constrained")
    panels = figure.subplots(1, len(rivals), sharey=True, squeeze=False)[0]
    for panel, rival in zip(panels, rivals, strict=True):
        draw(panel, report, rival)
    panels[0].set_ylabel("error as a share of the rival's (log scale)")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(report.families),
        frameon=False,
    )
    figure.savefig(path, dpi=160)


def draw(panel: Any, report: Report, rival: str) -> None:
    """Draw the geometric mean of each family as a line, and each case as a dot."""
    from matplotlib.ticker import NullLocator, ScalarFormatter

    (ours, *_) = report.arena.ours
    places = np.arange(len(report.budgets))
    aside = np.linspace(-0.2, 0.2, len(report.families))
    styles = zip(report.families, aside, STYLES, strict=False)
    for family, shift, (color, mark) in styles:
        means = []
        for place, budget in zip(places, report.budgets, strict=True):
            ratios = report.ratios(budget, ours, rival)
            values = np.array(
                [ratios[c.name] for c in report.cases if c.family == family and c.bar]
            )
            values = values[np.isfinite(values)]
            means.append(np.exp(np.log(values).mean()) if len(values) else np.nan)
            at = np.full(len(values), place + shift)
            panel.plot(at, values, mark, color=color, alpha=0.25, markersize=4)
        panel.plot(places + shift, means, "-", color=color, marker=mark, label=family)
    panel.axhline(1.0, color="0.3", linewidth=0.8)
    panel.set_yscale("log")
    panel.set_yticks([0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
    panel.yaxis.set_major_formatter(ScalarFormatter())
    panel.yaxis.set_minor_locator(NullLocator())
    panel.set_xticks(places, [str(budget) for budget in report.budgets])
    panel.set_xlabel("labels")
    panel.set_title(f"against the {rival.removesuffix(', balanced')}")
    panel.grid(axis="y", color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
