"""The cache of fits: each is done once, and nothing but that fit is ever read back."""

import errno
import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.cache import CachedFit, Fingerprints, cached_fits, open_folder
from stackingnet_sk.predictions import NUMBER, ClassAnswer, collect_out_of_fold

FOLDS = list(KFold(3).split(np.zeros(30)))
posix = pytest.mark.skipif(
    os.name != "posix", reason="Windows has neither fcntl.flock nor resource.setrlimit"
)


class Counting(RegressorMixin, BaseEstimator):
    """Writes a line at each fit: counts in all processes. Predicts `level` + mean."""

    def __init__(self, log=None, level=0.0, pause=0.0):
        self.log = log
        self.level = level
        self.pause = pause

    def fit(self, X, y, sample_weight=None):
        with Path(self.log).open("a") as file:
            file.write("fit\n")
        time.sleep(self.pause)
        self.mean_ = np.average(y, weights=sample_weight)
        return self

    def predict(self, X):
        return np.array(X)[:, 0] * self.mean_ + self.level


class Naming(ClassifierMixin, Counting):
    """The same, answering with classes."""

    def fit(self, X, y, sample_weight=None):
        self.classes_, places = np.unique(y, return_inverse=True)
        return super().fit(X, places)

    def predict(self, X):
        first = np.array(X)[:, 0] > self.mean_ - 0.5
        return self.classes_[first.astype(int)]


class Holding(Counting):
    """Keeps what cannot be pickled."""

    def fit(self, X, y):
        super().fit(X, y)
        self.lock_ = threading.Lock()
        return self


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(30, 2))


@pytest.fixture
def y(X):
    return X @ [1.0, 2.0] + np.random.default_rng(1).normal(size=30)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "fits"
    path.touch()
    return path


@pytest.fixture
def where(tmp_path):
    return tmp_path / "cache"


def n_fits(log):
    return len(log.read_text().splitlines())


def collect(member, X, y, where, **options):
    members = [("m", member)]
    return collect_out_of_fold(members, X, y, FOLDS, {"m": {}}, memory=where, **options)


def files(where):
    return sorted(path for path in Path(where).rglob("*") if path.is_file())


def the_same(found, expected):
    assert_array_equal(found.table, expected.table)
    assert vars(found.estimators[0]) == vars(expected.estimators[0])


# ------------------------------------------------------------------------- searches


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_fits_each_member_and_fold_once(X, y, log, where, n_jobs, backend):
    """Candidates that differ in the combiner alone have the same members: in each of
    the two outer folds and for the refit, three inner folds and all rows. Two workers
    that come to a fit at the same time do it once: one waits for the other.
    """
    members = [("count", Counting(str(log), pause=0.02)), ("ridge", Ridge())]
    grid = {"constraint": ["affine", "simplex"], "shrinkage": [0, 0.1, "auto"]}
    scores = []
    for memory in (None, str(where)):
        log.write_text("")
        model = StackingNetRegressor(members, cv=3, memory=memory)
        with joblib.parallel_config(backend):
            search = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs).fit(X, y)
        scores.append(search.cv_results_["mean_test_score"])
        scores.append(search.predict(X))

    assert n_fits(log) == 4 * 3
    assert_array_equal(scores[2], scores[0])
    assert_array_equal(scores[3], scores[1])
    assert all(path.suffix == ".fit" for path in files(where)), "no locks are left"


