"""What identifies a fit: the member and its parameters, the data, and the rows.

The parts of a value are visited, and the value is not pickled as a whole: the pickle of
an estimator contains scikit-learn's version, and that of a function only its name. A
key does not depend on versions. A fit under other versions is therefore found, and can
be told from one that was never done.
"""

from __future__ import annotations

import copyreg
import hashlib
import pickle
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from stackingnet_sk._compat import state_besides_parameters
from stackingnet_sk.cache.code_key import (
    is_named,
    package_of,
    parts_of_class,
    parts_of_function,
    parts_of_module,
)

_ATOMS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


class Fingerprints:
    """Digests of values, which are equal for values that lead to the same fit.

    Each array is digested once, so an instance may be used only as long as no array is
    modified.

    Parameters
    ----------
    others : Fingerprints, default=None
        An instance whose digests of arrays are shared.

    Attributes
    ----------
    packages : set of str
        Top-level packages with a version whose code the values use.
    code : dict of str to class or function
        By digest, the classes and functions in the values that no package's version
        identifies.
    """

    def __init__(self, others: Fingerprints | None = None) -> None:
        self.packages: set[str] = set()
        self.code: dict[str, Any] = {}
        # Keep the arrays alive, as the id of a deleted array can be used again.
        self._arrays: dict[int, tuple[Any, str]]
        self._arrays = {} if others is None else others._arrays
        self._codes: dict[int, tuple[Any, str]] = {}
        self._open: list[int] = []
        self._inside_code = 0

    def of_data(self, *data: Any) -> str:
        """Digest data (arrays, sparse matrices, data frames) as a whole.

        Raises a TypeError if it cannot be hashed.
        """
        try:
            # An array that was sent to a worker may be a memory-mapped file there: give
            # both the same digest.
            return _join(
                "data", *(joblib.hash(part, coerce_mmap=True) for part in data)
            )
        except Exception as error:
            raise TypeError(f"{type(error).__name__}: {error}") from error

    def of(self, value: Any) -> str:
        """Digest a value: a parameter, an estimator, a function, or any of their parts.

        Raises a TypeError, which names the kind of the part, if a part cannot be
        described.
        """
        try:
            return self._of(value)
        except RecursionError as error:
            raise TypeError("it is nested too deeply") from error
        except Exception as error:
            raise TypeError(f"{type(error).__name__}: {error}") from error
        finally:
            self._open.clear()
            self._inside_code = 0

    def _of(self, value: Any) -> str:
        """Digest a value, using the digests of code and arrays already seen."""
        kind = type(value)
        if kind in _ATOMS:
            return _join(kind.__name__, repr(value))
        if id(value) in self._open:
            return _join("around", str(self._open.index(id(value))))
        is_code = isinstance(value, (type, FunctionType))
        digests = self._codes if is_code else self._arrays
        if id(value) in digests:
            digest = digests[id(value)][1]
        else:
            self._open.append(id(value))
            digest = self._parts(value, kind)
            self._open.pop()
            if is_code or isinstance(value, np.ndarray):
                digests[id(value)] = value, digest
        # Functions that only other code uses are not part of what a fit stores.
        if (
            is_code
            and (isinstance(value, type) or not self._inside_code)
            and not self._is_vouched_for(value)
        ):
            self.code[digest] = value
        return digest

    def _parts(self, value: Any, kind: type) -> str:
        """Digest a value by its parts, according to its kind."""
        if kind in (list, tuple):
            return _join(kind.__name__, *map(self._of, value))
        if kind is dict:
            pairs = (self._of(part) for pair in value.items() for part in pair)
            return _join("dict", *pairs)
        if kind in (set, frozenset):
            return _join(kind.__name__, *sorted(map(self._of, value)))
        if kind in (np.ndarray, np.memmap):
            if value.dtype.hasobject:
                # joblib.hash would tell equal texts that are two objects from one
                # object that occurs twice.
                cells = self._of(value.ravel().tolist())
                return _join("array", repr(value.shape), str(value.dtype), cells)
            return _join("array", joblib.hash(value, coerce_mmap=True))
        if isinstance(value, (type, FunctionType)):
            return self._code(value)
        if kind is ModuleType:
            package = self._package(value)
            parts = {} if package else parts_of_module(value)
            return _join("module", value.__name__, self._of(parts))
        if kind is MethodType:
            return _join("method", self._of(value.__func__), self._of(value.__self__))
        if kind is CodeType:
            raise TypeError("code without a function cannot be hashed")
        if isinstance(value, BaseEstimator):
            parameters = value.get_params(deep=False)
            state = state_besides_parameters(value)
            return _join("estimator", *map(self._of, (kind, parameters, state)))
        # The pickles of random states also contain a seed that was never used.
        if isinstance(value, np.random.RandomState):
            return _join("random", self._of(value.get_state(legacy=False)))
        if isinstance(value, np.random.Generator):
            return _join("generator", self._of(value.bit_generator))
        if isinstance(value, np.random.BitGenerator):
            seeds = getattr(value.seed_seq, "state", None)
            return _join("bits", *map(self._of, (kind, value.state, seeds)))
        return self._object(value, kind)

    def _code(self, value: Any) -> str:
        """Digest a class or function, by name if its package has a version."""
        names = f"{value.__module__}:{value.__qualname__}"
        if self._is_vouched_for(value):
            return _join("code", names)
        take_apart = parts_of_class if isinstance(value, type) else parts_of_function
        self._inside_code += 1
        digest = _join("code", names, self._of(take_apart(value)))
        self._inside_code -= 1
        return digest

    def _object(self, value: Any, kind: type) -> str:
        """Digest what pickle would save of a value, part by part."""
        reduce = copyreg.dispatch_table.get(kind)
        parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        self._package(kind)
        if isinstance(parts, str):
            wrapped = getattr(value, "__wrapped__", None)
            if isinstance(wrapped, FunctionType):
                return _join("wrapped", *map(self._of, (kind, wrapped)))
            # The text is a global name. Pickle refuses it if another object is found
            # under it.
            return _join("global", pickle.dumps(value, 4))
        make, arguments, *further = parts
        # The items of lists and dictionaries come as iterators, in the fourth and fifth
        # element of the tuple.
        listed = [list(part) if hasattr(part, "__next__") else part for part in further]
        return _join("object", *map(self._of, (kind, make, arguments, listed)))

    def _is_vouched_for(self, value: Any) -> bool:
        """Tell whether a name and the version of a package identify the code."""
        return self._package(value) is not None and is_named(value)

    def _package(self, value: Any) -> str | None:
        """Name the package of a value, if it has a version, and record it."""
        package = package_of(value)
        if package is not None:
            self.packages.add(package)
        return package


def _join(*parts: str | bytes) -> str:
    """Digest texts; no two different sequences are joined to the same text."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.hexdigest()
