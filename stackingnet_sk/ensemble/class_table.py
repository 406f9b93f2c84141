"""A table of votes or of probabilities, read as what the models say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from stackingnet_sk._compat import to_numpy
from stackingnet_sk._task import numbers_or_classes
from stackingnet_sk.ensemble.validation import count_dimensions, names_of_columns
from stackingnet_sk.predictions import (
    ClassAnswers,
    as_array,
    check_probabilities,
    classes_of_votes,
    code_texts,
    column_names,
    encode_votes,
    names_of_blocks,
    unmasked,
)


@dataclass(frozen=True, eq=False)
class ClassTable:
    """A table of votes or probabilities as it was read.

    `classes` are sorted, and `warning` tells about votes that name no class, or is
    None.
    """

    answers: ClassAnswers
    classes: NDArray[Any]
    model_names: NDArray[np.object_]
    warning: str | None = None


@dataclass(frozen=True, eq=False)
class ClassTableReader:
    """How tables of votes or probabilities are read.

    `input`, `given_classes` and `unknown_vote` are parameters of the estimator; columns
    of probabilities are in the order of `given_classes`. `linear` tells whether the
    linear pool mixes probabilities. `fitted_on` is "votes" or "proba" after `fit`, and
    decides how later tables are read; `model_names` are the names that `fit` has read.
    """

    estimator_name: str
    input: str
    linear: bool
    given_classes: list[Any] | None
    unknown_vote: str
    fitted_on: str | None = None
    model_names: NDArray[np.object_] | None = None

    def read(
        self,
        X: Any,
        classes: NDArray[Any] | None,
        check_columns: Callable[[Any, Any], None],
    ) -> ClassTable:
        """Read votes (n_samples, n_models) or probabilities.

        Probabilities are (n_samples, n_models, n_classes), or (n_samples, n_models *
        n_classes) with all classes of a model side by side. `classes` are all classes,
        sorted; None takes them from the table. `check_columns` compares number and
        names of the columns with those of `fit`; it takes the table as it came and as
        an array. A ValueError is raised if the shape is wrong, a row is not a
        probability vector, or a vote is unknown and `unknown_vote` is "error".
        """
        # Votes are counted on the CPU.
        X = unmasked(to_numpy(X))
        deep = count_dimensions(X) == 3
        probabilities = deep or self.input == "proba" or self.linear
        if deep and self.fitted_on == "votes" and (classes is None or len(classes) > 1):
            raise ValueError(
                "X has three dimensions, but fit has seen votes, not these."
            )
        # A two-dimensional table can hold votes or probabilities.
        probabilities |= self.fitted_on == "proba"
        if deep and self.input == "votes":
            raise ValueError(
                "input='votes', but X has three dimensions, of probabilities."
            )
        if not probabilities:
            return self._read_votes(X, classes, check_columns)
        if deep:
            X, classes = _flat(np.asarray(X), classes)
        if classes is None:
            raise ValueError(
                "Without labels a table of probabilities doesn't say how many classes "
                "it has; give them with classes=, or X as (n_samples, n_models, "
                "n_classes)."
            )
        return self._read_probabilities(X, classes, check_columns)

    def _check(self, X: Any, dtype: Any) -> NDArray[Any]:
        table: NDArray[Any] = check_array(
            X,
            dtype=dtype,
            ensure_all_finite=False,
            estimator=self.estimator_name,
            input_name="X",
        )
        return table

    def _read_probabilities(
        self, X: Any, classes: NDArray[Any], check_columns: Callable[[Any, Any], None]
    ) -> ClassTable:
        table = self._check(X, np.float64)
        check_columns(X, table)
        n_classes = len(classes)
        if table.shape[1] % n_classes:
            raise ValueError(
                f"X has {table.shape[1]} columns, no multiple of the {n_classes} "
                f"classes {classes.tolist()[:10]}; probabilities take one column per "
                "class for each model, all of one model side by side."
            )
        names = self.model_names
        if names is None:
            blocks = names_of_blocks([str(name) for name in column_names(X)], n_classes)
            n_models = table.shape[1] // n_classes
            names = np.array(
                blocks or [f"model_{j}" for j in range(n_models)], dtype=object
            )
        table = table.reshape(len(table), -1, n_classes)
        if self.given_classes is not None:
            order = [self.given_classes.index(label) for label in classes.tolist()]
            table = table[:, :, order]
        answers = ClassAnswers.from_probabilities(check_probabilities(table, names))
        return ClassTable(answers, classes, names)

    def _read_votes(
        self,
        X: Any,
        classes: NDArray[Any] | None,
        check_columns: Callable[[Any, Any], None],
    ) -> ClassTable:
        if isinstance(X, (list, tuple)):
            X = as_array(X)
        coded = code_texts(X)
        if coded is None:
            table, codes = self._check(X, None), None
            check_columns(X, table)
        else:
            table, codes = coded
            check_columns(X, self._check(codes, None))
        names = self.model_names
        if names is None:
            n_models = (table if codes is None else codes).shape[1]
            names = names_of_columns(X, n_models)
        if classes is None:
            classes = classes_of_votes(table)
            _refuse_scores(classes)
        votes, unknown = encode_votes(table, classes)
        if codes is not None:
            votes, unknown = votes[codes], unknown[codes]
        warning = None
        if unknown.any():
            warning = self._unknown_votes(table, codes, unknown, classes, names)
        return ClassTable(ClassAnswers(votes), classes, names, warning)

    def _unknown_votes(
        self,
        table: NDArray[Any],
        codes: NDArray[np.int32] | None,
        unknown: NDArray[np.bool_],
        classes: NDArray[Any],
        names: NDArray[np.object_],
    ) -> str:
        """Say which votes are no class; a ValueError with `unknown_vote="error"`."""
        counts = unknown.sum(axis=0)
        column = int(counts.argmax())
        row = int(unknown[:, column].argmax())
        vote = table[row, column] if codes is None else table[codes[row, column]]
        vote = vote.item() if isinstance(vote, np.generic) else vote
        message = (
            f"Model {names[column]!r} votes {vote!r} at row {row}, "
            f"which is none of the classes {classes.tolist()[:10]}"
        )
        if self.unknown_vote == "error":
            raise ValueError(
                f"{message}; correct it, add the class with classes=, or let such "
                "votes abstain with unknown_vote='abstain'."
            )
        named = zip(names, counts.tolist(), strict=True)
        listed = [f"{name}: {count}" for name, count in named if count]
        more = f", and {len(listed) - 10} more models" if len(listed) > 10 else ""
        return (
            f"{message}: such votes abstain ({', '.join(listed[:10])}{more}, of "
            f"{len(unknown)} rows). A class without labelled rows has to be named, "
            "with all others, with classes=."
        )


def _flat(
    X: NDArray[Any], classes: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Put the classes of a table of three dimensions side by side."""
    n_classes = X.shape[2]
    if classes is None:
        classes = np.arange(n_classes)
    elif len(classes) != n_classes:
        raise ValueError(
            f"X has probabilities of {n_classes} classes, but there are "
            f"{len(classes)}, {classes.tolist()[:10]}; give all of them with "
            "classes=."
        )
    return X.reshape(len(X), -1), classes


def _refuse_scores(classes: NDArray[Any]) -> None:
    """Refuse numbers with fractions as classes that nobody has named."""
    if numbers_or_classes(classes) == "regression":
        score = float(classes[classes != np.floor(classes)][0])
        raise ValueError(
            f"Votes such as {score} look like scores: give probabilities with "
            "input='proba' and classes=, or, if such numbers are classes, all of them "
            "with classes=."
        )
