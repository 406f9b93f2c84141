"""Error covariances to be solved, of several kinds so that nobody tunes on one."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

__all__ = ["FAMILIES", "Matrix", "covariance", "n_seeds"]


def few_active(rng: np.random.Generator, M: int) -> Matrix:
    """One common error that models share to different degrees: few are needed."""
    n = 4 * M
    common = rng.standard_normal((n, 1)) * rng.uniform(0.5, 2.0, M)
    return common + rng.standard_normal((n, M)) * rng.uniform(0.2, 1.0, M)


def nearly_all_active(rng: np.random.Generator, M: int) -> Matrix:
    """Independent errors of similar size: every model helps."""
    return rng.standard_normal((8 * M + 20, M)) * rng.uniform(0.8, 1.2, M)


def equicorrelated(rng: np.random.Generator, M: int) -> Matrix:
    """Correlation 0.9 and sizes within 2 %, from few rows: some help, by luck."""
    n = 2 * M + 20
    common = rng.standard_normal((n, 1))
    own = rng.standard_normal((n, M))
    return (np.sqrt(0.9) * common + np.sqrt(0.1) * own) * rng.uniform(0.98, 1.02, M)


def families(rng: np.random.Generator, M: int) -> Matrix:
    """Models by a few vendors: an error of all, of each vendor, and of each model."""
    n, n_vendors = 5 * M + 20, max(2, M // 8)
    vendor = rng.integers(n_vendors, size=M)
    common = 0.7 * rng.standard_normal((n, 1))
    shared = rng.standard_normal((n, n_vendors))[:, vendor] * rng.uniform(0.3, 0.9, M)
    return common + shared + rng.standard_normal((n, M)) * rng.uniform(0.3, 1.0, M)


FAMILIES: Mapping[str, Callable[[np.random.Generator, int], Matrix]] = {
    "few active": few_active,
    "nearly all active": nearly_all_active,
    "equicorrelated": equicorrelated,
    "families": families,
}


def covariance(family: str, M: int, seed: int) -> Matrix:
    """Return ``C = R'R / n`` of errors R of one family."""
    rng = np.random.default_rng([zlib.crc32(family.encode()), M, seed])
    errors = FAMILIES[family](rng, M)
    return errors.T @ errors / len(errors)


def n_seeds(M: int) -> int:
    """Return how many problems of one size; small ones are cheap and vary more."""
    return 3 if M <= 200 else 2 if M <= 500 else 1
