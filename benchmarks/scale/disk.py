"""Tables on disk: a fit against a plain read of the same files, and a bare pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from statistics import median
from typing import Any

from .child import run
from .files import RawTable, write_parquet, write_raw
from .race import Times
from .settings import Settings
from .sheet import Sheet

__all__ = ["MODELS", "QUICK_ROWS", "ROWS", "measure"]

ROWS, QUICK_ROWS, MODELS = 100_000_000, 2_000_000, 20
PARQUET_ROWS, TURNS, QUICK_TURNS = 10_000_000, 5, 3
BOUND, MEGABYTES = 1.3, 300.0
READ, BARE, FIT = "plain read", "bare pass", "fit, n_jobs="
SCAN = "Parquet, plain scan"
COLUMNS = {
    "from disk": "",
    "rows": ",",
    "median s": ".2f",
    "CPU s": ".2f",
    "GB/s": ".2f",
    "x read": ".2f",
    "x bare": ".2f",
    "peak MB": ".0f",
    "stored": ".0%",
}
Passes = Mapping[str, Any]


def measure(settings: Settings) -> Sheet:
    """Measure raw files, then Parquet; everything once a turn."""
    sheet = Sheet(COLUMNS)
    rows = settings.one(settings.rows, ROWS, QUICK_ROWS)
    models = settings.one(settings.models, MODELS, MODELS)
    table = write_raw(settings, rows, models)
    sheet.say(
        f"float32 predictions of {models} models and labels in files. Plain read: in "
        "chunks into a reused buffer. Bare pass: the same, float64 errors, dsyrk. Each "
        "pass is a process of its own, peak is all its memory; before it the system is "
        "asked to forget the files. n_jobs: threads that sum up blocks, while one more "
        "reads; CPU: seconds of all of them. Stored: share of the bytes that did come "
        "from storage. Ratios are of medians."
    )
    turns = QUICK_TURNS if settings.quick else TURNS
    own = partial(run, "passes", "raw_pass", **table.arguments())
    passes = {
        READ: partial(own, how="read"),
        BARE: partial(own, how="bare"),
        f"{FIT}1": partial(own, how="fit"),
        f"{FIT}2": partial(own, how="fit", n_jobs=2),
        "iterator, n_jobs=1": partial(own, how="iterator"),
        "iterator, n_jobs=2": partial(own, how="iterator", n_jobs=2),
    }
    found = compare(sheet, passes, table, turns, table.n_bytes)
    small = RawTable(table.P, table.y, min(rows, PARQUET_ROWS), models)
    try:
        path = write_parquet(settings, small)
    except ModuleNotFoundError as error:
        sheet.say(f"Parquet: {error.name} is not installed; skipped.")
    else:
        own = partial(run, "passes", "parquet_pass", path=path)
        passes = {
            SCAN: partial(own, how="read"),
            "Parquet, fit, n_jobs=1": partial(own, how="fit"),
            "Parquet, fit, n_jobs=2": partial(own, how="fit", n_jobs=2),
        }
        found |= compare(sheet, passes, small, turns, path.stat().st_size)
        settings.drop(path)
    claim(sheet, found, table)
    return sheet


def compare(
    sheet: Sheet, passes: Passes, table: RawTable, turns: int, n_bytes: int
) -> dict[str, dict[str, Any]]:
    """Show each pass beside the first, and beside a bare one where there is one."""
    raw: dict[str, list[Any]] = {name: [] for name in passes}
    for _ in range(turns):
        for name, once in passes.items():
            raw[name].append(once())
    found = {name: each for name, each in raw.items() if None not in each}
    times = {name: Times([one["seconds"] for one in found[name]]) for name in found}
    plain, bare = times[next(iter(passes))], times.get(BARE)
    shown = {}
    for name in raw:
        if name not in found:
            sheet.row(from_disk=name, rows=table.rows)
            continue
        stored = [one["stored"] for one in found[name]]
        figures = {
            "median s": times[name].median,
            "CPU s": median(one["cpu"] for one in found[name]),
            "GB/s": n_bytes / 1e9 / times[name].median,
            "x read": times[name].over(plain),
            "x bare": None if bare is None else times[name].over(bare),
            "peak MB": max(one["peak"] for one in found[name]) / 1e6,
            "stored": None if None in stored else min(stored) / n_bytes,
        }
        sheet.row(from_disk=name, rows=table.rows, **figures)
        shown[name] = figures | {"by least": times[name].least_over(plain)}
    return shown


def claim(sheet: Sheet, found: Mapping[str, Any], table: RawTable) -> None:
    size = f"{table.rows:,} x {table.models} float32"
    for n_jobs in (1, 2):
        own = found[f"{FIT}{n_jobs}"]
        sheet.at_most(
            f"fit from disk over a plain read, {size}, n_jobs={n_jobs}",
            own["x read"],
            BOUND,
            f"ratio of least times {own['by least']:.2f}; over the bare pass, which is "
            f"{found[BARE]['x read']:.2f} plain reads: {own['x bare']:.2f}",
        )
    for what, text in (("raw files", "read"), ("Parquet", "scan")):
        own = {name: p["peak MB"] for name, p in found.items() if what_of(name) == what}
        worst = max(own, key=lambda name: own[name], default=None)
        if worst is not None:
            sheet.at_most(
                f"peak memory of a fit from {what}, whole process, MB",
                own[worst],
                MEGABYTES,
                f"{worst}; a plain {text} takes {plain_peak(found, what):.0f}",
            )


def what_of(name: str) -> str | None:
    if "n_jobs" not in name:
        return None
    return "Parquet" if name.startswith("Parquet") else "raw files"


def plain_peak(found: Mapping[str, Any], what: str) -> float:
    return found[SCAN if what == "Parquet" else READ]["peak MB"]
