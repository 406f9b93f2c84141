"""Fitted models in files that run no code when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor, __version__
from stackingnet_sk.cli.clipper import TableClipper
from stackingnet_sk.cli.fitting import Fitted, final_step

_COMBINATIONS = (StackingNetRegressor, StackingNetClassifier)
# The types that a fitted model consists of, besides those of scikit-learn and numpy.
_TYPES = frozenset(
    f"{part.__module__}.{part.__qualname__}" for part in (*_COMBINATIONS, TableClipper)
)


@dataclass(frozen=True)
class Saved:
    """A fitted model and how its tables are read."""

    model: Any
    # Columns that it predicts from.
    models: list[str]
    # Texts that mark a missing answer, besides empty cells.
    missing: list[str]
    # Whether answers are numbers, not texts.
    numbers: bool
    decimal: str

    @classmethod
    def of(cls, fitted: Fitted) -> Saved:
        """Keep what it takes to read other tables like the one of a fit."""
        classes = getattr(fitted.estimator, "classes_", None)
        return cls(
            fitted.model,
            list(fitted.roles.models),
            list(fitted.roles.missing or ()),
            classes is None or classes.dtype.kind in "iuf",
            str(fitted.roles.decimal),
        )


def save_model(saved: Saved, file: IO[bytes]) -> None:
    """Write a model to a file."""
    import skops.io

    state = {**saved.__dict__, "stackingnet_sk": __version__}
    file.write(skops.io.dumps(state))


def load_model(path: str) -> Saved:
    """Read a model; types that a model does not need are refused unread.

    An OSError is raised if the file cannot be read, and a ValueError if it does not
    hold a saved model, or holds anything else.
    """
    import skops.io

    data = Path(path).read_bytes()
    try:
        strange = sorted(set(skops.io.get_untrusted_types(data=data)) - _TYPES)
    except Exception as error:
        raise ValueError(f"{path!r} is no model that --save has written.") from error
    if strange:
        raise ValueError(f"{path!r} holds types that no saved model needs: {strange}.")
    state = skops.io.loads(data, trusted=sorted(_TYPES))
    version = state.pop("stackingnet_sk", None) if isinstance(state, dict) else None
    if version is None:
        raise ValueError(f"{path!r} is no model that --save has written.")
    try:
        saved = Saved(**state)
        sound = (
            isinstance(final_step(saved.model), _COMBINATIONS)
            and all(isinstance(name, str) for name in (*saved.models, *saved.missing))
            and isinstance(saved.numbers, bool)
            and saved.decimal in (".", ",")
        )
    except (TypeError, IndexError):
        sound = False
    if not sound:
        raise ValueError(
            f"{path!r} was saved by version {version}, this is {__version__}; fit and "
            "save it again."
        )
    return saved
