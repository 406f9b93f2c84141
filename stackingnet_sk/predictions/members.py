"""Members: models that are fitted here, or were before, and make a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import PredefinedSplit, check_cv
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from stackingnet_sk._compat import (
    begin_fit,
    count_rows,
    raise_for_params,
    routing_enabled,
    take_rows,
    take_rows_of_params,
)
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.predictions.answers import NUMBER, Answer, ClassAnswer
from stackingnet_sk.predictions.out_of_fold import (
    OutOfFold,
    Split,
    check_splits,
    collect_out_of_fold,
    task_names,
)

Members = Sequence[tuple[str, Any]]


def is_prefit(cv: Any) -> bool:
    """Tell whether members are fitted already."""
    return isinstance(cv, str) and cv == "prefit"


def has_row_numbers(cv: Any) -> bool:
    """Tell whether splits are written down as row numbers of one particular table."""
    return isinstance(cv, PredefinedSplit) or (
        isinstance(cv, Iterable) and not hasattr(cv, "split")
    )


def are_pairs(estimators: Any) -> bool:
    """Tell whether this is a list of (name, estimator) pairs."""
    return isinstance(estimators, list) and all(
        isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str)
        for item in estimators
    )


def members_in_use(estimators: Members, cv: Any, *, classifies: bool) -> Members:
    """List the members, (name, estimator), that are not dropped.

    A ValueError is raised if there is none, if one cannot fit or predict or is not of
    the kind that is combined, or if `cv` is a text other than "prefit".
    """
    members = [item for item in estimators if not _is_dropped(item[1])]
    if not members:
        raise ValueError(
            "estimators has no member in use; give at least one that is not 'drop'."
        )
    needed = ("predict",) if is_prefit(cv) else ("fit", "predict")
    for name, member in members:
        who = f"Member {name!r} ({type(member).__name__})"
        for method in needed:
            if isinstance(member, type) or not hasattr(member, method):
                raise ValueError(
                    f"{who} has no {method}; give an estimator instance that can "
                    f"{' and '.join(needed)}, or set it to 'drop'."
                )
        tagged = hasattr(member, "__sklearn_tags__")
        if tagged and is_classifier(member) and not classifies:
            raise ValueError(f"{who} is a classifier; a regressor combines regressors.")
    if isinstance(cv, str) and not is_prefit(cv):
        raise ValueError(
            f"cv={cv!r} is unknown; give a number of folds, a splitter, an "
            "iterable of splits, or 'prefit'."
        )
    return members


def _is_dropped(member: Any) -> bool:
    return isinstance(member, str) and member == "drop"


def check_fitted(members: Members) -> None:
    """Raise NotFittedError, with the name, if a member with a `fit` is not fitted."""
    for name, member in members:
        if not hasattr(member, "fit"):
            continue
        try:
            check_is_fitted(member)
        except NotFittedError as error:
            raise NotFittedError(
                f"Member {name!r}, with cv='prefit': {error}"
            ) from None


class Metadata(NamedTuple):
    """What members (`fit`, by name) and the splitter receive besides X and y."""

    fit: Mapping[str, dict[str, Any]] = {}
    split: Mapping[str, Any] = {}


def route_metadata(
    owner: Any,
    members: Members,
    sample_weight: NDArray[np.float64] | None,
    groups: Any,
    params: dict[str, Any],
) -> Metadata:
    """Decide what the `fit` of each member and the splitter receive.

    `owner` is the estimator with the parameter `cv` whose `fit` received weights,
    groups and `params`. A TypeError is raised if a member does not take the sample
    weights, or if nobody asks for other metadata.
    """
    given = {"sample_weight": sample_weight, "groups": groups}
    given = {key: value for key, value in given.items() if value is not None}
    if routing_enabled():
        routed = process_routing(owner, "fit", **given, **params)
        splits = hasattr(owner.cv, "split") and not isinstance(owner.cv, str)
        fit = {} if is_prefit(owner.cv) else {n: routed[n].fit for n, _ in members}
        return Metadata(fit, routed["cv"].split if splits else {})
    raise_for_params(params, owner, "fit")
    weighted = {k: v for k, v in given.items() if k == "sample_weight"}
    if weighted and not is_prefit(owner.cv):
        for name, member in members:
            if not (
                isinstance(member, FrozenEstimator)
                or has_fit_parameter(member, "sample_weight")
            ):
                raise TypeError(
                    f"Member {name!r} ({type(member).__name__}) does not support "
                    "sample weights. To weight the combiner and the other members, "
                    "enable metadata routing with "
                    "sklearn.set_config(enable_metadata_routing=True) and call "
                    "set_fit_request(sample_weight=True) on each member, or step "
                    "of a pipeline, that is to have them."
                )
    split = {k: v for k, v in given.items() if k == "groups"}
    return Metadata({name: weighted for name, _ in members}, split)


def restrict_splits(
    splits: Iterable[Split], rows: NDArray[np.intp], n_rows: int
) -> list[Split]:
    """Restrict splits of a table of `n_rows` rows to `rows`, which are numbered anew.

    A part whose rows are all left out is empty.
    """
    place = np.full(n_rows, -1)
    place[rows] = np.arange(len(rows))
    folds = check_splits(splits, n_rows)
    placed = [[place[part] for part in fold] for fold in folds]
    return [(train[train >= 0], test[test >= 0]) for train, test in placed]


def cross_predict(
    members: Members,
    X: Any,
    y: NDArray[Any],
    *,
    cv: Any = None,
    labelled: NDArray[np.bool_] | None = None,
    answer: Answer = NUMBER,
    metadata: Metadata | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    owner: Any = None,
) -> OutOfFold:
    """Fit members on the labelled rows, and predict these rows out of fold.

    `members` are names and unfitted estimators, which are cloned. `labelled` tells
    which rows have a label, None if all have one; entries of `y` on other rows are not
    used. `cv` splits the labelled rows, None in 5 folds, stratified if answers are
    classes. Splits that are lists of row numbers are splits of all rows, and are
    restricted to the labelled ones. `metadata` with one entry per row of X is cut to
    the rows of each fit. `owner` is the estimator whose callbacks are told of the fits.
    Other options are those of :func:`collect_out_of_fold`.

    The `rows` of the result are rows of X, ascending. A ValueError is raised if a fold
    has no rows to train on or to predict, or a member's answer is invalid.
    """
    fit, split = metadata or Metadata()
    if labelled is None:
        labelled = np.ones(len(y), dtype=bool)
    rows, part_X, part_y = labelled.nonzero()[0], X, y
    if len(rows) < len(y):
        part_X, part_y = take_rows(X, rows), y[rows]
        fit = {name: take_rows_of_params(X, given, rows) for name, given in fit.items()}
        split = take_rows_of_params(X, split, rows)
    splitter = check_cv(cv, part_y, classifier=isinstance(answer, ClassAnswer))
    if has_row_numbers(cv):
        folds = restrict_splits(splitter.split(X, y), rows, len(y))
    else:
        folds = splitter.split(part_X, part_y, **split)
    folds = check_splits(folds, len(part_y))
    tasks = None
    if owner is not None:
        tasks = begin_fit(owner, task_names(members, len(folds)), X, y)
    collected = collect_out_of_fold(
        members,
        part_X,
        part_y,
        folds,
        {name: fit.get(name, {}) for name, _ in members},
        answer=answer,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
        tasks=tasks,
        owner=owner,
    )
    return replace(collected, rows=rows[collected.rows]).in_order()


@dataclass(frozen=True, eq=False)
class FittedMembers:
    """Members that can be asked for a table."""

    names: Sequence[str]
    estimators: Sequence[Any]
    answer: Answer = NUMBER

    def ask(
        self, X: Any, which: Iterable[int] | None = None, *, n_jobs: int | None = None
    ) -> NDArray[np.float64]:
        """Let the members of the indices `which`, or all, predict the rows of X.

        The result has shape (n_samples, n_models) or (n_samples, n_models, n_classes),
        with zeros for members that are not asked.
        """
        shape = count_rows(X), len(self.estimators), *self.answer.shape
        table = np.zeros(shape)
        # Estimators refuse tables without rows.
        members = (
            list(range(shape[1]) if which is None else which) if len(table) else []
        )
        columns = Parallel(n_jobs=n_jobs)(
            delayed(self.answer)(self.names[j], self.estimators[j], X) for j in members
        )
        for j, column in zip(members, columns, strict=True):
            table[:, j] = column
        return table

    def predict_unseen(
        self, X: Any, trained: NDArray[np.intp], out_of_fold: OutOfFold
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Predict every row by fits that have not seen it.

        `trained` are the rows of X that the members were fitted on, and `out_of_fold`
        has predictions of these rows; if a row has several, the first counts. Returns
        rows of X, ascending, and their table. A warning tells if rows are left out,
        because members were fitted on them and there is no prediction out of fold.
        """
        once = out_of_fold.once()
        if left_out := len(trained) - len(once.rows):
            warn_user(
                f"{left_out} of {count_rows(X)} rows are not used: members were fitted "
                "on them, and the splitter did not predict them out of fold. Use a "
                "splitter that predicts every row."
            )
        others = np.setdiff1d(np.arange(count_rows(X)), trained)
        if not others.size:
            return once.rows, once.table
        table = np.concatenate([once.table, self.ask(take_rows(X, others))])
        rows = np.concatenate([once.rows, others])
        order = np.argsort(rows)
        return rows[order], table[order]
