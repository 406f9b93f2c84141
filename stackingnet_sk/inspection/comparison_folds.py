"""Folds of the labelled rows, and what is fitted without the rows of one fold."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv
from sklearn.pipeline import Pipeline

from stackingnet_sk._compat import routing_enabled, take_rows, take_rows_of_params
from stackingnet_sk.model_selection import LabelledKFold
from stackingnet_sk.predictions import (
    OutOfFold,
    as_array,
    check_splits,
    has_row_numbers,
    is_labelled,
    is_prefit,
    restrict_splits,
)

Array = NDArray[Any]

# Default number of folds, and the smaller one if fits take long: with members, or with
# many labelled rows.
_FOLDS, _FOLDS_OF_MANY, _MANY = 10, 5, 2000


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows on which a combination and its rivals are compared.

    `labels` are as they came, NaN or None where missing; `codes` are the same as
    numbers, or as indices of classes. `weights` is None if all rows count the same.
    `fit_params` is what `fit` receives besides. `numbers` are the row numbers in the
    table that the user gave, which has `n_given` rows.
    """

    X: Any
    labels: Array
    codes: Array
    weights: Array | None
    fit_params: dict[str, Any]
    numbers: Array
    n_given: int


class Held(NamedTuple):
    """A combination fitted without some rows, with what it and its rivals see.

    `table`, `labels` and `weights` are those of the labelled rows it was fitted on (out
    of fold, if members are fitted). `held_out` are the models' predictions for the rows
    held out, and `predictions` those of the combination.
    """

    model: Any
    table: Array
    labels: Array
    weights: Array | None
    held_out: Array
    predictions: Array


def split_pipeline(estimator: Any) -> tuple[Any, Any]:
    """Split a pipeline into the steps before the combination, and the combination.

    The former is None if there are no such steps. A TypeError is raised if the
    estimator is not, and does not end in, a StackingNet one.
    """
    steps, model = None, estimator
    if isinstance(estimator, Pipeline):
        model = estimator.steps[-1][1]
        if len(estimator.steps) > 1:
            steps = estimator[:-1]
    if not hasattr(model, "leaderboard"):
        raise TypeError(
            f"{type(model).__name__} is no StackingNetRegressor or "
            "StackingNetClassifier; give one, or a pipeline that ends in one."
        )
    return steps, model


def draw_rows(labelled: Array, most: int, random: np.random.Generator) -> Array:
    """Keep at most `most` rows with a label and `most` without, at random, in order."""
    parts = [
        rows if len(rows) <= most else random.choice(rows, most, replace=False)
        for rows in (labelled.nonzero()[0], (~labelled).nonzero()[0])
    ]
    return np.sort(np.concatenate(parts))


def fits_members(model: Any) -> bool:
    """Tell whether `fit` of a combination fits members."""
    return model.estimators is not None and not is_prefit(model.cv)


def unfitted(model: Any) -> Any:
    """Copy a combination without its fit; members that were given fitted stay so."""
    return copy(model) if model.estimators and is_prefit(model.cv) else clone(model)


def params_of_fit(
    estimator: Any, groups: Any, weights: Array | None, others: dict[str, Any]
) -> dict[str, Any]:
    """Name what the `fit` of an estimator receives besides X and y.

    Entries that are None are left out. The last step of a pipeline receives parameters
    that name no step, unless scikit-learn routes metadata.
    """
    given = {"groups": groups, "sample_weight": weights}
    given = {key: value for key, value in given.items() if value is not None} | others
    if isinstance(estimator, Pipeline) and not routing_enabled():
        last = estimator.steps[-1][0]
        return {k if "__" in k else f"{last}__{k}": v for k, v in given.items()}
    return given


def with_written_splits(model: Any, X: Any, labels: Array) -> Any:
    """Return the model with `cv` as a list, if `cv` has row numbers of the whole table.

    It is the same model if `cv` makes its splits from the rows that it is given.
    """
    if not (fits_members(model) and has_row_numbers(model.cv)):
        return model
    model = copy(model)
    model.cv = check_splits(check_cv(model.cv).split(X, labels), len(labels))
    return model


def default_folds(rows: Rows, model: Any, groups: Any, random_state: Any) -> Any:
    """Choose folds for the labels at hand: a LabelledKFold, or a list of (train, test).

    There are ten folds, or five with many labels or with members that are fitted in
    each. With few labels a fold has one row of each class, as far as it has its share
    of the largest class. With groups, no group is in both parts of a fold, and there
    are at most as many folds as groups.
    """
    labelled = is_labelled(rows.labels)
    codes, classes = rows.codes[labelled], is_classifier(model)
    many = len(codes) >= _MANY or fits_members(model)
    most = len(codes)
    if classes:
        # With one test row per fold, removing a row of the most frequent class can make
        # another class the most frequent in training, and the constant rival would be
        # wrong on exactly those rows.
        most = max(int(np.unique(codes, return_counts=True)[1].max()), 2)
    n_folds = min(_FOLDS_OF_MANY if many else _FOLDS, most)
    if groups is not None:
        return _folds_of_groups(rows, groups, n_folds, classes, random_state)
    return LabelledKFold(
        n_folds, shuffle=True, random_state=random_state, stratified=classes
    )


