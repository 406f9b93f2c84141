"""Each result against simulation, exact enumeration and the laws that it implies."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from stackingnet_sk import theory
from stackingnet_sk.theory import (
    correlated_error,
    effective_number,
    in_sample_optimism,
    majority_accuracy,
    optimal_error,
    optimal_vote_accuracy,
    optimal_vote_weights,
    optimal_weights,
    rank_by_covariance,
    rank_one_departure,
    uniform_error,
    vote_covariance,
)

law = settings(deadline=None, derandomize=True, max_examples=60)
seeds = st.integers(0, 2**20)
voters = st.lists(st.floats(0.02, 0.98), min_size=1, max_size=7)


def assert_simulates(draws, expected):
    """Mean of the draws within three standard errors, and within one percent.

    They are enough for an error of two percent to be beyond three standard errors.
    """
    mean = draws.mean()
    standard_error = draws.std() / np.sqrt(len(draws))
    assert standard_error < 0.006 * abs(expected)
    assert abs(mean - expected) <= 3 * standard_error
    assert abs(mean - expected) <= 0.01 * abs(expected)


def error_covariance(rng, n_models):
    """Correlated errors of unequal size."""
    rows = rng.standard_normal((n_models + 2, n_models))
    rows += 0.7 * rng.standard_normal((n_models + 2, 1))
    rows *= np.exp(0.5 * rng.standard_normal(n_models))
    return rows.T @ rows / len(rows)


def equicorrelated(n_models, correlation):
    matrix = np.full((n_models, n_models), float(correlation))
    np.fill_diagonal(matrix, 1.0)
    return matrix


def gaussian(rng, covariance, *shape):
    # Unlike eigenvectors the factor is unique: the same draws on every machine.
    factor = np.linalg.cholesky(covariance)
    return rng.standard_normal((*shape, len(covariance))) @ factor.T


def outcome_probabilities(accuracies):
    """Who is right (one row per outcome), and how probable that is."""
    right = np.array(list(itertools.product([True, False], repeat=len(accuracies))))
    return right, np.where(right, accuracies, 1 - np.asarray(accuracies)).prod(axis=1)


def vote_accuracy(weights, accuracies):
    """Exact accuracy of a weighted vote of two classes; a coin breaks ties."""
    right, probability = outcome_probabilities(accuracies)
    margin = np.where(right, weights, -np.asarray(weights)).sum(axis=1)
    margin[np.abs(margin) < 1e-9 * np.abs(weights).sum()] = 0.0
    return probability @ np.where(margin == 0, 0.5, margin > 0)


def plurality_accuracy(weights, accuracies, n_classes):
    """Exact accuracy of a weighted vote where class 0 is true."""
    votes = np.array(list(itertools.product(range(n_classes), repeat=len(weights))))
    wrong = (1 - np.asarray(accuracies)) / (n_classes - 1)
    probability = np.where(votes == 0, accuracies, wrong).prod(axis=1)
    score = (weights[None, :, None] * (votes[:, :, None] == range(n_classes))).sum(1)
    winners = score >= score.max(axis=1, keepdims=True) - 1e-9
    return probability @ (winners[:, 0] / winners.sum(axis=1))


def correlation_of(loadings):
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    return correlation


# 1: Breiman


@pytest.mark.parametrize("n_models", [2, 5, 20])
def test_error_of_the_average_of_biased_models(n_models):
    rng = np.random.default_rng(n_models)
    covariance = error_covariance(rng, n_models)
    bias = rng.standard_normal(n_models)
    errors = bias + gaussian(rng, covariance, 200_000)
    second_moments = covariance + np.outer(bias, bias)
    assert_simulates(errors.mean(axis=1) ** 2, uniform_error(second_moments))


@law
@given(seed=seeds, n_models=st.integers(2, 12))
def test_averaging_never_costs_and_gains_the_ambiguity(seed, n_models):
    """``tr C / M - 1'C1 / M^2`` is the mean of ``E[(h_m - hbar)^2]``."""
    covariance = error_covariance(np.random.default_rng(seed), n_models)
    mean_error = np.trace(covariance) / n_models
    from_average = np.eye(n_models) - 1 / n_models
    ambiguity = np.trace(from_average @ covariance @ from_average) / n_models
    assert uniform_error(covariance) < mean_error
    assert uniform_error(covariance) == pytest.approx(mean_error - ambiguity, rel=1e-12)


