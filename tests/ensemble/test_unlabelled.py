"""Rows without labels: what they may change, what not, and how they come in."""

import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from example_members import Consuming, FirstFeature
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.model_selection import LabelledKFold
from stackingnet_sk.weights import Status

CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")
each_constraint = pytest.mark.parametrize("constraint", CONSTRAINTS)
each_shrinkage = pytest.mark.parametrize("shrinkage", ["auto", 0, 30.0])
N_LABELLED = 15


@pytest.fixture
def labelled():
    """Which rows have a label: scattered, neither the first nor the last."""
    mask = np.zeros(60, dtype=bool)
    mask[1 + np.random.default_rng(3).permutation(58)[:N_LABELLED]] = True
    return mask


@pytest.fixture
def few(y, labelled):
    return np.where(labelled, y, np.nan)


@pytest.fixture
def pool():
    """Many rows of five models, of which the labelled rows are no sample."""
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(300, 1))
    return 3 * truth + rng.normal(size=(300, 5)) * [2.0, 1.0, 0.5, 0.3, 0.3]


def assert_same(model, other, rtol=1e-10):
    """Equal to rounding: moments of the same rows are summed in another order."""
    assert_allclose(model.weights_, other.weights_, rtol=rtol, atol=rtol)
    assert_allclose(model.intercept_, other.intercept_, rtol=rtol, atol=rtol)
    assert_allclose(model.reliability_, other.reliability_, rtol=rtol, atol=rtol)


def assert_differ(model, other):
    """Guards a law of equality against a feature that does nothing at all."""
    assert np.abs(model.weights_ - other.weights_).max() > 1e-4


# --------------------------------------------------------------- the same rows, however


@each_constraint
@each_shrinkage
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_nan_labels_are_rows_of_x_unlabeled(
    P, y, few, labelled, constraint, shrinkage, fit_intercept
):
    model = StackingNetRegressor(
        constraint=constraint, shrinkage=shrinkage, fit_intercept=fit_intercept
    )
    holes = clone(model).fit(P, few)
    apart = clone(model).fit(P[labelled], y[labelled], X_unlabeled=P[~labelled])

    assert_same(holes, apart)
    assert holes.error_moments_.n_rows == N_LABELLED
    alone = clone(model).fit(P[labelled], y[labelled])
    if shrinkage != 0 and constraint != "uniform":
        assert_differ(holes, alone)


def test_both_ways_at_once_add_up(P, few, labelled, pool):
    both = StackingNetRegressor().fit(P, few, X_unlabeled=pool)
    one = StackingNetRegressor().fit(
        P[labelled], few[labelled], X_unlabeled=np.vstack([pool, P[~labelled]])
    )

    assert_same(both, one)


def test_nan_labels_are_rows_of_x_unlabeled_with_members(X, y, few, labelled, members):
    # The order of the labelled rows, hence the folds, is the same in both.
    holes = StackingNetRegressor(members, cv=3).fit(X, few)
    apart = StackingNetRegressor(members, cv=3).fit(
        X[labelled], y[labelled], X_unlabeled=X[~labelled]
    )

    assert_same(holes, apart)
    alone = StackingNetRegressor(members, cv=3).fit(X[labelled], y[labelled])
    assert not np.array_equal(holes.reliability_, alone.reliability_)


@each_constraint
def test_without_prior_unlabelled_rows_are_ignored_bit_by_bit(
    P, y, few, labelled, pool, constraint
):
    model = StackingNetRegressor(constraint=constraint, shrinkage=0)
    alone = clone(model).fit(P[labelled], y[labelled])
    for other in (
        clone(model).fit(P, few),
        clone(model).fit(P[labelled], y[labelled], X_unlabeled=100 * pool),
    ):
        assert_array_equal(other.weights_, alone.weights_)
        assert other.intercept_ == alone.intercept_


@pytest.mark.parametrize("shrinkage", ["auto", 30.0])
def test_unlabelled_rows_come_in_any_order(P, few, pool, shrinkage):
    model = StackingNetRegressor(shrinkage=shrinkage)
    there = clone(model).fit(P, few, X_unlabeled=pool)
    back = clone(model).fit(P[::-1], few[::-1], X_unlabeled=pool[::-1])

    assert_same(there, back)