SCRIPT = """
    import sys, time
    import numpy as np
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV
    from stackingnet_sk import StackingNetRegressor

    def scale(x):
        return {scale} * x

    class Mine(RegressorMixin, BaseEstimator):
        fits = 0
        extra = {extra}
        def __init__(self, log): self.log = log
        def fit(self, X, y):
            Mine.fits += 1
            with open(self.log, "a") as file: file.write("fit\\n")
            time.sleep(0.02)
            self.mean_ = scale(np.mean(y)) + self.extra
            return self
        def predict(self, X): return X[:, 0] + self.mean_

    if __name__ == "__main__":
        rng = np.random.default_rng(0)
        X = rng.normal(size=(30, 2)); y = X @ [1.0, 2.0] + rng.normal(size=30)
        members = [("mine", Mine(sys.argv[1])), ("ridge", Ridge())]
        model = StackingNetRegressor(members, cv=3, memory=sys.argv[2])
        grid = {{"shrinkage": [0, 0.1]}}
        search = GridSearchCV(model, grid, cv=2, n_jobs=int(sys.argv[3])).fit(X, y)
        found = search.best_estimator_.estimators_[0]
        assert type(found) is Mine, type(found)
        print(found.mean_)
"""


def script(tmp_path, **values):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT).format(**{"scale": 1, "extra": 0} | values))
    return [sys.executable, "-W", "error", str(path)]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_classes_and_functions_of_a_script_are_known_by_what_they_do(
    tmp_path, log, where
):
    """Workers get a script's classes by value, and pickle wouldn't find them there;
    their fits are cached all the same, and come back as the class of the script.
    Counters that the class keeps are not what it does.
    """
    for n_jobs in ("1", "2"):
        run([*script(tmp_path), str(log), str(where), n_jobs])
        assert n_fits(log) == 12
    (tmp_path / "elsewhere").mkdir()
    moved = run([*script(tmp_path / "elsewhere"), str(log), str(where), "1"])
    assert n_fits(log) == 12

    # An edit of the class, or of a function that it uses, is another member.
    edited = run([*script(tmp_path, extra=5), str(log), str(where), "2"])
    assert n_fits(log) == 24
    assert float(edited) == pytest.approx(float(moved) + 5)
    edited = run([*script(tmp_path, scale=3), str(log), str(where), "2"])
    assert n_fits(log) == 36
    assert float(edited) == pytest.approx(3 * float(moved))


