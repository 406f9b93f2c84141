"""A part's table, printed row by row as it comes, and its claims."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from textwrap import wrap
from typing import Any

from ..black_box.claim import Claim
from ..black_box.report import WIDTH

__all__ = ["Bound", "Sheet", "machine"]

PACKAGES = (
    *("numpy", "scipy", "scikit-learn"),
    *("pyarrow", "dask", "distributed", "crowd-kit"),
)
FIRST, ROWS, CELL = 25, 12, 9


class Bound(Claim):
    """A claim, of figures of any size."""

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "MISSED"
        where = f"\n  ({self.where})" if self.where else ""
        return f"{self.text}: {self.value:.4g}, bound {self.bound:g}: {verdict}{where}"


@dataclass
class Sheet:
    """Rows of named figures; prints what it is given.

    Attributes
    ----------
    columns : name -> format of its figures. The first is a text, to the left.
    """

    columns: Mapping[str, str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    claims: list[Bound] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Print and keep a text."""
        self.remarks.append(text)
        print("\n".join(wrap(text, WIDTH, subsequent_indent="  ")), flush=True)

    def row(self, **figures: Any) -> None:
        """Add a row; what is absent or None is a dash. Names have _ for blanks."""
        if not self.rows:
            heads = list(self.columns)
            print(line(heads, heads))
        figures = {name.replace("_", " "): value for name, value in figures.items()}
        self.rows.append(figures)
        cells = [cell(figures.get(c), form) for c, form in self.columns.items()]
        print(line(list(self.columns), cells), flush=True)

    def at_most(self, text: str, value: float, bound: float, where: str = "") -> None:
        """Print and keep a claim, with what it comes from."""
        self._claim(Bound(text, float(value), bound, bool(value <= bound), where))

    def at_least(self, text: str, value: float, bound: float, where: str = "") -> None:
        """Print and keep a claim, likewise."""
        self._claim(Bound(text, float(value), bound, bool(value >= bound), where))

    def _claim(self, claim: Bound) -> None:
        self.claims.append(claim)
        print(claim, flush=True)

    def json(self) -> dict[str, Any]:
        """Return everything printed."""
        claims = [asdict(claim) for claim in self.claims]
        return {"about": self.remarks, "rows": self.rows, "claims": claims}


def line(columns: list[str], cells: list[str]) -> str:
    first, *rest = (
        f"{text:>{ROWS if name == 'rows' else max(CELL, len(name) + 1)}}"
        for name, text in zip(columns, cells, strict=True)
    )
    return f"{first.strip():<{FIRST}}" + "".join(rest)


def cell(value: Any, form: str) -> str:
    return "-" if value is None else format(value, form)


def machine() -> dict[str, Any]:
    """Return versions and machine."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "blas_threads": 1,
    }
