"""Bad input gets an error that names the place, the value and the remedy."""

import re

import numpy as np
import pandas as pd
import pytest
from example_members import FirstFeature
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import StackingNetRegressor


def refused(words, function, *args, error=ValueError, **kwargs):
    """Assert that the call raises, with all the words in the message."""
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    missing = [word for word in words if not re.search(word, str(caught.value))]
    assert not missing, f"{missing} not in: {caught.value}"


# ------------------------------------------------------------- values in a table


@pytest.mark.parametrize("missing", [[], ["a"]])
def test_predictions_beside_which_labels_vanish(P, y, missing):
    """The column is named by its name, also beside a model that never answers."""
    frame = pd.DataFrame(P, columns=list("abcde"))
    frame["b"] *= 1e130
    frame[missing] = np.nan
    refused(["'b'", "labels", "drop"], StackingNetRegressor().fit, frame, y)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.inf, ["infinity", "1 of 60", "'c'", "row 7", "[Rr]eplace"]),
        (-np.inf, ["infinity", "1 of 60", "'c'", "row 7", "[Rr]eplace"]),
    ],
)
def test_value_that_is_no_prediction(P, y, value, words):
    frame = pd.DataFrame(P, columns=list("abcde"))
    model = StackingNetRegressor().fit(frame, y)
    spoiled = frame.copy()
    spoiled.loc[7, "c"] = value

    refused(words, StackingNetRegressor().fit, spoiled, y)
    refused(words, model.predict, spoiled)
    refused(words, model.transform, spoiled)


def test_worst_of_several_bad_columns_is_named(P, y):
    P[3, 1] = P[4, 1] = P[2, 0] = np.inf
    # Missing predictions are more, and no fault.
    P[5:15, 4] = np.nan
    words = ["infinity", "2 of 60", "'model_1'", "row 3", "1 more model"]

    refused(words, StackingNetRegressor().fit, P, y)


def test_column_without_any_prediction(P, y):
    """Not an error, for a program that goes on without a model; but never silent."""
    P[:, 3] = np.nan
    with pytest.warns(UserWarning, match=r"\['model_3'\] never answer.*Drop"):
        model = StackingNetRegressor().fit(P, y)

    assert model.weights_[3] == 0


# A column of polars has one type, so it cannot hold bytes among text.
@pytest.mark.parametrize(
    ("form", "bad"),
    [
        (form, bad)
        for form in ("frame", "array", "list", "polars")
        for bad in ("n/a", "ten", b"?")
        if (form, bad) != ("polars", b"?")
    ],
)
def test_text_among_numbers(P, y, bad, form):
    cells = P.astype(object)
    cells[5, 2] = bad
    place = ["'c'", "row 5"]
    if form == "frame":
        table = pd.DataFrame(cells, columns=list("abcde"))
    elif form == "polars":
        polars = pytest.importorskip("polars")
        columns = {name: P[:, j] for j, name in enumerate("abcde")}
        columns["c"] = [str(cell) for cell in cells[:, 2]]
        table = polars.DataFrame(columns)
    else:
        table = cells.tolist() if form == "list" else cells
        place = ["column 2", "row 5"]
    words = [*place, re.escape(repr(bad)), "not a number", "NaN"]

    refused(words, StackingNetRegressor().fit, table, y)


@pytest.mark.parametrize("bad", [{}, [1.0], pd.NaT, pd.NA])
def test_object_among_numbers(P, y, bad):
    cells = P.astype(object)
    cells[5, 2] = bad
    frame = pd.DataFrame(cells, columns=list("abcde"))

    error = (TypeError, ValueError)
    refused(["'c'", "row 5"], StackingNetRegressor().fit, frame, y, error=error)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_every_way_to_say_missing_is_missing(P, y, missing):
    cells = P.astype(object)
    cells[5, 2] = missing
    frame = pd.DataFrame(cells, columns=list("abcde"))

    P[5, 2] = np.nan
    expected = StackingNetRegressor().fit(P, y)
    assert list(expected.moments_per_model_) == [2]
    # Also a column of a type that has missing values of its own, pd.NA.
    for table in (cells, cells.tolist(), frame, frame.astype("Float64")):
        model = StackingNetRegressor().fit(table, y)
        assert_array_equal(model.weights_, expected.weights_)
        # To rounding, for tables by columns are summed in another order.
        assert_allclose(model.predict(table), expected.predict(P), rtol=1e-13)


