"""The fitted combiner of votes: from counts to weights, from answers to classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.ensemble.class_labels import check_class_weight
from stackingnet_sk.ensemble.decision import (
    is_tied,
    opinions,
    pool_votes,
    settle_ties,
    shift_prior,
)
from stackingnet_sk.ensemble.user_constraints import make_user_constraints
from stackingnet_sk.ensemble.validation import check_shrinkage
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import ClassAnswers
from stackingnet_sk.weights import (
    ENOUGH_LABELS,
    Abstaining,
    Solution,
    VoterEstimates,
    solve_mixture,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)

# Pseudo-observations of shrinkage="auto". On real votes 30 to 100 serve from 1 % labels
# to 10 %. On probabilities of fitted members, from 20 labels to thousands, 50 to 150
# serve for the evidence in them, which varies more, and 10 to 20 for the linear pool.
_AUTO = {"votes": 50.0, "proba": 100.0, "linear": 20.0}

Groups = Sequence[Mapping[str, VoteCounts]]


class VoteParameters(NamedTuple):
    """Parameters of a classifier that its weights depend on, besides the rows."""

    class_weight: Any
    shrinkage: float | str
    structure: str
    pool: str
    constraint: Any
    max_patterns: int
    solver: str

    @classmethod
    def of(cls, estimator: Any) -> VoteParameters:
        """Read the parameters of an estimator; a ValueError names a wrong one."""
        check_shrinkage(estimator)
        return cls(*(getattr(estimator, name) for name in cls._fields))


@dataclass(frozen=True, eq=False)
class LabelledAnswers:
    """Labelled rows with what counts of votes do not hold: probabilities and groups.

    `codes` are labels as indices of classes, and `columns` holds, for each column of
    groups, the rows of each group.
    """

    answers: ClassAnswers
    codes: NDArray[np.intp]
    weights: NDArray[np.float64]
    columns: Sequence[Mapping[str, NDArray[np.intp]]] = ()

    def counts_of_groups(self, n_classes: int) -> list[dict[str, VoteCounts]]:
        """Count the votes of each group; rows that no model answers don't count."""
        answered = np.any(self.answers.given, axis=1)

        def count(rows: NDArray[np.intp]) -> VoteCounts:
            # Where no model answers the prediction is the class prior, whatever the
            # weights.
            rows = rows[answered[rows]]
            return VoteCounts.from_rows(
                self.answers.votes[rows],
                self.codes[rows],
                n_classes,
                self.weights[rows],
            )

        return [
            {group: count(rows) for group, rows in column.items()}
            for column in self.columns
        ]


