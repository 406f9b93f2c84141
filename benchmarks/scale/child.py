"""A job in a fresh process: its seconds, and the memory of the whole process.

A job is a function of a module of this package. Its arguments are numbers and names of
files, and what it returns is figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

from ..solvers.table import peak_resident, seconds

__all__ = ["measured", "run"]


def run(module: str, function: str, **arguments: Any) -> dict[str, Any] | None:
    """Do a job; None where it fails, as for lack of memory."""
    texts = {k: str(v) if isinstance(v, Path) else v for k, v in arguments.items()}
    done = subprocess.run(
        [sys.executable, "-m", __name__, module, function, json.dumps(texts)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])


def measured(function: Callable[[], Any]) -> dict[str, float | None]:
    """Call it once.

    "seconds", and "cpu" of all threads; "growth" of the resident memory at its peak
    over what it was before; "peak", the most that the process had in its life; and
    "stored", bytes that came from storage and not from the system's cache, None where
    that is not known.
    """
    before = peak()
    resident = status("VmRSS") or before
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    except OSError:
        resident = before
    stored = read_from_storage()
    cpu = process_time()
    result: dict[str, float | None] = {"seconds": seconds(function)}
    result["cpu"] = process_time() - cpu
    after = peak()
    result |= {"growth": after - resident, "peak": max(before, after)}
    more = read_from_storage()
    result["stored"] = None if stored is None or more is None else more - stored
    return result


def peak() -> int:
    """Bytes; that of Linux is of this program alone, others' of who started it too."""
    return status("VmHWM") or peak_resident()


def status(name: str) -> int | None:
    return proc("status", name, 1024)


def read_from_storage() -> int | None:
    return proc("io", "read_bytes", 1)


def proc(file: str, name: str, unit: int) -> int | None:
    try:
        lines = Path("/proc/self", file).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * unit
    return None


if __name__ == "__main__":
    job = getattr(import_module(f"{__package__}.{sys.argv[1]}"), sys.argv[2])
    print(json.dumps(job(**json.loads(sys.argv[3]))))