def test_copies_gain_nothing():
    """Equality in Jensen's inequality."""
    assert uniform_error(np.full((4, 4), 2.5)) == 2.5


# 2: Zhou


@pytest.mark.parametrize(
    ("n_models", "correlation"), [(2, -0.5), (4, -0.2), (10, 0.0), (5, 0.3), (20, 0.8)]
)
def test_error_of_equally_correlated_models(n_models, correlation):
    rng = np.random.default_rng(0)
    errors = gaussian(rng, 3.0 * equicorrelated(n_models, correlation), 200_000)
    expected = correlated_error(n_models, correlation, 3.0)
    assert_simulates(errors.mean(axis=1) ** 2, expected)


@pytest.mark.parametrize("n_models", [2, 3, 7, 50])
def test_correlation_between_its_limits(n_models):
    """The first result of the matrix; errors cancel at the lowest correlation."""
    for correlation in np.linspace(-1 / (n_models - 1), 1, 7)[1:]:
        expected = uniform_error(equicorrelated(n_models, correlation))
        error = correlated_error(n_models, correlation)
        assert error == pytest.approx(expected, rel=1e-12)
        number = effective_number(n_models, correlation)
        assert number == pytest.approx(1 / error, rel=1e-12)
    assert correlated_error(n_models, -1 / (n_models - 1)) == 0
    assert effective_number(n_models, -1 / (n_models - 1)) == np.inf
    assert effective_number(n_models, 0.0) == n_models
    assert effective_number(n_models, 1.0) == 1


@law
@given(n_models=st.integers(2, 10_000), correlation=st.floats(0.001, 1.0))
def test_effective_number_of_models(n_models, correlation):
    """From 1 to M, at most 1 / rho, and one model more never lowers it."""
    number = effective_number(n_models, correlation)
    assert 1 <= number <= min(n_models, 1 / correlation) * (1 + 1e-12)
    assert number <= effective_number(n_models + 1, correlation) * (1 + 1e-12)


def test_as_many_uncorrelated_models_average_as_well():
    """Four of correlation 1/3 are worth two."""
    assert effective_number(4, 1 / 3) == pytest.approx(2)
    assert correlated_error(4, 1 / 3) == pytest.approx(correlated_error(2, 0.0))


# 3: Perrone and Cooper


@pytest.mark.parametrize("n_models", [2, 5, 12])
def test_error_of_the_best_weights(n_models):
    rng = np.random.default_rng(n_models)
    covariance = error_covariance(rng, n_models)
    errors = gaussian(rng, covariance, 200_000)
    weights = optimal_weights(covariance)
    assert_simulates((errors @ weights) ** 2, optimal_error(covariance))


@law
@given(seed=seeds, n_models=st.integers(2, 12))
def test_best_weights_are_the_closed_form_and_no_others_are_better(seed, n_models):
    rng = np.random.default_rng(seed)
    covariance = error_covariance(rng, n_models)
    solved = np.linalg.solve(covariance, np.ones(n_models))
    weights, error = optimal_weights(covariance), optimal_error(covariance)
    assert_allclose(weights, solved / solved.sum(), rtol=1e-8, atol=1e-10)
    assert error == pytest.approx(1 / solved.sum(), rel=1e-8)
    assert error <= uniform_error(covariance) * (1 + 1e-9)
    for _ in range(10):
        step = rng.standard_normal(n_models)
        other = weights + step - step.mean()
        assert other @ covariance @ other > error


