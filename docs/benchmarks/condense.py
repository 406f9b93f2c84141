"""Keep of what a benchmark wrote with ``--json`` what the benchmark page shows.

``python docs/benchmarks/condense.py RAW.json docs/benchmarks/NAME.json "COMMAND"``
"""

import json
import sys
from pathlib import Path
from statistics import fmean

# Metrics of which less is better.
ERRORS = {"mean absolute error", "log loss"}


def main(raw, kept, command):
    found = json.loads(Path(raw).read_text("utf-8"))
    if "task" not in found:  # A report for each task, of which there is one.
        (found,) = found.values()
    if "summaries" in found:
        whole = of_arena(found)
    else:
        whole = of_voting(found) if "metrics" in found else of_black_box(found)
    page = {"command": command, "versions": found["versions"]} | whole
    Path(kept).write_text(json.dumps(page, indent=1) + "\n", "utf-8")


def of_voting(found):
    tables = {}
    for metric, values in found["metrics"].items():
        rows = {
            name: [score, values["mean_rank"][name], found["solve_milliseconds"][name]]
            for name, score in values["mean_score"].items()
            if score is not None
        }
        tables[f"{metric}, mean over the data sets"] = {
            "columns": [metric, "mean rank", "solve, ms"],
            "better": ["less" if metric in ERRORS else "more", "less", None],
            "rows": rows,
        }
        scores = found["raw"]["scores"][metric]
        # Data sets are many and rows few: the other way round.
        names = [name for name in rows if not name.startswith("StackingNet ")]
        names.append(values["claims"]["claimant"])
        tables[f"{metric}, each data set"] = {
            "columns": list(scores),
            "better": ["less" if metric in ERRORS else "more"] * len(scores),
            "rows": {n: [fmean(scores[d][n]) for d in scores] for n in names},
        }
    return {
        "shapes": found["raw"]["shapes"],
        "tables": tables,
        "claims": [],
        "skipped": {},
    }


def of_black_box(found):
    families = [scope for scope in found["mean"] if scope not in found["tables"]]
    better = "less" if found["metric"] in ERRORS else "more"
    tables = {}
    for family in families:
        rows = found["mean"][family]
        budgets = list(next(iter(rows.values())))
        tables[f"{family}: {found['metric']}"] = {
            "columns": budgets,
            "better": [better] * len(budgets),
            "rows": {
                name: [values[b] for b in budgets] for name, values in rows.items()
            },
        }
    shapes = {
        name: [table["rows"], len(table["models"])]
        for name, table in found["tables"].items()
    }
    skipped = {reason: sorted(rows) for reason, rows in found["skipped"].items()}
    claims = found["claims"]
    return {"shapes": shapes, "tables": tables, "claims": claims, "skipped": skipped}


def of_arena(found):
    """Geometric means of ratios by family, and the error of each case."""
    ours = next(iter(found["summaries"]))
    tables = {}
    for rival, families in found["summaries"][ours].items():
        budgets = [row["budget"] for row in next(iter(families.values()))]
        tables[f"error as a share of that of the {rival}, geometric mean"] = {
            "columns": [f"{budget} labels" for budget in budgets],
            "better": [None] * len(budgets),
            "rows": {
                family: [row.get("mean") for row in rows]
                for family, rows in families.items()
            },
        }
    for budget in budgets:
        errors = {case: e[str(budget)] for case, e in found["errors"].items()}
        methods = [m for m in found["methods"] if any(m in e for e in errors.values())]
        tables[f"{found['error']}, {budget} labels"] = {
            "columns": methods,
            "better": [None] * len(methods),
            "rows": {
                case: [fmean(e[m]) if m in e else None for m in methods]
                for case, e in errors.items()
            },
        }
    return {"shapes": {}, "tables": tables, "claims": [], "skipped": {}}


if __name__ == "__main__":
    main(*sys.argv[1:])
