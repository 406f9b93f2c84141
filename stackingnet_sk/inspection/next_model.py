"""Which model to add or to drop next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.inspection.evidence import marginal_changes, stored_evidence


@dataclass(frozen=True, eq=False)
class MarginalChanges:
    """Change of the expected error if each model is added or dropped.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    selected : ndarray of bool of shape (n_models,)
        Which models are combined now.
    error : float
        Expected error of their combination. It is infinite if no weights of these
        models fulfil all constraints.
    change : ndarray of shape (n_models,)
        Rise of the error if a selected model is dropped, or another model is added. NaN
        for a model that is combined alone. Infinite if weights can fulfil all
        constraints before, but not after; minus infinity if after, but not before; NaN
        if neither.
    unit : str
        Name of the error.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import next_model
    >>> judges = make_experts(300, 3, accuracy=[0.9, 0.6, 0.4], random_state=0)
    >>> changes = next_model(StackingNetRegressor().fit(judges.X, judges.y))
    >>> changes.change.round(3).tolist(), changes.drop
    ([0.365, 0.026, 0.007], 'model_2')
    """

    model_names: NDArray[Any]
    selected: NDArray[np.bool_]
    error: float
    change: NDArray[np.float64]
    unit: str

    @property
    def drop(self) -> Any:
        """Name of the model to drop; None if only one is selected."""
        return self._least(self.selected)

    @property
    def add(self) -> Any:
        """Name of the model to add; None if all are selected."""
        return self._least(~self.selected)

    def _least(self, candidates: NDArray[np.bool_]) -> Any:
        change = np.where(candidates, self.change, np.nan)
        if np.isnan(change).all():
            return None
        return self.model_names[np.nanargmin(change)]

    def to_frame(self) -> Any:
        """Make a table, one row per model.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns `model`, `selected` and `change`. A frame if pandas is installed.
        """
        columns = {
            "model": self.model_names,
            "selected": self.selected,
            "change": self.change,
        }
        return as_frame({name: column.tolist() for name, column in columns.items()})

    def __str__(self) -> str:
        """Return a table, the most useful change first."""
        actions = np.where(self.selected, "drop", "add")
        rows = [
            (actions[m], f"{self.change[m]:+.2g}", self.model_names[m])
            for m in np.argsort(self.change, kind="stable")
        ]
        first = f"expected {self.unit} now: {self.error:.4g}"
        return "\n".join([first, *text_table(rows, left=(0, 2))])


def next_model(
    estimator: Any, selected: str | Iterable[Any] | None = None
) -> MarginalChanges:
    """Find the model to add or to drop next, by the expected error of the combination.

    Each combination is refitted from what the estimator has kept, under the constraints
    of the user. An accurate model may be of no use beside others, and an inaccurate one
    of use if its errors differ from theirs.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted, with labels.
    selected : str or iterable of str, default=None
        Names of the models that are combined now, at least one. By default the models
        with a nonzero weight.

    Returns
    -------
    MarginalChanges

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If it was fitted without labels or on fewer than two models, a name is not the
        name of a model, or no model is selected.

    See Also
    --------
    prune : The whole path of removals.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import next_model
    >>> rng = np.random.default_rng(0)
    >>> truth, shared = rng.normal(size=(2, 300))
    >>> judges = np.column_stack([truth + shared, truth + shared, truth])
    >>> judges += rng.normal(size=judges.shape) * [0.1, 0.1, 1.0]
    >>> model = StackingNetRegressor().fit(judges, truth)
    >>> next_model(model, ["model_0"]).add
    'model_2'
    """
    evidence = stored_evidence(estimator, labels=True)
    names = evidence.names.tolist()
    if selected is None:
        use = np.asarray(estimator.weights_) != 0
    else:
        wanted = [selected] if isinstance(selected, str) else list(selected)
        unknown = [name for name in wanted if name not in names]
        if unknown:
            raise ValueError(
                f"selected names {unknown[0]!r}, which is none of the models {names}."
            )
        use = np.array([name in wanted for name in names])
    if not use.any():
        raise ValueError("No model is selected; name at least one with selected=.")
    error = evidence.error(use.nonzero()[0])
    change = marginal_changes(evidence, use, error)
    return MarginalChanges(evidence.names, use, error, change, evidence.unit)
