"""The command: ``python -m benchmarks.black_box``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from ..arguments import positive
from .classification import CLASSIFICATION
from .data import alone, read_tables, transfers
from .plot import plot
from .protocol import LIMIT, check_budget, run
from .regression import REGRESSION
from .replicas import check, status
from .summary import Summary

QUICK_LIMIT = 20.0  # seconds a fit may take
TASKS = (REGRESSION, CLASSIFICATION)


def main(argv: Sequence[str] | None = None) -> None:
    """Read the tables, run each task that has some, and print its report."""
    args = parser().parse_args(argv)
    read = [(t, read_tables(args.data, t.families, args.tables)) for t in TASKS]
    if args.check_replica:
        checks = (check(task, tables) for task, tables in read)
        sys.exit(status(chain.from_iterable(checks)))
    reports = {}
    for task, tables in read:
        pairs = transfers(tables) if args.transfer else alone(tables)
        paired = {pair.target.name for pair in pairs}
        if skipped := [table.name for table in tables if table.name not in paired]:
            print(f"No other year to draw labels from: {', '.join(skipped)}\n")
        if pairs:
            budgets = args.budgets or task.budgets
            seeds = args.seeds or (task.quick_seeds if args.quick else task.seeds)
            limit = args.limit or (QUICK_LIMIT if args.quick else LIMIT)
            record = run(task, pairs, budgets, seeds, progress, limit)
            reports[task.name] = task.report(Summary(task, record), progress)
    if not reports:
        known = ", ".join(f"{f.prefix}_*" for task in TASKS for f in task.families)
        parser().error(f"{args.data} has no table to measure; known are {known}")
    print("\n\n".join(report.text() for report in reports.values()))
    if args.json:
        results = {name: report.json() for name, report in reports.items()}
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.plot:
        plot([report.summary for report in reports.values()], args.plot)


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.black_box",
        description="Combine black-box predictions at every number of labels.",
    )
    add = result.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of tables")
    defaults = "; ".join(f"{task.name}: {' '.join(task.budgets)}" for task in TASKS)
    add(
        "--budgets",
        nargs="+",
        type=budget,
        metavar="N",
        help=f"labels or percentages ({defaults})".replace("%", "%%"),
    )
    add(
        "--percent",
        nargs="+",
        type=lambda text: budget(f"{text}%"),
        dest="budgets",
        metavar="N",
        help="budgets in percent of the rows",
    )
    seeds = ", ".join(f"{task.name}: {task.seeds}" for task in TASKS)
    add("--seeds", type=positive, metavar="N", help=f"draws of labels ({seeds})")
    add("--tables", nargs="+", default=("",), metavar="PREFIX", help="only these")
    add("--transfer", action="store_true", help="labels from another year's table")
    add("--json", type=Path, metavar="OUT", help="write raw results")
    add("--plot", type=Path, metavar="FILE", help="draw error against labels")
    seeds = ", ".join(f"{task.name}: {task.quick_seeds}" for task in TASKS)
    add("--quick", action="store_true", help=f"few draws ({seeds}), impatient")
    add(
        "--limit",
        type=positive,
        metavar="SECONDS",
        help=f"give up a fit that takes longer ({LIMIT:.0f}, quick {QUICK_LIMIT:.0f})",
    )
    add("--check-replica", action="store_true", help="only check the replicas")
    return result


def budget(text: str) -> str:
    try:
        return check_budget(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
