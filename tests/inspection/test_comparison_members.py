"""What `fit` takes reaches members, splitters, rivals and scores in each fold."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection import compare

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
SIGNAL = X @ [1.0, 2.0, 0.0]
Y = SIGNAL + RNG.normal(size=90)
Y[80:] = np.nan
LABELS = np.where(SIGNAL + RNG.normal(size=90) > 0, "up", "down").astype(object)
LABELS[80:] = None
GROUPS = np.arange(90) % 9
WEIGHT = RNG.integers(1, 4, size=90).astype(float)
MEMBERS = [("ridge", Ridge()), ("other", Ridge(30.0))]
CLASSIFIERS = [("line", LogisticRegression()), ("bayes", GaussianNB())]
FOLDS = list(KFold(3, shuffle=True, random_state=0).split(X))
KINDS = {
    "numbers": (StackingNetRegressor(MEMBERS), Y),
    "classes": (StackingNetClassifier(CLASSIFIERS, classes=["down", "up"]), LABELS),
}
both = pytest.mark.parametrize("kind", KINDS)


def fitted_by_hand(model, y, folds=FOLDS, **params):
    """Predictions of the labelled test rows of each fold, by clones."""
    predictions = []
    for train, test in folds:
        cut = {key: value[train] for key, value in params.items()}
        tested = test[test < 80]
        fitted = clone(model).fit(X[train], y[train], **cut)
        predictions.append(fitted.predict(X[tested]))
    return np.concatenate(predictions)


def check_equal(found, expected):
    if expected.dtype.kind == "f":
        assert_allclose(found.predictions[:, 0], expected, rtol=1e-12)
    else:
        assert found.predictions[:, 0].tolist() == expected.tolist()


@both
@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()], ids=str)
def test_groups_and_weights_reach_members_and_splitter(kind, cv):
    model, y = KINDS[kind]
    model = clone(model).set_params(cv=cv)
    given = {"groups": GROUPS, "sample_weight": WEIGHT}
    found = compare(model, X, y, cv=FOLDS, random_state=0, **given)

    check_equal(found, fitted_by_hand(model, y, **given))
    assert not hasattr(model, "weights_")


@both
def test_rows_that_members_predict_several_times_count_once(kind):
    model, y = KINDS[kind]
    cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    model = clone(model).set_params(cv=cv)
    check_equal(compare(model, X, y, cv=FOLDS), fitted_by_hand(model, y))


@both
def test_what_works_in_fit_works_here(kind):
    model, y = KINDS[kind]
    model = clone(model).set_params(cv=GroupKFold(3))
    model.fit(X, y, groups=GROUPS)
    found = compare(model, X, y, groups=GROUPS, random_state=0)

    assert found.n_folds == 5
    assert sorted(found.rows) == list(range(80))


@both
def test_default_folds_keep_groups_together(kind):
    """The rows of a group, also those without a label, are held out together."""
    model, y = KINDS[kind]
    seen = []

    class Listening(type(model)):
        def fit(self, X, y=None, *, groups=None, **params):
            seen.append(np.unique(groups))
            return super().fit(X, y, groups=groups, **params)

    listening = Listening(**model.get_params(deep=False)).set_params(cv=GroupKFold(3))
    found = compare(listening, X, y, groups=GROUPS, random_state=0)
    assert len(seen) == found.n_folds == 5
    n_held = [9 - len(trained) for trained in seen]
    assert sum(n_held) == 9
    assert min(n_held) >= 1


def test_folds_are_as_many_as_groups_at_most():
    table, model = SIGNAL[:, None] + RNG.normal(size=(90, 3)), StackingNetRegressor()
    found = compare(model, table, Y, groups=np.arange(90) % 2, random_state=0)
    assert found.n_folds == 2
    with pytest.raises(ValueError, match="in one group"):
        compare(model, table, Y, groups=np.arange(90) // 80)


def test_groups_reach_the_splitter_of_the_folds():
    table, model = SIGNAL[:, None] + RNG.normal(size=(90, 3)), StackingNetRegressor()
    found = compare(model, table, Y, groups=GROUPS, cv=LeaveOneGroupOut())
    assert found.n_folds == 9
    assert_array_equal(GROUPS[found.rows], np.sort(GROUPS[:80]))


@both
@pytest.mark.parametrize("form", ["splitter", "list", "generator", "masks"])
def test_splits_by_row_number_are_those_of_the_table(kind, form):
    """In each fold they are restricted to the training rows, as by hand."""
    model, y = KINDS[kind]
    fold = np.arange(90) % 4
    splits = list(PredefinedSplit(fold).split())
    cv = {
        "splitter": PredefinedSplit(fold),
        "list": splits,
        "generator": (split for split in splits),
        "masks": [(fold != k, fold == k) for k in range(4)],
    }[form]
    model = type(model)(**{**model.get_params(deep=False), "cv": cv})
    found = compare(model, X, y, cv=FOLDS, random_state=0)

    expected = []
    for train, test in FOLDS:
        by_hand = type(model)(
            **{**model.get_params(deep=False), "cv": PredefinedSplit(fold[train])}
        )
        expected.append(by_hand.fit(X[train], y[train]).predict(X[test[test < 80]]))
    check_equal(found, np.concatenate(expected))


def test_splits_of_which_nothing_is_left_are_dropped():
    """The folds of the members are those of the comparison here."""
    fold = np.arange(90) % 3
    model, y = KINDS["numbers"]
    model = clone(model).set_params(cv=PredefinedSplit(fold))
    found = compare(model, X, y, cv=PredefinedSplit(fold), random_state=0)
    folds = list(PredefinedSplit(fold).split())
    expected = []
    for train, test in folds:
        by_hand = clone(model).set_params(cv=PredefinedSplit(fold[train]))
        expected.append(by_hand.fit(X[train], y[train]).predict(X[test[test < 80]]))
    check_equal(found, np.concatenate(expected))
    model.set_params(cv=folds[:1])
    with pytest.raises(ValueError, match="lists splits by row number"):
        compare(model, X, y, cv=PredefinedSplit(fold))


def test_rows_that_are_drawn_keep_their_splits_groups_and_weights():
    fold = np.arange(90) % 4
    model, y = KINDS["numbers"]
    model = clone(model).set_params(cv=PredefinedSplit(fold))
    given = {"sample_weight": WEIGHT, "groups": GROUPS}
    found = compare(model, X, y, max_rows=40, cv=GroupKFold(3), random_state=0, **given)
    assert found.left_out == 40
    kept = np.sort(np.r_[found.rows, 80:90])
    score = found.scores["mean absolute error"].value[0]
    errors = np.abs(found.predictions[:, 0] - y[found.rows])
    assert_allclose(score, np.average(errors, weights=WEIGHT[found.rows]))
    again = compare(
        clone(model).set_params(cv=PredefinedSplit(fold[kept])),
        X[kept], y[kept], cv=GroupKFold(3),
        **{key: value[kept] for key, value in given.items()},
    )  # fmt: skip
    assert_allclose(again.predictions, found.predictions)


def test_weights_count_in_rivals_and_in_scores_of_numbers():
    model, y = KINDS["numbers"]
    found = compare(
        model, X, y, sample_weight=WEIGHT, cv=FOLDS, n_bootstrap=200, random_state=0
    )
    constant = [
        DummyRegressor()
        .fit(X[t[t < 80]], y[t[t < 80]], WEIGHT[t[t < 80]])
        .predict(X[s[s < 80]])
        for t, s in FOLDS
    ]
    assert_allclose(found.predictions[:, found.constant], np.concatenate(constant))
    errors = found.predictions - y[found.rows, None]
    weight = WEIGHT[found.rows]
    for name, terms, power in [
        ("mean absolute error", np.abs(errors), 1.0),
        ("root mean squared error", np.square(errors), 0.5),
    ]:
        expected = np.average(terms, axis=0, weights=weight) ** power
        score = found.scores[name]
        assert_allclose(score.value, expected)
        assert ((score.low <= expected) & (expected <= score.high)).all()


def test_weights_count_in_scores_of_classes():
    model, y = KINDS["classes"]
    found = compare(model, X, y, sample_weight=WEIGHT, cv=FOLDS, random_state=0)
    truth, weight = y[found.rows].astype(str), WEIGHT[found.rows]
    for name, score in [
        ("accuracy", accuracy_score),
        ("balanced accuracy", balanced_accuracy_score),
    ]:
        expected = [
            score(truth, column.astype(str), sample_weight=weight)
            for column in found.predictions.T
        ]
        assert_allclose(found.scores[name].value, expected)


@both
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_equal_weights_change_no_score(kind, factor):
    """Nor an interval, as far as the fit is the same: rows are as many as before.

    To a ridge or logistic regression, and to votes, a weight of three is three rows;
    that also changes what is drawn for the intervals of classes, so these only differ
    by the noise of the draws.
    """
    table = SIGNAL[:, None] + RNG.normal(size=(90, 3))
    y = KINDS[kind][1]
    if kind == "numbers":
        model = StackingNetRegressor(shrinkage=0)
    else:
        table, model = np.where(table > 0, "up", "down"), StackingNetClassifier()
    plain = compare(model, table, y, random_state=0)
    weighted = compare(
        model, table, y, sample_weight=np.full(90, factor), random_state=0
    )
    for metric, score in plain.scores.items():
        for one, other in zip(score, weighted.scores[metric], strict=True):
            same = slice(None) if factor == 1.0 else [1, -1]
            noisy = kind == "classes" and factor > 1 and one is not score.value
            rtol = 0.03 if noisy else 1e-9
            assert_allclose(other[same], one[same], rtol=rtol)


@both
def test_rows_without_weight_are_no_rows(kind):
    model, y = KINDS[kind]
    weight = np.where(np.arange(90) % 4 == 0, 0.0, 1.0)
    found = compare(model, X, y, sample_weight=weight, cv=FOLDS, random_state=0)
    spoiled = y.copy()
    spoiled[:80:4] = 1e6 if kind == "numbers" else "up"
    again = compare(model, X, spoiled, sample_weight=weight, cv=FOLDS, random_state=0)
    if kind == "numbers":
        for one, other in zip(found.leads.values(), again.leads.values(), strict=True):
            assert_allclose(one.value[1:3], other.value[1:3], rtol=1e-8)
    counted = found.rows % 4 > 0
    assert len(found.rows) == 80
    metric = "mean absolute error" if kind == "numbers" else "accuracy"
    if kind == "numbers":
        scores = np.abs(found.predictions - y[found.rows, None])[counted]
    else:
        scores = (found.predictions == y[found.rows, None])[counted]
    assert_allclose(found.scores[metric].value, scores.mean(axis=0))


@pytest.mark.parametrize("weight", [-np.ones(90), np.zeros(90), np.ones(3)])
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        compare(*KINDS["numbers"][:1], X, Y, sample_weight=weight)


def test_a_member_without_weights_is_refused_as_in_fit():
    model = StackingNetRegressor([("near", KNeighborsRegressor()), *MEMBERS])
    with pytest.raises(TypeError, match="'near'"):
        compare(model, X, Y, sample_weight=WEIGHT)


def test_metadata_that_nobody_takes_is_refused():
    with pytest.raises(ValueError, match="wieght"):
        compare(KINDS["numbers"][0], X, Y, sample_wieght=WEIGHT)


@both
def test_pipelines_pass_it_to_their_last_step(kind):
    model, y = KINDS[kind]
    model = clone(model).set_params(cv=GroupKFold(3))
    pipeline = make_pipeline(StandardScaler(), model)
    given = {"groups": GROUPS, "sample_weight": WEIGHT}
    name = pipeline.steps[-1][0]
    found = compare(
        pipeline, X, y, cv=FOLDS, random_state=0, standardscaler__sample_weight=WEIGHT,
        **given,
    )  # fmt: skip
    expected = fitted_by_hand(
        pipeline, y, standardscaler__sample_weight=WEIGHT,
        **{f"{name}__{key}": value for key, value in given.items()},
    )  # fmt: skip
    check_equal(found, expected)


class Taking(RegressorMixin, BaseEstimator):
    """Predicts the weighted mean of the labels, by metadata of another name."""

    def fit(self, X, y, trust=None):
        self.mean_ = np.average(y, weights=trust)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_other_metadata_is_cut_to_the_fold():
    with sklearn.config_context(enable_metadata_routing=True):
        members = [("ridge", Ridge()), ("mean", Taking().set_fit_request(trust=True))]
        model = StackingNetRegressor(members, cv=GroupKFold(3))
        given = {"groups": GROUPS, "trust": WEIGHT}
        found = compare(model, X, Y, cv=FOLDS, random_state=0, **given)
        check_equal(found, fitted_by_hand(model, Y, **given))


def test_sensitive_features_are_cut_to_the_fold():
    from stackingnet_sk.constraints import bounded_disparity

    table = SIGNAL[:, None] + RNG.normal(size=(90, 3)) * [0.3, 1.0, 1.0]
    sex = np.where(np.arange(90) % 2, "a", "b")
    model = StackingNetRegressor(constraint="simplex" & bounded_disparity(1.0))
    found = compare(model, table, Y, cv=FOLDS, random_state=0, sensitive_features=sex)
    train, test = FOLDS[0]
    by_hand = clone(model).fit(table[train], Y[train], sensitive_features=sex[train])
    tested = test[test < 80]
    assert_allclose(
        found.predictions[: len(tested), 0], by_hand.predict(table[tested]), rtol=1e-6
    )
