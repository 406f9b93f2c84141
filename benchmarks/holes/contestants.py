"""Ours, and what people do about silent models.

To add a rival, add an entry to ``CONTESTANTS``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer

from stackingnet_sk import StackingNetRegressor

from ..black_box.task import Array
from .alternatives import by_pairs, with_target
from .case import Case, Contestant

__all__ = [
    "COMPLETE",
    "CONSTANT",
    "CONTESTANTS",
    "ITERATIVE",
    "MEAN",
    "OURS",
    "RENORMALIZED",
    "chained_equations",
]

FEWEST = 2  # rows without holes from which weights are fitted


def ours(case: Case) -> Array:
    return fitted(case.P, case.y, case.Q if case.known else None).predict(case.Q)


def fitted(P: Array, y: Array, Q: Array | None, **parameters: Any) -> Any:
    return StackingNetRegressor(**parameters).fit(P, y, X_unlabeled=Q)


def column_means() -> SimpleImputer:
    return SimpleImputer(keep_empty_features=True)


def chained_equations() -> IterativeImputer:
    return IterativeImputer(random_state=0, keep_empty_features=True)


def impute(case: Case, imputer: Any) -> Case:
    """Return a case without holes; the imputer sees all rows that are known at fit."""
    imputer.fit(np.concatenate([case.P, case.Q]) if case.known else case.P)
    P, Q = imputer.transform(case.P), imputer.transform(case.Q)
    return Case(P, case.y, Q, case.known)


def renormalized(case: Case) -> Array:
    """Share the weights of silent models out to those who answer, in proportion.

    Where nobody who answers has a weight, predict the mean label.
    """
    filled = impute(case, column_means())
    rows, others = impute_moments(case.P), impute_moments(case.Q)
    P, y = (case.P[rows], case.y[rows]) if enough(rows) else (filled.P, case.y)
    Q = case.Q[others] if enough(others) else filled.Q
    model = fitted(P, y, Q if case.known else None, constraint="simplex")
    mean = weighted_mean(case.Q, model.weights_) + model.intercept_
    return np.where(np.isnan(mean), case.y.mean(), mean)


def impute_moments(P: Array) -> Array:
    return ~np.isnan(P).any(axis=1)


def enough(rows: Array) -> bool:
    return np.count_nonzero(rows) >= FEWEST


def weighted_mean(Q: Array, weights: Array) -> Array:
    """Return the mean over those who answer; NaN where they have no weight."""
    weights = weights * ~np.isnan(Q)
    total = weights.sum(axis=1)
    shares = weights / np.where(total > 0, total, np.nan)[:, None]
    return (shares * np.nan_to_num(Q)).sum(axis=1)


def average(case: Case) -> Array:
    mean = weighted_mean(case.Q, np.ones(case.Q.shape[1]))
    return np.where(np.isnan(mean), case.y.mean(), mean)


def unbiased_average(case: Case) -> Array:
    """Average less own biases; who answers no labelled row does not count."""
    errors = case.P - case.y[:, None]
    answers = (~np.isnan(errors)).sum(axis=0)
    bias = np.nansum(errors, axis=0) / np.where(answers > 0, answers, np.nan)
    return average(Case(case.P, case.y, case.Q - bias, case.known))


def constant(case: Case) -> Array:
    return np.full(len(case.Q), case.y.mean())


OURS = Contestant("StackingNet", ours)
COMPLETE = Contestant("StackingNet, no holes", ours, complete=True)
MEAN = Contestant("mean imputation", lambda case: ours(impute(case, column_means())))
ITERATIVE = Contestant(
    "IterativeImputer", lambda case: ours(impute(case, chained_equations()))
)
RENORMALIZED = Contestant("renormalized weights", renormalized)
CONSTANT = Contestant("mean label (constant)", constant)
CONTESTANTS = (
    MEAN,
    ITERATIVE,
    RENORMALIZED,
    Contestant("average of who answers", average),
    Contestant("the same less own biases", unbiased_average),
    CONSTANT,
    Contestant("moments of pairs of models", by_pairs),
    Contestant("EM with the target", with_target),
    OURS,
    COMPLETE,
)
