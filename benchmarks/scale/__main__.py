"""The command: ``python -m benchmarks.scale``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ..arguments import positive

# By name, in the order of their run; each is a module with a function `measure`.
PARTS = {
    "memory": "memory",
    "predict": "predict",
    "disk": "disk",
    "cost": "cost",
    "dask": "workers",
    "grid": "grid",
    "votes": "votes",
}
# Before numpy is loaded, here and in the processes that are started.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the parts, each with its table and claims."""
    os.environ |= ONE_THREAD
    # Whoever ends the command leaves no files behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from threadpoolctl import threadpool_limits

    from .settings import NoRoomError, Settings
    from .sheet import machine

    args = parser().parse_args(argv)
    results = machine()
    print("One BLAS thread everywhere; contestants take turns in the same run.")
    with (
        threadpool_limits(1),
        Settings(args.rows, args.models, args.quick, args.disk, args.keep) as settings,
    ):
        for part in args.only or PARTS:
            print()
            try:
                module = import_module(f"{__package__}.{PARTS[part]}")
                results[part] = module.measure(settings).json()
            except ModuleNotFoundError as error:
                if (error.name or "").startswith(("benchmarks", "stackingnet_sk")):
                    raise
                print(f"{part}: {error.name} is not installed; skipped.")
            except NoRoomError as error:
                print(f"{part}: {error} Skipped.")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description="Time and peak memory against rows and models, beside rivals.",
    )
    add = result.add_argument
    several = {"nargs": "+", "type": positive}
    add(
        "--rows",
        **several,
        metavar="N",
        help="of every part; one that measures a single table takes the most",
    )
    add("--models", **several, metavar="M", help="likewise; votes and cost have theirs")
    add("--quick", action="store_true", help="small tables")
    add("--only", nargs="+", choices=PARTS, metavar="PART", help=" ".join(PARTS))
    add("--disk", type=Path, metavar="DIR", help="for the files (a temporary folder)")
    add("--keep", action="store_true", help="leave the files in DIR, for the next run")
    add("--json", type=Path, metavar="OUT", help="write raw results")
    return result


if __name__ == "__main__":
    main()
