"""The file of one fit: a line that says what it was written with, then a pickle.

It is unpickled only if its digest and all versions agree. A digest finds damage, not
malice: as for any pickle, only trusted people may write to the folder.
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
# A fitted member and no predictions, or predictions and no member.
Fitted = tuple[Any, Any]


class UnusableError(Exception):
    """A file that cannot be used, and why."""


def pickle_fit(fit: Fitted, code: dict[str, Any]) -> bytes:
    """Pickle a fit.

    Parameters
    ----------
    fit : tuple of (estimator or None, ndarray or None)
        What was fitted, or what it predicts.
    code : dict of str to class or function
        Written as these names, whether or not pickle would find them.

    Returns
    -------
    bytes

    Raises
    ------
    Exception
        Whatever kind pickle, or the estimator, raises.
    """
    file = io.BytesIO()
    _Pickler(file, code).dump(fit)
    return file.getvalue()


def read_fit(
    path: Path, key: str, versions: dict[str, str], code: dict[str, Any]
) -> Fitted | None:
    """Read a fit.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        Of the fit that is wanted.
    versions : dict of str to str
        Those of now.
    code : dict of str to class or function
        That which :func:`pickle_fit` received.

    Returns
    -------
    tuple of (estimator or None, ndarray or None) or None
        None if there is no file.

    Raises
    ------
    UnusableError
        If it is damaged, or was written with other versions.
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
        form, own_key, size = header["format"], header["key"], header["size"]
        own_versions, digest = dict(header["versions"]), header["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableError("has no readable first line") from error
    if form != FORMAT:
        raise UnusableError(f"has format {form}, and this is format {FORMAT}")
    if own_key != key:
        raise UnusableError("is that of another fit")
    if own_versions != versions:
        others = [
            f"{name} {own_versions.get(name)} (now {versions.get(name)})"
            for name in sorted({*own_versions, *versions})
            if own_versions.get(name) != versions.get(name)
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
    """Write a fit, as a whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    key : str
        Of the fit.
    versions : dict of str to str
        Those of now.
    payload : bytes
        Of :func:`pickle_fit`.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it.
    """
    header = {
        "format": FORMAT,
        "key": key,
        "versions": versions,
        "size": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    # What a crash cuts short, the digest finds.
    with whole_file(path) as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(payload)


def describe(error: Exception) -> str:
    """Say what an error is, kind and message.

    Parameters
    ----------
    error : Exception
        Raised by something else.

    Returns
    -------
    str
    """
    return f"{type(error).__name__}: {error}"


class _Pickler(pickle.Pickler):
    def __init__(self, file: Any, code: dict[str, Any]) -> None:
        super().__init__(file, protocol=5)
        self._names = {id(value): name for name, value in code.items()}

    def persistent_id(self, value: Any) -> str | None:
        if isinstance(value, (type, FunctionType)):
            return self._names.get(id(value))
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, code: dict[str, Any]) -> None:
        super().__init__(file)
        self._code = code

    def persistent_load(self, name: str) -> Any:
        return self._code[name]
