"""Two other ways to the moments of a table with holes, which were not taken.

Each gives moments of the labelled rows and of the predictions alone; weights of a
pattern are then the optimum on the sub-moments of those who answer.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk.evidence import (
    AnswerPatterns,
    Moments,
    PredictionModel,
    group_patterns,
    impute_moments,
)
from stackingnet_sk.weights import solve_moments

from ..black_box.task import Array
from .case import Case

__all__ = ["by_pairs", "with_target"]

LEAST = 1e-8  # of the largest eigenvalue


def by_pairs(case: Case) -> Array:
    """Predict by moments of pairs of models, made positive semidefinite."""
    errors = np.column_stack([case.P - case.y[:, None], case.y])
    return on_sub_moments(case, pairwise(errors), pairwise(everybody(case)))


def with_target(case: Case) -> Array:
    """Predict by expectation-maximization of the labelled rows, labels among them."""
    errors = np.column_stack([case.P - case.y[:, None], case.y])
    return on_sub_moments(case, completed(errors), completed(everybody(case)))


def everybody(case: Case) -> Array:
    return np.concatenate([case.P, case.Q]) if case.known else case.P


def completed(table: Array) -> tuple[Array, Array]:
    known = impute_moments(AnswerPatterns.from_rows(with_an_answer(table))).moments
    model = PredictionModel.from_moments(known)
    return model.mean / model.scale, model.covariance / model.scale**2


def with_an_answer(table: Array) -> Array:
    """Let a column that is empty be constant."""
    silent = np.isnan(table).all(axis=0)
    return np.where(silent, 0.0, table)


def pairwise(table: Array) -> tuple[Array, Array]:
    table = with_an_answer(table)
    seen = ~np.isnan(table)
    mean = np.nanmean(table, axis=0)
    off = np.where(seen, table - mean, 0.0)
    both = seen.T.astype(float) @ seen
    spread = np.sqrt(np.square(off).sum(axis=0) / seen.sum(axis=0))
    sizes = np.square(off).T @ seen
    norm = np.sqrt(sizes * sizes.T)
    correlation = np.divide(off.T @ off, norm, out=np.zeros_like(norm), where=norm > 0)
    # Correlations of two rows are one or minus one: two more say nothing.
    correlation *= both / (both + 2.0)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    correlation = (vectors * np.maximum(values, LEAST * values.max())) @ vectors.T
    unit = np.sqrt(correlation.diagonal())
    return mean, correlation * np.outer(spread / unit, spread / unit)


def on_sub_moments(
    case: Case, labelled: tuple[Array, Array], predictions: tuple[Array, Array]
) -> Array:
    mean, covariance = predictions
    n_rows = len(everybody(case))
    prediction_moments = moments(
        n_rows, np.append(mean, 0.0), np.pad(covariance, (0, 1))
    )
    known = moments(len(case.y), *labelled)
    answer = np.full(len(case.Q), case.y.mean())
    patterns, pattern, _ = group_patterns(~np.isnan(case.Q))
    for number, seen in enumerate(patterns):
        models, rows = np.flatnonzero(seen), np.flatnonzero(pattern == number)
        if models.size:
            found = solve_moments(
                known.subset(models),
                shrinkage="auto",
                prediction_moments=prediction_moments.subset(models),
            )
            own = case.Q[np.ix_(rows, models)]
            answer[rows] = own @ found.weights + found.intercept
    return answer


def moments(n_rows: int, mean: Array, covariance: Array) -> Moments:
    return Moments(float(n_rows), n_rows, mean, covariance * n_rows, np.sqrt(n_rows))