# ------------------------------------------------------------------ shapes and names


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((60,), ["2D array", "1D array"]),
        ((60, 2, 2), ["dim 3"]),
        ((59, 2), ["59", "60"]),
        ((60, 0), ["0 feature"]),
    ],
)
def test_table_of_a_wrong_shape(y, shape, words):
    refused(words, StackingNetRegressor().fit, np.ones(shape), y)


@pytest.mark.parametrize("column", [["a", "b"], np.array(["a", 1.0], dtype=object)])
def test_one_dimensional_text(column):
    # scikit-learn's own message must survive the search for the text.
    words = ["2D array|could not convert"]
    refused(words, StackingNetRegressor().fit, column, [1.0, 2.0])


def test_numbers_of_rows_must_agree(X, y, members):
    refused(["60", "59"], StackingNetRegressor(members).fit, X, y[:-1])


@pytest.mark.parametrize("as_members", [False, True])
def test_columns_of_the_same_name(P, y, members, as_members):
    frame = pd.DataFrame(P, columns=["a", "b", "c", "b", "e"])
    model = StackingNetRegressor(members if as_members else None)

    refused(["unique", "'b'"], model.fit, frame, y)


@pytest.mark.parametrize("as_members", [False, True])
def test_other_columns_at_predict(P, y, members, as_members):
    frame = pd.DataFrame(P, columns=list("abcde"))
    model = StackingNetRegressor(members if as_members else None).fit(frame, y)

    for method in (model.predict, model.transform):
        refused(["feature names", r"\bz\b"], method, frame.rename(columns={"c": "z"}))
        refused(["feature names", "order"], method, frame[list("badce")])
        refused(["feature names", r"missing.*\s- e\b"], method, frame.iloc[:, :4])


@pytest.mark.parametrize("as_members", [False, True])
def test_other_number_of_columns_at_predict(P, y, members, as_members):
    model = StackingNetRegressor(members if as_members else None).fit(P, y)

    for method in (model.predict, model.transform):
        refused(["4 features", "5 features"], method, P[:, :4])


# ---------------------------------------------------------------------------- labels


@pytest.mark.parametrize("as_members", [False, True])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda y: y * np.nan, ["NaN", "y", "label", "y=None"]),
        (lambda y: _with(y, np.inf), ["infinity", "y", "inf at row 4", "drop"]),
        (lambda y: _with(y, pd.NA), ["label", "row 4", "NaN"]),
        (lambda y: _with(y, "ten"), ["label", "'ten'", "row 4", "not a number"]),
        (lambda y: _with(y, {}), ["label", "row 4"]),
        (lambda y: np.column_stack([y, y]), ["1d array", r"\(60, 2\)"]),
        (lambda y: y.astype(complex), ["[Cc]omplex"]),
    ],
    ids=["nan", "inf", "NA", "text", "dict", "2d", "complex"],
)
def test_labels_that_are_none(X, P, y, members, as_members, spoil, words):
    model = StackingNetRegressor(members if as_members else None)
    data = X if as_members else P

    refused(words, model.fit, data, spoil(y), error=(TypeError, ValueError))


def test_members_cannot_be_fitted_without_labels(X, members):
    refused(["requires y", "prefit"], StackingNetRegressor(members).fit, X)


def _with(y, value):
    labels = y.astype(object)
    labels[4] = value
    return labels


# --------------------------------------------------------------------- sample weights


@pytest.mark.parametrize("as_members", [False, True])
@pytest.mark.parametrize(
    ("omega", "words"),
    [
        (np.where(np.arange(60) == 9, -2.0, 1), ["negative", "row 9", "-2.0", "zero"]),
        (np.zeros(60), ["zero on every row", "at least one"]),
        (np.where(np.arange(60) == 9, np.nan, 1), ["sample_weight", "NaN"]),
        (np.where(np.arange(60) == 9, np.inf, 1), ["sample_weight", "infinity"]),
        (np.ones(59), [r"\(59,\)", r"\(60,\)", "one weight a row"]),
        (np.ones((60, 1)), [r"\(60, 1\)", r"\(60,\)", "one weight a row"]),
    ],
    ids=["negative", "zero", "nan", "inf", "short", "column"],
)
def test_sample_weights_that_are_none(X, P, y, weighted, as_members, omega, words):
    model = StackingNetRegressor(weighted if as_members else None)

    refused(words, model.fit, X if as_members else P, y, sample_weight=omega)


