"""StackingNetRegressor: each constraint, with and without unlabelled rows."""

from __future__ import annotations

from typing import Any

from stackingnet_sk import StackingNetRegressor

from ..task import Method

__all__ = ["DEFAULT", "LABELLED_ONLY", "OURS"]


def labelled_only(name: str, **parameters: Any) -> Method:
    return Method(
        f"StackingNet {name}",
        lambda given: StackingNetRegressor(**parameters).fit(given.P, given.y),
    )


def with_unlabelled(name: str, **parameters: Any) -> Method:
    return Method(
        f"StackingNet {name} + U",
        lambda given: StackingNetRegressor(**parameters).fit(
            given.P, given.y, X_unlabeled=given.unlabeled
        ),
    )


# The default, which is the non-negative one, is constructed without arguments, so that
# the row is what a user gets.
LABELLED_ONLY = labelled_only("(default)")
DEFAULT = with_unlabelled("(default)")
OURS = (
    LABELLED_ONLY,
    labelled_only("simplex", constraint="simplex"),
    labelled_only("affine", constraint="affine"),
    DEFAULT,
    with_unlabelled("simplex", constraint="simplex"),
    with_unlabelled("affine", constraint="affine"),
)
