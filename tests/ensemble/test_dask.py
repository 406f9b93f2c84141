"""Dask collections: statistics of partitions, merged in a tree; one fit's weights.

On the scheduler of the calling process, on threads, and on a cluster of processes of
which one is killed in the middle of a fit.
"""

import os
import re
import signal
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from example_streams import N_ROWS, NAMES, assert_same
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor
from test_classifier import panel as votes_panel

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


@pytest.fixture(params=["synchronous", "threads"])
def scheduler(request):
    with dask.config.set(scheduler=request.param):
        yield request.param


@pytest.fixture
def at_once():
    """Where the scheduler makes no difference."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def frame(table, labels, weights):
    """Predictions, labels and weights in one frame of four partitions."""
    columns = pd.DataFrame(table, columns=NAMES).assign(label=labels, weight=weights)
    return dd.from_pandas(columns, npartitions=4)


def chunked(array, rows=17):
    """Over the columns too."""
    return da.from_array(array, chunks=(rows, 2)[: array.ndim])


def unknown(array, n_parts=4):
    """A collection whose partitions don't say how many rows they have."""
    given = pd.DataFrame(array) if array.ndim == 2 else pd.Series(array)
    return dd.from_pandas(given, npartitions=n_parts).to_dask_array()


def assert_identical(model, other):
    assert_array_equal(model.weights_, other.weights_)
    assert_array_equal(model.reliability_, other.reliability_)
    assert model.intercept_ == other.intercept_
    assert model.solution_.expected_error == other.solution_.expected_error


# ------------------------------------------------------------------------- exactness


