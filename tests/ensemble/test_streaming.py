"""Tables that are never held, in files, iterators, Arrow data: one fit's weights."""

import copy
import itertools
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_streams import N_ROWS, NAMES, assert_same
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from test_classifier import panel as votes_panel

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import bounded_disparity
from stackingnet_sk.predictions import blocks


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Fifteen rows of doubles, so that each table is many blocks."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 15 * 8 * 5)


@pytest.fixture
def on_disk(tmp_path):
    def save(array, mode="r", order="C"):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        kind = {"dtype": array.dtype, "shape": array.shape, "order": order}
        np.memmap(path, mode="w+", **kind)[...] = array
        return np.memmap(path, mode=mode, **kind)

    return save


def pieces(*parts, n=7):
    """The rows of all of them, cut alike; None stays None."""
    for rows in np.array_split(np.arange(len(parts[0])), n):
        yield tuple(None if part is None else part[rows] for part in parts)


def framed(table, labels=None, weights=None):
    frame = pd.DataFrame(table, columns=NAMES)
    extra = {"label": labels, "weight": weights}
    return frame.assign(**{k: v for k, v in extra.items() if v is not None})


def arrow_table(table, labels=None, weights=None):
    pa = pytest.importorskip("pyarrow")
    # NaN is a null.
    return pa.Table.from_pandas(framed(table, labels, weights), preserve_index=False)


def of_frames(table, labels, weights, tmp_path):
    def make():
        for (rows,) in pieces(np.arange(len(table))):
            yield framed(
                *(None if p is None else p[rows] for p in (table, labels, weights))
            )

    return make()


def of_csv(table, labels, weights, tmp_path):
    framed(table, labels, weights).to_csv(tmp_path / "all.csv", index=False)
    return pd.read_csv(tmp_path / "all.csv", chunksize=25)


def of_dataset(table, labels, weights, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    dataset = pytest.importorskip("pyarrow.dataset")
    whole = arrow_table(table, labels, weights)
    for number, start in enumerate(range(0, N_ROWS, 50)):
        path = tmp_path / f"part-{number}.parquet"
        pq.write_table(whole.slice(start, 50), path, row_group_size=20)
    return dataset.dataset(tmp_path)


def of_parquet(table, labels, weights, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    whole = arrow_table(table, labels, weights)
    pq.write_table(whole, tmp_path / "all.parquet", row_group_size=20)
    return pq.ParquetFile(tmp_path / "all.parquet")


NAMED = {
    "frames": of_frames,
    "csv": of_csv,
    "arrow": lambda t, y, w, _: arrow_table(t, y, w),
    "reader": lambda t, y, w, _: arrow_table(t, y, w).to_reader(max_chunksize=20),
    "batch": lambda t, y, w, _: arrow_table(t, y, w).to_batches()[0],
    "dataset": of_dataset,
    "parquet": of_parquet,
}
each_named = pytest.mark.parametrize("make", NAMED.values(), ids=NAMED.keys())


# ------------------------------------------------------------------------- exactness


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("known", ["all", "some", "none"])
@each_named
def test_streams_with_named_columns_are_one_fit(
    table, truth, labels, weights, make, known, weighted, tmp_path
):
    """Names of the columns come along, nulls are holes and rows without a label."""
    y = {"all": truth, "some": labels, "none": None}[known]
    w = weights if weighted else None
    model = StackingNetRegressor().fit(
        make(table, y, w, tmp_path),
        None if y is None else "label",
        sample_weight=None if w is None else "weight",
    )
    expected = StackingNetRegressor().fit(framed(table), y, sample_weight=w)

    assert_same(model, expected, framed(table))
    assert model.model_names_.tolist() == NAMES
    assert model.feature_names_in_.tolist() == NAMES
    assert model.n_features_in_ == 5


@pytest.mark.parametrize("known", ["all", "some", "none"])
def test_streams_of_tuples_are_one_fit(table, truth, labels, weights, known):
    """X, (X,), (X, y) or (X, y, w), of arrays, frames or lists."""
    y = {"all": truth, "some": labels, "none": None}[known]
    whole = StackingNetRegressor().fit(table, y)
    for stream in (
        pieces(table, y),
        pieces(table, y, None),
        iter(list(pieces(table, y))),
        pieces(np.asfortranarray(table), y, n=1),
        ((X.tolist(), own) for X, own in pieces(table, y)),
    ):
        assert_same(StackingNetRegressor().fit(stream), whole, table)
    if y is None:
        for stream in ((X for (X,) in pieces(table)), pieces(table)):
            assert_same(StackingNetRegressor().fit(stream), whole, table)
    weighted = StackingNetRegressor().fit(table, y, sample_weight=weights)
    stream = pieces(table, y, weights)
    assert_same(StackingNetRegressor().fit(stream), weighted, table)
    frames = StackingNetRegressor().fit((framed(X), own) for X, own in pieces(table, y))
    expected = StackingNetRegressor().fit(framed(table), y)
    assert_same(frames, expected, framed(table))
    assert frames.model_names_.tolist() == NAMES


def test_blocks_of_all_sizes_some_without_rows(table, labels):
    edges = [0, 0, 30, 31, 31, 90, N_ROWS, N_ROWS]
    stream = ((table[a:b], labels[a:b]) for a, b in itertools.pairwise(edges))
    whole = StackingNetRegressor().fit(table, labels)

    assert_same(StackingNetRegressor().fit(stream), whole, table)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int32])
