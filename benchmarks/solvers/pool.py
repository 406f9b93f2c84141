"""The linear opinion pool against general solvers on the same probabilities.

Each is asked for the best that it can do; the gap is the Frank-Wolfe duality gap,
relative, of the weights that it returns, projected to the simplex.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from stackingnet_sk.weights import LinearPoolObjective
from stackingnet_sk.weights.linear_pool import minimize_linear_pool

__all__ = ["Run", "as_text", "measure", "measure_conic"]

RATIO_BOUND, GAP_BOUND = 2.0, 1e-10
MODELS, CONIC_ROWS, PASSES = 20, 10_000, 3
CONIC = ("CLARABEL", "SCS")


@dataclass(frozen=True)
class Run:
    """Least seconds of a solver and the gap that it reaches; NaN where it failed."""

    solver: str
    rows: int
    seconds: float
    gap: float
    remark: str = ""


def problem(rows: int) -> LinearPoolObjective:
    """Return a pool of calibrated models of different sharpness, without a prior."""
    rng = np.random.default_rng(0)
    easy = rng.beta(2.0, 1.0, size=(rows, 1))
    noise = rng.normal(size=(rows, MODELS)) * np.linspace(0.1, 0.5, MODELS)
    likelihood = np.clip(easy + noise, 1e-3, 1.0 - 1e-3)
    uniform = np.full(MODELS, 1.0 / MODELS)
    return LinearPoolObjective(likelihood, np.ones(rows), uniform, 0.0)


def slsqp(objective: LinearPoolObjective) -> NDArray[np.float64]:
    """Solve by SLSQP, asked for more than it can reach."""
    table, n_rows = objective.likelihood, len(objective.weights)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = table @ weights
        return -float(np.log(pooled).mean()), -((1.0 / pooled) @ table) / n_rows

    return minimize(
        loss,
        objective.center,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * MODELS,
        constraints={
            "type": "eq",
            "fun": lambda weights: weights.sum() - 1.0,
            "jac": np.ones_like,
        },
        options={"maxiter": 1000, "ftol": 1e-14},
    ).x


def conic(objective: LinearPoolObjective, solver: str) -> NDArray[np.float64]:
    """Solve by cvxpy with one of its solvers."""
    import cvxpy as cp

    weights = cp.Variable(MODELS)
    gain = cp.sum(cp.log(objective.likelihood @ weights))
    limits = [weights >= 0, cp.sum(weights) == 1]
    cp.Problem(cp.Maximize(gain), limits).solve(solver=solver)
    if weights.value is None:
        raise RuntimeError("no weights")
    return weights.value


def timed(
    name: str,
    solve: Callable[[LinearPoolObjective], NDArray[np.float64]],
    objective: LinearPoolObjective,
    passes: int = PASSES,
) -> Run:
    rows = len(objective.weights)
    seconds = []
    try:
        with catch_warnings():
            simplefilter("ignore")
            for _ in range(passes):
                start = perf_counter()
                weights = np.maximum(solve(objective), 0.0)
                seconds.append(perf_counter() - start)
    except Exception as error:  # a solver's failure is a result
        remark = f"{type(error).__name__}: {error}".splitlines()[0][:60]
        return Run(name, rows, float("nan"), float("nan"), remark)
    gap = objective.certify(weights / weights.sum())[0]
    return Run(name, rows, min(seconds), gap)


def measure(rows: int) -> list[Run]:
    """Return ours and SLSQP on many rows."""
    objective = problem(rows)
    return [
        timed("StackingNet", lambda o: minimize_linear_pool(o)[0], objective),
        timed("scipy SLSQP", slsqp, objective),
    ]


def measure_conic() -> list[Run]:
    """Return ours and conic solvers on few rows."""
    objective = problem(CONIC_ROWS)
    own = timed("StackingNet", lambda o: minimize_linear_pool(o)[0], objective)
    return [own] + [
        timed(f"cvxpy {name}", lambda o, name=name: conic(o, name), objective, 1)
        for name in CONIC
    ]


def as_text(runs: list[Run]) -> Iterator[str]:
    """Yield the figures; the first run is ours, the second the rival of the claim."""
    own, rival = runs[:2]
    yield f"Linear pool, {own.rows:,} x {MODELS} probabilities"
    for run in runs:
        yield f"  {run.solver:<16}{run.seconds:9.3f} s, gap {run.gap:8.1e} {run.remark}"
    ratio = rival.seconds / own.seconds
    holds = own.gap <= GAP_BOUND and not ratio < RATIO_BOUND
    verdict = "holds" if holds else "DOES NOT HOLD"
    yield (
        f"  gap at most {GAP_BOUND:g} and {RATIO_BOUND:g} times faster than "
        f"{rival.solver} ({ratio:.1f}): {verdict}"
    )
