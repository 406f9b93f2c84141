"""Models that give probabilities: log scores, the linear pool, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import log_loss
from test_classifier import panel

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.weights import Status

SHARPNESS = (2.0, 1.5, 1.0, 0.3)
each_pool = pytest.mark.parametrize("pool", ["logit", "linear"])


def opinions(seed=0, n_rows=200, sharpness=SHARPNESS, n_classes=3):
    """Probabilities of models that see the class through noise, and the class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    noise = rng.normal(size=(n_rows, len(sharpness), n_classes))
    signal = np.eye(n_classes)[truth][:, None, :] * np.array(sharpness)[:, None]
    return softmax(signal + noise, axis=2), truth


@pytest.fixture
def table():
    return opinions()[0]


@pytest.fixture
def truth():
    return opinions()[1]


@pytest.fixture(params=["many", "few", "none"])
def labels(request, truth):
    few = np.where(np.arange(len(truth)) < 30, truth, np.nan)
    return {"many": truth, "few": few, "none": None}[request.param]


def flat(table):
    return table.reshape(len(table), -1)


# ---------------------------------------------------------------- logarithmic scores


@pytest.mark.parametrize("structure", ["shared", "full", "auto"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_scores_are_the_weighted_evidence(table, labels, structure, class_weight):
    """The formula of the class docstring: what models say beyond the classes' rates."""
    model = StackingNetClassifier(structure=structure, class_weight=class_weight)
    model.fit(table, labels)

    evidence = np.log((table + 0.003) / (model.class_rates_ + 0.003))
    evidence -= evidence.mean(axis=2, keepdims=True)
    scores = np.einsum("ima,mak->ik", evidence, model.vote_weights_) + model.intercept_
    assert_allclose(model.predict_proba(table), softmax(scores, axis=1), atol=1e-8)
    if labels is not None:
        assert model.solution_.status is Status.OPTIMAL


@pytest.mark.parametrize("n_labelled", [0, 40, 300])
@pytest.mark.parametrize("structure", ["shared", "full"])
def test_a_sure_model_votes(n_labelled, structure):
    """One at a class and zero elsewhere is a vote; NaN for all is silence."""
    votes, truth = panel(silence=0.15)
    labels = np.where(np.arange(300) < n_labelled, truth, np.nan)
    labels = labels if n_labelled else None
    vectors = np.eye(4)[np.nan_to_num(votes, nan=3).astype(int)][:, :, :3]
    vectors[np.isnan(votes)] = np.nan
    model = StackingNetClassifier(structure=structure, shrinkage=20.0, classes=range(3))
    counted = clone(model).fit(votes, labels)
    read = clone(model).fit(vectors, labels)

    assert_allclose(read.vote_weights_, counted.vote_weights_, atol=1e-9)
    assert_allclose(read.intercept_, counted.intercept_, atol=1e-9)
    assert_array_equal(read.confusion_, counted.confusion_)
    assert_array_equal(read.predict(vectors), counted.predict(votes))


def test_confidence_is_information():
    """Thrown away, as votes, it costs log loss on rows that were not seen."""
    lost = []
    for seed in range(8):
        table, truth = opinions(seed, 1500)
        own, test = slice(500), slice(500, None)
        votes = table.argmax(axis=2)
        full = StackingNetClassifier().fit(table[own], truth[own])
        poor = StackingNetClassifier().fit(votes[own], truth[own])
        lost.append(
            log_loss(truth[test], poor.predict_proba(votes[test]))
            - log_loss(truth[test], full.predict_proba(table[test]))
        )

    assert np.mean(lost) > 0.02
    assert min(lost) > 0


# ------------------------------------------------------------------------ linear pool


def test_the_pool_without_a_prior_satisfies_its_optimality_conditions(table, truth):
    """``mean_i a_im / a_i'w`` is one for models in use and at most one for the rest,
    with ``a_im`` what model m gives to the label: from public attributes alone.
    """
    model = StackingNetClassifier(pool="linear", shrinkage=0).fit(table, truth)
    likelihood = table[np.arange(len(truth)), :, truth]
    ratio = (likelihood / (likelihood @ model.weights_)[:, None]).mean(axis=0)

    assert_allclose(ratio[model.weights_ > 0], 1.0, atol=1e-9)
    assert (ratio < 1 + 1e-9).all()
    assert model.solution_.gap <= 1e-12


def test_expectation_maximization_reaches_the_same_mixture(table, truth):
    """The textbook's algorithm for mixture weights, given its thousands of steps."""
    likelihood = table[np.arange(len(truth)), :, truth]
    weights = np.full(4, 0.25)
    for _ in range(20_000):
        share = weights * likelihood
        weights = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    model = StackingNetClassifier(pool="linear", shrinkage=0).fit(table, truth)

    assert_allclose(model.weights_, weights, atol=1e-5)


# An interior point may end a little short of the certificate that we ask for.
@pytest.mark.filterwarnings("ignore:The weights are not certified")
@each_pool
@pytest.mark.parametrize("shrinkage", ["auto", 100.0])
def test_cvxpy_finds_the_same_weights(table, truth, pool, shrinkage):
    """It shares no line with the native solver."""
    model = StackingNetClassifier(pool=pool, shrinkage=shrinkage)
    native = clone(model).fit(table, truth)
    other = clone(model).set_params(solver="cvxpy").fit(table, truth)

    assert other.solution_.solver == "cvxpy"
    assert_allclose(other.weights_, native.weights_, atol=1e-5)


def test_labels_move_the_pool_away_from_agreement_as_the_prior_fades(table, truth):
    """Its centre is the pool without labels of the same rows, labels known or not."""
    model = StackingNetClassifier(pool="linear", classes=range(3))
    pooled = [
        clone(model).set_params(shrinkage=strength).fit(table, truth).weights_
        for strength in (0, 1, 10, 100, 1e4, 1e9)
    ]
    moved = np.linalg.norm(np.array(pooled) - pooled[-1], axis=1)

    assert (np.diff(moved) < 1e-9).all()
    assert moved[0] > 0.1


@pytest.mark.filterwarnings("ignore:.*counted as one:UserWarning")
def test_equal_models_share_equally(table, truth):
    """Any split between copies is optimal; only one of them treats them alike."""
    twice = table[:, [0, 1, 2, 0]]
    for shrinkage in (0, 10.0):
        model = StackingNetClassifier(pool="linear", shrinkage=shrinkage)
        weights = model.fit(twice, truth).weights_
        assert weights[0] == pytest.approx(weights[3], abs=1e-9)


@pytest.mark.parametrize("labels", ["many", "none"], indirect=True)
def test_one_model_is_the_pool(table, labels):
    model = StackingNetClassifier(pool="linear").fit(table[:, :1], labels)

    assert model.weights_.tolist() == [1.0]
    assert_allclose(model.predict_proba(table[:, :1]), table[:, 0], atol=1e-8)


def test_rows_that_all_models_call_impossible_say_nothing(table, truth):
    """Their log loss is infinite under any weights: the others decide."""
    table[:5] = np.eye(3)[(truth[:5] + 1) % 3][:, None, :]
    whole = StackingNetClassifier(pool="linear", shrinkage=0).fit(table, truth)
    rest = StackingNetClassifier(pool="linear", shrinkage=0).fit(table[5:], truth[5:])

    assert_allclose(whole.weights_, rest.weights_, atol=1e-9)


def test_a_silent_model_says_the_class_prior(table, truth):
    """So weights need no renormalization, and silence of all is the prior."""
    table[3, 1] = table[4] = np.nan
    model = StackingNetClassifier(pool="linear").fit(table, truth)

    spoken = np.where(np.isnan(table), model.class_prior_, table)
    expected = np.einsum("imk,m->ik", spoken, model.weights_)
    assert_allclose(model.predict_proba(table), expected, atol=1e-8)


@pytest.mark.parametrize(
    "class_weight", ["balanced", {0: 1.0, 1: 4.0, 2: 1.0}], ids=str
)
def test_class_weights_shift_what_each_model_says(table, truth, class_weight):
    """Bayes' rule: probabilities under rates that were seen, under others."""
    kept = (truth > 0) | (np.arange(len(truth)) % 4 == 0)
    table, truth = table[kept], truth[kept]
    model = StackingNetClassifier(pool="linear", class_weight=class_weight)
    model.fit(table, truth)

    shifted = table * (model.class_prior_ / model.class_rates_)
    shifted /= shifted.sum(axis=2, keepdims=True)
    expected = np.einsum("imk,m->ik", shifted, model.weights_)
    assert_allclose(model.predict_proba(table), expected, atol=1e-8)


def test_a_tie_of_the_pool_goes_to_the_larger_prior(table, truth):
    truth = np.where(np.arange(len(truth)) % 3 == 0, truth, 2)
    model = StackingNetClassifier(pool="linear").fit(table, truth)
    even = np.full((1, 4, 3), 1 / 3)

    assert model.class_prior_.argmax() == 2
    assert model.predict(even).tolist() == [2]


def test_the_pool_beats_its_members_and_the_plain_mean():
    """In log loss on rows that were not seen, for members of unequal sharpness."""
    better = []
    for seed in range(8):
        table, truth = opinions(seed, 1500)
        own, test = slice(500), slice(500, None)
        model = StackingNetClassifier(pool="linear").fit(table[own], truth[own])
        ours = log_loss(truth[test], model.predict_proba(table[test]))
        mean = log_loss(truth[test], table[test].mean(axis=1))
        each = [log_loss(truth[test], table[test, m]) for m in range(4)]
        better.append([mean - ours, min(each) - ours])

    assert (np.mean(better, axis=0) > [0.02, 0.0]).all()


# -------------------------------------------------------------------------- invariance


@each_pool
def test_order_of_models_and_rows_does_not_matter(table, labels, pool):
    """Weights go with their models; sums in another order differ by rounding."""
    models, rows = [2, 0, 3, 1], np.random.default_rng(0).permutation(len(table))
    plain = StackingNetClassifier(pool=pool).fit(table, labels)
    turned = StackingNetClassifier(pool=pool).fit(table[:, models], labels)
    y = None if labels is None else labels[rows]
    mixed = StackingNetClassifier(pool=pool).fit(table[rows], y)

    for attribute in ("weights_", "reliability_", "confusion_", "vote_weights_"):
        expected = getattr(plain, attribute)
        assert_allclose(getattr(turned, attribute), expected[models], atol=1e-9)
        assert_allclose(getattr(mixed, attribute), expected, atol=1e-9)
    assert_array_equal(turned.predict(table[:, models]), plain.predict(table))


@each_pool
def test_an_integer_weight_is_a_repetition(table, truth, pool):
    times = np.random.default_rng(0).integers(0, 4, size=len(truth))
    weighted = StackingNetClassifier(pool=pool).fit(table, truth, sample_weight=times)
    repeated = StackingNetClassifier(pool=pool)
    repeated.fit(np.repeat(table, times, axis=0), np.repeat(truth, times))

    assert_allclose(weighted.vote_weights_, repeated.vote_weights_, atol=1e-8)
    assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-8)


@each_pool
def test_unlabelled_rows_come_either_way(table, truth, pool):
    few = np.where(np.arange(len(truth)) < 30, truth, np.nan)
    inside = StackingNetClassifier(pool=pool).fit(table, few)
    apart = StackingNetClassifier(pool=pool)
    apart.fit(table[:30], truth[:30], X_unlabeled=table[30:])

    assert_array_equal(inside.vote_weights_, apart.vote_weights_)
    alone = StackingNetClassifier(pool=pool).fit(table[:30], truth[:30])
    assert np.abs(alone.reliability_ - inside.reliability_).max() > 1e-3


@each_pool
def test_containers_do_not_matter(table, labels, pool):
    """Lists, frames, two or three dimensions, any memory layout: the same numbers."""
    reference = StackingNetClassifier(pool=pool, classes=range(3)).fit(table, labels)
    wide = {"input": "proba", "pool": pool, "classes": [0, 1, 2]}
    columns = [f"{name}/{k}" for name in "abcd" for k in range(3)]
    for given in (
        table.tolist(),
        np.asfortranarray(table),
        flat(table),
        flat(table).tolist(),
        pd.DataFrame(flat(table), columns=columns, index=np.arange(len(table))[::-1]),
    ):
        model = StackingNetClassifier(**wide).fit(given, labels)
        assert_allclose(model.vote_weights_, reference.vote_weights_, atol=1e-12)
        assert_array_equal(model.predict(given), reference.predict(table))
    assert model.model_names_.tolist() == list("abcd")


@each_pool
def test_the_callers_table_is_left_alone(table, truth, pool):
    """Also where models are silent or classes weighed, which needs a copy; and what
    `transform` returns can be written to.
    """
    table[3, 1] = np.nan
    before = table.copy()
    table.flags.writeable = False
    model = StackingNetClassifier(pool=pool, class_weight={0: 3.0}).fit(table, truth)
    model.predict_proba(table)
    answers = model.transform(table)
    answers[:] = 7.0

    assert_array_equal(table, before)
    assert model.transform(table).max() <= 1.0


# ---------------------------------------------------------------------------- refusals


def put(values, row=7, model=2):
    def change(table):
        table = table.copy()
        table[row, model] = values
        return table

    return change


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.2, -0.2, 0.0], "are not between 0 and 1"),
        ([-1e-9, 0.5, 0.5 + 1e-9], "are not between 0 and 1"),
        ([0.2, 0.3, 0.4], r"sum to 0\.9; divide"),
        ([0.5, 0.5, 2e-6], r"sum to 1\.000002; divide"),
        ([0.0, 0.0, 0.0], "sum to 0; divide"),
        ([np.inf, 0.0, 0.0], "are not between 0 and 1"),
        ([0.5, np.nan, 0.5], "miss some classes; give all"),
    ],
    ids=str,
)
@each_pool
def test_what_is_no_probability_is_refused_with_its_place(
    table, truth, pool, values, said
):
    """Wherever it comes in: in `fit`, beside it, and after."""
    bad = put(values)(table)
    model = StackingNetClassifier(pool=pool).fit(table, truth)
    said = rf"'model_2' at row 7, .*{said}.*\(1 such in all\)"

    for refuse in (
        lambda: clone(model).fit(bad, truth),
        lambda: clone(model).fit(bad),
        lambda: model.predict_proba(bad),
        lambda: model.transform(bad),
    ):
        with pytest.raises(ValueError, match=said):
            refuse()
    with pytest.raises(ValueError, match=f"X_unlabeled.*{said}"):
        clone(model).fit(table, truth, X_unlabeled=bad)