def test_mapped_files_are_one_fit(table, labels, on_disk, mode, order, dtype):
    if dtype == np.int32:
        table = np.round(10 * np.nan_to_num(table))
        labels = 10 * labels
    table = table.astype(dtype)
    whole = StackingNetRegressor().fit(table, labels)
    X = on_disk(table, mode, order)
    for y in (labels, on_disk(labels, mode), labels.tolist(), pd.Series(labels)):
        assert_same(StackingNetRegressor().fit(X, y), whole, table.astype(float), 1e-9)
        assert_allclose(
            StackingNetRegressor().fit(X, y).weights_, whole.weights_, 1e-10
        )
    unlabelled = StackingNetRegressor().fit(X)
    expected = StackingNetRegressor().fit(table)
    assert_allclose(unlabelled.weights_, expected.weights_, rtol=1e-10)


@pytest.mark.parametrize("constraint", ["simplex", "affine", "uniform"])
def test_parameters_hold_for_files(table, labels, weights, on_disk, constraint):
    model = StackingNetRegressor(constraint=constraint, shrinkage=3.0)
    whole = clone(model).fit(table, labels, sample_weight=weights)
    model.fit(on_disk(table), on_disk(labels), sample_weight=on_disk(weights))

    assert_same(model, whole, table)


def test_changes_in_memory_only_count(table, labels, on_disk):
    """Of a copy-on-write map: a fit reads what the caller sees, and leaves it so."""
    X, y = on_disk(table, "c"), on_disk(labels, "c")
    X[::3, 1], y[::4] = 0.5, 1.5
    table[::3, 1], labels[::4] = 0.5, 1.5
    for _ in range(2):
        model = StackingNetRegressor().fit(X, y)
        assert_same(model, StackingNetRegressor().fit(table, labels), table)
    assert_array_equal(X, table)


def test_parts_of_files(table, labels, on_disk):
    X, y = on_disk(table), on_disk(labels)
    for rows, columns in (
        (slice(7, 101), slice(None)),
        (slice(None, None, 2), slice(1, None)),
        (slice(None, None, -1), slice(None, None, -2)),
    ):
        model = StackingNetRegressor().fit(X[rows, columns], y[rows])
        whole = StackingNetRegressor().fit(table[rows, columns], labels[rows])
        assert_same(model, whole, table[:, columns])


def test_a_copy_of_a_mapped_file_is_an_array(table, labels, on_disk):
    """numpy calls it a memmap still, though there is no file."""
    model = StackingNetRegressor().fit(on_disk(table).copy(), labels)

    assert_same(model, StackingNetRegressor().fit(table, labels), table)


def test_masked_labels_of_a_file_do_not_count(table, truth, on_disk):
    """What numpy keeps beneath a mask is no label, as in a table that is held."""
    masked = np.ma.array(truth, mask=truth > 1.5)
    model = StackingNetRegressor().fit(on_disk(table), masked)

    assert_same(model, StackingNetRegressor().fit(table, masked), table)


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads_do_not_change_a_bit(table, labels, on_disk, n_jobs):
    """Blocks are merged in their order, whoever is done first."""
    one = StackingNetRegressor().fit(on_disk(table), labels)
    many = StackingNetRegressor(n_jobs=n_jobs).fit(on_disk(table), labels)
    stream = StackingNetRegressor(n_jobs=n_jobs).fit(pieces(table, labels))

    assert_array_equal(many.weights_, one.weights_)
    assert many.intercept_ == one.intercept_
    assert many.solution_.expected_error == one.solution_.expected_error
    alone = StackingNetRegressor().fit(pieces(table, labels))
    assert_array_equal(stream.weights_, alone.weights_)


