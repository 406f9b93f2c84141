"""Who is better than whom: how often ranks hold, and what else the table says."""

from time import process_time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks.ranks import Scenario, coverage
from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.ensemble.number_rows import sum_rows
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.inspection import rank_models
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.inspection.evidence import evidence_of_rows
from stackingnet_sk.inspection.rank_intervals import (
    different_pairs,
    probability_best,
    simultaneous_ranks,
)
from stackingnet_sk.inspection.resampling import number_replicates, vote_replicates

FEW = {"n_bootstrap": 200, "random_state": 0}
SPREAD = np.array([0.3, 0.6, 0.6, 1.0, 3.0])
ACCURACY = np.array([0.9, 0.8, 0.8, 0.7, 0.5])


def numbers(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_rows)
    return truth[:, None] + rng.normal(size=(n_rows, 5)) * SPREAD, truth


def votes(n_rows=200, seed=0, n_classes=2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, 5)) < ACCURACY
    off = rng.integers(1, n_classes, size=right.shape)
    return (truth[:, None] + np.where(right, 0, off)) % n_classes, truth


CASES = {
    "numbers": (StackingNetRegressor, numbers),
    "votes": (StackingNetClassifier, votes),
}
both = pytest.mark.parametrize("kind", CASES)


def fit(kind, n_labelled=200):
    estimator, rows = CASES[kind]
    X, y = rows()
    some = np.where(np.arange(len(y)) < n_labelled, y.astype(float), np.nan)
    some = some if n_labelled else None
    return estimator().fit(X, some), X, some


@pytest.mark.parametrize(
    ("n_classes", "labels", "qualities", "errors"),
    [
        (0, "20+", "tied", "own"),
        (2, "5 each", "near", "own"),
        (2, "200", "tied", "skewed"),
        (3, "20+", "near", "common"),
    ],
)
def test_ranks_of_all_models_hold(n_classes, labels, qualities, errors):
    """In nine cases of ten, near ties included, where plain percentiles of bootstrapped
    ranks, which are shorter, do not. `python -m benchmarks.ranks` has more of both;
    of 40 cases chance may take a few percent.
    """
    scenario = Scenario(n_classes, 4, labels, qualities, errors)
    held, plain, width, other = coverage(scenario, n_cases=40, n_draws=120)
    assert held >= 0.85
    assert plain <= held
    assert other <= width <= 4


@both
def test_models_far_apart_have_a_rank_each(kind):
    """Two are tied, and share theirs."""
    model, X, y = fit(kind)
    if kind == "votes":
        X, y = votes(5000)
        model.fit(X, y)
    ranking = rank_models(model, X, y, **FEW)
    low = dict(zip(ranking.model_names.tolist(), ranking.rank_low, strict=True))
    high = dict(zip(ranking.model_names.tolist(), ranking.rank_high, strict=True))
    names = model.model_names_
    assert [low[name] for name in names] == [1, 2, 2, 4, 5]
    assert [high[name] for name in names] == [1, 3, 3, 4, 5]
    assert ranking.group == ["a", "b", "b", "c", "d"]
    assert ranking.probability_best[0] > 0.99


@both
@pytest.mark.parametrize("n_labelled", [200, 30, 0])
def test_it_is_put_together_from_its_parts(kind, n_labelled):
    """Of which the benchmark makes its own."""
    model, X, y = fit(kind, n_labelled)
    ranking = rank_models(model, X, y, n_bootstrap=100, random_state=3)
    rng = np.random.default_rng(3)
    answers = ModelAnswers.of(model, X, y)
    known = evidence_of_rows(model, answers)
    if kind == "numbers":
        imputed = known.combiner.moments
        draws = number_replicates(answers, imputed, rng, 100)
    else:
        draws = vote_replicates(known.counts, rng, 100)
    better = different_pairs(known.reliability, draws, 0.9)
    order = [model.model_names_.tolist().index(name) for name in ranking.model_names]
    assert_array_equal(ranking.better, better[np.ix_(order, order)])
    assert_array_equal(ranking.rank_low, simultaneous_ranks(better)[0][order])
    assert_array_equal(ranking.rank_high, simultaneous_ranks(better)[1][order])
    assert_allclose(ranking.probability_best, probability_best(draws)[order])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    values = known.reliability
    assert_allclose(ranking.low, np.minimum(low, values)[order])
    assert_allclose(ranking.high, np.maximum(high, values)[order])