def test_copies_share_and_perfect_models_have_no_error():
    """A singular covariance, for which the closed form does not exist."""
    first = np.array([[1.0, 1.0, 0.2], [1.0, 1.0, 0.2], [0.2, 0.2, 2.0]])
    without_copy = optimal_error(first[1:, 1:])
    assert optimal_weights(first)[0] == pytest.approx(optimal_weights(first)[1])
    assert optimal_error(first) == pytest.approx(without_copy)
    assert optimal_error(np.diag([0.0, 1.0])) == 0
    assert_allclose(optimal_weights(np.diag([0.0, 1.0])), [1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("n_samples", "n_models", "n_draws"),
    [(12, 2, 40_000), (30, 6, 20_000), (40, 20, 20_000), (100, 10, 10_000)],
)
def test_estimated_weights_promise_too_much(n_samples, n_models, n_draws):
    """Gaussian errors: what the optimum says of its own rows, and costs on new ones."""
    rng = np.random.default_rng(n_samples)
    covariance = error_covariance(rng, n_models)
    errors = gaussian(rng, covariance, n_draws, n_samples)
    estimates = errors.transpose(0, 2, 1) @ errors / n_samples
    solved = np.linalg.solve(estimates, np.ones((n_models, 1)))[..., 0]
    promised = 1 / solved.sum(axis=1)
    assert promised[0] == pytest.approx(optimal_error(estimates[0]), rel=1e-8)
    weights = solved * promised[:, None]
    paid = ((weights @ covariance) * weights).sum(axis=1)
    expected = in_sample_optimism(n_samples, n_models, optimal_error(covariance))
    assert_simulates(promised, expected.in_sample)
    assert_simulates(paid, expected.out_of_sample)


@law
@given(n_models=st.integers(2, 50), spare=st.integers(1, 500))
def test_optimism_fades_with_labels(n_models, spare):
    """The truth is between the two, which close in on it."""
    few = in_sample_optimism(n_models + spare, n_models)
    more = in_sample_optimism(n_models + spare + 1, n_models)
    assert few.in_sample < more.in_sample < 1 < more.out_of_sample < few.out_of_sample


def test_optimism_is_gone_with_all_labels():
    many = in_sample_optimism(10**9, 5)
    assert_allclose([many.in_sample, many.out_of_sample], 1.0, atol=1e-8)


# 4: Lam and Suen


@pytest.mark.parametrize(
    "accuracies",
    [[0.6] * 5, [0.7] * 4, [0.9, 0.6, 0.55, 0.3], [0.2, 0.9, 0.5], [0.4] * 3, [0.7]],
    ids=str,
)
def test_majority_of_independent_voters(accuracies):
    rng = np.random.default_rng(0)
    right = (rng.random((200_000, len(accuracies))) < accuracies).sum(axis=1)
    coin = rng.random(len(right)) < 0.5
    outcome = np.where(2 * right == len(accuracies), coin, 2 * right > len(accuracies))
    assert_simulates(outcome.astype(float), majority_accuracy(accuracies))


@law
@given(accuracies=voters)
def test_majority_is_the_sum_over_its_outcomes(accuracies):
    expected = vote_accuracy(np.ones(len(accuracies)), accuracies)
    assert majority_accuracy(accuracies) == pytest.approx(expected, abs=1e-13)


@law
@given(accuracies=voters, which=st.integers(0, 6), gain=st.floats(0.0, 1.0))
def test_a_better_voter_never_hurts_the_majority(accuracies, which, gain):
    better = np.array(accuracies)
    better[which % len(better)] += gain * (1 - better[which % len(better)])
    assert majority_accuracy(better) >= majority_accuracy(accuracies) - 1e-14


@law
@given(accuracies=voters)
def test_turning_every_vote_around_turns_the_majority_around(accuracies):
    turned = majority_accuracy(1 - np.array(accuracies))
    assert turned == pytest.approx(1 - majority_accuracy(accuracies), abs=1e-13)


@pytest.mark.parametrize("accuracy", [0.55, 0.7, 0.9])
def test_majority_grows_to_one_above_chance_and_falls_to_zero_below(accuracy):
    sizes = [1, 3, 5, 11, 51, 151]
    above = [majority_accuracy([accuracy] * size) for size in sizes]
    below = [majority_accuracy([1 - accuracy] * size) for size in sizes]
    assert above == sorted(above)
    assert below == sorted(below, reverse=True)
    assert majority_accuracy([accuracy] * 1501) > 0.9999
    assert majority_accuracy([1 - accuracy] * 1501) < 0.0001
    assert majority_accuracy([0.5] * 1501) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("accuracy", [0.2, 0.6, 0.9])
def test_an_even_number_is_as_good_as_one_voter_less(accuracy):
    """The last voter matters in ties only, where it leaves the odds as they are."""
    for size in (2, 4, 10):
        even = majority_accuracy([accuracy] * size)
        odd = majority_accuracy([accuracy] * (size - 1))
        assert even == pytest.approx(odd, abs=1e-13)


# 5: Shapley and Grofman


@pytest.mark.parametrize(
    "accuracies", [[0.9, 0.7, 0.6, 0.6], [0.6] * 6, [0.2, 0.7, 0.65, 0.6, 0.5]], ids=str
)
def test_vote_by_log_odds(accuracies):
    rng = np.random.default_rng(0)
    right = rng.random((200_000, len(accuracies))) < accuracies
    margin = np.where(right, 1, -1) @ optimal_vote_weights(accuracies)
    tied = np.abs(margin) < 1e-9
    outcome = np.where(tied, rng.random(len(margin)) < 0.5, margin > 0)
    assert_simulates(outcome.astype(float), optimal_vote_accuracy(accuracies))


@law
@given(accuracies=voters, seed=seeds)
def test_no_weights_beat_log_odds(accuracies, seed):
    best = optimal_vote_accuracy(accuracies)
    reached = vote_accuracy(optimal_vote_weights(accuracies), accuracies)
    assert reached == pytest.approx(best, abs=1e-9)
    rng = np.random.default_rng(seed)
    for weights in rng.standard_normal((20, len(accuracies))):
        assert vote_accuracy(weights, accuracies) <= best + 1e-12
    assert majority_accuracy(accuracies) <= best + 1e-12
    # Turned around, a voter below chance is as good as another.
    assert max(np.maximum(accuracies, 1 - np.array(accuracies))) <= best + 1e-12


@law
@given(
    accuracies=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=5),
    n_classes=st.integers(2, 4),
    seed=seeds,
)
def test_no_weights_beat_log_odds_of_more_classes(accuracies, n_classes, seed):
    weights = optimal_vote_weights(accuracies, n_classes)
    best = plurality_accuracy(weights, accuracies, n_classes)
    rng = np.random.default_rng(seed)
    for other in rng.standard_normal((10, len(accuracies))) + weights:
        assert plurality_accuracy(other, accuracies, n_classes) <= best + 1e-9