def test_partial_fit_takes_streams(table, labels, on_disk):
    model = StackingNetRegressor()
    model.partial_fit(pieces(table[:50], labels[:50]))
    model.partial_fit(on_disk(table[50:80]), labels[50:80])
    model.partial_fit(table[80:], labels[80:])

    assert_same(model, StackingNetRegressor().fit(table, labels), table)


def test_units_are_doubted_as_in_fit(table, labels, on_disk):
    with pytest.warns(UserWarning, match="normalized") as expected:
        StackingNetRegressor().fit(table + 1000, labels)
    with pytest.warns(UserWarning, match="normalized") as caught:
        StackingNetRegressor().fit(on_disk(table + 1000), labels)

    assert str(caught[0].message) == str(expected[0].message)
    assert caught[0].filename == __file__


# ------------------------------------------------------------------------------- Arrow


def test_whole_numbers_truth_values_and_nulls():
    pa = pytest.importorskip("pyarrow")
    data = {
        "a": pa.array([1, None, 3, 4, 2], pa.int32()),
        "b": pa.array([True, False, None, True, True]),
        "c": pa.array([1, 2, 3, 4, 0], pa.uint8()),
        "d": pa.array([0.5, 2.5, None, 4.0, 1.0], pa.float32()),
        "y": pa.array([1, None, 3, 5, 2], pa.int64()),
    }
    model = StackingNetRegressor().fit(pa.table(data), "y")
    table = [[1, 1, 1, 0.5], [np.nan, 0, 2, 2.5], [3, np.nan, 3, np.nan],
             [4, 1, 4, 4], [2, 1, 0, 1]]  # fmt: skip
    whole = StackingNetRegressor().fit(table, [1, np.nan, 3, 5, 2])

    assert_allclose(model.weights_, whole.weights_, rtol=1e-10, atol=1e-12)
    assert_allclose(model.intercept_, whole.intercept_, rtol=1e-10)
    assert model.moments_per_model_.keys() == whole.moments_per_model_.keys() == {1, 3}


@pytest.mark.parametrize("where", ["first", "last"])
def test_a_column_of_texts_is_named(table, labels, where):
    pa = pytest.importorskip("pyarrow")
    whole = arrow_table(table, labels)
    place = 0 if where == "first" else 6
    whole = whole.add_column(place, "who", pa.array(["x"] * N_ROWS))
    with pytest.raises(ValueError, match="Batch 0: 'who' holds 'x' at row 0"):
        StackingNetRegressor().fit(whole.to_reader(), "label")


@each_named
def test_a_name_that_is_no_column(table, labels, make, tmp_path):
    for name in ("y", "sample_weight"):
        stream = make(table, labels, None, tmp_path)
        given = {"y": "label", name: "no such"}
        with pytest.raises(ValueError, match="no column 'no such'"):
            StackingNetRegressor().fit(stream, **given)
        if hasattr(stream, "close"):
            stream.close()


# -------------------------------------------------------------------------- X_unlabeled


@pytest.mark.parametrize(
    "make",
    [
        lambda t, disk: iter([t[:40], t[40:]]),
        lambda t, disk: pieces(t),
        lambda t, disk: pieces(t, None),
        lambda t, disk: disk(t),
        lambda t, disk: disk(t.astype(np.float32)),
    ],
    ids=["tables", "tuples", "pairs", "file", "single precision"],
)
def test_unlabelled_rows_come_as_any_stream(table, truth, on_disk, make):
    more = (
        np.random.default_rng(7).normal(size=(80, 5)).astype(np.float32).astype(float)
    )
    whole = StackingNetRegressor().fit(table, truth, X_unlabeled=more)
    for X, y in ((table, truth), (on_disk(table), truth), (pieces(table, truth), None)):
        own = make(more, on_disk)
        model = StackingNetRegressor().fit(X, y, X_unlabeled=own)
        assert_same(model, whole, table, 1e-9)
        assert model.error_moments_.n_rows == whole.error_moments_.n_rows


@pytest.mark.parametrize(
    "make", [NAMED[k] for k in ("frames", "arrow", "reader", "dataset", "parquet")]
)
def test_unlabelled_rows_come_with_names(table, truth, make, tmp_path):
    more = np.random.default_rng(7).normal(size=(N_ROWS, 5))
    whole = StackingNetRegressor().fit(framed(table), truth, X_unlabeled=framed(more))
    model = StackingNetRegressor()
    model.fit(framed(table), truth, X_unlabeled=make(more, None, None, tmp_path))
    assert_same(model, whole, framed(table))


