"""The only place that touches scikit-learn's private names, or hides its versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils.metadata_routing import _raise_for_params as raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_method_params as take_rows_of_params
from sklearn.utils.validation import _num_samples as count_rows

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    # From a warning in a decorated method to its caller.
    CALLER = 3
except ImportError:
    CALLER = 2

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in where scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method: there is nothing to tear down."""
        return method


__all__ = [
    "CALLER",
    "BaseComposition",
    "CallbackSupportMixin",
    "VisualBlock",
    "begin_fit",
    "count_rows",
    "end_fit",
    "fit_task",
    "raise_for_params",
    "routing_enabled",
    "state_besides_parameters",
    "take_rows",
    "take_rows_of_params",
    "with_callbacks",
]


def state_besides_parameters(estimator: Any) -> dict[str, Any]:
    """Read what an estimator is besides its parameters.

    Parameters
    ----------
    estimator : estimator
        Unfitted, it has requests for metadata and a configured output at most.

    Returns
    -------
    dict of str to object
        Its attributes, sorted by name. Callbacks watch a fit and are no part of it.
    """
    parameters = estimator.get_params(deep=False)
    return {
        name: value
        for name, value in sorted(vars(estimator).items())
        if name not in parameters and name != "_skl_callbacks"
    }


def begin_fit(estimator: Any, task_names: list[str], X: Any, y: Any) -> list[Any]:
    """Announce a fit and its tasks to the callbacks.

    Parameters
    ----------
    estimator : estimator
        Whose fit begins.
    task_names : list of str
        The tasks, in any order of execution.
    X, y : array-like
        What `fit` received.

    Returns
    -------
    list
        Context of each task; None where no callbacks are set.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return [None] * len(task_names)
    context = estimator._init_callback_context(max_subtasks=len(task_names))
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    tasks = [context.subcontext(task_name=name) for name in task_names]
    listening = hasattr(estimator, "_skl_callbacks")
    return tasks if listening else [None] * len(task_names)


def end_fit(estimator: Any, X: Any, y: Any) -> None:
    """Announce the end of a fit to the callbacks.

    Parameters
    ----------
    estimator : estimator
        Whose fit ends.
    X, y : array-like
        What `fit` received.
    """
    if hasattr(estimator, "_callback_fit_ctx"):
        estimator._callback_fit_ctx.call_on_fit_task_end(estimator=estimator, X=X, y=y)


@contextmanager
def fit_task(task: Any, owner: Any, member: Any, X: Any, y: Any) -> Iterator[None]:
    """Run one task of a fit under its callback context.

    Parameters
    ----------
    task : CallbackContext or None
        Context of the task.
    owner : estimator or None
        Whose fit the task belongs to.
    member : estimator
        What is fitted; receives the callbacks if it supports them.
    X, y : array-like
        Training rows of the task.
    """
    if task is None:
        yield
        return
    # Callbacks that are handed on hear the member's own fit instead of this task.
    hears = hasattr(member, "set_callbacks")
    with task.propagate_callback_context(member) if hears else nullcontext():
        task.call_on_fit_task_begin(estimator=owner, X=X, y=y)
        yield
    task.call_on_fit_task_end(estimator=owner, X=X, y=y)
