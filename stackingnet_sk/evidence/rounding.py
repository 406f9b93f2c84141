"""Sums that keep what rounding takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def two_sum(
    one: NDArray[np.float64], other: NDArray[np.float64] | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add, and say what rounding took from the sum (Knuth, 1969).

    Parameters
    ----------
    one, other : ndarray
        Numbers.

    Returns
    -------
    total, rest : ndarray
        Their sum is exact.
    """
    total = one + other
    back = total - one
    return total, (one - (total - back)) + (other - back)
