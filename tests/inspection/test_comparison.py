"""Scores on labels held out: nothing leaks, and intervals are as sure as they say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.inspection import compare
from stackingnet_sk.inspection.comparison_intervals import (
    class_figures,
    number_figures,
)
from stackingnet_sk.model_selection import LabelledKFold

ERROR, BALANCED = "mean absolute error", "balanced accuracy"


def judges(n_rows=200, n_labelled=60, seed=0, noise=(0.3, 0.6, 2.0)):
    rng = np.random.default_rng(seed)
    truth = rng.normal(5, 1, size=n_rows)
    table = truth[:, None] + rng.normal(size=(n_rows, len(noise))) * noise
    return table, np.where(np.arange(n_rows) < n_labelled, truth, np.nan)


def panel(n_rows=300, n_labelled=60, seed=0, skill=(0.8, 0.7, 0.6, 0.3)):
    rng = np.random.default_rng(seed)
    truth = rng.choice(["no", "perhaps", "yes"], size=n_rows)
    guesses = rng.choice(["no", "perhaps", "yes"], size=(n_rows, len(skill)))
    knows = rng.random(guesses.shape) < skill
    votes = np.where(knows, truth[:, None], guesses).astype(object)
    votes[rng.random(votes.shape) < 0.1] = None
    return votes, np.where(np.arange(n_rows) < n_labelled, truth.astype(object), None)


def place(found, name):
    return found.names.tolist().index(name)


def test_who_is_compared():
    table, y = judges()
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    assert found.names.tolist() == [
        "combination",
        "average",
        "average, bias removed",
        "ridge stacking",
        "best single model",
        "constant",
    ]
    votes, labels = panel()
    found = compare(StackingNetClassifier(), votes, labels, random_state=0)
    assert found.names.tolist()[1:] == [
        "majority vote",
        "logistic stacking",
        "best single model",
        "constant",
    ]


@pytest.mark.parametrize("row", [0, 5, 17])
def test_no_label_is_used_to_predict_itself(row):
    """Of nobody: neither of the combination nor of which single model is best."""
    table, y = judges(n_labelled=20)
    folds = list(LabelledKFold(5).split(table, y))
    before = compare(StackingNetRegressor(), table, y, cv=folds, random_state=0)
    y[row] = 1000.0
    after = compare(StackingNetRegressor(), table, y, cv=folds, random_state=0)
    own = before.rows == row
    np.testing.assert_array_equal(before.predictions[own], after.predictions[own])
    assert (before.predictions[~own] != after.predictions[~own]).any()


def test_no_class_is_used_to_predict_itself():
    votes, y = panel(n_labelled=24)
    folds = list(LabelledKFold(6).split(votes, y))
    before = compare(StackingNetClassifier(), votes, y, cv=folds, random_state=0)
    y[3] = "no" if y[3] == "yes" else "yes"
    after = compare(StackingNetClassifier(), votes, y, cv=folds, random_state=0)
    own = before.rows == 3
    np.testing.assert_array_equal(before.predictions[own], after.predictions[own])


def test_rivals_are_those_of_scikit_learn():
    table, y = judges(n_rows=60)
    cv = KFold(5, shuffle=True, random_state=0)
    found = compare(StackingNetRegressor(), table, y, cv=cv, random_state=0)
    order = np.argsort(found.rows)
    held = found.predictions[order, place(found, "constant")]
    np.testing.assert_allclose(
        held, cross_val_predict(DummyRegressor(), table, y, cv=cv)
    )
    ours = cross_val_predict(StackingNetRegressor(), table, y, cv=cv)
    np.testing.assert_allclose(found.predictions[order, 0], ours)
    average = found.predictions[order, place(found, "average")]
    np.testing.assert_allclose(average, table.mean(axis=1))


def test_only_labelled_rows_are_tested():
    table, y = judges(n_rows=100, n_labelled=30)
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    assert sorted(found.rows) == list(range(30))
    assert (found.n_labelled, found.n_rows) == (30, 100)


def test_scores_are_those_of_the_predictions():
    table, y = judges()
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    errors = found.predictions - y[found.rows, None]
    np.testing.assert_allclose(found.scores[ERROR].value, np.abs(errors).mean(axis=0))
    rmse = np.sqrt(np.square(errors).mean(axis=0))
    np.testing.assert_allclose(found.scores["root mean squared error"].value, rmse)
    votes, labels = panel()
    found = compare(StackingNetClassifier(), votes, labels, random_state=0)
    truth = labels[found.rows].astype(str)
    right = found.predictions == truth[:, None]
    recalls = [right[truth == k].mean(axis=0) for k in np.unique(truth)]
    np.testing.assert_allclose(found.scores[BALANCED].value, np.mean(recalls, axis=0))
    np.testing.assert_allclose(found.scores["accuracy"].value, right.mean(axis=0))


@pytest.mark.parametrize("task", ["numbers", "classes"])
def test_leads_are_differences_and_intervals_hold_their_estimate(task):
    if task == "numbers":
        found = compare(StackingNetRegressor(), *judges(), random_state=0)
        sign = -1
    else:
        found = compare(StackingNetClassifier(), *panel(), random_state=0)
        sign = 1
    for metric, score in found.scores.items():
        lead = found.leads[metric]
        np.testing.assert_allclose(
            lead.value, sign * (score.value[0] - score.value), atol=1e-12
        )
        assert [each[0] for each in lead] == [0, 0, 0]
        for low, value, high in ((e.low, e.value, e.high) for e in (score, lead)):
            assert (low <= value).all()
            assert (value <= high).all()


def test_a_good_panel_surely_beats_a_constant():
    found = compare(StackingNetRegressor(), *judges(), random_state=0)
    assert found.verdict(found.constant) == "surely better"
    assert not found.constant_wins
    found = compare(StackingNetClassifier(), *panel(), random_state=0)
    assert found.verdict(found.constant) == "surely better"


def test_a_panel_that_knows_nothing_does_not():
    """The constant is the best of all unbiased guesses then, and it is said."""
    table, y = judges(n_rows=60)
    y = np.random.default_rng(1).normal(5, 1, size=60)
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    assert found.constant_wins
    assert "! a constant does at least as well" in str(found)
    assert "surely better" not in found.verdict(found.constant)


def test_missing_predictions_stop_nobody():
    table, y = judges()
    rng = np.random.default_rng(0)
    table[rng.random(table.shape) < 0.3] = np.nan
    table[:2] = np.nan
    table[:, 1] = np.where(np.arange(len(table)) < 100, np.nan, table[:, 1])
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    assert np.isfinite(found.predictions).all()
    # Where nobody answers, the average is the constant.
    silent = np.isin(found.rows, [0, 1])
    np.testing.assert_allclose(
        found.predictions[silent, place(found, "average")],
        found.predictions[silent, found.constant],
    )


@pytest.mark.parametrize("n_labelled", [0, 1, 3])
def test_too_few_labels_are_refused(n_labelled):
    table, y = judges(n_labelled=n_labelled)
    with pytest.raises(ValueError, match=f"{n_labelled} of 200 rows have a label"):
        compare(StackingNetRegressor(), table, y)


@pytest.mark.parametrize("n_labelled", [4, 5, 8])
def test_four_labels_are_enough(n_labelled):
    table, y = judges(n_labelled=n_labelled)
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    assert found.n_folds == n_labelled
    assert np.isfinite(found.scores[ERROR].high).all()


def test_one_class_is_refused():
    votes, y = panel()
    y = np.where(y == "no", y, None)
    with pytest.raises(ValueError, match="of one class"):
        compare(StackingNetClassifier(), votes, y)


def test_a_class_with_one_label_is_not_sure_of_anything():
    votes, y = panel(n_labelled=40)
    rare = (y == "yes").nonzero()[0]
    y[rare[1:]] = None
    found = compare(StackingNetClassifier(), votes, y, random_state=0)
    score = found.scores[BALANCED]
    # A third of it is one row, which is right or wrong.
    assert score.high[0] - score.low[0] > 0.2


def test_labels_of_one_fold_may_be_of_one_class():
    votes, y = panel(n_labelled=6)
    y[:6] = ["no", "no", "no", "no", "no", "yes"]
    cv = [(np.arange(5), np.array([5])), (np.arange(1, 300), np.array([0]))]
    model = StackingNetClassifier(classes=["no", "perhaps", "yes"])
    found = compare(model, votes, y, cv=cv, random_state=0)
    assert found.predictions[0, place(found, "logistic stacking")] == "no"


@pytest.mark.parametrize("n_rows", [6, 20])
def test_intervals_of_few_numbers_cover(n_rows):
    """At 95 %, of leads: where a percentile bootstrap of 6 rows covers 85 %."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        errors = rng.normal(size=(n_rows, 2)) * [1.0, 1.5]
        lead = number_figures(errors, rng, 500, 0.95)[1][ERROR]
        inside.append(lead.low[1] <= 0.5 * np.sqrt(2 / np.pi) <= lead.high[1])
    assert np.mean(inside) > 0.92


