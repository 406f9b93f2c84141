"""Which models err together, and how many independent ones they amount to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from scipy.stats import t as student_t

from stackingnet_sk._tables import as_frame
from stackingnet_sk.evidence import PairSums, VoteCounts, error_correlation
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.theory import effective_number
from stackingnet_sk.weights import estimate_voters

Array = NDArray[Any]

# Smallest error correlation within a family. With labels, values from 0.45 to 0.55 find
# families that were planted in panels whose models all correlate by 0.3. Without labels
# it is smaller, because agreement takes a part of the common errors for the truth.
_WITH_LABELS, _WITHOUT_LABELS = 0.5, 0.25
# Number of standard errors of Fisher's transform (which needs four rows) that the
# largest of about a hundred correlations does not exceed by chance.
_NOISE, _FEWEST_ROWS = 3.5, 4
# Number of groups of rows that the jackknife leaves out. The widths of intervals are
# within 2 %, or 7 % with the smaller number, which is used if the sums for many models
# would fill the memory.
_GROUPS, _FEWEST_GROUPS, _ELEMENTS = 1000, 100, 10_000_000
# Values that vary by less than this share of their terms vary by rounding only.
_CONSTANT = 1e-13
# Smallest error variance of a model, as a share of the median of all models. Agreement
# can take a model for nearly perfect, and the correlations of its errors would then be
# noise divided by zero.
_LEAST_ERROR = 0.05
_ROUNDING = 1e-12


@dataclass(frozen=True)
class EffectiveModels:
    """Independent models of which the plain average would be as good.

    Parameters
    ----------
    number : float
        ``M / (1 + (M - 1) rho)``, ``rho`` the mean correlation of errors: above ``M``
        where errors cancel, NaN if no two models have a correlation.
    low, high : float
        Its confidence interval over the rows.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor, datasets
    >>> from stackingnet_sk.inspection import effective_models
    >>> judges = datasets.make_experts(500, 4, correlation=0.5, random_state=0)
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> print(effective_models(model, judges.X, judges.y))
    1.59 [1.52, 1.66]
    """

    number: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the number and its interval."""
        return f"{self.number:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, eq=False)
class Dependence:
    """Which models err together.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    correlation : ndarray of shape (n_models, n_models)
        Correlation of errors; NaN for models that never err (with labels) or never
        vary (without), and for two that never answer the same row, or fewer than four
        of the same rows with numbers.
    labelled : bool
        Whether errors are measured against labels.
    n_rows : int
        Rows that it is from.
    effective : EffectiveModels
        Effective number of models; without labels in general too large.
    families : ndarray of int of shape (n_models,)
        Family of each model, numbered in order of appearance.
    threshold : float
        Least correlation in a family.
    linkage : ndarray of shape (n_models - 1, 4)
        Tree behind the families, as :func:`scipy.cluster.hierarchy.dendrogram` takes.
    order : ndarray of int of shape (n_models,)
        Its leaves: models that err together side by side.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import dependence
    >>> judges = make_experts(
    ...     500, 4, correlation=0.8, families=[0, 0, 0, 1], random_state=0
    ... )
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> dependence(model, judges.X, judges.y).families
    array([0, 0, 0, 1])
    """

    model_names: Array
    correlation: Array
    labelled: bool
    n_rows: int
    effective: EffectiveModels
    families: Array
    threshold: float
    linkage: Array
    order: Array

    def to_frame(self) -> Any:
        """List the pairs of models, those that err most alike first.

        Returns
        -------
        pandas.DataFrame, or list of dict without pandas
            ``model``, ``other``, ``correlation`` and ``same_family``.
        """
        pairs = np.array(np.triu_indices_from(self.correlation, 1))
        ranked = np.argsort(-self.correlation[tuple(pairs)], kind="stable")
        first, second = pairs[:, ranked]
        columns = {
            "model": self.model_names[first],
            "other": self.model_names[second],
            "correlation": self.correlation[first, second],
            "same_family": self.families[first] == self.families[second],
        }
        return as_frame({key: value.tolist() for key, value in columns.items()})

    def __str__(self) -> str:
        """Return the effective number, the families, and what is not known."""
        names, defined = self.model_names.astype(str), _known_models(self.correlation)
        how, bound = ("with", "") if self.labelled else ("without", "at most about ")
        lines = [
            f"{len(names)} models, {self.n_rows} rows {how} labels: mean error "
            f"correlation {_mean_of_pairs(self.correlation):.2f}",
            f"effective models: {bound}{self.effective}",
            f"families (error correlation {self.threshold:.2f} or more):",
        ]
        families = np.flatnonzero(np.bincount(self.families) > 1)
        for family in families:
            members = self.order[self.families[self.order] == family]
            lines.append("  " + ", ".join(names[members]))
        undefined = np.triu(np.isnan(self.correlation) & np.outer(defined, defined), 1)
        pairs = [" with ".join(names[pair]) for pair in np.argwhere(undefined)]
        if not families.size:
            lines.append("  none")
        if unknown := [*names[~defined], *pairs]:
            lines.append(f"correlation not known: {', '.join(unknown)}")
        return "\n".join(lines)


