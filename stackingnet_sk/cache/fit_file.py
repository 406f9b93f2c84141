"""The file of one fit: a line that states the versions, followed by a pickle.

The pickle is loaded only if its digest and all versions agree. A digest detects damage
but not malice: as for any pickle, only trusted people may write to the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from pathlib import Path
from types import FunctionType
from typing import Any

from stackingnet_sk._files import whole_file

FORMAT = 1
# A fitted member and None, or None and predictions.
Fitted = tuple[Any, Any]


class UnusableError(Exception):
    """A file cannot be used; the message says why."""


def pickle_fit(fit: Fitted, code: dict[str, Any]) -> bytes:
    """Pickle a fit, writing classes and functions in `code` as its names.

    This works whether or not pickle could find them under their own names. Raises
    whatever kind of error pickle, or the estimator, raises.
    """
    file = io.BytesIO()
    _Pickler(file, code).dump(fit)
    return file.getvalue()


def read_fit(
    path: Path, key: str, versions: dict[str, str], code: dict[str, Any]
) -> Fitted | None:
    """Read the fit of a key; None if there is no file.

    `versions` are the current ones, and `code` is what :func:`pickle_fit` received.
    Raises an UnusableError if the file is damaged or was written with other versions.
    """
    try:
        with path.open("rb") as file:
            first, payload = file.readline(), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableError(f"cannot be read ({describe(error)})") from error
    try:
        header = json.loads(first)
        form, file_key, size = header["format"], header["key"], header["size"]
        file_versions, digest = dict(header["versions"]), header["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableError("has no readable first line") from error
    if form != FORMAT:
        raise UnusableError(f"has format {form}, and this is format {FORMAT}")
    if file_key != key:
        raise UnusableError("is that of another fit")
    if file_versions != versions:
        others = [
            f"{name} {file_versions.get(name)} (now {versions.get(name)})"
            for name in sorted({*file_versions, *versions})
            if file_versions.get(name) != versions.get(name)
        ]
        raise UnusableError(f"was written with {', '.join(others)}")
    if size != len(payload):
        raise UnusableError(f"has {len(payload)} bytes where {size} were written")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise UnusableError("was changed after it was written")
    try:
        estimator, prediction = _Unpickler(io.BytesIO(payload), code).load()
    except Exception as error:
        raise UnusableError(f"cannot be unpickled ({describe(error)})") from error
    return estimator, prediction


def write_fit(path: Path, key: str, versions: dict[str, str], payload: bytes) -> None:
    """Write a pickled fit and its header, replacing a file that exists.

    Raises an OSError, and leaves no file, if it cannot be written.
    """
    header = {
        "format": FORMAT,
        "key": key,
        "versions": versions,
        "size": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    # The digest detects a file that a crash cut short.
    with whole_file(path) as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(payload)


def describe(error: Exception) -> str:
    """Return the kind and the message of an error."""
    return f"{type(error).__name__}: {error}"


class _Pickler(pickle.Pickler):
    """Pickle classes and functions of `code` as their names there."""

    def __init__(self, file: Any, code: dict[str, Any]) -> None:
        super().__init__(file, protocol=5)
        self._names = {id(value): name for name, value in code.items()}

    def persistent_id(self, value: Any) -> str | None:
        if isinstance(value, (type, FunctionType)):
            return self._names.get(id(value))
        return None


class _Unpickler(pickle.Unpickler):
    """Look up in `code` what `_Pickler` wrote as a name."""

    def __init__(self, file: Any, code: dict[str, Any]) -> None:
        super().__init__(file)
        self._code = code

    def persistent_load(self, name: str) -> Any:
        return self._code[name]
