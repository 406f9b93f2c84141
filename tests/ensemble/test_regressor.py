"""What the regressor computes, in both modes, and what it leaves alone."""

import copy
import io
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from example_members import FirstFeature
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict

from stackingnet_sk import StackingNetRegressor

CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")
each_constraint = pytest.mark.parametrize("constraint", CONSTRAINTS)
each_mode = pytest.mark.parametrize("mode", ["members", "table"])


@pytest.fixture
def problem(mode, X, y, P, members):
    """An estimator of each mode and what it is fitted on."""
    if mode == "table":
        return StackingNetRegressor(), P, y
    return StackingNetRegressor(members, cv=3), X, y


# ------------------------------------------------------------- the two ways in agree


@each_constraint
@pytest.mark.parametrize("shrinkage", ["auto", 0, 50.0])
def test_members_are_the_table_of_their_cross_predictions(
    X, y, members, constraint, shrinkage
):
    options = {"constraint": constraint, "shrinkage": shrinkage}
    columns = [cross_val_predict(m, X, y, cv=KFold(5)) for _, m in members]
    given = StackingNetRegressor(**options).fit(np.column_stack(columns), y)
    fitted = StackingNetRegressor(members, cv=KFold(5), **options).fit(X, y)

    # Without shuffling the folds' rows come in order: the same sums, bit by bit.
    assert_array_equal(fitted.weights_, given.weights_)
    assert fitted.intercept_ == given.intercept_


def test_default_cv_is_five_unshuffled_folds(X, y, members):
    default = StackingNetRegressor(members).fit(X, y)
    explicit = StackingNetRegressor(members, cv=KFold(5)).fit(X, y)

    assert_array_equal(default.weights_, explicit.weights_)


@each_constraint
def test_prediction_is_the_weighted_sum_of_refitted_members(X, y, members, constraint):
    model = StackingNetRegressor(members, constraint=constraint).fit(X, y)
    refitted = np.column_stack([clone(m).fit(X, y).predict(X) for _, m in members])

    assert_array_equal(model.transform(X), refitted)
    assert_allclose(
        model.predict(X), refitted @ model.weights_ + model.intercept_, atol=1e-12
    )


def test_table_prediction_is_the_weighted_sum_of_columns(P, y):
    model = StackingNetRegressor().fit(P, y)

    assert_array_equal(model.transform(P), P)
    assert_allclose(model.predict(P), P @ model.weights_ + model.intercept_)


def test_no_varying_prediction_leaves_the_mean_label(y):
    constant = np.tile([y.mean(), 0.0], (len(y), 1))
    model = StackingNetRegressor().fit(constant, y)

    # A constant is redundant beside the intercept.
    assert_array_equal(model.weights_, [0, 0])
    assert_allclose(model.predict(constant[:4]), np.full(4, y.mean()))


def test_members_without_any_weight_leave_the_mean_label(X, y):
    model = StackingNetRegressor(
        [("a", DummyRegressor()), ("b", DummyRegressor(strategy="median"))],
        cv=[(np.arange(30), np.arange(30, 60))],
    ).fit(X, y)

    # Constant on all predicted rows; the predictions still have a row for each of X.
    assert_array_equal(model.weights_, [0, 0])
    assert_allclose(model.predict(X[:7]), np.full(7, y[30:].mean()))


# ------------------------------------------------------------------------ invariance


@each_mode
def test_same_input_gives_bit_identical_answers(problem):
    model, data, y = problem
    first, second = clone(model).fit(data, y), clone(model).fit(data, y)

    assert_array_equal(first.weights_, second.weights_)
    assert_array_equal(first.predict(data), second.predict(data))


def test_parallel_fits_give_bit_identical_weights(X, y, members):
    alone = StackingNetRegressor(members, cv=3).fit(X, y)
    parallel = StackingNetRegressor(members, cv=3, n_jobs=2).fit(X, y)

    assert_array_equal(alone.weights_, parallel.weights_)
    assert_array_equal(alone.predict(X), parallel.predict(X))


@each_mode
def test_order_of_models_permutes_the_weights(problem, mode):
    model, data, y = problem
    reference = clone(model).fit(data, y)
    order = np.random.default_rng(0).permutation(len(reference.weights_))
    if mode == "members":
        model = clone(model).set_params(estimators=[model.estimators[j] for j in order])
        permuted = model.fit(data, y)
        assert permuted.model_names_.tolist() == [n for n, _ in model.estimators]
    else:
        permuted = clone(model).fit(data[:, order], y)

    assert_allclose(permuted.weights_, reference.weights_[order], rtol=1e-9, atol=1e-12)


