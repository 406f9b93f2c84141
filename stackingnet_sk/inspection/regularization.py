"""How weights and expected error move with the strength of the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.inspection.evidence import stored_evidence

# Strengths by default, in pseudo-observations: no prior, then up to one that outweighs
# 10,000 rows, in six steps per factor of ten.
_STRENGTHS = (0.0, *np.geomspace(1.0, 1e4, 25))


@dataclass(frozen=True, eq=False)
class RegularizationPath:
    """Weights under a prior that grows stronger.

    Parameters
    ----------
    shrinkage : ndarray of shape (n_strengths,)
        Strengths, in pseudo-observations.
    weights : ndarray of shape (n_strengths, n_models)
        Weights of the models under each strength.
    intercept : ndarray of shape (n_strengths,) or (n_strengths, n_classes)
        The intercepts.
    error : ndarray of shape (n_strengths,)
        Expected error on new rows: mean squared error of numbers, log loss of classes.
    gap : ndarray of shape (n_strengths,)
        Certificate of each solution: the largest of the figures that prove it optimal
        (see :class:`~stackingnet_sk.weights.Solution`).
    names : ndarray of shape (n_models,)
        Names of the models.
    unit : str
        Name of the error.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import regularization_path
    >>> judges = make_experts(50, 3, random_state=0)
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> path = regularization_path(model, [0, 10, 1000])
    >>> path.best, path.error.round(3).tolist()
    (10.0, [0.326, 0.317, 0.557])
    """

    shrinkage: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    error: NDArray[np.float64]
    gap: NDArray[np.float64]
    names: NDArray[Any]
    unit: str

    @property
    def best(self) -> float:
        """Strength with the least expected error."""
        return float(self.shrinkage[self.error.argmin()])

    def to_frame(self) -> Any:
        """Make a table, one row per strength.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns `shrinkage`, `error`, `gap`, and one per model with its weights. A
            frame if pandas is installed.
        """
        columns = {name: getattr(self, name) for name in ("shrinkage", "error", "gap")}
        columns |= dict(zip(self.names, self.weights.T, strict=True))
        return as_frame({name: column.tolist() for name, column in columns.items()})

    def __str__(self) -> str:
        """Return a table, one line per strength."""
        rows = [("shrinkage", "error ", "models with a weight")]
        for strength, error, weights in zip(
            self.shrinkage, self.error, self.weights, strict=True
        ):
            mark = "*" if strength == self.best else " "
            used = str(np.count_nonzero(weights))
            rows.append((f"{strength:.4g}", f"{error:.4g}{mark}", used))
        note = f"error: expected {self.unit}; * the least"
        return "\n".join([*text_table(rows, left=(2,)), note])


def regularization_path(
    estimator: Any, shrinkages: Sequence[float] = _STRENGTHS
) -> RegularizationPath:
    """Weigh the models again under priors of growing strength.

    The statistics that the estimator has kept are enough: no row is read again.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted with labels, a classifier on votes.
    shrinkages : sequence of float, default=0 and 25 from 1 to 10,000
        Strengths of the prior in pseudo-observations.

    Returns
    -------
    RegularizationPath

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If it was fitted without labels or on probabilities, or a strength is not valid.

    See Also
    --------
    stackingnet_sk.StackingNetRegressor.reweigh : Weigh again under any parameter.

    Notes
    -----
    The error is the one to expect on new rows (see
    :class:`~stackingnet_sk.weights.Solution`). The least of many estimates is a little
    too low.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import regularization_path
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=30)
    >>> judges = truth[:, None] + rng.normal(size=(30, 3)) * [0.5, 1.0, 2.0]
    >>> model = StackingNetRegressor().fit(judges, truth)
    >>> print(regularization_path(model, [0, 10, 1000]))
    shrinkage   error   models with a weight
            0  0.2173   3
           10  0.2117*  3
         1000  0.3965   3
    error: expected mean squared error; * the least
    """
    evidence = stored_evidence(estimator, labels=True)
    strengths = np.asarray(shrinkages, dtype=np.float64)
    if strengths.ndim != 1 or not strengths.size:
        raise ValueError(
            f"shrinkages={shrinkages!r} is not a list of strengths; give at least one."
        )
    models = [estimator.reweigh(shrinkage=strength) for strength in strengths.tolist()]
    solutions = [model.solution_ for model in models]
    return RegularizationPath(
        strengths,
        np.array([model.weights_ for model in models]),
        np.array([model.intercept_ for model in models]),
        np.array([solution.expected_error for solution in solutions]),
        np.array([solution.certificate for solution in solutions]),
        evidence.names,
        "log loss" if is_classifier(estimator) else "mean squared error",
    )
