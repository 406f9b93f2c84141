"""What the command was asked for, and the folder of its files."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

__all__ = ["NoRoomError", "Settings", "fits_in_memory"]

SPARE = 1e9  # bytes of the disk that are left alone


class NoRoomError(Exception):
    """The disk has no room for a file."""


@dataclass
class Settings:
    """Sizes, or None for those of each part, and a folder while it is entered."""

    rows: list[int] | None
    models: list[int] | None
    quick: bool
    disk: Path | None
    keep: bool
    _made: list[Path] = field(default_factory=list)

    def several(
        self, asked: list[int] | None, full: list[int], quick: list[int]
    ) -> list[int]:
        """Return sizes, increasing."""
        return sorted(asked or (quick if self.quick else full))

    def one(self, asked: list[int] | None, full: int, quick: int) -> int:
        """Return the largest size."""
        return max(asked or [quick if self.quick else full])

    def __enter__(self) -> Self:
        if self.disk is None:
            self.keep = False
            self.disk = Path(mkdtemp(prefix="scale-"))
            self._made.append(self.disk)
        self.disk = self.disk.absolute()
        self.disk.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for path in [] if self.keep else reversed(self._made):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """Return where files are."""
        assert self.disk is not None
        return self.disk

    def place(self, name: str, n_bytes: int) -> tuple[Path, bool]:
        """Return the path of a file to be written, and whether it is there already."""
        path = self.folder / name
        if path.exists():
            return path, True
        free = shutil.disk_usage(self.folder).free
        if free < n_bytes + SPARE:
            raise NoRoomError(
                f"{self.folder} has {free / 1e9:.1f} GB free; {name} needs "
                f"{n_bytes / 1e9:.1f} GB and {SPARE / 1e9:.0f} GB are left alone. Give "
                "another --disk, or fewer --rows."
            )
        self._made.append(path)
        return path, False

    def drop(self, *paths: Path) -> None:
        """Remove files that later parts do not read."""
        for path in paths:
            if path in self._made and not self.keep:
                path.unlink(missing_ok=True)


def fits_in_memory(n_bytes: float) -> bool:
    """Tell whether half of the machine's memory holds a table."""
    return n_bytes < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
