"""A grid search with the members' fits in a cache, without, and over stacking."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from stackingnet_sk import StackingNetRegressor

from .settings import Settings
from .sheet import Sheet

__all__ = ["measure"]

FOLDS, BOUND = 5, 15.0
OWN_GRID = {
    "constraint": ["nonnegative", "simplex", "affine", "uniform"],
    "shrinkage": ["auto", 0.0, 1.0, 10.0, 100.0],
}
SETTINGS = int(np.prod([len(values) for values in OWN_GRID.values()]))
RIVAL_GRID = {"final_estimator__alpha": np.logspace(-3, 3, SETTINGS).tolist()}
CACHED, ANEW, RIVAL = "memory=", "without a cache", "StackingRegressor"
COLUMNS = {
    "grid search": "",
    "data": "",
    "rows": ",",
    "seconds": ".2f",
    "refit": ".2f",
    "x cached": ".2f",
    "no refit": ".2f",
}


def measure(settings: Settings) -> Sheet:
    """Search each data set in each way, once: every search is hundreds of fits."""
    sheet = Sheet(COLUMNS)
    per_fit = FOLDS + 1
    sheet.say(
        f"{SETTINGS} settings, {FOLDS} outer and {FOLDS} inner folds, refit included, "
        f"n_jobs=1. Members: {', '.join(name for name, _ in members(1))}. Without a "
        f"cache, {SETTINGS * FOLDS + 1} fits of {per_fit} times all members; with one, "
        f"{FOLDS + 1}: at most {(SETTINGS * FOLDS + 1) / (FOLDS + 1):.1f} times fewer, "
        f"{SETTINGS} without the refit. x cached: time over the cached search's."
    )
    identical = []
    ratios: dict[str, float] = {}
    for name, X, y in data(settings.quick):
        found = {}
        for way in (CACHED, ANEW, RIVAL):
            total, search = searched(way, X, y, 10 if settings.quick else 100)
            found[way] = total, total - search.refit_time_, search
        for way, (total, lean, search) in found.items():
            sheet.row(
                grid_search=way,
                data=name,
                rows=len(y),
                seconds=total,
                refit=search.refit_time_,
                x_cached=total / found[CACHED][0],
                no_refit=lean / found[CACHED][1],
            )
        ratios[name] = found[RIVAL][0] / found[CACHED][0]
        one, other = (scores(found[way][2]) for way in (CACHED, ANEW))
        identical.append(bool((one == other).all()))
    for name, ratio in ratios.items():
        sheet.at_least(f"{RIVAL}'s grid over ours, {name}", ratio, BOUND)
    share = float(np.mean(identical))
    text = "share of data sets whose scores with the cache == those without"
    sheet.at_least(text, share, 1.0)
    return sheet


def members(trees: int) -> list[tuple[str, Any]]:
    return [
        ("forest", RandomForestRegressor(trees, random_state=0)),
        ("boosting", GradientBoostingRegressor(n_estimators=trees, random_state=0)),
        ("neighbours", make_pipeline(StandardScaler(), KNeighborsRegressor())),
        ("ridge", make_pipeline(StandardScaler(), Ridge())),
        ("svr", make_pipeline(StandardScaler(), SVR(C=10.0))),
    ]


def data(quick: bool) -> Iterator[tuple[str, Any, Any]]:
    yield "diabetes", *load_diabetes(return_X_y=True)
    if not quick:
        yield "friedman1", *make_friedman1(1000, noise=1.0, random_state=0)


def searched(way: str, X: Any, y: Any, trees: int) -> tuple[float, GridSearchCV]:
    """Return seconds and the search; a cache is empty at its start."""
    with TemporaryDirectory() as folder:
        if way == RIVAL:
            model: Any = StackingRegressor(members(trees), Ridge(), cv=FOLDS)
        else:
            memory = folder if way == CACHED else None
            model = StackingNetRegressor(members(trees), cv=FOLDS, memory=memory)
        grid = RIVAL_GRID if way == RIVAL else OWN_GRID
        start = perf_counter()
        search = GridSearchCV(model, grid, cv=FOLDS, error_score="raise").fit(X, y)
        return perf_counter() - start, search


def scores(search: GridSearchCV) -> Any:
    keys = [f"split{fold}_test_score" for fold in range(FOLDS)]
    return np.array([search.cv_results_[key] for key in keys])
