"""The command: ``python -m benchmarks.black_box``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..arguments import positive
from .data import Table, alone, read_tables, transfers
from .plot import plot
from .protocol import BUDGETS, check_budget, run
from .regression import REGRESSION
from .regression.replica import check
from .report import as_json, as_text
from .summary import Summary

TASKS = (REGRESSION,)


def main(argv: Sequence[str] | None = None) -> None:
    """Read the tables, run each task that has some, and print its report."""
    args = parser().parse_args(argv)
    if args.check_replica:
        sys.exit(check_replica(read_tables(args.data, REGRESSION.families)))
    summaries = []
    for task in TASKS:
        tables = read_tables(args.data, task.families, args.tables)
        pairs = transfers(tables) if args.transfer else alone(tables)
        paired = {pair.target.name for pair in pairs}
        if skipped := [table.name for table in tables if table.name not in paired]:
            print(f"No other year to draw labels from: {', '.join(skipped)}\n")
        if pairs:
            seeds = args.seeds or (5 if args.quick else 20)
            record = run(task, pairs, args.budgets, seeds, progress)
            summaries.append(Summary(task, record))
    if not summaries:
        known = ", ".join(f"{f.prefix}_*" for task in TASKS for f in task.families)
        parser().error(f"{args.data} has no table to measure; known are {known}")
    print("\n\n".join(map(as_text, summaries)))
    if args.json:
        results = {summary.task.name: as_json(summary) for summary in summaries}
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.plot:
        plot(summaries, args.plot)


def check_replica(tables: Sequence[Table]) -> int:
    """Print the replica beside the published errors; return the exit status."""
    found = check(tables)
    for name, error, published in found:
        verdict = "agrees" if round(error, 3) == published else "DISAGREES"
        print(f"{name}: replica {error:.3f}, to be {published:.3f}, {verdict}")
    if not found:
        print("No table here has a published error.")
    return int(any(round(error, 3) != published for _, error, published in found))


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.black_box",
        description="Combine black-box predictions at every number of labels.",
    )
    add = result.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of tables")
    add(
        "--budgets",
        nargs="+",
        type=budget,
        default=BUDGETS,
        metavar="N",
        help=f"labels or percentages ({' '.join(BUDGETS)})".replace("%", "%%"),
    )
    add("--seeds", type=positive, metavar="N", help="draws of labels (20)")
    add("--tables", nargs="+", default=("",), metavar="PREFIX", help="only these")
    add("--transfer", action="store_true", help="labels from another year's table")
    add("--json", type=Path, metavar="OUT", help="write raw results")
    add("--plot", type=Path, metavar="FILE", help="draw error against labels")
    add("--quick", action="store_true", help="5 draws")
    add("--check-replica", action="store_true", help="only check the replica")
    return result


def budget(text: str) -> str:
    try:
        return check_budget(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
