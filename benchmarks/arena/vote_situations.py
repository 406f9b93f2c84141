"""Generated voters whose faults are known, each a function of the true classes.

Unless a situation says otherwise there are eight voters and two balanced classes, a
wrong vote is uniform over the other classes, and voters are independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from .case import Array, Case, Trial

__all__ = ["cases"]

N_TEST = 400
Generator = np.random.Generator
Votes = Callable[[Generator, Array], Array]


@dataclass(frozen=True)
class Situation:
    """Votes given the truth, and how the truth is distributed.

    ``test_rates`` are the rates of classes in the rows without labels, where these
    differ from the labelled rows.
    """

    name: str
    votes: Votes
    rates: tuple[float, ...] = (0.5, 0.5)
    test_rates: tuple[float, ...] | None = None
    n_unlabelled: int | None = None
    bar: bool = True


def cases(n_unlabelled: int) -> list[Case]:
    """Return every situation, with so many rows to learn from without labels."""
    return [
        Case(
            situation.name,
            "generated",
            partial(trial, situation, situation.n_unlabelled or n_unlabelled),
            situation.bar,
        )
        for situation in SITUATIONS
    ]


def trial(situation: Situation, n_unlabelled: int, n_labels: int, seed: int) -> Trial:
    """Draw the truth, then the votes of all rows at once."""
    rng = np.random.default_rng(seed)
    n_classes = len(situation.rates)
    n_rest = n_unlabelled + N_TEST
    truth = np.concatenate(
        [
            rng.choice(n_classes, n_labels, p=situation.rates),
            rng.choice(n_classes, n_rest, p=situation.test_rates or situation.rates),
        ]
    )
    votes = situation.votes(rng, truth)
    first = n_labels + n_unlabelled
    return Trial(
        P=votes[:n_labels],
        y=truth[:n_labels],
        unlabeled=votes[n_labels:first],
        test=votes[first:],
        truth=truth[first:],
        n_classes=n_classes,
        seed=seed,
    )


def vote(
    rng: Generator, truth: Array, accuracy: float | Array, n_classes: int
) -> Array:
    """Return one voter's votes."""
    wrong = (truth + rng.integers(1, n_classes, len(truth))) % n_classes
    return np.where(rng.random(len(truth)) < accuracy, truth, wrong).astype(float)


def independent(
    accuracies: Sequence[float], n_classes: int, rng: Generator, truth: Array
) -> Array:
    """Return votes (n, M) of independent voters."""
    return np.column_stack([vote(rng, truth, a, n_classes) for a in accuracies])


def with_copies(
    accuracies: Sequence[float],
    copied: Sequence[tuple[float, int, float]],
    rng: Generator,
    truth: Array,
) -> Array:
    """Return independent voters beside families of copies, of two classes.

    A family is the accuracy of its voter, the number of its columns, and the share of
    rows on which a column repeats that voter; elsewhere it votes anew.
    """
    columns = [vote(rng, truth, a, 2) for a in accuracies]
    for accuracy, n_columns, share in copied:
        source = vote(rng, truth, accuracy, 2)
        for _ in range(n_columns):
            same = rng.random(len(truth)) < share
            columns.append(np.where(same, source, vote(rng, truth, accuracy, 2)))
    return np.column_stack(columns)


def hard_and_easy(rng: Generator, truth: Array) -> Array:
    """Half of the rows are easy for all voters, half are coins for all."""
    accuracy = np.where(rng.random(len(truth)) < 0.5, 0.95, 0.5)
    return np.column_stack([vote(rng, truth, accuracy, 2) for _ in range(8)])


def biased(rng: Generator, truth: Array) -> Array:
    """Answer class 0 in 40 % of the cells, whatever is true."""
    votes = independent([0.8] * 8, 2, rng, truth)
    return np.where(rng.random(votes.shape) < 0.4, 0.0, votes)


def confused(rng: Generator, truth: Array) -> Array:
    """Exchange classes 1 and 2 in half of the voters."""
    votes = independent([0.8] * 8, 3, rng, truth)
    exchanged = np.array([0.0, 2.0, 1.0])
    votes[:, :4] = exchanged[votes[:, :4].astype(int)]
    return votes


def missing_by_class(rng: Generator, truth: Array) -> Array:
    """Abstain on 70 % of the rows of class 1."""
    votes = independent([0.75] * 8, 2, rng, truth)
    missing = (rng.random(votes.shape) < 0.7) & (truth == 1)[:, None]
    return np.where(missing, np.nan, votes)


