"""Labels, of which some may be missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk._compat import take_rows, take_rows_of_params, to_numpy
from stackingnet_sk._missing import are_missing


def as_array(values: ArrayLike) -> NDArray[Any]:
    """Make an array in which NaN and None beside texts stay what they are.

    From a list of texts, numpy would make the text "nan" of NaN.
    """
    array = np.asarray(unmasked(to_numpy(values)))
    if array.dtype.kind == "U" and isinstance(values, (list, tuple)):
        return np.asarray(values, dtype=object)
    return array


def unmasked(values: Any) -> Any:
    """Put NaN or None where an array is masked, and return anything else as it is.

    numpy would return the values beneath the mask.
    """
    if type(values).__module__.partition(".")[0] == "pyarrow":
        return _decoded(values)
    if not isinstance(values, np.ma.MaskedArray):
        return values
    # Whole numbers have no NaN, and None where numpy fills is its own default.
    kind = {"f": values.dtype, "i": np.float64, "u": np.float64}
    number = values.dtype.kind in kind
    plain = np.array(values.data, dtype=kind.get(values.dtype.kind, object))
    plain[np.ma.getmaskarray(values)] = np.nan if number else None
    return plain


def _decoded(values: Any) -> Any:
    """Return Arrow data of which numpy sees the names and the nulls."""
    import pyarrow as pa

    if isinstance(values, pa.RecordBatch):
        values = pa.Table.from_batches([values])
    if isinstance(values, pa.Table):
        columns = [_decoded(column) for column in values.columns]
        return pa.Table.from_arrays(columns, names=values.column_names)
    kind = getattr(values, "type", None)
    if kind is not None and pa.types.is_dictionary(kind):
        # numpy would take nulls for one of the categories.
        return values.cast(kind.value_type)
    return values


def is_labelled(y: ArrayLike) -> NDArray[np.bool_]:
    """Tell which rows have a label: it is not NaN, None or pandas' NA.

    A ValueError is raised if `y` is not an array, such as None.
    """
    labels = as_array(y)
    if labels.ndim == 0:
        raise ValueError(f"y={y!r} holds no labels; give one value a row.")
    labelled: NDArray[np.bool_] = ~are_missing(labels)
    return labelled


def labelled_part(
    X: Any, y: ArrayLike, **metadata: Any
) -> tuple[Any, Any, dict[str, Any]]:
    """Return X, y and metadata with one value per row, restricted to rows with a label.

    If all rows have a label, they are returned as they came, except that arrays of
    objects are converted. A ValueError is raised if no row has a label.
    """
    labelled = is_labelled(y)
    if labelled.all():
        values = as_array(y)
        # Objects, of a part of labels of which others are None, are of one type.
        return X, np.array(values.tolist()) if values.dtype.kind == "O" else y, metadata
    rows = labelled.nonzero()[0]
    if not rows.size:
        raise ValueError("No row of y has a label; give at least one.")
    labels = np.array(as_array(y)[rows].tolist())
    return take_rows(X, rows), labels, take_rows_of_params(X, metadata, rows)