@both
@pytest.mark.parametrize("n_labelled", [200, 30, 0])
def test_values_are_those_of_the_estimator(kind, n_labelled):
    """On the rows of its fit; the best first."""
    model, X, y = fit(kind, n_labelled)
    ranking = rank_models(model, X, y, **FEW)
    order = [model.model_names_.tolist().index(name) for name in ranking.model_names]
    assert_allclose(ranking.reliability, model.reliability_[order], rtol=1e-9)
    assert_allclose(ranking.weight, model.weights_[order])
    assert (np.diff(ranking.reliability) <= 0).all()
    assert (ranking.low <= ranking.reliability).all()
    assert (ranking.reliability <= ranking.high).all()
    assert (ranking.rank_low <= np.arange(1, 6)).all()
    assert (np.arange(1, 6) <= ranking.rank_high).all()
    assert (ranking.n_labelled, ranking.n_rows) == (n_labelled, 200)
    assert_array_equal(ranking.answered, 1)


def test_error_bias_and_drop_one_of_numbers_by_hand():
    model, X, y = fit("numbers")
    ranking = rank_models(model, X, y, **FEW)
    for m, name in enumerate(model.model_names_):
        place = ranking.model_names.tolist().index(name)
        away = X[:, m] - y
        assert ranking.quality[place] == pytest.approx(np.sqrt(np.mean(away**2)))
        assert ranking.bias[place] == pytest.approx(away.mean())
        rest = StackingNetRegressor().fit(np.delete(X, m, axis=1), y).solution_
        all_models = model.solution_.expected_error
        assert ranking.drop_one[place] == pytest.approx(
            np.sqrt(rest.expected_error) - np.sqrt(all_models), abs=1e-9
        )
        assert ranking.error == pytest.approx(np.sqrt(all_models))
    assert ranking.unit == "root mean squared error"
    assert ranking.chance == 0


def test_balanced_accuracy_and_drop_one_of_votes_by_hand():
    model, X, y = fit("votes")
    ranking = rank_models(model, X, y, **FEW)
    for m, name in enumerate(model.model_names_):
        place = ranking.model_names.tolist().index(name)
        expected = balanced_accuracy_score(y, X[:, m])
        assert ranking.quality[place] == pytest.approx(expected)
        rest = StackingNetClassifier().fit(np.delete(X, m, axis=1), y).solution_
        assert ranking.drop_one[place] == pytest.approx(
            rest.expected_error - model.solution_.expected_error, abs=1e-9
        )
    assert ranking.error == pytest.approx(model.solution_.expected_error)
    assert ranking.unit == "log loss"
    assert ranking.chance == 1 / 2
    assert np.isnan(ranking.bias).all()


@both
def test_without_labels_only_agreement_speaks(kind):
    model, X, _ = fit(kind, 0)
    ranking = rank_models(model, X, **FEW)
    assert np.isnan(ranking.quality).all()
    assert np.isnan(ranking.drop_one).all()
    assert np.isnan(ranking.error)
    assert np.isfinite(ranking.low).all()
    assert ranking.n_labelled == 0
    assert ranking.model_names[-1] == "model_4"


