"""Cross-validation where only some rows have a label."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.model_selection import LabelledKFold, labelled_scorer


@pytest.fixture
def y():
    return 3 + 2 * np.random.default_rng(0).normal(size=50)


@pytest.fixture
def P(y):
    return y[:, None] + np.random.default_rng(1).normal(size=(50, 4)) * [0.3, 0.6, 1, 2]


@pytest.fixture
def labelled():
    mask = np.zeros(50, dtype=bool)
    mask[np.random.default_rng(2).permutation(50)[:14]] = True
    return mask


@pytest.fixture
def few(y, labelled):
    return np.where(labelled, y, np.nan)


def other_forms(few):
    """The same labels, in every form in which they may be missing."""
    holes = [None if np.isnan(value) else value for value in few]
    return {
        "list": few.tolist(),
        "None": holes,
        "object": np.array(holes, dtype=object),
        "Float64": pd.Series(few).astype("Float64"),
        "series": pd.Series(few, index=np.arange(len(few))[::-1]),
        "text": np.array(
            [None if np.isnan(value) else "yes" for value in few], dtype=object
        ),
        "column": few[:, None],
        "object-column": np.array(holes, dtype=object)[:, None],
    }


# --------------------------------------------------------------------- LabelledKFold


@pytest.mark.parametrize("n_splits", [2, 5, 14])
@pytest.mark.parametrize("shuffle", [False, True])
def test_folds(P, few, labelled, n_splits, shuffle):
    """Tests partition the labelled rows evenly; all the rest trains, every time."""
    splitter = LabelledKFold(
        n_splits, shuffle=shuffle, random_state=0 if shuffle else None
    )
    folds = list(splitter.split(P, few))

    assert len(folds) == splitter.get_n_splits(P, few) == n_splits
    tests = np.concatenate([test for _, test in folds])
    assert_array_equal(np.sort(tests), labelled.nonzero()[0])
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1
    for train, test in folds:
        assert_array_equal(np.sort(np.append(train, test)), np.arange(len(few)))
    if not shuffle:
        assert_array_equal(tests, np.sort(tests))


def test_with_all_labels_it_is_k_fold(P, y):
    for own, other in zip(
        LabelledKFold(4, shuffle=True, random_state=3).split(P, y),
        KFold(4, shuffle=True, random_state=3).split(P, y),
        strict=True,
    ):
        assert_array_equal(own[0], other[0])
        assert_array_equal(np.sort(own[1]), other[1])


def test_seed_decides_on_the_shuffle(P, few):
    def tests(seed):
        splitter = LabelledKFold(2, shuffle=True, random_state=seed)
        return [test.tolist() for _, test in splitter.split(P, few)]

    assert tests(0) == tests(0)
    assert tests(0) != tests(1)


@pytest.mark.parametrize("form", list(other_forms(np.zeros(1))))
def test_labels_missing_in_any_form(P, few, form):
    for own, other in zip(
        LabelledKFold(3).split(P, few),
        LabelledKFold(3).split(P, other_forms(few)[form]),
        strict=True,
    ):
        assert_array_equal(own[0], other[0])
        assert_array_equal(own[1], other[1])


def test_more_folds_than_labels(P, few):
    with pytest.raises(ValueError, match=r"14 rows.*label.*15 folds.*fewer"):
        list(LabelledKFold(15).split(P, few))


def test_no_labels_to_split_says_so(P):
    with pytest.raises(ValueError, match="y=None"):
        list(LabelledKFold(2).split(P, None))


def test_groups_are_no_question_as_with_k_fold():
    """A splitter that ignores groups must not ask whether it gets them."""
    with sklearn.config_context(enable_metadata_routing=True):
        own = LabelledKFold().get_metadata_routing()
        other = KFold().get_metadata_routing()
        assert own.split.requests == other.split.requests == {}


def test_splitter_is_cloned_and_shown():
    splitter = LabelledKFold(3, shuffle=True, random_state=1)

    assert clone(splitter).get_params() == splitter.get_params()
    assert repr(splitter) == "LabelledKFold(n_splits=3, random_state=1, shuffle=True)"


# ------------------------------------------------------------------- labelled_scorer


@pytest.mark.parametrize("form", [f for f in other_forms(np.zeros(1)) if f != "text"])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
def test_scores_labelled_rows(P, y, few, labelled, form, scoring):
    model = Ridge().fit(P, y)
    expected = get_scorer(scoring)(model, P[labelled], y[labelled])

    found = labelled_scorer(scoring)(model, P, other_forms(few)[form])
    assert found == pytest.approx(expected, rel=1e-14)


def test_all_labels_give_the_scorer_itself(P, y):
    model = Ridge().fit(P, y)

    assert labelled_scorer("r2")(model, P, y) == get_scorer("r2")(model, P, y)


@pytest.mark.parametrize("y", [np.full(4, np.nan), [None] * 4, None])
def test_nothing_to_score_is_an_error(y):
    model = DummyRegressor().fit(np.zeros((4, 1)), np.zeros(4))

    with pytest.raises(ValueError, match="label"):
        labelled_scorer("r2")(model, np.zeros((4, 1)), y)


def test_unknown_scorer_is_an_error_at_once():
    with pytest.raises(ValueError, match="'nope'"):
        labelled_scorer("nope")


def test_weights_are_taken_with_the_labelled_rows(P, y, few, labelled):
    model, weights = Ridge().fit(P, y), np.random.default_rng(3).uniform(size=50)
    found = labelled_scorer("r2")(model, P, few, sample_weight=weights)

    expected = model.score(P[labelled], y[labelled], weights[labelled])
    assert found == pytest.approx(expected, rel=1e-14)


def test_scorer_survives_pickling(P, y, few):
    scorer, model = labelled_scorer("r2"), Ridge().fit(P, y)

    again = pickle.loads(pickle.dumps(scorer))
    assert again(model, P, few) == scorer(model, P, few)
    assert "labelled_scorer(make_scorer(r2_score" in repr(scorer)


# ---------------------------------------------------------------------- in scikit-learn


def scores_by_hand(model, P, y, few, n_splits, metric):
    return [
        metric(y[test], clone(model).fit(P[train], few[train]).predict(P[test]))
        for train, test in LabelledKFold(n_splits).split(P, few)
    ]


@pytest.mark.parametrize(
    ("model", "n_jobs"),
    [
        (StackingNetRegressor(), None),
        (StackingNetRegressor(), 2),
        (make_pipeline(StandardScaler(), StackingNetRegressor()), None),
    ],
    ids=["alone", "parallel", "pipeline"],
)
def test_cross_val_score(P, y, few, model, n_jobs):
    # Standardized predictions are about zero, and so should the labels be.
    y, few = y - y.mean(), few - y.mean()
    found = cross_val_score(
        model,
        P,
        few,
        cv=LabelledKFold(3),
        scoring=labelled_scorer("neg_mean_absolute_error"),
        n_jobs=n_jobs,
    )

    expected = scores_by_hand(model, P, y, few, 3, mean_absolute_error)
    np.testing.assert_allclose(found, -np.array(expected), rtol=1e-12)


def test_own_score_needs_no_labelled_scorer(P, few):
    """Even plain folds do, where each has some labels."""
    model = StackingNetRegressor()
    own = cross_val_score(model, P, few, cv=KFold(2))

    explicit = cross_val_score(
        model, P, few, cv=KFold(2), scoring=labelled_scorer("r2")
    )
    np.testing.assert_allclose(own, explicit, rtol=1e-12)


def test_any_estimator_that_takes_missing_labels_can_be_scored(P, y, few):
    """Plain folds put unlabelled rows in the tests: the scorer alone has to cope."""

    class Labelled(Ridge):
        def fit(self, X, y):
            known = ~np.isnan(y)
            return super().fit(X[known], y[known])

    scoring = labelled_scorer("neg_mean_absolute_error")
    found = cross_val_score(Labelled(), P, few, cv=KFold(2), scoring=scoring)

    expected = []
    for train, test in KFold(2).split(P):
        test = test[~np.isnan(few[test])]
        model = Labelled().fit(P[train], few[train])
        expected.append(-mean_absolute_error(y[test], model.predict(P[test])))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_grid_search_chooses_by_labelled_rows(P, y, few):
    grid = {"shrinkage": [0.0, 10.0, 1e6], "constraint": ["nonnegative", "simplex"]}
    search = GridSearchCV(
        StackingNetRegressor(),
        grid,
        cv=LabelledKFold(3),
        scoring=labelled_scorer("neg_mean_absolute_error"),
        error_score="raise",
    ).fit(P, few)

    expected = [
        -np.mean(
            scores_by_hand(
                StackingNetRegressor(**params), P, y, few, 3, mean_absolute_error
            )
        )
        for params in search.cv_results_["params"]
    ]
    found = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.ptp(expected) > 1e-3
    best = StackingNetRegressor(**search.best_params_).fit(P, few)
    # Refitted with all rows, labelled or not.
    assert_array_equal(search.best_estimator_.weights_, best.weights_)


def test_several_metrics_at_once(P, few):
    scoring = {
        name: labelled_scorer(name) for name in ("r2", "neg_mean_absolute_error")
    }
    found = cross_validate(
        StackingNetRegressor(), P, few, cv=LabelledKFold(3), scoring=scoring
    )

    for name, scorer in scoring.items():
        alone = cross_val_score(
            StackingNetRegressor(), P, few, cv=LabelledKFold(3), scoring=scorer
        )
        np.testing.assert_allclose(found[f"test_{name}"], alone, rtol=1e-12)


def count(estimator, X, y):
    return float(len(y))


@pytest.mark.parametrize("routing", [False, True])
def test_a_plain_function_scores_too(P, few, routing):
    """`get_scorer` hands it on as it is: it has no metadata to ask for."""
    with sklearn.config_context(enable_metadata_routing=routing):
        found = cross_validate(
            StackingNetRegressor(),
            P,
            few,
            cv=KFold(2),
            scoring=labelled_scorer(count),
            error_score="raise",
        )["test_score"]

    assert found.sum() == 14


def test_weights_are_routed_through_fit_and_scorer(P, y, few):
    weights = np.random.default_rng(3).uniform(size=50)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("r2").set_score_request(sample_weight=True)
        found = cross_validate(
            StackingNetRegressor().set_fit_request(sample_weight=True),
            P,
            few,
            cv=LabelledKFold(3),
            scoring=labelled_scorer(scorer),
            params={"sample_weight": weights},
        )["test_score"]

    expected = [
        StackingNetRegressor()
        .fit(P[train], few[train], sample_weight=weights[train])
        .score(P[test], y[test], sample_weight=weights[test])
        for train, test in LabelledKFold(3).split(P, few)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
