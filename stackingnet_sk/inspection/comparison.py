"""How a combination does on labels that it has not seen, beside plain rivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils import indexable

from stackingnet_sk._compat import take_rows, take_rows_of_params
from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.validation import check_labels, check_weights
from stackingnet_sk.inspection.comparison_folds import (
    Held,
    Rows,
    default_folds,
    draw_rows,
    hold_out,
    params_of_fit,
    split_pipeline,
    split_rows,
    unfitted,
    with_written_splits,
)
from stackingnet_sk.inspection.comparison_intervals import (
    class_figures,
    number_figures,
)
from stackingnet_sk.inspection.comparison_rivals import (
    BEST,
    CONSTANT,
    Rival,
    TrainingData,
    choose_model,
    rivals,
)
from stackingnet_sk.inspection.disparity import Estimate
from stackingnet_sk.inspection.ranking import check_draws
from stackingnet_sk.predictions import as_array, is_labelled

Array = NDArray[Any]

OURS = "combination"
# Three labels to learn from, and one to be tested on.
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores of a combination and of its rivals on rows that are held out.

    Parameters
    ----------
    names : ndarray of str of shape (n_contenders,)
        The combination, then its rivals.
    does : list of str
        A sentence for each of them.
    scores : dict of str to Estimate of shape (n_contenders,)
        By metric, the one that counts first: mean absolute error and root mean squared
        error; or accuracy and balanced accuracy, which is first where the estimator is
        after it, by ``class_weight="balanced"``.
    leads : dict of str to Estimate of shape (n_contenders,)
        By how much the combination is better than each, on the same rows; negative
        where it is worse.
    is_number : bool
        Whether predictions are numbers, not classes: scores are errors.
    rows : ndarray of int of shape (n_tested,)
        Rows that were held out.
    predictions : ndarray of shape (n_tested, n_contenders)
        What was predicted of them.
    n_labelled, n_rows, n_folds : int
        Rows used, with a label and in all, and folds.
    left_out : int
        Rows that were not used, drawn at random, to bound the work.
    confidence_level : float
        That of the intervals.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.inspection import compare
    >>> judges = make_experts(200, 3, accuracy=[0.9, 0.7, 0.5], random_state=0)
    >>> found = compare(StackingNetRegressor(), judges.X, judges.y, random_state=0)
    >>> found.names.tolist()[:2], found.n_folds
    (['combination', 'average'], 10)
    """

    names: Array
    does: list[str]
    scores: dict[str, Estimate]
    leads: dict[str, Estimate]
    is_number: bool
    rows: Array
    predictions: Array
    n_labelled: int
    n_rows: int
    n_folds: int
    left_out: int
    confidence_level: float

    @property
    def metric(self) -> str:
        """The score that counts."""
        return next(iter(self.scores))

    @property
    def best_rival(self) -> int:
        """Place of the best rival in `names`; the first of equals."""
        return 1 + int(self.leads[self.metric].value[1:].argmin())

    @property
    def constant(self) -> int:
        """Place of the constant in `names`."""
        return int(np.flatnonzero(self.names == CONSTANT)[0])

    @property
    def constant_wins(self) -> bool:
        """Whether the constant does at least as well as the combination."""
        return bool(self.leads[self.metric].value[self.constant] <= 0)

    def verdict(self, rival: int) -> str:
        """Say in words who is ahead, and whether that may be luck.

        Parameters
        ----------
        rival : int
            Its place in `names`.

        Returns
        -------
        str
            "surely better", "better, perhaps by luck", "equal", "worse, perhaps by
            luck" or "surely worse": the combination, not the rival.
        """
        value, low, high = (figure[rival] for figure in self.leads[self.metric])
        if value == 0:
            return "equal"
        word = "better" if value > 0 else "worse"
        sure = low > 0 or high < 0
        return f"surely {word}" if sure else f"{word}, perhaps by luck"

    def to_frame(self) -> Any:
        """Make a table, one row per metric and contender.

        Returns
        -------
        pandas.DataFrame or list of dict
            ``metric``, ``name``, ``value``, ``low``, ``high``, and ``lead``,
            ``lead_low`` and ``lead_high`` of the combination over it. A frame where
            pandas is installed.
        """
        columns: dict[str, list[Any]] = {
            "metric": [key for key in self.scores for _ in self.names],
            "name": self.names.tolist() * len(self.scores),
        }
        for prefix, of in (("", self.scores), ("lead_", self.leads)):
            for field in Estimate._fields:
                key = (prefix + field).replace("lead_value", "lead")
                columns[key] = [
                    value for score in of.values() for value in getattr(score, field)
                ]
        return as_frame(
            {
                key: [v.item() if isinstance(v, np.generic) else v for v in values]
                for key, values in columns.items()
            }
        )

    def __str__(self) -> str:
        """Return a table, one line per contender, and how to read it."""
        score, lead = self.scores[self.metric], self.leads[self.metric]
        level = f"{100 * self.confidence_level:.0f} % interval"
        rows = [(self.metric, "", level, "lead", level, "")]
        for j, name in enumerate(self.names):
            interval = f"[{score.low[j]:.4g}, {score.high[j]:.4g}]"
            ahead = ("", "", "")
            if j:
                lead_interval = f"[{lead.low[j]:+.3g}, {lead.high[j]:+.3g}]"
                ahead = f"{lead.value[j]:+.3g}", lead_interval, self.verdict(j)
            rows.append((name, f"{score.value[j]:.4g}", interval, *ahead))
        lines = text_table(rows, left=(0, 5))
        if self.constant_wins:
            lines.append("! a constant does at least as well.")
        lines.append(
            f"{self.n_labelled} labels held out in {self.n_folds} folds of "
            f"{self.n_rows} rows. lead: by how much the combination is better."
        )
        if self.left_out:
            lines.append(
                f"{self.left_out} further rows, drawn at random, are not used."
            )
        return "\n".join(lines)


