"""From a task to raw scores and times.

For each data set and repeat one random split; the members' out-of-fold predictions
of the training rows and their test predictions are computed once, and every rival
combines exactly these. Times of the solve therefore exclude the members. The whole
fit of the real estimators is timed apart, and must give the same predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict, train_test_split

from .task import Array, DataSet, Task

__all__ = ["Record", "run"]

TEST_SIZE = 0.25
PASSES = 5  # solves timed per rival and split, their median kept
TOLERANCE = 1e-8  # between a real estimator and its row, relative to the target

T = TypeVar("T")


@dataclass(frozen=True)
class Trial:
    """One split with the members' predictions: P out of fold, Q on the test rows."""

    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array
    P: Array
    Q: Array


@dataclass
class Record:
    """Everything measured, raw; the report computes the rest.

    ``scores`` and ``solve_seconds`` map data set -> row -> values of the repeats;
    ``fit_seconds`` maps data set -> estimator -> seconds, on the first repeat;
    ``shapes`` maps data set -> (rows, features).
    """

    scores: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    solve_seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    fit_seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)


def run(
    task: Task,
    datasets: Iterable[DataSet],
    repeats: int,
    time_fits: Callable[[DataSet], bool] = lambda data: True,
    progress: Callable[[str], None] = lambda line: None,
) -> Record:
    """Measure every row of a task; ``time_fits`` says where whole fits are timed."""
    record = Record()
    for data in datasets:
        start = perf_counter()
        scores = record.scores[data.key] = {row.name: [] for row in task.rows}
        seconds = record.solve_seconds[data.key] = {row.name: [] for row in task.rows}
        for repeat in range(repeats):
            trial = tabulate(task, data, repeat)
            predictions = {}
            for row in task.rows:
                predictions[row.name] = row.solve(trial.P, trial.y_train).predict(
                    trial.Q
                )
                score = task.score(trial.y_test, predictions[row.name])
                scores[row.name].append(float(score))
            for name, value in time_solves(task, trial).items():
                seconds[name].append(value)
            if repeat == 0:
                n_rows = len(trial.y_train) + len(trial.y_test)
                record.shapes[data.key] = (n_rows, trial.X_train.shape[1])
                if time_fits(data):
                    fits = time_whole_fits(task, trial, predictions)
                    record.fit_seconds[data.key] = fits
        progress(f"{data.key}: {perf_counter() - start:.1f} s")
    return record


def tabulate(task: Task, data: DataSet, repeat: int) -> Trial:
    """Split a data set and collect the members' predictions."""
    seed = data.seed(repeat)
    X_train, X_test, y_train, y_test = train_test_split(
        *data.make(seed), test_size=TEST_SIZE, random_state=seed
    )
    members = [clone(member) for _, member in task.members]
    P = [cross_val_predict(m, X_train, y_train, cv=task.cv) for m in members]
    Q = [m.fit(X_train, y_train).predict(X_test) for m in members]
    return Trial(
        X_train, X_test, y_train, y_test, np.column_stack(P), np.column_stack(Q)
    )


def time_solves(task: Task, trial: Trial) -> dict[str, float]:
    """Return the median seconds of each row's solve.

    Rows take turns within a pass, so that a busy moment of the machine does not
    fall on one row alone.
    """
    passes = [
        [timed(row.solve, trial.P, trial.y_train)[1] for row in task.rows]
        for _ in range(PASSES)
    ]
    medians = np.median(passes, axis=0)
    return {row.name: float(t) for row, t in zip(task.rows, medians, strict=True)}


def time_whole_fits(
    task: Task, trial: Trial, predictions: dict[str, Array]
) -> dict[str, float]:
    """Return the seconds of each real estimator's fit, and check its predictions."""
    seconds = {}
    for name, estimator in task.estimators.items():
        fitted, seconds[name] = timed(
            clone(estimator).fit, trial.X_train, trial.y_train
        )
        np.testing.assert_allclose(
            fitted.predict(trial.X_test),
            predictions[name],
            rtol=TOLERANCE,
            atol=TOLERANCE * float(np.std(trial.y_train)),
            err_msg=f"{name}: the estimator and its row of the table disagree",
        )
    return seconds


def timed(function: Callable[..., T], *args: Array) -> tuple[T, float]:
    start = perf_counter()
    result = function(*args)
    return result, perf_counter() - start