def test_log_odds_of_more_classes_are_needed():
    """Those of two classes turn voters around that beat chance among three."""
    accuracies = [0.45, 0.45, 0.4]
    of_three = plurality_accuracy(optimal_vote_weights(accuracies, 3), accuracies, 3)
    of_two = plurality_accuracy(optimal_vote_weights(accuracies, 2), accuracies, 3)
    assert of_three > of_two + 0.1


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_chance_has_no_weight_and_certainty_all(n_classes):
    weights = optimal_vote_weights([0, 1 / n_classes, 1], n_classes)
    assert_allclose(weights, [-np.inf, 0, np.inf], atol=1e-15)


def test_certain_voters_and_equal_voters():
    """Never right is as good as always; equal voters are best left equal."""
    assert optimal_vote_accuracy([0.0, 0.6, 0.6]) == 1
    expected = majority_accuracy([0.6] * 20)
    assert optimal_vote_accuracy([0.6] * 20) == pytest.approx(expected, rel=1e-12)


# 6: Parisi, Strino, Nadler and Kluger

# Voters of unequal accuracy on the two classes, the last one worse than chance.
ON_POSITIVE = np.array([0.95, 0.9, 0.7, 0.85, 0.1])
ON_NEGATIVE = np.array([0.9, 0.8, 0.95, 0.75, 0.2])
BALANCED = (ON_POSITIVE + ON_NEGATIVE) / 2
IMBALANCE = 0.4