@both
def test_the_same_seed_gives_the_same_ranking(kind):
    model, X, y = fit(kind, 30)
    one, other = (rank_models(model, X, y, **FEW) for _ in range(2))
    assert one.columns() == other.columns()
    third = rank_models(
        model, X, y, n_bootstrap=200, random_state=np.random.default_rng(0)
    )
    assert one.columns() == third.columns()
    fourth = rank_models(model, X, y, n_bootstrap=200, random_state=1)
    assert (one.low != fourth.low).any()
    assert_array_equal(one.reliability, fourth.reliability)


@both
def test_order_of_columns_is_of_no_account_to_the_values(kind):
    """Draws are others, but as many that they say the same."""
    estimator, rows = CASES[kind]
    X, y = rows()
    names = np.array(list("abcde"))
    order = np.array([3, 0, 4, 2, 1])
    found = []
    for own in (np.arange(5), order):
        table = pd.DataFrame(X[:, own], columns=names[own])
        found.append(rank_models(estimator().fit(table, y), table, y, random_state=0))
    one, other = found
    assert one.model_names.tolist() == other.model_names.tolist()
    for name in ("reliability", "quality", "bias", "answered", "drop_one", "weight"):
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-9)
    assert_allclose(one.low, other.low, atol=0.04)
    assert_allclose(one.high, other.high, atol=0.04)
    assert_allclose(one.probability_best, other.probability_best, atol=0.1)


def test_equal_models_come_in_order_of_their_names_and_never_differ():
    X, y = numbers()
    table = pd.DataFrame({"c": X[:, 0], "a": X[:, 0], "b": X[:, 0], "d": X[:, 4]})
    model = StackingNetRegressor().fit(table, y)
    ranking = rank_models(model, table, y, **FEW)
    assert ranking.model_names.tolist() == ["a", "b", "c", "d"]
    assert ranking.rank_low.tolist() == [1, 1, 1, 4]
    assert ranking.rank_high.tolist() == [3, 3, 3, 4]
    assert ranking.group == ["a", "a", "a", "b"]
    assert_allclose(ranking.probability_best, [1 / 3, 1 / 3, 1 / 3, 0], atol=0.1)


@both
def test_who_misleads_is_told(kind):
    """By the labels, by the others and by the interval; of the others nothing."""
    estimator, rows = CASES[kind]
    X, y = rows(400)
    X[:, 4] = -X[:, 1] if kind == "numbers" else 1 - X[:, 1]
    model = estimator().fit(X, y)
    ranking = rank_models(model, X, y, **FEW)
    assert ranking.model_names[-1] == "model_4"
    assert not any(ranking.against[:-1])
    assert "the labels" in ranking.against[-1]
    assert "other models" in ranking.against[-1]
    assert "below chance" in ranking.against[-1]
    assert ranking.high[-1] < ranking.chance
    assert "! model_4: " in str(ranking)
    free = rank_models(model, X, **FEW)
    assert "other models" in free.against[-1]
    assert "labels" not in free.against[-1]


def test_members_are_asked_about_new_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=300)
    model = StackingNetRegressor(
        [
            ("mean", DummyRegressor()),
            ("tree", DecisionTreeRegressor(max_depth=2, random_state=0)),
            ("line", LinearRegression()),
        ],
        cv=3,
    ).fit(X[:200], y[:200])
    ranking = rank_models(model, X[200:], y[200:], **FEW)
    assert ranking.model_names.tolist() == ["line", "tree", "mean"]
    assert ranking.rank_low[0] == ranking.rank_high[0] == 1
    line = model.named_estimators_["line"]
    assert ranking.quality[0] == pytest.approx(
        np.sqrt(np.mean((line.predict(X[200:]) - y[200:]) ** 2))
    )
    # A constant says nothing.
    assert ranking.reliability[-1] == 0
    assert ranking.n_rows == 100