def test_bias_of_a_model_is_of_no_account_to_the_label_free_average(pool):
    """Only covariances say what models have in common."""
    shifted = StackingNetRegressor().fit(pool + np.array([0, 5, 0, -3, 1]))

    assert_same(shifted, StackingNetRegressor().fit(pool), rtol=1e-9)


# --------------------------------------------------------------- how labels are missing


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: [None if np.isnan(v) else v for v in y],
        lambda y: np.array([None if np.isnan(v) else v for v in y], dtype=object),
        lambda y: pd.Series(y).astype("Float64"),
        lambda y: pd.Series(y).astype("Float64").array,
        lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
        lambda y: pd.Series([None if np.isnan(v) else v for v in y], dtype=object),
    ],
    ids=["list", "object", "Float64", "array", "series", "object-series"],
)
def test_forms_of_missing_labels(P, few, convert):
    model = StackingNetRegressor().fit(P, few)
    other = StackingNetRegressor().fit(P, convert(few))

    assert_array_equal(other.weights_, model.weights_)
    assert other.score(P, convert(few)) == model.score(P, few)


def test_nullable_integers(P, few):
    rounded = pd.Series(np.round(few)).astype("Int64")
    model = StackingNetRegressor().fit(P, np.round(few))

    assert_array_equal(StackingNetRegressor().fit(P, rounded).weights_, model.weights_)
    assert model.score(P, rounded) == model.score(P, np.round(few))


def test_infinite_label_is_not_a_missing_one(P, few, labelled):
    row = labelled.nonzero()[0][2]
    few[row] = np.inf

    with pytest.raises(ValueError, match=rf"row {row}.*NaN"):
        StackingNetRegressor().fit(P, few)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_no_label_at_all_points_to_none(P, missing):
    with pytest.raises(ValueError, match=r"NaN only.*y=None"):
        StackingNetRegressor().fit(P, [missing] * len(P))


# ------------------------------------------------------------------------- no labels


def assert_label_free(model):
    assert model.solution_.status is Status.UNLABELLED
    assert "no labels" in repr(model.solution_)
    assert model.weights_.sum() == pytest.approx(1.0, rel=1e-14)
    assert (model.weights_ >= 0).all()
    assert model.intercept_ == 0.0
    assert model.solution_.certificate < 1e-9


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
def test_without_labels_it_is_the_limit_of_simplex_weights(pool, constraint):
    """As labels vanish against the prior, its centre is what is left."""
    model = StackingNetRegressor(constraint=constraint).fit(pool)
    assert_label_free(model)
    labels = pool[:6].mean(axis=1) + np.random.default_rng(0).normal(size=6)
    limit = StackingNetRegressor(constraint="simplex", shrinkage=1e10).fit(
        pool[:6], labels, X_unlabeled=pool[6:]
    )

    assert_allclose(model.weights_, limit.weights_, atol=1e-7)
    # The more precise, the more weight.
    assert model.weights_[2] > model.weights_[1] > model.weights_[0]


def test_vanishing_labels_tend_to_no_labels(pool):
    """The distance falls as the prior grows, in proportion to its reciprocal."""
    free = StackingNetRegressor().fit(pool).weights_
    labels = pool[:, 0]  # would give model 0 all weight
    distances = [
        np.abs(
            StackingNetRegressor(constraint="simplex", shrinkage=k)
            .fit(pool, np.where(np.arange(len(pool)) < 8, labels, np.nan))
            .weights_
            - free
        ).max()
        for k in (1, 1e4, 1e6, 1e8)
    ]

    assert distances[0] > 1e-2
    ratios = np.divide(distances[1:-1], distances[2:])
    assert_allclose(ratios, 100, rtol=0.05)


def test_without_labels_uniform_stays_uniform(pool):
    """ "All equal" is what was asked for, with labels or without."""
    model = StackingNetRegressor(constraint="uniform").fit(pool)

    assert_array_equal(model.weights_, 0.2)
    assert model.intercept_ == 0