def compare(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    cv: Any = None,
    n_bootstrap: int = 2000,
    confidence_level: float = 0.95,
    max_rows: int = 50_000,
    random_state: Any = None,
    **fit_params: Any,
) -> Comparison:
    r"""Measure a combination, and plain rivals, on the same labels held out.

    In each fold everything is fitted without the labelled rows that are tested: the
    steps before the combination, members, weights, rivals, and which single model is
    best. The combination is fitted by its `fit`, members and their cross-prediction
    included; rivals learn from the predictions of members out of fold.

    The rivals of a regressor are the average, the average with its bias removed, ridge
    regression on the predictions, the best single model and a constant; those of a
    classifier are the majority vote, the average probability (where models give
    probabilities), logistic regression on the votes, the best single model and the most
    frequent class.

    Parameters
    ----------
    estimator : StackingNetRegressor, StackingNetClassifier or Pipeline that ends in one
        It is cloned; members that are fitted already (``cv="prefit"``) stay. If its own
        `cv` lists splits by row number, these are rows of `X`. In each fold they are
        restricted to the training rows, and a split of which nothing is left is
        dropped.
    X : array-like of shape (n_samples, n_features)
        What `estimator` takes.
    y : array-like of shape (n_samples,)
        Labels; NaN or None on rows without.
    groups : array-like of shape (n_samples,), default=None
        Groups of the rows, for the splitter of the members and for the folds: by
        default no group is in the training and the test rows of a fold.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. They count in the training of the combination and of its
        rivals, and in the scores: a row of weight 2 counts twice in a mean. The
        intervals are still those of as many rows as there are.
    cv : splitter or iterable of splits, default=None
        Folds; the labelled rows of each test part are tested. The default is a shuffled
        :class:`~stackingnet_sk.model_selection.LabelledKFold`, stratified by class: ten
        folds, five from 2000 labels on or with members to fit, and one fold per label
        with fewer than ten labels. Rows without a label train in all folds. With
        `groups` the default folds hold out whole groups, with their rows that have no
        label, and there are at most as many folds as groups.
    n_bootstrap : int, default=2000
        Replicates behind the intervals.
    confidence_level : float, default=0.95
        Of the intervals.
    max_rows : int, default=50_000
        Most rows with a label, and most without, to use; others are left out at random.
    random_state : int or RandomState, default=None
        Seed of folds, replicates and of what is left out.
    **fit_params : dict
        What `fit` of the estimator takes besides, such as `sensitive_features`, or
        metadata for the members. What has one entry per row of `X` is cut to the
        training rows of each fold. In a pipeline it goes to the last step, unless its
        name starts with that of another step (``step__parameter``); with metadata
        routing enabled, the pipeline routes it.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        If `estimator` does not combine models.
    ValueError
        If there are fewer than four labels, all of one class or of one group, or a
        fold, parameter, prediction, label or weight cannot be used.

    Notes
    -----
    Intervals cover the choice of the items that are tested. They do not cover what
    other folds, or other training labels, would change, which with a dozen labels is as
    much again. A lead is judged by its own interval, not by whether those of two scores
    overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import compare
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.3, 0.6, 2.0]
    >>> y = np.where(np.arange(200) < 50, truth, np.nan)
    >>> found = compare(StackingNetRegressor(), judges, y, random_state=0)
    >>> found.verdict(found.names.tolist().index("average"))
    'surely better'
    """
    check_draws(n_bootstrap, confidence_level)
    model = split_pipeline(estimator)[1]
    random = np.random.default_rng(_seed(random_state))
    (X,) = indexable(X)
    model = with_written_splits(model, X, as_array(y))
    weights = check_weights(sample_weight, as_array(y))
    params = params_of_fit(estimator, groups, weights, fit_params)
    rows, classes = _read_rows(model, X, y, weights, params, max_rows, random)
    if groups is not None:
        groups = take_rows_of_params(X, {"groups": groups}, rows.numbers)["groups"]
    if classes is not None and model.classes is None:
        # In a fold a rare class may have no label.
        model = unfitted(model)
        model.classes = classes
    if cv is None:
        cv = default_folds(rows, model, groups, int(random.integers(2**31)))
    folds = split_rows(cv, rows, groups)
    held = [hold_out(estimator, model, rows, fold) for fold in folds]
    soft = classes is not None and any(_is_soft(part.table) for part in held)
    others = rivals(is_number=classes is None, soft=soft)
    predictions, chosen = _predict(held, others, classes)
    tested = np.concatenate([test for _, test in folds])
    scores, leads = _figures(
        predictions, rows, tested, model, random, n_bootstrap, confidence_level
    )
    does = {rival.name: rival.does for rival in others}
    often = ", ".join(
        f"{name} ({n} of {len(folds)})" for name, n in chosen.most_common(3)
    )
    does[BEST] += f". Chosen: {often}"
    return Comparison(
        names=np.array([OURS, *does], dtype=object),
        does=[f"{type(model).__name__}, fitted anew in each fold", *does.values()],
        scores=scores,
        leads=leads,
        is_number=classes is None,
        rows=rows.numbers[tested],
        predictions=predictions if classes is None else classes[predictions],
        n_labelled=int(is_labelled(rows.labels).sum()),
        n_rows=len(rows.labels),
        n_folds=len(folds),
        left_out=rows.n_given - len(rows.labels),
        confidence_level=confidence_level,
    )


