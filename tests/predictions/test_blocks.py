"""Tables in blocks: each row once, in order, and few of them at a time."""

import gc
import operator
import threading
import weakref
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from stackingnet_sk.predictions import blocks
from stackingnet_sk.predictions.blocks import (
    Block,
    blocks_of,
    column_names,
    comes_in_blocks,
    split_columns,
    sum_blocks,
)

N_ROWS, N_MODELS = 97, 3


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(N_ROWS, N_MODELS))


@pytest.fixture
def labels():
    return np.random.default_rng(1).normal(size=N_ROWS)


@pytest.fixture
def small_blocks(monkeypatch):
    """Ten rows of doubles."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 10 * 8 * N_MODELS)


@pytest.fixture
def on_disk(tmp_path):
    def save(array, mode="r", order="C", offset=0):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        kind = {"dtype": array.dtype, "shape": array.shape, "order": order}
        np.memmap(path, mode="w+", offset=offset, **kind)[...] = array
        return np.memmap(path, mode=mode, offset=offset, **kind)

    return save


def joined(found):
    """Blocks, put together again."""
    parts = [
        None if part[0] is None else np.concatenate([np.asarray(each) for each in part])
        for part in zip(*[block[1:] for block in found], strict=True)
    ]
    return parts


# --------------------------------------------------------------------- what is read so


def test_what_comes_in_blocks(table, on_disk):
    """Whatever can be walked through once only, or lies on a disk."""
    for X in (iter([table]), (t for t in [table]), map(abs, [table]), on_disk(table)):
        assert comes_in_blocks(X)
    vector = on_disk(table[:, 0])
    for X in (table, table.tolist(), [table], pd.DataFrame(table), vector, None, "abc"):
        assert not comes_in_blocks(X)


def test_arrow_comes_in_blocks(table):
    pa = pytest.importorskip("pyarrow")
    dataset = pytest.importorskip("pyarrow.dataset")
    data = pa.table({"a": table[:, 0]})
    for X in (data.to_reader(), dataset.dataset(data)):
        assert comes_in_blocks(X)
    for X in (data, data.to_batches()[0], pa.array([1.0, 2.0])):
        assert not comes_in_blocks(X), "it is in memory"


# --------------------------------------------------------------------------- iterators


def test_tuples_are_table_labels_and_weights(table, labels):
    given = [(table,), (table, labels), (table, None, labels), table]
    found = list(blocks_of(iter(given)))

    assert [block.where for block in found] == [f"Block {k}" for k in range(4)]
    for block, item in zip(found, given, strict=True):
        own = item if isinstance(item, tuple) else (item,)
        assert_array_equal(block.X, table)
        assert not np.shares_memory(block.X, table), "it may be filled again"
        for part, expected in zip(block[2:], (*own[1:], None, None), strict=False):
            assert_array_equal(part, expected)


def test_columns_of_frames_are_labels_and_weights(table, labels):
    frame = pd.DataFrame(table, columns=list("abc")).assign(y=labels, w=1.0)
    (block,) = blocks_of(iter([frame]), "y", "w")

    assert list(block.X.columns) == list("abc")
    assert_array_equal(block.y, labels)
    assert_array_equal(block.sample_weight, 1.0)
    assert list(frame.columns) == list("abcyw"), "the caller's frame is left as it was"


@pytest.mark.parametrize(
    ("item", "y", "said"),
    [
        ((), None, r"Block 1 is a tuple of 0; yield X, \(X, y\)"),
        ((1, 2, 3, 4), None, "Block 1 is a tuple of 4"),
        ((1, 2), "y", "Block 1 is a tuple of 2.*pass no y"),
        (np.ones((2, 2)), "y", "Block 1: There is no column 'y'"),
        (pd.DataFrame({"a": [1.0]}), "y", r"no column 'y' among \['a'\]"),
    ],
    ids=["nothing", "four", "labels twice", "no frame", "no such column"],
)
def test_a_block_that_is_none_is_named(item, y, said):
    good = pd.DataFrame({"a": [1.0], "y": [1.0]})
    with pytest.raises(ValueError, match=said):
        list(blocks_of(iter([good, item]), y))


@pytest.mark.parametrize("which", ["y", "sample_weight"])
def test_labels_of_a_stream_come_with_its_blocks(table, labels, which):
    """An array beside a stream could only be matched by a guess at the order."""
    with pytest.raises(ValueError, match="come with its blocks"):
        list(blocks_of(iter([table]), **{which: labels}))


# ------------------------------------------------------------------------ mapped files


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.usefixtures("small_blocks")
def test_each_row_of_a_file_is_read_once(table, labels, on_disk, mode, order, dtype):
    """In order, with the labels and weights at its place, in blocks of a size."""
    table = (10 * table).astype(dtype)
    X, y = on_disk(table, mode, order, offset=20), on_disk(labels, mode)
    found = list(blocks_of(X, y, labels.tolist()))

    size = 10 * 8 // table.itemsize
    assert {len(block.X) for block in found[:-1]} == {size}
    for part, expected in zip(joined(found), (table, labels, labels), strict=True):
        assert_array_equal(part, expected)
    assert found[0].X.dtype == dtype
    assert found[1].where.startswith(f"Rows {size} to {2 * size - 1},")
    assert found[-1].where.startswith(f"Rows {N_ROWS // size * size} to {N_ROWS - 1},")


VIEWS = {
    "rows": lambda X: X[13:71],
    "every other row": lambda X: X[::2],
    "backwards": lambda X: X[::-1],
    "columns": lambda X: X[:, 1:],
    "every other column": lambda X: X[:, ::2],
    "one column": lambda X: X[:, :1],
    "transposed twice": lambda X: X.T[1:].T,
    "a copy": lambda X: X.copy(),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.usefixtures("small_blocks")
def test_parts_of_files(table, on_disk, view, mode):
    """Pages are given back by address: those of other rows must stay what they are."""
    X = on_disk(table, mode, offset=24)
    if mode == "c":
        X[::7] = table[::7] = -1.0
    found = list(blocks_of(view(X)))

    expected = view(table)
    assert_array_equal(joined(found)[0], expected)
    assert_array_equal(X, table)


@pytest.mark.parametrize("n_rows", [10, 20_000])
def test_changes_in_memory_only_count_and_stay(on_disk, n_rows, monkeypatch):
    """Of a copy-on-write map: a page that is given back is read from the file again."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**14)
    rng = np.random.default_rng(0)
    table, labels = rng.normal(size=(n_rows, N_MODELS)), rng.normal(size=n_rows)
    X, y = on_disk(table, "c"), on_disk(labels, "c")
    X[::3], y[::2] = 7.0, 5.0
    for _ in range(2):
        found = joined(blocks_of(X, y))
        assert (found[0][::3] == 7.0).all()
        assert (found[1][::2] == 5.0).all()
        assert_array_equal(found[0][1::3], table[1::3])
        assert_array_equal(found[1][1::2], labels[1::2])


