"""Addition that also returns its rounding error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def two_sum(
    one: NDArray[np.float64], other: NDArray[np.float64] | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add, and return the rounded sum and its rounding error (Knuth, 1969).

    The two results together are exactly the sum.
    """
    total = one + other
    back = total - one
    return total, (one - (total - back)) + (other - back)