def dependence(
    estimator: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    confidence_level: float = 0.9,
    threshold: float | None = None,
    cv: Any = None,
) -> Dependence:
    r"""Measure how the errors of the models depend on each other.

    With labels, of numbers: correlation of ``prediction - label``, bias removed. Of
    classes: correlation of being right, within each class, so that one class being
    difficult correlates nobody. A pair of models is judged on the rows that both
    answer.

    Without labels, the cause that all models share is taken for the truth. Of numbers:
    what one factor leaves of the correlations of predictions, fitted to those between
    families, which would pass for truth otherwise. Of classes: as with labels, in
    proportion to the posterior of `weights.estimate_voters`. Labels would show
    **more**: on real panels of language models agreement leaves a third of the
    correlation for classes and next to nothing for numbers, though the same pairs tend
    to stand out. And a family that dominates the panel passes for the truth.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    X : array-like
        What `estimator` predicts from. On the table that members were fitted on, their
        predictions out of fold count, as in :func:`rank_models`.
    y : array-like of shape (n_samples,), default=None
        Labels. If there is one, rows without (NaN or None) are left out.
    confidence_level : float, default=0.9
        Of the interval.
    threshold : float, default=None
        Families merge while their errors correlate at least so much, mean over the
        pairs (average linkage on ``1 - correlation``). By default 0.5 with labels and
        0.25 without, but above chance: ``tanh(3.5 / sqrt(n - 3))`` of n rows; where
        numbers are missing, n is the median number of rows that two models answer.
    cv : int, splitter or iterable of splits, default=None
        Fit members anew on the labelled rows, and use their predictions out of fold.

    Returns
    -------
    Dependence

    Raises
    ------
    NotFittedError, TypeError or ValueError
        If the estimator is not fitted, does not combine two models (three without
        labels), there are fewer than four rows, or a parameter is out of range.

    Notes
    -----
    `theory.effective_number` says what it assumes; pairs without a correlation, and
    models without any, are left out of it. The interval is Student's about ``log(number
    - 1)``, with the standard error of a jackknife over rows (of many, over 1,000
    groups); families and posterior are taken as given. It covers about as often as it
    says from 10 rows on, where percentiles of a bootstrap are ten points short.

    Numbers without labels are judged up to a linear function of the truth: models that
    all use too little of the range do not look dependent, though their errors are. The
    factor is Spearman's, ``l_m^2 = sum r_mj r_mk / sum r_jk``, of three families each;
    a pair without a correlation is left out of both sums.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection.dependence import dependence
    >>> rng = np.random.default_rng(0)
    >>> truth, twins = rng.normal(size=(2, 500))
    >>> table = truth[:, None] + rng.normal(size=(500, 5))
    >>> table[:, 1::2] += 2 * twins[:, None]
    >>> model = StackingNetRegressor().fit(table, truth)
    >>> print(dependence(model, table, truth))
    5 models, 500 rows with labels: mean error correlation 0.07
    effective models: 3.92 [3.62, 4.26]
    families (error correlation 0.50 or more):
      model_1, model_3
    >>> dependence(model, table).families
    array([0, 1, 2, 1, 3])
    """
    if not (0 < confidence_level < 1 and (threshold is None or 0 < threshold < 1)):
        raise ValueError(f"{confidence_level=} and {threshold=} must be in (0, 1).")
    answers = ModelAnswers.of(estimator, X, y, cv=cv)
    labelled = bool(answers.labelled.any())
    rows = answers.labelled == labelled
    n_rows = int(np.count_nonzero(rows))
    if n_rows < _FEWEST_ROWS or len(answers.names) < 3 - labelled:
        raise ValueError(
            f"{len(answers.names)} models on {n_rows} rows do not show dependence; "
            "it takes 4 rows, with labels if any has one, and without labels 3 models."
        )
    sums = _group_sums(*_outcomes(answers, rows, labelled))
    total, votes = sums.sum(axis=0), answers.classes is not None
    pairs, pairs_left_out = (
        _pair_sums(part, len(answers.names), votes) for part in (total, total - sums)
    )
    correlation = error_correlation(pairs)
    left_out = error_correlation(pairs_left_out)
    if not votes:
        # Two rows always correlate perfectly, and three tell next to nothing.
        few = pairs.rows[0] < _FEWEST_ROWS
        correlation[few] = left_out[..., few] = np.nan
    if threshold is None:
        n_common = n_rows if votes else _typical_rows(pairs.rows[0])
        by_chance = float(np.tanh(_NOISE / np.sqrt(n_common - _FEWEST_ROWS + 1)))
        threshold = max(_WITH_LABELS if labelled else _WITHOUT_LABELS, by_chance)
    if not votes and not labelled:
        apart = _families_without_labels(correlation, threshold)
        correlation = _beyond_truth(correlation, apart)
        left_out = _beyond_truth(left_out, apart)
    tree, families = _cluster(correlation, threshold)
    return Dependence(
        answers.names,
        correlation,
        labelled,
        n_rows,
        _effective(correlation, left_out, confidence_level),
        families,
        threshold,
        tree,
        hierarchy.leaves_list(tree),
    )


