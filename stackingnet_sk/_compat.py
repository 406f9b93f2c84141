"""The only place that touches scikit-learn's private names, or hides its versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context, get_config
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._array_api import (
    _is_numpy_namespace,
    get_namespace_and_device,
    move_to,
    supported_float_dtypes,
)
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils.metadata_routing import _raise_for_params as raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled as routing_enabled
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_method_params as take_rows_of_params
from sklearn.utils.validation import _num_samples as count_rows

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in where scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method: there is nothing to tear down."""
        return method


try:  # scikit-learn >= 1.9
    from sklearn.utils._array_api import check_same_namespace
except ImportError:

    def check_same_namespace(*args: Any, **kwargs: Any) -> None:
        """Leave the error to the arithmetic."""


__all__ = [
    "Backend",
    "BaseComposition",
    "CallbackSupportMixin",
    "VisualBlock",
    "backend_of",
    "begin_fit",
    "check_same_namespace",
    "count_rows",
    "end_fit",
    "fit_task",
    "raise_for_params",
    "routing_enabled",
    "state_besides_parameters",
    "take_rows",
    "take_rows_of_params",
    "to_numpy",
    "with_callbacks",
]


class Backend(NamedTuple):
    """Namespace and device of an array that is not numpy's (array API standard)."""

    xp: Any
    device: Any

    @property
    def floats(self) -> list[Any]:
        """Types of floats that the device has, that of most digits first."""
        types = supported_float_dtypes(self.xp, device=self.device)
        return [dtype for dtype in types if dtype != getattr(self.xp, "float16", None)]

    def put(self, array: Any) -> Any:
        """Move an array of numpy, or of any namespace, to this backend."""
        with config_context(array_api_dispatch=True):
            return move_to(array, xp=self.xp, device=self.device)


def backend_of(X: Any, *, always: bool = False) -> Backend | None:
    """Return the backend of an array, or None for what numpy is to convert.

    Unless `always` is set, this is None if scikit-learn's setting `array_api_dispatch`
    is off.
    """
    is_array = hasattr(X, "__array_namespace__") or type(X).__module__ == "torch"
    if isinstance(X, np.ndarray) or not is_array:
        return None
    # Threads of ours don't have the setting; without scipy's own nobody has.
    looks = always and os.environ.get("SCIPY_ARRAY_API") == "1"
    if not (looks or get_config()["array_api_dispatch"]):
        return None
    with config_context(array_api_dispatch=True):
        xp, is_array_api, device = get_namespace_and_device(X)
    return None if not is_array_api or _is_numpy_namespace(xp) else Backend(xp, device)


def to_numpy(X: Any) -> Any:
    """Move an array of another namespace to the CPU; leave anything else."""
    if backend_of(X, always=True) is None:
        return X
    with config_context(array_api_dispatch=True):
        return move_to(X, xp=np, device="cpu")


def state_besides_parameters(estimator: Any) -> dict[str, Any]:
    """Return attributes of an unfitted estimator that are not parameters.

    These are requests for metadata and a configured output at most. Callbacks watch a
    fit and are not part of it.
    """
    parameters = estimator.get_params(deep=False)
    return {
        name: value
        for name, value in sorted(vars(estimator).items())
        if name not in parameters and name != "_skl_callbacks"
    }


def begin_fit(estimator: Any, task_names: list[str], X: Any, y: Any) -> list[Any]:
    """Announce a fit and its tasks, in any order of execution, to the callbacks.

    Returns the context of each task, None if no callbacks are set.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return [None] * len(task_names)
    context = estimator._init_callback_context(max_subtasks=len(task_names))
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    tasks = [context.subcontext(task_name=name) for name in task_names]
    listening = hasattr(estimator, "_skl_callbacks")
    return tasks if listening else [None] * len(task_names)


def end_fit(estimator: Any, X: Any, y: Any) -> None:
    """Announce the end of a fit to the callbacks."""
    if hasattr(estimator, "_callback_fit_ctx"):
        estimator._callback_fit_ctx.call_on_fit_task_end(estimator=estimator, X=X, y=y)


@contextmanager
def fit_task(task: Any, owner: Any, member: Any, X: Any, y: Any) -> Iterator[None]:
    """Run one task of a fit under its callback context, which may be None.

    `owner` is the estimator whose fit the task belongs to. `member` is fitted to the
    rows of the task, and receives the callbacks if it supports them.
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
