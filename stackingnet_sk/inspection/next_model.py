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
    """What adding or dropping each model does to the combination.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    selected : ndarray of bool of shape (n_models,)
        Which of them are combined now.
    error : float
        Expected error of their combination; infinity if no weights of these models
        fulfil all constraints.
    change : ndarray of shape (n_models,)
        By how much it rises if the model is dropped (of those selected) or added (of
        the others); NaN for the only one selected. Infinite if weights can fulfil all
        constraints before, but not after; minus infinity the other way round; NaN if
        neither before nor after.
    unit : str
        What `error` is.

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
        """Name of the model that is missed least; None if only one is selected."""
        return self._least(self.selected)

    @property
    def add(self) -> Any:
        """Name of the model that helps most; None if all are selected."""
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
            ``model``, ``selected`` and ``change``. A frame where pandas is installed.
        """
        return as_frame(
            {
                "model": self.model_names.tolist(),
                "selected": self.selected.tolist(),
                "change": self.change.tolist(),
            }
        )

    def __str__(self) -> str:
        """Return a table, the most useful change first."""
        rows = [
            (
                "drop" if self.selected[m] else "add",
                f"{self.change[m]:+.2g}",
                self.model_names[m],
            )
            for m in np.argsort(self.change, kind="stable")
        ]
        first = f"expected {self.unit} now: {self.error:.4g}"
        return "\n".join([first, *text_table(rows, left=(0, 2))])


def next_model(
    estimator: Any, selected: str | Iterable[Any] | None = None
) -> MarginalChanges:
    """Tell which model to add or to drop next, by what it does to the expected error.

    Each combination is refitted from what the estimator has kept, under the constraints
    of the user. A model is worth adding for what it knows that the others don't, not
    for its own accuracy.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted, with labels.
    selected : str or iterable of str, default=None
        Names of the models that are combined now, at least one; those with a weight
        other than zero by default.

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
        If it was fitted without labels or on fewer than two models, or a name is that
        of no model, or none is selected.

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