@pytest.mark.parametrize("known", ["all", "some", "none"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("constraint", ["nonnegative", "affine"])
def test_arrays_are_one_fit(
    table, truth, labels, weights, known, weighted, constraint, scheduler
):
    """Labels and weights come divided in any way, or as arrays."""
    y = {"all": truth, "some": labels, "none": None}[known]
    w = weights if weighted else None
    whole = StackingNetRegressor(constraint=constraint).fit(table, y, sample_weight=w)
    for wrap in (
        lambda part: part,
        lambda part: chunked(part, 50),
        lambda p: p.tolist(),
    ):
        model = StackingNetRegressor(constraint=constraint)
        own = None if w is None else wrap(w)
        model.fit(chunked(table), None if y is None else wrap(y), sample_weight=own)
        assert_same(model, whole, table)
    assert model.n_features_in_ == 5
    assert model.model_names_.tolist() == [f"model_{j}" for j in range(5)]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_frames_are_one_fit(table, labels, weights, frame, weighted, scheduler):
    """Labels are a column, by its name or as a series; names of models come along."""
    w = weights if weighted else None
    whole = StackingNetRegressor()
    held = pd.DataFrame(table, columns=NAMES)
    whole.fit(held, labels, sample_weight=w)
    by_name = frame if weighted else frame.drop(columns="weight")
    series = frame["weight"] if weighted else None
    for X, y, own in (
        (by_name, "label", "weight" if weighted else None),
        (frame[NAMES], frame["label"], series),
        (frame[NAMES], frame["label"].to_dask_array(), series),
    ):
        model = StackingNetRegressor().fit(X, y, sample_weight=own)
        assert_same(model, whole, held)
        assert model.model_names_.tolist() == NAMES
        assert model.feature_names_in_.tolist() == NAMES


@pytest.mark.usefixtures("at_once")
def test_partitions_of_unknown_length(table, labels, frame):
    """After a filter nobody knows how many rows are left; some have none."""
    whole = StackingNetRegressor().fit(table, labels)
    model = StackingNetRegressor().fit(unknown(table), unknown(labels))
    assert_same(model, whole, table)

    numbered = frame.assign(row=dd.from_pandas(pd.Series(range(N_ROWS)), npartitions=4))
    kept = numbered[numbered["row"] > 40].drop(columns="row")
    assert min(kept.map_partitions(len).compute()) == 0
    rows = kept.compute()
    model = StackingNetRegressor().fit(kept.drop(columns="weight"), "label")
    held = StackingNetRegressor().fit(rows[NAMES], rows["label"])
    assert_same(model, held, rows[NAMES])


@pytest.mark.parametrize("rows", [1, 2, 50, N_ROWS])
def test_any_number_of_partitions(table, truth, rows, scheduler):
    """One, or more than a tree of two levels has leaves."""
    # Everybody is heard on the first row, else there would be warnings.
    whole = StackingNetRegressor().fit(table, truth)
    model = StackingNetRegressor().fit(chunked(table, rows), truth)

    assert_same(model, whole, table)


def test_schedulers_agree_to_the_last_bit(table, labels):
    """The tree is fixed, whoever is done first."""
    fits = []
    for name in ("synchronous", "threads", "threads"):
        with dask.config.set(scheduler=name):
            fits.append(StackingNetRegressor().fit(chunked(table, 3), labels))

    for other in fits[1:]:
        assert_identical(other, fits[0])


@pytest.mark.usefixtures("at_once")
def test_single_precision_is_summed_in_double(table, truth):
    single = table.astype(np.float32)
    model = StackingNetRegressor().fit(chunked(single), truth)

    whole = StackingNetRegressor().fit(single, truth)
    assert_allclose(model.weights_, whole.weights_, rtol=1e-10)


@pytest.mark.usefixtures("at_once")
def test_blocks_may_be_collections(table, labels, frame):
    """As blocks of `partial_fit`, and as rows without labels."""
    held = pd.DataFrame(table, columns=NAMES)
    by_name = frame.drop(columns="weight")
    model = StackingNetRegressor().partial_fit(by_name.partitions[:2], "label")
    model.partial_fit(by_name.partitions[2:], "label")
    assert_same(model, StackingNetRegressor().fit(held, labels), held)

    more = np.random.default_rng(0).normal(size=(70, 5))
    whole = StackingNetRegressor().fit(table, labels, X_unlabeled=more)
    for X in (table, chunked(table)):
        model = StackingNetRegressor().fit(X, labels, X_unlabeled=chunked(more))
        assert_same(model, whole, table)


@pytest.mark.usefixtures("at_once")
def test_units_are_doubted_as_in_fit(table, labels):
    with pytest.warns(UserWarning, match="normalized") as expected:
        StackingNetRegressor().fit(table + 1000, labels)
    with pytest.warns(UserWarning, match="normalized") as caught:
        StackingNetRegressor().fit(chunked(table + 1000), labels)

    assert [str(each.message) for each in caught] == [str(expected[0].message)]
    assert caught[0].filename == __file__


@pytest.mark.usefixtures("at_once")
def test_votes_are_counted_in_partitions():
    """Bit for bit, for counts are integers; texts too."""
    votes, truth = votes_panel(silence=0.1)
    labels = np.where(np.arange(300) % 3 == 0, np.nan, truth)
    model = StackingNetClassifier(classes=[0, 1, 2])
    whole = clone(model).fit(votes, labels)
    for X, y in ((chunked(votes), labels), (unknown(votes), unknown(labels))):
        own = clone(model).fit(X, y)
        assert_array_equal(own.weights_, whole.weights_)
        assert_array_equal(own.predict_proba(votes), whole.predict_proba(votes))
    with pytest.raises(ValueError, match=r"classes=None.*list all classes"):
        StackingNetClassifier().fit(chunked(votes), labels)

    names = np.array(["ant", "bee", "cat"])
    full, truth = votes_panel(n_rows=60)
    texts = pd.DataFrame(names[full.astype(int)], columns=NAMES)
    whole = StackingNetClassifier().fit(texts, names[truth])
    parts = dd.from_pandas(texts.assign(label=names[truth]), npartitions=3)
    own = StackingNetClassifier(classes=names).fit(parts, "label")
    assert_array_equal(own.weights_, whole.weights_)


# --------------------------------------------------------------------------- bad input


def failed(X, y=None, **given):
    """The error of a fit, which leaves a model that answers nothing."""
    model = StackingNetRegressor()
    with pytest.raises(ValueError, match=r".") as caught:
        model.fit(X, y, **given)
    with pytest.raises(NotFittedError):
        model.predict(np.zeros((1, 5)))
    return str(caught.value)


def test_an_infinity_is_named_by_partition_column_and_row(table, labels, scheduler):
    table[64, 3] = np.inf
    said = failed(chunked(table), labels)
    assert said.startswith("Partition 3: ")
    assert "'model_3' (column 3), first at row 13" in said
    named = dd.from_pandas(pd.DataFrame(table, columns=NAMES), npartitions=4)
    said = failed(named)
    assert said.startswith("Partition 2: ")
    assert "'d' (column 3), first at row 4" in said
    said = failed(
        chunked(np.zeros((N_ROWS, 5))), np.where(table[:, 3] == np.inf, np.inf, 1)
    )
    assert said.startswith("Partition 3: ")
    assert "at row 13" in said
    with pytest.raises(ValueError, match="X_unlabeled: Partition 3: "):
        StackingNetRegressor().fit(table[:60], labels[:60], X_unlabeled=chunked(table))


@pytest.mark.usefixtures("at_once")
def test_what_is_divided_otherwise_is_refused(table, labels, frame):
    """Matched by a guess, labels would be those of other rows."""
    X = unknown(table)
    # Partitions of 30 rows, and of 40, 40, 30 and 10.
    other = da.concatenate(
        [unknown(part, 1) for part in np.split(labels, [40, 80, 110])]
    )
    assert re.match("Partition [0-3]: .*inconsistent", failed(X, other))
    assert "y has 3 partitions and X has 4" in failed(X, unknown(labels, 3))
    assert "sample_weight has 3" in failed(X, sample_weight=unknown(labels, 3))
    for y in (labels, labels.tolist(), pd.Series(labels)):
        assert "is not known, so y can't" in failed(X, y)
        assert "is not known, so y can't" in failed(frame[NAMES], y)
    for y in (labels[:-1], chunked(labels[:-1]), chunked(labels[:60])):
        assert "rows of X" in failed(chunked(table), y)
        assert "sample_weight has shape" in failed(chunked(table), sample_weight=y)
    assert "one value a row" in failed(chunked(table), chunked(table))


@pytest.mark.usefixtures("at_once")
def test_partitions_unlike_the_others_are_named(table, labels):
    held = pd.DataFrame(table, columns=NAMES).assign(label=labels)
    own, rest = held[:50], held[50:]

    def mixed(part):
        parts = [dask.delayed(own), dask.delayed(part)]
        return dd.from_delayed(parts, meta=held[:0], verify_meta=False)

    turned = rest[[*"bacde", "label"]]
    assert "Partition 1: " in failed(mixed(turned), "label")
    assert "same order" in failed(mixed(turned), "label")
    for part in (rest.drop(columns="a"), rest.rename(columns={"a": "z"})):
        assert failed(mixed(part), "label").startswith("Partition 1: ")
    assert "float32" in failed(mixed(rest.astype(np.float32)), "label")
    text = rest.assign(c="?")
    assert "'c' holds '?' at row 0" in failed(mixed(text), "label")
    assert "no column 'label'" in failed(mixed(rest[NAMES]), "label")


@pytest.mark.usefixtures("at_once")
def test_names_that_are_numbers_are_compared_too(table, labels):
    """Years are names: columns in another order are other models' predictions."""
    held = pd.DataFrame(table, columns=range(2020, 2025))
    parts = [held[:60], held[60:][held.columns[::-1]]]
    mixed = dd.from_delayed(
        [dask.delayed(part) for part in parts], meta=held[:0], verify_meta=False
    )
    assert "2020" in failed(mixed, da.from_array(labels, chunks=60).to_dask_dataframe())


@pytest.mark.usefixtures("at_once")
def test_masked_labels_do_not_count(table, truth):
    """What numpy keeps beneath a mask is no label, as in a table that is held."""
    masked = np.ma.array(truth, mask=truth > 1.5)
    whole = StackingNetRegressor().fit(table, masked)
    for y in (masked, da.from_array(masked, chunks=17)):
        assert_same(StackingNetRegressor().fit(chunked(table), y), whole, table)


@pytest.mark.usefixtures("at_once")
def test_collections_without_rows_labels_or_weights(table, labels, frame):
    nothing = np.full(N_ROWS, np.nan)
    assert "no rows" in failed(frame[frame["a"] > 99], "label")
    assert "no rows" in failed(chunked(table)[:0])
    assert "contains NaN only" in failed(chunked(table), nothing)
    assert "contains NaN only" in failed(chunked(table), chunked(nothing))
    assert "weight" in failed(chunked(table), labels, sample_weight=np.zeros(N_ROWS))
    assert "negative" in failed(chunked(table), labels, sample_weight=-np.ones(N_ROWS))


@pytest.mark.usefixtures("at_once")
def test_what_is_no_table_is_refused(table, labels, frame):
    assert "no column 'no such'" in failed(frame, "no such")
    assert "no column 'label'" in failed(chunked(table), "label")
    with pytest.raises(ValueError, match="comes in blocks"):
        StackingNetRegressor().fit(
            chunked(table), labels, sensitive_features=labels > 0
        )
    assert "2D array" in failed(chunked(labels), labels)


@pytest.mark.usefixtures("at_once")
def test_a_failing_collection_changes_nothing(table, labels):
    model = StackingNetRegressor().partial_fit(table[:60], labels[:60])
    before = clone(model).fit(table[:60], labels[:60])
    table[100, 2] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.partial_fit(chunked(table[60:]), labels[60:])

    assert_array_equal(model.weights_, before.weights_)


# ----------------------------------------------------------------------- whose cluster


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=3,
        processes=True,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=50,
    ) as own:
        yield own


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as own:
        own.wait_for_workers(3, timeout=30)
        yield own


def deadly(folder, times, where=3):
    """A partition that kills its process, so many times; files count them."""

    # Sent by value: workers need not find this module.
    def pass_on(block, block_info=None):
        if block_info and block_info[0]["chunk-location"][0] == where:
            done = len(list(Path(folder).iterdir()))
            if done < times:
                (Path(folder) / str(done)).write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
        return block

    return pass_on


needs_sigkill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"),
    reason="Windows has no SIGKILL to end a worker at once",
)


