"""Differences between groups in the errors of a combination and of its models."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import mean_absolute_error, zero_one_loss
from sklearn.utils import check_random_state

from stackingnet_sk._tables import as_frame
from stackingnet_sk.ensemble.validation import check_weights
from stackingnet_sk.inspection.group_errors import (
    ask_models,
    read_groups,
    read_predictions,
    row_errors,
)
from stackingnet_sk.inspection.resampling import (
    percentile_interval,
    resampled_sums,
    student_tail,
)

Array = NDArray[Any]


class Estimate(NamedTuple):
    """An estimate and its bootstrap interval, arrays of the same shape.

    Parameters
    ----------
    value : ndarray
        The estimate.
    low, high : ndarray
        Ends of its interval; NaN without resamples.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import Estimate
    >>> Estimate(np.array([0.2]), np.array([0.1]), np.array([0.4])).value
    array([0.2])
    """

    value: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class GroupDisparity:
    """Disparity between the groups of one grouping; models as in `Disparity.names`.

    Parameters
    ----------
    groups : ndarray of str of shape (n_groups,)
        Names of the groups.
    members : ndarray of int of shape (n_rows,)
        Index of each row's group.
    n_rows, small : ndarray of shape (n_groups,)
        Size of each group, and whether it is below `min_group_size`.
    error, signed_error : Estimate of shape (n_models, n_groups)
        For numbers, the mean of ``|prediction - label|`` and of ``prediction - label``.
        For classes, the rate of wrong predictions and, with two classes, by how much
        the second is predicted too often (NaN with more classes).
    worst_group_error, gap, variation : Estimate of shape (n_models,)
        Largest error; largest minus smallest error; standard deviation of the errors
        over the groups divided by their mean. NaN if a model never answers in a group.
    amplification, gap_difference : Estimate of shape (n_models,)
        Gap of the combination divided by that of each model, and minus it. Above one,
        or above zero, the combination amplifies the disparity.
    wasserstein : ndarray of shape (n_models,)
        Largest 1-Wasserstein distance between the errors of two groups.
    gap_by_chance, p_value : float
        Mean gap of the combination if its errors are assigned to the groups at random,
        and the share of such gaps that are at least as large as the observed one.

    Examples
    --------
    >>> from stackingnet_sk.inspection import disparity
    >>> group = ["old", "old", "young", "young"]
    >>> by_group = disparity([1.5, 2.5, 0.5, 0.5], [0] * 4, group).groupings["group"]
    >>> by_group.groups.tolist(), by_group.gap.value
    (['old', 'young'], array([1.5]))
    """

    groups: Array
    members: Array
    n_rows: Array
    small: Array
    error: Estimate
    signed_error: Estimate
    worst_group_error: Estimate
    gap: Estimate
    variation: Estimate
    amplification: Estimate
    gap_difference: Estimate
    wasserstein: Array
    gap_by_chance: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Disparity:
    """Errors of a combination, of its models and of their average, by group.

    Parameters
    ----------
    task : {"regression", "classification"}
        Whether errors are those of numbers or of classes.
    names : ndarray of str of shape (n_models,)
        "combination" and, if the models are given, "average" and their names.
    labels, predictions, weights : ndarray of shape (n_rows,)
        Labels, predictions of the combination, and weights of the audited rows.
    errors : ndarray of shape (n_rows, n_models)
        Error on each row; NaN if a model does not answer it.
    overall_error : ndarray of shape (n_models,)
        Mean over all rows. A small gap is no merit if every group has large errors.
    groupings : dict of str to GroupDisparity
        One for each column of groups and each crossing.

    Examples
    --------
    >>> from stackingnet_sk.inspection import disparity
    >>> models = [[1.5, 2.5], [2.5, 2.5], [0.5, 0.5], [0.5, -0.5]]
    >>> group = ["old", "old", "young", "young"]
    >>> found = disparity([1.5, 2.5, 0.5, 0.5], [0] * 4, group, models=models)
    >>> found.names.tolist(), found.overall_error
    (['combination', 'average', 'model_0', 'model_1'], array([1.25, 1.25, 1.25, 1.5 ]))
    """

    task: str
    names: Array
    labels: Array
    predictions: Array
    weights: Array
    errors: Array
    overall_error: Array
    groupings: dict[str, GroupDisparity]

    def to_frame(self) -> Any:
        """List every estimate, with one row per estimate.

        Returns
        -------
        pandas.DataFrame, or list of dict without pandas
            ``grouping``, ``model``, ``figure`` (an attribute of `GroupDisparity`),
            ``group`` (None for a figure over all), ``value``, ``low`` and ``high``.
        """
        keys = ("grouping", "model", "figure", "group", "value", "low", "high")
        rows = []
        for grouping, by_group in self.groupings.items():
            for figure, estimate in vars(by_group).items():
                if not isinstance(estimate, Estimate):
                    continue
                for index in np.ndindex(estimate.value.shape):
                    group = by_group.groups[index[1]] if len(index) == 2 else None
                    ends = (float(array[index]) for array in estimate)
                    rows.append((grouping, self.names[index[0]], figure, group, *ends))
        columns = map(list, zip(*rows, strict=True))
        return as_frame(dict(zip(keys, columns, strict=True)))

    def metric_frame(self, grouping: str) -> Any:
        """Compute the combination's error with fairlearn, where it is installed.

        Parameters
        ----------
        grouping : str
            One of `groupings`.

        Returns
        -------
        fairlearn.metrics.MetricFrame
        """
        try:
            fairlearn = import_module("fairlearn.metrics")
        except ImportError as error:
            raise ImportError("Run python -m pip install fairlearn first.") from error
        by_group = self.groupings[grouping]
        loss = mean_absolute_error if self.task == "regression" else zero_one_loss
        return fairlearn.MetricFrame(
            metrics={"error": loss},
            y_true=self.labels,
            y_pred=self.predictions,
            sensitive_features={grouping: by_group.groups[by_group.members]},
            sample_params={"error": {"sample_weight": self.weights}},
        )

    def __str__(self) -> str:
        """Return the combination's error by group, and its gap beside the average's."""
        lines, line = [], "  {}: {:.3g} [{:.3g}, {:.3g}]"
        for name, by_group in self.groupings.items():
            lines.append(f"{name} (rows, * small): error of the combination [interval]")
            for g, group in enumerate(by_group.groups):
                mark = "*" if by_group.small[g] else ""
                error = (array[0, g] for array in by_group.error)
                lines.append(
                    line.format(f"{group} ({by_group.n_rows[g]}{mark})", *error)
                )
            for m, model in enumerate(self.names[:2]):
                gap = (array[m] for array in by_group.gap)
                lines.append(line.format(f"gap of the {model}", *gap))
            by_chance = f"{by_group.gap_by_chance:.3g}, p = {by_group.p_value:.2g}"
            lines.append(f"  gap by chance: {by_chance}")
        return "\n".join(lines)


def disparity(
    estimator_or_predictions: Any,
    y: ArrayLike,
    sensitive_features: Any,
    *,
    X: Any = None,
    models: Any = None,
    task: str = "auto",
    crossings: bool = True,
    sample_weight: ArrayLike | None = None,
    min_group_size: int = 30,
    n_bootstrap: int = 1000,
    n_permutations: int = 200,
    confidence_level: float = 0.9,
    cv: Any = None,
    random_state: Any = None,
) -> Disparity:
    """Compare the errors of groups, and tell whether combining amplifies differences.

    The groups are only audited, and are not an input of a model. Errors are measured
    against the labels. If the labels are biased, as ratings by prejudiced raters are, a
    low disparity proves nothing. Nor does it show who is missing from the data, or what
    harm is done.

    Parameters
    ----------
    estimator_or_predictions : estimator or array-like of shape (n_samples,)
        Fitted `StackingNetRegressor` or `StackingNetClassifier`, or the predictions of
        a combination.
    y : array-like of shape (n_samples,)
        Labels. Rows without a label (NaN or None) or of weight zero are left out.
    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns), \
