"""The classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._compat import (
    BaseComposition,
    begin_fit,
    end_fit,
    with_callbacks,
)
from stackingnet_sk._tables import as_frame
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.base import CombinerMixin, takes_blocks
from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.class_table import ClassTableReader
from stackingnet_sk.ensemble.streaming import refuse_groups
from stackingnet_sk.ensemble.user_constraints import check_limits, rows_of_groups
from stackingnet_sk.ensemble.validation import (
    check_choice,
    check_column_names,
    check_shrinkage,
    check_weights,
    refuse_metadata,
)
from stackingnet_sk.ensemble.vote_combiner import (
    Groups,
    LabelledAnswers,
    VoteCombiner,
    VoteParameters,
    gives_probabilities,
)
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import (
    Answer,
    Block,
    ClassAnswer,
    ClassAnswers,
    about,
    is_labelled,
    sorted_classes,
    split_columns,
)
from stackingnet_sk.weights import SOLVERS, STRUCTURES


class StackingNetClassifier(CombinerMixin, ClassifierMixin, BaseComposition):
    r"""Combine classifiers, or given votes or probabilities, by optimal weights.

    With `h` a model's one-hot vote (zero where it abstains), or the logarithm of its
    probabilities over the rates of the classes, scores are ``score_k(x) = sum_m sum_a
    V_mak h_ma(x) + b_k``, and probabilities their softmax. Weights minimize the log
    loss over the labelled rows plus a prior that fades as labels come. Its centre needs
    no labels: the log-odds of each model's confusion matrix, from the agreement of the
    models, errors in common discounted. Without labels it is the answer. With a few
    labels several centres are tried, and the labels say which to believe. How much
    detail agreement can bear, from one accuracy for the panel to a confusion matrix per
    model, is chosen by evidence, and copies of one model count as one.

    Two ways in: with `estimators`, members are fitted, and weights come from their
    out-of-fold predictions; without, the columns of `X` are what models say.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples, default=None
        Members by name; a member set to ``"drop"`` is left out. They are asked for
        `predict_proba`, else `decision_function`, else `predict`. None: `X` is a table
        of votes or probabilities.
    classes : array-like of shape (n_classes,), default=None
        All classes; by default those of the labels, and without labels those that are
        voted for. Columns of probabilities are in this order, by default sorted.
    class_weight : "balanced", dict or None, default=None
        How much classes count, in the loss, the decision, ties and rows without votes
        alike. "balanced": all the same, which is right for balanced accuracy. None: as
        often as they come.
    shrinkage : float or "auto", default="auto"
        Strength of the prior in pseudo-observations: it counts as so many labelled
        rows. "auto" is 100 for probabilities and 20 for the linear pool. For votes it
        mixes priors of strength 10 and 50 around several centres (agreement, labels
        alone, equal weights, no weights, single models), weighed by leave-one-out log
        loss; from 1,000 labelled rows on it is 50. 0 is the maximum of the likelihood,
        which need not exist.
    structure : {"auto", "shared", "full", "abstaining"}, default="auto"
        "shared": one weight a model, at least zero (the architecture of [1]_, ``V_m =
        w_m I``). "full": a matrix a model, of any sign, which can tell a model that
        confuses two classes from one that is poor, and uses one that votes against the
        truth. "abstaining": also what it says about the classes that a model abstains.
        "auto" takes the one with the smallest approximate leave-one-out log loss, or
        mixes them (see `shrinkage`). It leaves out structures of over a thousand
        coefficients, and "abstaining" where all models answer and for probabilities. No
        effect on the linear pool.
    pool : {"logit", "linear"}, default="logit"
        "logit" as above, of probabilities the logarithmic opinion pool. "linear": the
        linear one, ``sum_m w_m p_m`` with weights at least zero that sum to one.
    input : {"auto", "votes", "proba"}, default="auto"
        What the columns of `X` are, without `estimators`: one column of votes per
        model, or one column of probabilities per model and class, model after model.
        "auto": probabilities for the linear pool and for three-dimensional `X`, else
        votes.
    unknown_vote : {"abstain", "error"}, default="abstain"
        What a vote is that is no class. Votes that abstain are counted in a warning.
    constraint : Constraint or callable, default=None
        Limits on the weights beside the architecture: those of
        :mod:`stackingnet_sk.constraints`, or a callable that takes the weights and the
        intercepts, as cvxpy expressions, and the names of the models, and returns cvxpy
        constraints. "auto" is the structure "shared" then. Needs labels.
    max_patterns : int, default=1_000_000
        Most distinct rows of votes to keep; more are an error.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent, slower one.
    cv : int, splitter, iterable of splits or "prefit", default=None
        How members are cross-predicted; None is 5 stratified folds. "prefit": the
        members are fitted already: give rows that they have not seen.
    memory : str, path-like or joblib.Memory, default=None
        Folder in which fits of the members are kept, by member, data and split: a
        search over other parameters does each once.
    n_jobs : int, default=None
        How many fits run at the same time, over all members and folds; without members,
        how many blocks of a stream are summed at the same time.
    verbose : int, default=0
        Above 0, a line for each fit.

    Attributes
    ----------
    weights_ : ndarray of shape (n_models,)
        One number a model: by how much its vote raises the class that it names above
        the others, in nats, mean over classes; negative for one that is turned around.
        Of the linear pool its share.
    vote_weights_ : ndarray of shape (n_models, n_classes, n_classes)
        Entry ``[m, a, k]``: what a vote of model m for class a adds to the score of
        class k.
    abstention_weights_ : ndarray of shape (n_models, n_classes)
        Entry ``[m, k]``: what model m adds to the score of class k if it abstains. It
        is zero without labels, and if labelled rows do not show that abstaining depends
        on the class. Where all models abstain, the class prior is multiplied by it.
    intercept_ : ndarray of shape (n_classes,)
        ``b``, the logarithm of the class prior included.
    reliability_ : ndarray of shape (n_models,)
        Balanced accuracy of each model, the mean diagonal of `confusion_`. Unlike a
        weight, it does not depend on who else says the same.
    confusion_ : ndarray of shape (n_models, n_classes, n_classes)
        Entry ``[m, k, a]``: probability that model m, when it answers, votes for class
        a on an item of class k. Labelled votes are blended with the estimate from the
        agreement on all rows, which counts as 100 of them.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    class_prior_ : ndarray of shape (n_classes,)
        Class prior in force, `class_weight` included.
    class_rates_ : ndarray of shape (n_classes,)
        Estimated rates of the classes.
    families_ : ndarray of int of shape (n_models,)
        Family of each model. Models that make the same errors are a family, such as
        one judge with several prompts; they count as one model, and share its weight.
    input_ : str
        "votes", or "proba" where models gave probabilities other than 0 and 1.
    structure_ : str
        "shared", "full", "abstaining", or "pool" for the linear pool.
    solution_ : Solution
        Objective, certificate (relative duality gap, residual of the optimality
        conditions), iterations, status, and the log-likelihood of the label-free
        estimate in each iteration.
    counts_ : VoteCounts
        Distinct rows of votes and how often they occur, labelled or not.
    combiner_ : VoteCombiner
        The frozen combiner behind `predict`. ``combiner_.subset(models)`` is the
        combination of fewer models, fitted from `counts_`.
    model_names_ : ndarray of shape (n_models,)
        Names of the members in use, or of the columns.
    estimators_ : list of estimators
        The members, fitted on all rows. Only with `estimators`.
    named_estimators_ : Bunch
        The same by name. Only with `estimators`.
    out_of_fold_predictions_ : ndarray of shape (n_predicted, n_models, n_classes)
        What the members predicted of the labelled rows, each by a fit that had not seen
        the row: the table that the weights come from. Only with members that are fitted
        here, not with ``cv="prefit"``.
    out_of_fold_rows_ : ndarray of int of shape (n_predicted,)
        The row of `X` that each of these predictions is for, ascending. A splitter may
        leave rows out or repeat them.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names; defined only when all of them are strings.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : Votes with weights that the user sets.
    sklearn.ensemble.StackingClassifier : Train any estimator on the predictions.

    Notes
    -----
    A tie goes to the class of the largest prior, then to that of the most reliable
    model's vote, then to the first: the order of the columns never matters. A row on
    which every model abstains gets the class prior.

    References
    ----------
    .. [1] Li et al., "StackingNet", 2026, arXiv:2602.13792.
    .. [2] Shapley and Grofman, "Optimizing group judgmental accuracy in the presence of
       interdependencies", Public Choice 43, 1984.
    .. [3] Dawid and Skene, "Maximum likelihood estimation of observer error-rates using
       the EM algorithm", Applied Statistics 28, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetClassifier
    >>> votes = np.array([["cat", "cat", "dog"], ["dog", "dog", "dog"]] * 20)
    >>> model = StackingNetClassifier().fit(votes)  # no labels
    >>> model.predict([["cat", "cat", "dog"], ["dog", np.nan, "dog"]]).tolist()
    ['cat', 'dog']
    >>> model.fit(votes, ["cat", "dog"] * 20).reliability_.round(2).tolist()
    [0.98, 0.98, 0.53]
    """

    class_prior_: NDArray[np.float64]
    class_rates_: NDArray[np.float64]
    abstention_weights_: NDArray[np.float64]
    families_: NDArray[np.intp]
    classes_: NDArray[Any]
    combiner_: VoteCombiner
    confusion_: NDArray[np.float64]
    counts_: VoteCounts
    input_: str
    intercept_: NDArray[np.float64]
    structure_: str
    vote_weights_: NDArray[np.float64]
    _statistics_name = "counts_"
    _weight_parameters = (
        "class_weight",
        "constraint",
        "shrinkage",
        "solver",
        "structure",
    )
    # The splitter consumes groups, the combiner does not.
    __metadata_request__fit: ClassVar = {"groups": UNUSED}

    def __init__(
        self,
        estimators: list[tuple[str, Any]] | None = None,
        *,
        classes: ArrayLike | None = None,
        class_weight: Any = None,
        shrinkage: float | str = "auto",
        structure: str = "auto",
        pool: str = "logit",
        input: str = "auto",
        unknown_vote: str = "abstain",
        constraint: Any = None,
        max_patterns: int = 1_000_000,
        solver: str = "auto",
        cv: Any = None,
        memory: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimators = estimators
        self.classes = classes
        self.class_weight = class_weight
        self.shrinkage = shrinkage
        self.structure = structure
        self.pool = pool
        self.input = input
        self.unknown_vote = unknown_vote
        self.constraint = constraint
        self.max_patterns = max_patterns
        self.solver = solver
        self.cv = cv
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        X_unlabeled: Any = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        sensitive_features: Any = None,
        **params: Any,
    ) -> Self:
        """Fit the members, if any, and the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), \
