"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metadata_routing import UNUSED

from stackingnet_sk._compat import (
    BaseComposition,
    begin_fit,
    end_fit,
    with_callbacks,
)
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.ensemble.class_labels import check_class_labels
from stackingnet_sk.ensemble.class_table import read_class_table
from stackingnet_sk.ensemble.counting import CountingMixin
from stackingnet_sk.ensemble.user_constraints import check_limits, rows_of_groups
from stackingnet_sk.ensemble.validation import (
    check_choice,
    check_shrinkage,
    check_weights,
    refuse_metadata,
)
from stackingnet_sk.ensemble.weighing import kind_of_input
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import (
    Answer,
    ClassAnswer,
    ClassAnswers,
    about,
    sorted_classes,
    split_columns,
)
from stackingnet_sk.weights import SOLVERS, STRUCTURES


class StackingNetClassifier(CountingMixin, ClassifierMixin, BaseComposition):
    r"""Combine classifiers, or given votes or probabilities, by optimal weights.

    With `h` a model's one-hot vote (zero where it abstains), or the logarithm of its
    probabilities over the rates of the classes, scores are ``score_k(x) = sum_m sum_a
    V_mak h_ma(x) + b_k``, and probabilities their softmax. Weights minimize the log
    loss over the labelled rows plus a prior that fades as labels come. Its centre needs
    no labels: the log-odds of each model's confusion matrix, from the agreement of the
    models, errors in common discounted. Without labels it is the answer.

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
        rows. "auto" is 50 for votes, 100 for probabilities, 20 for the linear pool. 0
        is the maximum of the likelihood, which need not exist.
    structure : {"auto", "shared", "full"}, default="auto"
        "shared": one weight a model, at least zero (the architecture of [1]_, ``V_m =
        w_m I``). "full": a matrix a model, of any sign, which can tell a model that
        confuses two classes from one that is poor, and uses one that votes against the
        truth. "auto": the one of less approximate leave-one-out log loss, and "shared"
        where "full" has over a thousand coefficients. No effect on the linear pool.
    pool : {"logit", "linear"}, default="logit"
        "logit" as above, of probabilities the logarithmic opinion pool. "linear": the
        linear one, ``sum_m w_m p_m`` with weights at least zero that sum to one.
    input : {"auto", "votes", "proba"}, default="auto"
        What the columns of `X` are, without `estimators`: a column a model, or a column
        a class for each model, model after model. "auto": probabilities for the linear
        pool and for three-dimensional `X`, else votes.
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
    input_ : str
        "votes", or "proba" where models gave probabilities other than 0 and 1.
    structure_ : str
        "shared", "full", or "pool" for the linear pool.
    solution_ : Solution
        Objective, certificate (relative duality gap, residual of the optimality
        conditions), iterations, status, and the log-likelihood of the label-free
        estimate in each iteration.
    counts_ : VoteCounts
        Distinct rows of votes and how often they occur, labelled or not.
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
            pandas' NA abstains) or probabilities (NaN for all classes is silence). Of
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
        # Whatever fails below, weights never meet other models than their own.
        for attribute in [key for key in vars(self) if key.endswith("_")]:
            delattr(self, attribute)
        self._check_parameters()
        # A mapped file without classes has to be looked at for them, whole.
        whole = isinstance(X, np.memmap) and self.classes is None
        if self._is_stream(X) and not whole:
            refuse_metadata(self, params)
            self._refuse_groups(groups, sensitive_features)
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
            answers = read_class_table(self, X, classes, reset=True)
            own, rest = answers.take(labelled), answers.take(~labelled)
            own_codes = codes[labelled]
            own_weights = None if weights is None else weights[labelled]
        else:
            self.classes_ = self._classes_of_members() if classes is None else classes
            labels = self.classes_[np.maximum(codes, 0)]
            found, table = self._fit_members(
                X, labels, labelled, weights, groups, params
            )
            own = ClassAnswers.from_probabilities(found.table)
            rest = ClassAnswers.from_probabilities(table)
            own_codes, own_weights = codes[found.rows], found.weights(weights)
        others = None if weights is None else weights[~labelled]
        counts = self._count(own, own_codes, own_weights)
        if self.estimators is not None:
            counts = found.in_rows(counts, weights)
        counts = counts.merge(self._count(rest, None, others))
        self.input_ = kind_of_input(self.pool, own, rest)
        rows = labelled.nonzero()[0] if self.estimators is None else found.rows
        columns = rows_of_groups(sensitive_features, labelled, rows)
        return self._end_fit(
            X, y, counts, X_unlabeled, own, own_codes, own_weights, columns
        )

    def _end_fit(
        self, X: Any, y: Any, counts: VoteCounts, X_unlabeled: Any, *labelled: Any
    ) -> Self:
        if X_unlabeled is not None:
            with about("X_unlabeled"):
                if self._is_stream(X_unlabeled):
                    more = self._sum_stream(X_unlabeled, reset=False, labels="none")
                else:
                    more = self._count(self._answers(X_unlabeled))
                counts = counts.merge(more)
        for doubt in self._weigh(counts, *labelled):
            warn_user(doubt)
        end_fit(self, X, y)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.estimators is not None and self.cv != "prefit"
        if self.estimators is None:
            # Columns that are no votes about y say nothing of it.
            tags.classifier_tags.poor_score = True
            tags.input_tags.allow_nan = True
            tags.input_tags.categorical = True
            tags.input_tags.string = True
            tags.input_tags.three_d_array = True
        return tags

    def _check_parameters(self) -> None:
        for parameter, known in (
            ("pool", ["linear", "logit"]),
            ("structure", ["auto", *STRUCTURES]),
            ("input", ["auto", "proba", "votes"]),
            ("unknown_vote", ["abstain", "error"]),
            ("solver", list(SOLVERS)),
        ):
            check_choice(self, parameter, known)
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
        """All classes that fitted members know, where no labels say."""
        known = [
            np.asarray(member.classes_)
            for _, member in self._check_members()
            if hasattr(member, "classes_")
        ]
        if not known:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None; without labels, give fitted members with cv='prefit', or the "
                "classes with classes=."
            )
        return sorted_classes(np.concatenate(known), "the members' classes_")