def test_changes_that_are_not_flushed_count_and_reach_the_file(on_disk):
    table = np.random.default_rng(0).normal(size=(20_000, N_MODELS))
    X = on_disk(table, "r+")
    X[::3] = 7.0
    assert (joined(blocks_of(X))[0][::3] == 7.0).all()
    X.flush()

    again = np.memmap(X.filename, X.dtype, "r", shape=X.shape)
    assert (again[::3] == 7.0).all()
    assert_array_equal(again[1::3], table[1::3])


def test_blocks_of_a_file_are_copies(table, on_disk):
    """They are summed in other threads, while the file's pages are given back."""
    X = on_disk(table, "r+")
    (block,) = blocks_of(X)
    X[:] = 0.0

    assert_array_equal(block.X, table)
    assert not isinstance(block.X, np.memmap)


@pytest.mark.parametrize("which", ["y", "sample_weight"])
def test_labels_of_another_length_are_refused(table, labels, on_disk, which):
    """Before a row is read: cut to the shorter one, nobody would notice."""
    with pytest.raises(ValueError, match=r"inconsistent.*97, 96"):
        next(blocks_of(on_disk(table), **{which: labels[:-1]}))


@pytest.mark.usefixtures("small_blocks")
def test_masked_labels_stay_masked(table, labels, on_disk):
    """What numpy keeps beneath a mask is no label."""
    masked = np.ma.array(labels, mask=labels > 0)
    masks = [np.ma.getmaskarray(block.y) for block in blocks_of(on_disk(table), masked)]
    values = [
        np.asarray(block.y, dtype=float) for block in blocks_of(on_disk(table), masked)
    ]
    hidden = np.concatenate(masks) | np.isnan(np.concatenate(values))

    assert_array_equal(hidden, labels > 0)