(n_samples, n_models), (n_samples, n_models * n_classes) or \
(n_samples, n_models, n_classes)
            What the members take; without members votes (numbers or texts; NaN, None or
            pandas' NA abstains) or probabilities (NaN for all classes abstains). Of
            votes, with `classes` given, also a table that is never held whole: a
            memory-mapped array, an iterator of blocks (tables, tuples ``(X, y)`` or
            ``(X, y, sample_weight)``), an Arrow data set, a Dask array or dataframe.
        y : array-like of shape (n_samples,), default=None
            Labels; NaN or None on rows without. Of frames, in memory or in a stream,
            Arrow data and Dask dataframes also the name of a column, like
            `sample_weight`. Members are
            fitted on the labelled rows. With ``y=None`` the weights come from the
            agreement of the models; members must be "prefit" then.
        X_unlabeled : array-like of shape (n_unlabelled, n_features), default=None
            More rows without labels, drawn like the others. What the models say there
            informs the prior and `reliability_`. Cross-validation passes it on whole,
            unless it has as many rows as `X`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative; an integer weight is a repetition, and weights below one on
            average count as Kish's effective number of rows. Reaches the members' `fit`
            and the weights.
        groups : array-like of shape (n_samples,), default=None
            For the splitter, such as `StratifiedGroupKFold`.
        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)\
