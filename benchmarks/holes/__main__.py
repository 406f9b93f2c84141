"""The command: ``python -m benchmarks.holes``."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from ..arguments import positive
from ..black_box.__main__ import budget
from ..black_box.data import Table, read_tables
from ..black_box.regression import REGRESSION
from .masks import MOST
from .measure import measure
from .report import as_json, report
from .timing import measure_seconds

RATES, BUDGETS, SEEDS = (10, 30, 50), ("10", "5%", "20%"), 5
QUICK_ROWS, QUICK_SEEDS = 200, 1


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the errors, if there are tables, and the time; print both."""
    args = parser().parse_args(argv)
    # Its ten rounds end before its tolerance more often than not.
    warnings.filterwarnings(
        "ignore", r"\[IterativeImputer\] Early stopping", ConvergenceWarning
    )
    results: dict[str, Any] = {}
    if args.data:
        seeds = args.seeds or (QUICK_SEEDS if args.quick else SEEDS)
        tables = read(args)
        errors = measure(tables, args.budgets, args.rates, seeds, progress)
        print(report(errors), end="\n\n")
        results |= as_json(errors)
    timing = measure_seconds()
    print("\n".join(timing.text()))
    results["seconds"] = timing.json()
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def read(args: argparse.Namespace) -> list[Table]:
    tables = read_tables(args.data, REGRESSION.families, args.tables)
    if not tables:
        known = ", ".join(f"{family.prefix}_*" for family in REGRESSION.families)
        parser().error(f"{args.data} has no table to measure; known are {known}")
    rows = QUICK_ROWS if args.quick else None  # their order is random
    return [replace(table, test=table.test[:rows]) for table in tables]


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.holes",
        description="Combine predictions of models that are silent here and there.",
    )
    add = result.add_argument
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of tables; without it, only the time is taken",
    )
    add("--tables", nargs="+", default=("",), metavar="PREFIX", help="only these")
    add(
        "--rates",
        nargs="+",
        type=rate,
        default=RATES,
        metavar="N",
        help=f"percent of predictions removed, at most {MOST} {listed(RATES)}",
    )
    add(
        "--budgets",
        nargs="+",
        type=budget,
        default=BUDGETS,
        metavar="N",
        help=f"labels or percentages {listed(BUDGETS)}".replace("%", "%%"),
    )
    add("--seeds", type=positive, metavar="N", help=f"draws ({SEEDS})")
    quick = f"{QUICK_SEEDS} draw, {QUICK_ROWS} rows of a table to predict"
    add("--quick", action="store_true", help=quick)
    add("--json", type=Path, metavar="OUT", help="write raw results")
    return result


def listed(values: Sequence[object]) -> str:
    return f"({' '.join(map(str, values))})"


def rate(text: str) -> int:
    value = positive(text)
    if value > MOST:
        raise argparse.ArgumentTypeError(f"must be at most {MOST}")
    return value


if __name__ == "__main__":
    main()
