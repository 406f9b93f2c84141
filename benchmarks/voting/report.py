"""The report as text."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from textwrap import wrap

from .scores import Scores
from .summary import Summary

__all__ = ["as_text"]

WIDTH = 100
LABEL = 33  # width of the rows' names
PER_BLOCK = 6  # data sets side by side


def as_text(summary: Summary) -> str:
    """Return the tables and the claims."""
    sections = (
        legend(summary),
        *(score_tables(summary, scores) for scores in summary.scores),
        overview(summary),
        solves(summary),
        whole_fits(summary),
        *(claims(scores) for scores in summary.scores),
    )
    return "\n\n".join("\n".join(section) for section in sections)


def legend(summary: Summary) -> Iterator[str]:
    """Yield what the data sets and the members are."""
    task, record = summary.task, summary.record
    yield f"Task: {task.name}. Members: {', '.join(name for name, _ in task.members)}."
    for data in task.datasets:
        if data.key in record.shapes:
            n_rows, n_features = record.shapes[data.key]
            yield f"  {data.key:<10} {n_rows:>5} x {n_features:<4} ({data.source})"


def score_tables(summary: Summary, scores: Scores) -> Iterator[str]:
    """Yield the score of each row on each data set."""
    yield (
        f"Test {scores.metric.name}, mean of {summary.n_repeats} random splits; "
        "* the best of a data set"
    )
    for start in range(0, len(scores.datasets), PER_BLOCK):
        block = slice(start, start + PER_BLOCK)
        yield " " * LABEL + "".join(f"{key:>10} " for key in scores.datasets[block])
        for row, values, best in zip(
            scores.rows, scores.values[:, block], scores.best[:, block], strict=True
        ):
            cells = zip(values, best, strict=True)
            yield f"{row:<{LABEL}}" + "".join(
                f"{number(v, 10, 4)}{'*' if b else ' '}" for v, b in cells
            )
        if start + PER_BLOCK < len(scores.datasets):
            yield ""


def overview(summary: Summary) -> Iterator[str]:
    """Yield mean score and mean rank of each row."""
    yield "Over the data sets: mean score and mean rank, 1 the best"
    yield " " * LABEL + "".join(
        f"{scores.metric.name:>15}{'rank':>7}" for scores in summary.scores
    )
    for i, row in enumerate(summary.rows):
        yield f"{row:<{LABEL}}" + "".join(
            f"{number(scores.means[i], 15, 4)}{number(scores.mean_ranks[i], 7, 2)}"
            for scores in summary.scores
        )


def solves(summary: Summary) -> Iterator[str]:
    """Yield the time of the solve of each row."""
    baselines = summary.task.solve_baselines
    yield "Solve: from the out-of-fold answers to the weights"
    for baseline, column in zip(baselines, "ab", strict=True):
        yield f"  time / {column}: median ratio to {baseline} on the same split"
    yield " " * LABEL + f"{'solve ms':>11}{'time / a':>11}{'time / b':>11}"
    for row in summary.rows:
        ratios = (summary.solve_ratio(row, baseline) for baseline in baselines)
        yield f"{row:<{LABEL}}{summary.solve_milliseconds(row):11.3f}" + "".join(
            f"{ratio:11.2f}" for ratio in ratios
        )


def whole_fits(summary: Summary) -> Iterator[str]:
    """Yield the time of the real estimators, members included."""
    count = len(summary.record.fit_seconds)
    yield (
        f"Whole fit with the members, n_jobs=None, {count} data set(s); "
        f"ratio to {summary.task.fit_baseline}"
    )
    yield " " * LABEL + f"{'seconds':>10}{'ratio':>11}"
    for name in summary.task.estimators:
        seconds, ratio = summary.fit_seconds(name), summary.fit_ratio(name)
        yield f"{name:<{LABEL}}{seconds:10.2f}{ratio:11.3f}"


def claims(scores: Scores) -> Iterator[str]:
    """Yield one line per claim, with its verdict."""
    c = scores.claims()
    verdict = "better" if c.better else "NOT better"
    yield (
        f"mean {scores.metric.name}: {c.claimant} {c.score:.4f}, {verdict} than "
        f"every rival\n  the best: {c.rival} {c.rival_score:.4f}"
    )
    if c.ahead:
        line = f"at least as good: {', '.join(c.ahead)}"
        yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield (
        f"worst shortfall against the best rival on a data set: {c.shortfall:.4f} on "
        f"{c.shortfall_dataset} (bound {c.bound})"
    )
    yield (
        f"  {'within' if c.within_bound else 'NOT within'} the bound; the rival there: "
        f"{c.shortfall_rival}"
    )


def number(value: float, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if isnan(value) else f"{value:{width}.{digits}f}"