def test_order_of_rows_does_not_matter(P, y):
    order = np.random.default_rng(0).permutation(len(y))
    reference = StackingNetRegressor().fit(P, y)
    shuffled = StackingNetRegressor().fit(P[order], y[order])

    assert_allclose(shuffled.weights_, reference.weights_, rtol=1e-9, atol=1e-12)


@each_mode
def test_single_precision_is_read_exactly(problem):
    model, data, y = problem
    single = data.astype(np.float32)
    as_single = clone(model).fit(single, y)
    as_double = clone(model).fit(single.astype(np.float64), y)

    # Members may work in single precision themselves; a table is always read in double.
    tolerance = (
        {"rtol": 1e-4, "atol": 1e-4} if hasattr(as_single, "estimators_") else {}
    )
    assert_allclose(as_single.weights_, as_double.weights_, **tolerance)


@pytest.mark.parametrize("scale", [1e-41, 1e-30, 1e30])
def test_single_precision_of_extreme_scale(P, y, scale):
    # The smallest floats of 32 bits must not overflow when they are brought to scale.
    table = (P * scale).astype(np.float32)
    label = y * scale
    single = StackingNetRegressor(shrinkage=0).fit(table, label)
    double = StackingNetRegressor(shrinkage=0).fit(table.astype(np.float64), label)

    assert_allclose(single.weights_, double.weights_, rtol=1e-9, atol=1e-9)


@each_mode
@pytest.mark.parametrize("library", ["list", "pandas", "polars", "fortran", "readonly"])
def test_containers_do_not_matter(problem, library):
    model, data, y = problem
    reference = clone(model).fit(data, y)
    names = [f"c{j}" for j in range(data.shape[1])]
    if library == "list":
        other = data.tolist()
    elif library == "pandas":
        # An index that is no range: rows count by position.
        other = pd.DataFrame(data, columns=names, index=range(100, 100 + len(data)))
    elif library == "polars":
        other = pytest.importorskip("polars").DataFrame(data, schema=names)
    elif library == "fortran":
        other = np.asfortranarray(data)
    else:
        other = data.copy()
        other.flags.writeable = False
    model = clone(model).fit(other, y)

    assert_allclose(model.weights_, reference.weights_, rtol=1e-12, atol=1e-14)
    assert_allclose(model.predict(other), reference.predict(data), rtol=1e-9)


@each_mode
def test_labels_may_be_a_series(problem):
    model, data, y = problem
    series = pd.Series(y, index=np.arange(len(y))[::-1], name="label")

    # Labels count by position, as the rows do.
    assert_array_equal(
        clone(model).fit(data, series).weights_, clone(model).fit(data, y).weights_
    )


# ---------------------------------------------------------- names, frames, leaderboard


def test_table_takes_names_from_its_columns(P, y):
    frame = pd.DataFrame(P, columns=list("vwxyz"))

    named = StackingNetRegressor().fit(frame, y)
    unnamed = StackingNetRegressor().fit(P, y)

    assert named.model_names_.tolist() == list("vwxyz")
    assert unnamed.model_names_.tolist() == [f"model_{j}" for j in range(5)]


@each_mode
def test_names_of_transform_follow_the_models(problem):
    model, data, y = problem
    model = clone(model).fit(data, y)

    expected = [f"stackingnetregressor_{name}" for name in model.model_names_]
    assert model.get_feature_names_out().tolist() == expected
    assert model.transform(data).shape == (len(y), len(expected))


@each_mode
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_transform_gives_frames_where_asked(problem, library):
    pytest.importorskip(library)
    model, data, y = problem
    plain = clone(model).fit(data, y)
    framed = clone(model).set_output(transform=library).fit(data, y)

    frame = framed.transform(data)
    assert list(frame.columns) == plain.get_feature_names_out().tolist()
    assert_array_equal(np.asarray(frame), plain.transform(data))


@each_mode
def test_fit_transform_is_fit_then_transform(problem):
    model, data, y = problem
    assert_array_equal(
        clone(model).fit_transform(data, y), clone(model).fit(data, y).transform(data)
    )


