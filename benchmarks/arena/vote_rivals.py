"""Plain ways to combine votes. To add one, add an entry to ``RIVALS``.

Each is a function of a `Trial` that returns classes (n_test,) for its test rows; it
raises `Unavailable` where it needs labels and has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from ..black_box.classification.crowd import aggregate
from ..black_box.classification.stacking import BALANCED, UNBALANCED
from ..black_box.classification.votes import one_hot
from ..black_box.task import Given, Method, Unavailable
from .case import Array, Trial

__all__ = ["CROWD_KIT", "MAJORITY", "NAMED", "RIVALS", "Rival", "tie_breaking"]

N_STEPS, TOLERANCE = 100, 1e-6  # of expectation-maximization; change of a posterior


@dataclass(frozen=True)
class Rival:
    """A name, and classes for the test rows of a trial."""

    name: str
    predict: Callable[[Trial], Array]
    labels: bool = True

    def __call__(self, trial: Trial) -> Array:
        """Return the classes; raise `Unavailable` without the labels it needs."""
        if self.labels and not len(trial.y):
            raise Unavailable("it needs labels")
        return self.predict(trial)


def tie_breaking(scores: Array, seed: int) -> Array:
    """Return the class of the highest score (n, K), a random one of tied classes."""
    best = scores >= scores.max(axis=1, keepdims=True) - 1e-12
    draws = np.random.default_rng([seed, 1]).random(scores.shape)
    return (best * draws).argmax(axis=1)


def counts(votes: Array, n_classes: int) -> Array:
    return one_hot(votes, n_classes).sum(axis=1)


def majority(trial: Trial) -> Array:
    return tie_breaking(counts(trial.test, trial.n_classes), trial.seed)


def accuracies(trial: Trial) -> Array:
    """Return accuracies on the labels, with one right and K - 1 wrong votes added."""
    right = (trial.y[:, None] == trial.P).sum(axis=0)
    answered = (~np.isnan(trial.P)).sum(axis=0)
    return (right + 1.0) / (answered + trial.n_classes)


def log_odds(trial: Trial) -> Array:
    """Weigh votes by the log-odds of their accuracy."""
    p = accuracies(trial)
    weights = np.log(p * (trial.n_classes - 1) / (1.0 - p))
    return tie_breaking(weights @ one_hot(trial.test, trial.n_classes), trial.seed)


def best_model(trial: Trial) -> Array:
    """Follow the best model on the labels, and the majority where it is silent."""
    votes = trial.test[:, accuracies(trial).argmax()]
    return np.where(np.isnan(votes), majority(trial), votes)


def constant(trial: Trial) -> Array:
    return np.full(len(trial.test), np.bincount(trial.y).argmax())


def stacked(method: Method) -> Callable[[Trial], Array]:
    """Return a logistic regression on one-hot votes."""

    def predict(trial: Trial) -> Array:
        given = Given(trial.P, trial.y, trial.unlabeled, trial.n_classes, trial.seed)
        return np.asarray(method.fit(given).predict(trial.test))

    return predict


def naive_bayes(trial: Trial) -> Array:
    """Multiply the rates of votes given the class, with one row added to each."""
    truth = np.eye(trial.n_classes)[trial.y]
    return classify(trial, trial.P, truth, one_coin=False)


def dawid_skene(trial: Trial) -> Array:
    return expectation_maximization(trial, one_coin=False)


def one_coin(trial: Trial) -> Array:
    return expectation_maximization(trial, one_coin=True)


def expectation_maximization(trial: Trial, one_coin: bool) -> Array:
    """Learn voters and rates of classes from all rows, starting at the majority vote.

    Labelled rows keep their labels throughout.
    """
    votes = np.vstack([trial.P, trial.unlabeled])
    labels = np.eye(trial.n_classes)[trial.y]
    tally = counts(votes, trial.n_classes) + 1e-3
    posterior = tally / tally.sum(axis=1, keepdims=True)
    posterior[: len(labels)] = labels
    for _ in range(N_STEPS):
        logits = log_posterior(votes, *rates(votes, posterior, one_coin))
        renewed = softmax(logits, axis=1)
        renewed[: len(labels)] = labels
        change = np.abs(renewed - posterior).max()
        posterior = renewed
        if change < TOLERANCE:
            break
    return classify(trial, votes, posterior, one_coin)


def rates(votes: Array, posterior: Array, one_coin: bool) -> tuple[Array, Array]:
    """Return voters' log confusions (M, truth, vote) and log rates of classes (K,)."""
    n_classes = posterior.shape[1]
    joint = np.einsum("nk,nml->mkl", posterior, one_hot(votes, n_classes))
    if one_coin:
        right = np.trace(joint, axis1=1, axis2=2) + 1.0
        share = right / (joint.sum(axis=(1, 2)) + n_classes)
        wrong = (1.0 - share) / (n_classes - 1)
        same = np.eye(n_classes, dtype=bool)
        confusion = np.where(same, share[:, None, None], wrong[:, None, None])
    else:
        joint = joint + 1.0 / n_classes  # one row for each voter and class
        confusion = joint / joint.sum(axis=2, keepdims=True)
    total = posterior.sum(axis=0) + 1.0
    return np.log(confusion), np.log(total / total.sum())


def log_posterior(votes: Array, confusion: Array, prior: Array) -> Array:
    n_classes = len(prior)
    return prior + np.einsum("nml,mkl->nk", one_hot(votes, n_classes), confusion)


def classify(trial: Trial, votes: Array, posterior: Array, one_coin: bool) -> Array:
    """Learn voters from rows whose classes have a posterior, and predict the test."""
    learnt = rates(votes, posterior, one_coin)
    return tie_breaking(log_posterior(trial.test, *learnt), trial.seed)


def crowd_kit(name: str) -> Callable[[Trial], Array]:
    """Return an aggregator of crowd-kit, which sees the test rows as it learns."""

    def predict(trial: Trial) -> Array:
        votes = trial.test
        if trial.unlabeled is not trial.test:
            votes = np.vstack([votes, trial.unlabeled])
        return aggregate(name, votes)[: len(trial.test)]

    return predict


MAJORITY = Rival("majority vote", majority, labels=False)
NAMED = (MAJORITY, Rival("logistic, balanced", stacked(BALANCED)))
RIVALS = (
    *NAMED,
    Rival("logistic, unbalanced", stacked(UNBALANCED)),
    Rival("log-odds vote", log_odds),
    Rival("best model", best_model),
    Rival("constant", constant),
    Rival("naive Bayes", naive_bayes),
    Rival("Dawid-Skene", dawid_skene, labels=False),
    Rival("one coin", one_coin, labels=False),
)
CROWD_KIT = tuple(
    Rival(f"crowd-kit {name}", crowd_kit(name), labels=False)
    for name in ("DawidSkene", "OneCoinDawidSkene", "MACE", "GLAD")
)