def test_prefit_members_without_labels_are_their_table(X, y, members, pool):
    for _, member in members:
        member.fit(X, y)
    new = np.random.default_rng(9).normal(size=(80, 3))
    more = np.random.default_rng(10).normal(size=(70, 3))
    model = StackingNetRegressor(members, cv="prefit").fit(new, X_unlabeled=more)
    table = model.transform(np.vstack([new, more]))

    assert_label_free(model)
    assert_same(model, StackingNetRegressor().fit(table))
    assert_allclose(model.predict(new), table[:80] @ model.weights_)


def test_members_to_be_fitted_need_labels(X, members):
    with pytest.raises(ValueError, match=r"requires y.*None.*prefit"):
        StackingNetRegressor(members).fit(X)


def test_prefit_members_with_some_labels_are_their_table(X, y, few, members):
    for _, member in members:
        member.fit(X[:30], y[:30])
    model = StackingNetRegressor(members, cv="prefit").fit(X, few)

    assert_same(model, StackingNetRegressor().fit(model.transform(X), few))


def test_leaderboard_without_labels_knows_weights_but_no_errors(pool):
    model = StackingNetRegressor().fit(pool)
    board = model.leaderboard().set_index("model")

    assert_array_equal(board.loc[model.model_names_, "weight"], model.weights_)
    assert board["rmse"].isna().all()
    assert board["bias"].isna().all()


@pytest.mark.parametrize("n_models", [1, 2, 4])
def test_nothing_to_tell_models_apart_leaves_the_average(n_models):
    """One row, or constants: no covariance, hence no ranking, and no 0 / 0."""
    for table in (np.arange(n_models)[None] + 1.0, np.full((9, n_models), 3.0)):
        model = StackingNetRegressor().fit(table)
        assert_array_equal(model.weights_, 1 / n_models)
        assert_array_equal(model.reliability_, 0)


def test_constant_model_is_left_out_of_the_label_free_average(pool):
    pool[:, 2] = 7.3
    model = StackingNetRegressor().fit(pool)
    others = StackingNetRegressor().fit(np.delete(pool, 2, axis=1))

    assert model.weights_[2] == 0
    assert_allclose(np.delete(model.weights_, 2), others.weights_, rtol=1e-10)


# ------------------------------------------------------------------- sample weights


def weights_of(rng, n_rows):
    return rng.integers(0, 4, n_rows).astype(float)


@each_shrinkage
def test_integer_weight_is_a_repetition_of_the_row_labelled_or_not(P, few, shrinkage):
    weights = weights_of(np.random.default_rng(5), len(few))
    times = weights.astype(int)
    model = StackingNetRegressor(shrinkage=shrinkage)
    weighted = clone(model).fit(P, few, sample_weight=weights)
    repeated = clone(model).fit(np.repeat(P, times, axis=0), np.repeat(few, times))

    assert_same(weighted, repeated, rtol=1e-9)
    if shrinkage != 0:
        assert_differ(weighted, clone(model).fit(P, few))


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])
def test_unlabelled_rows_without_weight_are_not_there(P, y, few, labelled, constraint):
    model = StackingNetRegressor(constraint=constraint)
    spoiled = np.where(labelled[:, None], P, 1e3 * P)
    none = clone(model).fit(spoiled, few, sample_weight=labelled.astype(float))
    removed = clone(model).fit(
        P[labelled], y[labelled], sample_weight=np.ones(N_LABELLED)
    )

    assert_same(none, removed)


def test_weights_without_labels_are_repetitions_too(pool):
    weights = weights_of(np.random.default_rng(5), len(pool))
    weighted = StackingNetRegressor().fit(pool, sample_weight=weights)
    repeated = StackingNetRegressor().fit(np.repeat(pool, weights.astype(int), axis=0))

    assert_same(weighted, repeated, rtol=1e-9)


def test_labelled_rows_without_any_weight_are_an_error(P, few, labelled):
    with pytest.raises(ValueError, match="labelled rows have no weight"):
        StackingNetRegressor().fit(P, few, sample_weight=1.0 - labelled)


def test_members_see_weights_of_labelled_rows_only(X, y, few, labelled):
    weights = np.random.default_rng(6).uniform(0.5, 2, len(y))
    model = StackingNetRegressor([("a", Consuming())], cv=3)
    holes = clone(model).fit(X, few, sample_weight=weights)

    (member,) = holes.estimators_
    assert_array_equal(member.seen_["sample_weight"], weights[labelled])
    assert holes.error_moments_.weight == pytest.approx(weights[labelled].sum())


