"""The sections of a report, as plain dictionaries; one that cannot be says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from stackingnet_sk.inspection import (
    Comparison,
    compare,
    dependence,
    disparity,
    prune,
    rank_models,
)
from stackingnet_sk.predictions import as_array, is_labelled
from stackingnet_sk.report.subject import MOST_ROWS, Subject

Array = NDArray[Any]
Section = dict[str, Any]

# Pairs of models that a page lists.
_MOST_PAIRS = 10
# Fewer complete rows than this compare nobody.
_FEWEST_COMPLETE = 10
# Distinct rows of votes from which refits of all subsets would take minutes.
_MOST_PATTERNS = 100_000


def attempt(make: Callable[..., Section], *arguments: Any) -> Section:
    """Make a section, or say why it cannot be.

    Parameters
    ----------
    make : callable
        Returns the section; what it cannot be made of, it refuses with a ValueError.
    *arguments : object
        For `make`.

    Returns
    -------
    dict
        The section, or ``{"why": reason}``.
    """
    try:
        return make(*arguments)
    except LinAlgError:
        # A ValueError to Python, and to us a bug.
        raise
    except ValueError as error:
        return {"why": str(error)}


def comparison_section(found: Comparison) -> Section:
    """List scores and leads.

    Parameters
    ----------
    found : Comparison
        Held out.

    Returns
    -------
    dict
    """
    rows = []
    for j, name in enumerate(found.names):
        rows.append(
            {
                "name": str(name),
                "does": found.does[j],
                "scores": {key: _triple(of, j) for key, of in found.scores.items()},
                "leads": {key: _triple(of, j) for key, of in found.leads.items()},
                "verdict": found.verdict(j) if j else "",
            }
        )
    return {
        "metric": found.metric,
        "metrics": list(found.scores),
        "rows": rows,
        "best_rival": found.best_rival,
        "constant": found.constant,
        "constant_wins": found.constant_wins,
        "is_number": found.is_number,
        "n_labelled": found.n_labelled,
        "n_rows": found.n_rows,
        "n_folds": found.n_folds,
        "left_out": found.left_out,
        "confidence_level": found.confidence_level,
    }


def compared(
    subject: Subject, confidence_level: float, random_state: int
) -> Comparison:
    """Compare on labels held out.

    Parameters
    ----------
    subject : Subject
        What the report is about.
    confidence_level, random_state
        As in :func:`~stackingnet_sk.inspection.compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there are no labels, or too few.
    """
    return compare(
        subject.whole,
        subject.X,
        subject.labels,
        confidence_level=confidence_level,
        max_rows=MOST_ROWS,
        random_state=random_state,
    )


def weights_section(subject: Subject) -> Section:
    """List the models with their weights, the heaviest first.

    Parameters
    ----------
    subject : Subject
        What the report is about.

    Returns
    -------
    dict
    """
    model = subject.model
    board = model.leaderboard()
    rows = board.to_dict("records") if hasattr(board, "to_dict") else board
    reliability = dict(zip(subject.names, np.asarray(model.reliability_), strict=True))
    for row in rows:
        row["model"] = str(row["model"])
        row.setdefault("reliability", float(reliability[row["model"]]))
    rows.sort(key=lambda row: -abs(row["weight"]))
    return {
        "rows": rows,
        "without_weight": [row["model"] for row in rows if row["weight"] == 0],
        "intercept": np.asarray(model.intercept_).tolist(),
        "structure": getattr(model, "structure_", None),
    }


def ranking_section(subject: Subject, random_state: int) -> Section:
    """Rank the models.

    Parameters
    ----------
    subject : Subject
        With predictions of rows that members have not seen.
    random_state : int
        Seed.

    Returns
    -------
    dict
    """
    rows, note = _comparable(subject)
    found = rank_models(rows.model, rows.table, rows.y, random_state=random_state)
    columns = found.columns()
    columns["model"] = [str(name) for name in columns["model"]]
    return {
        "rows": [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ],
        "chance": found.chance,
        "agreement": found.agreement,
        "mostly_agreement": found.mostly_agreement,
        "below_chance": found.model_names[found.below_chance].astype(str).tolist(),
        "error": found.error,
        "unit": found.unit,
        "n_labelled": found.n_labelled,
        "n_rows": found.n_rows,
        "confidence_level": found.confidence_level,
        "note": note,
    }


def dependence_section(subject: Subject) -> Section:
    """Correlate the errors of the models.

    Parameters
    ----------
    subject : Subject
        With predictions of rows that members have not seen.

    Returns
    -------
    dict
    """
    rows, note = _comparable(subject)
    found = dependence(rows.model, rows.table, rows.y)
    names = found.model_names.astype(str)
    order = found.order
    pairs = np.array(np.triu_indices_from(found.correlation, 1))
    own = found.correlation[tuple(pairs)]
    ranked = np.argsort(-own, kind="stable")[:_MOST_PAIRS]
    families = [
        names[order[found.families[order] == family]].tolist()
        for family in np.flatnonzero(np.bincount(found.families) > 1)
    ]
    return {
        "names": names[order].tolist(),
        "correlation": found.correlation[np.ix_(order, order)].tolist(),
        "family": found.families[order].tolist(),
        "families": families,
        "threshold": found.threshold,
        "labelled": found.labelled,
        "n_rows": found.n_rows,
        "effective": [getattr(found.effective, k) for k in ("number", "low", "high")],
        "pairs": [
            {
                "model": names[i],
                "other": names[j],
                "correlation": float(found.correlation[i, j]),
                "same_family": bool(found.families[i] == found.families[j]),
            }
            for i, j in pairs[:, ranked].T
        ],
        "n_pairs": len(own),
        "note": note,
    }


def pruning_section(subject: Subject) -> Section:
    """Remove models one by one.

    Parameters
    ----------
    subject : Subject
        What the report is about.

    Returns
    -------
    dict
    """
    if not subject.is_number and len(subject.model.counts_) > _MOST_PATTERNS:
        raise ValueError(
            f"There are {len(subject.model.counts_):,} distinct rows of votes, and "
            "refitting without each model would take minutes; "
            "stackingnet_sk.inspection.prune does it."
        )
    found = prune(subject.model)
    n_models = len(found.removed)
    return {
        "rows": [
            {
                "n_models": n_models - n,
                "error": float(found.error[n]),
                "next": str(found.removed[n]) if n < n_models - 1 else None,
                "reliability": float(found.reliability[n]),
            }
            for n in range(n_models)
        ],
        "unit": found.unit,
        "n_best": found.n_best,
        "dropped": [str(name) for name in found.removed[: found.n_best]],
    }


def disparity_sections(
    subject: Subject, found: Comparison | None, groups: Any, random_state: int
) -> dict[str, Section]:
    """Compare errors of held-out predictions between groups.

    Parameters
    ----------
    subject : Subject
        What the report is about.
    found : Comparison or None
        Held-out predictions; None where there are none.
    groups : frame or mapping
        A grouping a column.
    random_state : int
        Seed.

    Returns
    -------
    dict of str to dict
        A section a column.
    """
    columns = getattr(groups, "columns", groups)
    return {
        str(name): attempt(_disparity, subject, found, name, groups[name], random_state)
        for name in columns
    }


def _disparity(
    subject: Subject, found: Comparison | None, name: Any, column: Any, seed: int
) -> Section:
    if found is None:
        raise ValueError("Errors of groups take labels that are held out.")
    own = as_array(column)
    if own.shape != subject.labels.shape:
        raise ValueError(
            f"{name!r} has shape {own.shape}, but there are {len(subject.labels)} rows."
        )
    own = own[found.rows]
    named = is_labelled(own)
    # What has one row, or no name, says nothing of a group; the others do.
    groups, counts = np.unique(own[named].astype(str), return_counts=True)
    single = [str(group) for group in groups[counts < 2]]
    kept = named.copy()
    kept[named] = ~np.isin(own[named].astype(str), single)
    if single and len(np.unique(own[kept].astype(str))) < 2:
        raise ValueError("It takes two groups with two labels each; label more items.")
    names = found.names.tolist()
    average = names.index("average" if found.is_number else names[1])
    # Two columns, for one would be no panel: the second is who is compared with.
    shown = [average, found.constant]
    audit = disparity(
        found.predictions[kept, 0],
        as_array(subject.labels)[found.rows][kept],
        {str(name): own[kept]},
        models=found.predictions[kept][:, shown],
        task="regression" if found.is_number else "classification",
        random_state=seed,
    )
    each = audit.groupings[str(name)]
    ours, plain = 0, 2
    return {
        "rows": [
            {
                "group": str(group),
                "n_rows": int(each.n_rows[g]),
                "small": bool(each.small[g]),
                "error": _triple(each.error, (ours, g)),
                "signed_error": _triple(each.signed_error, (ours, g)),
                "rival_error": _triple(each.error, (plain, g)),
            }
            for g, group in enumerate(each.groups)
        ],
        "single": single,
        "n_unnamed": int(len(own) - named.sum()),
        "gap": _triple(each.gap, ours),
        "rival": names[average],
        "rival_gap": _triple(each.gap, plain),
        "gap_by_chance": float(each.gap_by_chance),
        "p_value": float(each.p_value),
        "overall": float(audit.overall_error[ours]),
        "is_number": found.is_number,
    }


def _comparable(subject: Subject) -> tuple[Subject, str]:
    """Rows on which models can be compared, and a word where they are not all."""
    note = ""
    if subject.is_number:
        complete: Array = np.all(subject.answered(), axis=1)
        if not complete.all():
            n_complete = int(complete.sum())
            if n_complete < _FEWEST_COMPLETE:
                raise ValueError(
                    f"Comparing models takes the same rows of each, and only "
                    f"{n_complete} of {len(complete):,} rows are answered by all."
                )
            note = (
                f"Compared on the {n_complete:,} of {len(complete):,} rows that all "
                "models answer."
            )
            subject = subject.take(complete.nonzero()[0])
    return subject, note


def _triple(estimate: Any, place: Any) -> list[float]:
    """Value, lower and upper end."""
    return [float(each[place]) for each in estimate]
