"""Labels, sample weights and tables, checked; errors name the place."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)

from stackingnet_sk._compat import backend_of, count_rows, raise_for_params, to_numpy
from stackingnet_sk.ensemble.user_constraints import split_constraint
from stackingnet_sk.predictions import column_names, is_number, unmasked
from stackingnet_sk.weights import SOLVERS

NO_LABEL = (
    "Input y contains NaN only, which marks rows without a label; label at least one "
    "row, or pass y=None to combine without labels."
)


def check_choice(estimator: Any, parameter: str, choices: list[str]) -> None:
    """Raise a ValueError if a parameter of the estimator is not one of some words."""
    value = getattr(estimator, parameter)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{parameter}={value!r} is unknown; choose one of {choices}.")


def check_shrinkage(estimator: Any) -> float | str:
    """Return `shrinkage`: "auto", or a finite and nonnegative number of rows.

    Anything else is a ValueError.
    """
    if isinstance(estimator.shrinkage, str) and estimator.shrinkage == "auto":
        return "auto"
    if (
        isinstance(estimator.shrinkage, Real)
        and not isinstance(estimator.shrinkage, bool)
        and 0 <= float(estimator.shrinkage) < np.inf
    ):
        return float(estimator.shrinkage)
    raise ValueError(
        f"shrinkage={estimator.shrinkage!r} is not a strength; give a finite number >= "
        "0 of pseudo-observations, or 'auto'."
    )


def check_parameters(estimator: Any) -> float | str:
    """Check the parameters of a regressor, and return its `shrinkage`.

    A ValueError is raised if one of `constraint`, `solver`, `fit_intercept` and
    `shrinkage` is invalid.
    """
    split_constraint(estimator.constraint)
    check_choice(estimator, "solver", list(SOLVERS))
    if not isinstance(estimator.fit_intercept, (bool, np.bool_)):
        raise ValueError(
            f"fit_intercept={estimator.fit_intercept!r} is neither True nor False."
        )
    return check_shrinkage(estimator)


def refuse_metadata(estimator: Any, params: dict[str, Any]) -> None:
    """Raise a TypeError if `fit` received metadata but there are no members."""
    raise_for_params(params, estimator, "fit")
    if params:
        raise TypeError(
            f"fit got unexpected metadata {sorted(params)}: without members there is "
            "nobody to take it."
        )


def check_labels(
    X: Any, y: ArrayLike | None, *, all_rows: bool = True
) -> NDArray[np.float64]:
    """Return the labels of a regression as floats, NaN on rows without a label.

    Only the length of X counts. `all_rows` is False for a block of rows, which may have
    no label at all. A ValueError is raised if there is not one number per row, a label
    is infinite, or all are missing.
    """
    if y is None:
        return np.full(count_rows(X), np.nan)
    labels = column_or_1d(
        check_array(
            unmasked(to_numpy(y)),
            ensure_2d=False,
            dtype=None,
            ensure_all_finite=False,
            input_name="y",
        ),
        warn=True,
    )
    labels = _numbers(labels[:, None], ["the labels"])[:, 0]
    check_consistent_length(X, labels)
    if all_rows and np.isnan(labels).all():
        raise ValueError(NO_LABEL)
    if np.isinf(labels).any():
        row = int(np.isinf(labels).argmax())
        raise ValueError(
            "Input y contains infinity or a value too large for dtype('float64'). The "
            f"first such label is {labels[row]} at row {row}; drop such rows, or mark "
            "them as unlabelled with NaN."
        )
    return labels


def check_weights(
    sample_weight: ArrayLike | None, y: NDArray[Any], *, all_rows: bool = True
) -> NDArray[np.float64] | None:
    """Return sample weights of shape (n_samples,), or None.

    `all_rows` is False for a block of rows, whose weights may all be zero. A ValueError
    is raised if a weight is negative, NaN or infinite, if all are zero, or if the shape
    is wrong.
    """
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = check_array(
        to_numpy(sample_weight),
        ensure_2d=False,
        dtype=np.float64,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weights.shape != y.shape:
        raise ValueError(
            f"sample_weight has shape {weights.shape} but y has shape {y.shape}; give "
            "one weight a row."
        )
    valid = (weights >= 0) & np.isfinite(weights)
    if not valid.all():
        row = int(valid.argmin())
        raise ValueError(
            f"sample_weight is negative, NaN or infinity at row {row}: {weights[row]}; "
            "weights must be finite and zero or above."
        )
    if all_rows and not weights.any():
        raise ValueError(
            "sample_weight is zero on every row; give at least one row weight."
        )
    return weights


def count_dimensions(X: Any) -> int:
    """Count the dimensions of an array, a frame or nested lists."""
    return len(X.shape) if hasattr(X, "shape") else np.asarray(X).ndim


def check_column_names(X: Any, estimator: Any = None) -> None:
    """Refuse a frame whose column names are repeated, or differ from those of `fit`.

    scikit-learn remembers and compares names that are strings; years are names too.
    `estimator` is the fitted estimator, if names are to be compared. Raises a
    ValueError.
    """
    names = column_names(X)
    if len(set(names)) < len(names):
        twice = sorted({str(name) for name in names if names.count(name) > 1})
        raise ValueError(
            f"Column names are not unique: {twice}; rename all but one of each."
        )
    fitted = getattr(estimator, "model_names_", None)
    if fitted is None or not names or all(isinstance(name, str) for name in names):
        return
    columns, fitted = [str(name) for name in names], fitted.tolist()
    if (
        len(columns) == len(fitted)
        and columns != fitted
        and fitted != _unnamed(len(fitted))
    ):
        raise ValueError(
            f"The columns are {columns[:10]}, but in fit they were {fitted[:10]}: give "
            "the same, in the same order."
        )


def _unnamed(n_models: int) -> list[str]:
    return [f"model_{j}" for j in range(n_models)]


def check_table(X: Any, estimator_name: str) -> NDArray[Any]:
    """Return a table of predictions (n_samples, n_models) as an array of floats.

    An array of floats is returned as it is. Infinite entries are found later, when sums
    are computed. A ValueError is raised if it is not a table of numbers; a string among
    them is named with its row.
    """
    _refuse_times(X)
    X, backend = unmasked(X), backend_of(X)
    try:
        table: NDArray[Any] = check_array(
            X,
            dtype=[np.float64, np.float32] if backend is None else backend.floats,
            ensure_all_finite=False,
            estimator=estimator_name,
            input_name="X",
        )
    except (TypeError, ValueError):
        cells = np.asarray(to_numpy(X), dtype=object)
        if cells.ndim == 2:
            _numbers(cells, column_names(X) or None)
        raise
    return table


def _refuse_times(X: Any) -> None:
    """Refuse columns of Arrow tables that numpy would take for numbers."""
    if type(X).__module__.partition(".")[0] != "pyarrow":
        return
    from pyarrow.types import is_temporal

    for field in X.schema:
        if is_temporal(field.type):
            raise ValueError(
                f"{field.name!r} holds {field.type}, which is no number; drop it."
            )


def _numbers(table: NDArray[Any], names: Any) -> NDArray[np.float64]:
    """Convert to floats, or say which value is none."""
    try:
        return table.astype(np.float64)
    except (TypeError, ValueError) as error:
        for (row, column), value in np.ndenumerate(table):
            if not is_number(value):
                who = f"column {column}" if names is None else f"{names[column]!r}"
                raise type(error)(
                    f"{who} holds {value!r} at row {row}, which is not a number; "
                    "convert it, or mark it with NaN, as unlabelled or as a missing "
                    f"prediction ({error})."
                ) from None
        raise


def names_of_columns(X: Any, n_models: int) -> NDArray[np.object_]:
    """Name the models of a table after its columns, or ``model_0``, ``model_1``, ..."""
    names = [str(name) for name in column_names(X)]
    return np.array(names or _unnamed(n_models), dtype=object)
