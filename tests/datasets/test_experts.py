"""Crowds that are made up: each parameter is a law of the answers.

Tolerances are five standard errors of what is measured on the items, so that a right
generator fails one of the hundred comparisons here once in ten thousand seeds; the
seeds are fixed besides.
"""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.datasets import make_experts

N = 40_000
ACCURACY = [0.9, 0.75, 0.6]


def assert_share(hits, expected):
    """Standard error of a share: sqrt(p (1 - p) / n), at least one hit's."""
    hits = np.asarray(hits, dtype=float)
    error = np.sqrt(np.maximum(np.multiply(expected, np.subtract(1, expected)), 1e-4))
    assert_allclose(
        hits.mean(axis=0), expected, atol=5 * error.max() / len(hits) ** 0.5
    )


def assert_correlation(x, y, expected):
    """Standard error of a correlation of normal variables: (1 - rho^2) / sqrt(n)."""
    error = max(1 - expected**2, 1e-9) / len(x) ** 0.5
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(expected, abs=5 * error)


# -------------------------------------------------------------------------- numbers


def test_truth_is_standard_normal():
    truth = make_experts(N, 1, random_state=0).truth
    # Standard errors: 1 / sqrt(n) of the mean, sqrt(2 / n) of the variance.
    assert truth.mean() == pytest.approx(0, abs=5 / N**0.5)
    assert truth.var() == pytest.approx(1, abs=5 * (2 / N) ** 0.5)


def test_accuracy_of_numbers_is_the_correlation_with_the_truth():
    crowd = make_experts(N, 3, accuracy=ACCURACY, random_state=0)
    for said, accuracy in zip(crowd.X.T, ACCURACY, strict=True):
        assert_correlation(said, crowd.truth, accuracy)
        # Errors have mean zero, of which the standard error is sigma / sqrt(n).
        errors = said - crowd.truth
        sigma = (1 / accuracy**2 - 1) ** 0.5
        assert errors.mean() == pytest.approx(0, abs=5 * sigma / N**0.5)
        assert errors.std() == pytest.approx(sigma, abs=5 * sigma / (2 * N) ** 0.5)


def test_bias_is_added():
    plain = make_experts(50, 2, random_state=0)
    biased = make_experts(50, 2, bias=[2.0, -0.5], n_flipped=0, random_state=0)
    assert_allclose(biased.X - plain.X, np.broadcast_to([2.0, -0.5], (50, 2)))


@pytest.mark.parametrize("correlation", [0.0, 0.4, 1.0])
def test_errors_of_numbers_correlate_within_families_only(correlation):
    crowd = make_experts(
        N, 4, correlation=correlation, families=["u", "u", "v", "v"], random_state=0
    )
    errors = (crowd.X - crowd.truth[:, None]).T
    assert_correlation(errors[0], errors[1], correlation)
    assert_correlation(errors[2], errors[3], correlation)
    assert_correlation(errors[0], errors[2], 0.0)
    assert_correlation(errors[1], crowd.truth, 0.0)


def test_perfect_experts_of_numbers():
    crowd = make_experts(20, 2, accuracy=1.0, correlation=0.5, random_state=0)
    assert_array_equal(crowd.X, np.c_[crowd.truth, crowd.truth])


def test_flipped_and_random_numbers():
    """Of a flipped expert the correlation is minus the mean; of a random one zero."""
    crowd = make_experts(
        N,
        3,
        accuracy=ACCURACY,
        n_random=1,
        n_flipped=1,
        correlation=0.9,
        random_state=0,
    )
    random, flipped = crowd.X[:, 3], crowd.X[:, 4]
    assert_correlation(random, crowd.truth, 0.0)
    assert_correlation(flipped, crowd.truth, -np.mean(ACCURACY))
    # They are nobody's kin.
    honest = crowd.X[:, 0] - crowd.truth
    assert_correlation(flipped + crowd.truth, honest, 0.0)
    assert_correlation(random, honest, 0.0)


# ---------------------------------------------------------------------------- votes


@pytest.mark.parametrize("n_classes", [2, 4])
def test_accuracy_of_votes_does_not_depend_on_the_class(n_classes):
    crowd = make_experts(N, 3, n_classes=n_classes, accuracy=ACCURACY, random_state=0)
    right = crowd.truth[:, None] == crowd.X
    for label in range(n_classes):
        assert_share(right[crowd.truth == label], ACCURACY)


