"""The report, as text (at most 100 columns) and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from textwrap import wrap
from typing import Any

import numpy as np

from ..black_box.classification.grid import grid
from ..black_box.protocol import n_labels
from ..black_box.report import WIDTH, as_text
from .claims import claims
from .contestants import COMPLETE, CONSTANT, CONTESTANTS, ITERATIVE, OURS
from .measure import MODES, Errors, Key

__all__ = ["as_json", "report"]

RIVALS = tuple(each for each in CONTESTANTS if each not in (OURS, COMPLETE))


def report(errors: Errors) -> str:
    """Return the tables and the claims."""
    return as_text(
        [
            introduction(errors),
            *(means(errors, mode) for mode in MODES),
            *(ratios(errors, mode) for mode in MODES),
            *(defeats(errors, mode) for mode in MODES),
            constants(errors),
            map(str, claims(errors)),
        ]
    )


def introduction(errors: Errors) -> Iterator[str]:
    """Yield what is shown, and the tables."""
    yield f"Mean absolute error on the test rows; {errors.seeds} draw(s) of labels and"
    yield "  of holes, which are in the labelled rows and in the rows to predict"
    yield "  random: every prediction is removed with the same probability"
    yield "  worst: in proportion to the rank of the model's absolute error about its"
    yield "    bias"
    yield "  known at fit: ours and StackingNet after an imputer are given the rows to"
    yield "    predict as unlabelled rows, and imputers are fitted on them too"
    yield "Where nobody answers, or nobody who has a weight, averages and renormalized"
    yield "  weights predict the mean label."
    for table in errors.tables:
        labels = [f"{b} [{n_labels(b, table)}]" for b in errors.budgets]
        yield (
            f"  {table.name:<22}{len(table.models):>4} models,{len(table.test):>6} "
            f"rows to predict; labels: {', '.join(labels)}"
        )


def means(errors: Errors, mode: str) -> Iterator[str]:
    """Yield the errors of a mode, a row a contestant."""
    keys = errors.keys(mode)
    yield from grid(
        f"Rows to predict {mode} at fit: mean over tables, budgets and draws",
        heads(keys),
        [
            (each.name, [float(errors.mean(key, each).mean()) for key in keys])
            for each in CONTESTANTS
        ],
        digits=3,
    )


def ratios(errors: Errors, mode: str) -> Iterator[str]:
    """Yield ours over the iterative imputer: by budget, then by table."""
    keys = errors.keys(mode)
    names = ([f"{budget} of labels" for budget in errors.budgets], errors.tables)
    labels = [*names[0], *(table.name for table in names[1])]
    columns = [
        np.concatenate([errors.ratio(key, ITERATIVE, axis) for axis in (0, 1)])
        for key in keys
    ]
    yield from grid(
        f"{OURS.name} / {ITERATIVE.name}, {mode} at fit: by budget, then by table",
        heads(keys),
        list(zip(labels, np.transpose(columns), strict=True)),
        digits=3,
    )


def defeats(errors: Errors, mode: str) -> Iterator[str]:
    """Yield on how many tables and budgets each rival is below ours."""
    keys = errors.keys(mode)
    cells = len(errors.tables) * len(errors.budgets)
    yield from grid(
        f"In how many of {cells} tables and budgets a rival is below ours, {mode} at "
        "fit (mean over draws)",
        heads(keys),
        [
            (
                rival.name,
                [
                    np.count_nonzero(errors.mean(key, rival) < errors.mean(key, OURS))
                    for key in keys
                ],
            )
            for rival in RIVALS
        ],
        digits=0,
    )


def constants(errors: Errors) -> Iterator[str]:
    """Yield each place where a constant is below ours."""
    yield f"Where the {CONSTANT.name} is below ours, and ours over it:"
    places = list(chain.from_iterable(below(errors, mode) for mode in MODES))
    yield from places or ["  nowhere"]


def below(errors: Errors, mode: str) -> Iterator[str]:
    for key in errors.keys(mode):
        ratio = errors.mean(key, OURS) / errors.mean(key, CONSTANT)
        places = " ".join(
            f"{errors.tables[t].name}[{errors.budgets[b]}]:{ratio[t, b]:.3f}"
            for t, b in np.argwhere(ratio > 1.0)
        )
        _, kind, rate = key
        line = f"  {f'{mode}, {kind} {rate}%':<21}{places}"
        if places:
            yield from wrap(
                line, WIDTH, subsequent_indent=" " * 23, break_on_hyphens=False
            )


def heads(keys: list[Key]) -> list[str]:
    return [f"{kind}_{rate}%" for _, kind, rate in keys]


def as_json(errors: Errors) -> dict[str, Any]:
    """Return everything measured, and what is claimed of it."""
    return {
        "seeds": errors.seeds,
        "budgets": errors.budgets,
        "tables": [table.name for table in errors.tables],
        "errors": [
            {"mode": mode, "kind": kind, "rate": rate, "values": values}
            for (mode, kind, rate), values in errors.values.items()
        ],
        "claims": [asdict(claim) for claim in claims(errors)],
    }
