"""Answers of members: what a fitted member is asked for, and how that is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from stackingnet_sk._compat import count_rows
from stackingnet_sk.predictions.table import is_number

# Probabilities that are off by more than this are an error, not rounding.
SUM_TOLERANCE = 1e-6


class Answer(Protocol):
    """Asks a fitted member to predict rows, and checks its answer."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the answer for one row."""

    def __call__(self, name: str, member: Any, X: Any, /) -> NDArray[np.float64]:
        """Ask the member called `name`."""


@dataclass(frozen=True)
class NumberAnswer:
    """One number per row: what `predict` of a regressor returns."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the answer for one row."""
        return ()

    def __call__(self, name: str, member: Any, X: Any) -> NDArray[np.float64]:
        """Return a fitted member's predictions (n_samples,).

        A ValueError with the member's name is raised unless there is one number per
        row.
        """
        return one_column(member.predict(X), count_rows(X), name)


NUMBER = NumberAnswer()


@dataclass(frozen=True, eq=False)
class ClassAnswer:
    """One vector over the sorted classes per row: probabilities, or a vote.

    A member is asked for `predict_proba`. If it has none, the values of its
    `decision_function` become probabilities by the logistic function (softmax for
    several classes). If it has neither, the classes of its `predict` are votes: one at
    the class named, zero elsewhere. A member that was fitted without some of the
    classes gives these probability zero.
    """

    classes: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the answer for one row."""
        return (len(self.classes),)

    def __call__(self, name: str, member: Any, X: Any) -> NDArray[np.float64]:
        """Return a fitted member's answers (n_samples, n_classes).

        A ValueError with the member's name is raised if the answer has a wrong shape,
        names a class that is not in `classes`, or does not consist of probabilities.
        """
        n_samples = count_rows(X)
        # With "ovo", scores belong to pairs of classes, not to classes.
        scores = hasattr(member, "decision_function")
        scores &= getattr(member, "decision_function_shape", "ovr") != "ovo"
        if not (hasattr(member, "predict_proba") or scores):
            votes = np.asarray(member.predict(X))
            if votes.shape != (n_samples,):
                raise ValueError(
                    f"Member {name!r} predicts an array of shape {votes.shape} for "
                    f"{n_samples} rows; a member must predict one class a row."
                )
            classes, votes = np.unique(votes, return_inverse=True)
            return self._align(name, classes, np.eye(len(classes))[votes])
        classes = np.asarray(member.classes_)
        if hasattr(member, "predict_proba"):
            answer = np.asarray(member.predict_proba(X), dtype=np.float64)
        else:
            answer = np.asarray(member.decision_function(X), dtype=np.float64)
            if answer.ndim == 1 and len(classes) == 2:
                answer = np.column_stack([expit(-answer), expit(answer)])
            elif answer.ndim == 2:
                answer = softmax(answer, axis=1)
        if answer.shape != (n_samples, len(classes)):
            raise ValueError(
                f"Member {name!r} answers with an array of shape {answer.shape} for "
                f"{n_samples} rows and {len(classes)} classes; a member must give one "
                "number a row and class."
            )
        wrong = ~(np.abs(answer.sum(axis=1) - 1.0) <= SUM_TOLERANCE)
        wrong |= ~(answer >= 0).all(axis=1)
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"Member {name!r} gives {answer[row].tolist()} for a row, which are no "
                "probabilities; they must be zero or above and sum to 1."
            )
        return self._align(name, classes, answer)

    def _align(
        self, name: str, classes: NDArray[Any], answer: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Put the columns of the classes that a member knows in the order of all."""
        place = {label: k for k, label in enumerate(self.classes.tolist())}
        unknown = [label for label in classes.tolist() if label not in place]
        if unknown:
            raise ValueError(
                f"Member {name!r} answers with the class {unknown[0]!r}, which is none "
                f"of {self.classes.tolist()[:10]}; give all classes with classes=."
            )
        aligned = np.zeros((len(answer), len(self.classes)))
        aligned[:, [place[label] for label in classes.tolist()]] = answer
        return aligned


def one_column(prediction: Any, n_samples: int, name: str) -> NDArray[np.float64]:
    """Return predictions of a member as one number per row, or raise a ValueError."""
    array = np.asarray(prediction)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n_samples,):
        raise ValueError(
            f"Member {name!r} predicts an array of shape {array.shape} for "
            f"{n_samples} rows; a member must predict one number a row."
        )
    try:
        if not np.iscomplexobj(array):
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"Member {name!r} predicts values that are not numbers, such as "
        f"{next(value for value in array.tolist() if not is_number(value))!r}; a "
        "member must predict one number a row."
    )
