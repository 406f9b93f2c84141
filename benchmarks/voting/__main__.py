"""The command: ``python -m benchmarks.voting``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..arguments import positive
from .classification import CLASSIFICATION
from .protocol import run
from .regression import REGRESSION
from .report import as_text
from .results import as_json
from .summary import Summary

TASKS = {task.name: task for task in (REGRESSION, CLASSIFICATION)}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one task and print its report."""
    args = parser().parse_args(argv)
    task = TASKS[args.task]
    keys = args.datasets or [d.key for d in task.datasets if d.quick or not args.quick]
    unknown = sorted(set(keys) - {data.key for data in task.datasets})
    if unknown:
        known = ", ".join(data.key for data in task.datasets)
        parser().error(f"unknown data sets {unknown}; {args.task} has {known}")
    datasets = [data for data in task.datasets if data.key in keys]
    # Whole fits cost more than all else, hence one data set of a quick run.
    timed = datasets[:1] if args.quick else datasets
    record = run(
        task,
        datasets,
        repeats=args.repeats or (2 if args.quick else 5),
        time_fits=lambda data: data in timed,
        progress=partial(print, file=sys.stderr, flush=True),
    )
    summary = Summary(task, record)
    print(as_text(summary))
    if args.json:
        args.json.write_text(json.dumps(as_json(summary), indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.voting", description="StackingNet and its rivals."
    )
    result.add_argument("--task", choices=sorted(TASKS), default="regression")
    result.add_argument("--json", type=Path, metavar="OUT", help="write raw results")
    result.add_argument("--quick", action="store_true", help="few data sets, 2 repeats")
    result.add_argument("--repeats", type=positive, metavar="N", help="splits (5)")
    result.add_argument("--datasets", nargs="+", metavar="NAME", help="only these")
    return result


if __name__ == "__main__":
    main()