@pytest.mark.usefixtures("small_blocks")
def test_a_series_is_labels_by_position(table, labels, on_disk):
    """Whatever its index: rows of a file have no other names than their places."""
    for index in (range(N_ROWS, 0, -1), np.linspace(5.0, 9.0, N_ROWS), [3] * N_ROWS):
        series = pd.Series(labels, index=index)
        assert_array_equal(joined(blocks_of(on_disk(table), series))[1], labels)


# ------------------------------------------------------------------------------- Arrow


@pytest.fixture
def arrow(table, labels):
    pa = pytest.importorskip("pyarrow")
    columns = {name: table[:, j] for j, name in enumerate("abc")}
    return pa.table({**columns, "y": labels, "w": labels**2})


def as_dataset(arrow, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    dataset = pytest.importorskip("pyarrow.dataset")
    pq.write_table(arrow.slice(0, 40), tmp_path / "0.parquet", row_group_size=15)
    pq.write_table(arrow.slice(40), tmp_path / "1.parquet", row_group_size=15)
    return dataset.dataset(tmp_path)


def as_parquet(arrow, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(arrow, tmp_path / "0.parquet", row_group_size=15)
    return pq.ParquetFile(tmp_path / "0.parquet")


def as_feather(arrow, tmp_path):
    feather = pytest.importorskip("pyarrow.feather")
    dataset = pytest.importorskip("pyarrow.dataset")
    feather.write_feather(arrow, tmp_path / "0.feather", chunksize=15)
    return dataset.dataset(tmp_path / "0.feather", format="feather")


ARROW = {
    "reader": lambda arrow, _: arrow.to_reader(max_chunksize=15),
    "dataset": as_dataset,
    "dataset of a table": lambda arrow, _: pytest.importorskip(
        "pyarrow.dataset"
    ).dataset(arrow),
    "feather": as_feather,
    "parquet": as_parquet,
}
each_arrow = pytest.mark.parametrize("kind", ARROW.values(), ids=ARROW.keys())


@each_arrow
def test_each_row_of_arrow_data_is_read_once(
    table, labels, arrow, kind, tmp_path, monkeypatch
):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 8 * 5)
    found = list(blocks_of(kind(arrow, tmp_path), "y", "w"))

    assert len(found) > 10
    assert len({block.where for block in found}) == len(found)
    assert max(len(block.X) for block in found) <= 8
    assert {tuple(column_names(block.X)) for block in found} == {("a", "b", "c")}
    X, y, weights = joined(found)
    assert_array_equal(X, table)
    assert_array_equal(y, labels)
    assert_array_equal(weights, labels**2)


@each_arrow
@pytest.mark.parametrize("which", ["y", "sample_weight"])
def test_labels_of_arrow_data_are_columns(arrow, labels, kind, tmp_path, which):
    X = kind(arrow, tmp_path)
    with pytest.raises(ValueError, match="columns of it; pass their names"):
        list(blocks_of(X, **{which: labels}))
    with pytest.raises(ValueError, match="no column 'z'"):
        list(blocks_of(X, **{which: "z"}))


# ----------------------------------------------------------------------------- columns


def test_columns_are_taken_out_in_any_order(table, labels):
    frame = pd.DataFrame(table, columns=list("abc"))
    rest, y, given, nothing = split_columns(frame, "b", labels, None)

    assert list(rest.columns) == ["a", "c"]
    assert_array_equal(y, table[:, 1])
    assert given is labels
    assert nothing is None
    assert split_columns(frame, None, labels)[0] is frame


def test_names_of_columns(arrow, table):
    assert column_names(table) == []
    assert column_names(pd.DataFrame(table)) == [0, 1, 2]
    assert column_names(arrow) == ["a", "b", "c", "y", "w"]


# --------------------------------------------------------------------------------- sums


class Trace:
    """Statistics that remember how they were merged."""

    def __init__(self, rows):
        self.rows = rows

    def merge(self, other):
        return Trace([*self.rows, *other.rows])


def trace(block):
    return partial(Trace, np.asarray(block.X)[:, 0].tolist())


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_blocks_are_merged_in_their_order(table, n_threads):
    """However long each takes: sums do not depend on the number of threads."""
    first = threading.Event()

    def slow(block):
        def total():
            if block.where == "0" and n_threads > 1:
                assert first.wait(10)
            else:
                first.set()
            return trace(block)()

        return total

    parts = (Block(str(k), part) for k, part in enumerate(np.array_split(table, 9)))
    found = sum_blocks(parts, slow, n_threads)
    assert found.rows == table[:, 0].tolist()


def test_blocks_without_rows_are_skipped(table):
    parts = [Block("", part) for part in (table[:0], table, table[:0])]
    assert sum_blocks(iter(parts), trace).rows == table[:, 0].tolist()
    assert sum_blocks(iter(parts[:1]), trace) is None
    assert sum_blocks(iter([]), trace) is None


@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_are_let_go(n_threads):
    """A few are alive at a time, however many there are."""
    alive, most = set(), 0

    def make():
        nonlocal most
        for k in range(60):
            block = np.full((5, 2), float(k))
            alive.add(k)
            weakref.finalize(block, alive.discard, k)
            most = max(most, len(alive))
            yield Block("", block)
            del block

    found = sum_blocks(make(), lambda block: partial(Trace, [len(block.X)]), n_threads)
    gc.collect()
    assert len(found.rows) == 60
    assert most <= n_threads + 3
    assert not alive


@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_are_checked_in_the_thread_of_the_caller(table, n_threads):
    """Where warnings and settings of scikit-learn are the caller's."""
    checked, summed = set(), set()

    def read(block):
        checked.add(threading.get_ident())

        def total():
            summed.add(threading.get_ident())
            return Trace([])

        return total

    sum_blocks((Block("", table) for _ in range(9)), read, n_threads)
    assert checked == {threading.get_ident()}
    assert not summed & checked


@pytest.mark.parametrize("where", ["source", "check", "sum", "merge"])
def test_errors_come_out_as_they_are(table, where):
    """Wherever they are raised; and no thread is left behind."""

    class Bad(Trace):
        def merge(self, other):
            raise KeyError("merge")

    def source():
        for k in range(9):
            if k == 5 and where == "source":
                raise KeyError(where)
            yield Block(str(k), table)

    def read(block):
        if block.where == "5" and where == "check":
            raise KeyError(where)
        if block.where == "5" and where == "sum":
            return partial(operator.getitem, {}, where)
        return partial(Bad if where == "merge" else Trace, [])

    before = threading.active_count()
    with pytest.raises(KeyError, match=where):
        sum_blocks(source(), read, 2)
    assert threading.active_count() == before
