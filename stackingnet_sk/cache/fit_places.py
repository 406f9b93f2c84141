"""Where the fits of an ensemble are in its cache, by what each depends on."""

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

# Those of scikit-learn's settings on which a fit depends.
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
    """Find the place in the cache of each fit.

    A fit depends on the member and its parameters, the data, what `fit` receives
    besides, the rows, and what the member is asked for; on the member's name only where
    a `random_state` is None.

    Parameters
    ----------
    folder : Path or None
        Of :func:`open_folder`.
    members : sequence of (str, estimator)
        Names and unfitted members.
    X, y : array-like
        Training data.
    folds : sequence of (train, test) or None
        Row indices of each fold; None is all rows.
    fit_params : dict of str to dict
        What each member's `fit` receives besides.
    answer : Answer
        What a fitted member is asked for.

    Returns
    -------
    list of CachedFit or None
        Fold by fold, in each the members. None is not to be cached.

    Warns
    -----
    UserWarning
        If the data or a member cannot be hashed.
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
    places: list[list[CachedFit | None]] = []
    for name, member in members:
        # Fitted before, it would have more to it than what is going to be fitted.
        own = Fingerprints(common)
        try:
            # Members that are drawn are not one draw: those alike have their names.
            draw = name if _is_drawn(member) else None
            key = own.of([clone(member), fit_params[name], draw])
        except TypeError as error:
            _warn(f"Member {name!r} is not cached: a parameter", error)
            places.append([None] * len(folds))
            continue
        versions = _versions(own.packages | common.packages)
        keys = [own.of([key, *data, fold]) for fold in rows]
        places.append(
            [CachedFit(folder / f"{key}.fit", versions, own.code) for key in keys]
        )
    return [place for fold in zip(*places, strict=True) for place in fold]


def _is_drawn(member: Any) -> bool:
    """Tell whether a random state is left to chance, if any."""
    return any(
        value is None and name.rpartition("__")[2] == "random_state"
        for name, value in member.get_params().items()
    )


def _versions(packages: set[str]) -> dict[str, str]:
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