@dataclass(frozen=True, eq=False)
class VoteCombiner:
    """Weights, the counts they come from, and how answers are combined with them.

    `groups` holds, for each column of groups, the labelled votes of each group.
    `voters` has the confusions, class rates and reliability of the combined models, and
    `class_prior` is the prior in force. `models` are the indices of the models that are
    combined, or None for all.
    """

    counts: VoteCounts
    parameters: VoteParameters
    classes: NDArray[Any]
    model_names: NDArray[np.object_]
    groups: Groups
    voters: VoterEstimates
    class_prior: NDArray[np.float64]
    solution: Solution
    of_probabilities: bool
    models: NDArray[np.intp] | None = None

    @classmethod
    def from_counts(
        cls,
        counts: VoteCounts,
        parameters: VoteParameters,
        classes: NDArray[Any],
        model_names: NDArray[np.object_],
        groups: Groups = (),
        rows: LabelledAnswers | None = None,
        models: NDArray[np.intp] | None = None,
    ) -> VoteCombiner:
        """Solve for the weights of some models, or of all if `models` is None.

        `rows` are the labelled rows if all models give probabilities. A ValueError is
        raised if there are more distinct rows of votes than `max_patterns`, or a
        constraint but no label; an InfeasibleError if no weights fulfil the constraint.
        """
        if len(counts) > parameters.max_patterns:
            raise ValueError(
                f"There are {len(counts)} distinct rows of votes, more than "
                f"max_patterns={parameters.max_patterns}; raise it if memory allows, "
                "or combine fewer models."
            )
        combined = counts if models is None else counts.subset(models)
        rows_per_weight, combined = combined.kish, combined.effective()
        class_weight = check_class_weight(
            parameters.class_weight, classes, combined.n_labelled
        )
        voters = VoterEstimates.from_counts(combined)
        if isinstance(parameters.class_weight, str):
            prior = np.full(combined.n_classes, 1.0 / combined.n_classes)
        else:
            prior = voters.rates * class_weight
            prior /= prior.sum()
        problem = _VoteProblem(
            combined, parameters, voters, prior, class_weight, rows_per_weight, rows
        )
        return cls(
            counts,
            parameters,
            classes,
            model_names,
            groups,
            voters,
            prior,
            problem.solve(model_names, groups, models),
            rows is not None,
            models,
        )

    def subset(self, models: NDArray[np.intp]) -> VoteCombiner:
        """Combine the votes of some of the models only, given by their indices.

        The counts hold no probabilities, so a linear pool becomes one of votes.
        """
        chosen = models if self.models is None else self.models[models]
        return self.from_counts(
            self.counts,
            self.parameters._replace(pool="logit"),
            self.classes,
            self.model_names,
            self.groups,
            models=chosen,
        )

    def refitted(self, counts: VoteCounts, groups: Groups = ()) -> VoteCombiner:
        """Combine the votes of the same models with weights from other rows."""
        return self.from_counts(
            counts, self.parameters, self.classes, self.model_names, groups
        )

    @property
    def linear(self) -> bool:
        """Whether the linear pool mixes the probabilities."""
        return self.parameters.pool == "linear"

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Reliability of each combined model: its balanced accuracy."""
        return self.voters.reliability

    @property
    def copies(self) -> list[str]:
        """Say for each family of copies that it counts as one model."""
        families = self.voters.families
        names = (
            self.model_names if self.models is None else self.model_names[self.models]
        )
        members = [names[families == family] for family in np.unique(families)]
        return [
            f"The models {', '.join(repr(str(name)) for name in some)} make the same "
            "errors, so they are counted as one."
            for some in members
            if len(some) > 1
        ]

    def pool(self, answers: ClassAnswers) -> NDArray[np.float64]:
        """Combine answers into probabilities of shape (n_rows, n_classes)."""
        if self.linear:
            shift = self.class_prior / self.voters.rates
            table = shift_prior(answers, shift, self.class_prior)
            pooled: NDArray[np.float64] = np.einsum(
                "imk,m->ik", table, self.solution.weights
            )
        else:
            rates = self.voters.rates if self.of_probabilities else None
            vote_weights = np.asarray(self.solution.vote_weights)
            intercept = np.asarray(self.solution.intercept)
            abstention = self.solution.abstention
            pooled = pool_votes(answers, vote_weights, intercept, rates, abstention)
        pooled[~answers.given.any(axis=1)] = self._where_all_abstain()
        return pooled

    def _where_all_abstain(self) -> NDArray[np.float64]:
        """Return the class prior, times what it says that all models abstain."""
        if self.solution.abstention is None or self.linear:
            return self.class_prior
        said = self.solution.abstention.sum(axis=0)
        chances = self.class_prior * np.exp(said - said.max())
        return np.asarray(chances / chances.sum())

    def has_ties(self, answers: ClassAnswers) -> bool:
        """Tell whether several classes are the most probable on any row."""
        return bool(len(answers.votes) and is_tied(self.pool(answers)).any())

    def decide(self, answers: ClassAnswers) -> NDArray[np.float64]:
        """Combine answers into probabilities whose largest is the class decided on."""
        return settle_ties(
            self.pool(answers),
            self.class_prior,
            answers.votes,
            self.reliability,
        )

    @property
    def has_weight(self) -> NDArray[np.bool_]:
        """Whether the answers of each model change any probability."""
        vote_weights = np.asarray(self.solution.vote_weights)
        turns: NDArray[np.bool_] = np.any(vote_weights, axis=(1, 2))
        if self.solution.abstention is not None:
            turns |= np.any(self.solution.abstention, axis=1)
        has_weight: NDArray[np.bool_] = turns | (self.solution.weights != 0)
        return has_weight


@dataclass(frozen=True, eq=False)
class _VoteProblem:
    """Which problem the votes, or the probabilities, and the parameters make."""

    counts: VoteCounts
    parameters: VoteParameters
    voters: VoterEstimates
    prior: NDArray[np.float64]
    class_weight: NDArray[np.float64]
    rows_per_weight: float
    rows: LabelledAnswers | None

    @property
    def linear(self) -> bool:
        return self.parameters.pool == "linear"

    def solve(
        self,
        names: NDArray[np.object_],
        groups: Groups,
        models: NDArray[np.intp] | None,
    ) -> Solution:
        n_labelled = self.counts.n_labelled
        constraint = self.parameters.constraint
        if constraint is not None and not n_labelled.any():
            raise ValueError(
                f"constraint={constraint!r} needs labels: without, weights follow from "
                "the agreement of the models alone. Label some rows, or set "
                "constraint=None."
            )
        of_probabilities = self.rows is not None
        if of_probabilities and self.parameters.structure == Abstaining.name:
            raise ValueError(
                "structure='abstaining' is for votes, and these are probabilities; "
                "take structure='full', or give one column of votes per model."
            )
        center = self.voters.opinions if of_probabilities else self.voters.agreement
        if not n_labelled.any():
            if self.linear:
                return solve_pool_unlabelled(self.voters, self.prior)
            return solve_votes_unlabelled(self.voters, center, self.prior)
        # Kish's effective number of rows, class weights included.
        total = float(n_labelled @ self.class_weight)
        share = total / float(n_labelled @ np.square(self.class_weight))
        row_weight = self.class_weight * share
        design, labelled = self._design(row_weight)
        options: dict[str, Any] = {
            "shrinkage": self._shrinkage(),
            "solver": self.parameters.solver,
        }
        if constraint is not None:
            facts = self._facts(design)
            columns = self.rows.columns if self.rows is not None else groups
            if models is not None:
                columns = [
                    {group: votes.subset(models) for group, votes in column.items()}
                    for column in groups
                ]
            limits = make_user_constraints(constraint, names, columns, facts)
            if limits is not None and models is not None:
                limits = limits.subset(models)
            options["user_constraints"] = limits
        if self.linear and of_probabilities:
            return solve_pool(design, labelled, self.voters, self.prior, **options)
        rows = design, labelled, self.voters
        options["structure"] = self.parameters.structure
        if self._is_mixture(labelled):
            del options["shrinkage"]
            return solve_mixture(*rows, self.prior, row_weight, **options)
        return solve_votes(*rows, center, self.prior, row_weight, **options)

    def _is_mixture(self, labelled: NDArray[np.float64]) -> bool:
        """Tell whether several priors are tried: votes, and labels that are few."""
        automatic = isinstance(self.parameters.shrinkage, str)
        few = float(labelled.sum()) <= ENOUGH_LABELS
        return automatic and few and self.rows is None

    def _shrinkage(self) -> float:
        strength = self.parameters.shrinkage
        if isinstance(strength, str):
            kind = "linear" if self.linear else "proba"
            return _AUTO[kind if self.rows is not None else "votes"]
        return float(strength)

    def _design(self, row_weight: NDArray[np.float64]) -> tuple[Any, Any]:
        """Design of the labelled rows, and the weight of each row or label."""
        if self.rows is None:
            patterns = np.flatnonzero(self.counts.labelled.sum(axis=1))
            labelled = self.counts.labelled[patterns] * row_weight
            return self.counts.design[patterns], labelled
        codes, answers = self.rows.codes, self.rows.answers
        weights = self.rows_per_weight * row_weight[codes] * self.rows.weights
        if self.linear:
            table = shift_prior(answers, self.prior / self.voters.rates, self.prior)
            return table[np.arange(len(codes)), :, codes], weights
        design = opinions(answers, self.voters.rates).reshape(len(codes), -1)
        return design, np.eye(len(self.prior))[codes] * weights[:, None]

    def _facts(self, design: Any) -> Any:
        """Return what tells a constraint about the rows of a group."""
        if self.rows is None:
            return _facts_of_votes
        rows = self.rows
        counted = np.any(rows.answers.given, axis=1) & (rows.weights > 0)
        truth = np.eye(len(self.prior))[rows.codes]

        def facts(group: NDArray[np.intp]) -> tuple[Any, NDArray[np.float64]] | None:
            group = group[counted[group]]
            if not group.size:
                return None
            weights = rows.weights[group]
            if self.linear:
                return design[group], weights
            return design[group], truth[group] * weights[:, None]

        return facts


def _facts_of_votes(group: VoteCounts) -> tuple[Any, NDArray[np.float64]] | None:
    return (group.design, group.labelled) if len(group) else None


def gives_probabilities(pool: str, *answers: ClassAnswers) -> bool:
    """Tell whether models give probabilities, not votes in whatever form.

    The linear pool mixes probabilities in any case.
    """
    return pool == "linear" or not all(part.sure for part in answers)
