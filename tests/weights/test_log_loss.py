"""The log loss of weighted votes: derivatives, certificates, optima, leave-one-out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.special import expit, logsumexp, softmax
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import STRUCTURES, LogLossObjective, log_loss, newton
from stackingnet_sk.weights.cvxpy_solver import minimize
from stackingnet_sk.weights.log_loss import leave_one_out
from stackingnet_sk.weights.newton import minimize_log_loss
from stackingnet_sk.weights.vote_prior import only_votes
from stackingnet_sk.weights.votes_problem import VotesProblem

seeds = st.integers(0, 2**20)
names = st.sampled_from(sorted(STRUCTURES))
EVERY = pytest.mark.parametrize("name", sorted(STRUCTURES))


def problem(name, seed, *, n_rows=None, sizes=None, strength=None, proba=None):
    """Votes (sparse) or probabilities (dense) of good, bad, silent and equal models."""
    rng = np.random.default_rng(seed)
    n_models, n_classes = sizes or (rng.integers(1, 6), rng.integers(1, 5))
    n_rows = n_rows or int(rng.choice([1, 3, 10, 40]))
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, n_models)) < rng.uniform(0.2, 1.0, n_models)
    guess = rng.integers(n_classes, size=right.shape)
    votes = np.where(right, truth[:, None], guess)
    votes[rng.random(right.shape) < 0.2] = -1
    if seed % 3 == 0:
        votes[:, -1] = votes[:, 0]
    weights = rng.exponential(size=n_rows)
    if seed % 2 if proba is None else proba:
        table = rng.dirichlet(np.ones(n_classes), right.shape) * (votes >= 0)[..., None]
        design, labelled = table.reshape(n_rows, -1), np.eye(n_classes)[truth]
        labelled = labelled * weights[:, None]
    else:
        counts = VoteCounts.from_rows(votes, truth, n_classes, weights)
        design, labelled = counts.design, counts.labelled
    structure = STRUCTURES[name](design, n_classes)
    offset = np.log(rng.dirichlet(np.full(n_classes, 5.0)))
    evidence = rng.normal(size=(n_models, n_classes + 1, n_classes))
    evidence[:, :-1] += np.eye(n_classes)
    center = structure.coefficients(evidence)
    strength = rng.choice([0.1, 1.0, 50.0, 1e4]) if strength is None else strength
    return LogLossObjective(structure, labelled, offset, center, float(strength))


def random_point(objective, rng, size=1.0):
    point = objective.start + size * rng.normal(size=len(objective.start))
    zero = np.isfinite(objective.lower) & (rng.random(len(point)) < 0.3)
    return np.where(zero, 0.0, np.maximum(point, objective.lower))


def reference(objective, point):
    """The definition, with the least over the slope s found by its formula."""
    b, c = np.split(point, [objective.n_classes])
    design = objective.structure.design
    design = design if isinstance(design, np.ndarray) else design.toarray()
    matrices = objective.structure.vote_weights(c)
    abstention = objective.structure.abstention(c)
    # Where a model never votes, abstaining says nothing.
    columns = design.sum(axis=0).reshape(len(matrices), -1)
    value = 0.0
    for row, label in zip(design, objective.labelled, strict=True):
        z = objective.offset + b
        for m, matrix in enumerate(matrices):
            votes = row.reshape(len(matrices), -1)[m]
            z = z + votes @ matrix
            if abstention is not None and columns[m].any():
                z = z + (1 - votes.sum()) * abstention[m]
        value += label @ (logsumexp(z) - z)
    u, kappa = objective.center, objective.strength
    slack = kappa / 50
    s = (kappa * c @ u + slack * u @ u) / ((kappa + slack) * (u @ u)) if u.any() else 1
    prior = kappa * np.sum((c - s * u) ** 2) + slack * (u @ u) * (s - 1) ** 2
    return value + 0.5 * (prior + kappa * b @ b)


def differences(function, point, step=1e-5):
    around = [(point + e, point - e) for e in step * np.eye(len(point))]
    return np.array([function(a) - function(b) for a, b in around]) / (2 * step)


@law
@given(name=names, seed=seeds)
def test_value_and_derivatives(name, seed):
    """Against the definition, and each against differences of the one before, whose
    error is of the order of the step squared; sparse designs and dense ones.
    """
    objective = problem(name, seed)
    point = random_point(objective, np.random.default_rng(seed))
    value = objective.value(point)
    size = objective.strength + objective.weights.sum()

    assert value == pytest.approx(reference(objective, point), rel=1e-10)
    slopes = differences(objective.value, point)
    assert_allclose(objective.gradient(point), slopes, atol=1e-6 * size)
    hessian, expected = objective.hessian(point), differences(objective.gradient, point)
    assert_allclose(hessian, expected, atol=1e-7 * size)
    least = np.linalg.eigvalsh(hessian)[0]
    assert least >= objective.strength * 0.02 / 1.02 * (1 - 1e-9)


@EVERY
@settings(law, max_examples=150)
@given(seed=seeds)
def test_optimum_and_a_bound_that_is_true(name, seed):
    """Newton ends at rounding; from there the bound holds at points near and far."""
    objective = problem(name, seed)
    found, _ = minimize_log_loss(objective)
    assert objective.certify(found)[0] <= 1e-12
    assert (found >= objective.lower).all()
    optimum = objective.value(found)
    rng = np.random.default_rng(seed)
    for size in (1e-3, 0.1, 1.0, 10.0):
        point = np.maximum(found + size * rng.normal(size=found.shape), objective.lower)
        above = objective.value(point) - optimum
        assert above >= -1e-12 * objective.scale
        assert above <= objective.certify(point)[0] * objective.scale * (1 + 1e-9)


@EVERY
def test_constructed_optima(name):
    """``Q (x - start) = data's pull + slack`` with slack at zero weights makes x the
    optimum. Solved for the offset and the centre: across u the prior pulls with kappa,
    along u with ``kappa / 51``. Models that the data pull below zero get half as much
    slack, so the centre is feasible where the prior is strong.
    """
    zeros = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        kappa = 5.0 if name == "full" else 2000.0
        plain = problem(name, seed, n_rows=20, strength=kappa)
        weights = rng.uniform(1, 3, len(plain.center))
        off = (rng.random(len(weights)) < 0.7) & (name == "shared")
        z = rng.normal(size=plain.n_classes)
        for _ in range(1 + len(weights)):
            scores = plain.structure.scores(np.where(off, 0.0, weights)) + z
            pull = plain.labelled - plain.weights[:, None] * softmax(scores, axis=1)
            force = plain.structure.adjoint(pull)
            off &= force < 0
        weights, force = np.where(off, 0.0, weights), np.where(off, force / 2, force)
        b, across = pull.sum(axis=0) / kappa, weights - force / kappa
        unit = across / np.linalg.norm(across)
        center = unit * (unit @ weights - unit @ force * 51 / kappa)
        objective = replace(plain, offset=z - b, center=center)
        found, _ = minimize_log_loss(objective)
        assert_allclose(found, np.concatenate([b, weights]), rtol=0, atol=1e-8)
        zeros += np.count_nonzero(off)
    assert (zeros > 20) == (name == "shared")


@pytest.mark.parametrize(("right", "wrong"), [(3, 0), (8, 2), (5, 5), (1, 30)])
@pytest.mark.parametrize("strength", [0.5, 10.0, 1e5])
def test_one_voter_of_two_classes(right, wrong, strength):
    """Symmetric, so without intercepts: a root in one dimension. The slope's prior is
    that of a spring in series, ``kappa lambda / (kappa + lambda)``.
    """
    votes = np.repeat([[0], [1], [0], [1]], [right, right, wrong, wrong], axis=0)
    truth = np.repeat([0, 1, 1, 0], [right, right, wrong, wrong])
    counts = VoteCounts.from_rows(votes, truth, 2)
    shared = STRUCTURES["shared"](counts.design, 2)
    objective = LogLossObjective(
        shared, counts.labelled, np.log([0.5, 0.5]), np.array([1.0]), strength
    )

    def slope(w):
        own = 2 * wrong * expit(w) - 2 * right * expit(-w)
        return own + strength / 51 * (w - 1)

    expected = brentq(slope, -1e3, 1e3, xtol=1e-14) if slope(0) < 0 else 0.0
    found, _ = minimize_log_loss(objective)
    assert_allclose(found, [0, 0, expected], rtol=1e-9, atol=1e-11)


@EVERY
def test_cvxpy_finds_the_same(name):
    """Its value is not below ours, and no higher than an interior point's accuracy."""
    for seed in range(20):
        objective = problem(name, seed, strength=(1.0, 50.0)[seed % 2])
        found, _ = minimize_log_loss(objective)
        other = minimize(VotesProblem(objective).conic()).point
        other = np.maximum(other, objective.lower)
        value = objective.value(found)
        assert value <= objective.value(other) + 1e-12 * objective.scale
        assert objective.value(other) <= value + 1e-8 * objective.scale
        assert_allclose(other, found, atol=2e-4 * max(1.0, np.abs(found).max()))