def test_only_rows_that_are_never_predicted_have_weight(X, y, weighted):
    omega = (np.arange(60) < 30).astype(float)
    model = StackingNetRegressor(weighted, cv=[(np.arange(30), np.arange(30, 60))])

    refused(["no weight"], model.fit, X, y, sample_weight=omega)


# ------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("parameter", "values", "remedy"),
    [
        ("constraint", ["convex", "", None, 1, ["simplex"]], "choose one of"),
        ("solver", ["osqp", None, 1], "choose one of"),
        (
            "shrinkage",
            [-1, -1e-9, True, np.True_, np.inf, np.nan, "x", None, [1]],
            "finite number",
        ),
    ],
)
def test_unknown_value_of_a_parameter(X, P, y, members, parameter, values, remedy):
    for value in values:
        words = [f"{parameter}={re.escape(repr(value))}", remedy]
        option = {parameter: value}
        refused(words, StackingNetRegressor(**option).fit, P, y)
        refused(words, StackingNetRegressor(members, **option).fit, X, y)


@pytest.mark.parametrize("shrinkage", [0, 0.0, np.float32(2), np.int64(3)])
def test_numbers_of_any_type_are_strengths(P, y, shrinkage):
    fitted = StackingNetRegressor(shrinkage=shrinkage).fit(P, y)
    same = StackingNetRegressor(shrinkage=float(shrinkage)).fit(P, y)

    assert_array_equal(fitted.weights_, same.weights_)


def test_unknown_cv(X, y, members):
    words = ["cv='prefitted'", "'prefit'", "splitter"]

    refused(words, StackingNetRegressor(members, cv="prefitted").fit, X, y)


# ---------------------------------------------------------------------------- members


class NoPredict(BaseEstimator):
    def fit(self, X, y):
        return self


@pytest.mark.parametrize(
    ("estimators", "words"),
    [
        ([], ["no member", "at least one"]),
        ([("a", "drop"), ("b", "drop")], ["no member", "'drop'"]),
        ({"a": Ridge()}, [r"list of \(name, estimator\)", "None", "Ridge"]),
        ((("a", Ridge()),), [r"list of \(name, estimator\)"]),
        (Ridge(), [r"list of \(name, estimator\)", "Ridge"]),
        ([Ridge()], [r"list of \(name, estimator\)", "Ridge"]),
        ([("a", Ridge(), 1)], [r"list of \(name, estimator\)"]),
        ([(1, Ridge())], [r"list of \(name, estimator\)"]),
        ([("a", Ridge()), ("a", Ridge())], ["not unique", "'a'"]),
        ([("cv", Ridge())], ["conflict", "'cv'"]),
        ([("estimators", Ridge())], ["conflict", "'estimators'"]),
        ([("a__b", Ridge())], ["__", "'a__b'"]),
        ([("a", Ridge)], ["'a'", "estimator instance"]),
        ([("a", None)], ["'a'", "NoneType", "'drop'"]),
        ([("a", "dorp")], ["'a'", "str", "'drop'"]),
        ([("a", 3)], ["'a'", "int", "no fit"]),
        ([("ok", Ridge()), ("a", NoPredict())], ["'a'", "no predict", "'drop'"]),
        ([("a", StandardScaler())], ["'a'", "no predict"]),
        ([("a", LogisticRegression())], ["'a'", "classifier", "regressors"]),
        (
            [("a", make_pipeline(StandardScaler(), LogisticRegression()))],
            ["'a'", "classifier"],
        ),
    ],
    ids=lambda value: None if isinstance(value, list) else type(value).__name__,
)
def test_members_that_are_none(X, y, estimators, words):
    refused(words, StackingNetRegressor(estimators).fit, X, y)


def test_bad_members_are_explained_inside_other_estimators_too(X, y):
    # GridSearchCV asks for the tags first; only our fit knows what to say.
    search = GridSearchCV(
        StackingNetRegressor([Ridge()]), {"shrinkage": [0]}, error_score="raise"
    )
    refused([r"list of \(name, estimator\)"], search.fit, X, y)