@posix
def test_processes_that_come_at_once_fit_once(tmp_path, log, where):
    command = [*script(tmp_path), str(log), str(where), "1"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert n_fits(log) == 12


@posix
def test_threads_that_come_at_once_fit_once(X, y, log, where):
    member = Counting(str(log), pause=0.05)
    threads = [
        threading.Thread(target=collect, args=(member, X, y, where)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert n_fits(log) == 4


@posix
def test_a_worker_that_dies_lets_go_of_its_fit(tmp_path, where, log, X, y):
    """Its lock goes with it, and what it had half written is removed."""
    folder = open_folder(where)
    script = f"""
        import os
        from pathlib import Path
        from stackingnet_sk.cache import CachedFit
        place = CachedFit(Path({str(folder)!r}) / "k.fit", {{}})
        def fit():
            (place.path.parent / "k.123.part").write_text("half")
            os._exit(9)
        place.fit_once(fit)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    assert subprocess.run(command).returncode == 9
    assert len(files(where)) == 2

    result, recalled, problem = CachedFit(folder / "k.fit", {}).fit_once(lambda: (1, 2))
    assert (result, recalled, problem) == ((1, 2), False, None)
    assert files(where) == [folder / "k.fit"]


def test_a_fit_that_fails_leaves_nothing(where):
    place = CachedFit(open_folder(where) / "k.fit", {})
    with pytest.raises(ZeroDivisionError):
        place.fit_once(lambda: 1 / 0)
    assert not files(where)


@posix
@pytest.mark.parametrize("missing", ["fcntl", "locks"])
def test_without_locks_fits_are_kept_all_the_same(
    X, y, log, where, monkeypatch, missing
):
    if missing == "fcntl":
        monkeypatch.setattr("stackingnet_sk.cache.member_cache.fcntl", None)
    else:

        def refuse(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("fcntl.flock", refuse)
    for _ in range(2):
        collect(Counting(str(log)), X, y, where)
    assert n_fits(log) == 4


# ----------------------------------------------------------------------------- keys


def key(member, X, y, params=None, fold=FOLDS[0], answer=NUMBER, name="m"):
    params = {name: params or {}}
    (place,) = cached_fits(Path(), [(name, member)], X, y, [fold], params, answer)
    return place.path.name


def text(source, **scope):
    """A function as if typed anew into a notebook."""
    exec(compile(source, "<input>", "exec"), scope)
    return scope["f"]


def test_what_is_another_fit(X, y):
    """Whatever may change the result: parameters, at any depth, with the type that
    they have; data; weights; rows; what is asked.
    """
    scaled = make_pipeline(StandardScaler(), Ridge())
    unscaled = make_pipeline(StandardScaler(with_mean=False), Ridge())
    train, test = FOLDS[0]
    members = {
        "base": Ridge(),
        "parameter": Ridge(2.0),
        "type of a parameter": Ridge(1),
        "class": Counting(),
        "pipeline": scaled,
        "last step": make_pipeline(StandardScaler(), Ridge(2.0)),
        "first step": unscaled,
        "output": clone(scaled).set_output(transform="pandas"),
        "frozen": FrozenEstimator(Ridge().fit(X, y)),
        "frozen, fitted otherwise": FrozenEstimator(Ridge().fit(X, y + 1)),
        "random state": Ridge(random_state=np.random.RandomState(0)),
        "other random state": Ridge(random_state=np.random.RandomState(1)),
        "estimators in lists": VotingRegressor([("a", Ridge()), ("b", Ridge())]),
        "other ones": VotingRegressor([("a", Ridge()), ("b", Ridge(2.0))]),
    }
    keys = [key(member, X, y) for member in members.values()]
    keys += [
        key(Ridge(), X + 1, y),
        key(Ridge(), X, y + 1),
        key(Ridge(), X.astype(np.float32), y),
        key(Ridge(), X, y, {"sample_weight": np.ones(30)}),
        key(Ridge(), X, y, {"sample_weight": np.arange(30.0)}),
        key(Ridge(), X, y, fold=None),
        key(Ridge(), X, y, fold=(train[1:], test)),
        key(Ridge(), X, y, fold=(train, test[1:])),
        key(Ridge(), X, y, answer=ClassAnswer(np.array([0, 1]))),
        key(Ridge(), X, y, answer=ClassAnswer(np.array([0, 2]))),
        key(Ridge(), X, y, answer=ClassAnswer(np.array(["a", "b"], dtype=object))),
    ]
    with config_context(transform_output="pandas"):
        keys.append(key(scaled, X, y))
    with config_context(enable_metadata_routing=True):
        keys.append(key(Ridge(), X, y))
        keys.append(key(Ridge().set_fit_request(sample_weight=True), X, y))
        keys.append(key(Ridge().set_fit_request(sample_weight=False), X, y))
    assert len(set(keys)) == len(keys)


def test_what_is_the_same_fit(X, y, tmp_path):
    """A name, a copy, an earlier fit, a mapped file: none of them changes a result."""
    expected = key(Ridge(), X, y)
    seeded = Ridge(random_state=0)
    assert key(seeded, X, y, name="other") == key(seeded, X, y)
    assert key(Ridge().fit(X, y), X.copy(), y.copy()) == expected
    assert key(Ridge(), X, y, fold=tuple(map(np.copy, FOLDS[0]))) == expected
    np.save(tmp_path / "X.npy", X)
    assert key(Ridge(), np.load(tmp_path / "X.npy", mmap_mode="r"), y) == expected
    pipeline = make_pipeline(StandardScaler(), Ridge())
    assert key(pipeline, X, y) == key(pickle.loads(pickle.dumps(pipeline)), X, y)


def test_members_that_are_drawn_are_drawn_apart(X, y):
    """Twins of another name are other draws, as without a cache; not so with a seed."""
    for own in (Ridge(), make_pipeline(StandardScaler(), Ridge())):
        assert key(own, X, y) == key(own, X, y)
        assert key(own, X, y, name="other") != key(own, X, y)


def test_keys_are_the_same_in_every_process():
    """Whatever the seed of Python's hashes, by which sets are ordered."""
    script = """
        import numpy as np
        import sklearn
        from sklearn.pipeline import make_pipeline
        from sklearn.linear_model import Ridge
        from sklearn.preprocessing import FunctionTransformer, StandardScaler
        from stackingnet_sk import StackingNetRegressor
        from stackingnet_sk.cache import Fingerprints
        sklearn.set_config(enable_metadata_routing=True)
        pick = lambda X: X if "a" in {"a", "b", "c"} else {"d", "e"}
        steps = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=True),
            FunctionTransformer(pick, kw_args={"k": {"x", "y", "z"}}),
            StackingNetRegressor([("a", Ridge(random_state=np.random.RandomState(0)))]),
        )
        print(Fingerprints().of(steps))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    said = {
        subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in "123"
    }
    assert len(said) == 1


def test_keys_hold_no_versions(X, y, monkeypatch):
    member = make_pipeline(StandardScaler(), Counting())
    expected = key(member, X, y)
    for module in ("sklearn", "sklearn.base", "numpy", "scipy"):
        monkeypatch.setattr(f"{module}.__version__", "0.0")
    assert key(member, X, y) == expected


def test_random_states_count_by_their_state():
    of = Fingerprints().of
    state = np.random.RandomState(3)
    used = np.random.RandomState(3)
    used.normal()
    assert of(state) == of(np.random.RandomState(3)) != of(used)
    used.set_state(state.get_state())
    assert of(used) == of(state)
    rng = np.random.default_rng
    assert of(rng(3)) == of(rng(3)) != of(rng(4))
    spawned = rng(3)
    spawned.spawn(1)
    assert of(rng(3)) != of(spawned), "its next child is another one"


@pytest.mark.parametrize(
    ("source", "edited"),
    [
        ("f = lambda x: x + 1", "f = lambda x: x + 2"),
        ("f = lambda x: x.min()", "f = lambda x: x.max()"),
        ("f = lambda x, k=1: x + k", "f = lambda x, k=2: x + k"),
        ("f = lambda x, *, k=1: x + k", "f = lambda x, *, k=2: x + k"),
        ("f = (lambda k: lambda x: x + k)(1)", "f = (lambda k: lambda x: x + k)(2)"),
        ("f = lambda x: [i + 1 for i in x]", "f = lambda x: [i + 2 for i in x]"),
        ("K = 1\ndef f(x): return x + K", "K = 2\ndef f(x): return x + K"),
        ("K = [1]\ndef f(x): return K", "K = [2]\ndef f(x): return K"),
        (
            "def g(x): return x\ndef f(x): return g(x)",
            "def g(x): return -x\ndef f(x): return g(x)",
        ),
        (
            "from functools import cache\nf = cache(lambda x: 1)",
            "from functools import cache\nf = cache(lambda x: 2)",
        ),
        (
            "from functools import cache\ng = cache(lambda x: 1)\nf = lambda: g",
            "from functools import cache\ng = cache(lambda x: 2)\nf = lambda: g",
        ),
        (
            "class A:\n k = 1\n def g(self): return 1\nf = A",
            "class A:\n k = 1\n def g(self): return 2\nf = A",
        ),
        ("class A:\n k = [1]\nf = A", "class A:\n k = [2]\nf = A"),
        (
            "class B:\n def g(self): return 1\nclass A(B): pass\nf = A",
            "class B:\n def g(self): return 2\nclass A(B): pass\nf = A",
        ),
        (
            "class A:\n @property\n def g(self): return 1\nf = A",
            "class A:\n @property\n def g(self): return 2\nf = A",
        ),
        (
            "class A:\n @staticmethod\n def g(): return 1\nf = A().g",
            "class A:\n @staticmethod\n def g(): return 2\nf = A().g",
        ),
        (
            "class A:\n @staticmethod\n def g(): return 1\nf = A",
            "class A:\n @staticmethod\n def g(): return 2\nf = A",
        ),
        (
            "class A:\n def __call__(self): return 1\nf = A()",
            "class A:\n def __call__(self): return 2\nf = A()",
        ),
    ],
)
def test_an_edited_function_or_class_is_another(source, edited):
    """Also where the edit is in what it uses; typed anew elsewhere, it is the same."""
    scope = {"__name__": "__main__"}
    of = Fingerprints().of
    first, again, other = (
        text(code, **scope) for code in (source, "\n\n" + source, edited)
    )
    assert of(first) == of(again) != of(other)
    assert of(partial(first, 1)) == of(partial(again, 1)) != of(partial(other, 1))
    member, changed = map(FunctionTransformer, (first, other))
    assert of([member]) == of([FunctionTransformer(again)]) != of([changed])


def test_what_code_counts_for_itself_is_not_part_of_it():
    """Or a member that counts its fits would be another one after each."""
    source = "N = 0\nL = []\ndef f():\n global N\n N += 1\n L.append(N)"
    scope = {"__name__": "__main__"}
    exec(source, scope)
    of = scope["f"]
    before = Fingerprints().of(of)
    of()
    assert Fingerprints().of(of) == before


def test_code_that_refers_to_itself_has_an_end():
    source = "class A:\n def f(self): return A, g\ndef g(): return A, g\nf = A"
    scope = {"__name__": "__main__"}
    of = Fingerprints().of
    assert of(text(source, **scope)) == of(text(source, **scope))
    around = []
    around.append(around)
    assert of(around) != of([[]])


def test_packages_with_a_version_are_noted():
    found = Fingerprints()
    found.of(make_pipeline(StandardScaler(), FunctionTransformer(joblib.hash)))
    assert {"sklearn", "joblib"} <= found.packages
    assert not found.code


# ---------------------------------------------------------------------------- files


def damage(path, how):
    first, _, payload = path.read_bytes().partition(b"\n")
    header = json.loads(first)
    if how == "changed":
        payload = payload[:-9] + bytes([payload[-9] ^ 1]) + payload[-8:]
    elif how == "cut":
        payload = payload[:-3]
    elif how == "empty":
        path.write_bytes(b"")
        return
    elif how == "no text":
        first = b"\xff\x00"
    elif how == "no dict":
        first = b"[1]"
    else:
        header |= how
        first = json.dumps(header).encode()
    path.write_bytes(first + b"\n" + payload)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("changed", "was changed after it was written"),
        ("cut", r"has \d+ bytes where \d+ were written"),
        ("empty", "no readable first line"),
        ("no text", "no readable first line"),
        ("no dict", "no readable first line"),
        ({"format": 99}, "has format 99, and this is format 1"),
        ({"key": "0"}, "is that of another fit"),
        ({"sha256": "0"}, "was changed after it was written"),
        ({"versions": {}}, r"was written with .*numpy None \(now "),
    ],
    ids=str,
)
def test_a_file_that_is_not_as_written_is_fitted_anew(X, y, log, where, how, why):
    """With a warning that names the file; then it is whole again."""
    member = Counting(str(log))
    expected = collect(member, X, y, where)
    path = files(where)[0]
    damage(path, how)
    with pytest.warns(UserWarning, match=why) as caught:
        found = collect(member, X, y, where)
    assert [str(path) in str(warning.message) for warning in caught] == [True]
    assert n_fits(log) == 5
    the_same(found, expected)
    the_same(collect(member, X, y, where), expected)
    assert n_fits(log) == 5


def test_fits_under_other_versions_are_done_anew(X, y, log, where, monkeypatch):
    """The warning names both versions."""
    member = Counting(str(log))
    collect(member, X, y, where)
    monkeypatch.setattr("sklearn.__version__", "9.9.9")
    with pytest.warns(UserWarning, match=r"scikit-learn 1\..* \(now 9\.9\.9\)"):
        collect(member, X, y, where)
    assert n_fits(log) == 8
    collect(member, X, y, where)
    assert n_fits(log) == 8


def test_a_warning_that_is_an_error_leaves_the_cache_usable(X, y, log, where):
    member = Counting(str(log))
    collect(member, X, y, where)
    damage(files(where)[0], "changed")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(UserWarning, match="was changed"):
                collect(member, X, y, where)
    with pytest.warns(UserWarning, match="was changed"):
        collect(member, X, y, where)
    assert n_fits(log) == 5


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_what_is_not_as_written_is_never_unpickled(X, y, log, where, tmp_path):
    member = Counting(str(log))
    collect(member, X, y, where)
    path, trace = files(where)[0], tmp_path / "trace"
    payload = pickle.dumps((Bomb(trace), None))
    first = json.loads(path.read_bytes().partition(b"\n")[0])
    first["size"] = len(payload)
    path.write_bytes(json.dumps(first).encode() + b"\n" + payload)
    with pytest.warns(UserWarning, match="was changed"):
        collect(member, X, y, where)
    assert not trace.exists()
    pickle.loads(payload)
    assert trace.exists(), "the bomb was one"


class Fragile(Counting):
    """Can be pickled, but not unpickled."""

    def __setstate__(self, state):
        raise RuntimeError("no way back")


def test_a_pickle_that_cannot_be_read_is_fitted_anew(X, y, log, where):
    member = Fragile(str(log))
    collect(member, X, y, where)
    with pytest.warns(UserWarning, match=r"cannot be unpickled.*no way back"):
        collect(member, X, y, where)
    assert n_fits(log) == 5


# ------------------------------------------------------------------- what goes wrong


def check_full(error, number, where):
    assert error.errno == number
    assert str(where) in str(error)
    for remedy in ("Free space", "another memory=", "memory=None"):
        assert remedy in str(error)
    assert all(path.suffix == ".fit" for path in files(where)), "nothing is left"


def test_a_full_disk_says_so(X, y, log, where, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    member = Counting(str(log))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left") as caught:
            collect(member, X, y, where)
    check_full(caught.value, errno.ENOSPC, where)
    the_same(collect(member, X, y, where), collect(member, X, y, None))


@posix
def test_a_file_that_may_not_grow_is_not_kept_in_part(tmp_path, X, y):
    """As on a disk that is really full: a limit on the size of files. Only the fit of
    the whole, which is large, exceeds it.
    """
    script = """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from sklearn.neighbors import KNeighborsRegressor
        from stackingnet_sk import StackingNetRegressor
        X = np.random.default_rng(0).normal(size=(3000, 10)); y = X[:, 0]
        where = Path(sys.argv[1])
        model = StackingNetRegressor([("m", KNeighborsRegressor())], cv=3, memory=where)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            model.fit(X, y)
        except OSError as error:
            print(error)
        else:
            sys.exit("it was written")
        found = [p for p in where.rglob("*") if p.is_file() and p.suffix != ".fit"]
        assert not found, found
        model.set_params(memory=None).fit(X, y)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        model.set_params(memory=where).fit(X, y).fit(X, y)
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    said = run([*command, str(tmp_path / "cache")])
    assert "cannot be written" in said
    assert "memory=None" in said


def test_a_file_in_place_of_the_folder(X, y, tmp_path, log):
    place = tmp_path / "file"
    place.write_text("mine")
    with pytest.raises(OSError, match=r"cannot be written.*memory=None") as caught:
        collect(Counting(str(log)), X, y, place)
    assert caught.value.errno in (errno.ENOTDIR, errno.EEXIST, errno.ENOENT)
    assert n_fits(log) == 0, "said before the work is done"
    assert place.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_said_before_the_work(
    X, y, where, log, monkeypatch
):
    """What is in there can be read all the same."""
    member = Counting(str(log))
    collect(member, X, y, where)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    collect(member, X, y, where)
    with pytest.raises(PermissionError, match=r"cannot be written.*denied"):
        collect(member, X, y + 1, where)
    assert n_fits(log) == 4


@pytest.mark.parametrize("memory", [3, True, object(), ["cache"], b"cache"])
def test_other_kinds_of_memory_are_refused(memory):
    with pytest.raises(ValueError, match=r"memory must be None, the path.*Memory"):
        open_folder(memory)


def test_kinds_of_memory(tmp_path):
    assert open_folder(None) is open_folder(joblib.Memory(None)) is None
    kinds = [tmp_path, str(tmp_path), joblib.Memory(tmp_path, verbose=0)]
    assert len({open_folder(kind) for kind in kinds}) == 1


def test_a_member_that_cannot_be_pickled_is_fitted_all_the_same(X, y, log, where):
    """Its predictions can be kept; the member itself is fitted each time."""
    member = Holding(str(log))
    for n_done in (4, 5):
        with pytest.warns(UserWarning, match=r"'m', fitted on all rows, .*pickle"):
            found = collect(member, X, y, where)
        assert n_fits(log) == n_done
    assert_array_equal(found.table, collect(member, X, y, None).table)


def test_a_parameter_that_cannot_be_hashed(X, y, log, where):
    """A generator can be cloned by nobody, but hide in what clones itself."""

    class Odd(Counting):
        def __sklearn_clone__(self):
            return self

    member = Odd(str(log), level=0.0)
    member.odd = (i for i in range(3))
    with pytest.warns(UserWarning, match=r"'m' is not cached.*generator"):
        collect(member, X, y, where)
    assert n_fits(log) == 4
    assert not files(where)


def test_data_that_cannot_be_hashed(X, y, log, where):
    class Odd(list):
        def __reduce_ex__(self, _):
            raise TypeError("odd data")

    with pytest.warns(UserWarning, match=r"No member is cached.*odd data"):
        collect(Counting(str(log)), X, Odd(y.tolist()), where)
    assert n_fits(log) == 4


# --------------------------------------------------------------------------- members


@pytest.mark.parametrize(
    "make",
    [
        lambda log: make_pipeline(StandardScaler(), Counting(log, level=2.0)),
        lambda log: make_pipeline(FunctionTransformer(lambda X: 2 * X), Counting(log)),
    ],
    ids=["pipeline", "lambda"],
)
def test_composed_members(X, y, log, where, make):
    """With a lambda too: what is read back uses the lambda of the member at hand."""
    expected = collect(make(str(log)), X, y, None)
    for _ in range(2):
        found = collect(make(str(log)), X, y, where)
        assert_array_equal(found.table, expected.table)
        assert_array_equal(
            found.estimators[0].predict(X), expected.estimators[0].predict(X)
        )
    assert n_fits(log) == 8


def test_classifiers(X, y, log, where):
    labels = np.where(y > 0, "yes", "no")
    members = [("count", Naming(str(log))), ("logistic", LogisticRegression())]
    answers = []
    for memory in (None, where, where):
        model = StackingNetClassifier(members, cv=3, memory=memory).fit(X, labels)
        answers.append((model.weights_, model.predict_proba(X)))
    assert n_fits(log) == 8
    for found in answers[1:]:
        assert_array_equal(found[0], answers[0][0])
        assert_array_equal(found[1], answers[0][1])


def test_the_same_member_twice_is_fitted_once(X, y, log, where):
    members = [(name, Counting(str(log))) for name in "ab"]
    params = {"a": {}, "b": {}}
    found = collect_out_of_fold(members, X, y, FOLDS, params, memory=where)
    assert n_fits(log) == 4
    assert found.estimators[0] is not found.estimators[1]


def test_verbose_says_what_came_from_the_cache(X, y, log, where, capsys):
    collect(Counting(str(log)), X, y, where)
    assert capsys.readouterr().out == ""
    collect(Counting(str(log)), X, y, where, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all("from the cache" in line for line in lines)
