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
from . import table
from .problems import FAMILIES
from .race import race
from .report import Problem, as_json, footer, header, machine, row

SIZES = [5, 10, 20, 50, 100, 200, 500, 1000, 2000]
QUICK = [5, 20, 100, 500]


def main(argv: Sequence[str] | None = None) -> None:
    """Run one of the two benchmarks and print its report."""
    args = parser().parse_args(argv)
    record = time_fit(args) if args.table else time_solvers(args)
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


def show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.solvers",
        description="Certified simplex weights, or a fit, against the fastest.",
    )
    result.add_argument("--json", type=Path, metavar="OUT", help="write raw results")
    result.add_argument("--quick", action="store_true", help="fewer sizes, fewer rows")
    result.add_argument(
        "--sizes", nargs="+", type=positive, metavar="M", help="numbers of models"
    )
    result.add_argument("--table", action="store_true", help="time a fit instead")
    result.add_argument("--rows", type=positive, metavar="N", help="1,000,000")
    result.add_argument("--columns", type=positive, default=100, metavar="M")
    return result


if __name__ == "__main__":
    main()
