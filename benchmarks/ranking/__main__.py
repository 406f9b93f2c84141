"""The command: ``python -m benchmarks.ranking``."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from ..arguments import positive
from ..black_box.data import Pair, Table, read_tables
from .classification import VOTING
from .disparity import audit
from .half import Half
from .pruning import prune
from .regression import RATING
from .report import Report
from .taus import rank

HALVES = (VOTING, RATING)
QUICK_ROWS, QUICK_SEEDS = 1000, 1


def main(argv: Sequence[str] | None = None) -> None:
    """Read the tables, measure each task that has some, and print its report."""
    args = parser().parse_args(argv)
    # Of constant models and of few labels apart: once a fit is too often.
    warnings.filterwarnings("ignore", "The (predictions of|labels lie in)", UserWarning)
    reports = {}
    for half in HALVES:
        tables = read_tables(args.data, half.task.families, args.tables)
        if tables:
            rows = QUICK_ROWS if args.quick else None
            seeds = args.seeds or (QUICK_SEEDS if args.quick else half.task.seeds)
            pairs = {t.name: Pair(t, t) for t in (first(t, rows) for t in tables)}
            reports[half.task.name] = measure(half, pairs, args.data, seeds)
    if not reports:
        known = ", ".join(f"{f.prefix}_*" for h in HALVES for f in h.task.families)
        parser().error(f"{args.data} has no table to rank; known are {known}")
    print("\n\n".join(report.text() for report in reports.values()))
    if args.json:
        results = {name: report.json() for name, report in reports.items()}
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def first(table: Table, rows: int | None) -> Table:
    """Return the table with so many test items: their order is random."""
    return replace(table, test=table.test[:rows])


def measure(half: Half, pairs: dict[str, Pair], data: Path, seeds: int) -> Report:
    """Take all measurements of a half."""

    def timed(what: str, found: Any) -> Any:
        start = perf_counter()
        result = found()
        print(
            f"{half.task.name}, {what}: {perf_counter() - start:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        return result

    return Report(
        half,
        pairs,
        seeds,
        timed("ranking", lambda: rank(half, pairs, seeds)),
        timed("adversaries", lambda: half.plant_cases(pairs, seeds)),
        timed("pruning", lambda: prune(half, pairs, seeds)),
        timed("disparity", lambda: audit(half, pairs, data, seeds)),
    )


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.ranking",
        description="Rank black-box models, prune them, audit what is left.",
    )
    add = result.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of tables")
    seeds = ", ".join(f"{half.task.name}: {half.task.seeds}" for half in HALVES)
    add("--seeds", type=positive, metavar="N", help=f"draws of labels ({seeds})")
    add("--tables", nargs="+", default=("",), metavar="PREFIX", help="only these")
    add("--json", type=Path, metavar="OUT", help="write raw results")
    quick = f"{QUICK_SEEDS} draw, {QUICK_ROWS} test items of a table"
    add("--quick", action="store_true", help=quick)
    return result


if __name__ == "__main__":
    main()