, default=None
            Groups of the rows, for constraints that compare groups.
        **params : dict
            Metadata for the members, with metadata routing enabled.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter is unknown, or a vote, probability, label or weight cannot be
            used; the message names the column or member and the row.
        InfeasibleError
            If no weights fulfil `constraint`; a ValueError that names what can't hold.
        TypeError
            If a member does not take sample weights that are given.

        Warns
        -----
        UserWarning
            If there are votes that are no class.
        ConvergenceWarning
            If the solution is not certified.
        """
        self._forget()
        self._check_parameters()
        # The whole of a mapped file has to be read to find the classes.
        whole = isinstance(X, np.memmap) and self.classes is None
        if self._is_stream(X) and not whole:
            refuse_metadata(self, params)
            refuse_groups(groups, sensitive_features)
            begin_fit(self, [], X, y)
            self._set_classes(self.classes)
            counts = self._sum_stream(X, y, sample_weight, reset=True, labels="one")
            self.input_ = "votes"
            return self._end_fit(X, y, counts, X_unlabeled)
        X, y, sample_weight = split_columns(X, y, sample_weight)
        codes, classes = check_class_labels(X, y, self.classes)
        weights = check_weights(sample_weight, codes)
        labelled = codes >= 0
        if self.estimators is None:
            refuse_metadata(self, params)
            begin_fit(self, [], X, y)
            answers = self._read(X, classes, reset=True)
            rows = labelled.nonzero()[0]
            labelled_answers, others = answers.take(labelled), answers.take(~labelled)
            row_weights = None if weights is None else weights[labelled]
            counts = self._count(labelled_answers, codes[rows], row_weights)
        else:
            self.classes_ = self._classes_of_members() if classes is None else classes
            labels = self.classes_[np.maximum(codes, 0)]
            out_of_fold, table = self._fit_members(
                X, labels, labelled, weights, groups, params
            )
            rows = out_of_fold.rows
            labelled_answers = ClassAnswers.from_probabilities(out_of_fold.table)
            others = ClassAnswers.from_probabilities(table)
            row_weights = out_of_fold.weights(weights)
            counts = self._count(labelled_answers, codes[rows], row_weights)
            counts = out_of_fold.in_rows(counts, weights)
        other_weights = None if weights is None else weights[~labelled]
        counts = counts.merge(self._count(others, None, other_weights))
        of_probabilities = gives_probabilities(self.pool, labelled_answers, others)
        self.input_ = "proba" if of_probabilities else "votes"
        labelled_rows = LabelledAnswers(
            labelled_answers,
            codes[rows],
            np.ones(len(rows)) if row_weights is None else row_weights,
            rows_of_groups(sensitive_features, labelled, rows),
        )
        return self._end_fit(X, y, counts, X_unlabeled, labelled_rows)

    def _end_fit(
        self,
        X: Any,
        y: Any,
        counts: VoteCounts,
        X_unlabeled: Any,
        rows: LabelledAnswers | None = None,
    ) -> Self:
        if X_unlabeled is not None:
            with about("X_unlabeled"):
                if self._is_stream(X_unlabeled):
                    more = self._sum_stream(X_unlabeled, reset=False, labels="none")
                else:
                    more = self._count(self._answers(X_unlabeled))
                counts = counts.merge(more)
        groups: Groups = ()
        if rows is not None:
            groups = rows.counts_of_groups(len(self.classes_))
            rows = rows if self.input_ == "proba" else None
        for warning in self._weigh(counts, groups, rows):
            warn_user(warning)
        end_fit(self, X, y)
        return self

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
        first = self._statistics() is None
        given = classes if classes is not None else self.classes
        if not first:
            _, given = check_class_labels(X, None, given)
            if given is not None and given.tolist() != self.classes_.tolist():
                raise ValueError(
                    f"classes={given.tolist()} differ from those of the first call, "
                    f"{self.classes_.tolist()}."
                )
        else:
            self._set_classes(given)
        counts = self._sum_new(X, y, sample_weight)
        self.input_ = "votes"
        self._add(counts)
        return self

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
            Probabilities, or one at the class voted for; zeros where a model abstains.
            Model-major.
        """
        check_is_fitted(self)
        answers = self._answers(X)
        vectors = answers.vectors(len(self.classes_))
        return np.array(vectors.reshape(len(answers.votes), -1))

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

    def _output_names(self) -> Iterable[str]:
        for name, label in product(self.model_names_, self.classes_):
            yield f"{name}_{label}"

    def _combine(self, X: Any) -> NDArray[np.float64]:
        """Pool the answers, and settle ties."""
        answers = self._weighted_answers(X)
        if self.combiner_.has_ties(answers):
            # A tie may be decided by a model without weight.
            answers = self._answers(X)
        return self.combiner_.decide(answers)

    def _weighted_answers(self, X: Any) -> ClassAnswers:
        """Read the answers of models with a weight; other members are not called."""
        has_weight = self.combiner_.has_weight
        if not hasattr(self, "estimators_") or not has_weight.any():
            return self._answers(X)
        self._check_features(X, reset=False)
        return ClassAnswers.from_probabilities(self._ask(X, has_weight.nonzero()[0]))

    def _answers(self, X: Any) -> ClassAnswers:
        """Read the answers of all models."""
        if not hasattr(self, "estimators_"):
            return self._read(X, self.classes_, reset=False)
        self._check_features(X, reset=False)
        return ClassAnswers.from_probabilities(
            self._ask(X, range(len(self.estimators_)))
        )

    def _read(
        self, X: Any, classes: NDArray[Any] | None, *, reset: bool
    ) -> ClassAnswers:
        """Check a table; remember, or compare, its columns."""
        check_column_names(X, None if reset else self)
        reader = ClassTableReader(
            type(self).__name__,
            self.input,
            self.pool == "linear",
            None if self.classes is None else np.asarray(self.classes).tolist(),
            self.unknown_vote,
        )
        if not reset:
            columns_per_model = self.n_features_in_ // len(self.model_names_)
            reader = replace(
                reader,
                fitted_on="votes" if columns_per_model == 1 else "proba",
                model_names=self.model_names_,
            )
        table = reader.read(X, classes, partial(self._check_columns, reset=reset))
        if reset:
            self.classes_, self.model_names_ = table.classes, table.model_names
        if table.warning:
            warn_user(table.warning)
        return table.answers

    def _set_classes(self, classes: ArrayLike | None) -> None:
        if classes is None:
            raise ValueError(
                "classes=None at the first call of partial_fit, or of a stream; list "
                "all classes, for later blocks may bring others than this one."
            )
        _, checked = check_class_labels((), None, classes)
        self.classes_ = np.asarray(checked)

    def _check_block(self, block: Block, *, reset: bool) -> Callable[[], VoteCounts]:
        y = block.y
        if y is not None and not is_labelled(y).any():
            # A block of a partly labelled stream need not have a label.
            y = None
        codes, classes = check_class_labels(block.X, y, self.classes_)
        weights = check_weights(block.sample_weight, codes, all_rows=False)
        answers = self._read(block.X, classes, reset=reset)
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

    def _groups(self) -> tuple[Any, ...]:
        return (self._group_counts,)

    def _weigh(
        self,
        statistics: VoteCounts,
        groups: Groups = (),
        rows: LabelledAnswers | None = None,
    ) -> list[Warning]:
        combiner = VoteCombiner.from_counts(
            statistics,
            VoteParameters.of(self),
            self.classes_,
            self.model_names_,
            groups,
            rows,
        )
        solution = combiner.solution
        self.counts_ = statistics
        self.combiner_, self._group_counts = combiner, groups
        self.solution_ = solution
        self.weights_ = solution.weights.copy()
        self.vote_weights_ = np.array(solution.vote_weights)
        self.abstention_weights_ = np.zeros(self.vote_weights_.shape[:2])
        if solution.abstention is not None:
            self.abstention_weights_ += solution.abstention
        self.intercept_ = np.array(solution.intercept)
        self.structure_ = solution.constraint
        self.confusion_ = combiner.voters.believed
        self.reliability_ = combiner.voters.reliability
        self.class_prior_ = combiner.class_prior
        self.class_rates_ = combiner.voters.rates
        self.families_ = combiner.voters.families
        warnings: list[Warning] = [UserWarning(text) for text in combiner.copies]
        if solution.warning:
            warnings.append(ConvergenceWarning(solution.warning))
        return warnings

    def _count(
        self,
        answers: ClassAnswers,
        codes: NDArray[np.intp] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> VoteCounts:
        if codes is None:
            codes = np.full(len(answers.votes), -1)
        return VoteCounts.from_rows(answers.votes, codes, len(self.classes_), weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.estimators is not None and self.cv != "prefit"
        if self.estimators is None:
            # Columns that are not votes about y carry no information about it.
            tags.classifier_tags.poor_score = True
            tags.input_tags.allow_nan = True
            tags.input_tags.categorical = True
            tags.input_tags.string = True
            tags.input_tags.three_d_array = True
        return tags

    def _check_parameters(self) -> None:
        for parameter, choices in (
            ("pool", ["linear", "logit"]),
            ("structure", ["auto", *STRUCTURES]),
            ("input", ["auto", "proba", "votes"]),
            ("unknown_vote", ["abstain", "error"]),
            ("solver", list(SOLVERS)),
        ):
            check_choice(self, parameter, choices)
        check_shrinkage(self)
        check_limits(self.constraint)
        if self.pool == "linear" and self.input == "votes":
            raise ValueError(
                "pool='linear' mixes probabilities; use pool='logit' for votes."
            )

    @property
    def _answer(self) -> Answer:
        return ClassAnswer(self.classes_)

    def _classes_of_members(self) -> NDArray[Any]:
        """Return the classes of all fitted members, for a fit without labels."""
        classes = [
            np.asarray(member.classes_)
            for _, member in self._check_members()
            if hasattr(member, "classes_")
        ]
        if not classes:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None; without labels, give fitted members with cv='prefit', or the "
                "classes with classes=."
            )
        return sorted_classes(np.concatenate(classes), "the members' classes_")
