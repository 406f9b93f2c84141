"""What a limit costs: error against disparity, budget, or number of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import indexable

from stackingnet_sk._compat import take_rows
from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.constraints import (
    Constraint,
    at_most_models,
    bounded_disparity,
    budget,
)
from stackingnet_sk.predictions import as_array, group_columns, is_labelled
from stackingnet_sk.weights import InfeasibleError

# Number of limits by default, and steps of the search for the least disparity: after
# the first, which tries 0, six halve the range, to 1.6 % of it.
_POINTS = 9
_BISECTIONS = 7
_AGAINST = ("disparity", "budget", "models")


@dataclass(frozen=True, eq=False)
class Frontier:
    """Error of combinations under a limit that is tightened step by step.

    Parameters
    ----------
    against : {"disparity", "budget", "models"}
        What is limited.
    limit : ndarray of shape (n_limits,)
        The limits in ascending order. The last is infinite: no limit.
    error : ndarray of shape (n_limits,)
        Out-of-fold error: mean squared error of numbers, log loss of classes. It is NaN
        if in some fold no weights fulfil the limit, for all models or for the models
        that answer some row.
    change : ndarray of shape (n_limits,)
        `error` minus the error without a limit.
    standard_error : ndarray of shape (n_limits,)
        Standard error of `change`, from the differences of losses row by row.
    measured : ndarray of shape (n_limits,)
        The largest gap between two groups out of fold, or, of the weights on all rows,
        their cost or the number of models with a weight.
    weights : ndarray of shape (n_limits, n_models)
        Weights fitted on all rows; NaN where none fulfil the limit.
    names : ndarray of shape (n_models,)
        Names of the models.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import frontier
    >>> judges = make_experts(80, 3, random_state=0)
    >>> curve = frontier(StackingNetRegressor(), judges.X, judges.y, "models")
    >>> curve.limit.tolist(), curve.error.round(2).tolist()
    ([1.0, 2.0, 3.0, inf], [0.4, 0.34, 0.24, 0.24])
    """

    against: str
    limit: NDArray[np.float64]
    error: NDArray[np.float64]
    change: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    measured: NDArray[np.float64]
    weights: NDArray[np.float64]
    names: NDArray[Any]

    def to_frame(self) -> Any:
        """Return a table, one row per limit.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns `limit`, `measured`, `error`, `change` and `standard_error`.
        """
        names = ("limit", "measured", "error", "change", "standard_error")
        return as_frame({name: getattr(self, name).tolist() for name in names})

    def __str__(self) -> str:
        """Return a table, one line per limit."""
        rows: list[tuple[str, ...]]
        rows = [("limit", self.against, "error", "change", "s.e.")]
        columns = self.measured, self.error, self.change, self.standard_error
        for limit, *figures, spread in zip(self.limit, *columns, strict=True):
            name = "none" if np.isinf(limit) else f"{limit:.4g}"
            rows.append((name, *(f"{x:.4g}" for x in figures), f"{spread:.2g}"))
        return "\n".join(text_table(rows, left=()))


def frontier(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    against: str = "disparity",
    *,
    values: Sequence[float] | None = None,
    sensitive_features: Any = None,
    costs: Any = None,
    n_splits: int = 5,
    random_state: Any = 0,
) -> Frontier:
    """Measure what a limit costs, out of fold.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Clones of it are fitted. Its constraint stays in force beside the limit.
    X : array-like
        As in its `fit`.
    y : array-like of shape (n_samples,)
        Labels. Rows without a label are left out.
    against : {"disparity", "budget", "models"}, default="disparity"
        What is limited, by
        :class:`~stackingnet_sk.constraints.bounded_disparity`,
        :class:`~stackingnet_sk.constraints.budget` or
        :class:`~stackingnet_sk.constraints.at_most_models`.
    values : sequence of float, default=None
        Limits. By default all numbers of models, or nine limits from the least that
        weights can fulfil to what is measured without a limit.
    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns), \
