"""Problems through cvxpy: other solvers, and the constraints that users bring.

Method: conic programs by Clarabel, or by another installed solver where it fails.
Strength: shares no code with the native solvers and takes any convex constraint.
Limit: interior-point accuracy, which the certificate measures by a duality gap that
needs the gradient alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np

from stackingnet_sk.weights.problem import ConicProblem, Minimum, Problem
from stackingnet_sk.weights.shapes import Point
from stackingnet_sk.weights.user_constraints import (
    InfeasibleError,
    Named,
    UserConstraints,
)

# Solvers in the order in which they are tried, with options that make them accurate.
# The first installed one is used.
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
# Tolerances of an interior point, relative: the first is where rounding ends. What a
# solver does not reach is tried at ten times as much, up to the second.
_TIGHT, _LOOSE = 1e-11, 1e-8
# Largest violation that rounding leaves of a constraint that holds, relative.
_HOLDS = 1e-9
# Relative violation below which a constraint of an infeasible problem is not named.
_GIVES_WAY = 1e-6
# If the objective is this many times the unit, the problem is scaled again: an interior
# point would have lost as many digits.
FAR_OFF = 1e3
_MOST_SCALINGS = 4


def import_cvxpy() -> Any:
    """Import cvxpy when it is needed, because that takes a second."""
    import cvxpy

    return cvxpy


def build(problem: ConicProblem, user_constraints: UserConstraints) -> ConicProblem:
    """Build the user constraints into a problem.

    Raises TypeError for what is no constraint, and ValueError for what is not convex.
    """
    cp = problem.view.cvxpy
    built = [
        named
        for builder in user_constraints.builders
        for named in builder.build(problem.view)
    ]
    for label, limit, _ in built:
        if not isinstance(limit, cp.constraints.constraint.Constraint):
            raise TypeError(
                f"{label} gave {limit!r}, which is not a cvxpy constraint; return "
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
                    f"{label} is not convex: it has integer or boolean variables. "
                    "at_most_models limits the number of models."
                )
        if any(parameter.value is None for parameter in limit.parameters()):
            raise ValueError(f"{label} has a cvxpy Parameter without a value; set it.")
    return replace(problem, named=built)


def violation(problem: ConicProblem, point: Point) -> float:
    """Measure by how much a point violates user constraints; zero within rounding."""
    cp, scaled = problem.view.cvxpy, problem.scaled(point)
    limits = [limit for _, limit, _ in problem.named]
    problem.variable.value = scaled
    if any(other.value is None for limit in limits for other in limit.variables()):
        # A callable may add variables, which the solver chooses as well as it can.
        elastic, _, total = _elastic(problem)
        if _run(cp, total, [*elastic, problem.variable == scaled])[0] is None:
            return np.inf
        problem.variable.value = scaled
    worst = max((float(np.max(limit.violation())) for limit in limits), default=0.0)
    return 0.0 if worst <= _HOLDS else worst


def minimize(problem: ConicProblem) -> Minimum:
    """Minimize the loss.

    Raises InfeasibleError if no point fulfils all constraints, and RuntimeError if no
    installed solver finds the optimum.
    """
    answer, failures = _run(problem.view.cvxpy, problem.loss, problem.constraints)
    if answer is not None:
        iterations, backend = answer
        return Minimum(problem.point, iterations, backend=backend)
    if problem.named and any("infeasible" in failure for failure in failures):
        raise InfeasibleError(_infeasible(problem))
    raise RuntimeError(
        f"cvxpy found no weights ({'; '.join(failures)}); use solver='auto', or "
        "constraints that are less tight."
    )


def minimize_scaled(
    problem: Problem, express: Callable[[float], ConicProblem]
) -> Minimum:
    """Minimize a problem, scaled so that its objective at the optimum is about one.

    Constraints can force an objective that is many times that of the plain rivals, for
    example where a model with huge errors must have weight. In the units of the rivals
    such an optimum is out of a solver's range, and the solver calls the problem
    infeasible. The right unit is the objective at the optimum, so it is approached from
    the answer, or from the largest objective that weights of one can have.
    ``express(unit)`` gives the conic problem for objectives of about `unit`.
    """
    unit, answer = problem.scale, None
    for _ in range(_MOST_SCALINGS):
        conic = express(unit)
        try:
            answer = minimize(conic)
        except (InfeasibleError, RuntimeError):
            if answer is not None:
                break
            if not unit < problem.ceiling:
                raise
            unit = problem.ceiling
            continue
        reached = max(problem.value(answer.point), problem.scale)
        if conic.unit / FAR_OFF <= reached <= conic.unit * FAR_OFF:
            break
        unit = reached
    assert answer is not None
    return answer._replace(point=problem.project(answer.point))


def duality_gap(problem: ConicProblem, point: Point) -> float:
    """Bound the distance to the optimum from the gradient (Frank and Wolfe, 1956).

    A convex loss lies above its tangent, so that no feasible point within a distance of
    one plus the size of this one is better by more than the tangent falls. The gap is
    in units of the loss, and infinite if no solver finds the tangent's least value.
    """
    cp = problem.view.cvxpy
    scaled = problem.scaled(point)
    slope = problem.gradient(point) * problem.units
    size = float(np.linalg.norm(slope))
    if size == 0:
        return 0.0
    near = cp.norm(problem.variable - scaled) <= 1.0 + float(np.linalg.norm(scaled))
    tangent = (slope / size) @ problem.variable
    answer, _ = _run(cp, tangent, [*problem.constraints, near])
    if answer is None:
        return np.inf
    reached = np.atleast_1d(problem.variable.value)
    return max(0.0, size * float((slope / size) @ (scaled - reached)))


def _run(
    cp: Any, loss: Any, constraints: list[Any], tolerance: float = _TIGHT
) -> tuple[tuple[int, str] | None, list[str]]:
    """Try the installed solvers in turn.

    Return the iterations and the solver that succeeded, if any, and all failures.
    """
    installed = [name for name in _SOLVERS if name in cp.installed_solvers()]
    if not installed:
        raise RuntimeError(
            f"cvxpy has none of the solvers {list(_SOLVERS)}; pip install clarabel."
        )
    failures: list[str] = []
    second_best = None
    problem = cp.Problem(cp.Minimize(loss), constraints)
    steps = max(0, round(np.log10(_LOOSE / tolerance)))
    tolerances = [tolerance * 10.0**step for step in range(steps + 1)]
    for name, tol in product(installed, tolerances):
        with catch_warnings():
            # The certificate measures what cvxpy's warnings are about.
            filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
            try:
                problem.solve(solver=name, **_SOLVERS[name](tol))
            except cp.error.SolverError as error:
                failures.append(f"{name} at {tol:g}: {str(error).splitlines()[0]}")
                continue
        after = f" after {'; '.join(failures)}" if failures else ""
        stats = (int(problem.solver_stats.num_iters or 0), name + after)
        if problem.status == cp.OPTIMAL:
            # A solver that gave up at a tighter tolerance may have been nearer.
            if second_best is None or second_best[2] >= problem.value:
                return stats, failures
            break
        failures.append(f"{name} at {tol:g}: {problem.status}")
        if problem.status in (cp.INFEASIBLE, cp.UNBOUNDED):
            # A solver proves these statuses, so another one need not be tried.
            return None, failures
        if problem.status == cp.OPTIMAL_INACCURATE and second_best is None:
            values = [variable.value for variable in problem.variables()]
            worst = max((np.max(c.violation()) for c in constraints), default=0.0)
            reached = problem.value if worst <= _HOLDS else np.inf
            second_best = (stats[0], f"{name}, inaccurate"), values, reached
    if second_best is None:
        return None, failures
    stats, values, _ = second_best
    for variable, value in zip(problem.variables(), values, strict=True):
        variable.value = value
    return stats, failures


def _infeasible(problem: ConicProblem) -> str:
    """Relax the constraints as little as possible, and name those that had to be."""
    elastic, slacks, total = _elastic(problem)
    amounts: dict[str, float] = {}
    constraints = [*problem.hard, *elastic]
    if slacks and _run(problem.view.cvxpy, total, constraints, _HOLDS)[0] is not None:
        for label, slack, unit in slacks:
            amount = float(np.max(slack.value))
            if amount > _GIVES_WAY:
                amounts[label] = max(unit * amount, amounts.get(label, 0.0))
    if not amounts:
        labels = " & ".join(dict.fromkeys(label for label, _, _ in problem.named))
        return f"No weights fulfil all constraints: {labels}. Loosen one of them."
    largest = sorted(amounts, key=lambda label: amounts[label], reverse=True)
    sentences = [
        f"{label} can't hold: it would have to give way by {amounts[label]:.3g}"
        for label in largest[:3]
    ]
    more = f"; and {len(largest) - 3} more" if len(largest) > 3 else ""
    return (
        f"No weights fulfil all constraints. {'; '.join(sentences)}{more}. Loosen it, "
        "or the constraints that conflict with it."
    )


def _elastic(problem: ConicProblem) -> tuple[list[Any], list[Named], Any]:
    """Relax user constraints by slacks, and sum these.

    Only inequalities and equalities are relaxed. The slack takes the constraint's place
    beside its name and unit.
    """
    cp = problem.view.cvxpy
    elastic, slacks = [], []
    for label, limit, unit in problem.named:
        kind = type(limit).__name__
        if kind not in ("Inequality", "Equality"):
            elastic.append(limit)
            continue
        slack = cp.Variable(limit.expr.shape, nonneg=True)
        elastic.append(limit.expr <= slack)
        if kind == "Equality":
            elastic.append(-limit.expr <= slack)
        slacks.append((label, slack, unit))
    return elastic, slacks, sum(cp.sum(slack) for _, slack, _ in slacks)
