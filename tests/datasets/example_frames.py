"""The same data in each library of frames, and tables to put in them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
each_library = pytest.mark.parametrize("make", LIBRARIES.values(), ids=LIBRARIES)
CLASSES = np.array(["ant", "bee", "cat"])


def cells(frame):
    """Look at a frame as a dict of lists, None where a cell is missing."""
    if isinstance(frame, pd.DataFrame):
        columns = frame.to_dict(orient="list")
    elif isinstance(frame, pl.DataFrame):
        columns = frame.to_dict(as_series=False)
    else:
        columns = frame.to_pydict()
    return {
        name: [None if value is None or value != value else value for value in column]
        for name, column in columns.items()
    }


def votes(seed=0, n_items=60, n_models=5):
    """Votes with holes, labels on every second item: objects, None where missing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n_items)
    right = rng.random((n_items, n_models)) < np.linspace(0.9, 0.5, n_models)
    guess = rng.integers(3, size=right.shape)
    table = CLASSES[np.where(right, truth[:, None], guess)].astype(object)
    table[rng.random(table.shape) < 0.2] = None
    # Every model and item occurs in a long table, and in this order.
    table[0] = table[:, 0] = "bee"
    labels = CLASSES[truth].astype(object)
    labels[1::2] = None
    return table, labels


def numbers(seed=0, n_items=60, n_models=5):
    """Predictions with holes, labels on every second item: NaN where missing."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_items)
    table = truth[:, None] + rng.normal(size=(n_items, n_models)) * np.arange(1, 6) / 3
    holes = rng.random(table.shape) < 0.2
    holes[0] = holes[:, 0] = False
    labels = np.where(np.arange(n_items) % 2, np.nan, truth)
    return np.where(holes, np.nan, table), labels


def long(table, labels):
    """Lay a table out with one row per answer: a dict of columns."""
    given = np.array(
        [[cell is not None and cell == cell for cell in row] for row in table]
    )
    rows, models = np.nonzero(given)
    known = [None if label is None or label != label else label for label in labels]
    return {
        "text": [f"text {row}" for row in rows],
        "who": [f"model {model}" for model in models],
        "said": table[rows, models].tolist(),
        "truth": [known[row] for row in rows],
        "site": [f"site {row % 3}" for row in rows],
    }


def wide(table, labels):
    """Lay the same table out with one row per item."""
    columns = {f"model {m}": [none(cell) for cell in table[:, m]] for m in range(5)}
    return {"text": [f"text {row}" for row in range(len(table))], **columns} | {
        "truth": [none(label) for label in labels],
        "site": [f"site {row % 3}" for row in range(len(table))],
    }


def none(cell):
    """Put None for a missing cell, which every library takes."""
    return None if cell is None or cell != cell else cell
