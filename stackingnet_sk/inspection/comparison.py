"""How a combination does on labels that it has not seen, beside plain rivals."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier
from sklearn.utils import indexable

from stackingnet_sk._compat import take_rows
from stackingnet_sk._tables import as_frame, text_table
from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.validation import check_labels
from stackingnet_sk.inspection.comparison_folds import (
    Held,
    default_folds,
    draw_rows,
    hold_out,
    split_pipeline,
    split_rows,
)
from stackingnet_sk.inspection.comparison_intervals import (
    class_figures,
    number_figures,
)
from stackingnet_sk.inspection.comparison_members import has_members
from stackingnet_sk.inspection.comparison_rivals import (
    BEST,
    CONSTANT,
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
    """Scores on rows held out, of a combination and of its rivals.

    Parameters
    ----------
    names : ndarray of str of shape (n_contenders,)
        The combination, then its rivals.
    does : list of str
        What each of them does.
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
        """Backend of the best rival in `names`; the first of equals."""
        return 1 + int(self.leads[self.metric].value[1:].argmin())

    @property
    def constant(self) -> int:
        """Backend of the constant in `names`."""
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
        value, low, high = (each[rival] for each in self.leads[self.metric])
        if value == 0:
            return "equal"
        word = "better" if value > 0 else "worse"
        sure = low > 0 or high < 0
        return f"surely {word}" if sure else f"{word}, perhaps by luck"

    def to_frame(self) -> Any:
        """Make a table, a row a metric and contender.

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
                    value for each in of.values() for value in getattr(each, field)
                ]
        return as_frame(
            {
                key: [v.item() if isinstance(v, np.generic) else v for v in values]
                for key, values in columns.items()
            }
        )

    def __str__(self) -> str:
        """Return a table, a line a contender, and how to read it."""
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
    cv: Any = None,
    n_bootstrap: int = 2000,
    confidence_level: float = 0.95,
    max_rows: int = 50_000,
    random_state: Any = None,
) -> Comparison:
    r"""Measure a combination on labels held out, and plain rivals on the same ones.

    In each fold everything is fitted without the labelled rows that are tested: the
    steps before the combination, members, weights, rivals, and which single model is
    best. Rows without a label train in all folds.

    The rivals: the average, the average with its bias removed, ridge regression on the
    predictions, the best single model, a constant; of classes the majority vote (or
    the average probability), logistic regression on the votes, the best single model,
    the most frequent class.

    Parameters
    ----------
    estimator : StackingNetRegressor, StackingNetClassifier or Pipeline that ends in one
        It is cloned; members that are fitted already (``cv="prefit"``) stay.
    X : array-like of shape (n_samples, n_features)
        What `estimator` takes.
    y : array-like of shape (n_samples,)
        Labels; NaN or None on rows without.
    cv : splitter or iterable of splits, default=None
        Folds; labelled rows of a test part are tested. By default a shuffled
        :class:`~stackingnet_sk.model_selection.LabelledKFold`: ten folds, five from
        2000 labels on or with members to fit, and of fewer than ten labels one label a
        fold; stratified by class.
    n_bootstrap : int, default=2000
        Replicates behind the intervals.
    confidence_level : float, default=0.95
        Of the intervals.
    max_rows : int, default=50_000
        Most rows with a label, and most without, to use; others are left out at random.
    random_state : int or RandomState, default=None
        Seed of folds, replicates and of what is left out.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        If `estimator` does not combine models.
    ValueError
        If there are fewer than four labels, all of one class, or a fold, parameter,
        prediction or label cannot be used.

    Notes
    -----
    Intervals are over items. They leave out what other folds, or other training labels,
    would change, and with a dozen labels that is as much again. A lead is judged by its
    own interval, not by whether those of two scores overlap.

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
    steps, model = split_pipeline(estimator)
    is_number = not is_classifier(model)
    (X,) = indexable(X)
    labels = as_array(y)
    if (n_labelled := int(is_labelled(labels).sum())) < _FEWEST:
        raise ValueError(
            f"{n_labelled} of {len(labels)} rows have a label; comparing takes "
            f"at least {_FEWEST}: some to learn from, others to be tested on."
        )
    random = np.random.default_rng(_seed(random_state))
    rows = draw_rows(is_labelled(labels), max_rows, random)
    left_out = len(labels) - len(rows)
    if left_out:
        X, labels = take_rows(X, rows), labels[rows]
    codes: Array
    classes: Any = None
    if is_number:
        codes = check_labels(X, labels)
        labels = codes
    else:
        codes, classes = check_class_labels(X, labels, model.classes)
        if len(np.unique(codes[codes >= 0])) < 2:
            raise ValueError(
                "All labels are of one class; comparing takes labels of at least two."
            )
        # In a fold a rare class may have no label.
        model = _with_classes(model, classes)
    known = is_labelled(labels)
    if cv is None:
        seed = int(random.integers(2**31))
        cv = default_folds(codes[known], model, seed)
    folds = split_rows(cv, labels)
    held = [hold_out(steps, model, X, labels, codes, fold) for fold in folds]
    soft = not is_number and any(_is_soft(each.table) for each in held)
    others = rivals(is_number=is_number, soft=soft)
    predictions, chosen = [], Counter[str]()
    for each in held:
        training = _training_data(each, model, is_number)
        own = each.predictions
        if not is_number:
            own = np.searchsorted(classes, own)
        predictions.append(
            np.column_stack([own, *(rival.predict(training) for rival in others)])
        )
        chosen[str(each.model.model_names_[choose_model(training)])] += 1
    tested = np.concatenate([test for _, test in folds])
    found, truth = np.concatenate(predictions), codes[tested]
    if is_number:
        scores, leads = number_figures(
            found - truth[:, None], random, n_bootstrap, confidence_level
        )
    else:
        scores, leads = class_figures(
            found == truth[:, None], truth, random, n_bootstrap, confidence_level
        )
        if model.class_weight != "balanced":
            # Judged by what it is after: all rows alike, or all classes.
            scores, leads = (dict(reversed(each.items())) for each in (scores, leads))
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
        is_number=is_number,
        rows=rows[tested],
        predictions=found if is_number else classes[found],
        n_labelled=int(known.sum()),
        n_rows=len(labels),
        n_folds=len(folds),
        left_out=left_out,
        confidence_level=confidence_level,
    )


def _seed(random_state: Any) -> Any:
    if isinstance(random_state, np.random.RandomState):
        return random_state.randint(2**31)
    return random_state


def _with_classes(model: Any, classes: Any) -> Any:
    if model.classes is not None:
        return model
    # A clone would have to fit members that are fitted already.
    model = clone(model) if has_members(model) or not model.estimators else copy(model)
    model.classes = classes
    return model


def _is_soft(table: Array) -> bool:
    return bool(((table != 0) & (table != 1)).any())


def _training_data(held: Held, model: Any, is_number: bool) -> TrainingData:
    weights = None if is_number else model.class_weight
    if isinstance(weights, dict):
        places = {label: k for k, label in enumerate(held.model.classes_.tolist())}
        weights = {places[label]: weight for label, weight in weights.items()}
    return TrainingData(held.table, held.labels, held.asked, weights)