def test_labels_among_unlabelled_rows_do_not_count(table, truth):
    """A column of labels is no model's; labels beside the rows are refused too."""
    stream = arrow_table(table, truth).to_reader()
    model = StackingNetRegressor()
    with pytest.raises(ValueError, match=r"(?s)X_unlabeled: Batch 0.*label"):
        model.fit(framed(table), truth, X_unlabeled=stream)
    with pytest.raises(ValueError, match="X_unlabeled"):
        model.fit(table, truth, X_unlabeled=pieces(table, truth))


def test_bad_unlabelled_rows_are_named(table, truth):
    more = table.copy()
    more[70, 2] = np.inf
    with pytest.raises(ValueError, match=r"X_unlabeled: Block 4.*'model_2'"):
        StackingNetRegressor().fit(table, truth, X_unlabeled=pieces(more))
    with pytest.raises(ValueError, match="no rows"):
        StackingNetRegressor().fit(table, truth, X_unlabeled=iter([]))


# ---------------------------------------------------------------------------- bad input


def failed(stream, y=None, **given):
    """The error of a fit, which leaves a model that answers nothing."""
    model = StackingNetRegressor()
    with pytest.raises(ValueError, match=r".") as caught:
        model.fit(stream, y, **given)
    with pytest.raises(NotFittedError):
        model.predict(np.zeros((1, 5)))
    return str(caught.value)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_infinity_is_named_by_block_column_and_row(table, labels, on_disk, n_jobs):
    """Whatever its sign, and beside holes."""
    for bad in (np.inf, -np.inf):
        table[64, 3] = bad
        # Blocks of 18 rows at first, of 17 then.
        at = 64 - 18 - 17 * 2
        said = failed(pieces(table, labels))
        assert said.startswith("Block 3: ")
        assert "'model_3' (column 3)" in said
        assert f"row {at}" in said
        said = failed(((framed(X), y) for X, y in pieces(table, labels)))
        assert "'d' (column 3)" in said
        said = failed(on_disk(table), labels)
        assert said.startswith("Rows 60 to 74, counted from the first of them: ")
        assert "(column 3), first at row 4" in said
        model = StackingNetRegressor(n_jobs=n_jobs)
        with pytest.raises(ValueError, match=r"Block 3: .*infinity"):
            model.fit(pieces(table, labels))


def test_an_infinity_in_arrow_data_is_named(table, labels, tmp_path):
    table[64, 3] = np.inf
    said = failed(arrow_table(table, labels).to_reader(max_chunksize=15), "label")
    assert said.startswith("Batch 4: ")
    assert "'d' (column 3), first at row 4" in said
    said = failed(arrow_table(table, labels), "label")
    assert "'d' (column 3)" in said


def spoil(kind, table, labels):
    """Seven blocks of frames, of which number 4 is not like the others."""
    for number, (X, y) in enumerate(pieces(table, labels)):
        frame = framed(X)
        yield kind(frame, y) if number == 4 else (frame, y)