@EVERY
@settings(law, max_examples=25)
@given(seed=seeds)
def test_weights_are_repetitions_and_counts_are_rows(name, seed):
    """The same optimum and the same leave-one-out loss of rows, counted or not."""
    objective = problem(name, seed, n_rows=8, proba=True, strength=5.0)
    times = np.random.default_rng(seed).integers(1, 4, 8)
    labelled = (objective.labelled > 0).astype(float)
    counted = replace(objective, labelled=labelled * times[:, None])
    table = np.repeat(objective.structure.design, times, axis=0)
    structure = STRUCTURES[name](table, objective.n_classes)
    labelled = np.repeat(labelled, times, axis=0)
    repeated = replace(objective, structure=structure, labelled=labelled)
    found, same = (minimize_log_loss(each)[0] for each in (counted, repeated))

    assert_allclose(found, same, rtol=1e-7, atol=1e-9)
    ones = np.ones(objective.n_classes)
    one, other = (leave_one_out(each, found, ones) for each in (counted, repeated))
    assert one == pytest.approx(other, rel=1e-9)


@EVERY
@pytest.mark.parametrize("seed", range(6))
def test_leave_one_out(name, seed):
    """Exactly a Newton step of the free coefficients without the row. At 50
    pseudo-observations that is within 2 % of a refit.
    """
    objective = problem(name, seed, n_rows=25, strength=50.0)
    row_weight = np.random.default_rng(seed).uniform(0.5, 1.5, objective.n_classes)
    labelled = (objective.labelled > 0) * row_weight
    objective = replace(objective, labelled=labelled)
    found, _ = minimize_log_loss(objective)
    free = np.flatnonzero(found > objective.lower)
    losses = []
    for i, k in zip(*labelled.nonzero(), strict=True):
        rest = labelled.copy()
        rest[i, k] = 0.0
        without = replace(objective, labelled=rest)
        moved = found.copy()
        hessian = without.hessian(found)[np.ix_(free, free)]
        moved[free] -= np.linalg.solve(hessian, without.gradient(found)[free])
        scores = [
            without.scores(at)[i] for at in (moved, minimize_log_loss(without)[0])
        ]
        losses.append([labelled[i, k] * (logsumexp(z) - z[k]) for z in scores])

    newton_step, refit = np.sum(losses, axis=0) / labelled.sum()
    approximate = leave_one_out(objective, found, row_weight)
    assert approximate == pytest.approx(newton_step, rel=1e-6, abs=1e-12)
    assert approximate == pytest.approx(refit, rel=0.02, abs=1e-12)


