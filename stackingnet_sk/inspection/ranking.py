"""Models ranked by reliability, with simultaneous confidence intervals of the ranks."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.inspection.evidence import (
    NumberEvidence,
    evidence_of_rows,
    marginal_changes,
)
from stackingnet_sk.inspection.rank_intervals import (
    different_pairs,
    groups,
    probability_best,
    simultaneous_ranks,
)
from stackingnet_sk.inspection.resampling import (
    number_replicates,
    percentile_interval,
    vote_replicates,
)

# Distance below chance up to which a reliability counts as rounded.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Ranking:
    """Models with their reliability and its intervals, the best first.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    reliability : ndarray of shape (n_models,)
        Signed squared correlation with the truth, or balanced accuracy: what
        `reliability_` of the estimator would be on these rows.
    low, high : ndarray of shape (n_models,)
        Confidence interval of the reliability, for each model alone.
    rank_low, rank_high : ndarray of int of shape (n_models,)
        Confidence interval of the rank, for all models together; rank 1 is the best.
    probability_best : ndarray of shape (n_models,)
        Share of the replicates in which the model is the best.
    group : list of str
        Letters. Models that share a letter do not differ significantly.
    better : ndarray of bool of shape (n_models, n_models)
        Whether the model of the row is surely more reliable than that of the column.
    quality : ndarray of shape (n_models,)
        Root mean squared error of the model, in the units of the labels, or its
        balanced accuracy, on the labelled rows. NaN without labels.
    bias : ndarray of shape (n_models,)
        Mean of prediction minus label; NaN for classes.
    answered : ndarray of shape (n_models,)
        Share of rows that the model answers.
    drop_one : ndarray of shape (n_models,)
        Rise of the combination's expected error if it is refitted without the model, in
        units of `unit`. It is negative if the combination is better without the model,
        infinite if no weights of the other models fulfil all constraints, and NaN
        where `error` is.
    weight : ndarray of shape (n_models,)
        The estimator's `weights_`.
    against : list of str
        Evidence that a model misleads; empty if there is none.
    chance : float
        Reliability of a model that predicts at random.
    agreement : float
        Share of the reliability that is estimated from the agreement of the models, not
        from labels.
    error : float
        Expected error of the combination of all models. NaN without labels, and with
        constraints that compare groups, such as `bounded_disparity`, because the groups
        of these rows are unknown.
    unit : str
        What `error` and `drop_one` are.
    is_number : bool
        Whether predictions are numbers, not classes.
    n_labelled, n_rows : int
        Number of rows with a label, and of all rows.
    confidence_level : float
        Level of the intervals.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import rank_models
    >>> judges = make_experts(300, 3, accuracy=[0.9, 0.9, 0.4], random_state=0)
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> ranking = rank_models(model, judges.X, judges.y, random_state=0)
    >>> ranking.group, ranking.rank_low.tolist(), ranking.against
    (['a', 'a', 'b'], [1, 1, 3], ['', '', ''])
    """

    model_names: NDArray[Any]
    reliability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rank_low: NDArray[np.intp]
    rank_high: NDArray[np.intp]
    probability_best: NDArray[np.float64]
    group: list[str]
    better: NDArray[np.bool_]
    quality: NDArray[np.float64]
    bias: NDArray[np.float64]
    answered: NDArray[np.float64]
    drop_one: NDArray[np.float64]
    weight: NDArray[np.float64]
    against: list[str]
    chance: float
    agreement: float
    error: float
    unit: str
    is_number: bool
    n_labelled: int
    n_rows: int
    confidence_level: float

    @property
    def below_chance(self) -> NDArray[np.bool_]:
        """Whether the model surely misleads: its interval is wholly below chance."""
        return below(self.high, self.chance)

    @property
    def mostly_agreement(self) -> bool:
        """Whether more than half of the reliability is estimated from agreement."""
        return self.agreement > 0.5

    def columns(self) -> dict[str, list[Any]]:
        """List the columns of the table, with one value per model.

        Returns
        -------
        dict of str to list
        """
        quality = "rmse" if self.is_number else "balanced_accuracy"
        columns = {
            "model": self.model_names,
            "reliability": self.reliability,
            "low": self.low,
            "high": self.high,
            "rank_low": self.rank_low,
            "rank_high": self.rank_high,
            "probability_best": self.probability_best,
            "group": self.group,
            quality: self.quality,
            "bias": self.bias,
            "answered": self.answered,
            "drop_one": self.drop_one,
            "weight": self.weight,
            "against": self.against,
        }
        if not self.is_number:
            del columns["bias"]
        return {name: np.asarray(column).tolist() for name, column in columns.items()}

    def to_frame(self) -> Any:
        """Make a table, one row per model.

        Returns
        -------
        pandas.DataFrame or list of dict
            A frame where pandas is installed.
        """
        return as_frame(self.columns())

    def __str__(self) -> str:
        """Return a table with one line per model, and how to read it."""
        names = [str(name) for name in self.model_names]
        quality = "rmse" if self.is_number else "bal. acc."
        level = f"{100 * self.confidence_level:.0f} %"
        heads = ("model", "reliability", f"{level} interval", "ranks", "best", "group")
        rows = [
            (
                name[:30],
                f"{self.reliability[m]:.3f}",
                f"[{self.low[m]:.3f}, {self.high[m]:.3f}]",
                f"{self.rank_low[m]}-{self.rank_high[m]}",
                f"{self.probability_best[m]:.2f}",
                self.group[m],
                f"{self.quality[m]:.4g}",
                f"{self.drop_one[m]:+.2g}",
                f"{self.weight[m]:.3f}",
            )
            for m, name in enumerate(names)
        ]
        lines = text_table([(*heads, quality, "drop-one", "weight"), *rows])
        lines += [
            f"! {name}: {against}"
            for name, against in zip(names, self.against, strict=True)
            if against
        ]
        lines.append(
            f"{self.n_labelled} of {self.n_rows} rows have a label. Ranks hold for all "
            "models together;"
        )
        if self.mostly_agreement:
            lines.append(
                f"but {self.agreement:.0%} of the reliability is agreement: models that"
            )
            lines.append("err together look reliable, and their ranks are not certain;")
        lines.append(
            "models that share a letter can't be told apart. drop-one: change of the"
        )
        with_all = f", {self.error:.4g} with all" if np.isfinite(self.error) else ""
        lines.append(f"combination's expected {self.unit}{with_all}.")
        return "\n".join(lines)


def rank_models(
    estimator: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.9,
    drop_one: bool = True,
    cv: Any = None,
    random_state: Any = None,
) -> Ranking:
    """Rank the models of a fitted estimator, with confidence intervals of the ranks.

    The rows are resampled `n_bootstrap` times, by weights on second moments or on
    counted votes. Labelled rows (of each class) and other rows are drawn separately, so
    that no class vanishes. In `reliability_`, the agreement of the models counts as
    much as 20 labelled rows (numbers) or 100 (votes). In each replicate it is given the
    uncertainty of so many rows, because sampling is not the main reason to doubt it.

    Ranks come from pairwise differences that are tested together: the lowest rank of a
    model is one more than the number of models that are surely better, and with
    `confidence_level` no decision is wrong. Percentiles of bootstrapped ranks would be
    shorter and, near ties, wrong.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    X : array-like
        What `estimator` predicts from. If members were fitted on this table, they are
        ranked by their out-of-fold predictions, and rows without any are left out, with
        a warning. On another table the fitted members predict.
    y : array-like of shape (n_samples,), default=None
        Labels, NaN or None where missing. Without y, only agreement is used.
    n_bootstrap : int, default=1000
        Number of replicates.
    confidence_level : float, default=0.9
        Level of the intervals.
    drop_one : bool, default=True
        Whether to refit the combination without each model. With very many distinct
        rows of votes this takes longer than all replicates.
    cv : int, splitter or iterable of splits, default=None
        Fit members anew on the labelled rows of `X`, and rank them by their out-of-fold
        predictions there.
    random_state : int, Generator or None, default=None
        Seed of the replicates.

    Returns
    -------
    Ranking
        The best first; models of equal reliability in order of their names.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If there are fewer than two models, `n_bootstrap` is below 2 or
        `confidence_level` is not between 0 and 1, `cv` is given without members to
        fit, or predictions or labels cannot be used.

    Notes
    -----
    Probabilities count as votes for the most probable class.

    Missing predictions of numbers are imputed once, from all rows, as in `fit`. The
    reliability of a model that answers few rows is as uncertain as a correlation on so
    many rows.

    Errors are those under the constraints of the user. Constraints that compare groups
    need the groups, which only `fit` receives; then use :func:`prune` and
    :func:`next_model` for the expected error of each combination.

    References
    ----------
    .. [1] Romano and Wolf, "Exact and approximate stepdown methods for multiple
       hypothesis testing", JASA 100, 2005.
    .. [2] Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with applications
       to mobility across neighbourhoods and academic achievement across countries",
       Review of Economic Studies 91, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import rank_models
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.3, 0.3, 2.0]
    >>> model = StackingNetRegressor().fit(judges, truth)
    >>> ranking = rank_models(model, judges, truth, random_state=0)
    >>> ranking.rank_low.tolist(), ranking.rank_high.tolist(), ranking.group
    ([1, 1, 3], [2, 2, 3], ['a', 'a', 'b'])
    """
    check_draws(n_bootstrap, confidence_level)
    answers = ModelAnswers.of(estimator, X, y, cv=cv)
    evidence = evidence_of_rows(estimator, answers)
    random = np.random.default_rng(random_state)
    values = evidence.reliability
    if isinstance(evidence, NumberEvidence):
        draws = number_replicates(
            answers, evidence.combiner.moments, random, n_bootstrap
        )
    else:
        draws = vote_replicates(evidence.counts, random, n_bootstrap)
    better = different_pairs(values, draws, confidence_level)
    rank_low, rank_high = simultaneous_ranks(better)
    tail = (1.0 - confidence_level) / 2.0
    low, high = percentile_interval(values, draws, tail)
    against = evidence.against()
    for m in np.flatnonzero(below(high, evidence.chance)):
        against[m].append(
            f"reliability at most {high[m]:.3g}, below chance ({evidence.chance:.3g})"
        )
    quality, bias = evidence.quality()
    error = evidence.error(np.arange(len(values)))
    changes = np.full(len(values), np.nan)
    if drop_one:
        changes = marginal_changes(evidence, np.ones(len(values), dtype=bool), error)
    order = np.lexsort((evidence.names.astype(str), -values))
    letters = groups(order, better)
    return Ranking(
        model_names=evidence.names[order],
        reliability=values[order],
        low=low[order],
        high=high[order],
        rank_low=rank_low[order],
        rank_high=rank_high[order],
        probability_best=probability_best(draws)[order],
        group=[letters[m] for m in order],
        better=better[np.ix_(order, order)],
        quality=quality[order],
        bias=bias[order],
        answered=evidence.answered[order],
        drop_one=changes[order],
        weight=np.asarray(estimator.weights_)[order],
        against=["; ".join(against[m]) for m in order],
        chance=evidence.chance,
        agreement=evidence.agreement,
        error=error,
        unit=evidence.unit,
        is_number=answers.classes is None,
        n_labelled=int(answers.labelled.sum()),
        n_rows=len(answers.labels),
        confidence_level=confidence_level,
    )


def below(high: NDArray[np.float64], chance: float) -> NDArray[np.bool_]:
    """Tell which upper ends of intervals are below chance by more than rounding.

    The reliability of a model that never answers is a mean of recalls that are all at
    chance, and rounding can put it below.
    """
    return high < chance - _ROUNDING


def check_draws(n_bootstrap: int, confidence_level: float) -> None:
    """Raise a ValueError unless there are two replicates or more and 0 < level < 1."""
    if not isinstance(n_bootstrap, Integral) or n_bootstrap < 2:
        raise ValueError(
            f"n_bootstrap={n_bootstrap!r} must be a whole number, at least 2."
        )
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level={confidence_level!r} must be between 0 and 1, such as "
            "0.9."
        )
