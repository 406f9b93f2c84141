"""What a fitted classifier says, and of whom."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._tables import as_frame
from stackingnet_sk.ensemble.class_table import read_class_table
from stackingnet_sk.ensemble.decision import (
    is_tied,
    pool_votes,
    settle_ties,
    shift_prior,
)
from stackingnet_sk.ensemble.members import MembersMixin
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import ClassAnswers


class FittedClassifierMixin(MembersMixin, TransformerMixin):
    """Predictions of a classifier whose weights are known.

    A transformer itself: scikit-learn gives `set_output` to those who define
    `transform`.
    """

    classes_: NDArray[Any]
    class_prior_: NDArray[np.float64]
    class_rates_: NDArray[np.float64]
    confusion_: NDArray[np.float64]
    counts_: VoteCounts
    input_: str
    intercept_: NDArray[np.float64]
    structure_: str
    vote_weights_: NDArray[np.float64]

    def predict(self, X: Any) -> NDArray[Any]:
        """Name the most probable class.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The arg-max of `predict_proba`.
        """
        check_is_fitted(self)
        named: NDArray[Any] = self.classes_[self._combine(X).argmax(axis=1)]
        return named

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, under the class prior in force.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows sum to one. The class that wins a tie is raised by a billionth.
        """
        check_is_fitted(self)
        return self._combine(X)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log-probabilities of the classes; of two, the log-odds of the second.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        with np.errstate(divide="ignore"):
            scores = np.log(self._combine(X))
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def _combine(self, X: Any) -> NDArray[np.float64]:
        """Pool the answers, and settle ties."""
        answers = self._heard(X)
        pooled = self._pool(answers)
        if len(answers.votes) and is_tied(pooled).any():
            # Who has no weight may still be the most reliable of those who differ.
            answers = self._answers(X)
            pooled = self._pool(answers)
        return settle_ties(pooled, self.class_prior_, answers.votes, self.reliability_)

    def _pool(self, answers: ClassAnswers) -> NDArray[np.float64]:
        if self.pool == "linear":
            shift = self.class_prior_ / self.class_rates_
            table = shift_prior(answers, shift, self.class_prior_)
            pooled: NDArray[np.float64] = np.einsum("imk,m->ik", table, self.weights_)
        else:
            rates = self.class_rates_ if self.input_ == "proba" else None
            pooled = pool_votes(answers, self.vote_weights_, self.intercept_, rates)
        pooled[~answers.given.any(axis=1)] = self.class_prior_
        return pooled

    def n_answers(self, X: Any) -> NDArray[np.intp]:
        """Count the models that answer.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            Where it is zero, the answer is the class prior.
        """
        check_is_fitted(self)
        n_answers: NDArray[np.intp] = self._answers(X).given.sum(axis=1)
        return n_answers

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return what all models say.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_models * n_classes)
            Probabilities, or one at the class voted for; zeros for silence.
            Model-major.
        """
        check_is_fitted(self)
        answers = self._answers(X)
        vectors = answers.vectors(len(self.classes_))
        return np.array(vectors.reshape(len(answers.votes), -1))

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Name the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_models * n_classes,)
            ``stackingnetclassifier_<model>_<class>``.
        """
        check_is_fitted(self)
        prefix = type(self).__name__.lower()
        pairs = product(self.model_names_, self.classes_)
        return np.array([f"{prefix}_{name}_{label}" for name, label in pairs], object)

    def leaderboard(self) -> Any:
        """List the models, the most reliable first.

        Returns
        -------
        pandas.DataFrame or list of dict
            ``model``, ``weight``, ``reliability`` (balanced accuracy, labels and
            agreement together), ``balanced_accuracy`` (on the labelled rows that the
            model answers alone, out of fold with members; NaN where a class has none)
            and ``answered`` (share of all rows). A frame where pandas is installed.
        """
        check_is_fitted(self)
        counts = self.counts_
        columns = {
            "model": self.model_names_,
            "weight": self.weights_,
            "reliability": self.reliability_,
            "balanced_accuracy": counts.recalls.mean(axis=1),
            "answered": counts.answered,
        }
        order = np.lexsort((self.model_names_.astype(str), -self.reliability_))
        return as_frame({key: value[order].tolist() for key, value in columns.items()})

    def _heard(self, X: Any) -> ClassAnswers:
        """Read what those say who have a weight; members without are not asked."""
        if not hasattr(self, "estimators_"):
            return self._answers(X)
        asked = np.any(self.vote_weights_, axis=(1, 2)) | (self.weights_ != 0)
        if not asked.any():
            return self._answers(X)
        self._check_features(X, reset=False)
        return ClassAnswers.from_probabilities(self._ask(X, asked.nonzero()[0]))

    def _answers(self, X: Any) -> ClassAnswers:
        """Read what the models say; `fit` has seen whose answers these are."""
        if not hasattr(self, "estimators_"):
            return read_class_table(self, X, self.classes_, reset=False)
        self._check_features(X, reset=False)
        return ClassAnswers.from_probabilities(
            self._ask(X, range(len(self.estimators_)))
        )