@each_pool
def test_rounding_up_to_a_millionth_is_taken(table, truth, pool):
    """Probabilities printed with six digits are common, and no mistake."""
    model = StackingNetClassifier(pool=pool)
    clone(model).fit(put([0.5, 0.3, 0.2 + 9e-7])(table), truth)
    shown = clone(model).fit(table, truth).predict_proba(table * (1 - 9e-7))

    assert_allclose(shown.sum(axis=1), 1.0, atol=2e-6)


def test_how_many_classes_there_are_must_be_known(table, truth):
    """A table of twelve columns could be of three classes, or of four, or of six."""
    model = StackingNetClassifier(input="proba")
    with pytest.raises(ValueError, match=r"how many classes.*classes="):
        model.fit(flat(table))
    with pytest.raises(ValueError, match=r"11 columns, no multiple of the 3 classes"):
        model.fit(flat(table)[:, :-1], truth)
    with pytest.raises(ValueError, match=r"3 classes.*there are 2.*classes="):
        model.fit(table[truth < 2], truth[truth < 2])

    named = StackingNetClassifier(input="proba", classes=["x", "y", "z"])
    assert named.fit(flat(table)).classes_.tolist() == ["x", "y", "z"]
    assert StackingNetClassifier().fit(table).classes_.tolist() == [0, 1, 2]


def test_votes_are_no_probabilities(table, truth):
    with pytest.raises(ValueError, match="three dimensions"):
        StackingNetClassifier(input="votes").fit(table, truth)
    with pytest.raises(ValueError, match="mixes probabilities"):
        StackingNetClassifier(input="votes", pool="linear").fit(table, truth)
