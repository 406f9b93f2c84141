"""The constraints of the user, and what they are told about a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from stackingnet_sk.weights.shapes import Array, Models


class InfeasibleError(ValueError):
    """No weights fulfil all constraints; the message names those that can't hold.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.constraints import max_weight
    >>> model = StackingNetRegressor(constraint="simplex" & max_weight(0.3))
    >>> model.fit(np.eye(3), [1.0, 2.0, 3.0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    stackingnet_sk.weights.user_constraints.InfeasibleError: No weights fulfil all...
    """


@dataclass(frozen=True, eq=False)
class View:
    """What a constraint sees of a problem, as cvxpy expressions.

    Parameters
    ----------
    cvxpy : module
        The module, for functions that operators cannot express.
    weights : Expression of shape (n_models,)
        One weight per model.
    intercept : Expression, scalar or of shape (n_classes,)
        In the units of the labels; for votes, one per class.
    names : sequence of str
        Names of the models.
    scores : callable
        Returns an affine expression for each group of each column of groups, in `unit`:
        the mean residual ``H(x) - y`` of numbers, the mean score of the true class
        above the average class for votes, or the mean probability of the true class in
        a linear pool.
    losses : callable
        Returns convex expressions likewise: the mean squared error, in squares of
        `unit`, or the log loss.
    unit : float
        The spread of the labels; one for classes.
    """

    cvxpy: Any
    weights: Any
    intercept: Any
    names: Sequence[str]
    scores: Callable[[], list[dict[str, Any]]]
    losses: Callable[[], list[dict[str, Any]]]
    unit: float


# A name for errors, a cvxpy constraint of about one in size, and its unit.
Named = tuple[str, Any, float]


class UserConstraint(Protocol):
    """Builds constraints."""

    def build(self, view: View) -> Iterable[Named]:
        """Express the constraints on what the view shows."""


@dataclass(frozen=True, eq=False)
class UserConstraints:
    """Constraints beside the constraint set.

    `builders` make convex constraints. `groups` has, for each column of groups, what is
    known of each group: the :class:`Moments` of numbers, the design and labels of
    votes, or the likelihoods and weights of a linear pool. `at_most` is the largest
    number of models with a weight, and `models` are the models that the problem is
    about; None stands for no limit, and for all models.
    """

    builders: Sequence[UserConstraint] = ()
    names: Sequence[str] = ()
    groups: Sequence[Mapping[str, Any]] = ()
    at_most: int | None = None
    models: Models | None = None

    def subset(self, models: Models) -> UserConstraints:
        """Apply to a problem of some of the models that the problem was about."""
        subset = models if self.models is None else self.models[models]
        return replace(self, models=subset)

    def per_group(self, measure: Callable[[Any], Any]) -> list[dict[str, Any]]:
        """Measure the groups of each column, by name."""
        return [
            {name: measure(group) for name, group in column.items()}
            for column in self.groups
        ]

    @property
    def embedding(self) -> Array:
        """Matrix from the weights of the problem to those of all models."""
        identity = np.eye(len(self.names))
        return identity if self.models is None else identity[:, self.models]