@pytest.fixture(scope="module")
def votes():
    """Independent given the class."""
    rng = np.random.default_rng(0)
    positive = rng.random((400_000, 1)) < (1 + IMBALANCE) / 2
    right = rng.random((400_000, 5)) < np.where(positive, ON_POSITIVE, ON_NEGATIVE)
    return np.where(right == positive, 1.0, -1.0)


def test_covariance_of_votes_depends_on_balanced_accuracy_only(votes):
    expected = vote_covariance(BALANCED, IMBALANCE)
    positive = (1 + IMBALANCE) / 2
    mean = positive * (2 * ON_POSITIVE - 1) + (1 - positive) * (1 - 2 * ON_NEGATIVE)
    for m, j in itertools.combinations(range(5), 2):
        assert_simulates(
            (votes[:, m] - mean[m]) * (votes[:, j] - mean[j]), expected[m, j]
        )
    # The class explains a part of each variance, not all.
    assert (expected.diagonal() < 1 - mean**2).all()


def test_models_are_ranked_without_labels(votes):
    """Also the one that is worse than chance: last, and negative. By plain accuracy
    the third and the fourth would change places.
    """
    scores = rank_by_covariance(np.cov(votes, rowvar=False))
    assert_array_equal(np.argsort(scores), np.argsort(BALANCED))
    expected = np.sqrt(1 - IMBALANCE**2) * (2 * BALANCED - 1)
    assert_allclose(scores, expected, rtol=0.01)


accurate = st.lists(st.floats(0.55, 1.0), min_size=4, max_size=12).map(np.array)


@law
@given(balanced=accurate, imbalance=st.floats(-0.9, 0.9))
def test_scores_are_exact_up_to_the_imbalance(balanced, imbalance):
    scores = rank_by_covariance(vote_covariance(balanced, imbalance))
    expected = np.sqrt(1 - imbalance**2) * (2 * balanced - 1)
    assert_allclose(scores, expected, rtol=1e-8)


@law
@given(balanced=accurate, flipped=st.integers(0, 11))
def test_a_flipped_voter_flips_its_sign_alone(balanced, flipped):
    """As long as the others outweigh it: an absolute value would hide it."""
    flipped %= len(balanced)
    turned = balanced.copy()
    turned[flipped] = 1 - turned[flipped]
    expected = 2 * turned - 1
    assume(expected.sum() > 0.01)
    scores = rank_by_covariance(vote_covariance(turned, 0.0))
    assert_allclose(scores, expected, rtol=1e-8)


def test_a_majority_of_flipped_voters_wins():
    """The common sign cannot be seen: only that of one voter against another."""
    scores = rank_by_covariance(vote_covariance([0.1, 0.2, 0.3, 0.9], 0.0))
    assert_allclose(scores, [0.8, 0.6, 0.4, -0.8], rtol=1e-8)


# The assumption behind 6


