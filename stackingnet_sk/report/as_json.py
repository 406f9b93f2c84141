"""The figures of a report as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from stackingnet_sk._tables import as_rows
from stackingnet_sk.inspection import Comparison, Dependence, PruningPath, Ranking
from stackingnet_sk.report.figures import Data, Figures, Missing
from stackingnet_sk.report.sections import (
    Absent,
    GroupErrors,
    Weights,
    families,
)
from stackingnet_sk.report.sentences import caveats, summary
from stackingnet_sk.report.words import MOST_PAIRS, at, is_certified, proof
from stackingnet_sk.weights import Solution

Json = dict[str, Any]


def to_dict(figures: Figures) -> Json:
    """List all figures as texts, finite numbers, lists and dictionaries.

    The keys are public: users read them from `Report.to_dict` and from `--json`.
    """
    names = "data missing comparison weights ranking dependence pruning"
    sections = {
        name: _section(figures, section)
        for name, section in _attributes(figures, names).items()
    }
    whole: Json = plain(
        {
            **_attributes(figures, "title source created"),
            "task": "regression" if figures.is_number else "classification",
            "confidence_level": figures.confidence_level,
            **sections,
            "drawn": figures.drawn,
            "disparity": {
                name: _section(figures, section)
                for name, section in figures.disparity.items()
            },
            "certificate": _certificate(figures.solution),
            "reproduce": {
                **_fields(figures.reproduce),
                "confidence_level": figures.confidence_level,
            },
            "warnings": figures.warnings,
            "summary": summary(figures),
            "caveats": caveats(figures),
        }
    )
    return whole


def _section(figures: Figures, section: Any) -> Json:
    match section:
        case Comparison():
            return _comparison(section)
        case Ranking():
            return _ranking(section)
        case Dependence():
            return _dependence(section)
        case PruningPath():
            return _pruning(section)
        case GroupErrors():
            return _group_errors(section)
        case Missing():
            return _missing(section, figures.data.models)
        case Data():
            return _data(section)
        case Weights():
            return {**_fields(section), "without_weight": section.without_weight}
    assert isinstance(section, Absent)
    return _fields(section)


def _data(data: Data) -> Json:
    listed = {**_fields(data), "n_models": len(data.models)}
    if data.classes is None:
        del listed["classes"], listed["input"]
    else:
        listed["classes"] = [
            {"name": name, "n_labelled": n_labelled}
            for name, n_labelled in data.classes
        ]
    return listed


def _missing(missing: Missing, models: list[str]) -> Json:
    rows = []
    for m, model in enumerate(models):
        n_missing = missing.per_model[m]
        row = {
            "model": model,
            "missing": n_missing,
            "share": n_missing / missing.n_rows,
        }
        for n, step in enumerate(missing.steps):
            row |= {f"below_{n}": step.below[m], f"above_{n}": step.above[m]}
        rows.append(row)
    steps = [_fields(step) for step in missing.steps]
    counts = _attributes(missing, "total nobody everybody clipped beyond")
    return {"rows": rows, "steps": steps, **counts}


def _comparison(comparison: Comparison) -> Json:
    rows = [
        {
            "name": name,
            "does": comparison.does[j],
            "scores": {key: at(score, j) for key, score in comparison.scores.items()},
            "leads": {key: at(lead, j) for key, lead in comparison.leads.items()},
            "verdict": comparison.verdict(j) if j else "",
        }
        for j, name in enumerate(comparison.names)
    ]
    names = "metric best_rival constant constant_wins is_number n_labelled n_rows "
    names += "n_folds left_out confidence_level"
    return {
        "rows": rows,
        "metrics": list(comparison.scores),
        **_attributes(comparison, names),
    }


def _ranking(ranking: Ranking) -> Json:
    columns = ranking.columns()
    columns["model"] = list(map(str, columns["model"]))
    names = "chance agreement mostly_agreement error unit n_labelled n_rows "
    names += "confidence_level"
    return {
        "rows": as_rows(columns),
        "below_chance": ranking.model_names[ranking.below_chance].astype(str),
        **_attributes(ranking, names),
    }


def _dependence(dependence: Dependence) -> Json:
    order, effective = dependence.order, dependence.effective
    n_models = len(order)
    return {
        "names": dependence.model_names.astype(str)[order],
        "correlation": dependence.correlation[np.ix_(order, order)],
        "family": dependence.families[order],
        "families": families(dependence),
        "effective": [effective.number, effective.low, effective.high],
        "pairs": [
            {**pair, "model": str(pair["model"]), "other": str(pair["other"])}
            for pair in as_rows(dependence.to_frame())[:MOST_PAIRS]
        ],
        "n_pairs": n_models * (n_models - 1) // 2,
        **_attributes(dependence, "threshold labelled n_rows"),
    }


def _pruning(path: PruningPath) -> Json:
    rows = [{**row, "next": str(row["next"])} for row in as_rows(path.to_frame())]
    # The last model is never removed.
    rows[-1] |= {"next": None}
    dropped = path.removed[: path.n_best].astype(str)
    return {"rows": rows, "dropped": dropped, **_attributes(path, "unit n_best")}


def _group_errors(section: GroupErrors) -> Json:
    errors = section.errors
    return {
        "rows": [
            {
                "group": group,
                "n_rows": errors.n_rows[g],
                "small": errors.small[g],
                "error": at(errors.error, (0, g)),
                "signed_error": at(errors.signed_error, (0, g)),
                "rival_error": at(errors.error, (2, g)),
            }
            for g, group in enumerate(errors.groups)
        ],
        "gap": at(errors.gap, 0),
        "rival": section.average,
        "rival_gap": at(errors.gap, 2),
        **_attributes(errors, "gap_by_chance p_value"),
        **_attributes(section, "single n_unnamed overall is_number"),
    }


def _certificate(solution: Solution) -> Json:
    names = "gap residual objective expected_error iterations shrinkage constraint"
    return {
        "status": solution.status.value,
        "kind": solution.status.name,
        "certified": is_certified(solution),
        **_attributes(solution, names),
        "solver": solution.backend or solution.solver,
        "line": repr(solution),
        "proof": proof(solution),
    }


def _attributes(source: Any, names: str) -> Json:
    return {name: getattr(source, name) for name in names.split()}


def _fields(source: Any) -> Json:
    return {field.name: getattr(source, field.name) for field in fields(source)}


def plain(value: Any) -> Any:
    """Make a value of standard JSON: None where a number is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
