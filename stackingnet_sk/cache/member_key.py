"""What identifies a fit: the member and its parameters, the data, the rows.

Values are walked, not pickled: a pickle of an estimator holds scikit-learn's version,
and one of a function only its name. Versions are no part of a key, so that a fit under
other versions is found, and can be told from one that was never there.
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
    """Digests of values, equal for what leads to the same fit.

    One is to be used for as long as arrays stay as they are: each is digested once.

    Parameters
    ----------
    others : Fingerprints, default=None
        Of the same arrays.

    Attributes
    ----------
    packages : set of str
        Top-level packages with a version whose code the values use.
    code : dict of str to class or function
        By digest, those that the values hold and that no package's version vouches for.
    """

    def __init__(self, others: Fingerprints | None = None) -> None:
        self.packages: set[str] = set()
        self.code: dict[str, Any] = {}
        # The arrays stay alive here, or their ids could be given to others.
        self._arrays: dict[int, tuple[Any, str]]
        self._arrays = {} if others is None else others._arrays
        self._codes: dict[int, tuple[Any, str]] = {}
        self._open: list[int] = []
        self._inside_code = 0

    def of_data(self, *data: Any) -> str:
        """Digest data at once, whatever it is.

        Parameters
        ----------
        *data : array-like, sparse matrix or dataframe
            Of any size.

        Returns
        -------
        str

        Raises
        ------
        TypeError
            If it cannot be hashed.
        """
        try:
            # A file mapped into a worker is the array that was sent there.
            return _join(
                "data", *(joblib.hash(part, coerce_mmap=True) for part in data)
            )
        except Exception as error:
            raise TypeError(f"{type(error).__name__}: {error}") from error

    def of(self, value: Any) -> str:
        """Digest a value: a parameter, an estimator, a function, or any of their parts.

        Parameters
        ----------
        value : object
            It is only read.

        Returns
        -------
        str

        Raises
        ------
        TypeError
            If it has a part that cannot be described; it says which kind.
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
        kind = type(value)
        if kind in _ATOMS:
            return _join(kind.__name__, repr(value))
        if id(value) in self._open:
            return _join("around", str(self._open.index(id(value))))
        is_code = isinstance(value, (type, FunctionType))
        known = self._codes if is_code else self._arrays
        if id(value) in known:
            found = known[id(value)][1]
        else:
            self._open.append(id(value))
            found = self._parts(value, kind)
            self._open.pop()
            if is_code or isinstance(value, np.ndarray):
                known[id(value)] = value, found
        # Functions that only code uses are in nothing that a fit leaves.
        if (
            is_code
            and (isinstance(value, type) or not self._inside_code)
            and not self._is_vouched_for(value)
        ):
            self.code[found] = value
        return found

    def _parts(self, value: Any, kind: type) -> str:
        if kind in (list, tuple):
            return _join(kind.__name__, *map(self._of, value))
        if kind is dict:
            pairs = (self._of(part) for pair in value.items() for part in pair)
            return _join("dict", *pairs)
        if kind in (set, frozenset):
            return _join(kind.__name__, *sorted(map(self._of, value)))
        if kind in (np.ndarray, np.memmap):
            if value.dtype.hasobject:
                # Equal texts need not be one object, which joblib.hash would see.
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
            rest = state_besides_parameters(value)
            return _join("estimator", *map(self._of, (kind, parameters, rest)))
        # Their pickles also hold a seed that was never used.
        if isinstance(value, np.random.RandomState):
            return _join("random", self._of(value.get_state(legacy=False)))
        if isinstance(value, np.random.Generator):
            return _join("generator", self._of(value.bit_generator))
        if isinstance(value, np.random.BitGenerator):
            seeds = getattr(value.seed_seq, "state", None)
            return _join("bits", *map(self._of, (kind, value.state, seeds)))
        return self._object(value, kind)

    def _code(self, value: Any) -> str:
        names = f"{value.__module__}:{value.__qualname__}"
        if self._is_vouched_for(value):
            return _join("code", names)
        take_apart = parts_of_class if isinstance(value, type) else parts_of_function
        self._inside_code += 1
        found = _join("code", names, self._of(take_apart(value)))
        self._inside_code -= 1
        return found

    def _object(self, value: Any, kind: type) -> str:
        """Digest what pickle would save, but part by part."""
        reduce = copyreg.dispatch_table.get(kind)
        parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        self._package(kind)
        if isinstance(parts, str):
            wrapped = getattr(value, "__wrapped__", None)
            if isinstance(wrapped, FunctionType):
                return _join("wrapped", *map(self._of, (kind, wrapped)))
            # A name. Pickle refuses one under which something else is found.
            return _join("global", pickle.dumps(value, 4))
        make, arguments, *rest = parts
        # Items come as iterators, in the places of the fourth and the fifth.
        listed = [list(part) if hasattr(part, "__next__") else part for part in rest]
        return _join("object", *map(self._of, (kind, make, arguments, listed)))

    def _is_vouched_for(self, value: Any) -> bool:
        return self._package(value) is not None and is_named(value)

    def _package(self, value: Any) -> str | None:
        package = package_of(value)
        if package is not None:
            self.packages.add(package)
        return package


def _join(*parts: str | bytes) -> str:
    """Digest texts; no two sequences are the same one when put together."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.hexdigest()