@each_mode
def test_leaderboard_shows_each_models_own_error(problem, mode):
    model, data, y = problem
    model = clone(model).fit(data, y)
    table = data
    if mode == "members":
        columns = [cross_val_predict(m, data, y, cv=3) for _, m in model.estimators]
        table = np.column_stack(columns)
    errors = table - y[:, None]
    board = model.leaderboard()

    assert isinstance(board, pd.DataFrame)
    assert board.columns.tolist() == ["model", "weight", "rmse", "bias", "answered"]
    assert (np.diff(board["rmse"]) >= 0).all(), "the best alone comes first"
    by_name = board.set_index("model").loc[list(model.model_names_)]
    assert_allclose(by_name["rmse"], np.sqrt((errors**2).mean(axis=0)))
    assert_allclose(by_name["bias"], errors.mean(axis=0), atol=1e-12)
    assert_array_equal(by_name["weight"], model.weights_)
    assert_array_equal(by_name["answered"], 1.0)


def test_leaderboard_of_sub_weighted_rows_weighs_them(P, y):
    omega = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    board = StackingNetRegressor().fit(P, y, sample_weight=omega).leaderboard()

    mean = np.average((P - y[:, None]) ** 2, axis=0, weights=omega)
    assert_allclose(board["rmse"], np.sort(np.sqrt(mean)))


def test_leaderboard_without_pandas_is_a_list_of_dicts(P, y, monkeypatch):
    model = StackingNetRegressor().fit(P, y)
    frame = model.leaderboard()
    monkeypatch.setitem(sys.modules, "pandas", None)

    assert model.leaderboard() == frame.to_dict("records")


# ----------------------------------------------------------------------- presentation


def test_html_shows_every_member(members):
    html = StackingNetRegressor([*members, ("gone", "drop")])._repr_html_()

    for name in ("ridge", "tree", "near", "gone", "DecisionTreeRegressor"):
        assert name in html


@each_mode
def test_html_before_and_after_fit(problem):
    model, data, y = problem
    model = clone(model)

    assert "Not fitted" in model._repr_html_()
    assert "Not fitted" not in model.fit(data, y)._repr_html_()


@pytest.mark.parametrize("estimators", [[], ["no pair"], [("class", dict)], 3])
def test_bad_estimators_can_still_be_shown(estimators):
    # In a notebook the object is shown before anyone calls fit, whose error explains.
    model = StackingNetRegressor(estimators)

    assert "StackingNetRegressor" in model._repr_html_()
    assert "StackingNetRegressor" in repr(model)


# ------------------------------------------------------------------- copies on the way


@each_mode
def test_pickle_joblib_and_deepcopy_keep_the_predictions(problem):
    model, data, y = problem
    model = clone(model).fit(data, y)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)

    for copied in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(file),
        copy.deepcopy(model),
    ):
        assert_array_equal(copied.predict(data), model.predict(data))
        assert repr(copied.solution_) == repr(model.solution_)


@each_mode
def test_clone_is_not_fitted_and_equal_in_parameters(problem):
    model, data, y = problem
    copied = clone(clone(model).fit(data, y))

    with pytest.raises(NotFittedError):
        copied.predict(data)
    assert repr(copied.get_params()) == repr(model.get_params())


@pytest.mark.parametrize("method", ["predict", "transform"])
def test_unfitted_says_so(P, method):
    with pytest.raises(NotFittedError):
        getattr(StackingNetRegressor(), method)(P)
    with pytest.raises(NotFittedError):
        StackingNetRegressor().leaderboard()


# -------------------------------------------------------------------- nothing rewritten


@each_mode
def test_fit_leaves_parameters_as_they_are(problem):
    model, data, y = problem
    before = model.get_params(deep=True)
    state = {key: repr(value) for key, value in before.items()}
    model.fit(data, y)
    after = model.get_params(deep=True)

    assert before.keys() == after.keys()
    for key, value in before.items():
        assert after[key] is value, key
        assert repr(after[key]) == state[key], key


def test_init_only_stores():
    arguments = {
        "estimators": 1,
        "constraint": object(),
        "fit_intercept": "?",
        "shrinkage": None,
        "solver": [],
        "cv": {},
        "memory": 0,
        "n_jobs": "x",
        "verbose": -1,
    }
    model = StackingNetRegressor(**arguments)

    assert all(getattr(model, key) is value for key, value in arguments.items())


