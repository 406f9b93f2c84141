"""Votes that come in blocks: counts, and the weights that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if

from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.class_table import read_class_table
from stackingnet_sk.ensemble.fitted_classifier import FittedClassifierMixin
from stackingnet_sk.ensemble.streaming import StreamingMixin, takes_blocks
from stackingnet_sk.ensemble.validation import check_weights
from stackingnet_sk.ensemble.weighing import weigh
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import Block, ClassAnswers, is_labelled


class CountingMixin(StreamingMixin, FittedClassifierMixin):
    """Weights of a classifier from counts of votes, which any block can add to."""

    _statistics_name = "counts_"
    _weighing = ("class_weight", "constraint", "shrinkage", "solver", "structure")

    @available_if(takes_blocks)
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
            Votes, or a stream of them as in `fit`.
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
        self._check_parameters()
        seen = self._seen()
        given = classes if classes is not None else self.classes
        if seen is not None:
            _, given = check_class_labels(X, None, given)
            if given is not None and given.tolist() != self.classes_.tolist():
                raise ValueError(
                    f"classes={given.tolist()} differ from those of the first call, "
                    f"{self.classes_.tolist()}."
                )
        else:
            self._set_classes(given)
        new = self._sum_new(X, y, sample_weight)
        self.input_ = "votes"
        self._add(seen, new)
        return self

    def _set_classes(self, classes: ArrayLike | None) -> None:
        if classes is None:
            raise ValueError(
                "classes=None at the first call of partial_fit, or of a stream; list "
                "all classes, for later blocks may bring others than this one."
            )
        _, known = check_class_labels((), None, classes)
        self.classes_ = np.asarray(known)

    def _check_block(self, block: Block, *, reset: bool) -> Callable[[], VoteCounts]:
        y = block.y
        if y is not None and not is_labelled(y).any():
            # A block of a partly labelled stream need not have a label.
            y = None
        codes, known = check_class_labels(block.X, y, self.classes_)
        weights = check_weights(block.sample_weight, codes, all_rows=False)
        answers = read_class_table(self, block.X, known, reset=reset)
        if answers.probabilities is not None:
            raise ValueError(
                "What comes in blocks takes votes, which can be counted, not "
                "probabilities; use fit, with an array."
            )
        return partial(self._count, answers, codes, weights)

    def _check_countable(self) -> None:
        if self.input_ == "proba":
            raise ValueError(
                "Votes are counted, and the counts kept; probabilities can't be, so "
                "fit all of them again."
            )

    def _weigh(self, statistics: VoteCounts, *labelled: Any) -> list[Warning]:
        solution, panel, prior = weigh(
            self, statistics, *labelled, constraint=self.constraint
        )
        self.counts_ = statistics
        self.solution_ = solution
        self.weights_ = solution.weights.copy()
        self.vote_weights_ = np.array(solution.vote_weights)
        self.intercept_ = np.array(solution.intercept)
        self.structure_ = solution.constraint
        self.confusion_ = panel.confusion
        self.reliability_ = panel.reliability
        self.class_prior_ = prior
        self.class_rates_ = panel.rates
        return [ConvergenceWarning(solution.warning)] if solution.warning else []

    def _count(
        self,
        answers: ClassAnswers,
        codes: NDArray[np.intp] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> VoteCounts:
        if codes is None:
            codes = np.full(len(answers.votes), -1)
        return VoteCounts.from_rows(answers.votes, codes, len(self.classes_), weights)
