"""The sections of a report: results of the inspection tools, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from stackingnet_sk._tables import as_rows
from stackingnet_sk.inspection import (
    Comparison,
    Dependence,
    GroupDisparity,
    PruningPath,
    disparity,
    prune,
)
from stackingnet_sk.predictions import as_array, is_labelled
from stackingnet_sk.report.subject import Subject

Array = NDArray[Any]
Result = TypeVar("Result")

# Distinct rows of votes from which refits of all subsets would take minutes.
_MOST_PATTERNS = 100_000


@dataclass(frozen=True)
class Absent:
    """Stands for a section that cannot be made, and says why."""

    why: str


def attempt(
    make: Callable[..., Result], *arguments: Any, **keywords: Any
) -> Result | Absent:
    """Make a section, or say why `make` refuses to."""
    try:
        return make(*arguments, **keywords)
    except LinAlgError:
        # Python counts it among the ValueErrors, but it is a bug.
        raise
    except ValueError as error:
        return Absent(str(error))


@dataclass(frozen=True, eq=False)
class Weights:
    """The leaderboard, the heaviest models first, and what else the weights are."""

    rows: list[dict[str, Any]]
    intercept: Any
    structure: str | None

    @classmethod
    def of(cls, subject: Subject) -> Weights:
        """Take the weights of a fitted combination."""
        model = subject.model
        rows = as_rows(model.leaderboard())
        reliability = dict(zip(subject.names, model.reliability_, strict=True))
        for row in rows:
            row["model"] = str(row["model"])
            row.setdefault("reliability", float(reliability[row["model"]]))
        rows.sort(key=lambda row: -abs(row["weight"]))
        intercept = np.asarray(model.intercept_).tolist()
        return cls(rows, intercept, getattr(model, "structure_", None))

    @property
    def without_weight(self) -> list[str]:
        """Names of the models with weight zero."""
        return [row["model"] for row in self.rows if row["weight"] == 0]


@dataclass(frozen=True, eq=False)
class GroupErrors:
    """Errors by group: of the combination (model 0) and of a plain average (model 2).

    `single` are the groups that were left out, as they have one label each, and
    `n_unnamed` is the number of labels without a group.
    """

    errors: GroupDisparity
    overall: float
    average: str
    is_number: bool
    single: list[str]
    n_unnamed: int


def families(correlations: Dependence) -> list[list[str]]:
    """List the names in each family of two or more models."""
    order = correlations.order
    ordered = correlations.families[order]
    names = correlations.model_names.astype(str)[order]
    several = np.flatnonzero(np.bincount(ordered) > 1)
    return [names[ordered == family].tolist() for family in several]


def pruned(subject: Subject) -> PruningPath:
    """Remove models one by one, unless that would take minutes."""
    if not subject.is_number and len(subject.model.counts_) > _MOST_PATTERNS:
        raise ValueError(
            f"There are {len(subject.model.counts_):,} distinct rows of votes, and "
            "refitting without each model would take minutes; "
            "stackingnet_sk.inspection.prune does it."
        )
    return prune(subject.model)


def group_errors(
    subject: Subject,
    comparison: Comparison | Absent,
    name: str,
    column: Any,
    random_state: int,
) -> GroupErrors:
    """Compare errors of held-out predictions between the groups of one column."""
    if isinstance(comparison, Absent):
        raise ValueError("Errors of groups take labels that are held out.")
    groups = as_array(column)
    if groups.shape != subject.labels.shape:
        raise ValueError(
            f"{name!r} has shape {groups.shape}, but there are {len(subject.labels)} "
            "rows."
        )
    groups = groups[comparison.rows]
    named = is_labelled(groups)
    # A group with one row has no estimate, and a row without a group belongs to none.
    names, counts = np.unique(groups[named].astype(str), return_counts=True)
    single = [str(group) for group in names[counts < 2]]
    kept = named & ~np.isin(groups.astype(str), single)
    if single and len(names) - len(single) < 2:
        raise ValueError("It takes two groups with two labels each; label more items.")
    contenders = comparison.names.tolist()
    average = contenders.index("average") if comparison.is_number else 1
    # `disparity` takes two models or more; the second one here is not shown.
    models = [average, comparison.constant]
    audit = disparity(
        comparison.predictions[kept, 0],
        subject.labels[comparison.rows][kept],
        {name: groups[kept]},
        models=comparison.predictions[kept][:, models],
        task="regression" if comparison.is_number else "classification",
        random_state=random_state,
    )
    return GroupErrors(
        audit.groupings[name],
        float(audit.overall_error[0]),
        str(contenders[average]),
        comparison.is_number,
        single,
        int(len(groups) - named.sum()),
    )
