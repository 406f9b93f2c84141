"""Votes that come in blocks: counts, and the weights that follow from them."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if

from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.class_table import read_class_table
from stackingnet_sk.ensemble.fitted_classifier import FittedClassifierMixin
from stackingnet_sk.ensemble.validation import check_weights
from stackingnet_sk.ensemble.weighing import weigh
from stackingnet_sk.predictions import ClassAnswers, is_labelled
from stackingnet_sk.weights import VoteCounts


def _takes_blocks(estimator: Any) -> bool:
    return estimator.estimators is None


class CountingMixin(FittedClassifierMixin):
    """Weights of a classifier from counts of votes, which any block can add to."""

    @available_if(_takes_blocks)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Add a block of votes to those seen so far, and weigh all of them.

        Any split into blocks, in any order, gives the counts of one `fit`, and so its
        weights. Only for tables of votes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_models)
            Votes.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without. None: no row of the block has one.
        classes : array-like of shape (n_classes,), default=None
            All classes; needed at the first call unless the parameter `classes` has
            them.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As in `fit`; if the classes are not known at the first call, or there are
            more distinct rows than `max_patterns`.
        """
        began = hasattr(self, "counts_")
        self._check_parameters()
        given = classes if classes is not None else self.classes
        if began:
            _, given = check_class_labels(X, None, given)
            if given is not None and given.tolist() != self.classes_.tolist():
                raise ValueError(
                    f"classes={given.tolist()} differ from those of the first call, "
                    f"{self.classes_.tolist()}."
                )
            given = self.classes_
        elif given is None:
            raise ValueError(
                "classes=None at the first call of partial_fit; list all classes, for "
                "later blocks may bring others than this one."
            )
        if y is not None and not is_labelled(y).any():
            # A block of a partly labelled stream need not have a label.
            y = None
        codes, known = check_class_labels(X, y, given)
        weights = check_weights(sample_weight, codes)
        answers = read_class_table(self, X, known, reset=not began, stacklevel=4)
        if answers.probabilities is not None:
            raise ValueError(
                "partial_fit takes votes, which can be counted, not probabilities; "
                "use fit."
            )
        counts = self._count(answers, codes, weights)
        self.input_ = "votes"
        self._set_weights(self.counts_.merge(counts) if began else counts)
        if self.solution_.doubt:
            warnings.warn(self.solution_.doubt, ConvergenceWarning, stacklevel=2)
        return self

    def _count(
        self,
        answers: ClassAnswers,
        codes: NDArray | None = None,
        weights: NDArray | None = None,
    ) -> VoteCounts:
        if codes is None:
            codes = np.full(len(answers.votes), -1)
        return VoteCounts.from_rows(answers.votes, codes, len(self.classes_), weights)

    def _set_weights(self, counts: VoteCounts, *labelled: Any) -> None:
        solution, panel, prior = weigh(
            self, counts, *labelled, constraint=self.constraint
        )
        self.counts_ = counts
        self.solution_ = solution
        self.weights_ = solution.weights.copy()
        self.vote_weights_ = np.array(solution.vote_weights)
        self.intercept_ = np.array(solution.intercept)
        self.structure_ = solution.constraint
        self.confusion_ = panel.confusion
        self.reliability_ = panel.reliability
        self.class_prior_ = prior
        self.class_rates_ = panel.rates
