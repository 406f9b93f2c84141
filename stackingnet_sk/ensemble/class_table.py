"""A table of votes or of probabilities, read as what the models say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from stackingnet_sk._compat import to_numpy
from stackingnet_sk._task import numbers_or_classes
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.validation import (
    check_column_names,
    count_dimensions,
    names_of_columns,
)
from stackingnet_sk.predictions import (
    ClassAnswers,
    as_array,
    check_probabilities,
    classes_of_votes,
    code_texts,
    column_names,
    encode_votes,
    names_of_blocks,
    unmasked,
)


def read_class_table(
    estimator: Any,
    X: Any,
    classes: NDArray[Any] | None,
    *,
    reset: bool,
) -> ClassAnswers:
    """Read what the models say, and set whose columns these are.

    Parameters
    ----------
    estimator : estimator
        With the parameters `input`, `pool` and `unknown_vote`; remembers, or compares,
        number and names of the columns. If `reset`, `classes_` and `model_names_` are
        set.
    X : array-like of shape (n_samples, n_models), \
(n_samples, n_models * n_classes) or (n_samples, n_models, n_classes)
        Votes; probabilities, model-major; or probabilities. Classes are in the order
        of the parameter `classes`, where it is given, else sorted.
    classes : ndarray of shape (n_classes,) or None
        All classes, sorted; None to take them from the table.
    reset : bool
        Whether this is `fit`.

    Returns
    -------
    ClassAnswers

    Raises
    ------
    ValueError
        If the table has a wrong shape, probabilities are none, or a vote is unknown and
        `unknown_vote` is "error".
    """
    check_column_names(X, None if reset else estimator)
    # Votes are counted on the CPU.
    X = unmasked(to_numpy(X))
    deep = count_dimensions(X) == 3
    probabilities = deep or estimator.input == "proba" or estimator.pool == "linear"
    if not reset:
        # What it was fitted on decides; two dimensions alone don't say.
        fitted = estimator.n_features_in_ != len(estimator.model_names_)
        if deep and not fitted and len(estimator.classes_) > 1:
            raise ValueError(
                "X has three dimensions, but fit has seen votes, not these."
            )
        probabilities |= fitted
    if deep and estimator.input == "votes":
        raise ValueError("input='votes', but X has three dimensions, of probabilities.")
    if not probabilities:
        return _read_votes(estimator, X, classes, reset=reset)
    if deep:
        X = np.asarray(X)
        n_deep = X.shape[2]
        if classes is None:
            classes = np.arange(n_deep)
        elif len(classes) != n_deep:
            raise ValueError(
                f"X has probabilities of {n_deep} classes, but there are "
                f"{len(classes)}, {classes.tolist()[:10]}; give all of them with "
                "classes=."
            )
        X = X.reshape(len(X), -1)
    if classes is None:
        raise ValueError(
            "Without labels a table of probabilities doesn't say how many classes it "
            "has; give them with classes=, or X as (n_samples, n_models, n_classes)."
        )
    table = validate_data(
        estimator, X, reset=reset, dtype=np.float64, ensure_all_finite=False
    )
    n_classes = len(classes)
    if table.shape[1] % n_classes:
        raise ValueError(
            f"X has {table.shape[1]} columns, no multiple of the {n_classes} classes "
            f"{classes.tolist()[:10]}; probabilities take a column a class for each "
            "model, all of one model side by side."
        )
    if reset:
        estimator.classes_ = classes
        names = names_of_blocks([str(name) for name in column_names(X)], n_classes)
        if names is None or not names:
            names = [f"model_{j}" for j in range(table.shape[1] // n_classes)]
        estimator.model_names_ = np.array(names, dtype=object)
    table = table.reshape(len(table), -1, n_classes)
    if estimator.classes is not None:
        given = list(estimator.classes)
        table = table[:, :, [given.index(label) for label in classes.tolist()]]
    return ClassAnswers.from_probabilities(
        check_probabilities(table, estimator.model_names_)
    )


def _read_votes(
    estimator: Any,
    X: Any,
    classes: NDArray[Any] | None,
    *,
    reset: bool,
) -> ClassAnswers:
    if isinstance(X, (list, tuple)):
        X = as_array(X)
    coded = code_texts(X)
    if coded is None:
        table = validate_data(
            estimator, X, reset=reset, dtype=None, ensure_all_finite=False
        )
    else:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        table, codes = coded
        check_array(codes, dtype=None)
    if reset:
        if classes is None:
            classes = classes_of_votes(table)
            _refuse_scores(classes)
        estimator.classes_ = classes
        estimator.model_names_ = names_of_columns(estimator, X)
    classes = estimator.classes_
    votes, unknown = encode_votes(table, classes)
    if coded is not None:
        votes, unknown = votes[codes], unknown[codes]
    counts = unknown.sum(axis=0)
    if counts.any():
        column = int(counts.argmax())
        row = int(unknown[:, column].argmax())
        vote = table[row, column] if coded is None else table[codes[row, column]]
        vote = vote.item() if isinstance(vote, np.generic) else vote
        message = (
            f"Model {estimator.model_names_[column]!r} votes {vote!r} at row {row}, "
            f"which is none of the classes {classes.tolist()[:10]}"
        )
        if estimator.unknown_vote == "error":
            raise ValueError(
                f"{message}; correct it, add the class with classes=, or let such "
                "votes abstain with unknown_vote='abstain'."
            )
        named = zip(estimator.model_names_, counts.tolist(), strict=True)
        listed = [f"{name}: {count}" for name, count in named if count]
        more = f", and {len(listed) - 10} more models" if len(listed) > 10 else ""
        warn_user(
            f"{message}: such votes abstain ({', '.join(listed[:10])}{more}, of "
            f"{len(votes)} rows). A class without labelled rows has to be named, with "
            "all others, with classes=.",
            UserWarning,
        )
    return ClassAnswers(votes)


def _refuse_scores(classes: NDArray[Any]) -> None:
    """Refuse numbers with fractions as classes that nobody has named."""
    if numbers_or_classes(classes) == "regression":
        score = float(classes[classes != np.floor(classes)][0])
        raise ValueError(
            f"Votes such as {score} look like scores: give probabilities with "
            "input='proba' and classes=, or, if such numbers are classes, all of them "
            "with classes=."
        )
