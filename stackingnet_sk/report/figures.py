"""All that a report says: results, counts, and how to reproduce them."""

from __future__ import annotations

import inspect
import platform
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context

from stackingnet_sk.inspection import (
    Comparison,
    Dependence,
    PruningPath,
    Ranking,
    compare,
    dependence,
    rank_models,
)
from stackingnet_sk.report.sections import (
    Absent,
    GroupErrors,
    Weights,
    attempt,
    group_errors,
    pruned,
)
from stackingnet_sk.report.subject import MOST_ROWS, RangeCount, Subject
from stackingnet_sk.report.words import count
from stackingnet_sk.weights import Solution

_PACKAGES = ("stackingnet_sk", "scikit-learn", "numpy", "scipy")
_LONGEST_REPR = 20_000


@dataclass(frozen=True)
class Data:
    """What was combined; `classes` are pairs of a name and a number of labels."""

    n_rows: int
    n_labelled: int
    models: list[str]
    members: bool
    classes: list[tuple[str, int]] | None
    input: str | None

    @classmethod
    def of(cls, subject: Subject) -> Data:
        """Count rows, labels and models."""
        classes = None
        if not subject.is_number:
            counts = Counter(map(str, subject.labels[subject.labelled].tolist()))
            names = map(str, subject.model.classes_.tolist())
            classes = [(name, counts[name]) for name in names]
        return cls(
            len(subject.labels),
            int(subject.labelled.sum()),
            subject.names,
            getattr(subject.model, "estimators", None) is not None,
            classes,
            None if subject.is_number else subject.model.input_,
        )


@dataclass(frozen=True, eq=False)
class Missing:
    """Predictions that are missing, of each model, and those beyond the ranges.

    `nobody` and `everybody` count the rows that no model and that all models predict.
    """

    per_model: NDArray[np.intp]
    n_rows: int
    nobody: int
    everybody: int
    steps: list[RangeCount]

    @classmethod
    def of(cls, subject: Subject) -> Missing:
        """Count the missing predictions."""
        answered = subject.answered()
        n_answers = answered.sum(axis=1)
        return cls(
            (~answered).sum(axis=0),
            len(answered),
            int((n_answers == 0).sum()),
            int((n_answers == answered.shape[1]).sum()),
            subject.out_of_range(),
        )

    @property
    def total(self) -> int:
        """Number of missing predictions."""
        return int(self.per_model.sum())

    @property
    def clipped(self) -> int:
        """Number of predictions that were clipped."""
        return sum(step.total for step in self.steps if step.clips)

    @property
    def beyond(self) -> int:
        """Number of predictions beyond the range of a normalizer."""
        return sum(step.total for step in self.steps if not step.clips)


@dataclass(frozen=True)
class Reproduction:
    """What it takes to make the same page again."""

    settings: dict[str, str]
    estimator: str
    changed: dict[str, str]
    full: str
    versions: dict[str, str]
    random_state: int
    digest: str

    @classmethod
    def of(
        cls, subject: Subject, settings: Mapping[str, Any] | None, random_state: int
    ) -> Reproduction:
        """List parameters and versions, and hash the table."""
        model = subject.model
        defaults = inspect.signature(type(model)).parameters
        changed = {
            name: repr(value)[:_LONGEST_REPR]
            for name, value in model.get_params(deep=False).items()
            if name != "estimators" and repr(value) != repr(defaults[name].default)
        }
        with config_context(print_changed_only=False):
            full = subject.whole.__repr__(N_CHAR_MAX=_LONGEST_REPR)
        return cls(
            {str(key): str(value) for key, value in (settings or {}).items()},
            type(model).__name__,
            changed,
            full,
            {
                "Python": platform.python_version(),
                **{name: version(name) for name in _PACKAGES},
            },
            random_state,
            subject.digest(),
        )


@dataclass(frozen=True, eq=False)
class Figures:
    """All that a page says; `drawn` rows are behind ranking and dependence."""

    title: str
    source: str | None
    created: str
    is_number: bool
    confidence_level: float
    data: Data
    missing: Missing
    comparison: Comparison | Absent
    weights: Weights
    drawn: int
    ranking: Ranking | Absent
    dependence: Dependence | Absent
    pruning: PruningPath | Absent
    disparity: dict[str, GroupErrors | Absent]
    solution: Solution
    reproduce: Reproduction
    warnings: list[str]


def collect(
    subject: Subject,
    *,
    groups: Any,
    fit_params: Mapping[str, Any] | None,
    title: str | None,
    source: str | None,
    settings: Mapping[str, Any] | None,
    confidence_level: float,
    random_state: int,
) -> Figures:
    """Measure everything; parameters as in `report`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # First, so that its warnings count all rows, and not those of a fold.
        missing = Missing.of(subject)
        comparison = attempt(
            compare,
            subject.whole,
            subject.X,
            subject.labels,
            confidence_level=confidence_level,
            max_rows=MOST_ROWS,
            random_state=random_state,
            **(fit_params or {}),
        )
        weights = Weights.of(subject)
        # The rows of the fit are recognized before some of them are drawn.
        panel = subject.out_of_fold()
        unseen = panel.drawn(random_state)
        drawn = subject if unseen is panel else unseen
        evidence = unseen.model, unseen.table, unseen.y
        ranking = attempt(rank_models, *evidence, random_state=random_state)
        correlation = attempt(dependence, *evidence)
        pruning = attempt(pruned, subject)
        columns = () if groups is None else getattr(groups, "columns", groups)
        by_group = {
            str(name): attempt(
                group_errors, subject, comparison, str(name), groups[name], random_state
            )
            for name in columns
        }
    return Figures(
        title=title or f"{count(len(subject.names), 'model')}, combined",
        source=source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        is_number=subject.is_number,
        confidence_level=confidence_level,
        data=Data.of(subject),
        missing=missing,
        comparison=comparison,
        weights=weights,
        drawn=len(drawn.labels),
        ranking=ranking,
        dependence=correlation,
        pruning=pruning,
        disparity=by_group,
        solution=subject.model.solution_,
        reproduce=Reproduction.of(subject, settings, random_state),
        warnings=_distinct(caught),
    )


def _distinct(caught: list[warnings.WarningMessage]) -> list[str]:
    """List warnings; of those that differ in names and numbers only, the first."""
    distinct: dict[str, str] = {}
    for warning in caught:
        kind = re.sub(r"'[^']*'|[\d.e+-]+", "", str(warning.message))
        distinct.setdefault(kind, f"{warning.category.__name__}: {warning.message}")
    return list(distinct.values())
