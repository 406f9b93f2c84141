"""Saved state of fitted estimators: dictionaries, lists and arrays, no class of ours.

A format that runs no code then needs to trust the estimators alone, and a file does
not depend on how the classes inside of them work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

_PACKAGE = "stackingnet_sk."
_KIND = "__stackingnet_sk__"


def pack(value: Any) -> Any:
    """Turn what this package defines, at any depth, into plain dictionaries."""
    kind: Any = type(value)
    if kind.__module__.startswith(_PACKAGE):
        name = f"{kind.__module__}:{kind.__qualname__}"
        if isinstance(value, Enum):
            return {_KIND: name, "name": value.name}
        if is_dataclass(value):
            # A class may say itself what of it is saved. Names that begin with an
            # underscore are caches.
            state: Any = vars(value)
            if "__getstate__" in vars(kind):
                state = kind.__getstate__(value)
            names = [item.name for item in fields(value) if item.name[0] != "_"]
            return {_KIND: name} | {key: pack(state[key]) for key in names}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return {_KIND: name} | {k: pack(v) for k, v in value._asdict().items()}
    if kind is dict or (isinstance(value, Mapping) and kind.__name__ == "mappingproxy"):
        return {key: pack(item) for key, item in value.items()}
    if kind in (list, tuple):
        return kind(pack(item) for item in value)
    return value


def unpack(value: Any) -> Any:
    """Undo :func:`pack`.

    Raises
    ------
    ValueError
        If a dictionary names anything but a dataclass, a named tuple or an enumeration
        of this package.
    """
    if type(value) is dict:
        items = {key: unpack(item) for key, item in value.items()}
        return _restore(items) if _KIND in items else items
    if type(value) in (list, tuple):
        return type(value)(unpack(item) for item in value)
    return value


def _restore(items: dict[str, Any]) -> Any:
    name = items.pop(_KIND)
    module, _, qualname = str(name).partition(":")
    kind = None
    if module.startswith(_PACKAGE):
        kind = getattr(import_module(module), qualname, None)
    if isinstance(kind, type) and kind.__module__ == module:
        if issubclass(kind, Enum):
            return kind[items["name"]]
        if is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_asdict")):
            return kind(**items)
    raise ValueError(f"A saved estimator cannot hold {name!r}; the file is damaged.")