@law
@given(seed=seeds, n_models=st.integers(3, 10), n_rows=st.integers(5, 200))
def test_order_and_unit_are_of_no_account(seed, n_models, n_rows):
    """On the covariance of models that share a factor, sampled."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_rows, n_models)) + rng.standard_normal((n_rows, 1))
    covariance = np.cov(rows, rowvar=False)
    order = rng.permutation(n_models)
    fit = rank_one_departure(covariance)
    moved = rank_one_departure(9.0 * covariance[np.ix_(order, order)])
    assert 0 <= fit.departure <= 1
    assert fit.loadings.sum() >= 0
    assert moved.departure == pytest.approx(fit.departure, abs=1e-10)
    assert_allclose(moved.loadings, 3.0 * fit.loadings[order], atol=1e-8)
    assert_allclose(moved.residual, 9.0 * fit.residual[np.ix_(order, order)], atol=1e-8)


@law
@given(seed=seeds, n_models=st.integers(3, 30))
def test_unrelated_models_depart_but_never_beyond_one(seed, n_models):
    rows = np.random.default_rng(seed).standard_normal((n_models + 5, n_models))
    fit = rank_one_departure(np.corrcoef(rows, rowvar=False))
    assert 0 <= fit.departure <= 1 + 1e-9
    assert (fit.loadings**2 < 1.5).all()


@pytest.mark.parametrize("seed", range(5))
def test_fit_is_least_squares_off_the_diagonal(seed):
    """Against a general-purpose minimizer from several starts."""
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.3, 0.8, 6) * [1, 1, 1, 1, 1, -1]
    rows = gaussian(rng, correlation_of(loadings), 100)
    correlation = np.corrcoef(rows, rowvar=False)
    off = ~np.eye(6, dtype=bool)

    def squares(v):
        return np.square((correlation - np.outer(v, v))[off]).sum()

    best = min(minimize(squares, rng.uniform(-1, 1, 6)).fun for _ in range(5))
    fit = rank_one_departure(correlation)
    assert 0 < fit.departure < 0.5
    assert squares(fit.loadings) == pytest.approx(best, rel=1e-7)
    assert fit.departure == pytest.approx(best / np.square(correlation[off]).sum())
    left = correlation - np.outer(fit.loadings, fit.loadings)
    assert_allclose(fit.residual[off], left[off])
    assert_array_equal(fit.residual.diagonal(), 0)


@pytest.mark.parametrize(
    "loadings",
    [
        [0.5, 0.6, 0.7],
        [0.99, 0.1, 0.1, 0.1],
        [0.9, 0.8, 0.7, -0.6, -0.5],
        [0.3] * 40,
        [0.9, 0.0, 0.8, 0.7],
    ],
    ids=lambda loadings: f"{loadings[:4]} of {len(loadings)}",
)
def test_one_factor_leaves_nothing(loadings):
    """Also where one model dominates, or is unrelated to the others."""
    fit = rank_one_departure(correlation_of(loadings))
    assert fit.departure < 1e-20
    assert_allclose(fit.loadings, loadings, rtol=1e-8, atol=1e-10)


def test_regression_models_with_independent_errors_are_one_factor():
    """Predictions ``a_m y + e_m``: the loadings are their correlations with y."""
    rng = np.random.default_rng(0)
    target = rng.standard_normal((400_000, 1))
    slope, noise = np.array([1.0, 0.5, 2.0, -1.0, 1.5]), [1.0, 0.4, 1.0, 1.5, 2.0]
    predictions = slope * target + noise * rng.standard_normal((400_000, 5))
    fit = rank_one_departure(np.corrcoef(predictions, rowvar=False))
    assert fit.departure < 1e-4
    assert_allclose(fit.loadings, slope / np.hypot(slope, noise), rtol=0.01)


def test_the_pair_with_errors_in_common_is_named():
    rng = np.random.default_rng(0)
    errors = rng.standard_normal((20_000, 6))
    errors[:, [1, 4]] += rng.standard_normal((20_000, 1))
    predictions = rng.standard_normal((20_000, 1)) + errors
    fit = rank_one_departure(np.corrcoef(predictions, rowvar=False))
    assert fit.departure > 0.01
    largest = np.unravel_index(fit.residual.argmax(), fit.residual.shape)
    assert set(largest) == {1, 4}


def test_unrelated_and_constant_models_load_nothing():
    fit = rank_one_departure(np.diag([1.0, 2.0, 3.0]))
    assert_array_equal(fit.loadings, 0)
    assert fit.departure == 0
    with_constant = np.zeros((4, 4))
    with_constant[:3, :3] = correlation_of([0.5, 0.6, 0.7])
    assert_allclose(
        rank_one_departure(with_constant).loadings, [0.5, 0.6, 0.7, 0], atol=1e-9
    )


def test_no_model_takes_more_than_its_variance():
    """A Heywood case: a loading of ``sqrt(0.9 0.7 / 0.5)`` would fit exactly."""
    fit = rank_one_departure([[1.0, 0.9, 0.7], [0.9, 1.0, 0.5], [0.7, 0.5, 1.0]])
    assert 0 < fit.departure < 0.01
    assert fit.loadings[0] < 1.05


# Bad input


NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("uniform_error", [[[1.0, 0.0]]], "square, of 2 models"),
        ("uniform_error", [[1.0, 2.0]], "square, of 2 models"),
        ("optimal_weights", [[[1.0]]], "square, of 2 models"),
        ("optimal_weights", [[[1.0, 0.5], [0.1, 1.0]]], "symmetric"),
        ("optimal_error", [[[1.0, NAN], [NAN, 1.0]]], "finite.*that all models"),
        ("optimal_error", [[[1.0, 2.0], [2.0, 1.0]]], "indefinite.*all models"),
        ("uniform_error", [-np.eye(2)], "indefinite"),
        ("correlated_error", [4, -0.34], r"-1 / \(n_models - 1\)"),
        ("correlated_error", [4, 1.1], "correlation=1.1"),
        ("correlated_error", [1, 0.5], "at least 2 models"),
        ("effective_number", [3, NAN], "correlation=nan"),
        ("effective_number", [3, -0.6], "correlation=-0.6"),
        ("in_sample_optimism", [10, 10], "label more rows or combine fewer"),
        ("in_sample_optimism", [10, 1], "at least 2"),
        ("majority_accuracy", [[0.5, 1.2]], "accuracies.*from 0 to 1"),
        ("majority_accuracy", [[]], "one probability a model"),
        ("majority_accuracy", [0.5], "one probability a model"),
        ("optimal_vote_weights", [[0.5, NAN]], "accuracies.*from 0 to 1"),
        ("optimal_vote_weights", [[0.5], 1], "n_classes=1"),
        ("optimal_vote_accuracy", [[-0.1]], "from 0 to 1"),
        ("optimal_vote_accuracy", [[0.6] * 21], "21 voters; give the 20"),
        ("vote_covariance", [[0.5, 2.0], 0.0], "balanced_accuracies"),
        ("vote_covariance", [[0.5, 0.7], 1.5], "class_imbalance=1.5"),
        ("rank_by_covariance", [np.eye(2)], "3 models"),
        ("rank_one_departure", [np.ones((3, 2))], "square, of 3"),
        ("rank_one_departure", [np.full((3, 3), NAN)], "without models that never"),
        ("rank_one_departure", [1 - np.eye(3)], "variances"),
    ],
)
def test_bad_input_says_what_to_do(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(theory, name)(*arguments)


def test_arguments_are_left_alone():
    covariance = correlation_of([0.5, 0.6, 0.7])
    covariance.flags.writeable = False
    accuracies = np.array([0.5, 0.6, 0.7])
    accuracies.flags.writeable = False
    for function in (uniform_error, optimal_weights, rank_one_departure):
        function(covariance)
    for function in (majority_accuracy, optimal_vote_weights, optimal_vote_accuracy):
        function(accuracies)
    vote_covariance(accuracies, 0.0)


def test_a_mean_square_is_not_negative():
    with pytest.raises(ValueError, match="zero or more"):
        theory.correlated_error(3, 0.2, -1.0)