def test_a_cluster_is_one_fit(table, labels, weights, frame, client):
    held = pd.DataFrame(table, columns=NAMES)
    whole = StackingNetRegressor().fit(held, labels, sample_weight=weights)
    model = StackingNetRegressor().fit(frame, "label", sample_weight="weight")
    assert_same(model, whole, held)

    whole = StackingNetRegressor().fit(table, labels)
    model = StackingNetRegressor().fit(chunked(table), labels)
    assert_same(model, whole, table)
    with dask.config.set(scheduler="synchronous"):
        assert_identical(StackingNetRegressor().fit(chunked(table), labels), model)


@needs_sigkill
@pytest.mark.parametrize("persisted", [False, True], ids=["lazy", "persisted"])
def test_a_worker_that_is_killed_changes_nothing(
    table, labels, client, tmp_path, persisted
):
    """Its partitions, also those that only it held, are read again by the others."""
    X = chunked(table, 10).rechunk({1: -1})
    if persisted:
        X = X.persist()
        distributed.wait(X)
    plain = StackingNetRegressor().fit(X, labels)
    died = deadly(str(tmp_path), times=1)
    X = X.map_blocks(died, dtype=float, meta=np.empty((0, 0)))
    model = StackingNetRegressor().fit(X, labels)

    killed = [int(file.read_text()) for file in tmp_path.iterdir()]
    assert len(killed) == 1
    assert killed[0] != os.getpid()
    assert killed[0] not in client.run(os.getpid).values()
    assert_identical(model, plain)
    assert_same(model, StackingNetRegressor().fit(table, labels), table)


