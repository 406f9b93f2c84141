"""What identifies code: functions and classes by what they do, not by their place.

Names alone would let an edited function pass for the old one; source alone can't be
read back for what was typed into a notebook, nor in a worker process. The compiled
code is there wherever the function is. Where it stands (file, line) doesn't count.

Code of packages that state a version is identified by name: the version tells the
rest. Other code is followed through the functions, classes and constants that it uses.
Lists and the like that it may change while it runs, counters say, don't count.
"""

from __future__ import annotations

import builtins
import dis
import inspect
import sys
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_CONSTANTS: tuple[type, ...] = (bool, int, float, complex, str, bytes, type(None))
_CONSTANTS += (tuple, frozenset, np.ndarray, np.generic)
_CONTAINERS = (list, dict, set)
_CHANGES = {"append", "add", "extend", "update", "insert", "setdefault"}
_CHANGES |= {"pop", "popitem", "remove", "discard", "clear", "sort", "reverse"}


def package_of(value: Any) -> str | None:
    """Name the top-level package of a class, function or module, if it has a version.

    Parameters
    ----------
    value : class, function or module
        Of the standard library too, whose version is that of Python.

    Returns
    -------
    str or None
        None for a script, a notebook, or a module without `__version__`.
    """
    is_module = isinstance(value, ModuleType)
    module = value.__name__ if is_module else getattr(value, "__module__", None)
    package = str(module).partition(".")[0]
    if package in sys.stdlib_module_names and package != "__main__":
        return "python"
    version = getattr(sys.modules.get(package), "__version__", None)
    return package if isinstance(version, str) else None


def is_named(value: Any) -> bool:
    """Tell whether a class or function is found under its own name.

    Parameters
    ----------
    value : class or function
        One made inside a function is not, nor is a lambda.

    Returns
    -------
    bool
    """
    found: Any = sys.modules.get(value.__module__)
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is value


def parts_of_function(function: FunctionType) -> dict[str, Any]:
    """Take a function apart.

    Parameters
    ----------
    function : function
        Written in Python.

    Returns
    -------
    dict of str to object
        Code, defaults, what it closes over, and what it uses of its module.
    """
    code = function.__code__
    parts = {
        "code": _parts_of_code(code),
        "defaults": function.__defaults__,
        "keywords": function.__kwdefaults__,
        "cells": [_contents(cell) for cell in function.__closure__ or ()],
    }
    if package_of(function) is None:
        loaded, changed, changes_containers = _names(code)
        parts["globals"] = {
            name: value
            for name in sorted(loaded - changed - set(vars(builtins)))
            if _counts(
                value := function.__globals__.get(name, _NOTHING), changes_containers
            )
        }
    return parts


def parts_of_class(owner: type) -> dict[str, Any]:
    """Take a class apart.

    Parameters
    ----------
    owner : class
        Of a package without a version.

    Returns
    -------
    dict of str to object
        Its bases, methods and constants.
    """
    bodies = vars(owner)
    codes = [f.__code__ for value in bodies.values() for f in _functions(value)]
    names = [_names(code) for code in codes]
    changed = set[str]().union(*(found[1] for found in names))
    changes_containers = any(found[2] for found in names)
    parts: dict[str, Any] = {"bases": list(owner.__bases__)}
    for name, value in sorted(bodies.items()):
        special = name.startswith("__") and name.endswith("__")
        if functions := _functions(value):
            parts[name] = functions
        elif not special and name not in changed and _counts(value, changes_containers):
            parts[name] = value
    return parts


def parts_of_module(module: ModuleType) -> dict[str, Any]:
    """Take a module apart.

    Parameters
    ----------
    module : module
        Of a package without a version.

    Returns
    -------
    dict of str to object
        Its source, where there is one.
    """
    try:
        return {"source": inspect.getsource(module)}
    except (OSError, TypeError):
        return {}


_NOTHING = object()


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "empty"


def _counts(value: Any, changes_containers: bool) -> bool:
    """Tell whether a value is part of the code that uses it."""
    if isinstance(value, _CONTAINERS):
        return not changes_containers
    # A decorator such as `functools.cache` keeps the function that it was given.
    value = getattr(value, "__wrapped__", value)
    return isinstance(value, (*_CONSTANTS, FunctionType, type, ModuleType))


def _functions(value: Any) -> list[FunctionType]:
    """Functions in an entry of a class: methods, also under a descriptor."""
    if isinstance(value, FunctionType):
        return [value]
    if isinstance(value, property):
        inside = [value.fget, value.fset, value.fdel]
    elif isinstance(value, (staticmethod, classmethod)):
        inside = [value.__func__]
    elif isinstance(value, type):
        return []
    else:
        own = getattr(value, "__dict__", {})
        inside = [own[name] for name in sorted(own)]
    return [function for function in inside if isinstance(function, FunctionType)]


def _parts_of_code(code: CodeType) -> tuple[Any, ...]:
    # Not `marshal`, whose bytes depend on what else refers to the same constants.
    return (
        code.co_code,
        code.co_exceptiontable,
        tuple(
            _parts_of_code(value) if isinstance(value, CodeType) else value
            for value in code.co_consts
        ),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_flags,
    )


@lru_cache(maxsize=4096)
def _names(code: CodeType) -> tuple[frozenset[str], frozenset[str], bool]:
    """Globals that are read, names that are assigned, whether containers may change."""
    loaded: set[str] = set()
    changed: set[str] = set()
    changes_containers = bool(_CHANGES & set(code.co_names))
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_GLOBAL":
            loaded.add(step.argval)
        elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR"):
            changed.add(step.argval)
        elif step.opname in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
            changes_containers = True
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found = _names(inner)
            loaded |= found[0]
            changed |= found[1]
            changes_containers |= found[2]
    return frozenset(loaded), frozenset(changed), changes_containers