def test_members_that_classify_are_asked_for_their_most_probable_class():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.where(X @ [1.0, 2.0, 3.0] + rng.normal(size=300) > 0, "yes", "no")
    model = StackingNetClassifier(
        [
            ("guess", DummyClassifier(strategy="prior")),
            ("tree", DecisionTreeClassifier(max_depth=1, random_state=0)),
            ("line", LogisticRegression()),
        ],
        cv=3,
    ).fit(X[:200], y[:200])
    ranking = rank_models(model, X[200:], y[200:], **FEW)
    assert ranking.model_names[0] == "line"
    line = model.named_estimators_["line"]
    assert ranking.quality[0] == pytest.approx(
        balanced_accuracy_score(y[200:], line.predict(X[200:]))
    )


def test_probabilities_count_as_votes():
    X, y = votes(n_classes=3)
    given = np.full((200, 5, 3), 0.2)
    np.put_along_axis(given, X[:, :, None], 0.6, axis=2)
    by_votes = rank_models(StackingNetClassifier().fit(X, y), X, y, **FEW)
    for pool in ("logit", "linear"):
        model = StackingNetClassifier(pool=pool).fit(given, y)
        ranking = rank_models(model, given, y, **FEW)
        assert_allclose(ranking.reliability, by_votes.reliability)
        assert_allclose(ranking.low, by_votes.low)


def test_missing_votes_and_texts():
    """None abstains; the share of answers is told."""
    X, y = votes()
    table = pd.DataFrame(np.where(X == 1, "yes", "no"), columns=list("abcde"))
    table.loc[:49, "a"] = None
    table["e"] = None
    labels = np.where(y == 1, "yes", "no")
    model = StackingNetClassifier().fit(table, labels)
    ranking = rank_models(model, table, labels, **FEW)
    answered = dict(zip(ranking.model_names, ranking.answered, strict=True))
    assert answered == {"a": 0.75, "b": 1.0, "c": 1.0, "d": 1.0, "e": 0.0}
    place = ranking.model_names.tolist().index("e")
    assert ranking.reliability[place] == 0.5
    assert np.isnan(ranking.quality[place])
    some = np.where(np.arange(200) < 30, labels, None)
    assert rank_models(model, table, some, **FEW).n_labelled == 30


@both
def test_output_of_transform_as_frames(kind):
    model, X, y = fit(kind, 30)
    expected = rank_models(model, X, y, **FEW)
    found = rank_models(model.set_output(transform="pandas"), X, y, **FEW)
    assert found.columns() == expected.columns()


@both
def test_as_a_table(kind):
    model, X, y = fit(kind, 30)
    ranking = rank_models(model, X, y, **FEW)
    frame = ranking.to_frame()
    assert frame["model"].tolist() == ranking.model_names.tolist()
    assert frame["group"].tolist() == ranking.group
    assert_array_equal(frame["drop_one"], ranking.drop_one)
    assert ("bias" in frame) == ("rmse" in frame) == (kind == "numbers")
    lines = str(ranking).splitlines()
    assert lines[0].split()[:2] == ["model", "reliability"]
    assert "90 % interval" in lines[0]
    assert "30 of 200 rows have a label" in str(ranking)
    for name in model.model_names_:
        assert any(line.startswith(name) for line in lines)


@both
def test_the_surer_the_wider(kind):
    model, X, y = fit(kind, 30)
    narrow, wide = (
        rank_models(model, X, y, confidence_level=level, **FEW) for level in (0.5, 0.99)
    )
    assert (wide.low <= narrow.low).all()
    assert (wide.high >= narrow.high).all()
    assert (wide.rank_low <= narrow.rank_low).all()
    assert (wide.rank_high >= narrow.rank_high).all()