BAD = {
    "fewer columns": (lambda X, y: (X[list("abcd")], y), "Block 4: .*missing"),
    "more columns": (lambda X, y: (X.assign(f=1.0), y), "Block 4: .*unseen at fit"),
    "other names": (lambda X, y: (X.rename(columns={"a": "z"}), y), "Block 4: .*seen"),
    "other order": (lambda X, y: (X[list("bacde")], y), "Block 4: .*same order"),
    "a name twice": (lambda X, y: (X[list("aacde")], y), "Block 4: .*not unique"),
    "another type": (lambda X, y: (X.astype(np.float32), y), "float64.*float32"),
    "texts": (lambda X, y: (X.astype(object).fillna("?"), y), "Block 4: .*holds '?'"),
    "fewer labels": (lambda X, y: (X, y[:-1]), "Block 4: .*inconsistent"),
    "infinite labels": (lambda X, y: (X, y + np.inf), "Block 4: .*infinity"),
    "labels in a table": (lambda X, y: (X, np.ones((len(X), 2))), "Block 4: "),
    "negative weights": (lambda X, y: (X, y, -np.ones(len(X))), "Block 4: .*negative"),
    "fewer weights": (lambda X, y: (X, y, np.ones(3)), "Block 4: .*shape"),
    "a vector": (lambda X, y: (X["a"].to_numpy(), y), "Block 4: "),
    "four parts": (lambda X, y: (X, y, y, y), "Block 4 is a tuple of 4"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize(("kind", "said"), BAD.values(), ids=BAD.keys())
def test_a_block_unlike_the_others_is_named(table, truth, kind, said):
    """No wrong answer in silence; and a model that had one keeps it."""
    found = failed(spoil(kind, table, truth))
    assert re.search(said.replace("?", r"\?"), found, re.DOTALL), found
    model = StackingNetRegressor().partial_fit(framed(table[:20]), truth[:20])
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=r"."):
        model.partial_fit(spoil(kind, table, truth))
    assert_array_equal(model.predict(framed(table)), before.predict(framed(table)))
    assert model.statistics_.labelled.n_rows.sum() == 20


def test_names_that_are_numbers_are_compared_too(table, truth):
    frame = pd.DataFrame(table, columns=range(2020, 2025))
    turned = frame[frame.columns[::-1]]
    with pytest.raises(ValueError, match=r"Block 1: .*2020"):
        StackingNetRegressor().fit(iter([(frame, truth), (turned, truth)]))


def test_a_stream_without_rows(table, labels, on_disk):
    nothing = table[:0], labels[:0]
    for stream, y in (
        (iter([]), None),
        (iter([nothing, nothing]), None),
        (iter([framed(*nothing)]), "label"),
        (arrow_table(*nothing).to_reader(), "label"),
    ):
        assert "no rows" in failed(stream, y)
    with pytest.raises(ValueError, match="no rows"):
        StackingNetRegressor().partial_fit(iter([]))


def test_no_label_where_labels_were_given(table, on_disk):
    """Labels that are all missing are a mistake, as in a table that is held."""
    nothing = np.full(N_ROWS, np.nan)
    frames = (framed(X, y) for X, y in pieces(table, nothing))
    for stream, y in (
        (frames, "label"),
        (arrow_table(table, nothing), "label"),
        (on_disk(table), nothing),
        (on_disk(table), on_disk(nothing)),
        (pieces(table, nothing), None),
    ):
        assert "contains NaN only" in failed(stream, y)


def test_no_weight_at_all(table, truth, on_disk):
    nothing = np.zeros(N_ROWS)
    assert "weight" in failed(pieces(table, truth, nothing))
    assert "weight" in failed(on_disk(table), truth, sample_weight=nothing)


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("odd"), KeyError("k")])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_of_the_source_come_out_as_they_are(table, truth, error, n_jobs):
    def broken():
        yield from list(pieces(table, truth))[:4]
        raise error

    with pytest.raises(type(error)) as caught:
        StackingNetRegressor(n_jobs=n_jobs).fit(broken())
    assert caught.value is error
    model = StackingNetRegressor().partial_fit(table[:20], truth[:20])
    before = copy.deepcopy(model)
    with pytest.raises(type(error)):
        model.partial_fit(broken())
    assert_array_equal(model.weights_, before.weights_)
    assert model.statistics_.labelled.n_rows.sum() == 20


def test_what_a_stream_has_no_rows_for_is_refused(table, truth, on_disk):
    groups = np.arange(N_ROWS) % 2
    model = StackingNetRegressor(constraint=bounded_disparity(9.0))
    for stream, y in ((pieces(table, truth), None), (on_disk(table), truth)):
        with pytest.raises(ValueError, match=r"sensitive_features.*comes in blocks"):
            model.fit(stream, y, sensitive_features=groups)
        with pytest.raises(ValueError, match=r"groups.*comes in blocks"):
            StackingNetRegressor().fit(stream, y, groups=groups)
        with pytest.raises(ValueError, match="given none"):
            clone(model).fit(stream, y)
    with pytest.raises(ValueError, match="come with its blocks"):
        StackingNetRegressor().fit(pieces(table), truth)


# ------------------------------------------------------------------------------ members


def test_members_are_fitted_on_arrays(X, y, on_disk):
    """A mapped file is one to them; of a stream they would see a block at most."""
    members = [(name, Ridge(k)) for k, name in enumerate("abc")]
    expected = StackingNetRegressor(members).fit(X, y)
    model = StackingNetRegressor(members).fit(on_disk(X), on_disk(y))
    assert_array_equal(model.weights_, expected.weights_)

    pa = pytest.importorskip("pyarrow")
    for stream in (pieces(X, y), pa.table({"a": X[:, 0], "y": y}).to_reader()):
        with pytest.raises(ValueError, match="Members are fitted on arrays"):
            StackingNetRegressor(members).fit(stream)


