"""What identifies code: what functions and classes do, not where they are defined.

With names alone, an edited function would pass for the old one. Source alone cannot be
read for functions that were typed into a notebook, or in a worker process. The compiled
code is available wherever the function is; its file and line do not count.

The code of a package that states a version is identified by its name, since the version
determines the rest. Other code is followed through the functions, classes and constants
that it uses. Containers that it may change while it runs, such as counters, do not
count.
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

    The standard library is named "python", as its version is that of Python. The name
    is None for a script, a notebook, or a module without `__version__`.
    """
    is_module = isinstance(value, ModuleType)
    module = value.__name__ if is_module else getattr(value, "__module__", None)
    package = str(module).partition(".")[0]
    if package in sys.stdlib_module_names and package != "__main__":
        return "python"
    version = getattr(sys.modules.get(package), "__version__", None)
    return package if isinstance(version, str) else None


def is_named(value: Any) -> bool:
    """Tell whether a class or function can be found under its own name.

    One that was defined inside a function cannot be found, nor can a lambda.
    """
    target: Any = sys.modules.get(value.__module__)
    for part in value.__qualname__.split("."):
        target = getattr(target, part, None)
    return target is value


def parts_of_function(function: FunctionType) -> dict[str, Any]:
    """List the code of a Python function, its defaults, its closure and its globals."""
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
    """List the bases, methods and constants of a class without a package version."""
    bodies = vars(owner)
    codes = [f.__code__ for value in bodies.values() for f in _functions(value)]
    names = [_names(code) for code in codes]
    changed = set[str]().union(*(assigned for _, assigned, _ in names))
    changes_containers = any(changes for _, _, changes in names)
    parts: dict[str, Any] = {"bases": list(owner.__bases__)}
    for name, value in sorted(bodies.items()):
        special = name.startswith("__") and name.endswith("__")
        if functions := _functions(value):
            parts[name] = functions
        elif not special and name not in changed and _counts(value, changes_containers):
            parts[name] = value
    return parts


def parts_of_module(module: ModuleType) -> dict[str, Any]:
    """Return the source of a module of a package without a version, if it has one."""
    try:
        return {"source": inspect.getsource(module)}
    except (OSError, TypeError):
        return {}


_NOTHING = object()


def _contents(cell: Any) -> Any:
    """Return the contents of a cell of a closure, or "empty"."""
    try:
        return cell.cell_contents
    except ValueError:
        return "empty"


def _counts(value: Any, changes_containers: bool) -> bool:
    """Tell whether a value is part of the code that uses it."""
    if isinstance(value, _CONTAINERS):
        return not changes_containers
    # A decorator such as `functools.cache` stores the function that it wraps here.
    value = getattr(value, "__wrapped__", value)
    return isinstance(value, (*_CONSTANTS, FunctionType, type, ModuleType))


def _functions(value: Any) -> list[FunctionType]:
    """List the functions in an entry of a class: a method, or those of a descriptor."""
    if isinstance(value, FunctionType):
        return [value]
    if isinstance(value, property):
        candidates = [value.fget, value.fset, value.fdel]
    elif isinstance(value, (staticmethod, classmethod)):
        candidates = [value.__func__]
    elif isinstance(value, type):
        return []
    else:
        attributes = getattr(value, "__dict__", {})
        candidates = [attributes[name] for name in sorted(attributes)]
    return [function for function in candidates if isinstance(function, FunctionType)]


def _parts_of_code(code: CodeType) -> tuple[Any, ...]:
    # The bytes of `marshal` would not do: they depend on what else refers to the same
    # constants.
    """List everything that determines what compiled code does."""
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
            inner_loaded, inner_changed, inner_changes_containers = _names(inner)
            loaded |= inner_loaded
            changed |= inner_changed
            changes_containers |= inner_changes_containers
    return frozenset(loaded), frozenset(changed), changes_containers