@pytest.mark.parametrize("strength", [1.0, 50.0])
@pytest.mark.parametrize(
    ("name", "sizes", "n_rows"),
    [("full", (12, 10), 1000), ("full", (5, 20), 60), ("shared", (1100, 3), 200)],
)
def test_beyond_a_thousand_coefficients(name, sizes, n_rows, strength):
    """No Hessian is formed there; the certificate is as strict."""
    objective = problem(name, 1, n_rows=n_rows, sizes=sizes, strength=strength)
    assert len(objective.start) > newton.LARGEST_HESSIAN
    found, iterations = minimize_log_loss(objective)
    assert objective.certify(found)[0] <= 1e-9
    assert (found >= objective.lower).all()
    assert iterations > 1


@EVERY
def test_both_solvers_agree(name, monkeypatch):
    objectives = [problem(name, seed, strength=5.0) for seed in range(40)]
    expected = [minimize_log_loss(each)[0] for each in objectives]
    monkeypatch.setattr(newton, "LARGEST_HESSIAN", 0)
    for objective, point in zip(objectives, expected, strict=True):
        found, _ = minimize_log_loss(objective)
        assert objective.certify(found)[0] <= 1e-9
        assert_allclose(found, point, atol=1e-5)


@EVERY
@pytest.mark.parametrize("strength", [1e-3, 1.0, 50.0])
def test_separable_labels_have_an_optimum(name, strength):
    """Without the prior the weights of perfect models would grow without end."""
    truth = np.tile([0, 1, 2], 20)
    counts = VoteCounts.from_rows(np.tile(truth[:, None], (1, 3)), truth, 3)
    structure = STRUCTURES[name](counts.design, 3)
    center = structure.coefficients(only_votes(np.tile(np.eye(3), (3, 1, 1))))
    objective = LogLossObjective(
        structure, counts.labelled, np.log(np.full(3, 1 / 3)), center, strength
    )
    found, _ = minimize_log_loss(objective)
    assert objective.certify(found)[0] <= 1e-12
    weights = structure.vote_weights(found[3:])
    assert (np.argmax(weights, axis=2) == [0, 1, 2]).all()
    assert 1 < np.abs(weights).max() < 30