def test_members_predict_unlabelled_rows_of_a_file(X, y, on_disk):
    """Features, not predictions, also where there are as many members as features."""
    members = [(name, Ridge(10 * k)) for k, name in enumerate("abc")]
    more = np.random.default_rng(0).normal(size=(200, 3))
    expected = StackingNetRegressor(members).fit(X, y, X_unlabeled=more)
    model = StackingNetRegressor(members).fit(X, y, X_unlabeled=on_disk(more))
    assert_allclose(model.prediction_moments_.mean, expected.prediction_moments_.mean)
    assert_array_equal(model.weights_, expected.weights_)

    with pytest.raises(ValueError, match="Members"):
        StackingNetRegressor(members).fit(X, y, X_unlabeled=iter([more]))


# --------------------------------------------------------------------------- classifier


def votes_and_classes():
    votes, truth = votes_panel(silence=0.1)
    return votes, np.where(np.arange(300) % 3 == 0, np.nan, truth)


def assert_same_classifier(model, other, votes):
    for name in ("weights_", "vote_weights_", "intercept_", "confusion_"):
        assert_array_equal(getattr(model, name), getattr(other, name), err_msg=name)
    assert_array_equal(model.predict_proba(votes), other.predict_proba(votes))
    assert model.input_ == other.input_ == "votes"


def test_votes_come_in_streams(on_disk):
    """Bit for bit, for counts are integers."""
    votes, labels = votes_and_classes()
    whole = StackingNetClassifier(classes=[0, 1, 2]).fit(votes, labels)
    for stream, y in (
        (pieces(votes, labels), None),
        (iter([(votes[:99], labels[:99]), (votes[99:], labels[99:])]), None),
        (on_disk(votes), labels),
        (on_disk(votes.astype(np.float32)), on_disk(labels)),
    ):
        for n_jobs in (1, 2):
            model = StackingNetClassifier(classes=[0, 1, 2], n_jobs=n_jobs)
            if n_jobs == 2 and y is None:
                stream = pieces(votes, labels, n=11)
            assert_same_classifier(model.fit(stream, y), whole, votes)
    parts = StackingNetClassifier()
    parts.partial_fit(pieces(votes, labels), classes=[0, 1, 2])
    assert_same_classifier(parts, whole, votes)


@each_named
def test_votes_in_texts_come_in_named_columns(make, tmp_path):
    names = np.array(["ant", "bee", "cat"])
    votes, truth = (each[:N_ROWS] for each in votes_panel())
    votes, truth = names[votes.astype(int)].astype(object), names[truth].astype(object)
    votes[::7, 2] = None
    truth[::5] = None
    whole = StackingNetClassifier(classes=list(names)).fit(framed(votes), truth)
    model = StackingNetClassifier(classes=list(names))
    model.fit(make(votes, truth, None, tmp_path), "label")

    assert_same_classifier(model, whole, framed(votes))
    assert model.model_names_.tolist() == NAMES


def test_a_stream_of_votes_needs_the_classes(on_disk):
    """Later blocks may bring others; a file can be looked at for them."""
    votes, labels = votes_and_classes()
    with pytest.raises(ValueError, match=r"classes=None.*list all classes"):
        StackingNetClassifier().fit(pieces(votes, labels))
    whole = StackingNetClassifier().fit(votes, labels)
    model = StackingNetClassifier().fit(on_disk(votes), labels)
    assert_same_classifier(model, whole, votes)


