"""Rows held out: what is fitted without them, and what it is asked about them."""

from __future__ import annotations

import warnings
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline

from stackingnet_sk._compat import take_rows
from stackingnet_sk.inspection.comparison_members import MemberTable, has_members
from stackingnet_sk.model_selection import LabelledKFold
from stackingnet_sk.predictions import check_splits, is_labelled

Array = NDArray[Any]

_FOLDS, _FOLDS_OF_MANY, _MANY = 10, 5, 2000


class Held(NamedTuple):
    """A combination fitted without some rows, with what it and its rivals see.

    Parameters
    ----------
    model : estimator
        Fitted on the other rows.
    table, labels : ndarray
        What the models say of the labelled rows among these, and their labels.
    asked : ndarray
        What the models say of the rows held out.
    predictions : ndarray
        What the combination says of them.
    """

    model: Any
    table: Array
    labels: Array
    asked: Array
    predictions: Array


def split_pipeline(estimator: Any) -> tuple[Any, Any]:
    """Take the steps before the combination apart from it.

    Parameters
    ----------
    estimator : estimator
        A StackingNet estimator, or a pipeline that ends in one.

    Returns
    -------
    steps : Pipeline or None
    model : StackingNetRegressor or StackingNetClassifier

    Raises
    ------
    TypeError
        If it is something else.
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


def draw_rows(known: Array, most: int, random: np.random.Generator) -> Array:
    """Keep at most so many rows with a label, and so many without, in order.

    Parameters
    ----------
    known : ndarray of bool of shape (n_rows,)
        Which rows have a label.
    most : int
        Of either.
    random : Generator
        Source of the draws.

    Returns
    -------
    ndarray of int
    """
    parts = [
        rows if len(rows) <= most else random.choice(rows, most, replace=False)
        for rows in (known.nonzero()[0], (~known).nonzero()[0])
    ]
    return np.sort(np.concatenate(parts))


def default_folds(labels: Array, model: Any, random_state: Any) -> LabelledKFold:
    """Choose folds for the labels at hand.

    Parameters
    ----------
    labels : ndarray of shape (n_labelled,)
        Labels that are known.
    model : StackingNetRegressor or StackingNetClassifier
        What is compared.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    LabelledKFold
        Ten folds, five of many labels, or where members are fitted in each; of few a
        row a fold, as far as each has its share of the largest class.
    """
    many = len(labels) >= _MANY or has_members(model)
    most, classes = _FOLDS_OF_MANY if many else _FOLDS, is_classifier(model)
    rows = len(labels)
    if classes:
        # One row a fold would turn the most frequent class against itself.
        rows = max(int(np.unique(labels, return_counts=True)[1].max()), 2)
    return LabelledKFold(
        min(most, rows), shuffle=True, random_state=random_state, stratified=classes
    )


def split_rows(cv: Any, labels: Array) -> list[tuple[Array, Array]]:
    """List the folds; test rows have a label.

    Parameters
    ----------
    cv : splitter or iterable of splits
        Of all rows.
    labels : ndarray of shape (n_rows,)
        NaN or None where there is none.

    Returns
    -------
    list of (train, test)
    """
    splits = cv.split(labels[:, None], labels) if hasattr(cv, "split") else cv
    with warnings.catch_warnings():
        # Rare classes are spread as far as they go, and the answer says how rare.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        folds = check_splits(splits, len(labels))
    known = is_labelled(labels)
    folds = [(train, test[known[test]]) for train, test in folds]
    return check_splits(folds, len(labels))


def hold_out(
    steps: Any, model: Any, X: Any, y: Array, codes: Array, fold: tuple[Array, Array]
) -> Held:
    """Fit all steps and the combination without some rows, and ask about these.

    Parameters
    ----------
    steps : Pipeline or None
        What comes before; it is cloned.
    model : estimator
        It is cloned, except for members that are fitted already.
    X : array-like
        All rows.
    y : ndarray of shape (n_rows,)
        Their labels as they came, NaN or None where there is none.
    codes : ndarray of shape (n_rows,)
        The same as numbers or as indices of classes.
    fold : (train, test)
        Rows.

    Returns
    -------
    Held
    """
    train, test = fold
    own_X, test_X = take_rows(X, train), take_rows(X, test)
    own_y = y[train]
    if steps is not None:
        steps = clone(steps)
        own_X, test_X = steps.fit_transform(own_X, own_y), steps.transform(test_X)
    known = is_labelled(own_y)
    labels = codes[train][known]
    if has_members(model):
        rows, others = known.nonzero()[0], (~known).nonzero()[0]
        found = MemberTable.of(model, take_rows(own_X, rows), own_y[rows])
        parts = [found.table]
        if others.size:
            parts.append(found.ask(take_rows(own_X, others)))
        own_X, test_X = np.concatenate(parts), found.ask(test_X)
        own_y = np.concatenate([own_y[rows[found.rows]], own_y[others]])
        labels, known = labels[found.rows], np.arange(len(own_y)) < len(found.rows)
        model = found.fit(own_X, own_y)
    else:
        # A clone would have to fit members that are fitted already.
        model = clone(model) if model.estimators is None else copy(model)
        name_models(steps, model.fit(own_X, own_y))
    labelled_X = own_X if known.all() else take_rows(own_X, known.nonzero()[0])
    table, asked = (_said(model, each) for each in (labelled_X, test_X))
    return Held(model, table, labels, asked, np.asarray(model.predict(test_X)))


def name_models(steps: Any, model: Any) -> None:
    """Give models the names of the columns, which the steps before may lose.

    Parameters
    ----------
    steps : Pipeline or None
        Fitted.
    model : StackingNetRegressor or StackingNetClassifier
        Fitted on what they return.
    """
    if steps is None or not hasattr(steps, "feature_names_in_"):
        return
    if hasattr(model, "feature_names_in_") or model.estimators is not None:
        return
    if not all(hasattr(step, "get_feature_names_out") for _, step in steps.steps):
        return
    names = steps.get_feature_names_out()
    if len(names) == len(model.model_names_):
        model.model_names_ = names


def _said(model: Any, X: Any) -> Array:
    table = np.asarray(model.transform(X))
    if not is_classifier(model):
        return table
    return table.reshape(len(table), -1, len(model.classes_))
