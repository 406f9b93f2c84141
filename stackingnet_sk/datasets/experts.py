"""Generated crowds of experts, whose accuracy and errors are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from stackingnet_sk.datasets.frames import labels_or_none, pack
from stackingnet_sk.datasets.prediction_table import PredictionTable

Array = NDArray[Any]


def make_experts(
    n_items: int = 500,
    n_experts: int = 5,
    *,
    n_classes: int | None = None,
    accuracy: ArrayLike = 0.7,
    bias: ArrayLike = 0.0,
    correlation: float = 0.0,
    families: ArrayLike | None = None,
    n_random: int = 0,
    n_flipped: int = 0,
    missing: ArrayLike = 0.0,
    class_prior: ArrayLike | None = None,
    n_labelled: int | None = None,
    as_frame: bool = False,
    random_state: Any = None,
) -> PredictionTable:
    r"""Make up a crowd of experts, and items for it to judge.

    Parameters
    ----------
    n_items : int, default=500
        Number of items.
    n_experts : int, default=5
        Number of honest experts.
    n_classes : int, default=None
        Experts vote for one of the classes 0, ..., n_classes - 1. None: they predict a
        number, whose truth is standard normal.
    accuracy : float or array-like of shape (n_experts,), default=0.7
        Of votes the probability of the right class, whatever it is; others are equally
        probable. Of numbers the correlation with the truth.
    bias : float or array-like of shape (n_experts,), default=0
        What each adds to its numbers.
    correlation : float, default=0
        Of the errors of two experts of one family, in [0, 1]. Of votes it is the
        correlation of being right where two are equally accurate.
    families : array-like of shape (n_experts,), default=None
        Family of each expert; all are of one by default.
    n_random : int, default=0
        Number of further experts who know nothing: they draw from what an item can be.
    n_flipped : int, default=0
        Number of further experts who know as much as the mean expert and say the
        opposite: the truth mirrored, the next class.
    missing : float or array-like of shape (n_models,), default=0
        Probability that an answer is missing, in [0, 1).
    class_prior : array-like of shape (n_classes,), default=None
        Probabilities of the classes; equal by default.
    n_labelled : int, default=None
        Number of items with a label, drawn; all by default.
    as_frame : bool, default=False
        Whether `X` is a pandas frame, its columns named "expert_0", ..., "random_0",
        ..., "flipped_0", ...
    random_state : int, RandomState or None, default=None
        Source of the draws.

    Returns
    -------
    PredictionTable
        `truth` has what the labels of all items would be.

    Raises
    ------
    ValueError
        If a number or a probability is out of its range, or an array has another
        length.

    Notes
    -----
    Errors of numbers are :math:`\sigma_m (\sqrt\rho z_{f(m)} + \sqrt{1 - \rho} z_m)`
    with independent normal :math:`z` for families and experts, and :math:`\sigma_m =
    \sqrt{1 / a_m^2 - 1}`. In votes each expert follows its family's draw with
    probability :math:`\sqrt\rho`, else its own.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.datasets import make_experts
    >>> crowd = make_experts(
    ...     10_000, 3, n_classes=2, accuracy=[0.9, 0.8, 0.6], n_flipped=1,
    ...     random_state=0,
    ... )
    >>> (crowd.X == crowd.truth[:, None]).mean(axis=0).round(1).tolist()
    [0.9, 0.8, 0.6, 0.2]
    """
    rng = check_random_state(random_state)
    for name, number, least in (
        ("n_items", n_items, 1),
        ("n_experts", n_experts, 1),
        ("n_random", n_random, 0),
        ("n_flipped", n_flipped, 0),
        ("n_classes", 2 if n_classes is None else n_classes, 2),
    ):
        if number < least:
            raise ValueError(f"{name}={number} is less than {least}.")
    honest = _per_expert("accuracy", accuracy, n_experts, 0, 1)
    if class_prior is not None and n_classes is None:
        raise ValueError("class_prior= is of votes; name n_classes.")
    offset = _per_expert("bias", bias, n_experts, -np.inf, np.inf)
    rho = float(_per_expert("correlation", correlation, 1, 0, 1)[0])
    n_models = n_experts + n_random + n_flipped
    p_missing = _per_expert("missing", missing, n_models, 0, np.nextafter(1, 0))
    kin = np.zeros(n_experts, dtype=int)
    if families is not None:
        kin = np.unique(np.asarray(families), return_inverse=True)[1]
        if kin.shape != (n_experts,):
            raise ValueError(f"families has shape {kin.shape}, not ({n_experts},).")
    # A flipped expert is its own family.
    knows = np.r_[honest, np.full(n_flipped, honest.mean())]
    kin = np.r_[kin, kin.max() + 1 + np.arange(n_flipped)]
    if n_classes is None:
        truth = rng.standard_normal(n_items)
        if not (honest > 0).all():
            raise ValueError("Of numbers accuracy is a correlation above 0.")
        answers = truth[:, None] + _errors(rng, n_items, knows, kin, rho)
        answers[:, :n_experts] += offset
        answers[:, n_experts:] *= -1
        random = rng.standard_normal((n_items, n_random))
    else:
        if offset.any():
            raise ValueError("Votes have no bias; leave bias=0.")
        truth = _draw_classes(rng, n_items, n_classes, class_prior)
        answers = _votes(rng, truth, n_classes, knows, kin, rho)
        answers[:, n_experts:] = (answers[:, n_experts:] + 1) % n_classes
        random = rng.randint(n_classes, size=(n_items, n_random))
    table = np.hstack([answers[:, :n_experts], random, answers[:, n_experts:]])
    if p_missing.any():
        table = table.astype(np.float64)
        table[rng.random_sample(table.shape) < p_missing] = np.nan
    labels = truth.copy()
    if n_labelled is not None:
        if not 0 <= n_labelled <= n_items:
            raise ValueError(f"n_labelled={n_labelled} is not in 0 to {n_items}.")
        packed: list[Any] = [None] * n_items
        for item in rng.permutation(n_items)[:n_labelled]:
            packed[item] = truth[item].item()
        labels = labels_or_none(pack(packed))
    if not as_frame:
        return PredictionTable(table, labels, truth=truth)
    import pandas as pd

    kinds = {"expert": n_experts, "random": n_random, "flipped": n_flipped}
    names = [f"{kind}_{j}" for kind, number in kinds.items() for j in range(number)]
    return PredictionTable(pd.DataFrame(table, columns=names), labels, truth=truth)


def _per_expert(
    name: str, given: ArrayLike, size: int, low: float, high: float
) -> Array:
    """Give each expert one value, checked."""
    values = np.asarray(given, dtype=np.float64)
    if values.ndim and values.shape != (size,):
        raise ValueError(f"{name} has shape {values.shape}, not ({size},).")
    if not ((values >= low) & (values <= high)).all():
        raise ValueError(f"{name}={given!r} is not between {low:g} and {high:g}.")
    return np.broadcast_to(values, (size,))


def _errors(
    rng: np.random.RandomState, n_items: int, accuracy: Array, kin: Array, rho: float
) -> Array:
    shared = rng.standard_normal((n_items, kin.max() + 1))[:, kin]
    individual = rng.standard_normal((n_items, len(kin)))
    spread = np.sqrt(1 / accuracy**2 - 1)
    errors: Array = spread * (np.sqrt(rho) * shared + np.sqrt(1 - rho) * individual)
    return errors


def _draw_classes(
    rng: np.random.RandomState, n_items: int, n_classes: int, prior: ArrayLike | None
) -> Array:
    if prior is None:
        return rng.randint(n_classes, size=n_items)
    shares = np.asarray(prior, dtype=np.float64)
    if (
        shares.shape != (n_classes,)
        or (shares < 0).any()
        or abs(shares.sum() - 1) > 1e-9
    ):
        raise ValueError(
            f"class_prior={prior} are not {n_classes} probabilities that sum to 1."
        )
    return rng.choice(n_classes, size=n_items, p=shares / shares.sum())


def _votes(
    rng: np.random.RandomState,
    truth: Array,
    n_classes: int,
    accuracy: Array,
    kin: Array,
    rho: float,
) -> Array:
    n_items = len(truth)
    drawn = []
    for size in (kin.max() + 1, len(kin)):
        luck = rng.random_sample((n_items, size))
        # How far from the right class a wrong vote is.
        step = rng.randint(1, n_classes, size=(n_items, size))
        drawn.append((luck, step))
    follows = rng.random_sample((n_items, len(kin))) < np.sqrt(rho)
    (family_luck, family_step), (expert_luck, expert_step) = drawn
    luck = np.where(follows, family_luck[:, kin], expert_luck)
    step = np.where(follows, family_step[:, kin], expert_step)
    votes: Array = (truth[:, None] + np.where(luck < accuracy, 0, step)) % n_classes
    return votes
