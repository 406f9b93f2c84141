"""Pipelines, searches, cross-validation and parallel backends."""

import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.predictions import PredictionClipper, PredictionNormalizer

CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")

# ---------------------------------------------------------------------- normalization


def normalized(model, low, high):
    """The recipe: predictions and target in units of the same range."""
    return TransformedTargetRegressor(
        Pipeline(
            [
                ("clip", PredictionClipper(low, high)),
                ("unit", PredictionNormalizer(low, high)),
                ("stack", model),
            ]
        ),
        transformer=PredictionNormalizer(low, high),
    )


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("shrinkage", ["auto", 0, 100])
def test_normalizing_both_sides_changes_nothing(P, y, constraint, shrinkage):
    low, high = -3.0, 4.0
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    clipped = np.clip(P, low, high)
    raw = clone(model).fit(clipped, y)
    recipe = normalized(model, low, high).fit(P, y)

    assert_allclose(recipe.predict(P), raw.predict(clipped), atol=1e-8)
    stack = recipe.regressor_.named_steps["stack"]
    assert_allclose(stack.weights_, raw.weights_, atol=1e-8)


@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_normalizing_one_side_only_warns_with_both_ranges(P, y, side):
    P, y = 50 + P, 50 + y
    labels, table = [y.min(), y.max()], [P.min(), P.max()]
    normalizer = PredictionNormalizer(0, 100)
    if side == "predictions":
        P = normalizer.fit_transform(P)
        table = [P.min(), P.max()]
    else:
        y = normalizer.fit_transform(y[:, None]).ravel()
        labels = [y.min(), y.max()]
    with pytest.warns(UserWarning, match="normalized") as caught:
        StackingNetRegressor().fit(P, y)

    (message,) = [str(warning.message) for warning in caught]
    assert str([float(v) for v in labels]) in message
    assert str([float(v) for v in table]) in message


def test_ranges_that_meet_only_in_late_rows_are_no_cause_for_a_warning(P, y):
    P, y = np.tile(P, (30, 1)), np.tile(y, 30)
    P[:1500] += 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StackingNetRegressor().fit(P, y)


def test_warnings_point_at_the_callers_line(P, y):
    with pytest.warns(UserWarning, match="normalized") as caught:
        StackingNetRegressor().fit(P + 1000, y)

    # A wrapper around fit must not be blamed.
    assert caught[0].filename == __file__


# --------------------------------------------------------------- search and validation


def test_grid_search_over_our_parameters_and_a_members(X, y, members):
    grid = {
        "constraint": ["nonnegative", "simplex"],
        "shrinkage": [0, "auto"],
        "ridge__alpha": [1.0, 1e4],
    }
    search = GridSearchCV(
        StackingNetRegressor(members[:2], cv=2), grid, cv=2, error_score="raise"
    ).fit(X, y)

    assert len(search.cv_results_["params"]) == 8
    best = StackingNetRegressor(members[:2], cv=2).set_params(**search.best_params_)
    assert_array_equal(search.predict(X), best.fit(X, y).predict(X))


def test_grid_search_in_a_pipeline_over_a_table(P, y):
    pipeline = make_pipeline(PredictionClipper(-3, 4), StackingNetRegressor())
    grid = {
        "stackingnetregressor__constraint": list(CONSTRAINTS),
        "stackingnetregressor__shrinkage": [0, 10.0, "auto"],
        "predictionclipper__high": [1, 4],
    }
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(P, y)

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["predictionclipper__high"] == 4


def test_cross_val_score_is_the_score_on_held_out_rows(X, y, members):
    model = StackingNetRegressor(members)
    found = cross_val_score(model, X, y, cv=3)

    expected = [
        r2_score(y[test], clone(model).fit(X[train], y[train]).predict(X[test]))
        for train, test in KFold(3).split(X)
    ]
    assert_array_equal(found, expected)


def test_score_is_r2_and_weighs_rows(P, y):
    model = StackingNetRegressor().fit(P, y)
    omega = np.random.default_rng(0).uniform(size=len(y))

    weighted = r2_score(y, model.predict(P), sample_weight=omega)
    assert model.score(P, y, sample_weight=omega) == weighted


def test_cross_val_predict_of_a_table(P, y):
    column = cross_val_predict(StackingNetRegressor(), P, y, cv=3)

    assert np.mean((column - y) ** 2) < np.mean((P - y[:, None]) ** 2, axis=0).min()


def test_bagging_gives_the_weights_a_distribution(P, y):
    bag = BaggingRegressor(StackingNetRegressor(), 5, random_state=0).fit(P, y)

    weights = np.array([model.weights_ for model in bag.estimators_])
    assert (weights >= 0).all()
    assert weights.std(axis=0).max() > 0


def test_as_a_step_its_predictions_are_features(X, y, members):
    pipeline = make_pipeline(
        StandardScaler(), StackingNetRegressor(members), StackingNetRegressor()
    ).fit(X, y)

    names = pipeline[:-1].get_feature_names_out()
    assert names.tolist() == [f"stackingnetregressor_{name}" for name, _ in members]


# ----------------------------------------------------------------------------- backends


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_every_backend_gives_the_same_weights(X, y, members, backend):
    reference = StackingNetRegressor(members, cv=3).fit(X, y)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        model = StackingNetRegressor(members, cv=3).fit(X, y)
        prediction = model.predict(X)

    assert_array_equal(model.weights_, reference.weights_)
    assert_array_equal(prediction, reference.predict(X))


def test_parallel_search_over_parallel_fits(X, y, members):
    model = StackingNetRegressor(members[:2], cv=2, n_jobs=2)
    search = GridSearchCV(model, {"shrinkage": [0, "auto"]}, cv=2)
    alone = clone(search).fit(X, y)
    parallel = clone(search).set_params(n_jobs=2).fit(X, y)

    for result in ("mean_test_score", "rank_test_score"):
        assert_array_equal(parallel.cv_results_[result], alone.cv_results_[result])


@pytest.mark.parametrize("side", ["labels", "predictions"])
def test_ratings_normalized_on_one_side_touch_and_are_doubted(side):
    """Ratings of 1 to 10 and normalized ones share the 1, and often enough."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 10, 300)
    ratings = np.clip(np.round(truth[:, None] + rng.normal(size=(300, 3))), 1, 10)
    labels = np.clip(np.round(truth), 1, 10)
    if side == "labels":
        labels = (labels - 1) / 9
    else:
        ratings = (ratings - 1) / 9

    with pytest.warns(UserWarning, match=r"\[1\.0, 10\.0\]"):
        StackingNetRegressor().fit(ratings, labels)


def test_biased_judges_in_the_same_units_are_not_doubted():
    """Few labels below all predictions, of like spread: a bias, not other units."""
    table = [[6.0, 7.0], [6.2, 7.1], [6.5, 7.7]]

    # Warnings are errors here.
    StackingNetRegressor().fit(table, [5.0, 5.1, 5.3])
