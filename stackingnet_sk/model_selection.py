"""Cross-validation for data in which only some rows have a label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils.metadata_routing import UNUSED, get_routing_for_object

from stackingnet_sk.predictions import as_array, is_labelled, labelled_part

__all__ = ["LabelledKFold", "labelled_scorer"]


class LabelledKFold(BaseEstimator):
    """K folds of the labelled rows; all unlabelled rows are training rows of each.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at most the number of labelled rows.
    shuffle : bool, default=False
        Whether to shuffle the labelled rows first.
    random_state : int or RandomState, default=None
        Seed of the shuffle.
    stratified : bool, default=False
        Whether each fold gets an equal share of every class; for classifiers.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.model_selection import LabelledKFold
    >>> y = np.array([1.0, np.nan, 3.0])
    >>> for train, test in LabelledKFold(2).split(np.zeros((3, 1)), y):
    ...     print(train, test)
    [1 2] [0]
    [0 1] [2]
    """

    # `split` accepts groups because all splitters do, and ignores them.
    __metadata_request__split: ClassVar = {"groups": UNUSED}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: Any = None,
        stratified: bool = False,
    ) -> None:
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.stratified = stratified

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(
        self, X: Any, y: ArrayLike, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Generate the folds.

        Parameters
        ----------
        X : object
            Ignored.
        y : array-like of shape (n_samples,)
            Labels; NaN or None where a row has no label.
        groups : object
            Ignored.

        Yields
        ------
        train : ndarray of int
            Rows to fit on: labelled rows of the other folds, and all unlabelled rows.
        test : ndarray of int
            Labelled rows.

        Raises
        ------
        ValueError
            If there are fewer labelled rows than folds; or, if `stratified`, if every
            class has fewer labelled rows than there are folds.
        """
        labelled = is_labelled(y).nonzero()[0]
        if len(labelled) < self.n_splits:
            raise ValueError(
                f"{len(labelled)} rows of y have a label, fewer than the "
                f"{self.n_splits} folds; use fewer folds."
            )
        labels = as_array(y)
        splitter = StratifiedKFold if self.stratified else KFold
        folds = splitter(
            self.n_splits, shuffle=self.shuffle, random_state=self.random_state
        )
        all_rows = np.arange(len(labels))
        for _, test in folds.split(labelled, np.array(labels[labelled].tolist())):
            yield np.setdiff1d(all_rows, labelled[test]), labelled[test]


def labelled_scorer(scoring: str | Callable[..., float]) -> LabelledScorer:
    """Make a scorer that ignores rows without a label.

    Parameters
    ----------
    scoring : str or callable
        A scorer as accepted by :func:`sklearn.metrics.get_scorer`.

    Returns
    -------
    LabelledScorer
        A scorer for `cross_val_score`, `GridSearchCV` and similar functions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from stackingnet_sk.model_selection import labelled_scorer
    >>> scorer = labelled_scorer("neg_mean_absolute_error")
    >>> X, y = np.zeros((3, 1)), np.array([1.0, 3.0, np.nan])
    >>> float(scorer(DummyRegressor().fit(X[:2], y[:2]), X, y))
    -1.0
    """
    return LabelledScorer(get_scorer(scoring))


class LabelledScorer:
    """A scorer on the labelled rows, as :func:`labelled_scorer` returns it.

    `scorer` is called as ``scorer(estimator, X, y, **metadata)``.
    """

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, estimator: Any, X: Any, y: ArrayLike, **metadata: Any) -> float:
        """Score on the rows that have a label, which is neither NaN nor None.

        Metadata with one value per row are restricted to these rows. A ValueError is
        raised if no row has a label.
        """
        X, y, metadata = labelled_part(X, y, **metadata)
        score: float = self.scorer(estimator, X, y, **metadata)
        return score

    def get_metadata_routing(self) -> Any:
        """Return the metadata request of the wrapped scorer."""
        return get_routing_for_object(self.scorer)

    def __repr__(self) -> str:
        return f"labelled_scorer({self.scorer!r})"