def test_wrong_votes_are_equally_probable():
    crowd = make_experts(N, 1, n_classes=4, accuracy=0.4, random_state=0)
    step = (crowd.X[:, 0] - crowd.truth) % 4
    assert_share(step[:, None] == np.arange(4), [0.4, 0.2, 0.2, 0.2])


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_votes_are_right_together_within_families_only(n_classes, correlation):
    """Both right: min(p, q) if both follow their family, with probability rho."""
    crowd = make_experts(
        N,
        4,
        n_classes=n_classes,
        accuracy=[0.8, 0.8, 0.6, 0.6],
        correlation=correlation,
        families=[0, 0, 1, 0],
        random_state=0,
    )
    right = crowd.truth[:, None] == crowd.X
    both = [(0, 1, 0.8), (0, 3, 0.6)]
    for one, other, least in both:
        alone = right[:, one].mean() * right[:, other].mean()
        assert_share(
            right[:, one] & right[:, other],
            correlation * least + (1 - correlation) * alone,
        )
    assert_share(right[:, 0] & right[:, 2], 0.8 * 0.6)
    # Where both are equally accurate rho is the correlation of being right. Its
    # standard error is below 1.5 / sqrt(n) for shares between 0.2 and 0.8.
    found = np.corrcoef(right[:, 0], right[:, 1])[0, 1]
    assert found == pytest.approx(correlation, abs=5 * 1.5 / N**0.5)


def test_all_are_of_one_family_by_default():
    alone = make_experts(N, 2, n_classes=2, correlation=1.0, random_state=0)
    assert_array_equal(alone.X[:, 0], alone.X[:, 1])
    named = make_experts(
        N, 2, n_classes=2, correlation=1.0, families=["a", "a"], random_state=0
    )
    assert_array_equal(alone.X, named.X)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_flipped_and_random_votes(n_classes):
    """Flipped: the next class with the mean accuracy. Random: all equally often."""
    crowd = make_experts(
        N,
        3,
        n_classes=n_classes,
        accuracy=ACCURACY,
        n_random=1,
        n_flipped=1,
        random_state=0,
    )
    random, flipped = crowd.X[:, 3], crowd.X[:, 4]
    assert_share(flipped == (crowd.truth + 1) % n_classes, np.mean(ACCURACY))
    assert_share(random == crowd.truth, 1 / n_classes)
    assert_share(
        random[:, None] == np.arange(n_classes), np.full(n_classes, 1 / n_classes)
    )


