"""A table is recognized by its values, wherever and however they lie."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from stackingnet_sk.predictions import TrainingRows

X = np.random.default_rng(0).normal(size=(30, 4))
FRAME = pd.DataFrame(
    {
        "a": X[:, 0],
        "b": X[:, 1] > 0,
        "c": np.where(X[:, 2] > 0, "up", "down"),
        "d": pd.Categorical(np.where(X[:, 3] > 0, "red", "blue")),
    }
)
TEXTS = [f"text {n}" for n in range(30)]


def reversed_rows(matrix):
    """The same sparse matrix, with the entries of each row in reverse order."""
    reverse = np.arange(matrix.nnz).reshape(len(matrix.indptr) - 1, -1)[:, ::-1].ravel()
    parts = matrix.data[reverse], matrix.indices[reverse], matrix.indptr
    return csr_array(parts, shape=matrix.shape)


@pytest.mark.parametrize(
    ("table", "copied"),
    [
        (X, X.copy()),
        (X, np.asfortranarray(X)),
        (X, np.repeat(X, 2, axis=0)[::2]),
        (X, X.tolist()),
        (X[:, :1], np.asfortranarray(X[:, :1])),
        (X.astype("U"), X.astype("U").T.copy().T),
        (np.where(X > 1, np.nan, X), np.where(X > 1, np.nan, X)),
        (FRAME, FRAME.copy()),
        (FRAME, pd.DataFrame({name: FRAME[name].copy() for name in FRAME})),
        (FRAME, pd.concat([FRAME[["a", "b"]], FRAME[["c", "d"]]], axis=1)),
        (FRAME, FRAME.set_axis(np.arange(30) + 100)),
        (TEXTS, ["".join(list(text)) for text in TEXTS]),
        (TEXTS, np.array(TEXTS, dtype=object)),
        (csr_array(X), csr_array(X).tocsc()),
        (csr_array(X), reversed_rows(csr_array(X))),
    ],
)
def test_a_copy_is_recognized(table, copied):
    assert TrainingRows.of(table, np.ones(30, bool)).are_of(copied)


@pytest.mark.parametrize(
    "other",
    [
        X[:29],
        X[::-1],
        X + 1e-12,
        X[:, ::-1],
        X.reshape(30, 2, 2),
        X.astype(np.float32),
        pd.DataFrame(X, columns=list("abcd")),
    ],
)
def test_other_values_or_other_names_are_not(other):
    assert not TrainingRows.of(X, np.ones(30, bool)).are_of(other)


def test_the_order_of_named_columns_counts():
    rows = TrainingRows.of(FRAME, np.ones(30, bool))
    assert not rows.are_of(FRAME[["b", "a", "c", "d"]])


def test_what_cannot_be_hashed_is_never_recognized():
    strange = np.array([(n for n in "abc"), 1.0], dtype=object)[:, None]
    rows = TrainingRows.of(strange, np.ones(2, bool))
    assert rows.fingerprint is None
    assert not rows.are_of(strange)


def test_rows_are_those_with_a_label():
    labelled = np.arange(30) % 3 > 0
    assert TrainingRows.of(X, labelled).rows.tolist() == labelled.nonzero()[0].tolist()
