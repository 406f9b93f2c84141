"""Votes without labels: how rows come in, what they tell, and how it is searched."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from test_classifier import panel, with_few_labels

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.model_selection import LabelledKFold, labelled_scorer
from stackingnet_sk.weights import Status

FITTED = ("vote_weights_", "weights_", "intercept_", "confusion_", "class_prior_")


@pytest.fixture
def votes():
    return panel(silence=0.1)[0]


@pytest.fixture
def truth():
    return panel(silence=0.1)[1]


@pytest.fixture
def few(truth):
    return with_few_labels(truth)


def assert_same(model, other):
    for attribute in FITTED:
        assert_array_equal(getattr(model, attribute), getattr(other, attribute))


def majority(votes, n_classes):
    return (votes[:, :, None] == np.arange(n_classes)).sum(axis=1).argmax(axis=1)


def some_of_each_class(truth, n_each):
    """Labels of the first rows of each class, NaN on the others."""
    labels = np.full(len(truth), np.nan)
    for k in np.unique(truth):
        labels[(truth == k).nonzero()[0][:n_each]] = k
    return labels


# --------------------------------------------------------------- the same rows, however

NAMES = np.array(["ant", "bee", "cat"], dtype=object)


def texts(labels, missing):
    return [missing if np.isnan(label) else NAMES[int(label)] for label in labels]


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: [None if np.isnan(label) else label for label in y],
        lambda y: np.array([None if np.isnan(v) else int(v) for v in y], dtype=object),
        lambda y: pd.Series(y).astype("Int64"),
        lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
        lambda y: texts(y, None),
        lambda y: texts(y, np.nan),
        lambda y: np.array(texts(y, np.nan), dtype=object),
        lambda y: pd.Series(texts(y, pd.NA), dtype="string"),
        lambda y: pd.Series(texts(y, None), dtype="category"),
    ],
    ids=[
        "list",
        "object",
        "Int64",
        "series",
        "texts-None",
        "texts-NaN",
        "array-NaN",
        "string",
        "category",
    ],
)
def test_labels_may_be_missing_in_any_form(votes, few, convert):
    """They are what other programs write; what is missing must not become a class."""
    labels = convert(few)
    named = isinstance(next(v for v in labels if not pd.isna(v)), str)
    table = votes
    if named:
        table = np.array([texts(row, None) for row in votes], dtype=object)
    model = StackingNetClassifier().fit(table, labels)

    assert model.classes_.tolist() == (NAMES.tolist() if named else [0, 1, 2])
    assert_same(model, StackingNetClassifier().fit(votes, few))
    right = model.predict(table[:30]) == np.array(list(labels)[:30])
    assert model.score(table, labels) == right.mean()


def test_unlabelled_rows_in_y_and_beside_it_add_up(votes, truth, few):
    """A row is the same row whichever door it comes through."""
    both = StackingNetClassifier().fit(votes[:200], few[:200], X_unlabeled=votes[200:])
    apart = StackingNetClassifier().fit(votes[:30], truth[:30], X_unlabeled=votes[30:])
    inside = StackingNetClassifier().fit(votes, few)

    assert_same(both, inside)
    assert_same(apart, inside)
    alone = StackingNetClassifier().fit(votes[:30], truth[:30])
    assert np.abs(alone.vote_weights_ - inside.vote_weights_).max() > 0.01


def test_without_any_label_both_tables_count_alike(votes):
    """Their order does not matter either."""
    whole = StackingNetClassifier().fit(votes)

    assert_same(StackingNetClassifier().fit(votes[:90], X_unlabeled=votes[90:]), whole)
    assert_same(StackingNetClassifier().fit(votes[90:], X_unlabeled=votes[:90]), whole)


def test_unlabelled_rows_without_weight_are_no_rows(votes, few):
    omega = (np.arange(300) < 150).astype(float)
    weighted = StackingNetClassifier(classes=range(3))
    weighted.fit(votes, few, sample_weight=omega)

    assert_same(weighted, StackingNetClassifier().fit(votes[:150], few[:150]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v[:, :3], "3 features.*expecting 5"),
        (lambda v: np.where(np.arange(5) == 2, 9, v), "'model_2' votes 9.0 at row 0"),
        (lambda v: v[0], "1D array"),
    ],
    ids=["fewer", "unknown", "row"],
)
def test_errors_say_which_of_the_two_tables(votes, truth, change, said):
    """Row 0 of which table? There are two."""
    model = StackingNetClassifier(unknown_vote="error")
    with pytest.raises(ValueError, match=f"(?s)X_unlabeled.*{said}"):
        model.fit(votes, truth, X_unlabeled=change(votes))


# ------------------------------------------------------------------------- no labels


@pytest.mark.parametrize("structure", ["shared", "full", "auto"])
def test_without_labels_the_likelihood_is_reported(votes, structure):
    """One number an iteration, for whoever doubts the estimate, and how it ended."""
    model = StackingNetClassifier(structure=structure).fit(votes)
    solution = model.solution_

    assert solution.status is Status.CONVERGED
    assert "no labels" in repr(solution)
    assert len(solution.log_likelihood) == solution.iterations > 1
    assert np.isfinite(solution.log_likelihood).all()
    assert solution.log_likelihood[-1] > solution.log_likelihood[0]
    assert solution.objective == -solution.log_likelihood[-1]


def test_without_labels_it_is_deterministic(votes):
    """Majority start, no draw: the same bits, from any order of rows."""
    first = StackingNetClassifier().fit(votes)

    assert_same(StackingNetClassifier().fit(votes), first)
    assert_same(StackingNetClassifier().fit(votes[::-1]), first)


def test_a_single_label_is_next_to_none():
    """No cliff between no labels and some: the prior holds. Five answers tell a little
    of how far agreement can be trusted, by the same factor for all models.
    """
    votes, truth = panel(n_rows=1000)
    one = np.where(np.arange(1000) == 17, truth, np.nan)
    few = StackingNetClassifier(classes=range(3), structure="full").fit(votes, one)
    none = StackingNetClassifier().fit(votes)

    factor = (few.reliability_ - 1 / 3) / (none.reliability_ - 1 / 3)
    assert 1.0 < factor.min() < factor.max() < 1.25
    assert np.ptp(factor) < 0.1
    assert np.mean(few.predict(votes) != none.predict(votes)) < 0.02


def test_agreement_alone_finds_the_accuracies():
    """The more rows, the nearer: independent voters identify themselves. Whether they
    are independent is another matter, so that reliability is nearer to chance.
    """

    def distance_of(seed, n_rows):
        model = StackingNetClassifier().fit(panel(seed, n_rows)[0])
        agreed = model.combiner_.voters.confusion.diagonal(axis1=1, axis2=2)
        shrunk = (model.reliability_ - 1 / 3) / (agreed.mean(axis=1) - 1 / 3)
        assert_allclose(shrunk, model.combiner_.voters.trust.mean, rtol=1e-9)
        return np.abs(agreed.mean(axis=1) - accuracy).max()

    accuracy = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    distance = []
    for n_rows in (200, 2000, 20000):
        distance.append(np.mean([distance_of(seed, n_rows) for seed in range(5)]))

    assert distance[0] > 1.5 * distance[1] > 3 * distance[2]
    assert distance[2] < 0.02


# -------------------------------------------------------------------- what it is for


@pytest.mark.parametrize("n_each", [0, 5])
@pytest.mark.parametrize(
    ("n_classes", "accuracy"),
    [
        (2, [0.9, 0.85, 0.8, 0.75, 0.7, 0.5, 0.12]),
        (3, [0.9, 0.85, 0.8, 0.75, 0.7, 1 / 3, 0.1]),
    ],
)
def test_planted_adversaries_are_found(n_classes, accuracy, n_each):
    """A voter at random and one against the truth come last, from five labels a class
    and from none, in at least nineteen of twenty draws.
    """
    found = []
    for seed in range(20):
        votes, truth = panel(seed, 400, accuracy, n_classes)
        labels = some_of_each_class(truth, n_each) if n_each else None
        model = StackingNetClassifier(classes=range(n_classes)).fit(votes, labels)
        found.append(model.reliability_.argsort()[:2].tolist() == [6, 5])

    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_labelled", [4, 12])
def test_unlabelled_rows_help_where_labels_are_few(n_classes, n_labelled):
    """They show who agrees with whom, which a handful of labels cannot."""
    accuracy = np.linspace(0.52, 0.9, 7)
    score = []
    for seed in range(10):
        votes, truth = panel(seed, 1400, accuracy, n_classes)
        own, more, test = slice(n_labelled), slice(n_labelled, 400), slice(400, None)
        model = StackingNetClassifier(classes=range(n_classes))
        alone = clone(model).fit(votes[own], truth[own])
        helped = clone(model).fit(votes[own], truth[own], X_unlabeled=votes[more])
        score.append([m.score(votes[test], truth[test]) for m in (alone, helped)])
    without, informed = np.transpose(score)

    assert informed.mean() > without.mean() + 0.005
    # Not by a few lucky draws.
    assert np.mean(informed >= without) >= 0.8


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_labelled", [0, 20, 200])
def test_unequal_voters_are_better_weighed_than_counted(n_classes, n_labelled):
    """The default against majority vote, on rows that neither has seen."""
    score = []
    for seed in range(10):
        votes, truth = panel(seed, 1600, np.linspace(0.4, 0.9, 7), n_classes)
        labels = with_few_labels(truth, n_labelled)[:600] if n_labelled else None
        model = StackingNetClassifier(classes=range(n_classes))
        model.fit(votes[:600], labels)
        counted = np.mean(majority(votes[600:], n_classes) == truth[600:])
        score.append([model.score(votes[600:], truth[600:]), counted])
    ours, theirs = np.transpose(score)

    assert ours.mean() > theirs.mean() + 0.01
    assert np.mean(ours >= theirs) >= 0.9


# -------------------------------------------------------------------- score and search


def test_score_uses_labelled_rows_and_their_weights(votes, truth, few):
    model = StackingNetClassifier().fit(votes, truth)
    omega = np.random.default_rng(0).uniform(size=300)
    right = model.predict(votes[:30]) == truth[:30]

    assert model.score(votes, few) == right.mean()
    weighted = np.average(right, weights=omega[:30])
    assert model.score(votes, few, sample_weight=omega) == pytest.approx(weighted)
    with pytest.raises(ValueError, match="label"):
        model.score(votes, np.full(300, np.nan))


@pytest.mark.parametrize("stratified", [False, True])
def test_cross_validation_scores_held_out_labels(votes, truth, few, stratified):
    """All rows without a label train in each fold; only labels test."""
    folds = LabelledKFold(3, stratified=stratified)
    scoring = labelled_scorer("balanced_accuracy")
    model = StackingNetClassifier()
    found = cross_val_score(model, votes, few, cv=folds, scoring=scoring)

    expected = []
    for train, test in folds.split(votes, few):
        assert set(np.arange(30, 300)) <= set(train)
        fitted = clone(model).fit(votes[train], few[train])
        prediction = fitted.predict(votes[test])
        expected.append(balanced_accuracy_score(truth[test], prediction))
    assert_array_equal(found, expected)


def test_grid_search_on_partly_labelled_texts(votes, few):
    """Refitted on all rows, those without a label included."""
    table = np.array([texts(row, None) for row in votes], dtype=object)
    labels = np.array(texts(few, None), dtype=object)
    grid = {"structure": ["shared", "full"], "class_weight": [None, "balanced"]}
    search = GridSearchCV(
        StackingNetClassifier(),
        grid,
        cv=LabelledKFold(3, shuffle=True, random_state=0),
        scoring=labelled_scorer("neg_log_loss"),
        error_score="raise",
    ).fit(table, labels)

    best = StackingNetClassifier(**search.best_params_).fit(table, labels)
    assert_same(search.best_estimator_, best)
    assert search.best_estimator_.counts_.weight == 300


@pytest.fixture
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def asking(_routing):
    return StackingNetClassifier().set_fit_request(X_unlabeled=True)


@pytest.mark.usefixtures("_routing")
def test_pipeline_transforms_unlabelled_rows_like_the_others(votes, truth, asking):
    """Here a step that turns the classes around, as a cleaning step might."""
    turn = FunctionTransformer(lambda table: 2 - table)
    pipeline = Pipeline(
        [("turn", turn), ("vote", asking)], transform_input=["X_unlabeled"]
    ).fit(votes[:60], truth[:60], X_unlabeled=votes[60:])
    alone = StackingNetClassifier()
    alone.fit(2 - votes[:60], truth[:60], X_unlabeled=2 - votes[60:])

    assert_same(pipeline["vote"], alone)


@pytest.mark.usefixtures("_routing")
def test_grid_search_hands_on_unlabelled_rows(votes, truth, asking):
    grid = {"shrinkage": [1.0, 300.0], "structure": ["shared", "full"]}
    own, more, folds = slice(60), votes[60:], StratifiedKFold(3)
    search = GridSearchCV(asking, grid, cv=folds)
    search.fit(votes[own], truth[own], X_unlabeled=more)

    for params, found in zip(
        search.cv_results_["params"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        model = StackingNetClassifier(**params)
        expected = [
            model.fit(votes[train], truth[train], X_unlabeled=more).score(
                votes[test], truth[test]
            )
            for train, test in folds.split(votes[own], truth[own])
        ]
        assert found == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.usefixtures("_routing")
@pytest.mark.parametrize("n_more", [200, 60])
def test_cross_validate_hands_on_unlabelled_rows(votes, truth, asking, n_more):
    """Whole, unless there are as many as rows of X, which scikit-learn slices."""
    own, more, folds = slice(60), votes[60 : 60 + n_more], StratifiedKFold(3)
    found = cross_validate(
        asking,
        votes[own],
        truth[own],
        cv=folds,
        params={"X_unlabeled": more},
        return_estimator=True,
    )

    splits = folds.split(votes[own], truth[own])
    for (train, _), model in zip(splits, found["estimator"], strict=True):
        rest = more if n_more != 60 else more[train]
        alone = StackingNetClassifier()
        assert_same(model, alone.fit(votes[train], truth[train], X_unlabeled=rest))


@pytest.mark.usefixtures("_routing")
def test_not_saying_whether_one_wants_them_is_an_error(votes, truth):
    search = GridSearchCV(StackingNetClassifier(), {"structure": ["shared"]})
    with pytest.raises(UnsetMetadataPassedError, match="X_unlabeled"):
        search.fit(votes, truth, X_unlabeled=votes)