@pytest.mark.parametrize("rate", [0.6, 0.9])
def test_intervals_of_few_classes_cover(rate):
    """Of balanced accuracy, though often all rows of a class are right."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [5, 15])
    inside = []
    for _ in range(300):
        right = rng.random((20, 2)) < rate
        score = class_figures(right, labels, rng, 500, 0.95)[0][BALANCED]
        inside.append(score.low[1] <= rate <= score.high[1])
    assert np.mean(inside) > 0.92


def test_equal_contenders_are_equal():
    right = np.random.default_rng(0).random((30, 1)) < 0.7
    labels = np.arange(30) % 2
    scores, leads = class_figures(
        np.hstack([right, right]), labels, np.random.default_rng(0), 200, 0.95
    )
    assert leads["accuracy"].value.tolist() == [0, 0]
    assert leads["accuracy"].low[1] < 0 < leads["accuracy"].high[1]
    assert scores["accuracy"].value[0] == scores["accuracy"].value[1]


def test_rivals_see_what_the_steps_before_return():
    table, y = judges()
    table[::10, 0] = 900.0
    frame = pd.DataFrame(table, columns=["good", "fair", "poor"])
    pipeline = make_pipeline(PredictionClipper(0, 10), StackingNetRegressor())
    found = compare(pipeline, frame, y, random_state=0)
    assert found.scores[ERROR].value[place(found, "average")] < 2
    raw = compare(StackingNetRegressor(), frame, y, random_state=0)
    assert raw.scores[ERROR].value[place(raw, "average")] > 20
    # Names are those of the frame, though the clipper returns an array.
    assert "fair" in found.does[place(found, "best single model")]


def test_members_are_fitted_without_the_rows_tested():
    """The combination is what `fit` would make of the other rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [1.0, 2.0, 0.0] + rng.normal(size=80)
    y[60:] = np.nan
    members = [("line", LinearRegression()), ("near", KNeighborsRegressor(3))]
    model = StackingNetRegressor(members, cv=KFold(3))
    folds = list(LabelledKFold(3).split(X, y))
    found = compare(model, X, y, cv=folds, random_state=0)
    expected = [model.fit(X[train], y[train]).predict(X[test]) for train, test in folds]
    np.testing.assert_allclose(found.predictions[:, 0], np.concatenate(expected))
    assert "line" in found.does[place(found, "best single model")]


