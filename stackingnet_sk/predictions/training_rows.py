"""Rows that members were fitted on, recognized when they come back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from stackingnet_sk._compat import count_rows
from stackingnet_sk.cache import Fingerprints
from stackingnet_sk.predictions.blocks import column_names
from stackingnet_sk.predictions.labels import as_array

# Rows of a table that are copied at once, so that a mapped file is never held whole.
_BATCH = 10_000


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows that members were fitted on, and a fingerprint that recognizes the table.

    `rows` are the labelled ones of `n_rows`. The fingerprint is None if a value of the
    table can't be hashed.
    """

    rows: NDArray[np.intp]
    n_rows: int
    fingerprint: str | None

    @classmethod
    def of(cls, X: Any, labelled: NDArray[np.bool_]) -> TrainingRows:
        """Remember a table, and which of its rows are labelled."""
        return cls(labelled.nonzero()[0], len(labelled), fingerprint(X))

    def are_of(self, X: Any) -> bool:
        """Tell whether `X` has the values of the table; False if that is unknown."""
        return (
            self.fingerprint is not None
            and count_rows(X) == self.n_rows
            and fingerprint(X) == self.fingerprint
        )


def fingerprint(X: Any) -> str | None:
    """Digest the values of a table, so that a copy has the same fingerprint.

    A frame and an array of the same values have different fingerprints, and so have
    arrays of different types. None is returned if a value cannot be hashed.
    """
    try:
        return Fingerprints().of(_parts(X))
    except (TypeError, ValueError):
        return None


def _parts(X: Any) -> list[Any]:
    """List what identifies a table, but not how it lies in memory."""
    if issparse(X):
        # Members may sort the indices of the caller's matrix in place.
        sparse = X.tocsr(copy=True)
        sparse.sum_duplicates()
        return [sparse.shape, sparse.data, sparse.indices, sparse.indptr]
    names = column_names(X)
    if not names:
        return _parts_of_array(as_array(X))
    columns = [_parts_of_array(as_array(X[name])) for name in names]
    return [[str(name) for name in names], columns]


def _parts_of_array(array: NDArray[Any]) -> list[Any]:
    if array.dtype.hasobject:
        return [array.shape, array.ravel().tolist()]
    digest = hashlib.sha256()
    for rows in gen_batches(len(array), _BATCH):
        digest.update(array[rows].tobytes())
    return [array.shape, str(array.dtype), digest.hexdigest()]
