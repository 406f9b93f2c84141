"""Who is better than whom, as far as the rows can tell."""

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
from stackingnet_sk.inspection.resampling import number_replicates, vote_replicates

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Ranking:
    """Models with their reliability and what is known of it, the best first.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    reliability : ndarray of shape (n_models,)
        Squared correlation with the truth (signed) or balanced accuracy, as the
        estimator's `reliability_` on these rows.
    low, high : ndarray of shape (n_models,)
        Its interval, for each model alone.
    rank_low, rank_high : ndarray of int of shape (n_models,)
        Ranks that hold for all models together; 1 is the best.
    probability_best : ndarray of shape (n_models,)
        Share of the replicates in which the model is the best.
    group : list of str
        Models that share a letter can't be told apart.
    better : ndarray of bool of shape (n_models, n_models)
        Whether the model of the row is surely more reliable than that of the column.
    quality : ndarray of shape (n_models,)
        Of the model alone, on labelled rows: root mean squared error, in the units of
        the labels, or balanced accuracy. NaN without labels.
    bias : ndarray of shape (n_models,)
        Mean of prediction minus label; NaN for classes.
    answered : ndarray of shape (n_models,)
        Share of rows that the model answers.
    drop_one : ndarray of shape (n_models,)
        By how much the expected error of the combination rises if it is refitted
        without the model, in units of `unit`; below zero where it is better off
        without, infinity if no weights of the other models fulfil all constraints. NaN
        like `error`.
    weight : ndarray of shape (n_models,)
        The estimator's `weights_`.
    against : list of str
        Evidence that a model misleads; empty where there is none.
    chance : float
        Reliability of a model that knows nothing.
    agreement : float
        Share of the reliability that rests on the agreement of the models, not on
        labels.
    error : float
        Expected error of the combination of all models. NaN without labels, and under
        constraints on groups, such as `bounded_disparity`: these rows come without.
    unit : str
        What `error` and `drop_one` are.
    is_number : bool
        Whether predictions are numbers, not classes.
    n_labelled, n_rows : int
        Rows with a label, and all.
    confidence_level : float
        That of the intervals.

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
        """Whether labels make up less than half of the reliability."""
        return self.agreement > 0.5

    def columns(self) -> dict[str, list[Any]]:
        """List the columns of the table, a value a model.

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
            "group": np.array(self.group, dtype=object),
            quality: self.quality,
            "bias": self.bias,
            "answered": self.answered,
            "drop_one": self.drop_one,
            "weight": self.weight,
            "against": np.array(self.against, dtype=object),
        }
        if not self.is_number:
            del columns["bias"]
        return {name: column.tolist() for name, column in columns.items()}

    def to_frame(self) -> Any:
        """Make a table, one row per model.

        Returns
        -------
        pandas.DataFrame or list of dict
            A frame where pandas is installed.
        """
        return as_frame(self.columns())

    def __str__(self) -> str:
        """Return a table, one line per model, and how to read it."""
        names = [str(name) for name in self.model_names]
        quality = "rmse" if self.is_number else "bal. acc."
        level = f"{100 * self.confidence_level:.0f} %"
        heads = ("model", "reliability", f"{level} interval", "ranks", "best", "group")
        rows = [(*heads, quality, "drop-one", "weight")]
        for m, name in enumerate(names):
            rows.append(
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
            )
        lines = text_table(rows)
        for name, against in zip(names, self.against, strict=True):
            if against:
                lines.append(f"! {name}: {against}")
        lines.append(
            f"{self.n_labelled} of {self.n_rows} rows have a label. Ranks hold for all "
            "models together;"
        )
        if self.mostly_agreement:
            lines.append(
                f"but {self.agreement:.0%} of the reliability is agreement: models that"
            )
            lines.append("err together look reliable, and none of it is sure of them;")
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
    r"""Rank the models of a fitted estimator, and say what of it is sure.

    Rows are drawn anew `n_bootstrap` times, by weights on second moments or on counted
    votes: labelled rows (of each class) and others apart, so that no class vanishes.
    What the agreement of the models says counts in `reliability_` as 20 labelled rows
    (numbers) or 100 (votes); in each replicate it is as uncertain as so many rows are,
    for sampling is not what it is doubtful for.

    Ranks come from pairwise differences judged together: a model's rank is at least one
    more than the number of models that are surely better, with `confidence_level` that
    no judgement is wrong. Percentiles of bootstrapped ranks would be shorter and, near
    ties, wrong.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    X : array-like
        What `estimator` predicts from. If members were fitted on this table, their
        predictions out of fold are ranked; rows without any are left out, with a
        warning. On another table they predict as they are.
    y : array-like of shape (n_samples,), default=None
        Labels; NaN or None on rows without. None: agreement is all there is.
    n_bootstrap : int, default=1000
        Number of replicates.
    confidence_level : float, default=0.9
        Of the intervals.
    drop_one : bool, default=True
        Whether to refit the combination without each model, which takes longer than
        all replicates where there are very many distinct rows of votes.
    cv : int, splitter or iterable of splits, default=None
        Fit members anew on the labelled rows of `X`, and rank what they predict out of
        fold.
    random_state : int, Generator or None, default=None
        Source of the draws.

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

    Missing predictions of numbers are imputed once, from all rows, as in `fit`; a model
    that answers few rows is doubted as much as a correlation on so many rows is.

    Errors are those under the constraints of the user. Limits on groups need to know
    the groups, which `fit` is told: :func:`prune` and :func:`next_model` then say what
    each combination is expected to lose.

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
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    high = np.maximum(high, values)
    against = evidence.against()
    for m in np.flatnonzero(below(high, evidence.chance)):
        against[m].append(
            f"reliability at most {high[m]:.3g}, below chance ({evidence.chance:.3g})"
        )
    quality, bias = evidence.quality()
    everybody = np.ones(len(values), dtype=bool)
    error = evidence.error(everybody.nonzero()[0])
    changes = np.full(len(values), np.nan)
    if drop_one:
        changes = marginal_changes(evidence, everybody, error)
    order = np.lexsort((evidence.names.astype(str), -values))
    letters = groups(order, better)
    return Ranking(
        model_names=evidence.names[order],
        reliability=values[order],
        # An interval contains its estimate, although the replicates may be shifted.
        low=np.minimum(low, values)[order],
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

    A model that never answers is at chance, but its mean of equal numbers is rounded.
    """
    return high < chance - _ROUNDING


def check_draws(n_bootstrap: int, confidence_level: float) -> None:
    """Raise a ValueError unless there are two replicates and a level in (0, 1)."""
    if not isinstance(n_bootstrap, Integral) or n_bootstrap < 2:
        raise ValueError(
            f"n_bootstrap={n_bootstrap!r} must be a whole number, at least 2."
        )
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level={confidence_level!r} must be between 0 and 1, such as "
            "0.9."
        )