def test_members_that_classify():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    y = np.where(X[:, 0] + rng.normal(size=90) > 0, "up", "down").astype(object)
    y[60:] = None
    members = [
        ("bayes", GaussianNB()),
        ("line", make_pipeline(StandardScaler(), LogisticRegression())),
    ]
    model = StackingNetClassifier(members, cv=3)
    folds = list(LabelledKFold(3).split(X, y))
    found = compare(model, X, y, cv=folds, random_state=0)
    expected = [model.fit(X[train], y[train]).predict(X[test]) for train, test in folds]
    assert found.predictions[:, 0].tolist() == np.concatenate(expected).tolist()
    assert found.names[1] == "average probability"


def test_members_that_are_fitted_stay():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=60)
    member = LinearRegression().fit(X[:20], y[:20])
    other = KNeighborsRegressor().fit(X[:20], y[:20])
    model = StackingNetRegressor([("a", member), ("b", other)], cv="prefit")
    found = compare(model, X[20:], y[20:], random_state=0)
    both = np.column_stack([member.predict(X[20:]), other.predict(X[20:])])
    average = found.predictions[:, place(found, "average")]
    np.testing.assert_allclose(average, both.mean(axis=1)[found.rows])
    assert not hasattr(model, "weights_")


def test_fitted_classifiers_stay():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = np.where(X[:, 0] + rng.normal(size=90) > 0, "up", "down")
    fitted = [("a", GaussianNB().fit(X[:30], y[:30]))]
    fitted.append(("b", LogisticRegression().fit(X[:30], y[:30])))
    model = StackingNetClassifier(fitted, class_weight="balanced", cv="prefit")
    found = compare(model, X[30:], y[30:], random_state=0)
    assert found.verdict(found.constant) == "surely better"
    assert model.classes is None


