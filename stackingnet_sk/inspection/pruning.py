"""The path along which models are removed, and the error after each removal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.inspection.evidence import stored_evidence


@dataclass(frozen=True, eq=False)
class PruningPath:
    """Models in their order of removal, and the combination's error after each.

    Parameters
    ----------
    removed : ndarray of str of shape (n_models,)
        The models in order of removal. The last one is never removed.
    reliability : ndarray of shape (n_models,)
        Their reliability.
    error : ndarray of shape (n_models,)
        Expected error of the refitted combination after 0, 1, ... removals. It is
        infinite if no weights of the remaining models fulfil all constraints.
    unit : str
        Name of the error.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import prune
    >>> judges = make_experts(300, 3, accuracy=[0.9, 0.6, 0.4], random_state=0)
    >>> path = prune(StackingNetRegressor().fit(judges.X, judges.y))
    >>> path.removed.tolist(), path.error.round(3).tolist()
    (['model_2', 'model_1', 'model_0'], [0.384, 0.391, 0.417])
    """

    removed: NDArray[Any]
    reliability: NDArray[np.float64]
    error: NDArray[np.float64]
    unit: str

    @property
    def n_best(self) -> int:
        """Number of removals after which the expected error is least."""
        return int(self.error.argmin())

    def to_frame(self) -> Any:
        """Make a table, one row per number of removals.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns `n_models` (how many remain), `error` of their combination, `next`
            (the model that is removed next) and its `reliability`. A frame if pandas is
            installed.
        """
        return as_frame(
            {
                "n_models": list(range(len(self.removed), 0, -1)),
                "error": self.error.tolist(),
                "next": self.removed.tolist(),
                "reliability": self.reliability.tolist(),
            }
        )

    def __str__(self) -> str:
        """Return a table, one line per number of removals."""
        rows = [("models", "error ", "next to go (reliability)")]
        for n, (error, name, reliability) in enumerate(
            zip(self.error, self.removed, self.reliability, strict=True)
        ):
            mark = "*" if n == self.n_best else " "
            left = str(len(self.removed) - n)
            rows.append((left, f"{error:.4g}{mark}", f"{name} ({reliability:.3f})"))
        note = f"error: expected {self.unit}; * the least"
        return "\n".join([*text_table(rows, left=(2,)), note])


def prune(estimator: Any) -> PruningPath:
    """Remove the models of a fitted estimator one by one, the least reliable first.

    The combination of the remaining models is refitted from the moments, or the counts
    of votes, that the estimator has kept. No row is read again. Each combination
    fulfils the constraints of the user, with the groups that `fit` received.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted, with labels.

    Returns
    -------
    PruningPath

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If it was fitted without labels, or on fewer than two models.

    Notes
    -----
    The error is the one to expect on new rows (see
    :class:`~stackingnet_sk.weights.Solution`). The least of many estimates is a little
    too low. Probabilities count as votes. If only models remain that never answer, the
    prediction is the mean of the labels or the rates of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import prune
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.5, 1.0, 50.0]
    >>> path = prune(StackingNetRegressor().fit(judges, truth))
    >>> path.removed.tolist(), path.n_best
    (['model_2', 'model_1', 'model_0'], 1)
    """
    evidence = stored_evidence(estimator, labels=True)
    reliability = evidence.reliability
    order = np.lexsort((evidence.names.astype(str), reliability))
    error = [evidence.error(np.sort(order[n:])) for n in range(len(order))]
    return PruningPath(
        evidence.names[order], reliability[order], np.array(error), evidence.unit
    )