@pytest.mark.parametrize("kind", CASES)
def test_a_thousand_replicates_cost_no_more_than_labels_alone_by_rows(kind):
    """No row is copied: 20 models, 10,000 rows. Compared are plain correlations or
    balanced accuracies of rows that are drawn, which know nothing of agreement.
    """
    rng = np.random.default_rng(0)
    n_rows, n_models = 10_000, 20
    truth = rng.integers(2, size=n_rows)
    right = rng.random((n_rows, n_models)) < np.linspace(0.9, 0.6, n_models)
    table = np.where(right, truth[:, None], 1 - truth[:, None])
    if kind == "numbers":
        table = truth[:, None] + rng.normal(size=table.shape)
        answers = ModelAnswers(np.arange(20), table, truth.astype(float), None)
        imputed = sum_rows(table, answers.labels, None, answers.names).imputed()
    else:
        answers = ModelAnswers(np.arange(20), np.eye(2)[table], truth, np.arange(2))
        counts = VoteCounts.from_rows(answers.votes, truth, 2)

    start = process_time()
    if kind == "numbers":
        number_replicates(answers, imputed, rng, 1000)
    else:
        vote_replicates(counts, rng, 1000)
    ours = process_time() - start
    start = process_time()
    for _ in range(20):
        rows = rng.integers(n_rows, size=n_rows)
        own, labels = table[rows], truth[rows]
        if kind == "numbers":
            np.corrcoef(own.T, labels)
        else:
            [(own[labels == k] == k).mean(axis=0) for k in range(2)]
    plain = (process_time() - start) / 20 * 1000
    print(f"{kind}: 1,000 replicates {ours:.2f} s, by rows {plain:.2f} s")
    # A margin for the noise of clocks; measured is a third to a half.
    assert ours < 2 * plain


@both
def test_bad_input(kind):
    model, X, y = fit(kind)
    with pytest.raises(NotFittedError, match="not fitted"):
        rank_models(type(model)(), X, y)
    with pytest.raises(TypeError, match=r"give a fitted one .of a pipeline its last"):
        rank_models(make_pipeline(PredictionClipper(-9, 9), model), X, y)
    with pytest.raises(TypeError, match="LinearRegression is no StackingNetRegressor"):
        rank_models(LinearRegression(), X, y)
    with pytest.raises(ValueError, match="1 model; comparing takes at least two"):
        rank_models(type(model)().fit(X[:, :1], y), X[:, :1], y)
    with pytest.raises(ValueError, match="n_bootstrap=1 must be a whole number"):
        rank_models(model, X, y, n_bootstrap=1)
    for level in (0, 1, 90):
        with pytest.raises(ValueError, match=r"between 0 and 1, such as 0.9"):
            rank_models(model, X, y, confidence_level=level)
    with pytest.raises(ValueError, match=r"5 features|5 columns|X has 4"):
        rank_models(model, X[:, :4], y)
    with pytest.raises(ValueError, match=r"inconsistent|same number|rows|samples"):
        rank_models(model, X, y[:-1])


@pytest.mark.parametrize("kind", ["numbers", "votes"])
def test_it_says_how_much_rests_on_agreement(kind):
    """All of it without labels, less and less with them; the table and the frame say
    so as long as it is more than half.
    """
    rng = np.random.default_rng(0)
    if kind == "numbers":
        truth = rng.normal(size=400)
        table = truth[:, None] + rng.normal(size=(400, 4))
        estimator, expected = StackingNetRegressor(), lambda n: 20 / (n + 20)
    else:
        truth = np.arange(400) % 2
        table = np.where(rng.random((400, 4)) < 0.8, truth[:, None], 1 - truth[:, None])
        estimator, expected = StackingNetClassifier(), lambda n: 100 / (n / 2 + 100)
    for n_labelled in (0, 10, 400):
        some = np.where(np.arange(400) < n_labelled, truth, np.nan)
        some = some if n_labelled else None
        fitted = estimator.fit(table, some)
        ranking = rank_models(fitted, table, some, n_bootstrap=50, random_state=0)
        assert ranking.agreement == pytest.approx(expected(n_labelled), rel=1e-9)
        said = f"{ranking.agreement:.0%} of the reliability is agreement"
        assert (said in str(ranking)) == (ranking.agreement > 0.5)
