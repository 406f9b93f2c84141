"""The arena of votes: StackingNetClassifier as a user gets it, without options."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from stackingnet_sk import StackingNetClassifier

from ..black_box.task import Unavailable
from . import vote_situations, vote_tables
from .case import Array, Case, Trial
from .race import Arena
from .vote_rivals import CROWD_KIT, NAMED, RIVALS

__all__ = ["VOTES", "WITH_CROWD_KIT"]


def with_unlabelled(trial: Trial) -> Array:
    """Fit on all rows, or on the unlabelled ones alone where there is no label."""
    model = StackingNetClassifier(classes=np.arange(trial.n_classes))
    if len(trial.y):
        return fit_predict(model, trial, trial.P, trial.y, X_unlabeled=trial.unlabeled)
    return fit_predict(model, trial, trial.unlabeled)


def labelled_only(trial: Trial) -> Array:
    if not len(trial.y):
        raise Unavailable("it needs labels")
    model = StackingNetClassifier(classes=np.arange(trial.n_classes))
    return fit_predict(model, trial, trial.P, trial.y)


def fit_predict(
    model: StackingNetClassifier, trial: Trial, *rows: Array, **options: Array
) -> Array:
    with warnings.catch_warnings():
        # Few labels and voters without an answer are what is tried here.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit(*rows, **options).predict(trial.test))


def error(truth: Array, predicted: Array) -> float:
    """Return 100.5 less the accuracy in per cent, so that no ratio is infinite."""
    return 100.5 - 100.0 * float(np.mean(truth == predicted))


def cases(folder: Path | None, n_unlabelled: int) -> list[Case]:
    """Return the situations, and the tables of a folder."""
    tables = vote_tables.cases(folder) if folder else []
    return [*vote_situations.cases(n_unlabelled), *tables]


VOTES = Arena(
    name="votes",
    ours={"StackingNet": with_unlabelled, "StackingNet, labels": labelled_only},
    rivals={rival.name: rival for rival in RIVALS},
    named=tuple(rival.name for rival in NAMED),
    error=error,
    what="100.5 less accuracy (%)",
    cases=cases,
    budgets=(0, 5, 10, 20, 50, 100),
)
WITH_CROWD_KIT = {rival.name: rival for rival in CROWD_KIT}