# ------------------------------------------------------- members see labelled rows only


class Recording(FirstFeature):
    """Notes what each fit got, in a list that clones share."""

    book = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None):
        self.book.append((np.array(X), np.array(y)))
        return super().fit(X, y)


@pytest.fixture
def book():
    Recording.book.clear()
    return Recording.book


@pytest.mark.parametrize("unlabelled", ["nan", "apart"])
def test_no_member_ever_fits_an_unlabelled_row(X, y, few, labelled, book, unlabelled):
    model = StackingNetRegressor([("a", Recording())], cv=3)
    if unlabelled == "nan":
        model.fit(X, few)
    else:
        model.fit(X[labelled], y[labelled], X_unlabeled=X[~labelled])

    assert len(book) == 4
    assert_array_equal(book[0][0], X[labelled])
    assert_array_equal(book[0][1], y[labelled])
    for own_X, own_y in book[1:]:
        assert len(own_y) == 10
        seen = np.isin(X[:, 0], own_X[:, 0])
        assert not (seen & ~labelled).any()
        assert_array_equal(own_y, y[seen])


@pytest.mark.parametrize(
    "cv",
    [
        None,
        4,
        KFold(3, shuffle=True, random_state=0),
        ShuffleSplit(3, test_size=0.4, random_state=0),
        LabelledKFold(3),
    ],
    ids=str,
)
def test_splitters_split_the_labelled_rows(X, y, few, labelled, members, cv):
    holes = StackingNetRegressor(members, cv=cv, shrinkage=0).fit(X, few)
    alone = StackingNetRegressor(members, cv=cv, shrinkage=0)
    alone.fit(X[labelled], y[labelled])

    assert_array_equal(holes.weights_, alone.weights_)
    assert holes.intercept_ == alone.intercept_


def test_groups_are_taken_with_the_labelled_rows(X, y, few, labelled, members):
    groups = np.arange(len(y)) // 5
    model = StackingNetRegressor(members, cv=GroupKFold(3), shrinkage=0)
    holes = clone(model).fit(X, few, groups=groups)
    alone = clone(model).fit(X[labelled], y[labelled], groups=groups[labelled])

    assert_array_equal(holes.weights_, alone.weights_)
    assert alone.weights_.any()


@pytest.mark.parametrize("form", ["list", "masks", "generator", "PredefinedSplit"])
def test_row_numbers_that_the_user_wrote_down_are_those_of_x(
    X, y, few, labelled, members, form
):
    """With NaN in y, positions among the labelled rows would be other rows, and where
    they exist nobody would notice.
    """
    fold = np.arange(len(y)) % 3
    splits = [((fold != k).nonzero()[0], (fold == k).nonzero()[0]) for k in range(3)]
    cv = {
        "list": splits,
        "masks": [(fold != k, fold == k) for k in range(3)],
        "generator": (split for split in splits),
        "PredefinedSplit": PredefinedSplit(fold),
    }[form]
    holes = StackingNetRegressor(members, cv=cv, shrinkage=0).fit(X, few)
    alone = StackingNetRegressor(
        members, cv=PredefinedSplit(fold[labelled]), shrinkage=0
    ).fit(X[labelled], y[labelled])

    assert_array_equal(holes.weights_, alone.weights_)
    assert alone.weights_.any()


def test_fit_metadata_is_taken_with_the_labelled_rows(X, few, labelled):
    flavour = np.linspace(0, 1, len(few))
    with sklearn.config_context(enable_metadata_routing=True):
        model = StackingNetRegressor([("a", Consuming().set_fit_request(flavour=True))])
        model.fit(X, few, flavour=flavour)

    assert_array_equal(model.estimators_[0].seen_["flavour"], flavour[labelled])


