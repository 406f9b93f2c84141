"""Votes: a fit without labels in memory and by stream, against crowd-kit's."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk import StackingNetClassifier

from .child import measured, run
from .settings import Settings, fits_in_memory
from .sheet import Sheet

__all__ = ["crowd", "fit", "measure"]

ROWS, QUICK_ROWS = [10_000, 100_000, 1_000_000], [10_000, 50_000]
MODELS, CLASSES, ITERATIONS, BLOCK, TOO_SLOW = 10, 4, 10, 100_000, 300.0
RIVAL_BYTES = 2000.0  # that crowd-kit takes for a row, about
COLUMNS = {
    "votes": "",
    "rows": ",",
    "seconds": ".3f",
    "convert s": ".3f",
    "x memory": ".2f",
    "extra MB": ".0f",
    "peak MB": ".0f",
    "accuracy": ".5f",
}
WAYS = {
    "in memory": {"function": "fit", "how": "memory"},
    "from a mapped file": {"function": "fit", "how": "mapped"},
    "from an iterator": {"function": "fit", "how": "iterator"},
    "crowd-kit DawidSkene": {"function": "crowd"},
}


def measure(settings: Settings) -> Sheet:
    """Fit each number of rows in each way, each in a process of its own."""
    import crowdkit  # noqa: F401

    sheet = Sheet(COLUMNS)
    sheet.say(
        f"{MODELS} voters, {CLASSES} classes, no labels; the median of a few fits, "
        f"each in a process of its own. crowd-kit stops after {ITERATIONS} iterations, "
        "ours when it has converged; its frame of a row a vote is counted apart. "
        "Accuracy against the truth that nobody was given; labels of the rows are part "
        "of crowd-kit's fit, and not of ours."
    )
    slow = False
    for rows in settings.several(settings.rows, ROWS, QUICK_ROWS):
        path, _ = settings.place(f"votes-{rows}.i8", rows * (MODELS + 1))
        write(path, rows)
        slow |= not fits_in_memory(RIVAL_BYTES * rows)
        turns = 1 if settings.quick else 3
        unit = None
        for way, job in WAYS.items():
            rival = job["function"] == "crowd"
            found = (
                [] if rival and slow else [run("votes", path=path, rows=rows, **job)]
            )
            # One run of a rival that takes long is enough.
            if found and found[0] and found[0]["seconds"] < TOO_SLOW / 10:
                found += [
                    run("votes", path=path, rows=rows, **job) for _ in range(turns - 1)
                ]
            if not found or None in found:
                sheet.row(votes=way, rows=rows)
                continue
            seconds = float(np.median([one["seconds"] for one in found]))
            unit = unit or seconds
            slow |= rival and seconds > TOO_SLOW
            sheet.row(
                votes=way,
                rows=rows,
                seconds=seconds,
                convert_s=found[0].get("convert"),
                x_memory=seconds / unit,
                extra_MB=max(one["growth"] for one in found) / 1e6,
                peak_MB=max(one["peak"] for one in found) / 1e6,
                accuracy=found[0]["accuracy"],
            )
        settings.drop(path)
    raced = [row for row in sheet.rows if row["votes"] in list(WAYS)[3:]]
    raced = [row for row in raced if "seconds" in row]
    if raced:
        most = raced[-1]
        text = f"crowd-kit's seconds over ours in memory, {most['rows']:,} rows"
        sheet.at_least(text, most["x memory"], 1.0)
    return sheet


def write(path: Path, rows: int) -> None:
    """Write votes, row by row, and the truth after them."""
    rng = np.random.default_rng(0)
    truth = rng.integers(CLASSES, size=rows, dtype=np.int8)
    with path.open("wb") as file:
        for start in range(0, rows, BLOCK):
            own = truth[start : start + BLOCK, None]
            shape = len(own), MODELS
            right = rng.random(shape) < np.linspace(0.55, 0.9, MODELS)
            guess = rng.integers(CLASSES, size=shape, dtype=np.int8)
            np.where(right, own, guess).tofile(file)
        truth.tofile(file)


def mapped(path: str, rows: int) -> tuple[np.memmap, NDArray]:
    votes = np.memmap(path, np.int8, "r", shape=(rows, MODELS))
    return votes, np.fromfile(path, np.int8, offset=rows * MODELS)


def fit(path: str, rows: int, how: str) -> dict[str, Any]:
    """Fit ours; the accuracy is of the first rows."""
    votes, truth = mapped(path, rows)
    model = StackingNetClassifier(classes=list(range(CLASSES)))
    model.fit(np.array(votes[:1000]))
    table: Any = np.array(votes) if how == "memory" else votes
    result: dict[str, Any] = measured(
        lambda: model.fit(blocks(votes) if how == "iterator" else table)
    )
    few = slice(0, BLOCK)
    own = model.predict(np.array(votes[few]))
    return result | {"accuracy": float((own == truth[few]).mean())}


def blocks(votes: NDArray) -> Iterator[NDArray]:
    for start in range(0, len(votes), BLOCK):
        yield np.array(votes[start : start + BLOCK])


def crowd(path: str, rows: int) -> dict[str, Any]:
    """Fit crowd-kit's; likewise."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    votes, truth = mapped(path, rows)

    def frame(votes: NDArray) -> pd.DataFrame:
        columns = {
            "task": np.repeat(np.arange(len(votes)), MODELS),
            "worker": np.tile(np.arange(MODELS), len(votes)),
            "label": np.ravel(votes),
        }
        return pd.DataFrame(columns)

    warnings.simplefilter("ignore")
    DawidSkene(n_iter=1).fit_predict(frame(votes[:1000]))
    start = perf_counter()
    answers = frame(np.array(votes))
    convert = perf_counter() - start
    found: list[Any] = []
    model = DawidSkene(n_iter=ITERATIONS)
    result: dict[str, Any] = measured(lambda: found.append(model.fit_predict(answers)))
    own = found[0].sort_index().to_numpy()[:BLOCK]
    accuracy = float((own == truth[:BLOCK]).mean())
    return result | {"convert": convert, "accuracy": accuracy}
