"""What every format becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.predictions import is_labelled


@dataclass(frozen=True, eq=False, repr=False)
class PredictionTable:
    """Predictions of models, a column each, and what is known of the items.

    Parameters
    ----------
    X : frame or ndarray of shape (n_items, n_models)
        Predictions, for an estimator without `estimators`; missing ones are NaN or
        null. A frame is one of the library that the data came in.
    y : ndarray of shape (n_items,) or None
        Labels, NaN or None on items without. None: there are no labels.
    items : ndarray of shape (n_items,) or None
        What the items are called.
    groups : frame or None
        Groups that items belong to, a column each, for
        :func:`~stackingnet_sk.inspection.disparity`.
    truth : ndarray of shape (n_items,) or None
        Of data that are made up: what the labels of all items would be.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetClassifier
    >>> from stackingnet_sk.datasets import make_experts
    >>> votes = make_experts(300, 5, n_classes=3, n_labelled=30, random_state=0)
    >>> votes
    300 items x 5 models, 30 labelled
    >>> model = StackingNetClassifier().fit(votes.X, votes.y)
    >>> round(float((model.predict(votes.X) == votes.truth).mean()), 2)
    0.89
    """

    X: Any
    y: NDArray[Any] | None = None
    items: NDArray[Any] | None = None
    groups: Any = None
    truth: NDArray[Any] | None = None

    @property
    def models(self) -> list[Any]:
        """Names of the models; of an array their numbers."""
        columns = getattr(self.X, "columns", None)
        if columns is None:
            return list(range(self.X.shape[1]))
        return list(getattr(self.X, "column_names", columns))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which items have a label."""
        if self.y is None:
            return np.zeros(len(self), dtype=bool)
        return is_labelled(self.y)

    @property
    def n_labelled(self) -> int:
        """Number of items with a label."""
        return int(np.count_nonzero(self.labelled))

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        labels = f"{self.n_labelled} labelled" if self.n_labelled else "no labels"
        return f"{len(self)} items x {len(self.models)} models, {labels}"