def test_inputs_of_other_kinds(X, few, weighted):
    model = StackingNetRegressor(weighted, cv=3).fit(X, few, X_unlabeled=X[:9])
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(60)[::-1])
    labels = pd.Series(few, index=frame.index).astype("Float64")
    for table, own in ((frame, labels), (X.tolist(), few.tolist())):
        other = StackingNetRegressor(weighted, cv=3)
        other.fit(table, own, X_unlabeled=table[:9])
        # Members add up in another order where rows lie otherwise in memory.
        assert_same(other, model)


# ---------------------------------------------------------- X_unlabeled that cannot be


def spoiled(frame, value):
    frame = frame.copy()
    frame.loc[7, "c"] = value
    return frame


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.iloc[:, :3], ["names", "- d"]),
        (lambda p: p.iloc[:, :3].to_numpy(), ["3 features", "expecting 5"]),
        (lambda p: p.rename(columns={"a": "z"}), ["names", "- z", "- a"]),
        (lambda p: p[list("bacde")], ["same order"]),
        (lambda p: spoiled(p, np.inf), ["infinity", "'c'", "row 7"]),
        (lambda p: spoiled(p, -np.inf), ["infinity", "'c'", "row 7"]),
        (lambda p: spoiled(p.astype(object), "x"), ["'c'", "'x'", "row 7"]),
    ],
    ids=["fewer", "fewer-bare", "names", "order", "inf", "-inf", "text"],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_bad_table_is_named(P, y, change, words):
    """Row 7 of which table? The message has to say, for there are two."""
    frame = pd.DataFrame(P, columns=list("abcde"))
    with pytest.raises(ValueError, match="X_unlabeled") as caught:
        StackingNetRegressor().fit(frame, y, X_unlabeled=change(frame))

    missing = [word for word in words if not re.search(word, str(caught.value))]
    assert not missing, f"{missing} not in: {caught.value}"


@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_bad_values_are_refused_even_where_they_would_not_count(P, y, shrinkage):
    bad = np.full((1, 5), np.inf)
    model = StackingNetRegressor(shrinkage=shrinkage)

    with pytest.raises(ValueError, match=r"X_unlabeled.*infinity.*row 0"):
        model.fit(P, y, X_unlabeled=bad)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        model.predict(P)


def test_bad_prediction_of_a_member_on_unlabelled_rows(X, few, labelled):
    row = (~labelled).nonzero()[0][4]

    def spoil(first):
        return np.where(first == X[row, 0], np.inf, first)

    model = StackingNetRegressor([("good", FirstFeature()), ("bad", FirstFeature())])
    model.set_params(bad__spoil=spoil)
    with pytest.raises(ValueError, match=rf"infinity.*'bad'.*row {row}\b"):
        model.fit(X, few)


@pytest.mark.parametrize("table", ["names", "numbers"])
def test_bad_features_for_members_are_named(X, y, weighted, table):
    frame = pd.DataFrame(X, columns=list("abc"))
    X, wrong = {
        "names": (frame, frame.rename(columns={"b": "z"})),
        "numbers": (X, X[:, :2]),
    }[table]

    with pytest.raises(ValueError, match="X_unlabeled"):
        StackingNetRegressor(weighted).fit(X, y, X_unlabeled=wrong)


def test_unlabelled_rows_far_out_of_range_are_no_crash(P, y):
    """A row of garbage overflows when squared in the units of the labelled rows."""
    garbage = P.copy()
    garbage[3, 0] = 1e200
    with pytest.raises(ValueError, match="units"):
        StackingNetRegressor().fit(P, y, X_unlabeled=garbage)

    # Who asks for no prior has no use for them.
    exact = StackingNetRegressor(shrinkage=0).fit(P, y, X_unlabeled=garbage)
    alone = StackingNetRegressor(shrinkage=0).fit(P, y)
    assert_array_equal(exact.weights_, alone.weights_)


# ----------------------------------------------------------------------- metadata


@pytest.fixture
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def asking(_routing):
    return StackingNetRegressor().set_fit_request(X_unlabeled=True)


# Also as many rows as there are labelled ones: scikit-learn slices metadata of the
# length of X, and that must not break anything.
@pytest.fixture(params=[300, 60])
def more(request, pool):
    return pool[: request.param]


