"""The parameter `constraint` and the groups of the rows, to limits of a solve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.constraints import at_most_models, constraint_parts
from stackingnet_sk.predictions import group_columns
from stackingnet_sk.weights import CONSTRAINTS, UserConstraints


def split_constraint(value: Any) -> tuple[str, list[Any], int | None]:
    """Tell the constraint set from what else is asked for.

    Parameters
    ----------
    value : str, Constraint or callable
        The parameter.

    Returns
    -------
    name : str
        The constraint set, "nonnegative" where none is named.
    builders : list of Constraint
        Convex constraints beside it.
    at_most : int or None
        Most models.

    Raises
    ------
    ValueError
        If a name is unknown, two are given, or it is no constraint.
    """
    known = sorted(CONSTRAINTS)
    if isinstance(value, str) and value not in known:
        raise ValueError(f"constraint={value!r} is unknown; choose one of {known}.")
    try:
        parts = constraint_parts(value)
    except TypeError as error:
        raise ValueError(
            f"constraint={value!r} is unknown; choose one of {known}, a limit of "
            "stackingnet_sk.constraints, or a callable."
        ) from error
    names = [part for part in parts if isinstance(part, str)]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"constraint={value!r}: {unknown[0]!r} is unknown; choose one of {known}."
        )
    if len(set(names)) > 1:
        raise ValueError(
            f"constraint={value!r} names the sets {names}; weights are in one of them."
        )
    counted = [part.k for part in parts if isinstance(part, at_most_models)]
    builders = [part for part in parts if not isinstance(part, (str, at_most_models))]
    name = names[0] if names else "nonnegative"
    if counted and name == "uniform":
        raise ValueError(
            f"constraint={value!r}: uniform weights leave no choice of models; prune "
            "with stackingnet_sk.inspection.prune."
        )
    return name, builders, min(counted) if counted else None


def check_limits(constraint: Any) -> None:
    """Check the constraint of a classifier, whose architecture is its set.

    Parameters
    ----------
    constraint : Constraint, callable or None
        The parameter.

    Raises
    ------
    ValueError
        If it names a constraint set, limits the number of models, or is no constraint.
    """
    if constraint is None:
        return
    _, _, at_most = split_constraint(constraint)
    if any(isinstance(part, str) for part in constraint_parts(constraint)):
        raise ValueError(
            f"constraint={constraint!r} names a constraint set; of a classifier, "
            "structure= and pool= set it."
        )
    if at_most is not None:
        raise ValueError(
            f"constraint={constraint!r}: the number of models is limited in regression "
            "only; of a classifier, use stackingnet_sk.inspection.prune."
        )


Columns = Sequence[Mapping[str, NDArray[np.intp]]]


def rows_of_groups(
    features: Any, labelled: NDArray[np.bool_], rows: NDArray[np.intp]
) -> Columns:
    """List which labelled predictions are of each group.

    Parameters
    ----------
    features : array-like of shape (n_samples,) or (n_samples, n_columns), or None
        Group of each row of `X`.
    labelled : ndarray of bool of shape (n_samples,)
        Which rows have a label.
    rows : ndarray of int of shape (n_predictions,)
        Which row of `X` each labelled prediction is for.

    Returns
    -------
    list of dict of str to ndarray of int
        A dict a column.

    Raises
    ------
    ValueError
        If a labelled row has no group, or a group no labelled row.
    """
    columns: list[Mapping[str, NDArray[np.intp]]] = []
    if features is None:
        return columns
    if not len(rows):
        raise ValueError(
            "sensitive_features are groups of labelled rows, and no row has a label."
        )
    given = group_columns(features, labelled)
    for name, groups in given.items():
        own = groups[rows]
        unseen = sorted(set(groups) - set(own) - {"nan", "None", "<NA>", ""})
        if unseen:
            raise ValueError(
                f"Group {unseen[0]!r} of {name!r} has no labelled row, so nothing is "
                "known of it; label one, merge it, or drop its rows."
            )
        of = f"{name}=" if len(given) > 1 else ""
        columns.append(
            {f"{of}{group}": np.flatnonzero(own == group) for group in sorted(set(own))}
        )
    return columns


def make_user_constraints(
    constraint: Any,
    names: NDArray[np.object_],
    columns: Sequence[Mapping[str, Any]],
    facts: Callable[[Any], Any],
) -> UserConstraints | None:
    """Say what the user's constraints are about.

    Parameters
    ----------
    constraint : str, Constraint or callable
        The parameter.
    names : ndarray of shape (n_models,)
        Names of the models.
    columns : sequence of mapping of str to object
        Rows of each group, as :func:`rows_of_groups` lists them or summed up.
    facts : callable
        Of these rows, what constraints need; None if none counts.

    Returns
    -------
    UserConstraints or None
        None where there is nothing to limit.

    Raises
    ------
    ValueError
        If nothing is known of a group.
    """
    _, builders, at_most = split_constraint(constraint)
    if not builders and at_most is None:
        return None
    groups = [{g: facts(own) for g, own in column.items()} for column in columns]
    for column in groups:
        if unknown := [group for group, known in column.items() if known is None]:
            raise ValueError(
                f"No row of group {unknown[0]!r} has a label, an answer and a weight, "
                "so nothing is known of it; merge it, or drop its rows."
            )
    return UserConstraints(builders, [str(name) for name in names], groups, at_most)
