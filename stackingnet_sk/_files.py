"""Files that are whole or not there."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that appears at its path, in one step, once it is complete.

    It is written in bytes. An OSError is raised if it cannot be written; what was at
    the path is still there then.
    """
    # What a link points to is replaced, not the link.
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise FileExistsError(f"{place} is no file, and would be one; name a file.")
    part = place.with_name(f"{place.name}.{uuid.uuid4().hex}.part")
    part_names = (None, str(part))
    try:
        # Not forced to the disk: that takes longer than most of what is written.
        with part.open("xb") as file:
            yield file
        if place.exists():
            shutil.copymode(place, part)
        os.replace(part, place)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno and error.filename in part_names:
            # The caller does not know the temporary file.
            error.filename, error.filename2 = str(path), None
        raise
