"""Predictions of members on rows that they were not fitted on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from stackingnet_sk._compat import fit_task, take_rows, take_rows_of_params
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.cache import CachedFit, Fitted, cached_fits, open_folder
from stackingnet_sk.predictions.answers import NUMBER, Answer

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Members fitted on all rows, and their predictions out of fold.

    `rows` is the row of each prediction; a splitter may leave rows out or repeat them.
    `table` has shape (n_predictions, n_models) or (n_predictions, n_models, n_classes).
    """

    estimators: list[Any]
    rows: NDArray[np.intp]
    table: NDArray[np.float64]

    def weights(
        self, sample_weight: NDArray[np.float64] | None
    ) -> NDArray[np.float64] | None:
        """Weigh the predictions so that each row counts once.

        The mean of a row's predictions would be that of an ensemble of fits, with
        smaller errors than a single fit has. None is returned if every prediction
        counts the same.
        """
        counts = np.bincount(self.rows)
        if counts.max(initial=0) > 1:
            share = 1.0 / counts[self.rows]
            return share if sample_weight is None else share * sample_weight[self.rows]
        return None if sample_weight is None else sample_weight[self.rows]

    def in_rows(
        self, statistics: Any, sample_weight: NDArray[np.float64] | None
    ) -> Any:
        """Give statistics of the predictions the weight norm of the distinct rows.

        The norm of the shares of repeated rows would stand for more rows than there
        are.
        """
        rows = np.unique(self.rows)
        if len(rows) == len(self.rows):
            return statistics
        weights = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
        return replace(statistics, weight_norm=float(np.linalg.norm(weights)))

    def in_order(self) -> OutOfFold:
        """Sort the predictions by row; those of one row stay in the order of folds."""
        if (np.diff(self.rows) >= 0).all():
            return self
        order = np.argsort(self.rows, kind="stable")
        return replace(self, rows=self.rows[order], table=self.table[order])

    def once(self) -> OutOfFold:
        """Keep the first prediction of each row, in the order of rows.

        Their mean would be that of an ensemble of fits, with smaller errors than a
        single fit has.
        """
        rows, first = np.unique(self.rows, return_index=True)
        return replace(self, rows=rows, table=self.table[first])


def collect_out_of_fold(
    members: Sequence[tuple[str, Any]],
    X: Any,
    y: Any,
    splits: Iterable[Split],
    fit_params: dict[str, dict[str, Any]],
    *,
    answer: Answer = NUMBER,
    memory: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    tasks: Sequence[Any] | None = None,
    owner: Any = None,
) -> OutOfFold:
    """Fit every member on every fold and on all rows, all in one parallel loop.

    `members` are names and unfitted estimators, which are cloned; `splits` are row
    indices (train, test). `fit_params` are what the `fit` of each member receives, by
    name; arrays with one entry per row are cut to the rows of each fit. `memory` is the
    folder where fits are kept (or a joblib.Memory): a fit that is there is read instead
    of done again, whatever the name of the member, and parallel searches do each fit
    once. `tasks` are callback contexts, one for each of :func:`task_names`.

    A ValueError is raised if a fold has no rows to train on or to predict, if an answer
    is invalid, or if `memory` can't hold fits; an OSError if the cache can't be
    written. Warns if a member can't be cached, or a file of the cache is damaged or was
    written with other versions.
    """
    folds = check_splits(splits, len(y))
    # The fits on all rows are the longest: started first, they leave no core idle.
    jobs: list[tuple[tuple[str, Any], Split | None]]
    jobs = [(member, fold) for fold in (None, *folds) for member in members]
    names = task_names(members, len(folds))
    contexts = [None] * len(jobs) if tasks is None else tasks
    places = cached_fits(
        open_folder(memory), members, X, y, (None, *folds), fit_params, answer
    )
    # The cache is read here, so that warnings reach the caller, and fits that are there
    # need no worker.
    results = [None if place is None else place.recall() for place in places]
    for where, result in zip(names, results, strict=True):
        if verbose > 0 and result is not None:
            _print_recalled(where)
    missing = [job for job, result in enumerate(results) if result is None]
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_fit_once)(
            places[job],
            name,
            clone(estimator),
            X,
            y,
            fold,
            fit_params[name],
            answer=answer,
            where=names[job],
            verbose=verbose,
            # The owner is sent to the workers, with all that it holds, so this is done
            # only if there are callbacks.
            task=None if contexts[job] is None else (contexts[job], owner),
        )
        for job, ((name, estimator), fold) in ((job, jobs[job]) for job in missing)
    )
    for job, (result, problem) in zip(missing, fitted, strict=True):
        results[job] = result
        if problem is not None:
            (name, _), fold = jobs[job]
            rows = "all rows" if fold is None else "a fold"
            warn_user(
                f"Member {name!r}, fitted on {rows}, is not cached: {problem}.",
                UserWarning,
            )
    fits = [result for result in results if result is not None]
    n_members = len(members)
    blocks = [
        np.stack(
            [prediction for _, prediction in fits[start : start + n_members]], axis=1
        )
        for start in range(n_members, len(fits), n_members)
    ]
    return OutOfFold(
        [estimator for estimator, _ in fits[:n_members]],
        np.concatenate([test for _, test in folds]),
        _level_constants(blocks),
    )


