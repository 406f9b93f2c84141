"""Missing predictions: every answer about the models is that of the fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import at_most_models, max_weight
from stackingnet_sk.datasets import make_experts
from stackingnet_sk.ensemble.number_rows import sum_rows
from stackingnet_sk.inspection import (
    ReliabilityPruner,
    next_model,
    prune,
    rank_models,
)
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.inspection.rank_intervals import different_pairs, simultaneous_ranks
from stackingnet_sk.inspection.resampling import number_replicates
from stackingnet_sk.weights import reliability

FEW = {"n_bootstrap": 100, "random_state": 0}


def panel(kind, n_labelled=200, seed=0):
    """Five models, 0.4 of whose answers are missing; a few rows that none answers."""
    judges = make_experts(
        300,
        5,
        n_classes=None if kind == "numbers" else 3,
        accuracy=[0.9, 0.8, 0.7, 0.6, 0.5],
        missing=0.4,
        random_state=seed,
    )
    X, y = judges.X.astype(float), judges.y.astype(float)
    X[:3] = np.nan
    y[n_labelled:] = np.nan
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, 300)
    estimator = StackingNetRegressor() if kind == "numbers" else StackingNetClassifier()
    return estimator, X, y, weights


def expected_error(model):
    """In the unit of the answers."""
    error = model.solution_.expected_error
    return error if isinstance(model, StackingNetClassifier) else np.sqrt(error)


both = pytest.mark.parametrize("kind", ["numbers", "votes"])


def test_the_path_starts_at_the_error_of_the_fit():
    """It was .464 in place of .322: missing predictions were read as if complete."""
    judges = make_experts(
        300, 5, accuracy=[0.9, 0.8, 0.7, 0.6, 0.5], missing=0.4, random_state=0
    )
    model = StackingNetRegressor().fit(judges.X, judges.y)
    assert expected_error(model) == pytest.approx(0.322, abs=5e-4)
    assert prune(model).error[0] == pytest.approx(expected_error(model), rel=1e-12)
    changes = next_model(model, model.model_names_)
    assert changes.error == pytest.approx(expected_error(model), rel=1e-12)


def test_models_are_removed_in_order_of_the_reliability_of_the_fit():
    """Their order was another, where the labels of all rows stood for those of the rows
    that a model answers.
    """
    judges = make_experts(
        300, 5, accuracy=[0.8, 0.75, 0.7, 0.65, 0.6], missing=0.4, random_state=4
    )
    model = StackingNetRegressor().fit(judges.X, judges.y)
    path = prune(model)
    order = np.argsort(model.reliability_)
    assert path.removed.tolist() == model.model_names_[order].tolist()
    assert_array_equal(path.reliability, model.reliability_[order])


@both
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_labelled", [200, 300])
def test_errors_along_the_path_are_those_of_refits(kind, weighted, n_labelled):
    """To what expectation-maximization leaves; in the path no row is read."""
    estimator, X, y, weights = panel(kind, n_labelled)
    options = {"sample_weight": weights} if weighted else {}
    model = estimator.fit(X, y, **options)
    path = prune(model)
    order = np.argsort(model.reliability_)
    assert path.removed.tolist() == model.model_names_[order].tolist()
    assert_allclose(path.reliability, model.reliability_[order], rtol=1e-9)
    for n, error in enumerate(path.error):
        left = np.isin(model.model_names_, path.removed[n:])
        refit = clone(model).fit(X[:, left], y, **options)
        assert error == pytest.approx(expected_error(refit), rel=1e-6)


@both
def test_changes_are_those_of_refits(kind):
    estimator, X, y, weights = panel(kind)
    model = estimator.fit(X, y, sample_weight=weights)
    changes = next_model(model, ["model_0", "model_2"])

    def error(columns):
        return expected_error(clone(model).fit(X[:, columns], y, sample_weight=weights))

    now = error([0, 2])
    assert changes.error == pytest.approx(now, rel=1e-6)
    refits = [[2], [0, 1, 2], [0], [0, 2, 3], [0, 2, 4]]
    expected = np.array([error(columns) for columns in refits]) - now
    assert_allclose(changes.change, expected, atol=1e-6)


@pytest.mark.parametrize(
    "constraint", ["simplex", "affine", "simplex" & max_weight(0.4), at_most_models(2)]
)
def test_paths_under_constraints_are_those_of_refits(constraint):
    """As far as they can be fulfilled."""
    _, X, y, weights = panel("numbers")
    model = StackingNetRegressor(constraint=constraint)
    model.fit(X, y, sample_weight=weights)
    path = prune(model)
    for n, error in enumerate(path.error[:3]):
        left = np.isin(model.model_names_, path.removed[n:])
        refit = clone(model).fit(X[:, left], y, sample_weight=weights)
        assert error == pytest.approx(expected_error(refit), rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*never answer:UserWarning")
@both
def test_a_model_that_never_answers_changes_nothing(kind):
    """Alone, it leaves the prediction of a row that nobody answers: the mean of the
    labels, or the rates of the classes.
    """
    estimator, X, y, weights = panel(kind)
    X[:, 2] = np.nan
    model = estimator.fit(X, y, sample_weight=weights)
    path = prune(model)
    place = path.removed.tolist().index("model_2")
    assert path.error[place + 1] == pytest.approx(path.error[place], rel=1e-9)
    changes = next_model(model, ["model_0", "model_2"])
    alone = clone(model).fit(X[:, [0]], y, sample_weight=weights)
    assert changes.error == pytest.approx(expected_error(alone), rel=1e-6)
    assert changes.change[2] == pytest.approx(0, abs=1e-9)
    assert changes.change[0] > 0

    changes = next_model(model, ["model_2"])
    if kind == "numbers":
        rows = ~np.isnan(y)
        mean = np.average(y[rows], weights=weights[rows])
        squares = np.average(np.square(y[rows] - mean), weights=weights[rows])
        assert changes.error == pytest.approx(np.sqrt(squares), rel=0.01)
    else:
        assert changes.error == pytest.approx(np.log(3), rel=0.05)


@pytest.mark.filterwarnings("ignore:.*never answer:UserWarning")
@both
def test_models_that_all_mislead_go_before_one_that_never_answers(kind):
    """It is left at the end of the path, where there was no error."""
    estimator, X, y, _ = panel(kind)
    X = -X if kind == "numbers" else (X + 1) % 3
    X[:, 2] = np.nan
    path = prune(estimator.fit(X, y))
    assert path.removed[-1] == "model_2"
    assert np.isfinite(path.error).all()


def test_models_are_ranked_by_the_reliability_of_the_fit():
    """Each by the rows that it answers; errors are those of the fit and of refits."""
    estimator, X, y, _ = panel("numbers")
    model = estimator.fit(X, y)
    ranking = rank_models(model, X, y, **FEW)
    order = [model.model_names_.tolist().index(name) for name in ranking.model_names]
    assert_allclose(ranking.reliability, model.reliability_[order], rtol=1e-12)
    assert (np.diff(ranking.reliability) <= 0).all()
    assert (ranking.low <= ranking.reliability).all()
    assert (ranking.reliability <= ranking.high).all()
    assert ranking.error == pytest.approx(expected_error(model), rel=1e-12)
    assert_allclose(ranking.answered, 1 - np.isnan(X[:, order]).mean(axis=0))
    errors = X[:, order] - y[:, None]
    assert_allclose(ranking.quality, np.sqrt(np.nanmean(errors**2, axis=0)))
    assert_allclose(ranking.bias, np.nanmean(errors, axis=0))
    for place, m in enumerate(order):
        refit = clone(model).fit(np.delete(X, m, axis=1), y)
        expected = expected_error(refit) - ranking.error
        assert ranking.drop_one[place] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n_labelled", [0, 20, 300])
def test_rows_that_no_model_answers_do_not_count(n_labelled):
    """They say nothing of the models, whatever their labels."""
    judges = make_experts(300, 4, missing=0.3, random_state=1)
    X, y = judges.X, np.where(np.arange(300) < n_labelled, judges.y, np.nan)
    y = y if n_labelled else None
    some = ~np.isnan(X).all(axis=1)
    assert not some.all()
    model = StackingNetRegressor().fit(X, y)
    found, expected = (
        rank_models(model, X[rows], None if y is None else y[rows], **FEW)
        for rows in (slice(None), some)
    )
    assert_allclose(found.reliability, expected.reliability, rtol=1e-5)
    assert_allclose(found.low, expected.low, atol=0.02)
    assert_allclose(found.high, expected.high, atol=0.02)


def simulate(seed, missing, n_labelled):
    """Replicates of models whose squared correlation with the truth is known."""
    rng = np.random.default_rng(seed)
    truth, quality = rng.normal(size=300), np.linspace(0.9, 0.5, 5)
    table = truth[:, None] * np.sqrt(quality)
    table += rng.normal(size=table.shape) * np.sqrt(1 - quality)
    table[rng.random(table.shape) < missing] = np.nan
    labels = np.where(np.arange(300) < n_labelled, truth, np.nan)
    answers = ModelAnswers(np.array(list("abcde")), table, labels, None)
    imputed = sum_rows(table, labels, None, answers.names).imputed()
    values = reliability(
        imputed.error_moments, imputed.prediction_moments, imputed.moments_per_model
    )
    return quality, values, number_replicates(answers, imputed, rng, 120)


@pytest.mark.parametrize(
    ("missing", "n_labelled"),
    [(0.4, 300), (0.4, 40), ([0.0, 0.3, 0.5, 0.7, 0.9], 300)],
)
def test_intervals_and_ranks_hold(missing, n_labelled):
    """Nine times in ten, less what 40 cases take; ranks of all models together. What
    is imputed is the same in all replicates, and its doubt is drawn.
    """
    covered, held = [], []
    for seed in range(40):
        quality, values, draws = simulate(seed, missing, n_labelled)
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        low, high = np.minimum(low, values), np.maximum(high, values)
        covered.append((low <= quality) & (quality <= high))
        ranks = simultaneous_ranks(different_pairs(values, draws, 0.9))
        held.append((ranks[0] <= np.arange(1, 6)) & (np.arange(1, 6) <= ranks[1]))
    assert np.mean(covered) >= 0.85
    assert np.mean(covered, axis=0).min() >= 0.75
    assert np.mean(np.all(held, axis=1)) >= 0.85


def test_few_answers_say_little():
    """The fewer rows a model answers, the less is known; of none nothing."""
    spread = [
        simulate(0, [0.0, 0.0, 0.0, 0.0, missing], 300)[2][:, 4].std()
        for missing in (0.0, 0.8, 0.97, 1.0)
    ]
    assert (np.diff(spread) > 0).all()
    assert spread[1] > 1.5 * spread[0]
    nothing = simulate(0, [0.0, 0.0, 0.0, 0.0, 1.0], 300)[2][:, 4]
    assert np.quantile(nothing, 0.1) < -0.4
    assert np.quantile(nothing, 0.9) > 0.4


@pytest.mark.parametrize("n_labelled", [200, 0])
def test_columns_with_missing_numbers_are_pruned(n_labelled):
    """The adversary goes; in what is kept, what is missing stays missing."""
    judges = make_experts(300, 4, n_flipped=1, missing=0.3, random_state=0)
    X, y = judges.X, np.where(np.arange(300) < n_labelled, judges.y, np.nan)
    pruner = ReliabilityPruner(StackingNetRegressor(), **FEW)
    pruner.fit(X, y if n_labelled else None)
    assert pruner.__sklearn_tags__().input_tags.allow_nan
    assert pruner.get_support(indices=True).tolist() == [0, 1, 2, 3]
    assert_array_equal(pruner.transform(X), X[:, :4])
    assert pruner.ranking_.n_labelled == n_labelled


def test_infinite_numbers_are_still_refused():
    estimator, X, y, _ = panel("numbers")
    model = estimator.fit(X, y)
    X[7, 1] = np.inf
    with pytest.raises(ValueError, match=r"infinity.*'model_1'.*first at row 7"):
        rank_models(model, X, y, **FEW)