@pytest.mark.usefixtures("_routing")
def test_pipeline_transforms_unlabelled_rows_like_the_others(P, y, asking, more):
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("stack", asking)],
        transform_input=["X_unlabeled"],
    ).fit(P, y - y.mean(), X_unlabeled=more)
    scaler = StandardScaler().fit(P)
    alone = StackingNetRegressor().fit(
        scaler.transform(P), y - y.mean(), X_unlabeled=scaler.transform(more)
    )

    assert_array_equal(pipeline["stack"].weights_, alone.weights_)
    raw = StackingNetRegressor().fit(
        scaler.transform(P), y - y.mean(), X_unlabeled=more
    )
    assert not np.array_equal(raw.weights_, alone.weights_)


@pytest.mark.usefixtures("_routing")
def test_grid_search_hands_on_unlabelled_rows(P, y, asking, pool):
    grid = {"shrinkage": [3.0, 300.0]}
    search = GridSearchCV(asking, grid, cv=KFold(3)).fit(P, y, X_unlabeled=pool)

    expected = []
    for strength in grid["shrinkage"]:
        model = StackingNetRegressor(shrinkage=strength)
        expected.append(
            [
                model.fit(P[train], y[train], X_unlabeled=pool).score(P[test], y[test])
                for train, test in KFold(3).split(P)
            ]
        )
    found = search.cv_results_["mean_test_score"]
    assert_allclose(found, np.mean(expected, axis=1), rtol=1e-12)
    best = StackingNetRegressor(**search.best_params_).fit(P, y, X_unlabeled=pool)
    assert_array_equal(search.best_estimator_.weights_, best.weights_)


@pytest.mark.usefixtures("_routing")
def test_cross_validate_hands_on_unlabelled_rows(P, y, asking, more):
    found = cross_validate(
        asking, P, y, cv=KFold(3), params={"X_unlabeled": more}, return_estimator=True
    )

    for (train, _), model in zip(KFold(3).split(P), found["estimator"], strict=True):
        own = more if len(more) != len(P) else more[train]
        alone = StackingNetRegressor().fit(P[train], y[train], X_unlabeled=own)
        assert_array_equal(model.weights_, alone.weights_)


@pytest.mark.usefixtures("_routing")
def test_not_saying_whether_one_wants_them_is_an_error(P, y, pool):
    search = GridSearchCV(StackingNetRegressor(), {"shrinkage": [0.0]})

    with pytest.raises(UnsetMetadataPassedError, match="X_unlabeled"):
        search.fit(P, y, X_unlabeled=pool)


def test_fit_transform_hands_on_unlabelled_rows(P, y, pool):
    model = StackingNetRegressor()
    answers = model.fit_transform(P, y, X_unlabeled=pool)

    assert_array_equal(answers, P)
    alone = StackingNetRegressor().fit(P, y, X_unlabeled=pool)
    assert_array_equal(model.weights_, alone.weights_)


# -------------------------------------------------------------------------- score


def test_score_uses_labelled_rows(P, y, few, labelled, pool):
    model = StackingNetRegressor().fit(P, y)
    weights = np.random.default_rng(0).uniform(size=len(y))

    assert model.score(P, few) == model.score(P[labelled], y[labelled])
    assert model.score(P, few, weights) == model.score(
        P[labelled], y[labelled], weights[labelled]
    )
    with pytest.raises(ValueError, match="label"):
        model.score(P, np.full(60, np.nan))


# --------------------------------------------------------------------------- units


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e-20, 1e20, 1e150, 1e300])
@pytest.mark.parametrize("labels", ["few", "none"])
def test_units_are_of_no_account(P, few, pool, unit, labels):
    given = None if labels == "none" else few
    scaled = None if labels == "none" else few * unit
    model = StackingNetRegressor().fit(P, given, X_unlabeled=pool)
    other = StackingNetRegressor().fit(P * unit, scaled, X_unlabeled=pool * unit)

    assert_allclose(other.weights_, model.weights_, rtol=1e-9, atol=1e-12)
    assert_allclose(other.reliability_, model.reliability_, rtol=1e-9, atol=1e-12)
    assert_allclose(other.intercept_ / unit, model.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e-20, 1e20])
