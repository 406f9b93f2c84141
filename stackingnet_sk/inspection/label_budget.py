"""What further labels would buy, judged from the labels at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import lsq_linear
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from stackingnet_sk._compat import take_rows
from stackingnet_sk._tables import text_table
from stackingnet_sk.predictions import as_array, is_labelled

# Fewer labels cannot show both a learning curve and its test error.
_FEWEST = 10
_SIZES = 5


@dataclass(frozen=True, eq=False)
class LabelBudget:
    """Error against the number of labels; what is beyond those at hand is projected.

    Parameters
    ----------
    n_labelled : int
        Labels at hand.
    n_labels : ndarray of shape (n_budgets,)
        Numbers of labels.
    error : ndarray of shape (n_budgets,)
        Expected error of the estimator fitted with so many labels.
    low, high : ndarray of shape (n_budgets,)
        5th and 95th percentile over the repeats.
    gain : ndarray of shape (n_budgets,)
        Expected error with the labels at hand minus that with so many.
    gain_low, gain_high : ndarray of shape (n_budgets,)
        5th and 95th percentile of the gain over the repeats.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import label_budget
    >>> judges = make_experts(300, 3, n_labelled=30, random_state=0)
    >>> budget = label_budget(
    ...     StackingNetRegressor(), judges.X, judges.y, further=[30], random_state=0
    ... )
    >>> budget.n_labelled, budget.n_labels.tolist()
    (30, [30, 60])
    """

    n_labelled: int
    n_labels: NDArray[np.intp]
    error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    gain: NDArray[np.float64]
    gain_low: NDArray[np.float64]
    gain_high: NDArray[np.float64]

    def __str__(self) -> str:
        """Return a table, one line per number of labels."""
        columns = (self.error, self.low, self.high, self.gain)
        rows = [
            (labels, *(f"{figure:.4g}" for figure in figures))
            for labels, *figures in zip(self.n_labels, *columns, strict=True)
        ]
        return "\n".join(
            text_table([("labels", "error", "5%", "95%", "gain"), *rows], left=())
        )


def label_budget(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    further: Sequence[int] = (10, 20, 50, 100),
    scoring: str | Callable[..., float] | None = None,
    n_repeats: int = 50,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> LabelBudget:
    r"""Project how the error would fall with further labels.

    In each repeat a random third of the labelled rows is set aside to be tested on.
    The estimator is fitted with growing parts of the other labels, the rest hidden but
    their rows kept, and ``a + b / n`` is fitted to the errors: the rate at which the
    excess risk of a parametric fit falls (``a >= 0`` where no error is negative). The
    curves' spread over the repeats is the uncertainty; a curve may rise by chance, so
    an interval of the gain that contains zero says that the labels at hand cannot tell.

    Parameters
    ----------
    estimator : estimator
        Takes NaN in `y` as a row without label; it is cloned.
    X : array-like of shape (n_samples, n_features)
        What `estimator` takes.
    y : array-like of shape (n_samples,)
        Labels; NaN where there is none.
    further : sequence of int, default=(10, 20, 50, 100)
        Numbers of labels to add to those at hand.
    scoring : str or callable, default=None
        Score that the error is the negative of; of a named one that is not a negative
        loss, such as "accuracy", one minus it. None: mean absolute error of a
        regressor, one minus the accuracy of a classifier.
    n_repeats : int, default=50
        Number of random splits.
    random_state : int or RandomState, default=None
        Seed of the splits.
    n_jobs : int, default=None
        Repeats that run at the same time.

    Returns
    -------
    LabelBudget
        For the labels at hand and for each number of further ones.

    Raises
    ------
    ValueError
        If fewer than 10 rows have a label, or a number of labels is not positive.

    Notes
    -----
    The projection assumes that further rows are labelled at random. From fewer than
    some 50 labels it tends to promise too much: the first labels buy more than the
    rate says. It says nothing of what a better model, or more models, would buy.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import label_budget
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=300)
    >>> judges = truth[:, None] + rng.normal(size=(300, 4))
    >>> y = np.where(np.arange(300) < 30, truth, np.nan)
    >>> budget = label_budget(
    ...     StackingNetRegressor(), judges, y, further=[30], random_state=0
    ... )
    >>> budget.n_labels
    array([30, 60])
    >>> bool(budget.gain_low[1] <= budget.gain[1] <= budget.gain_high[1])
    True
    """
    (X,) = indexable(X)
    classes = is_classifier(estimator)
    # Classes can be texts, and a label that is hidden is None then.
    labels = as_array(y).astype(object if classes else np.float64)
    labelled = is_labelled(labels).nonzero()[0]
    if len(labelled) < _FEWEST:
        raise ValueError(
            f"{len(labelled)} rows of y have a label; at least {_FEWEST} are needed to "
            "see how the error falls with labels."
        )
    if any(number != int(number) or number <= 0 for number in further):
        raise ValueError(f"further={list(further)!r} must list positive whole numbers.")
    if n_repeats < 1:
        raise ValueError(f"n_repeats={n_repeats!r} must be at least 1.")
    if scoring is None:
        scoring = "accuracy" if classes else "neg_mean_absolute_error"
    scorer = check_scoring(estimator, scoring)
    perfect = isinstance(scoring, str) and not scoring.startswith("neg_")
    random = check_random_state(random_state)
    curves = np.array(
        Parallel(n_jobs=n_jobs)(
            delayed(_curve)(clone(estimator), X, labels, order, scorer, float(perfect))
            for order in [random.permutation(labelled) for _ in range(n_repeats)]
        )
    )
    n_labels = len(labelled) + np.array([0, *further], dtype=np.intp)
    errors = curves[:, :1] + curves[:, 1:] / n_labels
    gains = errors[:, :1] - errors
    low, high = np.percentile(errors, [5, 95], axis=0)
    gain_low, gain_high = np.percentile(gains, [5, 95], axis=0)
    return LabelBudget(
        len(labelled),
        n_labels,
        errors.mean(axis=0),
        low,
        high,
        gains.mean(axis=0),
        gain_low,
        gain_high,
    )


def _curve(
    estimator: Any,
    X: Any,
    y: NDArray[Any],
    order: NDArray[np.intp],
    scorer: Callable[..., float],
    perfect: float,
) -> NDArray[np.float64]:
    """Fit ``a + b / n`` to the errors of one split."""
    n_test = len(order) // 3
    test, pool = order[:n_test], order[n_test:]
    kept = np.ones(len(y), dtype=bool)
    kept[test] = False
    rows = kept.nonzero()[0]
    sizes = np.unique(
        np.geomspace(max(3, len(pool) // 4), len(pool), _SIZES, dtype=int)
    )
    own_X, test_X = take_rows(X, rows), take_rows(X, test)
    truth = np.array(y[test].tolist())
    errors = []
    for size in sizes:
        hidden = np.full(len(y), None if y.dtype == object else np.nan, dtype=y.dtype)
        hidden[pool[:size]] = y[pool[:size]]
        fitted = estimator.fit(own_X, hidden[rows])
        errors.append(perfect - scorer(fitted, test_X, truth))
    # The error with n labels varies like 1 / sqrt(n), so later points count more.
    design = np.column_stack([np.ones(len(sizes)), 1.0 / sizes])
    weight = np.sqrt(sizes)
    lowest = 0.0 if min(errors) >= 0 else -np.inf
    curve: NDArray[np.float64] = lsq_linear(
        design * weight[:, None],
        np.array(errors) * weight,
        bounds=([lowest, -np.inf], np.inf),
    ).x
    return curve
