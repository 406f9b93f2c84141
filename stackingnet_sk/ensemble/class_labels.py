"""Class labels and class weights, checked; errors name the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)

from stackingnet_sk._compat import count_rows, to_numpy
from stackingnet_sk.ensemble.validation import NO_LABEL
from stackingnet_sk.predictions import (
    as_array,
    encode_votes,
    is_labelled,
    sorted_classes,
    unmasked,
)


def check_class_labels(
    X: Any, y: ArrayLike | None, classes: ArrayLike | None
) -> tuple[NDArray[np.intp], NDArray[Any] | None]:
    """Check the labels of a classification; only the length of X counts.

    Returns the index of each row's class, -1 on rows without a label, and the sorted
    classes (None if neither labels nor `classes` were given). A ValueError is raised if
    there is not one label per row, no row has a label, or a label is not among
    `classes`.
    """
    sorted_given = None
    if classes is not None:
        listed = np.asarray(classes)
        if listed.ndim != 1 or not listed.size:
            raise ValueError(f"classes={classes!r} must list at least one class.")
        if not is_labelled(listed).all() or (
            listed.dtype.kind == "f" and np.isinf(listed).any()
        ):
            raise ValueError(f"classes={classes!r} has NaN, None or infinity.")
        sorted_given = sorted_classes(listed, "classes")
        if len(sorted_given) < len(listed):
            raise ValueError(f"classes={classes!r} lists a class twice.")
    if y is None:
        return np.full(count_rows(X), -1), sorted_given
    labels = column_or_1d(
        check_array(
            as_array(y) if isinstance(y, (list, tuple)) else unmasked(to_numpy(y)),
            ensure_2d=False,
            dtype=None,
            ensure_all_finite=False,
            input_name="y",
        ),
        warn=True,
    )
    check_consistent_length(X, labels)
    labelled = is_labelled(labels)
    if not labelled.any():
        raise ValueError(NO_LABEL)
    present = labels[labelled]
    if present.dtype.kind == "f" and np.isinf(present).any():
        raise ValueError(
            "Input y contains infinity, first at row "
            f"{int(np.isinf(labels).argmax())}; mark rows without a label with NaN."
        )
    label_classes = sorted_classes(present, "the labels")
    check_classification_targets(
        present if present.dtype.kind != "O" else label_classes
    )
    sorted_given = label_classes if sorted_given is None else sorted_given
    votes, unknown = encode_votes(present[:, None], sorted_given)
    if unknown.any():
        place = int(unknown[:, 0].argmax())
        raise ValueError(
            f"The label {present[[place]].tolist()[0]!r} at row "
            f"{int(labelled.nonzero()[0][place])} is "
            f"none of classes={sorted_given.tolist()[:10]}; add it, or mark the row as "
            "unlabelled with NaN or None."
        )
    codes = np.full(len(labels), -1)
    codes[labelled] = votes[:, 0]
    return codes, sorted_given


def check_class_weight(
    class_weight: Any, classes: NDArray[Any], n_labelled: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of the classes, of shape (n_classes,).

    They are ones for None, those of a dict, or ``n / (K n_k)`` for "balanced", over the
    K classes with labelled rows (one for the others). A ValueError is raised for
    anything else, and for weights that are not positive and finite.
    """
    weights = np.ones(len(classes))
    if class_weight is None:
        return weights
    if isinstance(class_weight, str) and class_weight == "balanced":
        seen = n_labelled > 0
        weights[seen] = n_labelled.sum() / (np.count_nonzero(seen) * n_labelled[seen])
        return weights
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight={class_weight!r} is neither None, 'balanced' nor a dict of "
            "class to weight."
        )
    places = {label: k for k, label in enumerate(classes.tolist())}
    for label, weight in class_weight.items():
        if label not in places:
            raise ValueError(
                f"class_weight names the class {label!r}, which is none of "
                f"{classes.tolist()[:10]}."
            )
        if not 0 < float(weight) < np.inf:
            raise ValueError(
                f"class_weight of {label!r} is {weight!r}; give a positive number."
            )
        weights[places[label]] = float(weight)
    return weights
