"""StackingNetRegressor on a table: each constraint, shrunk and not."""

from __future__ import annotations

from itertools import product
from typing import Any

from stackingnet_sk import StackingNetRegressor

from ..task import Rival

__all__ = ["DEFAULT", "OURS"]

DEFAULT = "StackingNet (default)"


def stackingnet(name: str, **parameters: Any) -> Rival:
    return Rival(
        name, lambda P, y: StackingNetRegressor(**parameters).fit(P, y).predict
    )


# The default comes first and is constructed without arguments, so that the row is
# what a user gets. It is the shrunk non-negative one, hence absent below.
OURS = (
    stackingnet(DEFAULT),
    *(
        stackingnet(
            f"StackingNet {constraint}, {label}",
            constraint=constraint,
            shrinkage=shrinkage,
        )
        for constraint, (label, shrinkage) in product(
            ("nonnegative", "simplex", "affine"),
            (("shrunk", "auto"), ("unshrunk", 0)),
        )
        if (constraint, shrinkage) != ("nonnegative", "auto")
    ),
    stackingnet("StackingNet uniform", constraint="uniform"),
)
