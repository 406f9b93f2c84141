"""All that a report says, collected: data, sections, caveats, how to reproduce it."""

from __future__ import annotations

import inspect
import math
import platform
import re
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn import config_context

from stackingnet_sk.inspection import Comparison
from stackingnet_sk.report.sections import (
    Section,
    attempt,
    compared,
    comparison_section,
    dependence_section,
    disparity_sections,
    pruning_section,
    ranking_section,
    weights_section,
)
from stackingnet_sk.report.subject import Subject
from stackingnet_sk.report.words import caveats, count, proof, summary
from stackingnet_sk.weights import Status

_PACKAGES = ("stackingnet_sk", "scikit-learn", "numpy", "scipy")
_LONGEST_REPR = 20_000


def collect(
    subject: Subject,
    *,
    groups: Any = None,
    title: str | None = None,
    source: str | None = None,
    settings: Mapping[str, Any] | None = None,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> dict[str, Any]:
    """Measure everything.

    Parameters
    ----------
    subject : Subject
        What the report is about.
    groups, title, source, settings, confidence_level, random_state
        As in :func:`~stackingnet_sk.report.report`.

    Returns
    -------
    dict
        Of texts, numbers, lists and dictionaries; None stands for what is not finite.
    """
    figures: dict[str, Any] = {
        "title": title or f"{count(len(subject.names), 'model')}, combined",
        "source": source,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": "regression" if subject.is_number else "classification",
        "confidence_level": confidence_level,
        "data": _data(subject),
    }
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        # First, for what it warns of is counted over all rows, and not in a fold.
        figures["missing"] = _missing(subject)
        held: Comparison | None = None

        def hold_out() -> Section:
            nonlocal held
            held = compared(subject, confidence_level, random_state)
            return comparison_section(held)

        figures["comparison"] = attempt(hold_out)
        figures["weights"] = weights_section(subject)
        # The rows of the fit are recognized before some of them are drawn.
        panel = subject.out_of_fold()
        unseen = panel.drawn(random_state)
        figures["drawn"] = len((subject if unseen is panel else unseen).labels)
        figures["ranking"] = attempt(ranking_section, unseen, random_state)
        figures["dependence"] = attempt(dependence_section, unseen)
        figures["pruning"] = attempt(pruning_section, subject)
        figures["disparity"] = {}
        if groups is not None:
            figures["disparity"] = disparity_sections(
                subject, held, groups, random_state
            )
    figures["certificate"] = _certificate(subject)
    figures["reproduce"] = _reproduce(subject, settings, confidence_level, random_state)
    figures["warnings"] = _distinct(heard)
    figures["summary"] = summary(figures)
    figures["caveats"] = caveats(figures)
    found: dict[str, Any] = plain(figures)
    return found


def _distinct(heard: list[warnings.WarningMessage]) -> list[str]:
    """List warnings, of those that differ in names and numbers only the first."""
    found: dict[str, str] = {}
    for each in heard:
        kind = re.sub(r"'[^']*'|[\d.e+-]+", "", str(each.message))
        found.setdefault(kind, f"{each.category.__name__}: {each.message}")
    return list(found.values())


def plain(value: Any) -> Any:
    """Make what JSON can say of a value: finite numbers, texts, lists, dictionaries.

    Parameters
    ----------
    value : object
        Figures.

    Returns
    -------
    object
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _data(subject: Subject) -> Section:
    data: Section = {
        "n_rows": len(subject.labels),
        "n_labelled": int(subject.known.sum()),
        "n_models": len(subject.names),
        "models": subject.names,
        "members": getattr(subject.model, "estimators", None) is not None,
    }
    if not subject.is_number:
        labels = [str(label) for label in subject.labels[subject.known].tolist()]
        names, counts = np.unique(np.array(labels, dtype=object), return_counts=True)
        known = dict(zip(names.tolist(), counts.tolist(), strict=True))
        classes = [str(label) for label in subject.model.classes_.tolist()]
        data["classes"] = [
            {"name": name, "n_labelled": known.get(name, 0)} for name in classes
        ]
        data["input"] = subject.model.input_
    return data


def _missing(subject: Subject) -> Section:
    given = subject.answered()
    n_answers = given.sum(axis=1)
    ranges = subject.out_of_range()
    rows = []
    for m, name in enumerate(subject.names):
        silent = int((~given[:, m]).sum())
        row = {"model": name, "silent": silent, "share": silent / len(given)}
        for place, step in enumerate(ranges):
            row[f"below_{place}"] = step["below"][m]
            row[f"above_{place}"] = step["above"][m]
        rows.append(row)
    return {
        "rows": rows,
        "steps": ranges,
        "total": int((~given).sum()),
        "nobody": int((n_answers == 0).sum()),
        "everybody": int((n_answers == given.shape[1]).sum()),
        "clipped": sum(
            sum(step["below"]) + sum(step["above"]) for step in ranges if step["clips"]
        ),
        "beyond": sum(
            sum(step["below"]) + sum(step["above"])
            for step in ranges
            if not step["clips"]
        ),
    }


def _certificate(subject: Subject) -> Section:
    solution = subject.model.solution_
    return {
        "status": solution.status.value,
        "kind": solution.status.name,
        "certified": solution.status
        not in (
            Status.UNLABELLED,
            Status.CONVERGED,
            Status.NOT_CONVERGED,
            Status.INACCURATE,
        ),
        "gap": float(solution.gap),
        "residual": float(solution.residual),
        "objective": float(solution.objective),
        "expected_error": float(solution.expected_error),
        "iterations": int(solution.iterations),
        "shrinkage": float(solution.shrinkage),
        "constraint": solution.constraint,
        "solver": solution.backend or solution.solver,
        "line": repr(solution),
        "proof": proof(solution),
    }


def _reproduce(
    subject: Subject,
    settings: Mapping[str, Any] | None,
    confidence_level: float,
    random_state: int,
) -> Section:
    model = subject.model
    defaults = inspect.signature(type(model)).parameters
    changed = {
        name: repr(value)[:_LONGEST_REPR]
        for name, value in model.get_params(deep=False).items()
        if name != "estimators" and repr(value) != repr(defaults[name].default)
    }
    with config_context(print_changed_only=False):
        full = subject.whole.__repr__(N_CHAR_MAX=_LONGEST_REPR)
    return {
        "settings": {str(key): str(value) for key, value in (settings or {}).items()},
        "estimator": type(model).__name__,
        "changed": changed,
        "full": full,
        "versions": {
            "Python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "confidence_level": confidence_level,
        "random_state": random_state,
        "digest": subject.digest(),
    }
