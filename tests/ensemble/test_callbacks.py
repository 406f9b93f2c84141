"""Progress: callbacks of scikit-learn 1.9, and the lines of `verbose`."""

from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pytest
from example_members import FirstFeature
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from stackingnet_sk import StackingNetRegressor

pytest.importorskip("sklearn.callback", reason="scikit-learn has no callbacks")


class Recorder:
    """Writes a line for each hook: a file takes them from every process."""

    def __init__(self, log):
        self.log = str(log)

    def _write(self, hook, context):
        line = f"{hook}|{context.estimator_name}|{context.task_name}\n"
        with Path(self.log).open("a") as file:
            file.write(line)

    def setup(self, estimator, context):
        self._write("setup", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        if X is not None:
            assert len(X) == len(y), "a task shows the rows that it is fitted on"
        self._write("begin", context)

    def on_fit_task_end(self, estimator, context):
        self._write("end", context)

    def teardown(self, estimator, context):
        self._write("teardown", context)

    def count(self, hook, estimator=None):
        """How often each task of an estimator had the hook called."""
        lines = [line.split("|") for line in Path(self.log).read_text().splitlines()]
        return Counter(
            task
            for what, owner, task in lines
            if what == hook and estimator in (None, owner)
        )


class Spreading(Recorder):
    """The same, handed on to inner estimators."""

    max_propagation_depth = None


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "hooks"
    path.touch()
    return path


def tasks_of(members, n_folds):
    folds = range(1, n_folds + 1)
    where = ["all rows", *(f"fold {fold} of {n_folds}" for fold in folds)]
    return Counter(f"fit {name} on {place}" for name, _ in members for place in where)


@pytest.mark.parametrize("backend", [None, "threading", "loky"])
@pytest.mark.parametrize("kind", [Recorder, Spreading])
def test_each_task_begins_and_ends_once(X, y, members, log, backend, kind):
    recorder = kind(log)
    model = StackingNetRegressor(members, cv=3).set_callbacks(recorder)
    with joblib.parallel_config(backend or "sequential", n_jobs=backend and 2):
        model.fit(X, y)

    expected = tasks_of(members, 3) + Counter(["fit"])
    assert recorder.count("setup") == recorder.count("teardown") == Counter(["fit"])
    assert recorder.count("begin") == expected
    assert recorder.count("end") == expected


@pytest.mark.parametrize("mode", ["table", "prefit"])
def test_without_fits_of_members_the_fit_itself_is_the_task(X, y, P, log, mode):
    recorder = Recorder(log)
    model, data = StackingNetRegressor(), P
    if mode == "prefit":
        model = StackingNetRegressor([("a", Ridge().fit(X, y))], cv="prefit")
        data = X
    model.set_callbacks(recorder).fit(data, y)

    for hook in ("setup", "begin", "end", "teardown"):
        assert recorder.count(hook) == Counter(["fit"]), hook


def _refuse(first):
    raise RuntimeError("refused")


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_failing_member_still_tears_down(X, y, log, n_jobs):
    recorder = Recorder(log)
    model = StackingNetRegressor(
        [("ok", Ridge()), ("bad", FirstFeature(_refuse))], n_jobs=n_jobs
    ).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="refused"):
        model.fit(X, y)
    assert recorder.count("setup") == recorder.count("teardown") == Counter(["fit"])

    # Nothing of the failed run is in the way of the next one.
    model.set_params(bad="drop").fit(X, y)
    assert recorder.count("teardown") == Counter(["fit", "fit"])


@pytest.mark.parametrize("as_members", [False, True])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_search_hears_every_fit_end(X, P, y, members, log, as_members, n_jobs):
    recorder = Spreading(log)
    model = StackingNetRegressor(members[:2] if as_members else None, cv=2)
    search = GridSearchCV(model, {"shrinkage": [0, "auto"]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(recorder).fit(X if as_members else P, y)

    # Two candidates on two folds, and the refit: a bar that waits for one of their
    # ends would never be full.
    n_fits = 5
    inner = Counter({"fit": n_fits})
    if as_members:
        for task, times in tasks_of(members[:2], 2).items():
            inner[task] = n_fits * times
    assert recorder.count("begin", "StackingNetRegressor") == inner
    assert recorder.count("end", "StackingNetRegressor") == inner
    assert recorder.count("begin") == recorder.count("end")


def test_pipeline_hears_its_last_step(P, y, log):
    recorder = Spreading(log)
    make_pipeline(StackingNetRegressor()).set_callbacks(recorder).fit(P, y)

    assert recorder.count("end", "StackingNetRegressor") == Counter(["fit"])


def test_a_stack_inside_a_stack_hears_its_own_members(X, y, members, log):
    recorder = Spreading(log)
    inner = StackingNetRegressor(members[:2], cv=2)
    outer = StackingNetRegressor([("inner", inner), ("ridge", Ridge())], cv=2)
    outer.set_callbacks(recorder).fit(X, y)

    assert recorder.count("begin") == recorder.count("end")
    # The inner stack is fitted on all rows and on two folds.
    assert recorder.count("end")["fit tree on fold 2 of 2"] == 3


def test_callbacks_change_no_weight(X, y, members, log):
    plain = StackingNetRegressor(members, cv=3).fit(X, y)
    heard = StackingNetRegressor(members, cv=3).set_callbacks(Recorder(log)).fit(X, y)

    assert np.array_equal(plain.weights_, heard.weights_)


def test_progress_bar_of_scikit_learn(X, y, members, capsys):
    pytest.importorskip("rich", reason="the progress bar needs rich")
    from sklearn.callback import ProgressBar

    StackingNetRegressor(members, cv=2).set_callbacks(ProgressBar()).fit(X, y)
    assert "StackingNetRegressor" in capsys.readouterr().out