def labelling_functions(rng: Generator, truth: Array) -> Array:
    """Withhold 90 % of the votes for class 0."""
    votes = independent([0.75] * 8, 2, rng, truth)
    missing = (rng.random(votes.shape) < 0.9) & (votes == 0)
    return np.where(missing, np.nan, votes)


def sparse(accuracies: Sequence[float], rng: Generator, truth: Array) -> Array:
    """Three answers per row."""
    votes = independent(accuracies, 2, rng, truth)
    order = rng.random(votes.shape).argsort(axis=1)
    return np.where(order < 3, votes, np.nan)


def voters(*accuracies: float, n_classes: int = 2) -> Votes:
    return partial(independent, accuracies, n_classes)


def copies(accuracies: Sequence[float], *families: tuple[float, int, float]) -> Votes:
    return partial(with_copies, accuracies, families)


def uniform(n_classes: int) -> tuple[float, ...]:
    return (1.0 / n_classes,) * n_classes


JUDGES = (0.9, 0.85, 0.8)
CLIQUE = float(np.sqrt(0.7))  # coins that repeat one coin so often agree on 85 %

SITUATIONS = (
    Situation("equal .7", voters(*[0.7] * 8)),
    Situation("equal .6", voters(*[0.6] * 8)),
    Situation("15 voters at .55", voters(*[0.55] * 15)),
    Situation("50 voters at .55", voters(*[0.55] * 50)),
    Situation(
        "3 classes, .4 to .9",
        voters(*np.linspace(0.4, 0.9, 8), n_classes=3),
        uniform(3),
    ),
    Situation("10 classes at .5", voters(*[0.5] * 8, n_classes=10), uniform(10)),
    Situation("10 classes at .3", voters(*[0.3] * 8, n_classes=10), uniform(10)),
    Situation("one .98 among .6", voters(0.98, *[0.6] * 7)),
    Situation("one .95 among noise", voters(0.95, *[0.5] * 7)),
    Situation("4 copies among 9 at .7", copies([0.7] * 5, (0.7, 4, 0.97))),
    Situation("5 at .75, 4 copies of .55", copies([0.75] * 5, (0.55, 4, 0.97))),
    Situation("3 at .85, 5 copies of .6", copies([0.85] * 3, (0.6, 5, 0.95))),
    Situation("3 at .85, 5 copies of a coin", copies([0.85] * 3, (0.5, 5, 0.95))),
    Situation("two families of 4", copies([], (0.7, 4, 0.9), (0.7, 4, 0.9))),
    Situation("hard and easy", hard_and_easy),
    Situation("3 adversaries among 8", voters(*[0.75] * 5, *[0.2] * 3)),
    Situation("noise", voters(*[0.5] * 8)),
    Situation("noise clique", copies([], (0.5, 8, CLIQUE))),
    Situation("90 : 10", voters(*[0.7] * 8), (0.9, 0.1)),
    Situation("3 % rare at .8", voters(*[0.8] * 8), (0.97, 0.03)),
    Situation("70 : 15 : 15", voters(*[0.7] * 8, n_classes=3), (0.7, 0.15, 0.15)),
    Situation("label shift", voters(*[0.7] * 8), (0.8, 0.2), (0.2, 0.8), bar=False),
    Situation("biased voters", biased),
    Situation("confused classes", confused, uniform(3)),
    Situation("missing by class", missing_by_class),
    Situation("labelling functions", labelling_functions),
    Situation("sparse, 40 at .7", partial(sparse, [0.7] * 40)),
    Situation("sparse, .5 to .95", partial(sparse, np.linspace(0.5, 0.95, 40))),
    Situation("two voters", voters(0.9, 0.6)),
    Situation("three voters", voters(0.9, 0.6, 0.6)),
    Situation("3 prompts, 100 %", copies(JUDGES, (0.75, 3, 1.0)), n_unlabelled=300),
    Situation("3 prompts, 97 %", copies(JUDGES, (0.75, 3, 0.97)), n_unlabelled=300),
    Situation(
        "3 prompts, 90 %", copies(JUDGES, (0.75, 3, 0.9)), n_unlabelled=300, bar=False
    ),
    Situation(
        "one copy of 3 prompts", voters(*JUDGES, 0.75), n_unlabelled=300, bar=False
    ),
)