default=None
        Groups of the rows, needed for "disparity".
    costs : mapping of str to float, or sequence of float, default=None
        Cost of each model, needed for "budget".
    n_splits : int, default=5
        Number of random folds. Each has the groups in proportion.
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Returns
    -------
    Frontier

    Raises
    ------
    ValueError
        If `against` is unknown, what it needs is missing, or the estimator cannot be
        fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import frontier
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=60)
    >>> judges = truth[:, None] + rng.normal(size=(60, 4))
    >>> curve = frontier(StackingNetRegressor(), judges, truth, "models")
    >>> curve.measured.astype(int).tolist()
    [1, 2, 3, 4, 4]
    """
    if against not in _AGAINST:
        raise ValueError(f"against={against!r} is unknown; choose one of {_AGAINST}.")
    for name, needed, given in (
        ("disparity", "sensitive_features", sensitive_features),
        ("budget", "costs", costs),
    ):
        if against == name and given is None:
            raise ValueError(f"against={against!r} needs {needed}=; give it.")
    labels = as_array(y)
    labelled = is_labelled(labels)
    rows = np.flatnonzero(labelled)
    (X,) = indexable(X)
    features = None
    if sensitive_features is not None:
        columns = group_columns(sensitive_features, labelled)
        features = {name: groups[rows] for name, groups in columns.items()}
    labels = np.array(labels[rows].tolist())
    trial = _Trial(
        estimator, take_rows(X, rows), labels, features, n_splits, random_state
    )
    unlimited = trial.fitted(None)
    quantity = _quantity(against, trial, unlimited, costs)
    steps = quantity.steps() if values is None else values
    steps = np.sort(np.asarray(steps, float))
    limits = [*map(quantity.limit, steps.tolist()), None]
    names = unlimited.model_names_
    losses = np.full((len(limits), len(labels)), np.nan)
    measured = np.full(len(limits), np.nan)
    weights = np.full((len(limits), len(names)), np.nan)
    for row, limit in enumerate(limits):
        try:
            model = unlimited if limit is None else trial.fitted(limit)
            weights[row] = model.weights_
            losses[row], scores = trial.out_of_fold(limit)
        except InfeasibleError:
            continue
        measured[row] = quantity.measure(model, scores)
    change = losses - losses[-1]
    return Frontier(
        against,
        np.append(steps, np.inf),
        losses.mean(axis=1),
        change.mean(axis=1),
        change.std(axis=1) / np.sqrt(len(labels)),
        measured,
        weights,
        names,
    )


@dataclass(frozen=True, eq=False)
class _Trial:
    """Fits under a limit, on all labelled rows or out of fold."""

    estimator: Any
    X: Any
    y: NDArray[Any]
    features: dict[str, NDArray[Any]] | None
    n_splits: int
    random_state: Any

    def fitted(self, limit: Constraint | None, rows: Any = None) -> Any:
        """Fit a clone under a limit and the estimator's constraint."""
        model = clone(self.estimator)
        constraint = model.constraint
        if limit is not None:
            model.set_params(
                constraint=limit if constraint is None else limit & constraint
            )
        rows = np.arange(len(self.y)) if rows is None else rows
        features = None
        if self.features is not None:
            features = {name: groups[rows] for name, groups in self.features.items()}
        return model.fit(
            take_rows(self.X, rows), self.y[rows], sensitive_features=features
        )

    def least_disparity(self, most: float) -> float:
        """Bisect from 0 to `most` for the least disparity that weights can reach."""
        low, high, tried = 0.0, most, 0.0
        for _ in range(_BISECTIONS):
            try:
                self.fitted(bounded_disparity(tried))
            except InfeasibleError:
                low = tried
            else:
                high = tried
            if high == low:
                break
            tried = 0.5 * (low + high)
        return high

    def assess(
        self, model: Any, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the loss of each row, and the score whose mean disparity compares.

        The scores are residuals, or what the model gives the true class: its
        probability in the linear pool, its centred logarithm otherwise.
        """
        X, y = take_rows(self.X, rows), self.y[rows]
        if not is_classifier(model):
            residuals = model.predict(X) - y
            return np.square(residuals), residuals
        scores = probabilities = model.predict_proba(X)
        if model.pool != "linear":
            scores = np.log(probabilities)
            scores = scores - scores.mean(axis=1, keepdims=True)
        true_class = np.arange(len(y)), np.searchsorted(model.classes_, y)
        likelihood = np.maximum(probabilities[true_class], np.finfo(float).tiny)
        return -np.log(likelihood), scores[true_class]

    def out_of_fold(
        self, limit: Constraint | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Assess all rows, each by a fit that has not seen it."""
        losses, scores = np.empty((2, len(self.y)))
        for train, test in self._folds():
            losses[test], scores[test] = self.assess(self.fitted(limit, train), test)
        return losses, scores

    def _folds(self) -> Any:
        options = {"shuffle": True, "random_state": self.random_state}
        if self.features is None:
            return KFold(self.n_splits, **options).split(self.y)
        groups = zip(*self.features.values(), strict=True)
        strata = [" x ".join(map(str, row)) for row in groups]
        return StratifiedKFold(self.n_splits, **options).split(self.y, strata)

    def gap(self, scores: NDArray[np.float64]) -> float:
        """Measure the largest difference of two groups' means, over the columns."""
        gaps = []
        for groups in (self.features or {}).values():
            means = [scores[groups == group].mean() for group in set(groups)]
            gaps.append(max(means) - min(means))
        return float(max(gaps))


@dataclass(frozen=True, eq=False)
class _Quantity:
    """What is limited: its constraint, default limits, and its value of a fit."""

    limit: Callable[[float], Constraint]
    steps: Callable[[], ArrayLike]
    measure: Callable[[Any, NDArray[np.float64]], float]


def _quantity(against: str, trial: _Trial, unlimited: Any, costs: Any) -> _Quantity:
    """Choose by name; `unlimited` is the fit of all rows without a limit."""
    weights = unlimited.weights_
    if against == "models":
        return _Quantity(
            lambda k: at_most_models(int(k)),
            lambda: np.arange(1, len(weights) + 1),
            lambda model, _: float(np.count_nonzero(model.weights_)),
        )
    if against == "budget":
        prices = budget(costs, 0.0).prices(unlimited.model_names_)
        least = prices.min() * min(float(weights.sum()), 1.0)
        return _Quantity(
            lambda total: budget(costs, total),
            lambda: _up_to(prices @ weights, least),
            lambda model, _: float(prices @ model.weights_),
        )

    def steps() -> ArrayLike:
        _, scores = trial.assess(unlimited, np.arange(len(trial.y)))
        most = trial.gap(scores)
        return _up_to(most, trial.least_disparity(most))

    return _Quantity(bounded_disparity, steps, lambda _, scores: trial.gap(scores))


def _up_to(most: float, least: float) -> NDArray[np.float64]:
    return np.linspace(least, most, _POINTS + 1)[:-1]
