"""From a task to raw scores and times.

For each data set and repeat one random split; the members' out-of-fold answers on the
training rows and their test answers are computed once, and every rival combines exactly
these: numbers, or rows of probabilities. Times of the solve therefore exclude the
members. The whole fit of the real estimators is timed apart, and must give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import cross_val_predict, train_test_split

from .task import Array, DataSet, Task

__all__ = ["Record", "run"]

TEST_SIZE = 0.25
PASSES = 5  # solves timed per rival and split, their median kept
TOLERANCE = 1e-8  # between a real estimator and its row, relative to the target

T = TypeVar("T")


@dataclass(frozen=True)
class Trial:
    """One split with the members' answers: P out of fold, Q on the test rows."""

    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array
    P: Array
    Q: Array


@dataclass
class Record:
    """Everything measured, raw; the report computes the rest.

    ``scores`` maps metric -> data set -> row -> values of the repeats, and
    ``solve_seconds`` data set -> row -> values of the repeats;
    ``fit_seconds`` maps data set -> estimator -> seconds, on the first repeat;
    ``shapes`` maps data set -> (rows, features).
    """

    scores: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
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
    record = Record(scores={metric.name: {} for metric in task.metrics})
    for data in datasets:
        start = perf_counter()
        for table in (*record.scores.values(), record.solve_seconds):
            table[data.key] = {row.name: [] for row in task.rows}
        for repeat in range(repeats):
            trial = tabulate(task, data, repeat)
            answers = {
                row.name: row.solve(trial.P, trial.y_train)(trial.Q)
                for row in task.rows
            }
            for metric in task.metrics:
                scores = record.scores[metric.name][data.key]
                for name, answer in answers.items():
                    scores[name].append(float(metric.score(trial.y_test, answer)))
            for name, value in time_solves(task, trial).items():
                record.solve_seconds[data.key][name].append(value)
            if repeat == 0:
                n_rows = len(trial.y_train) + len(trial.y_test)
                record.shapes[data.key] = (n_rows, trial.X_train.shape[1])
            if repeat == 0 and time_fits(data):
                record.fit_seconds[data.key] = time_whole_fits(task, trial, answers)
        progress(f"{data.key}: {perf_counter() - start:.1f} s")
    return record


def tabulate(task: Task, data: DataSet, repeat: int) -> Trial:
    """Split a data set and collect the members' answers."""
    seed = data.seed(repeat)
    X_train, X_test, y_train, y_test = train_test_split(
        *data.make(seed), test_size=TEST_SIZE, random_state=seed
    )
    members = [clone(member) for _, member in task.members]
    out_of_fold = partial(cross_val_predict, cv=task.cv, method=task.method)
    P = np.stack([out_of_fold(m, X_train, y_train) for m in members], axis=1)
    fitted = [m.fit(X_train, y_train) for m in members]
    Q = np.stack([ask(m, task.method, X_test) for m in fitted], axis=1)
    return Trial(X_train, X_test, y_train, y_test, P, Q)


def ask(estimator: BaseEstimator, method: str, X: Array) -> Array:
    """Return the answers by a method, or by ``predict`` where it doesn't exist."""
    return getattr(estimator, method, estimator.predict)(X)


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
    task: Task, trial: Trial, answers: dict[str, Array]
) -> dict[str, float]:
    """Return the seconds of each real estimator's fit, and check its answers."""
    seconds = {}
    for name, estimator in task.estimators.items():
        fitted, seconds[name] = timed(
            clone(estimator).fit, trial.X_train, trial.y_train
        )
        np.testing.assert_allclose(
            ask(fitted, task.method, trial.X_test),
            answers[name],
            rtol=TOLERANCE,
            atol=TOLERANCE * float(np.std(trial.y_train)),
            err_msg=f"{name}: the estimator and its row of the table disagree",
        )
    return seconds


def timed(function: Callable[..., T], *args: Array) -> tuple[T, float]:
    start = perf_counter()
    result = function(*args)
    return result, perf_counter() - start
