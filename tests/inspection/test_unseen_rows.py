"""Members are judged on rows that they have not seen, wherever that is possible."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection import (
    dependence,
    disparity,
    effective_models,
    rank_models,
)
from stackingnet_sk.inspection.answers import ModelAnswers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
SIGNAL = X @ [1.0, 1.0, 0.5, 0.0]
Y = SIGNAL + 1.5 * RNG.normal(size=150)
LABELS = np.where(SIGNAL + RNG.normal(size=150) > 0, "up", "down").astype(object)
NEW = RNG.normal(size=(40, 4))
NEW_Y = NEW @ [1.0, 1.0, 0.5, 0.0] + 1.5 * RNG.normal(size=40)
GROUP = np.where(X[:, 3] > 0, "old", "young")


def fitted(kind, cv=None, unlabelled=0):
    labels = np.array(Y if kind == "numbers" else LABELS)
    labels[: unlabelled or 0] = np.nan if kind == "numbers" else None
    if kind == "numbers":
        members = [
            ("tree", DecisionTreeRegressor(random_state=0)),
            ("ridge", Ridge()),
            ("near", KNeighborsRegressor(15)),
        ]
        return StackingNetRegressor(members, cv=cv).fit(X, labels), labels
    members = [
        ("tree", DecisionTreeClassifier(random_state=0)),
        ("line", LogisticRegression()),
        ("near", KNeighborsClassifier(15)),
        ("bayes", GaussianNB()),
    ]
    return StackingNetClassifier(members, cv=cv).fit(X, labels), labels


both = pytest.mark.parametrize("kind", ["numbers", "classes"])


@both
def test_an_overgrown_tree_is_not_the_best_of_the_rows_that_it_knows_by_heart(kind):
    model, labels = fitted(kind)
    ranking = rank_models(model, X, labels, n_bootstrap=200, random_state=0)

    places = ranking.model_names.tolist()
    assert places[-1] == "tree"
    assert ranking.probability_best[-1] == 0
    # Its members and the leaderboard see the same predictions.
    board = model.leaderboard()
    quality = board["rmse" if kind == "numbers" else "balanced_accuracy"]
    assert_allclose(
        ranking.quality, quality.set_axis(board["model"])[places], rtol=1e-12
    )


@both
@pytest.mark.parametrize("copied", [np.copy, np.asfortranarray, np.ndarray.tolist])
def test_rows_of_fit_are_predicted_out_of_fold(kind, copied):
    model, labels = fitted(kind)
    answers = ModelAnswers.of(model, copied(X), labels)

    assert_array_equal(answers.rows, np.arange(150))
    assert_array_equal(answers.table, model.out_of_fold_predictions_)


@both
def test_new_rows_are_predicted_by_the_members_as_they_are(kind):
    model, _ = fitted(kind)
    for table in (NEW, X[:-1], X + 1e-9):
        answers = ModelAnswers.of(model, table)
        assert answers.rows is None
        assert_array_equal(
            answers.table.reshape(len(table), -1), model.transform(table)
        )


@both
def test_rows_without_a_label_in_fit_are_new_to_the_members(kind):
    model, labels = fitted(kind, unlabelled=50)
    answers = ModelAnswers.of(model, X, Y if kind == "numbers" else LABELS)

    assert_array_equal(answers.rows, np.arange(150))
    assert_array_equal(answers.table[50:], model.out_of_fold_predictions_)
    assert_array_equal(
        answers.table[:50].reshape(50, -1), model.transform(X)[:50]
    )  # fmt: skip
    assert answers.labelled.all()
    assert ModelAnswers.of(model, X, labels).labelled.sum() == 100


@both
def test_rows_that_the_splitter_left_out_are_left_out_and_it_is_said(kind):
    model, labels = fitted(kind, cv=TimeSeriesSplit(4))
    with pytest.warns(UserWarning, match="30 of 150 rows are not used") as heard:
        ranking = rank_models(model, X, labels, n_bootstrap=10, random_state=0)
    assert heard[0].filename == __file__
    assert ranking.n_rows == ranking.n_labelled == 120
    with pytest.warns(UserWarning, match="30 of 150 rows are not used"):
        found = disparity(model, labels, GROUP, X=X, n_bootstrap=0, n_permutations=0)
    assert found.groupings["group"].n_rows.sum() == 120
    assert_array_equal(found.labels, labels[30:])


@both
def test_without_labels_the_predictions_are_out_of_fold_too(kind):
    model, _ = fitted(kind)
    assert dependence(model, X).n_rows == 150
    answers = ModelAnswers.of(model, X)
    assert_array_equal(answers.table, model.out_of_fold_predictions_)
    assert not answers.labelled.any()


@both
def test_members_are_fitted_anew_where_splits_are_given(kind):
    model, labels = fitted(kind)
    cv = KFold(3, shuffle=True, random_state=1)
    labels[:60] = np.nan if kind == "numbers" else None
    answers = ModelAnswers.of(model, X, labels, cv=cv)

    plain = labels[60:].astype(float if kind == "numbers" else str)
    for m, (_, member) in enumerate(model.estimators):
        method = "predict" if kind == "numbers" else "predict_proba"
        expected = cross_val_predict(member, X[60:], plain, cv=cv, method=method)
        assert_allclose(answers.table[60:, m], expected, rtol=1e-12)
        again = clone(member).fit(X[60:], plain)
        assert_allclose(answers.table[:60, m], getattr(again, method)(X[:60]))


@both
def test_splits_reach_the_members_from_everywhere(kind):
    model, _ = fitted(kind)
    n_rows, y = 40, NEW_Y if kind == "numbers" else np.where(NEW_Y > 0, "up", "down")
    ranking = rank_models(model, NEW, y, cv=4, n_bootstrap=10, random_state=0)
    expected = model.set_params(cv=4).fit(NEW, y).leaderboard()
    quality = expected["rmse" if kind == "numbers" else "balanced_accuracy"]
    names = ranking.model_names.tolist()
    assert_allclose(ranking.quality, quality.set_axis(expected["model"])[names])
    table = dependence(model, NEW, y).correlation  # fitted on these rows now
    fitted_before, _ = fitted(kind)
    again = dependence(fitted_before, NEW, y, cv=4)
    assert_allclose(again.correlation, table)
    assert effective_models(fitted_before, NEW, y, cv=4) == again.effective
    group = ["a", "b"] * (n_rows // 2)
    audit = disparity(model, y, group, X=NEW, n_bootstrap=0, n_permutations=0)
    twice = disparity(
        fitted_before, y, group, X=NEW, cv=4, n_bootstrap=0, n_permutations=0
    )
    assert_allclose(audit.errors[:, 2:], twice.errors[:, 2:])


def test_disparity_of_numbers_combines_predictions_out_of_fold():
    model, y = fitted("numbers")
    found = disparity(model, y, GROUP, X=X, random_state=0)

    table = model.out_of_fold_predictions_
    assert_allclose(found.predictions, table @ model.weights_ + model.intercept_)
    assert_allclose(found.errors[:, 2:], np.abs(table - y[:, None]))


@pytest.mark.parametrize("options", [{}, {"pool": "linear"}, {"input": "votes"}])
def test_disparity_of_classes_combines_predictions_out_of_fold(options):
    model, y = fitted("classes")
    model.set_params(classes=["up", "down"], **options).fit(X, y)
    found = disparity(model, y, GROUP, X=X, random_state=0)

    # The same combination of a table of probabilities, made by hand.
    table = model.out_of_fold_predictions_[:, :, ::-1]
    params = {**options, "input": "auto"}
    by_hand = StackingNetClassifier(classes=["up", "down"], **params).fit(table, y)
    assert_array_equal(found.predictions, by_hand.predict(table))


def test_frames_are_recognized():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model, y = fitted("numbers")
    model.fit(frame, y)
    assert ModelAnswers.of(model, frame.copy(), y).rows is not None


@pytest.mark.parametrize("make", ["table", "prefit"])
def test_splits_without_members_that_are_fitted_are_refused(make):
    table = np.column_stack([Y, Y + X[:, 0]])
    model = StackingNetRegressor().fit(table, Y)
    if make == "prefit":
        members = [(name, clone(m).fit(X, Y)) for name, m in fitted("numbers")[0]
                   .named_estimators_.items()]  # fmt: skip
        model, table = StackingNetRegressor(members, cv="prefit").fit(X, Y), X
    with pytest.raises(ValueError, match="no members that it fits itself"):
        rank_models(model, table, Y, cv=3)
    with pytest.raises(ValueError, match="predictions have none"):
        disparity(Y, Y, GROUP, cv=3)


def test_splits_need_labels():
    model, _ = fitted("numbers")
    with pytest.raises(ValueError, match="pass y"):
        rank_models(model, X, cv=3)