def test_streams_of_no_votes(on_disk):
    votes, labels = votes_and_classes()
    model = StackingNetClassifier(classes=[0, 1, 2])
    table = np.full((30, 5, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"Block 0: .*takes votes"):
        model.fit(iter([table]))
    with pytest.raises(ValueError, match="no rows"):
        model.fit(iter([]))
    with pytest.raises(ValueError, match="contains NaN only"):
        model.fit(on_disk(votes), np.full(300, np.nan))
    strange = np.where(np.arange(300) == 250, 7.0, labels)
    with pytest.raises(ValueError, match=r"Block 5: .*label 7"):
        model.fit(pieces(votes, strange))
    with pytest.raises(ValueError, match="Members are fitted on arrays"):
        StackingNetClassifier([("a", Ridge())]).fit(pieces(votes, labels))


@pytest.mark.parametrize("known", [0.1, 1.0])
def test_unlabelled_votes_come_as_any_stream(on_disk, known):
    votes, truth = votes_panel(silence=0.1)
    more = votes_panel(seed=5, silence=0.1)[0]
    labels = np.where(np.random.default_rng(0).random(300) < known, truth, np.nan)
    model = StackingNetClassifier(classes=[0, 1, 2])
    whole = clone(model).fit(votes, labels, X_unlabeled=more)
    for stream in (pieces(more), on_disk(more), iter([more])):
        own = clone(model).fit(votes, labels, X_unlabeled=stream)
        assert_same_classifier(own, whole, votes)


# ------------------------------------------------------------------------------- memory

# A fit in a process of its own: how much more memory it took than before.
MEASURED = """
import sys
import numpy as np
from stackingnet_sk import StackingNetRegressor
{read}
def status(name):
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) / 1024
small = np.random.default_rng(0).normal(size=(100, 20))
StackingNetRegressor().fit(small, small[:, 0])
before = status("VmRSS:")
model = StackingNetRegressor().fit(X, y)
assert model.error_moments_.n_rows == {n_rows}, model.error_moments_.n_rows
print(status("VmHWM:") - before)
"""
READ = {
    "file": "X = np.memmap('table', 'f4', 'r', shape=({n_rows}, 20))",
    "columns": "X = np.memmap('table', 'f4', 'r', shape=({n_rows}, 20), order='F')",
    "holes": "X = np.memmap('holes', 'f4', 'r', shape=({n_rows}, 20))",
    "stream": """
def read():
    for start in range(0, {n_rows}, {step}):
        X = np.fromfile('table', 'f4', {step} * 20, offset=80 * start)
        yield X.reshape(-1, 20), np.fromfile('y', 'f8', {step}, offset=8 * start)
X = read()
""",
    "dataset": "import pyarrow.dataset as ds\nX = ds.dataset('all.parquet')",
    "parquet": "import pyarrow.parquet as pq\nX = pq.ParquetFile('all.parquet')",
}
STEP, N_STEPS = 50_000, 100


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Predictions of 20 models for five million rows, 400 MB; also in Parquet."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    y = rng.normal(size=STEP)
    table = (y[:, None] + rng.normal(size=(STEP, 20))).astype(np.float32)
    holes = table.copy()
    holes[rng.random(STEP) < 0.1, 0] = np.nan
    for name, own in (("table", table), ("holes", holes), ("y", y)):
        with (folder / name).open("wb") as file:
            for _ in range(N_STEPS):
                file.write(own.tobytes())
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        pass
    else:
        columns = {f"m{j}": column for j, column in enumerate(table.T)}
        group = pa.table({**columns, "y": y})
        with pq.ParquetWriter(folder / "all.parquet", group.schema) as file:
            for _ in range(N_STEPS // 2):
                file.write_table(group)
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="only Linux tells the peak of resident pages, mapped files included",
)
@pytest.mark.parametrize("kind", READ)
def test_the_table_is_never_held(large, kind):
    """A few blocks are, whatever the size of the file: pages that were read go back.

    Where models are silent, a block is also sorted by pattern, in double precision.
    """
    n_rows = STEP * N_STEPS
    y = f"y = np.memmap('y', 'f8', 'r', shape=({n_rows},))"
    if kind == "stream":
        y = "y = None"
    elif kind in ("dataset", "parquet"):
        pytest.importorskip("pyarrow")
        n_rows, y = n_rows // 2, "y = 'y'"
    read = f"{READ[kind]}\n{y}".format(n_rows=n_rows, step=STEP)
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            MEASURED.format(read=read, n_rows=n_rows),
        ],
        cwd=large,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < (250 if kind == "holes" else 120)


def _rows(n_rows=60_000):
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 1, n_rows)
    return truth[:, None] + rng.normal(0, [0.3, 0.6, 0.9], (n_rows, 3)), truth


def test_an_iterator_may_fill_the_same_arrays_again():
    """While a block is summed the next one is asked for: it must not write into it."""
    X, y = _rows()

    def stream():
        table, labels = np.empty((500, 3)), np.empty(500)
        for start in range(0, len(X), 500):
            table[:], labels[:] = X[start : start + 500], y[start : start + 500]
            yield table, labels

    found, whole = (
        StackingNetRegressor().fit(stream()),
        StackingNetRegressor().fit(X, y),
    )
    np.testing.assert_allclose(found.weights_, whole.weights_, rtol=1e-10)


