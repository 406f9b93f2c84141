"""The cached fits of an ensemble, by what each fit depends on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.base import clone

from stackingnet_sk._version import __version__
from stackingnet_sk._warnings import warn_user
from stackingnet_sk.cache.member_cache import CachedFit
from stackingnet_sk.cache.member_key import Fingerprints

# The settings of scikit-learn on which a fit depends.
_SETTINGS = ("enable_metadata_routing", "transform_output")


def cached_fits(
    folder: Path | None,
    members: Sequence[tuple[str, Any]],
    X: Any,
    y: Any,
    folds: Sequence[Any],
    fit_params: dict[str, dict[str, Any]],
    answer: Any,
) -> list[CachedFit | None]:
    """Find the file in the cache of each fit, fold by fold and within it by member.

    A fit depends on the member and its parameters, the data, what else `fit` receives
    (`fit_params`), the rows, and the answer that the fitted member is asked for. It
    depends on the member's name only where a `random_state` is None. A fold is a pair
    of row indices (train, test), or None for all rows. `folder` is that of
    :func:`open_folder`.

    An entry is None if the fit is not cached. Warns if the data or a member cannot be
    hashed.
    """
    if folder is None:
        return [None] * (len(members) * len(folds))
    common = Fingerprints()
    settings = [sklearn.get_config()[name] for name in _SETTINGS]
    try:
        data = [common.of_data(X, y), common.of([settings, answer])]
        rows = [common.of(fold) for fold in folds]
    except TypeError as error:
        _warn("No member is cached: the data", error)
        return [None] * (len(members) * len(folds))
    fits_by_member: list[list[CachedFit | None]] = []
    for name, member in members:
        # A member that was fitted before has attributes that its clone, which will be
        # fitted, does not have.
        fingerprints = Fingerprints(common)
        try:
            # Equal members with a random state of None must differ, so their names
            # count.
            draw = name if _is_drawn(member) else None
            key = fingerprints.of([clone(member), fit_params[name], draw])
        except TypeError as error:
            _warn(f"Member {name!r} is not cached: a parameter", error)
            fits_by_member.append([None] * len(folds))
            continue
        versions = _versions(fingerprints.packages | common.packages)
        keys = [fingerprints.of([key, *data, fold]) for fold in rows]
        fits_by_member.append(
            [
                CachedFit(folder / f"{key}.fit", versions, fingerprints.code)
                for key in keys
            ]
        )
    return [fit for fold in zip(*fits_by_member, strict=True) for fit in fold]


def _is_drawn(member: Any) -> bool:
    """Tell whether a parameter `random_state` is None."""
    return any(
        value is None and name.rpartition("__")[2] == "random_state"
        for name, value in member.get_params().items()
    )


def _versions(packages: set[str]) -> dict[str, str]:
    """State the versions of Python, of our dependencies and of other packages."""
    others = sorted(packages - {"python", "numpy", "scipy", "sklearn"})
    return {
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "stackingnet_sk": __version__,
        **{name: sys.modules[name].__version__ for name in others},
    }


def _warn(who: str, error: TypeError) -> None:
    warn_user(f"{who} cannot be hashed ({error}).", UserWarning)