frame or dict of str to array-like
        Groups, one grouping per column. They are read as texts, without surrounding
        spaces.
    X : array-like, default=None
        With an estimator: what it predicts from. If members were fitted on this table,
        their out-of-fold predictions are audited, and so is what the weights of the
        estimator make of them; rows without any are left out, with a warning. On
        another table the fitted members predict.
    models : array-like or frame of shape (n_samples, n_models), default=None
        With predictions: those of two or more models; NaN or None if missing.
    task : {"auto", "regression", "classification"}, default="auto"
        With predictions: "auto" takes fractions as numbers, and texts, booleans and at
        most two whole numbers as classes. More whole numbers can be either, and need
        the task.
    crossings : bool, default=True
        Whether to cross every two columns, to a grouping ``"a x b"``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in means. They do not change the sizes of groups.
    min_group_size : int, default=30
        Number of rows below which a group is marked as small.
    n_bootstrap, n_permutations : int, default=1000, 200
        Number of resamples for the intervals, and of permutations for `gap_by_chance`;
        0 for none.
    confidence_level : float, default=0.9
        Level of the intervals.
    cv : int, splitter or iterable of splits, default=None
        With an estimator: fit members anew on the labelled rows of `X`, and audit their
        out-of-fold predictions there.
    random_state : int or RandomState, default=None
        Seed of resamples and permutations.

    Returns
    -------
    Disparity

    Raises
    ------
    NotFittedError or TypeError
        If the estimator is not fitted, or does not combine models.
    ValueError
        If a row has no group, a group fewer than two labelled rows, or there are fewer
        than two groups or models, or no labels.

    Notes
    -----
    Rows are resampled within their group, so that no group vanishes. The intervals do
    not contain what another fit would change. As in :func:`compare`, one row less than
    there are is drawn [1]_, and percentiles are taken further out if a model answers
    few rows [2]_; for figures over all groups, as if each group were as small as the
    smallest. A gap is a maximum minus a minimum. Noise alone makes it positive, the
    more the smaller the groups are, and its interval has the same bias. Compare it
    therefore with `gap_by_chance`.

    The errors of a model are those on the rows that it answers. The average of numbers
    is the mean of the models that answer a row. That of classes is their majority vote;
    if it is tied, its error is the share of the tied classes that are wrong.

    References
    ----------
    .. [1] Rao and Wu, "Resampling inference with complex survey data", JASA 83, 1988.
    .. [2] Hesterberg, "What teachers should know about the bootstrap", The American
       Statistician 69, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection.disparity import disparity
    >>> truth, group = np.zeros(4), ["old", "old", "young", "young"]
    >>> models = np.array([[1.5, 2.5], [2.5, 2.5], [0.5, 0.5], [0.5, -0.5]])
    >>> found = disparity(models[:, 0], truth, group, models=models)
    >>> found.groupings["group"].error.value[0]
    array([2. , 0.5])
    """
    if min(n_bootstrap, n_permutations) < 0 or not 0 < confidence_level < 1:
        raise ValueError(
            f"{n_bootstrap=} and {n_permutations=} must not be negative (0 for none), "
            f"and {confidence_level=} must be between 0 and 1, such as 0.9."
        )
    seeds = check_random_state(random_state).randint(2**31, size=4)
    random = np.random.default_rng(seeds)
    is_estimator = hasattr(estimator_or_predictions, "predict")
    if is_estimator == (X is None) or (is_estimator and models is not None):
        raise ValueError("Give X= with an estimator, or models= with predictions.")
    if cv is not None and not is_estimator:
        raise ValueError("cv= fits the members of an estimator; predictions have none.")
    if is_estimator:
        names, table, classes = ask_models(estimator_or_predictions, X, y, cv)
    else:
        names, table, classes = read_predictions(
            estimator_or_predictions, y, models, task
        )
    weights = check_weights(sample_weight, table[:, 0])
    weights = np.ones(len(table)) if weights is None else weights
    rows = ~np.isnan(table[:, 0]) & (weights > 0)
    if not rows.any():
        raise ValueError("No row of y has a label and a weight; label at least one.")
    columns = read_groups(sensitive_features, rows, crossings)
    table, weights = table[rows], weights[rows]
    errors, signed = row_errors(table, classes)
    both, weighted = np.hstack([errors, signed]), errors[:, 0] * weights
    groupings = {}
    for name, (groups, members) in columns.items():
        figures = _figures(_means(both, weights, members, n_bootstrap, random))
        shuffles = (random.permutation(members) for _ in range(n_permutations))
        means = [np.bincount(g, weighted) / np.bincount(g, weights) for g in shuffles]
        gaps = np.ptp(np.reshape(means, (-1, len(groups))), axis=1)
        # Equal gaps may differ by rounding.
        as_large = gaps >= figures["gap"][0, 0] * (1 - 1e-9)
        n_rows = np.bincount(members)
        groupings[name] = GroupDisparity(
            groups=groups,
            members=members,
            n_rows=n_rows,
            small=n_rows < min_group_size,
            **_estimates(figures, errors, members, confidence_level),
            wasserstein=np.array([_distance(e, weights, members) for e in errors.T]),
            gap_by_chance=gaps.mean() if n_permutations else np.nan,
            p_value=(1 + as_large.sum()) / (1 + n_permutations)
            if n_permutations
            else np.nan,
        )
    overall = _means(errors, weights, np.zeros(len(errors), dtype=int))[0, :, 0]
    names = ["combination", "average", *names] if len(names) else ["combination"]
    names = np.array(names, dtype=object)
    task, pairs = "regression", table[:, :2]
    if classes is not None:
        task, pairs = "classification", classes[pairs.astype(int)]
    truth, predictions = pairs.T
    return Disparity(
        task, names, truth, predictions, weights, errors, overall, groupings
    )


def _means(
    table: Array, weights: Array, members: Array, n_draws: int = 0, random: Any = None
) -> Array:
    """Mean of each column in each group, of shape (1 + n_draws, n_columns, n_groups).

    The first entry is the mean of the group's rows; the others are of resamples.
    """
    answered = ~np.isnan(table)
    terms = np.hstack([np.where(answered, table, 0.0), answered]) * weights[:, None]
    totals = []
    for group in range(members.max() + 1):
        rows = terms[members == group]
        total = rows.sum(axis=0, keepdims=True)
        if n_draws:
            total = np.vstack([total, resampled_sums(random, rows, n_draws)])
        totals.append(total)
    sums, weight = np.split(np.stack(totals, axis=2), 2, axis=1)
    with np.errstate(invalid="ignore"):
        means: Array = sums / weight
    return means


def _figures(means: Array) -> dict[str, Array]:
    """Compute the fields of `GroupDisparity` that are estimated from means.

    `means` are those of errors and signed errors; groups are the last axis.
    """
    error, signed = np.split(means, 2, axis=1)
    worst, mean = error.max(axis=-1), error.mean(axis=-1)
    gap = worst - error.min(axis=-1)
    combination = gap[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "error": error,
            "signed_error": signed,
            "worst_group_error": worst,
            "gap": gap,
            "variation": np.where(mean == 0, 0.0, error.std(axis=-1) / mean),
            "amplification": combination / gap,
            "gap_difference": combination - gap,
        }


def _estimates(
    figures: dict[str, Array], errors: Array, members: Array, confidence_level: float
) -> dict[str, Any]:
    """Compute the interval of each figure from its resamples.

    The first entry of a figure is the estimate, and the others are the resamples. A
    figure over all groups counts as estimated from the rows of the smallest group.
    """
    n_answered = np.array(
        [np.bincount(members, ~np.isnan(column)) for column in errors.T]
    )
    by_group = student_tail(confidence_level, n_answered)
    over_all = by_group.min(axis=1)
    estimates = {}
    for key, (value, *_) in figures.items():
        tail = by_group if value.ndim == 2 else over_all
        interval = percentile_interval(value, figures[key][1:], tail)
        estimates[key] = Estimate(value, *interval)
    return estimates


def _distance(errors: Array, weights: Array, members: Array) -> float:
    """Largest 1-Wasserstein distance between two groups; NaN if one has no errors."""
    order = np.argsort(errors)[: np.count_nonzero(~np.isnan(errors))]
    mass = np.eye(members.max() + 1)[members[order]] * weights[order, None]
    if not mass.any(axis=0).all():
        return np.nan
    shares = np.cumsum(mass, axis=0)[:-1] / mass.sum(axis=0)
    steps = np.diff(errors[order])
    return max(float(np.abs(a - b) @ steps) for a, b in combinations(shares.T, 2))
