"""What a fitted regressor says, and of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._compat import Backend, backend_of, check_same_namespace, to_numpy
from stackingnet_sk._tables import as_frame
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.members import MembersMixin
from stackingnet_sk.ensemble.validation import check_table
from stackingnet_sk.evidence import Moments, PredictionModel, group_patterns
from stackingnet_sk.predictions import check_predictions
from stackingnet_sk.weights import InfeasibleError, Solution, solve_pattern

# Weights of patterns that are kept for the next call.
_MOST_PATTERNS = 100_000
# Numbers of a table that are converted at once: they stay in the cache.
_BATCH = 100_000


class FittedRegressorMixin(MembersMixin, TransformerMixin):
    """Predictions of a regressor whose weights are known.

    A transformer itself: scikit-learn gives `set_output` to those who define
    `transform`.
    """

    intercept_: float
    error_moments_: Moments
    prediction_moments_: Moments
    moments_per_model_: Mapping[int, Moments]

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Combine the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions, a column a model.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``w'h(x) + b``, in the units of the labels. Where models are silent, the
            others by the weights that come nearest to what all would have said; where
            all are, the mean of the labels.

        Warns
        -----
        ConvergenceWarning
            If weights of those who answer are not certified.
        """
        check_is_fitted(self)
        check_same_namespace(X, self, attribute="weights_", method="predict")
        if not hasattr(self, "estimators_"):
            combined: NDArray[np.float64] = self._combine(
                check_table(self, X, reset=False)
            )
            return combined
        self._check_features(X, reset=False)
        # A member without weight need not be asked; all without leave the constant,
        # and one of them says for how many rows.
        asked = np.flatnonzero(self.weights_) if self.weights_.any() else np.arange(1)
        table = self._ask(X, asked)
        # Where one is silent, members without weight may stand in.
        combined = self._combine(self._table(X) if np.isnan(table).any() else table)
        return combined

    def expected_error(self, X: Any) -> NDArray[np.float64]:
        """Squared error to expect of each prediction, by which models answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`.

        Returns
        -------
        ndarray of shape (n_samples,)
            In squared units of the labels: what is expected where all answer (by
            generalized cross-validation), plus what those who are silent would have
            added. Of a row on which no model answers, the variance of the labels. NaN
            where `fit` had no labels.
        """
        check_is_fitted(self)
        answered = ~np.isnan(to_numpy(self._table(X))) & self._imputed.answering
        found, pattern = self._of_rows(answered, np.arange(len(answered)))
        added = np.array([each.objective for each in found])[pattern]
        error = self.solution_.expected_error + added
        error[~answered.any(axis=1)] = self._of_nobody()[1]
        return error

    def n_answers(self, X: Any) -> NDArray[np.intp]:
        """Count the models that answer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in `predict`.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            Models that never answered in `fit` don't count. Where it is zero, the
            prediction is the mean of the labels.
        """
        check_is_fitted(self)
        answered = ~np.isnan(to_numpy(self._table(X))) & self._imputed.answering
        n_answers: NDArray[np.intp] = answered.sum(axis=1)
        return n_answers

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the predictions of all models.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the members take; without members, predictions, a column a model.

        Returns
        -------
        ndarray of shape (n_samples, n_models)
            NaN where a model is silent.
        """
        check_is_fitted(self)
        check_same_namespace(X, self, attribute="weights_", method="transform")
        table = self._table(X)
        if backend := backend_of(table):
            copied: NDArray[np.float64] = backend.xp.asarray(table, copy=True)
            return copied
        # A table is the caller's own: what comes next may write into the answer.
        return table if hasattr(self, "estimators_") else np.array(table)

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
        ndarray of shape (n_models,)
            ``stackingnetregressor_<model>``.
        """
        check_is_fitted(self)
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}_{name}" for name in self.model_names_], object)

    def leaderboard(self) -> Any:
        """List the models, the best alone first.

        Returns
        -------
        pandas.DataFrame or list of dict
            ``model``, ``weight``, ``rmse`` (root mean squared error of the model
            alone), ``bias`` (mean of prediction minus label), both over the labelled
            rows that it answers, out of fold with members, in the units of the labels,
            and ``answered`` (share of these rows). A frame where pandas is installed.
        """
        check_is_fitted(self)
        alone = [
            self.moments_per_model_.get(m, self.error_moments_.subset(np.array([m])))
            for m in range(len(self.weights_))
        ]
        rmse, bias = np.concatenate([each.errors() for each in alone], axis=1)
        weight = self._imputed.constant.weight
        columns = {
            "model": self.model_names_,
            "weight": self.solution_.weights,
            "rmse": rmse,
            "bias": bias,
            "answered": np.array([each.weight for each in alone]) / (weight or np.nan),
        }
        order = np.lexsort((self.model_names_.astype(str), rmse))
        return as_frame({key: value[order].tolist() for key, value in columns.items()})

    def _table(self, X: Any) -> NDArray[Any]:
        """Predictions of all models; finite, or NaN where a model is silent."""
        if not hasattr(self, "estimators_"):
            table = check_table(self, X, reset=False)
        else:
            self._check_features(X, reset=False)
            table = self._ask(X, range(len(self.estimators_)))
        check_predictions(to_numpy(table), self.model_names_, allow_missing=True)
        return table

    def _follow(self, backend: Backend | None) -> None:
        """Let fitted arrays lie where the table lies."""
        if self.estimators is None and backend:
            for name in ("weights_", "reliability_"):
                setattr(self, name, backend.put(getattr(self, name)))

    def _combine(self, table: Any) -> Any:
        if backend := backend_of(table):
            wide = backend.xp.astype(table, backend.floats[0])
            combined = backend.xp.matmul(wide, self.weights_) + self.intercept_
            if bool(backend.xp.all(backend.xp.isfinite(combined))):
                return combined
            return backend.put(self._combine(to_numpy(table)))
        weights = self.solution_.weights
        if table.dtype == weights.dtype:
            combined = table @ weights + self.intercept_
        else:
            # In double precision, but not all of the table at once.
            combined = np.empty(len(table))
            for rows in gen_batches(len(table), max(1, _BATCH // len(weights))):
                combined[rows] = table[rows] @ weights + self.intercept_
        holes = ~np.isfinite(combined)
        if not holes.any():
            return combined
        check_predictions(table, self.model_names_, allow_missing=True)
        missing = np.isnan(table[holes])
        answered = ~missing & self._imputed.answering
        found, pattern = self._of_rows(answered, np.flatnonzero(holes))
        weights = np.stack([each.weights for each in found])[pattern]
        added = np.array([each.intercept for each in found])[pattern]
        known = np.where(missing, 0.0, table[holes])
        combined[holes] = np.einsum("ij,ij->i", known, weights) + added
        return combined

    def _of_rows(
        self, answered: NDArray[np.bool_], rows: NDArray[np.intp]
    ) -> tuple[list[Solution], NDArray[np.intp]]:
        """Solution for each pattern of answers, solved once, and which each row has."""
        patterns, pattern, _ = group_patterns(answered)
        model = PredictionModel.from_moments(self.prediction_moments_)
        found = []
        for number, own in enumerate(patterns):
            key = np.packbits(own).tobytes().hex()
            solution = self._patterns.get(key)
            if solution is None:
                try:
                    solution = self._of_pattern(model, own)
                except InfeasibleError as error:
                    row = rows[(pattern == number).argmax()]
                    names = self.model_names_[own].tolist()
                    raise InfeasibleError(
                        f"Row {row}, where only {names[:10]} answer: {error} Beside "
                        "'nonnegative' weights may sum to less, and the intercept "
                        "makes up."
                    ) from None
                if len(self._patterns) < _MOST_PATTERNS:
                    self._patterns[key] = solution
            found.append(solution)
        if doubts := [each for each in found if each.warning]:
            warn_user(
                f"On {len(doubts)} of {len(found)} patterns of answers: "
                f"{doubts[0].warning}",
                ConvergenceWarning,
            )
        return found, pattern

    def _of_pattern(
        self, model: PredictionModel, answered: NDArray[np.bool_]
    ) -> Solution:
        if not answered.any():
            constant = replace(self.solution_, weights=np.zeros(len(answered)))
            return replace(constant, intercept=self._of_nobody()[0], objective=0.0)
        return solve_pattern(model, self.solution_, answered, **self._rules)

    def _of_nobody(self) -> tuple[float, float]:
        """Prediction where nobody answers, and its expected error."""
        moments = self._imputed.constant
        if moments.weight == 0:
            mean = self.prediction_moments_.mean[:-1] / self.prediction_moments_.scale
            return float(mean @ self.solution_.weights) + self.intercept_, np.nan
        left = 1.0 - 1.0 / moments.n_effective
        if left <= 0:
            error = np.inf
        else:
            spread = float(np.sqrt(moments.scatter[-1, -1] / moments.weight))
            error = np.square(spread / left / moments.scale)
        return float(moments.mean[-1]) / moments.scale, float(error)