@pytest.mark.parametrize("cv", [3, "prefit"])
@pytest.mark.parametrize("position", ["first", "last"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: _put(p, np.inf), ["infinity", "model 'bad'", "first at row"]),
        (lambda p: p[:-1], ["'bad'", "shape", "one number a row"]),
        (lambda p: np.append(p, 1), ["'bad'", "shape", "one number a row"]),
        (lambda p: np.column_stack([p, p]), ["'bad'", "shape", "one number a row"]),
        (lambda p: 1.0, ["'bad'", "shape", "one number a row"]),
        (lambda p: None, ["'bad'", "one number a row"]),
        (lambda p: np.full(len(p), "high"), ["'bad'", "not numbers", "'high'"]),
        (
            lambda p: _put(p.astype(object), "high"),
            ["'bad'", "not numbers", "'high'"],
        ),
    ],
    ids=["inf", "short", "long", "two", "scalar", "None", "text", "one-text"],
)
def test_member_that_predicts_no_number_a_row(X, y, cv, position, spoil, words):
    bad = ("bad", FirstFeature(spoil).fit(X, y))
    estimators = [("ok", Ridge().fit(X, y))]
    estimators.insert(0 if position == "first" else 1, bad)

    refused(words, StackingNetRegressor(estimators, cv=cv).fit, X, y)


def _put(column, value):
    column = column.copy()
    column[1] = value
    return column


def test_row_of_a_bad_prediction_is_counted_in_the_data_given(X, y):
    def spoil(first):
        return np.where(first == X[37, 0], np.inf, first)

    # Shuffled folds: the row of the table is not that of the data.
    cv = KFold(5, shuffle=True, random_state=0)
    model = StackingNetRegressor([("bad", FirstFeature(spoil))], cv=cv)
    refused(["first at row 37"], model.fit, X, y)


def test_bad_prediction_at_predict_names_member_and_row(X, y):
    members = [("mean", DummyRegressor()), ("bad", FirstFeature())]
    model = StackingNetRegressor(members, cv=3).fit(X, y)
    X[5, 0] = np.inf

    words = ["infinity", "model 'bad'", "column 1", "row 5"]
    refused(words, model.transform, X)
    refused(words, model.predict, X)


def test_members_that_refuse_missing_values_say_so_themselves(X, y, members):
    X[3, 1] = np.nan
    words = ["Ridge does not accept missing values"]

    refused(words, StackingNetRegressor(members).fit, X, y)


# -------------------------------------------------------------------------- splitters


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        ([([], np.arange(30))], ["Fold 0", "no rows to train", "fewer folds"]),
        (
            [(np.arange(30), np.arange(30, 60)), (np.arange(30), [])],
            ["Fold 1", "no rows to predict", "fewer folds"],
        ),
        ([(np.zeros(60, bool), np.ones(60, bool))], ["Fold 0", "no rows to train"]),
        ([], ["no folds"]),
        ([(np.arange(30), np.array([59, 60]))], ["Fold 0", "60"]),
        ([(np.arange(30), np.array([-1]))], ["Fold 0", "-1"]),
        ([(np.arange(30), np.array([30.5, 31.0]))], ["Fold 0"]),
        ([(np.ones(30, bool), np.arange(30, 60))], ["Fold 0", "mask", "60"]),
    ],
    ids=[
        "train",
        "test",
        "mask",
        "none",
        "beyond",
        "negative",
        "fraction",
        "short-mask",
    ],
)
def test_folds_that_are_none(X, y, members, splits, words):
    refused(words, StackingNetRegressor(members, cv=splits).fit, X, y)


def test_more_folds_than_rows(X, y, members):
    refused(["n_splits=61", "60"], StackingNetRegressor(members, cv=61).fit, X, y)


def test_groups_are_missing_or_too_few(X, y, members):
    model = StackingNetRegressor(members, cv=GroupKFold(3))

    refused(["groups"], model.fit, X, y)
    refused(["60", "59"], model.fit, X, y, groups=np.arange(59))


# ----------------------------------------------------------- metadata without routing


@pytest.mark.parametrize("as_members", [False, True])
def test_extra_metadata_needs_routing(X, P, y, members, as_members):
    model = StackingNetRegressor(members if as_members else None)

    refused(
        ["enable_metadata_routing", "flavour"],
        model.fit,
        X if as_members else P,
        y,
        flavour=y,
    )


# --------------------------------------------------------------- after a failed fit


@pytest.mark.parametrize("as_members", [False, True])
def test_a_failed_first_fit_leaves_an_unfitted_estimator(X, P, y, members, as_members):
    model = StackingNetRegressor(members if as_members else None)
    data = X if as_members else P
    spoiled = data.copy()
    spoiled[3, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.fit(spoiled, y)

    for method in (model.predict, model.transform):
        with pytest.raises(NotFittedError):
            method(data)
    with pytest.raises(NotFittedError):
        model.leaderboard()