def test_members_given_are_never_fitted(X, y, members):
    StackingNetRegressor(members).fit(X, y)

    for _, member in members:
        assert not [key for key in vars(member) if key.endswith("_")]


@each_mode
def test_the_callers_arrays_are_unchanged(problem):
    model, data, y = problem
    omega = np.ones(len(y))
    if model.estimators:
        model.set_params(near="drop")
    arrays = [data, y, omega]
    before = [array.copy() for array in arrays]
    fitted = clone(model).fit(data, y, sample_weight=omega)
    fitted.predict(data)
    fitted.transform(data)
    fitted.leaderboard()

    for array, old in zip(arrays, before, strict=True):
        assert_array_equal(array, old)


def test_transform_of_a_table_is_not_a_view_to_write_into(P, y):
    model = StackingNetRegressor().fit(P, y)
    before = P.copy()
    model.transform(P)[:] = 0

    assert_array_equal(P, before)


# ------------------------------------------------------------------------------- refit


def test_refit_in_the_other_mode_leaves_nothing_stale(X, y, P, members):
    model = StackingNetRegressor(members).fit(X, y)
    model.set_params(estimators=None).fit(P, y)
    fresh = StackingNetRegressor().fit(P, y)
    assert vars(model).keys() == vars(fresh).keys()
    assert_array_equal(model.predict(P), fresh.predict(P))

    model.set_params(estimators=members).fit(X, y)
    fresh = StackingNetRegressor(members).fit(X, y)
    assert vars(model).keys() == vars(fresh).keys()
    assert_array_equal(model.predict(X), fresh.predict(X))


@each_mode
def test_refit_from_frame_to_array_forgets_the_names(problem):
    model, data, y = problem
    names = [f"c{j}" for j in range(data.shape[1])]
    model = clone(model).fit(pd.DataFrame(data, columns=names), y)
    assert model.feature_names_in_.tolist() == names

    model.fit(data, y)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == data.shape[1]


def test_refit_on_texts_forgets_the_features(X, y):
    class Length(FirstFeature):
        def predict(self, X):
            return np.array([len(str(x)) % 7.0 for x in X])

    model = StackingNetRegressor([("length", Length())], cv=3).fit(X, y)
    texts = ["a" * (i % 7) for i in range(60)]
    model.fit(texts, np.array([len(t) for t in texts]))

    assert model.predict(["aaa"]).shape == (1,)
    # A list of texts has no features to count.
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("change", [{"ridge": "drop"}, {"estimators": None}])
def test_a_changed_parameter_counts_from_the_next_fit(X, y, members, change):
    model = StackingNetRegressor(members, constraint="affine").fit(X, y)
    before = model.predict(X)
    model.set_params(**change)

    assert_array_equal(model.predict(X), before)


def _spoil_second_row(column):
    column = column.copy()
    column[1] = np.inf
    return column


def test_a_failed_refit_never_mixes_old_weights_with_new_members(X, y):
    model = StackingNetRegressor([("a", Ridge()), ("b", FirstFeature())]).fit(X, y)
    before = model.predict(X)
    model.set_params(a=DummyRegressor(), b__spoil=_spoil_second_row)
    with pytest.raises(ValueError, match="'b'"):
        model.fit(X, y)

    _assert_as_before_or_unfitted(model, X, before)


def test_a_failed_refit_never_puts_old_weights_on_new_columns(P, y):
    old = pd.DataFrame(P, columns=list("abcde"))
    model = StackingNetRegressor().fit(old, y)
    before = model.predict(old)
    new = old.set_axis(list("vwxyz"), axis=1)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(new.replace(P[3, 1], np.inf), y)

    try:
        answer = model.predict(new)
    except (NotFittedError, ValueError):
        return
    # Weights of a to e say nothing about v to z.
    assert not np.array_equal(answer, before)


def _assert_as_before_or_unfitted(model, X, before):
    try:
        answer = model.predict(X)
    except NotFittedError:
        return
    assert_array_equal(answer, before)


# ---------------------------------------------------------------------- missing values


def test_members_that_accept_missing_values_get_them(X, y):
    holes = X.copy()
    holes[::5, 0] = np.nan
    boosting = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5)
    model = StackingNetRegressor([("boosting", boosting)], cv=3).fit(holes, y)

    assert np.isfinite(model.predict(holes)).all()
    assert model.__sklearn_tags__().input_tags.allow_nan
