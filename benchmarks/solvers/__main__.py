"""The command: ``python -m benchmarks.solvers``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ..arguments import positive
from . import pool, table, votes
from .problems import FAMILIES
from .race import race
from .report import Problem, as_json, footer, header, machine, row

SIZES = [5, 10, 20, 50, 100, 200, 500, 1000, 2000]
QUICK = [5, 20, 100, 500]


def main(argv: Sequence[str] | None = None) -> None:
    """Run one of the benchmarks and print its report."""
    args = parser().parse_args(argv)
    record = next(run for flag, run in RUNS.items() if getattr(args, flag, True))(args)
    if args.json:
        args.json.write_text(json.dumps(record, indent=1) + "\n")


def time_solvers(args: argparse.Namespace) -> dict[str, Any]:
    sizes = args.sizes or (QUICK if args.quick else SIZES)
    show(header())
    problems = []
    with threadpool_limits(1):
        for family in FAMILIES:
            races = (Problem(family, *found) for found in race(family, sizes))
            for _, same_size in groupby(races, lambda problem: problem.M):
                group = list(same_size)
                problems += group
                show([row(group)])
    show(footer(problems))
    return as_json(problems)


def time_fit(args: argparse.Namespace) -> dict[str, Any]:
    rows = args.rows or (100_000 if args.quick else 1_000_000)
    fit = table.measure(rows, args.columns)
    show(table.as_text(fit))
    return machine() | {"fit": asdict(fit) | {"ratio": fit.ratio}}


def time_votes(args: argparse.Namespace) -> dict[str, Any]:
    races = []
    with threadpool_limits(1):
        for race_ in votes.measure(args.rows or (50_000 if args.quick else 1_000_000)):
            races.append(race_)
            show(votes.as_text(race_))
    return machine() | {"votes": [asdict(each) for each in races]}


def time_pool(args: argparse.Namespace) -> dict[str, Any]:
    groups = []
    with threadpool_limits(1):
        rows = args.rows or (100_000 if args.quick else 1_000_000)
        for runs in (pool.measure(rows), pool.measure_conic()):
            groups.append(runs)
            show(pool.as_text(runs))
    return machine() | {"pool": [[asdict(run) for run in runs] for runs in groups]}


# By the flag that asks for it; the last is run where none does.
RUNS = {
    "table": time_fit,
    "votes": time_votes,
    "pool": time_pool,
    "solvers": time_solvers,
}


def show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.solvers",
        description="Certified weights, or a fit, against the fastest.",
    )
    result.add_argument("--json", type=Path, metavar="OUT", help="write raw results")
    result.add_argument("--quick", action="store_true", help="fewer sizes, fewer rows")
    result.add_argument(
        "--sizes", nargs="+", type=positive, metavar="M", help="numbers of models"
    )
    result.add_argument("--table", action="store_true", help="time a fit instead")
    result.add_argument("--votes", action="store_true", help="time votes instead")
    result.add_argument("--pool", action="store_true", help="time the linear pool")
    result.add_argument("--rows", type=positive, metavar="N", help="1,000,000")
    result.add_argument("--columns", type=positive, default=100, metavar="M")
    return result


if __name__ == "__main__":
    main()
