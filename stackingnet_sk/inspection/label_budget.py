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
# Number of points of a learning curve.
_SIZES = 5


@dataclass(frozen=True, eq=False)
class LabelBudget:
    """Error against the number of labels, projected beyond those at hand.

    Parameters
    ----------
    n_labelled : int
        Number of labels at hand.
    n_labels : ndarray of shape (n_budgets,)
        Numbers of labels.
    error : ndarray of shape (n_budgets,)
        Expected error of the estimator fitted with so many labels.
    low, high : ndarray of shape (n_budgets,)
        5th and 95th percentile of the error over the repeats.
    gain : ndarray of shape (n_budgets,)
        Expected error with the labels at hand minus `error`.
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

    In each repeat a random third of the labelled rows is set aside as test rows. The
    estimator is fitted with growing parts of the other labels; rows whose label is
    hidden remain as rows without label. Then ``a + b / n`` is fitted to the errors: the
    rate at which the excess risk of a parametric fit falls (``a >= 0`` if no error is
    negative). The spread of the curves over the repeats is the uncertainty. A curve may
    rise by chance, so if an interval of the gain contains zero, the labels at hand
    cannot tell.

    Parameters
    ----------
    estimator : estimator
        It must take NaN in `y` as a row without label. It is cloned.
    X : array-like of shape (n_samples, n_features)
        What `estimator` takes.
    y : array-like of shape (n_samples,)
        Labels; NaN where there is none.
    further : sequence of int, default=(10, 20, 50, 100)
        Numbers of labels to add to those at hand.
    scoring : str or callable, default=None
        The error is minus this score, or one minus the score if it is named and not a
        negative loss, such as "accuracy". By default the error is the mean absolute
        error of a regressor, and one minus the accuracy of a classifier.
    n_repeats : int, default=50
        Number of random splits.
    random_state : int or RandomState, default=None
        Seed of the splits.
    n_jobs : int, default=None
        Number of repeats that run at the same time.

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
    about 50 labels it tends to promise too much, because the first labels gain more
    than the rate predicts. It does not tell what a better model, or more models, would
    gain.

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
    # Classes can be texts; then a hidden label is None.
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
    is_loss = not isinstance(scoring, str) or scoring.startswith("neg_")
    best = 0.0 if is_loss else 1.0
    random = check_random_state(random_state)
    orders = [random.permutation(labelled) for _ in range(n_repeats)]
    curves = np.array(
        Parallel(n_jobs=n_jobs)(
            delayed(_curve)(clone(estimator), X, labels, order, scorer, best)
            for order in orders
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
    best: float,
) -> NDArray[np.float64]:
    """Fit ``a + b / n`` to the errors of one split; an error is `best` minus a score.

    The first third of `order` are the test rows, the others the labelled rows.
    """
    n_test = len(order) // 3
    test, pool = order[:n_test], order[n_test:]
    rows = np.delete(np.arange(len(y)), test)
    sizes = np.unique(
        np.geomspace(max(3, len(pool) // 4), len(pool), _SIZES, dtype=int)
    )
    train_X, test_X = take_rows(X, rows), take_rows(X, test)
    truth = np.array(y[test].tolist())
    errors = []
    for size in sizes:
        shown = np.full(len(y), None if y.dtype == object else np.nan, dtype=y.dtype)
        shown[pool[:size]] = y[pool[:size]]
        fitted = estimator.fit(train_X, shown[rows])
        errors.append(best - scorer(fitted, test_X, truth))
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