def test_nulls_of_arrow_categories_are_missing():
    pa = pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    votes = rng.choice(np.array(["x", "y", None], dtype=object), (200, 3))
    plain = pa.table({f"m{j}": pa.array(votes[:, j]) for j in range(3)})
    coded = pa.table({n: plain[n].dictionary_encode() for n in plain.column_names})
    one, other = (
        StackingNetClassifier(classes=["x", "y"]).fit(each) for each in (plain, coded)
    )
    np.testing.assert_array_equal(one.n_answers(plain), other.n_answers(coded))
    np.testing.assert_array_equal(one.predict_proba(plain), other.predict_proba(coded))


@pytest.mark.parametrize("kind", ["batch", "frame and array", "numbers"])
def test_columns_in_another_order_are_refused(kind):
    """Record batches have names; arrays after frames have none; years are names."""
    pa, pd = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    X, y = _rows(1000)
    frame = pd.DataFrame(X, columns=list("abc"))
    turned = frame[list("cba")]
    if kind == "batch":
        frame, turned = (pa.RecordBatch.from_pandas(f) for f in (frame, turned))
    elif kind == "frame and array":
        turned = turned.to_numpy()
    else:
        frame = pd.DataFrame(X)
        turned = frame[[2, 1, 0]]
    with pytest.raises(ValueError, match=r"(?s)Block 1: .*in the same order"):
        StackingNetRegressor().fit(iter([(frame, y), (turned, y)]))


def test_files_of_other_columns_are_refused(tmp_path):
    """Pyarrow would fill in nulls, drop or cast, after the first file's columns."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    X, y = _rows(100)
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "y": y})
    for other in (
        table.rename_columns(["a", "B", "y"]),
        table.drop_columns(["b"]),
        table.append_column("more", pa.array(y)),
        table.cast(pa.schema([("a", pa.float32()), ("b", pa.float64()), ("y", "f8")])),
    ):
        pq.write_table(table, tmp_path / "1.parquet")
        pq.write_table(other, tmp_path / "2.parquet")
        with pytest.raises(ValueError, match=r"2\.parquet has other columns"):
            StackingNetRegressor().fit(ds.dataset(tmp_path), y="y")


@pytest.mark.parametrize("kind", ["pandas", "arrow", "batch"])
def test_frames_in_memory_name_their_labels_or_are_given_them(kind):
    """So that cross-validation, which slices labels, takes them as they come."""
    pa, pd = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    X, y = _rows(200)
    weight = np.linspace(0.0, 1.0, 200)
    frame = pd.DataFrame(X, columns=list("abc"))
    whole = StackingNetRegressor().fit(frame, y, sample_weight=weight)
    make = {
        "pandas": lambda each: each,
        "arrow": pa.Table.from_pandas,
        "batch": pa.RecordBatch.from_pandas,
    }[kind]
    named = make(frame.assign(y=y, w=weight))
    for model in (
        StackingNetRegressor().fit(named, "y", sample_weight="w"),
        StackingNetRegressor().partial_fit(named, "y", sample_weight="w"),
        StackingNetRegressor().fit(make(frame), y, sample_weight=weight),
    ):
        np.testing.assert_allclose(model.weights_, whole.weights_, rtol=1e-12)
        assert model.model_names_.tolist() == list("abc")
    with pytest.raises(ValueError, match="no column 'z' among"):
        StackingNetRegressor().fit(named, "z")
    with pytest.raises(ValueError, match="no column 'y' where columns have no names"):
        StackingNetRegressor().fit(X, "y")


def test_a_list_of_arrays_is_no_tuple():
    X, y = _rows(50)
    with pytest.raises(ValueError, match=r"Block 0 is a list of arrays; yield a tuple"):
        StackingNetRegressor().fit(iter([[X, y]]))


def test_a_parquet_file_of_one_group_of_rows_is_not_held(tmp_path):
    """What is held are pages and a block, and does not grow with the group."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    held = []
    for n_rows in (1_200_000, 3_600_000):  # three blocks, and nine
        X, y = _rows(n_rows)
        table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
        pq.write_table(table, tmp_path / "one.parquet", row_group_size=n_rows)
        script = """
            import pyarrow as pa, pyarrow.dataset as ds
            from stackingnet_sk import StackingNetRegressor
            StackingNetRegressor().fit(ds.dataset("one.parquet"), "y")
            print(pa.default_memory_pool().max_memory())
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        held.append(int(done.stdout))
    assert held[1] < 1.2 * held[0]
    assert held[1] < 0.6 * 3_600_000 * 32