def test_unlabelled_rows_in_units_of_their_own(P, y, pool, unit):
    """An error that is easily made; the centre follows whichever rows vary more, as
    all of them are one sample, and nothing overflows or divides by zero.
    """
    table, more = P - P.mean(axis=0), (pool - pool.mean(axis=0)) * unit
    model = StackingNetRegressor(shrinkage=1e12, constraint="simplex")
    model.fit(table, y - y.mean(), X_unlabeled=more)

    still = (0.0 * table, more) if unit > 1 else (table, 0.0 * more)
    larger = StackingNetRegressor().fit(np.concatenate(still))
    assert_allclose(model.weights_, larger.weights_, atol=1e-6)


# -------------------------------------------------------------------- what it is for


def one_factor(seed, n_rows, loadings, noise=0.3):
    """Models that see the truth through independent errors, each of variance one."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_rows)
    errors = rng.normal(size=(n_rows, len(loadings))) * np.sqrt(1 - loadings**2)
    return truth[:, None] * loadings + errors, truth + noise * rng.normal(size=n_rows)


@pytest.mark.parametrize("n_labelled", [6, 12, 25])
@pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])
def test_unlabelled_rows_help_where_labels_are_few(n_labelled, constraint):
    """They show who agrees with whom, which is what the prior's centre is made of."""
    gain = []
    for seed in range(40):
        table, truth = one_factor(seed, 1500, np.linspace(0.3, 0.95, 8))
        own, test = slice(n_labelled), slice(500, None)
        model = StackingNetRegressor(constraint=constraint)
        without = clone(model).fit(table[own], truth[own])
        rest = {"X_unlabeled": table[n_labelled:500]}
        informed = clone(model).fit(table[own], truth[own], **rest)
        gain.append(
            [
                np.mean((fitted.predict(table[test]) - truth[test]) ** 2)
                for fitted in (without, informed)
            ]
        )
    alone, helped = np.transpose(gain)

    assert helped.mean() < 0.9 * alone.mean()
    # Not by a few lucky draws.
    assert np.mean(helped < alone) > 0.6


def test_more_unlabelled_rows_move_the_centre_toward_the_truth():
    """The best linear predictor of the factor weighs by ``l / (1 - l^2)``."""
    loadings = np.linspace(0.4, 0.9, 6)
    ideal = loadings / (1 - loadings**2)
    ideal /= ideal.sum()
    distance = []
    for n_rows in (50, 500, 5000):
        errors = [
            np.abs(
                StackingNetRegressor()
                .fit(one_factor(seed, n_rows, loadings)[0])
                .weights_
                - ideal
            ).sum()
            for seed in range(20)
        ]
        distance.append(np.mean(errors))

    assert distance[0] > 2 * distance[1] > 4 * distance[2]
    assert distance[2] < 0.05


@pytest.mark.parametrize("shared", [0.0, 0.5], ids=["independent", "correlated"])
@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
@pytest.mark.parametrize("n_models", [3, 8])
def test_prior_does_no_harm_where_labels_are_many(shared, constraint, n_models):
    """From fifty labels a model on: within 0.2 % of the unshrunk test error, even where
    errors have a factor of their own, which the label-free direction takes for truth.
    """
    n_labelled, errors, moved = 50 * n_models, [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n_rows = n_labelled + 3000
        truth = rng.normal(size=n_rows)
        noise = np.sqrt(1 - shared) * rng.normal(size=(n_rows, n_models))
        noise += np.sqrt(shared) * rng.normal(size=(n_rows, 1))
        table = truth[:, None] + noise * np.linspace(0.3, 1.2, n_models)
        own, test = slice(n_labelled), slice(n_labelled + 1000, None)
        rest = {"X_unlabeled": table[n_labelled : n_labelled + 1000]}
        fits = [
            StackingNetRegressor(constraint=constraint, shrinkage=strength).fit(
                table[own], truth[own], **rest
            )
            for strength in ("auto", 0)
        ]
        errors.append(
            [np.mean((fit.predict(table[test]) - truth[test]) ** 2) for fit in fits]
        )
        moved.append(np.abs(fits[0].weights_ - fits[1].weights_).max())
    shrunk, exact = np.mean(errors, axis=0)

    assert shrunk < 1.002 * exact
    assert max(moved) > 0  # or nothing was shrunk
