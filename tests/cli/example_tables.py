"""Tables as texts, and how they come back."""

import csv
import io
import json

import numpy as np

from stackingnet_sk.datasets import make_experts

CLASSES = ["ant", "bee", "cat"]


def numbers(n_items=60, n_labelled=30, missing=0.0, seed=0):
    """Rows of three models' numbers and a label, empty where there is none."""
    crowd = make_experts(
        n_items,
        3,
        accuracy=[0.9, 0.8, 0.6],
        missing=missing,
        n_labelled=n_labelled,
        random_state=seed,
    )
    known = np.full(n_items, np.nan) if crowd.y is None else crowd.y.astype(float)
    table = np.c_[crowd.X, known].round(3)
    return [["" if cell != cell else f"{cell:.3f}" for cell in row] for row in table]


def votes(n_items=60, n_labelled=30, missing=0.0, seed=0):
    """Rows of three models' votes and a label, empty where there is none."""
    crowd = make_experts(
        n_items,
        3,
        n_classes=3,
        accuracy=[0.9, 0.8, 0.6],
        missing=missing,
        n_labelled=n_labelled,
        random_state=seed,
    )
    labels = [None] * n_items if crowd.y is None else crowd.y
    known = [np.nan if label is None else float(label) for label in labels]
    table = np.c_[crowd.X, known]
    return [
        ["" if cell != cell else CLASSES[int(cell)] for cell in row] for row in table
    ]


def to_csv(rows, heads=("a", "b", "c", "label"), separator=",", **options):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, **{"lineterminator": "\n"} | options)
    writer.writerows([heads, *rows])
    return text.getvalue()


def from_csv(text):
    """Return the header and the rows."""
    text = text.decode() if isinstance(text, bytes) else text
    # Some cells here are whole documents; the limit is that of all of Python.
    usual = csv.field_size_limit(2**30)
    try:
        # What was read is written: separators too.
        first = text.partition("\n")[0]
        separator = max(",\t;|:~", key=first.count)
        heads, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    finally:
        csv.field_size_limit(usual)
    return heads, rows


def to_jsonl(rows, heads=("a", "b", "c", "label"), number=False):
    """Numbers as numbers, and null for an empty cell."""

    def cell(text):
        return None if text == "" else float(text) if number else text

    lines = (dict(zip(heads, map(cell, row), strict=True)) for row in rows)
    return "".join(json.dumps(line) + "\n" for line in lines)


def to_array(rows, number):
    """Return answers and labels as the estimators take them, by themselves."""
    if number:
        table = np.array([[float(cell or "nan") for cell in row] for row in rows])
    else:
        table = np.array([[cell or None for cell in row] for row in rows], dtype=object)
    return table[:, :-1], table[:, -1]


def column(text, name):
    """Return one column of a CSV."""
    heads, rows = from_csv(text)
    return [row[heads.index(name)] for row in rows]