def _folds_of_groups(
    rows: Rows, groups: Any, n_folds: int, classes: bool, random_state: Any
) -> list[tuple[Array, Array]]:
    """Hold out whole groups, with their rows that have no label."""
    labelled = is_labelled(rows.labels).nonzero()[0]
    group = np.unique(as_array(groups), return_inverse=True)[1]
    n_groups = len(np.unique(group[labelled]))
    if n_groups < 2:
        raise ValueError(
            "All labelled rows are in one group of groups=; comparing needs labels in "
            "at least two groups, so that one can be held out."
        )
    kind = StratifiedGroupKFold if classes else GroupKFold
    splitter = kind(min(n_folds, n_groups), shuffle=True, random_state=random_state)
    folds = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for _, test in splitter.split(labelled, rows.codes[labelled], group[labelled]):
            tested = labelled[test]
            others = ~np.isin(group, group[tested])
            # A stratified splitter may leave a fold empty.
            if len(tested):
                folds.append((others.nonzero()[0], tested))
    return folds


def split_rows(cv: Any, rows: Rows, groups: Any) -> list[tuple[Array, Array]]:
    """List the folds (train, test); test rows have a label."""
    labels = rows.labels
    params = {} if groups is None else {"groups": groups}
    splits = cv.split(labels[:, None], labels, **params) if hasattr(cv, "split") else cv
    with warnings.catch_warnings():
        # Rare classes are spread over as many folds as possible, and the result tells
        # how rare they are.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        folds = check_splits(splits, len(labels))
    labelled = is_labelled(labels)
    folds = [(train, test[labelled[test]]) for train, test in folds]
    return check_splits(folds, len(labels))


def hold_out(estimator: Any, model: Any, rows: Rows, fold: tuple[Array, Array]) -> Held:
    """Fit a clone of an estimator without some rows, and predict these.

    `estimator` is `model` or a pipeline before it. Members that are fitted already are
    not cloned. Splits in `cv` that are row numbers are restricted to the training rows.
    """
    train, test = fold
    labelled = is_labelled(rows.labels[train])
    model = unfitted(model)
    if fits_members(model) and has_row_numbers(model.cv):
        model.cv = _inner_splits(model.cv, rows, train, labelled)
    steps, whole = None, model
    if isinstance(estimator, Pipeline):
        whole = copy(estimator)
        before = clone(estimator[:-1]).steps if len(estimator.steps) > 1 else []
        whole.steps = [*before, (estimator.steps[-1][0], model)]
    train_X, test_X = take_rows(rows.X, train), take_rows(rows.X, test)
    params = take_rows_of_params(rows.X, rows.fit_params, train)
    whole.fit(train_X, rows.labels[train], **params)
    if whole is not model and len(whole.steps) > 1:
        steps = whole[:-1]
        train_X, test_X = steps.transform(train_X), steps.transform(test_X)
        name_models(steps, model)
    if fits_members(model):
        once = OutOfFold(
            model.estimators_, model.out_of_fold_rows_, model.out_of_fold_predictions_
        ).once()
        table, learned = once.table, once.rows
    else:
        learned = labelled.nonzero()[0]
        whole_X = labelled.all()
        table = _predictions(model, train_X if whole_X else take_rows(train_X, learned))
    return Held(
        model,
        table,
        rows.codes[train][learned],
        None if rows.weights is None else rows.weights[train][learned],
        _predictions(model, test_X),
        np.asarray(model.predict(test_X)),
    )


def _inner_splits(
    splits: list[tuple[Array, Array]], rows: Rows, train: Array, labelled: Array
) -> list[tuple[Array, Array]]:
    """Restrict splits of the user's table to the training rows of a fold.

    A split that has no labelled row to train on, or to predict, among them is dropped.
    """
    restricted = [
        split
        for split in restrict_splits(splits, rows.numbers[train], rows.n_given)
        if all(labelled[part].any() for part in split)
    ]
    if not restricted:
        raise ValueError(
            "cv of the estimator lists splits by row number, and in a fold of compare "
            "none of them has rows left to train on and to predict; give the estimator "
            "a splitter, or compare other folds with cv=."
        )
    return restricted


def name_models(steps: Any, model: Any) -> None:
    """Name models after the columns of X, whose names the steps before may lose."""
    if steps is None or not hasattr(steps, "feature_names_in_"):
        return
    if hasattr(model, "feature_names_in_") or model.estimators is not None:
        return
    if not all(hasattr(step, "get_feature_names_out") for _, step in steps.steps):
        return
    names = steps.get_feature_names_out()
    if len(names) == len(model.model_names_):
        model.model_names_ = names


def _predictions(model: Any, X: Any) -> Array:
    table = np.asarray(model.transform(X))
    if not is_classifier(model):
        return table
    return table.reshape(len(table), -1, len(model.classes_))