def test_probabilities():
    votes, y = panel()
    classes = np.array(["no", "perhaps", "yes"])
    soft = 0.7 * (votes[:, :, None] == classes) + 0.1
    given = soft.sum(axis=2, keepdims=True)
    for pool in ("logit", "linear"):
        model = StackingNetClassifier(pool=pool, classes=classes)
        found = compare(model, soft / given, y, random_state=0)
        assert found.names[1] == "average probability"
        assert found.verdict(found.constant) == "surely better"


def test_class_weights_are_those_of_the_rival():
    votes, y = panel()
    even = StackingNetClassifier(class_weight={"no": 1, "perhaps": 1, "yes": 1})
    skew = StackingNetClassifier(class_weight={"no": 1e4, "perhaps": 1, "yes": 1})
    shares = []
    for model in (even, skew):
        found = compare(model, votes, y, random_state=0)
        own = found.predictions[:, place(found, "logistic stacking")]
        shares.append((own == "no").mean())
    assert shares[1] > shares[0]


def test_the_score_that_counts_is_what_the_estimator_is_after():
    votes, y = panel()
    found = compare(StackingNetClassifier(), votes, y, random_state=0)
    assert list(found.scores) == list(found.leads) == ["accuracy", BALANCED]
    balanced = StackingNetClassifier(class_weight="balanced")
    assert compare(balanced, votes, y, random_state=0).metric == BALANCED


def test_much_is_drawn_from():
    table, y = judges(n_rows=500, n_labelled=300)
    found = compare(StackingNetRegressor(), table, y, max_rows=100, random_state=0)
    assert (found.n_labelled, found.n_rows, found.left_out) == (100, 200, 300)
    assert "300 further rows" in str(found)
    assert (found.rows < 300).all()


def test_same_seed_same_answer():
    first, again = (
        compare(StackingNetClassifier(), *panel(), random_state=7) for _ in range(2)
    )
    assert str(first) == str(again)
    other = compare(
        StackingNetClassifier(), *panel(), random_state=np.random.RandomState(7)
    )
    assert other.n_labelled == first.n_labelled


def test_units_of_the_labels_do_not_matter():
    table, y = judges()
    found = compare(StackingNetRegressor(), table, y, random_state=0)
    large = compare(StackingNetRegressor(), 1000 * table, 1000 * y, random_state=0)
    np.testing.assert_allclose(
        1000 * found.leads[ERROR].low, large.leads[ERROR].low, rtol=1e-6
    )


def test_frame_and_print():
    found = compare(StackingNetRegressor(), *judges(), random_state=0)
    frame = found.to_frame()
    assert len(frame) == 2 * len(found.names)
    assert list(frame.columns) == [
        *("metric", "name", "value", "low", "high"),
        *("lead", "lead_low", "lead_high"),
    ]
    lines = str(found).splitlines()
    assert lines[0].startswith(ERROR)
    assert all(any(line.startswith(name) for line in lines) for name in found.names)


def test_who_does_not_combine_is_refused():
    table, y = judges()
    with pytest.raises(TypeError, match="LinearRegression is no StackingNet"):
        compare(LinearRegression(), table, y)
    with pytest.raises(ValueError, match="confidence_level"):
        compare(StackingNetRegressor(), table, y, confidence_level=95)