@pytest.mark.parametrize("prior", [None, [0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
def test_class_prior(prior):
    crowd = make_experts(N, 1, n_classes=3, class_prior=prior, random_state=0)
    expected = [1 / 3] * 3 if prior is None else prior
    assert_share(crowd.truth[:, None] == np.arange(3), expected)


# ---------------------------------------------------------------- missing and labels


@pytest.mark.parametrize("n_classes", [None, 3])
def test_missing_answers_have_their_share_in_each_column(n_classes):
    shares = [0.0, 0.3, 0.8, 0.5]
    crowd = make_experts(
        N,
        2,
        n_classes=n_classes,
        n_random=1,
        n_flipped=1,
        missing=shares,
        random_state=0,
    )
    holes = np.isnan(crowd.X)
    assert_share(holes, shares)
    # Holes are independent of each other and of the truth.
    assert_share(holes[:, 1] & holes[:, 2], 0.3 * 0.8)
    high = crowd.truth > np.median(crowd.truth)
    assert_share(holes[high], shares)


@pytest.mark.parametrize("n_classes", [None, 3])
@pytest.mark.parametrize("n_labelled", [1, 137, 400])
def test_some_items_are_labelled(n_classes, n_labelled):
    crowd = make_experts(
        400, 2, n_classes=n_classes, n_labelled=n_labelled, random_state=0
    )
    assert crowd.n_labelled == n_labelled
    assert_array_equal(
        crowd.y[crowd.labelled].astype(float), crowd.truth[crowd.labelled]
    )
    assert len(crowd.y) == len(crowd.truth) == len(crowd) == 400


@pytest.mark.parametrize(
    ("n_classes", "estimator"),
    [(None, StackingNetRegressor), (3, StackingNetClassifier)],
)
def test_no_item_is_labelled(n_classes, estimator):
    """Then the table says so in a way that estimators understand."""
    crowd = make_experts(40, 3, n_classes=n_classes, n_labelled=0, random_state=0)
    assert crowd.n_labelled == 0
    assert repr(crowd) == "40 items x 3 models, no labels"
    model = estimator().fit(crowd.X, crowd.y)
    assert_array_equal(model.weights_, estimator().fit(crowd.X).weights_)


def test_labelled_items_are_drawn():
    """Of 100 draws of half of them each item is in 50, of which the error is 5."""
    times = sum(
        make_experts(40, 1, n_labelled=20, random_state=seed).labelled.astype(int)
        for seed in range(100)
    )
    assert abs(times - 50).max() <= 5 * 5


@pytest.mark.parametrize("n_classes", [None, 3])
def test_all_items_are_labelled_by_default(n_classes):
    crowd = make_experts(30, 2, n_classes=n_classes, random_state=0)
    assert_array_equal(crowd.y, crowd.truth)


def test_labels_are_not_the_truth_itself():
    """To change one of them changes nothing else."""
    crowd = make_experts(30, 2, random_state=0)
    crowd.y[0] = 100.0
    assert crowd.truth[0] < 10


# ---------------------------------------------------------------------------- seeds


@pytest.mark.parametrize("n_classes", [None, 3])
def test_a_seed_is_a_crowd(n_classes):
    options = {"n_classes": n_classes, "n_labelled": 9, "missing": 0.2}
    one = make_experts(30, 3, **options, random_state=1)
    same = make_experts(30, 3, **options, random_state=np.random.RandomState(1))
    other = make_experts(30, 3, **options, random_state=2)
    assert_array_equal(one.X, same.X)
    assert_array_equal(one.labelled, same.labelled)
    assert_array_equal(one.truth, same.truth)
    assert (one.truth != other.truth).any()


def test_the_global_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.RandomState(0).rand()
    make_experts(10, 2, random_state=5)
    assert np.random.rand() == expected  # noqa: NPY002


def test_frames_have_the_same_answers_under_names():
    options = {"n_random": 2, "n_flipped": 1, "missing": 0.1, "random_state": 0}
    array = make_experts(30, 2, **options)
    frame = make_experts(30, 2, **options, as_frame=True)
    assert isinstance(frame.X, pd.DataFrame)
    assert frame.models == ["expert_0", "expert_1", "random_0", "random_1", "flipped_0"]
    assert array.models == [0, 1, 2, 3, 4]
    assert_array_equal(frame.X.to_numpy(), array.X)


@pytest.mark.parametrize(
    ("n_classes", "estimator"),
    [(None, StackingNetRegressor), (3, StackingNetClassifier)],
)
def test_the_better_expert_weighs_more(n_classes, estimator):
    """What the crowds are for."""
    crowd = make_experts(
        2000, 3, n_classes=n_classes, accuracy=ACCURACY, n_flipped=1, random_state=0
    )
    weights = estimator().fit(crowd.X, crowd.y).weights_
    assert weights[0] > weights[1] > weights[2] > weights[3]


# ------------------------------------------------------------------ wrong parameters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_items": 0}, "n_items=0"),
        ({"n_experts": 0}, "n_experts=0"),
        ({"n_random": -1}, "n_random=-1"),
        ({"n_flipped": -1}, "n_flipped=-1"),
        ({"n_classes": 1}, "n_classes=1"),
        ({"accuracy": 1.1}, "accuracy"),
        ({"accuracy": -0.1, "n_classes": 2}, "accuracy"),
        ({"accuracy": np.nan}, "accuracy"),
        ({"accuracy": 0.0}, "above 0"),
        ({"accuracy": [0.5, 0.5]}, r"accuracy has shape \(2,\), not \(5,\)"),
        ({"bias": [1.0]}, "bias has shape"),
        ({"bias": np.nan}, "bias"),
        ({"bias": 1.0, "n_classes": 2}, "no bias"),
        ({"correlation": -0.1}, "correlation"),
        ({"correlation": 1.1}, "correlation"),
        ({"families": [0, 1]}, r"families has shape \(2,\), not \(5,\)"),
        ({"missing": 1.0}, "missing"),
        ({"missing": -0.1}, "missing"),
        (
            {"missing": [0.1] * 5, "n_random": 1},
            r"missing has shape \(5,\), not \(6,\)",
        ),
        ({"class_prior": [0.5, 0.4], "n_classes": 2}, "sum to 1"),
        ({"class_prior": [1.5, -0.5], "n_classes": 2}, "sum to 1"),
        ({"class_prior": [1.0], "n_classes": 2}, "class_prior"),
        ({"class_prior": [0.5, 0.5]}, "class_prior"),
        ({"n_labelled": -1}, "n_labelled=-1"),
        ({"n_labelled": 501}, "n_labelled=501"),
    ],
)
def test_wrong_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_experts(**options, random_state=0)