@EVERY
def test_without_a_prior_the_certificate_is_the_loss_itself(name):
    """Which can't be below zero; small only where the votes separate the labels."""
    for seed in range(6):
        objective = problem(name, seed, n_rows=40, strength=0.0)
        found, _ = minimize_log_loss(objective)
        assert np.isfinite(found).all()
        slopes = objective.gradient(found)
        stuck = (found <= objective.lower) & (slopes >= 0)
        error = np.abs(slopes[~stuck]).max(initial=0.0)
        expected = np.array([objective.value(found), error]) / objective.scale
        assert_allclose(objective.certify(found), expected, atol=1e-15)


@pytest.mark.parametrize("name", ["shared", "full"])
def test_a_sample_steers_and_all_rows_decide(name, monkeypatch):
    """Of many rows the Hessian is that of a sample: the same optimum and certificate,
    and leave-one-out within a twentieth of its correction from all rows.
    """
    objective = problem(name, 3, n_rows=50_000, sizes=(3, 3), strength=50.0, proba=True)
    assert len(objective.sample.labelled) <= log_loss._SAMPLE
    total = objective.weights.sum()
    assert objective.sample.weights.sum() == pytest.approx(total, rel=0.01)
    found, _ = minimize_log_loss(objective)
    error = leave_one_out(objective, found, np.ones(3))
    monkeypatch.setattr(log_loss, "_SAMPLE", len(objective.labelled))
    whole = replace(objective)
    expected, _ = minimize_log_loss(whole)
    exact = leave_one_out(whole, found, np.ones(3))

    assert whole.sample is whole
    assert whole.certify(found)[0] <= 1e-12
    assert_allclose(found, expected, atol=1e-6)
    correction = exact - whole.loss(found) / whole.labelled.sum()
    assert correction > 0
    assert error == pytest.approx(exact, abs=0.05 * correction)
