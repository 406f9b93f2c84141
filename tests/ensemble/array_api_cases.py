"""Tables of other array libraries are reduced where they lie.

Run by test_array_api.py in a process of its own: scipy reads its setting when it is
imported.
"""

import sys
from unittest import SkipTest

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.utils import estimator_checks

from stackingnet_sk import StackingNetRegressor

strict = pytest.importorskip("array_api_strict")

MODELS = [
    StackingNetRegressor(),
    StackingNetRegressor(constraint="simplex", shrinkage=0),
    StackingNetRegressor(fit_intercept=False),
]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_scikit_learns_own_checks(model):
    """With each array library that is installed: namespaces, devices, types."""
    done = 0
    for check in estimator_checks._yield_array_api_checks(model):
        try:
            check("StackingNetRegressor", model)
            done += 1
        except (SkipTest, pytest.skip.Exception):
            continue
    # Of numpy one, of the strict library two types at least.
    assert done >= 3 + 2 * ("torch" in sys.modules)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learns_own_checks_of_values(library, dtype, weighted, model):
    pytest.importorskip(library)
    estimator_checks.check_array_api_input_and_values(
        "StackingNetRegressor",
        model,
        library,
        dtype_name=dtype,
        check_sample_weight=weighted,
    )


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 2, 400)
    return truth[:, None] + rng.normal(0, [0.5, 0.8, 1.1, 2.0], (400, 4)), truth


def libraries():
    yield strict
    yield pytest.param("torch", id="torch")


def as_library(library):
    return pytest.importorskip("torch") if library == "torch" else library


def fitted(xp, P, y, **options):
    weights = options.pop("sample_weight", None)
    with config_context(array_api_dispatch=True):
        table = xp.asarray(P)
        model = StackingNetRegressor(**options)
        model.fit(table, y, sample_weight=weights)
        return model, np.asarray(model.predict(table))


@pytest.mark.parametrize("library", list(libraries()))
@pytest.mark.parametrize("unit", [1.0, 1e-180, 1e150])
@pytest.mark.parametrize("weighted", [False, True])
def test_answer_is_that_of_numpy(library, unit, weighted, rows):
    """Unlabelled rows, weights and the range of floats included."""
    P, y = rows[0] * unit, rows[1] * unit
    known = np.where(np.arange(len(y)) % 3 > 0, y, np.nan)
    omega = np.random.default_rng(1).integers(0, 3, len(y)) * 1.0 if weighted else None
    plain = StackingNetRegressor().fit(P, known, sample_weight=omega)
    model, predicted = fitted(as_library(library), P, known, sample_weight=omega)

    assert type(model.weights_).__module__.split(".")[0] != "numpy"
    assert_allclose(np.asarray(model.weights_), plain.weights_, rtol=1e-10)
    assert_allclose(np.asarray(model.reliability_), plain.reliability_, rtol=1e-10)
    assert model.intercept_ == pytest.approx(plain.intercept_, rel=1e-9)
    assert_allclose(predicted, plain.predict(P), rtol=1e-10)


@pytest.mark.parametrize("library", list(libraries()))
def test_holes_are_seen(library, rows):
    P, y = rows
    P = np.where(np.random.default_rng(1).random(P.shape) < 0.2, np.nan, P)
    model, predicted = fitted(as_library(library), P, y)
    plain = StackingNetRegressor().fit(P, y)

    assert_allclose(np.asarray(model.weights_), plain.weights_, rtol=1e-10)
    assert_allclose(predicted, plain.predict(P), rtol=1e-9)


@pytest.mark.parametrize("library", list(libraries()))
def test_infinity_is_named(library, rows):
    P, y = rows[0].copy(), rows[1]
    P[7, 2] = np.inf
    with pytest.raises(ValueError, match=r"model_2.*row 7"):
        fitted(as_library(library), P, y)


def test_blocks_on_a_device_add_up(rows):
    P, y = rows
    with config_context(array_api_dispatch=True):
        model = StackingNetRegressor()
        for part in (slice(0, 130), slice(130, 400)):
            model.partial_fit(strict.asarray(P[part]), y[part])
    plain = StackingNetRegressor().fit(P, y)

    assert_allclose(np.asarray(model.weights_), plain.weights_, rtol=1e-10)
    # Weighed anew, they stay there.
    with config_context(array_api_dispatch=True):
        predicted = model.reweigh(constraint="simplex").predict(strict.asarray(P))
    expected = plain.reweigh(constraint="simplex").predict(P)
    assert_allclose(np.asarray(predicted), expected, rtol=1e-10)


def test_rows_are_reduced_where_they_lie(rows, monkeypatch):
    """What comes to the CPU is as large as the models, apart from a first look."""
    import stackingnet_sk.ensemble.number_rows as number_rows

    moved = []
    get, look = number_rows.to_numpy, number_rows.Extent.from_rows

    def first_look(*arguments):
        before = len(moved)
        extent = look(*arguments)
        del moved[before:]
        return extent

    monkeypatch.setattr(number_rows.Extent, "from_rows", first_look)
    monkeypatch.setattr(
        number_rows, "to_numpy", lambda X: moved.append(X.shape) or get(X)
    )
    fitted(strict, *rows)

    assert moved
    assert max(np.prod(shape) for shape in moved) <= 6 * 6
