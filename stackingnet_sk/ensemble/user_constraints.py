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
    """Split a `constraint` parameter into its parts.

    Returns the name of the constraint set ("nonnegative" if none is named), the convex
    constraints beside it, and the largest number of models or None. A ValueError is
    raised if a name is unknown, if there are two, or if the value is not a constraint.
    """
    sets = sorted(CONSTRAINTS)
    if isinstance(value, str) and value not in sets:
        raise ValueError(f"constraint={value!r} is unknown; choose one of {sets}.")
    try:
        parts = constraint_parts(value)
    except TypeError as error:
        raise ValueError(
            f"constraint={value!r} is unknown; choose one of {sets}, a limit of "
            "stackingnet_sk.constraints, or a callable."
        ) from error
    names = [part for part in parts if isinstance(part, str)]
    if unknown := [name for name in names if name not in sets]:
        raise ValueError(
            f"constraint={value!r}: {unknown[0]!r} is unknown; choose one of {sets}."
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
    """Check the constraint of a classifier, which always has nonnegative weights.

    A ValueError is raised if it names a constraint set, limits the number of models, or
    is not a constraint.
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
    """List the labelled predictions of each group, one dict per column of groups.

    `features` are the groups of the rows of X, `labelled` tells which of them have a
    label, and `rows` is the row of X of each labelled prediction. A ValueError is
    raised if a labelled row has no group, or a group has no labelled row.
    """
    columns: list[Mapping[str, NDArray[np.intp]]] = []
    if features is None:
        return columns
    if not len(rows):
        raise ValueError(
            "sensitive_features are groups of labelled rows, and no row has a label."
        )
    by_column = group_columns(features, labelled)
    for name, groups in by_column.items():
        of_rows = groups[rows]
        unseen = sorted(set(groups) - set(of_rows) - {"nan", "None", "<NA>", ""})
        if unseen:
            raise ValueError(
                f"Group {unseen[0]!r} of {name!r} has no labelled row, so nothing is "
                "known of it; label one, merge it, or drop its rows."
            )
        of = f"{name}=" if len(by_column) > 1 else ""
        columns.append(
            {
                f"{of}{group}": np.flatnonzero(of_rows == group)
                for group in sorted(set(of_rows))
            }
        )
    return columns


def make_user_constraints(
    constraint: Any,
    names: NDArray[np.object_],
    columns: Sequence[Mapping[str, Any]],
    facts: Callable[[Any], Any],
) -> UserConstraints | None:
    """Return the constraints beside the constraint set, or None.

    `columns` hold the rows of each group, as :func:`rows_of_groups` lists them, or
    their sums. `facts` turns them into what constraints on groups need, or None if no
    row of a group counts; that is a ValueError.
    """
    _, builders, at_most = split_constraint(constraint)
    if not builders and at_most is None:
        return None
    groups = [{g: facts(rows) for g, rows in column.items()} for column in columns]
    for column in groups:
        if unknown := [group for group, sums in column.items() if sums is None]:
            raise ValueError(
                f"No row of group {unknown[0]!r} has a label, an answer and a weight, "
                "so nothing is known of it; merge it, or drop its rows."
            )
    return UserConstraints(builders, [str(name) for name in names], groups, at_most)
