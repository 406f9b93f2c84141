"""Constraints that users set: caps, budgets, parity between groups, fewer models.

Each function makes a value for the parameter `constraint` of either estimator. Several
of them, and names of constraint sets, are joined by ``&``. For example:
``"simplex" & max_weight(0.3)``. Any callable that returns cvxpy constraints can be
joined as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.user_constraints import InfeasibleError, View

__all__ = [
    "InfeasibleError",
    "at_most_models",
    "bounded_disparity",
    "bounded_group_loss",
    "budget",
    "group_cap",
    "max_weight",
]

# Largest number of groups. A column with more values probably holds numbers, not
# groups, and each pair of groups needs two constraints.
_MOST_GROUPS = 50

Built = Iterator[tuple[str, Any, float]]


class Constraint:
    """A constraint on the weights; ``&`` joins it with others.

    A subclass defines `build(view)`. From what a
    :class:`~stackingnet_sk.weights.user_constraints.View` shows of the problem, it
    makes cvxpy constraints that are scaled to a size of about one, with their names in
    error messages and their units.
    """

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        yield from ()

    @property
    def parts(self) -> tuple[Any, ...]:
        """The joined parts, in order; a constraint set is given by its name."""
        return (self,)

    def __and__(self, other: Any) -> Constraint:
        return _Joined((*self.parts, *constraint_parts(other)))

    def __rand__(self, other: Any) -> Constraint:
        return _Joined((*constraint_parts(other), *self.parts))


@dataclass(frozen=True)
class _Joined(Constraint):
    """Several constraints and names of constraint sets, joined by ``&``."""

    joined: tuple[Any, ...]

    @property
    def parts(self) -> tuple[Any, ...]:
        return self.joined

    def build(self, view: View) -> Built:
        for part in self.joined:
            if not isinstance(part, str):
                yield from part.build(view)

    def __repr__(self) -> str:
        return " & ".join(map(repr, self.joined))


@dataclass(frozen=True)
class _Custom(Constraint):
    """A callable that returns one cvxpy constraint or several."""

    function: Callable[..., Any]

    def build(self, view: View) -> Built:
        try:
            made = self.function(view.weights, view.intercept, list(view.names))
        except Exception as error:
            error.add_note(f"The error came from the constraint {self!r}.")
            raise
        listed = isinstance(made, Iterable) and not isinstance(made, str)
        for number, constraint in enumerate(list(made) if listed else [made]):
            yield f"{self!r}[{number}]", constraint, 1.0

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


def constraint_parts(constraint: Any) -> tuple[Any, ...]:
    """List the parts of a value of the parameter `constraint`.

    A value is a Constraint, the name of a constraint set, or a callable. Raises a
    TypeError if it is none of these.
    """
    if isinstance(constraint, Constraint):
        return constraint.parts
    if isinstance(constraint, str):
        return (constraint,)
    if callable(constraint) and not isinstance(constraint, type):
        return (_Custom(constraint),)
    raise TypeError(
        f"{constraint!r} is no constraint; join those of stackingnet_sk.constraints, "
        "names of constraint sets, and callables."
    )


@dataclass(frozen=True)
class max_weight(Constraint):
    """No weight is larger than a cap.

    Parameters
    ----------
    cap : float
        Largest weight; on "simplex" it is a share of the whole.

    Examples
    --------
    >>> from stackingnet_sk.constraints import budget, max_weight
    >>> "simplex" & max_weight(0.3) & budget({"a": 1.0, "b": 0.2}, 0.5)
    'simplex' & max_weight(0.3) & budget({'a': 1.0, 'b': 0.2}, 0.5)
    """

    cap: float

    def __post_init__(self) -> None:
        _check_positive("cap", self.cap)

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        yield repr(self), view.weights / self.cap <= 1.0, self.cap

    def __repr__(self) -> str:
        return f"max_weight({self.cap!r})"


@dataclass(frozen=True)
class group_cap(Constraint):
    """The total weight of a family of models is not larger than its cap.

    A family is, for example, all models of one vendor.

    Parameters
    ----------
    caps : mapping of str to float
        Largest total weight of each family. A family may have no cap.
    families : mapping of str to str
        Family of each model, by the name of the model. A model may have none.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import group_cap
    >>> X, y = [[1, 2, 0], [2, 1, 3], [3, 3, 2], [5, 4, 4], [4, 5, 6]], [1, 2, 3, 4, 5]
    >>> cap = group_cap({"ours": 0.4}, families={"model_0": "ours", "model_1": "ours"})
    >>> StackingNetRegressor(constraint="simplex" & cap).fit(X, y).weights_.round(2)
    array([0.24, 0.16, 0.6 ])
    """

    caps: Mapping[str, float]
    families: Mapping[str, str] = field(kw_only=True)

    def __post_init__(self) -> None:
        caps = _by_name("caps", self.caps)
        families = _by_name("families", self.families)
        families = {name: str(family) for name, family in families.items()}
        object.__setattr__(self, "caps", caps)
        object.__setattr__(self, "families", families)
        for family, cap in caps.items():
            _check_positive(f"caps[{family!r}]", cap, zero=True)
        empty = sorted(set(caps) - set(families.values()))
        if empty:
            raise ValueError(
                f"No model is of {empty[0]!r}; families say of whom one is."
            )

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        names = [str(name) for name in view.names]
        _check_names("families", self.families, names)
        for family, cap in self.caps.items():
            unit = cap or 1.0
            row = [float(self.families.get(name) == family) / unit for name in names]
            label = f"group_cap({{{family!r}: {cap!r}}})"
            yield label, np.array(row) @ view.weights <= cap / unit, unit

    def __repr__(self) -> str:
        return f"group_cap({dict(self.caps)!r}, families={dict(self.families)!r})"


@dataclass(frozen=True)
class budget(Constraint):
    """The weighted costs of the models sum to at most `total`.

    The constraint is ``sum_m cost_m w_m <= total``.

    Parameters
    ----------
    costs : mapping of str to float, or sequence of float
        Cost of each model, by its name or in the order of the models.
    total : float
        Largest sum of the costs times the weights.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import budget
    >>> X, y = [[1, 2, 0], [2, 1, 3], [3, 3, 2], [5, 4, 4], [4, 5, 6]], [1, 2, 3, 4, 5]
    >>> model = StackingNetRegressor(constraint="simplex" & budget([5, 1, 1], 1.5))
    >>> model.fit(X, y).weights_.round(2)
    array([0.12, 0.45, 0.43])
    """

    costs: Mapping[str, float] | Sequence[float]
    total: float

    def __post_init__(self) -> None:
        _check_positive("total", self.total, zero=True)
        costs: Any = self.costs
        if hasattr(costs, "items"):
            costs = _by_name("costs", costs)
            pairs = list(costs.items())
        else:
            costs = costs.tolist() if hasattr(costs, "tolist") else costs
            costs = tuple(costs)
            pairs = list(enumerate(costs))
        object.__setattr__(self, "costs", costs)
        for name, cost in pairs:
            _check_positive(f"costs[{name!r}]", cost, zero=True)

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        prices = self.prices(view.names)
        unit = float(self.total or prices.max() or 1.0)
        yield repr(self), (prices / unit) @ view.weights <= self.total / unit, unit

    def prices(self, names: Sequence[Any]) -> NDArray[np.float64]:
        """Put the costs in the order of the models.

        Parameters
        ----------
        names : sequence of str
            Names of the models.

        Returns
        -------
        ndarray of shape (n_models,)

        Raises
        ------
        ValueError
            If a model has no cost, or a cost belongs to no model.
        """
        names = [str(name) for name in names]
        costs = self.costs
        if isinstance(costs, Mapping):
            _check_names("costs", costs, names)
            missing = [name for name in names if name not in costs]
            if missing:
                raise ValueError(
                    f"costs have no entry for the models {missing[:5]}; give each a "
                    "cost, 0 where it has none."
                )
            costs = [costs[name] for name in names]
        if len(costs) != len(names):
            raise ValueError(
                f"costs are {len(costs)}, but there are {len(names)} models: "
                f"{names[:5]}; give each a cost."
            )
        return np.asarray(costs, dtype=np.float64)

    def __repr__(self) -> str:
        return f"budget({self.costs!r}, {self.total!r})"


@dataclass(frozen=True)
class bounded_disparity(Constraint):
    """The treatment of any two groups differs by at most a bound, on the labelled rows.

    Groups are given by ``fit(..., sensitive_features=)``. For a regressor the
    constraint compares the mean residual ``H(x) - y``, in the units of the labels. For
    a classifier it compares the mean score of the true class above the average class,
    in nats; for a linear pool, the mean probability of the true class.

    Parameters
    ----------
    epsilon : float
        Largest difference between two groups.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import bounded_disparity
    >>> from stackingnet_sk.datasets import make_experts
    >>> judges, group = make_experts(300, 3, random_state=0), ["old", "young"] * 150
    >>> model = StackingNetRegressor(constraint=bounded_disparity(0.01))
    >>> said = model.fit(judges.X, judges.y, sensitive_features=group).predict(judges.X)
    >>> (said - judges.y).reshape(150, 2).mean(axis=0).round(3)
    array([-0.005,  0.005])
    """

    epsilon: float

    def __post_init__(self) -> None:
        _check_positive("epsilon", self.epsilon, zero=True)

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        for column in _groups(self, view.scores()):
            if len(column) > _MOST_GROUPS:
                raise ValueError(
                    f"{self!r} compares {len(column)} groups, such as "
                    f"{next(iter(column))!r}, more than {_MOST_GROUPS}; merge them, or "
                    "bin what is a number."
                )
            for (one, first), (other, second) in combinations(column.items(), 2):
                between = f"{self!r} between {one!r} and {other!r}"
                for way in (first - second, second - first):
                    yield between, way <= self.epsilon / view.unit, view.unit

    def __repr__(self) -> str:
        return f"bounded_disparity({self.epsilon!r})"


@dataclass(frozen=True)
class bounded_group_loss(Constraint):
    """The mean loss of each group is at most a bound (Agarwal et al., 2019).

    It is taken over the labelled rows. Groups are given by
    ``fit(..., sensitive_features=)``. For a regressor the loss is the squared error, in
    squared units of the labels; for a classifier it is the log loss, in nats.

    Parameters
    ----------
    bound : float
        Largest mean loss of a group.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import bounded_group_loss
    >>> from stackingnet_sk.datasets import make_experts
    >>> judges, group = make_experts(300, 3, random_state=0), ["old", "young"] * 150
    >>> model = StackingNetRegressor(constraint=bounded_group_loss(0.245))
    >>> said = model.fit(judges.X, judges.y, sensitive_features=group).predict(judges.X)
    >>> ((said - judges.y) ** 2).reshape(150, 2).mean(axis=0).round(3)
    array([0.21 , 0.245])
    """

    bound: float

    def __post_init__(self) -> None:
        _check_positive("bound", self.bound)

    def build(self, view: View) -> Built:
        """Yield the name of each cvxpy constraint, the constraint, and its unit."""
        for column in _groups(self, view.losses()):
            for group, loss in column.items():
                label, unit = f"{self!r} of {group!r}", view.unit**2
                yield label, loss <= self.bound / unit, unit

    def __repr__(self) -> str:
        return f"bounded_group_loss({self.bound!r})"


@dataclass(frozen=True)
class at_most_models(Constraint):
    """At most `k` models have a nonzero weight; for regressors only.

    Up to 30 models, branch and bound finds the best of all subsets and proves it. With
    more models, the subset is the best on a path that repeatedly drops the least useful
    model. With more than 30 models, and where a million problems are not enough for a
    proof (as with many similar models), the solution's `gap` bounds by how much another
    subset could be better.

    Parameters
    ----------
    k : int
        Largest number of models with a nonzero weight.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import at_most_models
    >>> X, y = [[1, 2, 0], [2, 1, 3], [3, 3, 2], [5, 4, 4], [4, 5, 6]], [1, 2, 3, 4, 5]
    >>> model = StackingNetRegressor(constraint=at_most_models(1), shrinkage=0)
    >>> model.fit(X, y).weights_.round(2)
    array([0.  , 0.  , 0.65])
    """

    k: int

    def __post_init__(self) -> None:
        whole = isinstance(self.k, Integral) and not isinstance(self.k, bool)
        if not whole or self.k < 1:
            raise ValueError(f"k={self.k!r} is no number of models; give 1 or more.")

    def __repr__(self) -> str:
        return f"at_most_models({self.k!r})"


def compares_groups(constraint: Any) -> bool:
    """Tell whether a constraint compares groups, which `fit` must then receive."""
    if constraint is None:
        return False
    return any(
        isinstance(part, (bounded_disparity, bounded_group_loss))
        for part in constraint_parts(constraint)
    )


def _groups(
    constraint: Constraint, columns: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the columns of groups; raise a ValueError if there are none."""
    if not columns:
        raise ValueError(
            f"{constraint!r} compares groups, but fit was given none; pass "
            "sensitive_features=, one value a row (partial_fit takes none)."
        )
    return columns


def _by_name(what: str, given: Any) -> dict[str, Any]:
    """Convert a mapping or a Series to a dict, with names as texts."""
    if not hasattr(given, "items"):
        raise ValueError(f"{what}={given!r} must be a mapping; give a dict.")
    pairs = dict(given.items()).items()
    return {
        str(name): value.item() if isinstance(value, np.generic) else value
        for name, value in pairs
    }


def _check_positive(name: str, value: Any, *, zero: bool = False) -> None:
    """Raise a ValueError if a value is not finite and positive; `zero` allows 0."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = "zero or above" if zero else "above zero"
        raise ValueError(f"{name}={value!r} must be a finite number {least}.")


def _check_names(what: str, given: Mapping[str, Any], names: list[str]) -> None:
    """Raise a ValueError if a name is not the name of a model."""
    unknown = sorted(set(map(str, given)) - set(names))
    if unknown:
        raise ValueError(
            f"{what} name {unknown[0]!r}, which is no model; the models are "
            f"{names[:10]}."
        )