def effective_models(
    estimator: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    confidence_level: float = 0.9,
    cv: Any = None,
) -> EffectiveModels:
    """Count the independent models that would average as well.

    Errors and assumptions are those of :func:`dependence`, of whose answer this is a
    part; without labels it is in general too large.

    Parameters
    ----------
    estimator, X, y, confidence_level, cv : object
        As in :func:`dependence`.

    Returns
    -------
    EffectiveModels

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor, datasets
    >>> from stackingnet_sk.inspection import effective_models
    >>> judges = datasets.make_experts(500, 4, correlation=0.0, random_state=0)
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> round(effective_models(model, judges.X, judges.y).number, 1)
    3.9
    """
    result = dependence(estimator, X, y, confidence_level=confidence_level, cv=cv)
    return result.effective


def _outcomes(answers: ModelAnswers, rows: Array, labelled: bool) -> tuple[Array, ...]:
    """List outcomes of each class, which are answered, and the weight of each class."""
    if answers.classes is None:
        values = answers.table[rows]
        answered = ~np.isnan(values)
        values = np.where(answered, values, 0.0)
        labels = answers.labels[rows, None] if labelled else np.zeros((1, 1))
        size = np.maximum(np.abs(values).max(axis=0), np.abs(labels).max())
        size[size == 0] = 1.0
        # Divide first: squares of huge or tiny values over- or underflow.
        values = values / size - labels / size
        # For a model that never answers all rows count, because it would have no mean
        # otherwise.
        counted = answered | ~answered.any(axis=0)
        values -= values.mean(axis=0, where=counted)
        spread = values.std(axis=0, where=counted)
        values = values * (spread > _CONSTANT) / np.where(spread > 0, spread, 1.0)
        values *= answered
        return values[None], answered, np.ones((1, len(values)))
    votes, n_classes = answers.votes[rows], len(answers.classes)
    if labelled:
        mass = np.eye(n_classes)[answers.labels[rows]]
    else:
        counts = VoteCounts.from_rows(votes, np.full(len(votes), -1), n_classes)
        place = np.repeat(np.arange(len(counts)), counts.unlabelled.astype(np.intp))
        votes, mass = counts.patterns[place], estimate_voters(counts).posterior[place]
    return votes == np.arange(n_classes)[:, None, None], votes >= 0, mass.T


