"""Convex problems through cvxpy: other solvers, and constraints that users bring.

Method: conic programs by Clarabel, or what else is installed where it fails. Strength:
shares no code with the native solvers; takes any convex constraint. Limit: interior-
point accuracy, which the certificate measures: a duality gap from the gradient alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.user_constraints import (
    InfeasibleError,
    UserConstraint,
    View,
)

# In the order of trust, with what makes them accurate; the first that is installed.
_SOLVERS: dict[str, Callable[[float], dict[str, Any]]] = {
    "CLARABEL": lambda tol: {
        "tol_gap_abs": tol,
        "tol_gap_rel": tol,
        "tol_feas": tol,
    },
    "ECOS": lambda tol: {"abstol": tol, "reltol": tol, "feastol": tol},
    "MOSEK": lambda tol: {},
    "SCS": lambda tol: {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 200_000},
}
_LOOSE = 1e-8
# What rounding leaves of a constraint that holds.
_HOLDS = 1e-9
# Below, a constraint need not give way.
_GIVES_WAY = 1e-6


Named = tuple[str, Any, float]


@dataclass(frozen=True, eq=False)
class ConvexProblem:
    """A convex problem in cvxpy's terms.

    Parameters
    ----------
    point : Variable of shape (n,)
        What is sought.
    loss : Expression
        What is minimized, about one in size.
    hard : list of Constraint
        The constraint set.
    gradient : callable
        Gradient of the loss at a point.
    view : View
        What the user's constraints see.
    tolerance : float
        Of an interior-point solver.
    """

    point: Any
    loss: Any
    hard: list[Any]
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    view: View
    tolerance: float


@dataclass(frozen=True, eq=False)
class ConicAnswer:
    """What came of a problem.

    Parameters
    ----------
    point : ndarray of shape (n,)
        The optimum.
    iterations : int
        Iterations of the solver.
    backend : str
        The solver behind cvxpy, and which failed before.
    gap : float, default=inf
        Duality gap, in units of the loss.
    """

    point: NDArray[np.float64]
    iterations: int
    backend: str
    gap: float = np.inf


def import_cvxpy() -> Any:
    """Import cvxpy, which takes a second: only when asked for.

    Returns
    -------
    module
    """
    import cvxpy

    return cvxpy


def build(problem: ConvexProblem, builders: Iterable[UserConstraint]) -> list[Named]:
    """Build the user's constraints and refuse what is none.

    Parameters
    ----------
    problem : ConvexProblem
        What they are about.
    builders : iterable of UserConstraint
        Their builders.

    Returns
    -------
    list of (str, Constraint, float)

    Raises
    ------
    TypeError
        If a builder gives something else.
    ValueError
        If a constraint is not convex.
    """
    cp = problem.view.cvxpy
    built = [each for builder in builders for each in builder.build(problem.view)]
    for label, limit, _ in built:
        if not isinstance(limit, cp.constraints.constraint.Constraint):
            raise TypeError(
                f"{label} gave {limit!r}, which is no cvxpy constraint; return "
                "comparisons of expressions in the weights, such as [weights <= 0.5]."
            )
        if not limit.is_dcp():
            raise ValueError(
                f"{label} is not convex by cvxpy's rules, so there is no certified "
                f"optimum: {limit}. Constraints are <= of a convex and a concave "
                "expression, or == of affine ones (https://dcp.stanford.edu)."
            )
        for variable in limit.variables():
            if variable.attributes["boolean"] or variable.attributes["integer"]:
                raise ValueError(
                    f"{label} is not convex: it has whole-numbered variables. "
                    "at_most_models limits the number of models."
                )
        if any(parameter.value is None for parameter in limit.parameters()):
            raise ValueError(f"{label} has a cvxpy Parameter without a value; set it.")
    return built


def holds(
    problem: ConvexProblem, limits: list[Named], point: NDArray[np.float64]
) -> float:
    """Measure by how much constraints are violated.

    Parameters
    ----------
    problem : ConvexProblem
        The problem.
    limits : list of (str, Constraint, float)
        From :func:`build`.
    point : ndarray of shape (n,)
        A point.

    Returns
    -------
    float
        Largest violation; below 1e-9, which is rounding, zero.
    """
    problem.point.value = point
    # What else a callable leaves open is for a solver to find.
    if any(own.value is None for _, each, _ in limits for own in each.variables()):
        return np.inf
    worst = max((float(np.max(each.violation())) for _, each, _ in limits), default=0.0)
    return 0.0 if worst <= _HOLDS else worst


def minimize(problem: ConvexProblem, limits: list[Named] | None = None) -> ConicAnswer:
    """Minimize the loss.

    Parameters
    ----------
    problem : ConvexProblem
        The problem.
    limits : list of (str, Constraint, float), default=None
        From :func:`build`.

    Returns
    -------
    ConicAnswer

    Raises
    ------
    InfeasibleError
        If no point fulfils all constraints.
    RuntimeError
        If no installed solver finds the optimum.
    """
    named = limits or []
    every = problem.hard + [limit for _, limit, _ in named]
    cp = problem.view.cvxpy
    answer, failures = _run(cp, problem.loss, every, problem.tolerance)
    if answer is not None:
        return ConicAnswer(np.atleast_1d(problem.point.value), *answer)
    if named and any("infeasible" in failure for failure in failures):
        raise InfeasibleError(_who_cannot_hold(problem, named))
    raise RuntimeError(
        f"cvxpy found no weights ({'; '.join(failures)}); use solver='auto', or "
        "constraints that are less tight."
    )


def minimize_within(
    problem: ConvexProblem,
    builders: Iterable[UserConstraint],
    free: NDArray[np.float64],
    onto: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    certify: bool = True,
) -> ConicAnswer | None:
    """Minimize the loss under the user's constraints, where they bind.

    Parameters
    ----------
    problem : ConvexProblem
        The problem.
    builders : iterable of UserConstraint
        Of the user's constraints.
    free : ndarray of shape (n,)
        The optimum without them.
    onto : callable
        Puts back what rounding leaves outside of the constraint set.
    certify : bool, default=True
        Whether to compute the duality gap, which takes another solve.

    Returns
    -------
    ConicAnswer or None
        None where the optimum without them fulfils them.

    Raises
    ------
    InfeasibleError
        If no point fulfils all constraints.
    """
    limits = build(problem, builders)
    if not holds(problem, limits, free):
        return None
    answer = minimize(problem, limits)
    point = onto(answer.point)
    gap = duality_gap(problem, limits, point) if certify else np.inf
    return replace(answer, point=point, gap=gap)


def duality_gap(
    problem: ConvexProblem, limits: list[Named], point: NDArray[np.float64]
) -> float:
    """Bound the distance to the optimum from the gradient (Frank and Wolfe, 1956).

    A convex loss lies above its tangent, so that no feasible point within a distance of
    one plus the size of this one is better by more than the tangent falls.

    Parameters
    ----------
    problem : ConvexProblem
        The problem.
    limits : list of (str, Constraint, float)
        From :func:`build`.
    point : ndarray of shape (n,)
        A point.

    Returns
    -------
    float
        In units of the loss; infinity if no solver finds the tangent's least value.
    """
    cp = problem.view.cvxpy
    slope = problem.gradient(point)
    size = float(np.linalg.norm(slope))
    violation = holds(problem, limits, point)
    if size == 0:
        return violation
    near = cp.norm(problem.point - point) <= 1.0 + float(np.linalg.norm(point))
    every = [*problem.hard, *(limit for _, limit, _ in limits), near]
    falls = (slope / size) @ problem.point
    answer, _ = _run(cp, falls, every, problem.tolerance)
    if answer is None:
        return np.inf
    return max(violation, size * float((slope / size) @ (point - problem.point.value)))


def _run(
    cp: Any, loss: Any, limits: list[Any], tolerance: float
) -> tuple[tuple[int, str] | None, list[str]]:
    """Try the installed solvers in turn; iterations and who did it, and who failed."""
    installed = [name for name in _SOLVERS if name in cp.installed_solvers()]
    if not installed:
        raise RuntimeError(
            f"cvxpy has none of the solvers {list(_SOLVERS)}; pip install clarabel."
        )
    failures: list[str] = []
    second_best = None
    problem = cp.Problem(cp.Minimize(loss), limits)
    # What a solver only nearly reaches, it may reach at a looser tolerance.
    steps = max(0, round(np.log10(_LOOSE / tolerance)))
    tolerances = [tolerance * 10.0**step for step in range(steps + 1)]
    for name, tol in product(installed, tolerances):
        with catch_warnings():
            # What cvxpy warns of, the certificate measures.
            filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
            try:
                problem.solve(solver=name, **_SOLVERS[name](tol))
            except cp.error.SolverError as error:
                failures.append(f"{name} at {tol:g}: {str(error).splitlines()[0]}")
                continue
        after = f" after {'; '.join(failures)}" if failures else ""
        stats = (int(problem.solver_stats.num_iters or 0), name + after)
        if problem.status == cp.OPTIMAL:
            return stats, failures
        failures.append(f"{name} at {tol:g}: {problem.status}")
        if problem.status in (cp.INFEASIBLE, cp.UNBOUNDED):
            # These are proofs, and another solver would only repeat them.
            return None, failures
        if problem.status == cp.OPTIMAL_INACCURATE and second_best is None:
            values = [variable.value for variable in problem.variables()]
            second_best = (stats[0], f"{name}, inaccurate"), values
    if second_best is None:
        return None, failures
    stats, values = second_best
    for variable, value in zip(problem.variables(), values, strict=True):
        variable.value = value
    return stats, failures


def _who_cannot_hold(problem: ConvexProblem, limits: list[Named]) -> str:
    """Let constraints give way, as little as it takes, and name those that do."""
    cp = problem.view.cvxpy
    elastic, slacks = list(problem.hard), []
    for label, limit, unit in limits:
        kind = type(limit).__name__
        if kind not in ("Inequality", "Equality"):
            elastic.append(limit)
            continue
        slack = cp.Variable(limit.expr.shape, nonneg=True)
        elastic.append(limit.expr <= slack)
        if kind == "Equality":
            elastic.append(-limit.expr <= slack)
        slacks.append((label, slack, unit))
    everyone = " & ".join(dict.fromkeys(label for label, _, _ in limits))
    if slacks:
        total = sum(cp.sum(slack) for _, slack, _ in slacks)
        answer, _ = _run(cp, total, elastic, 1e-9)
        if answer is not None:
            gives: dict[str, float] = {}
            for label, slack, unit in slacks:
                amount = float(np.max(slack.value))
                if amount > _GIVES_WAY:
                    gives[label] = max(unit * amount, gives.get(label, 0.0))
            named = [
                f"{label} can't hold: it would have to give way by {amount:.3g}"
                for label, amount in sorted(
                    gives.items(), key=lambda each: each[1], reverse=True
                )
            ]
            more = f"; and {len(named) - 3} more" if len(named) > 3 else ""
            if named:
                return (
                    f"No weights fulfil all constraints. {'; '.join(named[:3])}{more}. "
                    "Loosen it, or what it stands against."
                )
    return f"No weights fulfil all constraints: {everyone}. Loosen one of them."
