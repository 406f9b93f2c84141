"""Fitted models in files that run no code when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackingnet_sk import __version__
from stackingnet_sk._files import whole_file

# All that a fitted model is made of, besides scikit-learn's and numpy's own.
_TYPES = frozenset(
    {
        "scipy.sparse._csr.csr_array",
        "stackingnet_sk.cli.fitting.TableClipper",
        "stackingnet_sk.ensemble.classifier.StackingNetClassifier",
        "stackingnet_sk.ensemble.number_table.PanelMoments",
        "stackingnet_sk.ensemble.number_table.PanelStatistics",
        "stackingnet_sk.ensemble.regressor.StackingNetRegressor",
        "stackingnet_sk.ensemble.units.Extent",
        "stackingnet_sk.weights.answer_patterns.AnswerPatterns",
        "stackingnet_sk.weights.counts.VoteCounts",
        "stackingnet_sk.weights.moments.Moments",
        "stackingnet_sk.weights.solution.Solution",
    }
)


@dataclass(frozen=True)
class Saved:
    """A model and how its tables are read.

    Attributes
    ----------
    model : estimator
        Fitted.
    models : list of str
        Columns that it predicts from.
    missing : list of str
        What stands for no answer besides an empty cell.
    task : {"regression", "classification"}
        What it was fitted for.
    decimal : {".", ","}
        What separates the decimals of a number.
    """

    model: Any
    models: list[str]
    missing: list[str]
    task: str
    decimal: str


def save_model(saved: Saved, path: str) -> None:
    """Write a model, whole or not at all.

    Parameters
    ----------
    saved : Saved
        What to write.
    path : str
        Where to.
    """
    import skops.io

    state = {**saved.__dict__, "stackingnet_sk": __version__}
    data = skops.io.dumps(state)
    with whole_file(path) as file:
        file.write(data)


def load_model(path: str) -> Saved:
    """Read a model; types that a model does not need are refused unread.

    Parameters
    ----------
    path : str
        Of a file written by `save_model`.

    Returns
    -------
    Saved

    Raises
    ------
    OSError
        If it can't be read.
    ValueError
        If it is no such file, or holds anything else.
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
        return Saved(**state)
    except TypeError:
        raise ValueError(
            f"{path!r} was saved by version {version}, this is {__version__}; fit and "
            "save it again."
        ) from None