def _group_sums(values: Array, answered: Array, mass: Array) -> Array:
    """Sum products of outcomes and answers in groups of rows, for each class.

    Where numbers are missing, squares of outcomes are the third part.
    """
    n_classes, n_rows, n_models = values.shape
    kinds = 2 if values.dtype == bool or answered.all() else 3
    fit = max(_FEWEST_GROUPS, _ELEMENTS // (n_classes * kinds**2 * n_models**2))
    # Rows may be sorted, so they are assigned to groups at random, with a fixed seed.
    dealt = np.random.default_rng(0).permutation(n_rows)
    parts = np.array_split(dealt, min(n_rows, _GROUPS, fit))
    sums = np.empty((len(parts), n_classes, kinds * n_models, kinds * n_models))
    for part, group in zip(parts, sums, strict=True):
        answers = np.broadcast_to(answered[part], (n_classes, len(part), n_models))
        outcomes = values[:, part] * answers
        parts_of_design = [outcomes, answers]
        if kinds == 3:
            parts_of_design.append(np.square(outcomes))
        design = np.concatenate(parts_of_design, axis=2, dtype=float)
        weighted = (design * mass[:, part, None]).swapaxes(1, 2)
        np.matmul(weighted, design, out=group)
    return sums


def _pair_sums(sums: Array, n_models: int, votes: bool) -> PairSums:
    """Name the parts of the sums."""
    outcome, answer, square = (
        slice(part * n_models, (part + 1) * n_models) for part in range(3)
    )
    products, outcomes = sums[..., outcome, outcome], sums[..., outcome, answer]
    if votes:
        # Being right is one or zero, so it is its own square.
        squares = outcomes
    elif sums.shape[-1] == 2 * n_models:
        # If nothing is missing, the squares do not depend on the other model of the
        # pair.
        squares = products.diagonal(axis1=-2, axis2=-1)[..., None]
    else:
        squares = sums[..., square, answer]
    return PairSums(products, sums[..., answer, answer], outcomes, squares)


def _typical_rows(rows: Array) -> float:
    """Median number of rows that two models answer, of pairs with a correlation."""
    of_pairs = rows[np.triu_indices_from(rows, 1)]
    of_pairs = of_pairs[of_pairs >= _FEWEST_ROWS]
    return float(np.median(of_pairs)) if of_pairs.size else _FEWEST_ROWS


def _beyond_truth(correlation: Array, families: Array) -> Array:
    """Compute what one factor, fitted between families, leaves of correlations."""
    # Pairs between families that have a correlation.
    pairs = np.not_equal.outer(families, families) & ~np.isnan(correlation)
    between = np.where(pairs, correlation, 0.0)
    # Models that run against the others are turned around.
    sign = np.where(between.sum(axis=-1) < 0, -1.0, 1.0)
    between *= _outer(sign)
    pairs = pairs.astype(np.float64)
    products = np.maximum((between @ pairs * between).sum(axis=-1), 0.0)
    others = (pairs @ between * pairs).sum(axis=-1)
    # The other models do not agree without this one: it has all that they have in
    # common.
    common = np.where(products > 0, 1.0, 0.0)
    np.divide(products, others, out=common, where=others > 0)
    error = 1.0 - np.minimum(common, 1.0)
    error = np.maximum(error, _LEAST_ERROR * np.median(error, axis=-1, keepdims=True))
    loading = sign * np.sqrt(1.0 - error)
    spread = np.sqrt(np.where(error > _ROUNDING, error, np.nan))
    return np.clip((correlation - _outer(loading)) / _outer(spread), -1, 1)


def _families_without_labels(agreement: Array, threshold: float) -> Array:
    """Find families that a factor leaves, and again with a factor free of them."""
    families = np.arange(len(agreement))
    for _ in families:
        _, renewed = _cluster(_beyond_truth(agreement, families), threshold)
        # Loadings need three families.
        if renewed.max() < 2 or (renewed == families).all():
            break
        families = renewed
    return families


def _cluster(correlation: Array, threshold: float) -> tuple[Array, Array]:
    """Link models, and number families in order of appearance."""
    # A model whose correlations are unknown is a family of its own.
    distance = 1.0 - np.nan_to_num(correlation)
    tree = hierarchy.linkage(squareform(distance, checks=False), "average")
    labels = hierarchy.fcluster(tree, 1.0 - threshold, "distance")
    _, first, family = np.unique(labels, return_index=True, return_inverse=True)
    return tree, np.argsort(np.argsort(first))[family]


def _effective(
    correlation: Array, left_out: Array, confidence_level: float
) -> EffectiveModels:
    n_models = int(np.count_nonzero(_known_models(correlation)))
    if n_models < 2:
        return EffectiveModels(np.nan, np.nan, np.nan)
    lowest = -1.0 / (n_models - 1)
    # If pairs have different rows, their mean can be below what is possible on common
    # rows.
    means = np.append(_mean_of_pairs(left_out), _mean_of_pairs(correlation))
    means = np.maximum(means[~np.isnan(means)], lowest)
    # The logarithm of the effective number minus one is about normal.
    odds = np.log(np.maximum((1.0 - means, means - lowest), _ROUNDING))
    *left_one_out, whole = odds[0] - odds[1]
    freedom = max(len(left_one_out) - 1, 1)
    reach = student_t.ppf((1.0 + confidence_level) / 2.0, freedom)
    reach *= np.std(left_one_out) * np.sqrt(freedom)
    with np.errstate(over="ignore"):
        low, high = 1.0 + np.exp([whole - reach, whole + reach])
    number = effective_number(n_models, float(means[-1]))
    return EffectiveModels(number, float(low), float(high))


def _mean_of_pairs(correlation: Array) -> Array:
    first, second = np.triu_indices(correlation.shape[-1], 1)
    pairs = correlation[..., first, second]
    defined = ~np.isnan(pairs)
    with np.errstate(invalid="ignore"):
        mean: Array = np.where(defined, pairs, 0.0).sum(axis=-1) / defined.sum(axis=-1)
    return mean


def _known_models(correlation: Array) -> Array:
    """Tell which models have a correlation with another one."""
    defined = ~np.isnan(correlation) & ~np.eye(len(correlation), dtype=bool)
    return np.asarray(defined.any(axis=0))


def _outer(vectors: Array) -> Array:
    return vectors[..., :, None] * vectors[..., None, :]
