"""The command: ``python -m benchmarks.arena``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..arguments import positive
from .plot import plot
from .race import run
from .report import Report
from .votes import VOTES, WITH_CROWD_KIT

ARENAS = {arena.name: arena for arena in (VOTES,)}


def main(argv: Sequence[str] | None = None) -> None:
    """Run an arena, and print its report."""
    args = parser().parse_args(argv)
    arena = ARENAS[args.arena]
    if args.crowd_kit:
        arena = replace(arena, rivals={**arena.rivals, **WITH_CROWD_KIT})
    cases = [
        case
        for case in arena.cases(args.data, args.unlabelled)
        if case.name.startswith(tuple(args.only))
    ]
    if not cases:
        parser().error("no situation and no table has such a name")
    budgets = args.budgets or arena.budgets
    errors = run(arena, cases, budgets, args.draws, args.jobs, progress)
    report = Report(arena, cases, errors)
    print(report.text())
    if args.json:
        args.json.write_text(json.dumps(report.json(), indent=1) + "\n")
    if args.plot:
        plot(report, args.plot)


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.arena",
        description="Defaults against plain rivals, where truth and faults are known.",
    )
    add = result.add_argument
    add("arena", choices=sorted(ARENAS))
    add("--data", type=Path, metavar="DIR", help="folder of tables, in addition")
    add("--budgets", nargs="+", type=int, metavar="N", help="numbers of labels")
    add("--draws", type=positive, default=25, metavar="N", help="draws per cell (25)")
    add(
        "--unlabelled",
        type=positive,
        default=250,
        metavar="N",
        help="rows without labels to learn from, in situations (250)",
    )
    add("--only", nargs="+", default=("",), metavar="PREFIX", help="only these cases")
    add("--crowd-kit", action="store_true", help="with crowd-kit's aggregators")
    add("--jobs", type=positive, default=1, metavar="N", help="processes (1)")
    add("--json", type=Path, metavar="OUT", help="write errors and summaries")
    add("--plot", type=Path, metavar="FILE", help="draw the ratios")
    return result


if __name__ == "__main__":
    main()