@needs_sigkill
def test_workers_that_are_killed_again_and_again_are_an_error(
    table, labels, cluster, client, tmp_path, monkeypatch
):
    """No answer without the partition that nobody survives."""
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    died = deadly(str(tmp_path), times=99)
    X = chunked(table, 10).rechunk({1: -1})
    X = X.map_blocks(died, dtype=float, meta=np.empty((0, 0)))
    model = StackingNetRegressor()
    with pytest.raises(distributed.KilledWorker):
        model.fit(X, labels)
    with pytest.raises(NotFittedError):
        model.predict(table)


def test_an_infinity_on_a_worker_is_named(table, labels, client):
    table[64, 3] = np.inf
    said = failed(chunked(table), labels)
    assert said.startswith("Partition 3: ")
    assert "'model_3' (column 3), first at row 13" in said


# ------------------------------------------------------------------------------ members


@pytest.fixture
def few():
    return [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3))]


def test_members_are_fitted_on_the_cluster(X, y, client, tmp_path):
    """By workers; and their weights are those of fits in this process, bit by bit."""

    class Telling(Ridge):
        def fit(self, X, y, sample_weight=None):
            (tmp_path / f"{os.getpid()}").touch()
            return super().fit(X, y, sample_weight)

    members = [("ridge", Telling()), ("strong", Telling(alpha=100.0))]
    with joblib.parallel_config(backend="dask"):
        model = StackingNetRegressor(members).fit(X, y)
    asked = {int(file.name) for file in tmp_path.iterdir()}
    assert asked
    assert asked <= set(client.run(os.getpid).values())

    plain = StackingNetRegressor(
        [("ridge", Ridge()), ("strong", Ridge(alpha=100.0))]
    ).fit(X, y)
    assert_identical(model, plain)
    assert_array_equal(model.predict(X), plain.predict(X))


def test_a_cache_of_members_on_the_cluster(X, y, few, client, tmp_path):
    """Kept where all workers see it; asked again, it gives what was kept."""
    for _, member in few[1:]:
        member.set_params(random_state=0)
    plain = StackingNetRegressor(few).fit(X, y)
    with joblib.parallel_config(backend="dask"):
        for _ in range(2):
            model = StackingNetRegressor(few, memory=str(tmp_path), n_jobs=2)
            assert_identical(model.fit(X, y), plain)
    assert any(tmp_path.rglob("*"))
    assert_identical(StackingNetRegressor(few, memory=str(tmp_path)).fit(X, y), plain)


@pytest.mark.usefixtures("at_once")
def test_members_take_dask_arrays_as_arrays(X, y, few):
    """Features, not predictions: also rows without labels, as many as there are."""
    members = [(name, Ridge(10 * k)) for k, name in enumerate("abc")]
    more = np.random.default_rng(0).normal(size=(200, 3))
    plain = StackingNetRegressor(members).fit(X, y)
    assert_identical(StackingNetRegressor(members).fit(chunked(X), y), plain)

    expected = StackingNetRegressor(members).fit(X, y, X_unlabeled=more)
    model = StackingNetRegressor(members).fit(X, y, X_unlabeled=chunked(more))
    assert_allclose(model.prediction_moments_.mean, expected.prediction_moments_.mean)
    assert_array_equal(model.weights_, expected.weights_)