def _read_rows(
    model: Any,
    X: Any,
    y: ArrayLike,
    weights: Array | None,
    params: dict[str, Any],
    max_rows: int,
    random: np.random.Generator,
) -> tuple[Rows, Any]:
    """Check the labels, keep at most `max_rows` of either kind, list the classes."""
    labels = as_array(y)
    if (n_labelled := int(is_labelled(labels).sum())) < _FEWEST:
        raise ValueError(
            f"{n_labelled} of {len(labels)} rows have a label; comparing takes "
            f"at least {_FEWEST}: some to learn from, others to be tested on."
        )
    n_given, kept = len(labels), draw_rows(is_labelled(labels), max_rows, random)
    if len(kept) < n_given:
        params = take_rows_of_params(X, params, kept)
        X, labels = take_rows(X, kept), labels[kept]
        weights = None if weights is None else weights[kept]
    codes: Array
    classes: Any = None
    if is_classifier(model):
        codes, classes = check_class_labels(X, labels, model.classes)
        if len(np.unique(codes[codes >= 0])) < 2:
            raise ValueError(
                "All labels are of one class; comparing takes labels of at least two."
            )
    else:
        labels = codes = check_labels(X, labels)
    return Rows(X, labels, codes, weights, params, kept, n_given), classes


def _predict(
    held: list[Held], others: Sequence[Rival], classes: Any
) -> tuple[Array, Counter[str]]:
    """Predict the rows held out, one column per contender; count the best models."""
    predictions, chosen = [], Counter[str]()
    for part in held:
        training = _training_data(part)
        combined = part.predictions
        if classes is not None:
            combined = np.searchsorted(classes, combined)
        predictions.append(
            np.column_stack([combined, *(rival.predict(training) for rival in others)])
        )
        chosen[str(part.model.model_names_[choose_model(training)])] += 1
    return np.concatenate(predictions), chosen


def _figures(
    predictions: Array,
    rows: Rows,
    tested: Array,
    model: Any,
    random: np.random.Generator,
    n_draws: int,
    confidence_level: float,
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Score the predictions, the score that the estimator is after first."""
    truth, weights = rows.codes[tested], None
    if rows.weights is not None:
        weights = rows.weights[tested]
        counts = weights > 0
        if not counts.any():
            raise ValueError(
                "sample_weight is zero on all rows that are tested; give at least one "
                "labelled row weight."
            )
        predictions, truth, weights = (
            predictions[counts],
            truth[counts],
            weights[counts],
        )
    options = random, n_draws, confidence_level, weights
    if not is_classifier(model):
        return number_figures(predictions - truth[:, None], *options)
    figures = class_figures(predictions == truth[:, None], truth, *options)
    if model.class_weight == "balanced":
        return figures
    # Accuracy first: all rows count alike, not all classes.
    scores, leads = (dict(reversed(figure.items())) for figure in figures)
    return scores, leads


def _seed(random_state: Any) -> Any:
    if isinstance(random_state, np.random.RandomState):
        return random_state.randint(2**31)
    return random_state


def _is_soft(table: Array) -> bool:
    return bool(((table != 0) & (table != 1)).any())


def _training_data(held: Held) -> TrainingData:
    class_weight = getattr(held.model, "class_weight", None)
    if isinstance(class_weight, dict):
        places = {label: k for k, label in enumerate(held.model.classes_.tolist())}
        class_weight = {places[label]: w for label, w in class_weight.items()}
    return TrainingData(
        held.table, held.labels, held.held_out, class_weight, held.weights
    )