def _level_constants(blocks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stack the folds, and make a member that is constant in each fold constant.

    The constant of such a member differs between folds by the labels that were held
    out, and runs against them: the combination would give it a weight for that.
    """
    table = np.concatenate(blocks)
    if min(len(block) for block in blocks) > 1:
        flat = np.all([(block == block[0]).all(axis=0) for block in blocks], axis=0)
        if flat.ndim > 1:
            flat = flat.all(axis=1)
        table[:, flat] = table[:, flat].mean(axis=0)
    return table


def task_names(members: Sequence[tuple[str, Any]], n_folds: int) -> list[str]:
    """Name the tasks of :func:`collect_out_of_fold`, in their order."""
    names = [f"fit {name} on all rows" for name, _ in members]
    return names + [
        f"fit {name} on fold {fold} of {n_folds}"
        for fold in range(1, n_folds + 1)
        for name, _ in members
    ]


def check_splits(splits: Iterable[Split], n_rows: int | None = None) -> list[Split]:
    """List the folds as row indices (train, test).

    A ValueError is raised if there is no fold, or if a fold has no rows or row numbers
    that do not exist.
    """
    folds = []
    for number, fold in enumerate(splits):
        who = f"Fold {number} of cv"
        if not isinstance(fold, (tuple, list)) or len(fold) != 2:
            raise ValueError(f"{who} is no pair (train, test): {fold!r}.")
        train, test = (_indices(part, n_rows, who) for part in fold)
        for part, verb in ((train, "train on"), (test, "predict")):
            if not part.size:
                raise ValueError(
                    f"{who} has no rows to {verb}; use fewer folds, or a splitter that "
                    "fills each of them."
                )
        folds.append((train, test))
    if not folds:
        raise ValueError(
            "cv has no folds; give a splitter with at least one, and a list where an "
            "iterator would be used up by the first fit."
        )
    return folds


def _indices(part: Any, n_rows: int | None, who: str) -> NDArray[np.intp]:
    """Check the row numbers, or the mask, of one part of a fold."""
    rows = np.asarray(part)
    if rows.dtype == bool:
        if n_rows is not None and rows.shape != (n_rows,):
            raise ValueError(
                f"{who} has a mask of shape {rows.shape}, not ({n_rows},)."
            )
        return np.flatnonzero(rows)
    if rows.size and (rows.ndim != 1 or rows.dtype.kind not in "iu"):
        raise ValueError(
            f"{who} must list row numbers or be a mask; got {rows.dtype} of shape "
            f"{rows.shape}."
        )
    for row in (rows.min(initial=0), rows.max(initial=0)):
        if row < 0 or (n_rows is not None and row >= n_rows > 0):
            raise ValueError(f"{who} has row {row}, but the rows are 0 to {n_rows}-1.")
    return rows


def _print_recalled(where: str) -> None:
    print(f"[stackingnet] {where}: taken from the cache")


def _fit_once(
    place: CachedFit | None, *arguments: Any, where: str, verbose: int, **options: Any
) -> tuple[Fitted, str | None]:
    """Fit, unless another worker does so; also return why the fit is not cached."""
    fit = partial(_fit_and_predict, *arguments, where=where, verbose=verbose, **options)
    if place is None:
        return fit(), None
    result, recalled, problem = place.fit_once(fit)
    if recalled and verbose > 0:
        _print_recalled(where)
    return result, problem


def _fit_and_predict(
    name: str,
    estimator: Any,
    X: Any,
    y: Any,
    fold: Split | None,
    fit_params: dict[str, Any],
    *,
    answer: Answer,
    where: str,
    verbose: int,
    task: tuple[Any, Any] | None,
) -> Fitted:
    """Fit on all rows, or fit on the training rows of a fold and predict its others."""
    began = time.perf_counter()
    train = None if fold is None else fold[0]
    train_X, train_y = X, y
    if train is not None:
        train_X, train_y = take_rows(X, train), take_rows(y, train)
        fit_params = take_rows_of_params(X, fit_params, train)
    context, owner = task or (None, None)
    prediction = None
    try:
        with fit_task(context, owner, estimator, train_X, train_y):
            estimator.fit(train_X, train_y, **fit_params)
        if fold is not None:
            prediction = answer(name, estimator, take_rows(X, fold[1]))
    except Exception as error:
        # The traceback shows the member's code, but not which member it was.
        error.add_note(f"The error came from StackingNet's task: {where}.")
        raise
    if verbose > 0:
        seconds = time.perf_counter() - began
        print(
            f"[stackingnet] {where}: fitted on {len(train_y)} rows in {seconds:.1f} s"
        )
    # Only the predictions of the fit on a fold are used.
    return (estimator if fold is None else None), prediction
