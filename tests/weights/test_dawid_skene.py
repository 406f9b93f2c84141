"""Confusion without labels: what is known, what is found, symmetries, hard panels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import dawid_skene
from stackingnet_sk.weights.dawid_skene import majority

seeds = st.integers(0, 2**20)


def panel(seed, n_rows=200, n_models=5, n_classes=3, missing=0.0):
    """Independent voters better than chance, their confusion, rates and the truth."""
    rng = np.random.default_rng(seed)
    noise = rng.dirichlet(np.ones(n_classes), (n_models, n_classes))
    confusion = 0.4 * noise + 0.6 * np.eye(n_classes)
    rates = rng.dirichlet(np.full(n_classes, 10.0))
    truth = rng.choice(n_classes, p=rates, size=n_rows)
    chances = confusion[np.arange(n_models), truth[:, None]].cumsum(axis=2)
    votes = (rng.random((n_rows, n_models, 1)) > chances[:, :, :-1]).sum(axis=2)
    votes[rng.random(votes.shape) < missing] = -1
    return votes, truth, confusion, rates


def hidden(rng, truth, share):
    """Labels on a share of the rows."""
    return np.where(rng.random(len(truth)) < share, truth, -1)


def estimate(*rows):
    return dawid_skene(VoteCounts.from_rows(*rows))


def accuracy(found):
    return found.confusion.diagonal(axis1=1, axis2=2).mean(axis=1)


def shrunk(joint, n_rows):
    """Answers of one coin with the model's accuracy, itself pulled to the panel's."""
    n_models, n_classes, _ = joint.shape
    coins = min(max(0.25 * n_rows / n_classes, 5.0), 200.0)
    right = np.array([np.trace(each) for each in joint])
    panel_accuracy = (right.sum() + 1) / (joint.sum() + n_classes)
    result = np.empty_like(joint)
    for m in range(n_models):
        own = (right[m] + 50 * panel_accuracy) / (joint[m].sum() + 50)
        coin = np.full((n_classes, n_classes), (1 - own) / (n_classes - 1))
        np.fill_diagonal(coin, own)
        counts = joint[m] + coins * coin
        result[m] = counts / counts.sum(axis=1, keepdims=True)
    return result


@pytest.mark.parametrize("n_rows", [3, 30, 3000])
@pytest.mark.parametrize("flipped", [False, True])
def test_labels_are_known(n_rows, flipped):
    """Where all rows have one, confusion is shrunk frequencies, whatever the models
    agree on; here they agree on what is wrong.
    """
    votes, truth, _, _ = panel(0, n_rows)
    labels = (truth + flipped) % 3
    found = estimate(votes, labels, 3)
    joint = np.zeros((5, 3, 3))
    for m in range(5):
        np.add.at(joint[m], (labels, votes[:, m]), 1)

    assert_allclose(found.confusion, shrunk(joint, n_rows), rtol=1e-12)
    assert_allclose(found.class_prior, np.bincount(labels, minlength=3) / n_rows)


def test_a_few_labels_say_which_of_two_camps_is_right():
    """Two models against two: agreement alone leaves it open."""
    rng = np.random.default_rng(0)
    truth = np.tile([0, 1], 500)
    right = rng.random((1000, 4)) < 0.95
    votes = np.where(right, truth[:, None], 1 - truth[:, None])
    votes[:, 2:] = 1 - votes[:, 2:]
    labels = np.full(1000, -1)
    for sign in (0, 1):
        labels[:60] = truth[:60] ^ sign
        found = accuracy(estimate(votes, labels, 2))
        assert (found[:2] > 0.85).all() != sign
        assert (found[2:] < 0.15).all() != sign


@pytest.mark.parametrize(("n_models", "n_classes"), [(3, 2), (6, 3), (10, 4)])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_planted_confusion_is_recovered(n_models, n_classes, missing):
    """At 20,000 rows a class has some 2,000 answers of a model: four standard errors
    are 0.045 at most, and the coin's 200 answers, a tenth, pull by less.
    """
    votes, truth, confusion, rates = panel(7, 20_000, n_models, n_classes, missing)
    found = estimate(votes, np.full(len(truth), -1), n_classes)

    assert found.converged
    assert_allclose(found.confusion, confusion, atol=0.06)
    assert_allclose(found.class_prior, rates, atol=0.03)
    assert np.abs(found.confusion - confusion).mean() < 0.02


@law
@given(
    seed=seeds,
    n_models=st.integers(1, 7),
    n_classes=st.integers(2, 4),
    share=st.sampled_from([0.0, 0.1, 1.0]),
    missing=st.sampled_from([0.0, 0.3]),
)
def test_order_of_models_and_names_of_classes_are_of_no_account(
    seed, n_models, n_classes, share, missing
):
    votes, truth, _, _ = panel(seed, 150, n_models, n_classes, missing)
    rng = np.random.default_rng(seed)
    labels = hidden(rng, truth, share)
    plain = estimate(votes, labels, n_classes)
    models = rng.permutation(n_models)
    permuted = estimate(votes[:, models], labels, n_classes)
    assert_allclose(permuted.confusion, plain.confusion[models], rtol=0, atol=1e-8)
    assert_allclose(permuted.class_prior, plain.class_prior, rtol=0, atol=1e-8)

    classes = rng.permutation(n_classes)
    named = np.append(classes, -1)
    permuted = estimate(named[votes], named[labels], n_classes)
    back = permuted.confusion[:, classes][:, :, classes]
    assert_allclose(back, plain.confusion, rtol=0, atol=1e-8)
    rates = permuted.class_prior[classes]
    assert_allclose(rates, plain.class_prior, rtol=0, atol=1e-8)


def test_no_draw_is_random():
    """Rows in any order are the same counts, so the same bits."""
    votes, truth, _, _ = panel(1, 500, missing=0.2)
    labels = hidden(np.random.default_rng(1), truth, 0.1)
    weights = np.random.default_rng(2).exponential(size=500)
    order = np.random.default_rng(3).permutation(500)
    one = estimate(votes, labels, 3, weights)
    other = estimate(votes[order], labels[order], 3, weights[order])

    for name in ("confusion", "class_prior", "log_likelihood", "posterior"):
        assert_array_equal(getattr(one, name), getattr(other, name))


@law
@given(seed=seeds, n_models=st.integers(1, 5), share=st.sampled_from([0.0, 0.2]))
def test_integer_weight_is_a_repetition(seed, n_models, share):
    votes, truth, _, _ = panel(seed, 60, n_models)
    rng = np.random.default_rng(seed)
    labels, times = hidden(rng, truth, share), rng.integers(1, 4, 60)
    weighted = estimate(votes, labels, 3, times.astype(float))
    repeated = estimate(np.repeat(votes, times, axis=0), np.repeat(labels, times), 3)

    assert_allclose(weighted.confusion, repeated.confusion, rtol=1e-12)
    assert_allclose(weighted.log_likelihood, repeated.log_likelihood, rtol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(10))
def test_likelihood_is_that_of_the_rows_and_rises(seed, share):
    """The last entry, term by term: the sum over rows of the log of the sum over
    classes (or of the labelled class alone). Shrinkage takes its share of few rows; on
    300 the end is above the start.
    """
    votes, truth, _, _ = panel(seed, 300, missing=0.2)
    labels = hidden(np.random.default_rng(seed), truth, share)
    found = estimate(votes, labels, 3)
    rates = (found.class_prior + 0.2 / 3) / 1.2
    total = 0.0
    for vote, label in zip(votes, labels, strict=True):
        chances = rates.copy()
        for m, answer in enumerate(vote):
            if answer >= 0:
                chances = chances * found.confusion[m, :, answer]
        total += np.log(chances.sum() if label < 0 else chances[label])

    trace = found.log_likelihood
    assert np.isfinite(trace).all()
    assert trace[-1] == pytest.approx(total, rel=1e-12)
    assert trace[-1] >= trace[0]


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_converged_is_a_fixed_point(share):
    """One more iteration from the posterior, by definition, changes nothing."""
    votes, truth, _, _ = panel(4, 400)
    labels = hidden(np.random.default_rng(4), truth, share)
    counts = VoteCounts.from_rows(votes, labels, 3)
    found = dawid_skene(counts)
    weights = found.posterior * counts.unlabelled[:, None] + counts.labelled
    joint = np.zeros((5, 3, 3))
    for pattern, weight in zip(counts.patterns, weights, strict=True):
        for m, answer in enumerate(pattern):
            joint[m, :, answer] += weight

    assert found.converged
    assert len(found.log_likelihood) > 3
    assert_allclose(found.confusion, shrunk(joint, 400), rtol=0, atol=1e-6)
    assert_allclose(found.class_prior, weights.sum(axis=0) / 400, rtol=0, atol=1e-6)


def hard_panels():
    """Yield name, votes, truth and number of classes."""
    votes, truth, _, _ = panel(5, 120)
    yield "identical models", np.repeat(votes[:, :1], 4, axis=1), truth, 3
    yield "a constant model", np.column_stack([votes, 0 * truth + 2]), truth, 3
    yield "only constant models", np.tile([0, 1, 2], (120, 1)), truth, 3
    yield "a silent model", np.column_stack([votes, 0 * truth - 1]), truth, 3
    yield "only silent models", 0 * votes - 1, truth, 3
    yield "an opponent", np.column_stack([votes, (truth + 1) % 3]), truth, 3
    yield "perfect models", np.tile(truth[:, None], (1, 4)), truth, 3
    yield "a class nobody names", votes, truth, 7
    rng = np.random.default_rng(6)
    many = rng.integers(100, size=50)
    right = rng.random((50, 4)) < 0.7
    near = np.where(right, many[:, None], (many[:, None] + 1) % 100)
    yield "100 classes", near, many, 100
    yield "one model", votes[:, :1], truth, 3
    yield "two models", votes[:, :2], truth, 3
    yield "two opposites", np.column_stack([truth, 1 - truth]), truth % 2, 3
    yield "one row", votes[:1], truth[:1], 3
    yield "one class", 0 * votes, 0 * truth, 1


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("hard", list(hard_panels()), ids=lambda hard: hard[0])
def test_hard_panels_have_an_answer(hard, share):
    """Finite, and no vote impossible, so that every later vote has log-odds."""
    _, votes, truth, n_classes = hard
    labels = hidden(np.random.default_rng(0), truth, share)
    found = estimate(votes, labels, n_classes)

    assert found.confusion.shape == (votes.shape[1], n_classes, n_classes)
    assert (found.confusion > 0).all()
    assert_allclose(found.confusion.sum(axis=2), 1, rtol=1e-12)
    assert (found.class_prior >= 0).all()
    assert found.class_prior.sum() == pytest.approx(1, rel=1e-12)
    assert_allclose(found.posterior.sum(axis=1), 1, rtol=1e-12)
    assert (found.posterior >= 0).all()
    assert np.isfinite(found.log_likelihood).all()
    assert found.converged


def test_what_hard_models_are_found_to_be():
    panels = {name: each for name, *each in hard_panels()}
    found = {
        name: estimate(votes, 0 * truth - 1, n_classes)
        for name, (votes, truth, n_classes) in panels.items()
    }
    for each in ("identical models", "perfect models", "two models"):
        assert_allclose(np.ptp(found[each].confusion, axis=0), 0, atol=1e-12)
    # What it says does not depend on the class.
    assert (found["a constant model"].confusion[-1, :, 2] > 0.7).all()
    # One coin of the panel's accuracy.
    silent = found["a silent model"].confusion[-1]
    assert_allclose(silent.diagonal(), silent[0, 0])
    assert 0.6 < silent[0, 0] < 0.9
    # Below chance, a third, and known to be; the others don't suffer.
    opponent = accuracy(found["an opponent"])
    assert opponent[-1] < 0.15 < 0.55 < opponent[:-1].min()
    assert accuracy(found["two opposites"]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_few_models_are_coins(n_classes):
    """One model has log-odds of one; of two, ``r^2 = (K A - 1) / (K - 1)`` with the
    agreement A. Columns that never answer are no models.
    """
    rng = np.random.default_rng(n_classes)
    one = rng.integers(n_classes, size=(400, 1))
    other = np.where(rng.random((400, 1)) < 0.7, one, rng.integers(n_classes))
    nothing, free = np.full((400, 1), -1), np.full(400, -1)
    p = accuracy(estimate(one, free, n_classes))[0]
    assert np.log(p * (n_classes - 1) / (1 - p)) == pytest.approx(1)

    agreement = (one == other).mean()
    skill = np.sqrt((n_classes * agreement - 1) / (n_classes - 1))
    expected = (1 + (n_classes - 1) * skill) / n_classes
    for votes in ([one, other], [one, nothing, other, nothing]):
        found = estimate(np.hstack(votes), free, n_classes)
        assert_allclose(accuracy(found), expected, rtol=1e-12)


def test_majority_and_its_ties():
    """Abstentions are no votes; classes with equally many share. Patterns ascend."""
    votes = np.array([[-1, -1, -1], [0, 0, 1], [0, 1, -1], [0, 1, 2], [2, -1, -1]])
    counts = VoteCounts.from_rows(votes, np.full(5, -1), 3)

    third = [1 / 3] * 3
    expected = [third, [1, 0, 0], [0.5, 0.5, 0], third, [0, 0, 1]]
    assert_allclose(majority(counts), expected)


def test_rows_without_weight_are_an_error():
    counts = VoteCounts.from_rows(np.zeros((0, 3), int), np.zeros(0, int), 2)
    with pytest.raises(ValueError, match="no weight"):
        dawid_skene(counts)
