"""Small problems of all kinds, and what the package answers to them.

``python -m tests.stored_problems`` says which answers are not those that are stored;
``--write`` stores them; ``--shuffle`` solves with the rows in another order, which must
not matter: a problem whose answers depend on it does not belong here.

Problems are made up from fixed seeds. Only public names are used, so that whatever is
inside can move.
"""

import argparse
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import (
    at_most_models,
    bounded_disparity,
    bounded_group_loss,
    budget,
    group_cap,
    max_weight,
)
from stackingnet_sk.inspection import (
    compare,
    dependence,
    disparity,
    effective_models,
    frontier,
    label_budget,
    next_model,
    prune,
    rank_models,
    regularization_path,
)

ANSWERS = Path(__file__).with_name("stored_answers.json")

# How far answers may be off: the objective, relative; weights and all else, relative to
# the largest of them. The objective is flat around the optimum, others are not.
TOLERANCE = {
    # Solved exactly, and a function of sums over the rows.
    "exact": (1e-10, 1e-8),
    # Interior points are certified to 1e-6 only; another tolerance lets a constraint
    # give way by more or less, along which the objective is not flat.
    "conic": (1e-9, 1e-6),
    # What expectation-maximization leaves of its path.
    "em": (1e-6, 1e-6),
}
# Digits beyond these are rounding, and would make the file larger.
DIGITS = 14


@dataclass(frozen=True)
class Crowd:
    """What models say, and the truth; `new` are rows to predict."""

    X: Any
    y: Any
    new: Any
    sample_weight: Any = None
    groups: Any = None
    sensitive_features: Any = None
    X_unlabeled: Any = None

    def rows(self, rows):
        """Choose rows, in this order; None stays None."""
        by_row = ("X", "y", "sample_weight", "groups", "sensitive_features")
        taken = {name: getattr(self, name) for name in by_row}
        return replace(self, **{k: v[rows] for k, v in taken.items() if v is not None})

    def shuffled(self):
        """Put the rows in another order."""
        order = np.random.default_rng(99).permutation(len(self.X))
        crowd = self.rows(order)
        more = self.X_unlabeled
        return crowd if more is None else replace(crowd, X_unlabeled=more[::-1])

    def arguments(self):
        """Return what `fit` takes beside X and y."""
        others = ("sample_weight", "groups", "sensitive_features", "X_unlabeled")
        given = {name: getattr(self, name) for name in others}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Problem:
    """A combination to find, and what to ask about it."""

    name: str
    estimator: Any
    crowd: Crowd
    rule: str
    fit: Callable[[Any, Crowd], Any]
    ask: Callable[[Any, Crowd], dict[str, Any]]
    # Whether the order of the rows matters: they are split or drawn.
    ordered: bool = False
    # Whether the optimum is zero: what is left of it is rounding of the labels' second
    # moment, and no digit of it has a meaning.
    zero: bool = False

    def solve(self, *, shuffled=False):
        """Return the answers, as texts, numbers and lists of them."""
        crowd = self.crowd.shuffled() if shuffled else self.crowd
        with warnings.catch_warnings():
            # Some problems are made to be warned of.
            warnings.simplefilter("ignore")
            model = self.fit(clone(self.estimator), crowd)
            answers = self.ask(model, crowd)
        return {name: _plain(value) for name, value in answers.items()}

    @property
    def rounding(self):
        """What the objective may be off where the optimum is zero."""
        labels = np.asarray(self.crowd.y, dtype=float)
        return 1e-12 * float(np.nanmean(np.square(labels)))

    def differences(self, found, stored):
        """Name the answers that are not those stored, and by how much they are off."""
        if set(found) != set(stored):
            return [f"asked for {sorted(found)}, stored are {sorted(stored)}"]
        said = []
        for name in stored:
            ours, theirs = np.asarray(found[name]), np.asarray(stored[name])
            if ours.shape != theirs.shape or ours.dtype.kind != theirs.dtype.kind:
                said.append(f"{name}: {found[name]} instead of {stored[name]}")
            elif ours.dtype.kind == "U":
                if (ours != theirs).any():
                    said.append(f"{name}: {found[name]} instead of {stored[name]}")
            elif not (off := _off(ours, theirs)) <= (
                allowed := self._allowed(name, stored)
            ):
                said.append(f"{name} is off by {off:.2g}, more than {allowed:.2g}")
        return said

    def _allowed(self, name, stored):
        objective, weights = TOLERANCE[self.rule]
        values = np.asarray(stored[name])
        if (
            name in ("weights", "predictions", "intercept")
            and stored.get("status") in TIES
        ):
            weights = max(weights, TOLERANCE["em"][1])
        # An intercept makes up for weights: it is as exact as what it is added to.
        if name == "intercept" and "predictions" in stored:
            values = np.asarray(stored["predictions"])
        size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
        if name in ("objective", "expected_error") and self.zero:
            return self.rounding
        return (objective if name == "objective" else weights) * size


# Of several optima one is chosen: by the least norm, which is as sharp as its rank is.
TIES = ("MINIMUM_NORM",)


def _off(ours, theirs):
    ours, theirs = ours.astype(float), theirs.astype(float)
    apart = ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
    with np.errstate(invalid="ignore"):
        off = np.abs(ours[apart] - theirs[apart])
    return float(np.where(np.isnan(off), np.inf, off).max(initial=0.0))


def _plain(value):
    """Make a value one that JSON keeps, without digits that are rounding."""
    array = np.asarray(value)
    if array.dtype.kind in "OU":
        return array.astype(str).tolist()
    if array.dtype.kind in "biu":
        return array.astype(int).tolist()
    rounded = [float(f"{number:.{DIGITS}g}") for number in array.ravel()]
    return np.reshape(rounded, array.shape).tolist()


# --- crowds ---------------------------------------------------------------------------


def judges(
    seed,
    n_rows=40,
    n_models=4,
    *,
    n_labelled=None,
    noise=0.7,
    shared=0.4,
    missing=0.0,
    unit=1.0,
    slopes=1.0,
    offset=0.0,
    weights=None,
    n_groups=0,
    n_more=0,
    n_new=6,
):
    """Models whose errors are correlated, unequal and biased; labels as NaN."""
    rng = np.random.default_rng(seed)
    total = n_rows + n_more + n_new
    truth = rng.standard_normal(total)
    common = rng.standard_normal((total, 1))
    errors = shared * common + rng.standard_normal((total, n_models))
    errors *= noise * np.exp(0.4 * rng.standard_normal(n_models))
    said = truth[:, None] + errors + 0.3 * rng.standard_normal(n_models)
    said = (said * slopes + offset) * unit
    truth = (truth + offset) * unit
    said[rng.random(said.shape) < missing] = np.nan
    y = truth[:n_rows].copy()
    if n_labelled is not None:
        y[rng.permutation(n_rows)[n_labelled:]] = np.nan
    drawn = {
        None: None,
        "real": rng.uniform(0.2, 3.0, n_rows),
        "whole": rng.integers(0, 4, n_rows).astype(float),
        "small": rng.uniform(0.0, 0.1, n_rows),
    }
    group = np.array(["east", "north", "west"])[
        rng.integers(0, max(1, n_groups), total)
    ]
    return Crowd(
        said[:n_rows],
        None if n_labelled == 0 else y,
        said[n_rows + n_more :],
        sample_weight=drawn[weights],
        sensitive_features=group[:n_rows] if n_groups else None,
        X_unlabeled=said[n_rows : n_rows + n_more] if n_more else None,
    )


def voters(
    seed,
    n_rows=80,
    n_models=5,
    n_classes=2,
    *,
    n_labelled=None,
    missing=0.0,
    accuracy=(0.5, 0.9),
    form="votes",
    texts=None,
    weights=None,
    n_groups=0,
    n_more=0,
    n_new=6,
):
    """Models that vote or give probabilities; some are right on the same items."""
    rng = np.random.default_rng(seed)
    total = n_rows + n_more + n_new
    prior = np.arange(2.0, n_classes + 2)
    truth = rng.choice(n_classes, size=total, p=prior / prior.sum())
    right = np.linspace(*accuracy, n_models)
    luck = 0.7 * rng.random((total, n_models)) + 0.3 * rng.random((total, 1))
    wrong = rng.integers(1, n_classes, (total, n_models))
    votes = (truth[:, None] + np.where(luck < right, 0, wrong)) % n_classes
    if form == "votes":
        said = votes.astype(float)
        said[rng.random(said.shape) < missing] = np.nan
    else:
        score = 1.5 * np.eye(n_classes)[votes]
        score += 0.8 * rng.standard_normal(score.shape)
        said = np.exp(score)
        said /= said.sum(axis=2, keepdims=True)
        said[rng.random(votes.shape) < missing] = np.nan
        if form == "flat":
            said = said.reshape(total, -1)
    y = truth[:n_rows].astype(float)
    if n_labelled is not None:
        y[rng.permutation(n_rows)[n_labelled:]] = np.nan
    if texts is not None:
        names = np.array([*texts, None], dtype=object)
        if form == "votes":
            said = names[np.where(np.isnan(said), -1, said).astype(int)]
        y = names[np.where(np.isnan(y), -1, y).astype(int)]
    drawn = {
        None: None,
        "real": rng.uniform(0.2, 3.0, n_rows),
        "whole": rng.integers(0, 4, n_rows).astype(float),
        "small": rng.uniform(0.0, 0.1, n_rows),
    }
    group = np.array(["east", "north", "west"])[
        rng.integers(0, max(1, n_groups), total)
    ]
    return Crowd(
        said[:n_rows],
        None if n_labelled == 0 else y,
        said[n_rows + n_more :],
        sample_weight=drawn[weights],
        sensitive_features=group[:n_rows] if n_groups else None,
        X_unlabeled=said[n_rows : n_rows + n_more] if n_more else None,
    )


def features(seed, n_rows=60, n_features=3, *, n_classes=None, n_labelled=None, **more):
    """Make up what members are fitted on: features, and a target that bends."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows + 6, n_features))
    y = X[:, 0] + np.sin(2 * X[:, 1]) + 0.3 * rng.standard_normal(len(X))
    if n_classes is not None:
        edges = np.quantile(y, np.arange(1, n_classes) / n_classes)
        y = np.searchsorted(edges, y).astype(float)
    labels = y[:n_rows].copy()
    if n_labelled is not None:
        labels[n_labelled:] = np.nan
    crowd = Crowd(X[:n_rows], labels, X[n_rows:], groups=rng.integers(0, 6, n_rows))
    if not more.pop("groups", False):
        crowd = replace(crowd, groups=None)
    if more.pop("weights", False):
        crowd = replace(crowd, sample_weight=rng.uniform(0.2, 3.0, n_rows))
    return crowd


def changed(crowd, change):
    """Change the predictions, those of new rows as well."""
    return replace(crowd, X=change(crowd.X.copy()), new=change(crowd.new.copy()))


# --- ways to fit ----------------------------------------------------------------------


def whole(model, crowd):
    return model.fit(crowd.X, crowd.y, **crowd.arguments())


def in_blocks(model, crowd):
    extra = {"classes": crowd_classes(crowd)} if is_classifier(model) else {}
    for number, rows in enumerate(np.array_split(np.arange(len(crowd.X)), 3)):
        part = crowd.rows(rows)
        weight = part.sample_weight
        first = extra if number == 0 else {}
        model.partial_fit(part.X, part.y, sample_weight=weight, **first)
    return model


def merged(model, crowd):
    half = len(crowd.X) // 2
    parts = (slice(None, half), slice(half, None))
    if is_classifier(model):
        model.set_params(classes=crowd_classes(crowd))
    one, other = (whole(clone(model), crowd.rows(rows)) for rows in parts)
    return one.merge(other)


def as_a_stream(model, crowd):
    parts = [crowd.rows(r) for r in np.array_split(np.arange(len(crowd.X)), 4)]
    if is_classifier(model):
        model.set_params(classes=crowd_classes(crowd))
    return model.fit((part.X, part.y) for part in parts)


def reweighed(**params):
    def fit(model, crowd):
        return whole(model, crowd).reweigh(**params)

    return fit


def prefit(model, crowd):
    """Fit the members on the first third of the rows, the weights on the others."""
    third = len(crowd.X) // 3
    rows, others = slice(None, third), slice(third, None)
    members = [(n, e.fit(crowd.X[rows], crowd.y[rows])) for n, e in model.estimators]
    model.set_params(estimators=members, cv="prefit")
    return model.fit(crowd.X[others], None if crowd.y is None else crowd.y[others])


def prefit_without_labels(model, crowd):
    third = len(crowd.X) // 3
    rows = slice(None, third)
    members = [(n, e.fit(crowd.X[rows], crowd.y[rows])) for n, e in model.estimators]
    model.set_params(estimators=members, cv="prefit")
    return model.fit(crowd.X[third:])


def crowd_classes(crowd):
    votes = np.asarray(crowd.X, dtype=object).ravel()
    return sorted({vote for vote in votes if vote is not None and vote == vote})


# --- what is asked --------------------------------------------------------------------


def combination(model, crowd):
    """Ask a fitted estimator for all that it says."""
    solution = model.solution_
    answers = {
        "status": solution.status.name,
        "objective": solution.objective,
        "expected_error": solution.expected_error,
        "intercept": model.intercept_,
        "reliability": model.reliability_,
        "weights": model.weights_,
    }
    if not is_classifier(model):
        return {**answers, "predictions": model.predict(crowd.new)}
    if model.vote_weights_.size <= 100:
        answers["vote_weights"] = model.vote_weights_
        answers["confusion"] = model.confusion_
    answers["structure"] = model.structure_
    answers["class_prior"] = model.class_prior_
    answers["predictions"] = model.predict_proba(crowd.new)
    answers["classes"] = model.predict(crowd.new)
    return answers


def with_missing(model, crowd):
    """Ask also for the rows on which not all models answer."""
    new = np.vstack([crowd.new, np.full((1, crowd.new.shape[1]), np.nan)])
    answers = combination(model, replace(crowd, new=new))
    answers["row_errors"] = model.expected_error(new)
    answers["n_answers"] = model.n_answers(new)
    return answers


def pruned(model, crowd):
    path = prune(model)
    return {
        "removed": path.removed,
        "reliability": path.reliability,
        "error": path.error,
    }


def changes(selected=None):
    def ask(model, crowd):
        found = next_model(model, selected)
        return {
            "selected": found.selected,
            "error": found.error,
            "change": found.change,
            "add": str(found.add),
            "drop": str(found.drop),
        }

    return ask


def ranked(model, crowd):
    found = rank_models(model, crowd.X, crowd.y, n_bootstrap=20, random_state=0)
    said = "model_names reliability quality bias answered drop_one weight chance"
    return {
        name: getattr(found, name) for name in [*said.split(), "agreement", "error"]
    }


def depending(model, crowd):
    found = dependence(model, crowd.X, crowd.y)
    effective = effective_models(model, crowd.X, crowd.y)
    return {
        "correlation": found.correlation,
        "families": found.families,
        "effective": [effective.number],
    }


def path_of_shrinkage(model, crowd):
    path = regularization_path(model, [0.5, 5, 50, 500])
    return {
        "weights": path.weights,
        "intercepts": path.intercept,
        "error": path.error,
    }


def board(model, crowd):
    frame = model.leaderboard()
    rows = frame if isinstance(frame, list) else frame.to_dict("records")
    return {name: [row[name] for row in rows] for name in rows[0]}


def traded(against, **options):
    def ask(model, crowd):
        found = frontier(
            model,
            crowd.X,
            crowd.y,
            against,
            sensitive_features=crowd.sensitive_features,
            n_splits=3,
            **options,
        )
        said = ("limit", "error", "change", "standard_error", "measured", "weights")
        return {name: getattr(found, name) for name in said}

    return ask


def unequal(model, crowd):
    """Ask for the disparities, not for their intervals."""
    found = disparity(
        model,
        crowd.y,
        crowd.sensitive_features,
        X=crowd.X,
        min_group_size=2,
        n_bootstrap=10,
        n_permutations=10,
        random_state=0,
    )
    group = next(iter(found.groupings.values()))
    return {
        "names": found.names,
        "overall": found.overall_error,
        "groups": group.groups,
        "error": group.error.value,
        "signed_error": group.signed_error.value,
        "gap": group.gap.value,
        "amplification": group.amplification.value,
        "wasserstein": group.wasserstein,
    }


def budgeted(model, crowd):
    found = label_budget(
        model, crowd.X, crowd.y, further=[20, 100], n_repeats=3, random_state=0
    )
    said = ("n_labels", "error", "low", "high", "gain", "gain_low", "gain_high")
    return {name: getattr(found, name) for name in said}


def compared(model, crowd):
    found = compare(
        model, crowd.X, crowd.y, cv=KFold(3), n_bootstrap=10, random_state=0
    )
    answers = {"names": found.names, "rows": found.rows}
    if found.is_number:
        answers["predictions"] = found.predictions
    for metric, scores in found.scores.items():
        answers[metric] = scores.value
    return answers


# --- problems -------------------------------------------------------------------------

PROBLEMS: dict[str, Problem] = {}


def add(name, estimator, crowd, *, fit=whole, ask=combination, rule=None, **options):
    if rule is None:
        rule = "em" if is_classifier(estimator) else "exact"
    assert name not in PROBLEMS, f"two problems are called {name!r}"
    PROBLEMS[name] = Problem(name, estimator, crowd, rule, fit, ask, **options)


SETS = ("nonnegative", "simplex", "affine", "uniform")
CHOOSING = SETS[:3]
Numbers = StackingNetRegressor
Votes = StackingNetClassifier


def add_numbers():
    for place, constraint in enumerate(SETS):
        for intercept, shrinkage in (
            (True, "auto"),
            (True, 0),
            (True, 10.0),
            (False, "auto"),
            (False, 0),
        ):
            if constraint == "uniform" and shrinkage != "auto":
                # It has no prior.
                continue
            model = Numbers(
                constraint=constraint, fit_intercept=intercept, shrinkage=shrinkage
            )
            name = f"numbers, {constraint}, intercept {intercept}, {shrinkage}"
            add(name, model, judges(place))
        model = Numbers(constraint=constraint)
        crowd = judges(30 + place, 60, n_labelled=0)
        add(f"numbers, {constraint}, no labels", model, crowd)
    for place, constraint in enumerate(CHOOSING):
        for name, crowd in (
            ("few labels", judges(20 + place, 60, n_labelled=10)),
            ("unlabelled table", judges(40 + place, 20, n_more=40)),
            ("mean 1e5", judges(60 + place, offset=1e5)),
        ):
            model = Numbers(constraint=constraint, fit_intercept=place < 2)
            add(f"numbers, {constraint}, {name}", model, crowd)
    for constraint, sizes in (
        ("nonnegative", (1, 2, 3, 10, 60)),
        ("simplex", (60,)),
        ("affine", (60,)),
    ):
        for n_models in sizes:
            crowd = judges(10, 150 if n_models == 60 else 40, n_models)
            model = Numbers(constraint=constraint)
            add(f"numbers, {constraint}, {n_models} models", model, crowd)
    for place, constraint in enumerate(CHOOSING):
        for shrinkage in ("auto", 0):
            # With more models than rows several sets of weights reach zero.
            zero = constraint == "affine" and shrinkage == 0
            add(
                f"numbers, {constraint}, 20 models on 12 rows, {shrinkage}",
                Numbers(constraint=constraint, shrinkage=shrinkage),
                judges(50 + place, 12, 20),
                zero=zero,
            )
    for constraint, weights in zip(CHOOSING, ("real", "whole", "small"), strict=True):
        crowd = judges(70, weights=weights)
        model = Numbers(constraint=constraint)
        add(f"numbers, {constraint}, {weights} sample weights", model, crowd)
    for unit in (1e-8, 1e8):
        for constraint in CHOOSING[:2]:
            crowd = judges(80, unit=unit)
            model = Numbers(constraint=constraint)
            add(f"numbers, {constraint}, unit {unit:g}", model, crowd)
    for shrinkage in ("auto", 0):
        add(
            f"numbers, models in units of their own, {shrinkage}",
            Numbers(shrinkage=shrinkage),
            judges(81, slopes=np.array([1e-8, 1e-3, 1.0, 1e8])),
        )
    add(
        "numbers, labels that a model knows",
        Numbers(shrinkage=0),
        changed_truth(judges(82)),
        zero=True,
    )


def changed_truth(crowd):
    """Let the labels be a mean of two models."""
    return replace(crowd, y=(crowd.X[:, 0] + crowd.X[:, 1]) / 2)


def add_degenerate_numbers():
    for place, constraint in enumerate(CHOOSING):
        for shrinkage in ("auto", 0) if place == 0 else (0,):
            add(
                f"numbers, {constraint}, duplicates, {shrinkage}",
                Numbers(constraint=constraint, shrinkage=shrinkage),
                changed(judges(90 + place), lambda X: X[:, [0, 1, 1, 2, 3, 0]]),
            )
        add(
            f"numbers, {constraint}, a constant model",
            Numbers(constraint=constraint),
            changed(judges(93 + place), lambda X: _with_column(X, 2, 3.0)),
        )
        add(
            f"numbers, {constraint}, a model that runs against the truth",
            Numbers(constraint=constraint),
            changed(judges(96 + place), lambda X: X * [1, 1, 1, -1]),
        )


def _with_column(X, number, value):
    X[:, number] = value
    return X


def add_missing_numbers():
    for place, constraint in enumerate(SETS):
        add(
            f"missing, {constraint}, many patterns",
            Numbers(constraint=constraint),
            judges(100 + place, 60, 5, missing=0.25, n_new=10),
            ask=with_missing,
            rule="em",
        )
    for constraint in ("nonnegative", "affine"):
        model = Numbers(constraint=constraint)
        crowd = _missing_in_new(judges(120, 50, 5, n_new=12))
        name = f"missing, {constraint}, only in new rows"
        add(name, model, crowd, ask=with_missing)
    for name, crowd in (
        ("one model on half of the rows", changed(judges(105, 60), _first_on_half)),
        ("few labels", judges(110, 80, 4, missing=0.2, n_labelled=15)),
        ("a model that never answers", changed(judges(115), _without_second)),
    ):
        for constraint in ("nonnegative", "affine"):
            model, ask = Numbers(constraint=constraint), with_missing
            add(f"missing, {constraint}, {name}", model, crowd, ask=ask, rule="em")
    for name, options, of_crowd in (
        ("no shrinkage", {"shrinkage": 0}, {}),
        ("no intercept", {"fit_intercept": False}, {}),
        ("no labels", {}, {"n_labelled": 0}),
        ("sample weights", {}, {"weights": "real"}),
        ("unlabelled table", {}, {"n_more": 30}),
        ("ten models", {}, {"n_models": 10}),
    ):
        crowd = judges(125, **{"n_rows": 80, "missing": 0.2, **of_crowd})
        add(f"missing, {name}", Numbers(**options), crowd, ask=with_missing, rule="em")
    for name, fit in (("in blocks", in_blocks), ("merged", merged)):
        crowd = judges(126, 80, missing=0.2)
        add(f"missing, {name}", Numbers(), crowd, fit=fit, ask=with_missing, rule="em")


def _without_second(X):
    return _with_column(X, 1, np.nan)


def _first_on_half(X):
    X[: len(X) // 2, 0] = np.nan
    return X


def _missing_in_new(crowd):
    new = crowd.new.copy()
    new[np.random.default_rng(7).random(new.shape) < 0.4] = np.nan
    return replace(crowd, new=new)


def add_ways_to_fit_numbers():
    for constraint in ("simplex", "affine"):
        model = Numbers(constraint=constraint)
        crowd = judges(130, 60, n_labelled=40)
        add(f"numbers, {constraint}, in blocks", model, crowd, fit=in_blocks)
    add("numbers, merged", Numbers(), judges(131), fit=merged)
    add("numbers, a stream", Numbers(), judges(132), fit=as_a_stream)
    crowd = judges(133, weights="real")
    add("numbers, weighted blocks", Numbers(), crowd, fit=in_blocks)
    for name, params in (
        ("simplex", {"constraint": "simplex"}),
        ("no intercept", {"fit_intercept": False, "shrinkage": 3.0}),
        ("affine without shrinkage", {"constraint": "affine", "shrinkage": 0}),
    ):
        add(
            f"numbers, reweighed: {name}",
            Numbers(),
            judges(134),
            fit=reweighed(**params),
        )


def first_at_most_a_third(weights, intercept, names):
    return [weights[0] <= 1 / 3, cp.abs(intercept) <= 10]


def add_constrained_numbers():
    families = {"model_0": "ours", "model_1": "ours", "model_2": "theirs"}
    costs = {"model_0": 5.0, "model_1": 1.0, "model_2": 1.0, "model_3": 2.0}
    for name, constraint in (
        ("simplex, cap", "simplex" & max_weight(0.35)),
        ("nonnegative, cap", max_weight(0.2)),
        ("affine, cap", "affine" & max_weight(0.4)),
        ("cap that does not bind", "simplex" & max_weight(0.99)),
        ("budget by name", "simplex" & budget(costs, 1.5)),
        ("families", "simplex" & group_cap({"ours": 0.3}, families=families)),
        ("disparity", bounded_disparity(0.01)),
        ("disparity, simplex", "simplex" & bounded_disparity(0.05)),
        ("group loss", bounded_group_loss(0.6)),
        ("callable", first_at_most_a_third),
        ("callable, simplex", "simplex" & max_weight(0.6) & first_at_most_a_third),
        ("cap and budget", max_weight(0.5) & budget([5, 1, 1, 2], 1.0)),
        ("two models under a cap", at_most_models(2) & max_weight(0.4)),
    ):
        crowd = judges(140, 45, n_groups=3 if "group" in repr(constraint) else 0)
        if "disparity" in name or "loss" in name:
            crowd = judges(141, 45, n_groups=2)
        add(f"constrained, {name}", Numbers(constraint=constraint), crowd, rule="conic")
    for constraint, n_models in zip(CHOOSING, (1, 2, 3), strict=True):
        add(
            f"constrained, {constraint}, {n_models} of 8 models",
            Numbers(constraint=constraint & at_most_models(n_models)),
            judges(143, 50, 8),
        )
    add(
        "constrained, no shrinkage, no intercept",
        Numbers(
            constraint="simplex" & max_weight(0.4), shrinkage=0, fit_intercept=False
        ),
        judges(144),
        rule="conic",
    )
    add(
        "constrained, sample weights",
        Numbers(constraint="simplex" & max_weight(0.35)),
        judges(145, weights="real"),
        rule="conic",
    )
    add(
        "constrained, missing predictions",
        Numbers(constraint=max_weight(0.4)),
        judges(146, 60, missing=0.15),
        rule="em",
    )
    for constraint in SETS:
        add(
            f"cvxpy, {constraint}",
            Numbers(constraint=constraint, solver="cvxpy"),
            judges(147),
            rule="conic",
        )
    add(
        "cvxpy, 10 models on 8 rows",
        Numbers(solver="cvxpy"),
        judges(148, 8, 10),
        rule="conic",
    )


def _regressors():
    return [
        ("line", LinearRegression()),
        ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
        ("near", KNeighborsRegressor(3)),
    ]


def add_members_of_regressor():
    for name, options, of_crowd in (
        ("five folds", {"cv": 5}, {}),
        ("shuffled folds", {"cv": KFold(4, shuffle=True, random_state=0)}, {}),
        ("rows left out", {"cv": ShuffleSplit(3, random_state=0)}, {}),
        ("folds of groups", {"cv": GroupKFold(3)}, {"groups": True}),
        ("listed splits", {"cv": _listed_splits(60)}, {}),
        ("few labels", {"cv": 5}, {"n_labelled": 30}),
        ("a member dropped", {"cv": 5}, {}),
        ("sample weights", {"cv": 5}, {"weights": True}),
    ):
        members = _regressors()
        if "dropped" in name:
            members[1] = ("tree", "drop")
        if "sample weights" in name:
            members[2] = ("ridge", Ridge())
        crowd = features(150, **of_crowd)
        add(f"members, {name}", Numbers(members, **options), crowd, ordered=True)
    for name, fit in (("prefit", prefit), ("no labels", prefit_without_labels)):
        crowd = features(151, 90)
        add(f"members, {name}", Numbers(_regressors()), crowd, fit=fit, ordered=True)
    add(
        "members, reweighed",
        Numbers(_regressors()),
        features(152),
        fit=reweighed(constraint="simplex", shrinkage=0),
        ordered=True,
    )
    add(
        "members, leaderboard",
        Numbers(_regressors()),
        features(153),
        ask=board,
        ordered=True,
    )


def _listed_splits(n_rows):
    fold = np.arange(n_rows) % 3
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]


def add_inspected_numbers():
    for constraint in CHOOSING[:2]:
        model, crowd = Numbers(constraint=constraint), judges(160, 60, 5)
        add(f"inspected, {constraint}, prune", model, crowd, ask=pruned)
        add(f"inspected, {constraint}, next model", model, crowd, ask=changes())
        add(f"inspected, {constraint}, ranking", model, crowd, ask=ranked)
    few = judges(161, 60, 5, n_labelled=20)
    add("inspected, few labels, ranking", Numbers(), few, ask=ranked)
    none = judges(161, 60, 5, n_labelled=0)
    add("inspected, no labels, ranking", Numbers(), none, ask=ranked)
    some = changes(["model_0", "model_3"])
    add("inspected, next of two", Numbers(), judges(160, 60, 5), ask=some)
    add(
        "inspected, dependence",
        Numbers(),
        judges(162, 80, 6),
        ask=depending,
        ordered=True,
    )
    crowd = judges(163, 45)
    add("inspected, shrinkage path", Numbers(), crowd, ask=path_of_shrinkage)
    add("inspected, leaderboard", Numbers(), judges(164), ask=board)
    crowd = judges(165, 45)
    way = traded("models")
    add("inspected, frontier of models", Numbers(), crowd, ask=way, ordered=True)
    way = traded("budget", costs=[4, 1, 1, 2], values=[0.8, 1.5])
    model = Numbers(constraint="simplex")
    name = "inspected, frontier of budget"
    crowd = judges(166, 60)
    costly = traded("budget", costs=[4, 1, 1, 2], values=[1.6, 2.0])
    add(name, model, crowd, ask=costly, ordered=True, rule="conic")
    crowd = judges(167, 60, n_groups=2)
    way = traded("disparity", values=[0.1, 0.3])
    name = "inspected, frontier of disparity"
    add(name, Numbers(), crowd, ask=way, fit=unfitted, ordered=True, rule="conic")
    crowd = judges(168, 60, n_groups=2)
    add("inspected, disparity", Numbers(), crowd, ask=unequal)
    crowd = judges(169, 40)
    add(
        "inspected, label budget",
        Numbers(),
        crowd,
        ask=budgeted,
        ordered=True,
        rule="em",
    )
    add("inspected, comparison", Numbers(), judges(170, 60), ask=compared, ordered=True)


def unfitted(model, crowd):
    return model


def add_votes():
    for n_classes in (2, 3, 5):
        for structure in ("shared", "full", "auto"):
            for class_weight in (None, "balanced") if structure == "auto" else (None,):
                add(
                    f"votes, {n_classes} classes, {structure}, {class_weight}",
                    Votes(structure=structure, class_weight=class_weight),
                    voters(200 + n_classes, 90, 4, n_classes, n_labelled=60),
                )
        for class_weight in (None, "balanced") if n_classes == 3 else (None,):
            add(
                f"votes, {n_classes} classes, no labels, {class_weight}",
                Votes(class_weight=class_weight),
                voters(210 + n_classes, 120, 5, n_classes, n_labelled=0),
            )
        add(
            f"votes, {n_classes} classes, few labels",
            Votes(),
            voters(220 + n_classes, 100, 5, n_classes, n_labelled=10),
        )
    for structure, shrinkage in (("shared", 5.0), ("full", 5.0)):
        add(
            f"votes, {structure}, shrinkage {shrinkage:g}",
            Votes(structure=structure, shrinkage=shrinkage),
            voters(230, 90, 4, 3),
        )
    add(
        "votes, shared, no shrinkage",
        Votes(structure="shared", shrinkage=0, class_weight="balanced"),
        voters(231, 150, 4, 2, accuracy=(0.5, 0.75)),
    )
    add(
        "votes, class weights",
        Votes(class_weight={0: 3.0, 1: 1.0, 2: 0.5}),
        voters(232, 90, 4, 3),
    )
    for n_models in (1, 2, 10, 60):
        n_rows = 150 if n_models == 60 else 80
        crowd = voters(233, n_rows, n_models, 2)
        add(f"votes, {n_models} models", Votes(), crowd)
    crowd = voters(234, 100, 10, 2, n_labelled=0, accuracy=(0.6, 0.9))
    add("votes, 10 models, no labels", Votes(), crowd)


def add_missing_votes():
    for n_classes in (2, 3):
        for n_labelled in (25, 0):
            add(
                f"abstaining, {n_classes} classes, {n_labelled} labels",
                Votes(),
                voters(
                    240 + n_classes,
                    150,
                    5,
                    n_classes,
                    missing=0.3,
                    n_labelled=n_labelled,
                    accuracy=(0.6, 0.95),
                ),
            )
    for n_labelled in (40, 0):
        crowd = voters(
            245, 200, 10, 2, missing=0.8, n_labelled=n_labelled, accuracy=(0.6, 0.95)
        )
        add(f"sparse votes, {n_labelled} labels", Votes(), crowd)
    crowd = changed(voters(246), _without_second)
    add("abstaining, a model that never votes", Votes(), crowd)


def add_texts_and_ties():
    for n_classes, texts in ((2, ("no", "yes")), (3, ("cat", "cow", "dog"))):
        for n_labelled in (20, 0):
            crowd = voters(
                250 + n_classes,
                100,
                5,
                n_classes,
                texts=texts,
                n_labelled=n_labelled,
                missing=0.1,
                accuracy=(0.6, 0.9),
            )
            add(f"texts, {n_classes} classes, {n_labelled} labels", Votes(), crowd)
    crowd = voters(255, 80, 4, 2, texts=("no", "yes"))
    more = Votes(classes=["maybe", "no", "yes"])
    add("texts, a class that nobody names", more, crowd)
    for n_labelled in (None, 0):
        # An even number of voters, all alike.
        crowd = voters(256, 80, 4, 2, n_labelled=n_labelled, accuracy=(0.75, 0.75))
        crowd = replace(crowd, new=np.array([[0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]]))
        add(f"ties, {n_labelled} labels", Votes(class_weight="balanced"), crowd)


def add_ways_to_fit_votes():
    for weights in ("real", "whole"):
        crowd = voters(260, 90, 4, 3, weights=weights)
        add(f"votes, {weights} sample weights", Votes(), crowd)
    for n_labelled in (None, 20):
        crowd = voters(261, 90, 4, 3, n_labelled=n_labelled)
        add(f"votes, in blocks, {n_labelled} labels", Votes(), crowd, fit=in_blocks)
    crowd = voters(262, 90, 4, 3, weights="real")
    add("votes, weighted blocks", Votes(), crowd, fit=in_blocks)
    add("votes, merged", Votes(), voters(263, 90, 4, 2), fit=merged)
    add("votes, a stream", Votes(), voters(264, 90, 4, 2), fit=as_a_stream)
    add("votes, unlabelled table", Votes(), voters(265, 40, 4, 2, n_more=60))
    for name, params in (
        ("balanced", {"class_weight": "balanced"}),
        ("full", {"structure": "full", "shrinkage": 5.0}),
        ("capped", {"constraint": max_weight(0.6)}),
    ):
        add(f"votes, reweighed: {name}", Votes(), voters(266), fit=reweighed(**params))


def add_probabilities():
    for n_classes in (2, 3):
        for structure in ("shared", "full", "auto") if n_classes == 2 else ("auto",):
            add(
                f"probabilities, {n_classes} classes, {structure}",
                Votes(input="proba", structure=structure),
                voters(270 + n_classes, 90, 4, n_classes, form="flat", n_labelled=70),
            )
        for shrinkage in ("auto", 0):
            add(
                f"probabilities, {n_classes} classes, linear, {shrinkage}",
                Votes(pool="linear", shrinkage=shrinkage),
                voters(280 + n_classes, 90, 4, n_classes, form="flat"),
            )
    for pool in ("logit", "linear"):
        for name, of_crowd, options in (
            ("no labels", {"n_labelled": 0, "n_classes": 3}, {"classes": [0, 1, 2]}),
            ("missing", {"missing": 0.2}, {}),
            ("balanced", {"n_classes": 3}, {"class_weight": "balanced"}),
        ):
            crowd = voters(290, 90, 4, form="cube", **of_crowd)
            add(f"probabilities, {pool}, {name}", Votes(pool=pool, **options), crowd)


def no_vote_above_half(weights, intercept, names):
    return [weights <= 0.5]


def add_constrained_votes():
    for name, constraint, of_crowd in (
        ("cap", max_weight(0.5), {}),
        ("budget", budget([3, 1, 1, 1, 2], 2.0), {}),
        (
            "families",
            group_cap({"a": 0.6}, families={"model_0": "a", "model_4": "a"}),
            {},
        ),
        ("disparity", bounded_disparity(0.05), {"n_groups": 2}),
        ("group loss", bounded_group_loss(0.62), {"n_groups": 2}),
        ("callable", no_vote_above_half, {}),
    ):
        crowd = voters(300, 80, 5, 2, **of_crowd)
        add(
            f"votes, constrained, {name}",
            Votes(constraint=constraint),
            crowd,
            rule="conic",
        )
    crowd = voters(301, 80, 4, 3, form="flat")
    model = Votes(pool="linear", constraint=max_weight(0.35))
    add("probabilities, linear, constrained", model, crowd, rule="conic")
    for structure in ("shared", "full"):
        model = Votes(solver="cvxpy", structure=structure)
        add(f"votes, cvxpy, {structure}", model, voters(302, 60, 4, 3), rule="conic")
    model = Votes(solver="cvxpy", pool="linear")
    add("probabilities, linear, cvxpy", model, crowd, rule="conic")


def _classifiers():
    return [
        ("bayes", GaussianNB()),
        ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
        ("near", KNeighborsClassifier(5)),
        ("line", LinearDiscriminantAnalysis()),
    ]


def add_members_of_classifier():
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    for name, options, of_crowd in (
        ("two classes", {"cv": folds}, {"n_classes": 2}),
        ("three classes", {"cv": 3}, {"n_classes": 3}),
        ("linear pool", {"pool": "linear"}, {"n_classes": 3}),
        ("folds of groups", {"cv": GroupKFold(3)}, {"n_classes": 2, "groups": True}),
        ("few labels", {"cv": 3}, {"n_classes": 2, "n_labelled": 60}),
        ("sample weights", {}, {"n_classes": 2, "weights": True}),
    ):
        members = _classifiers()
        if "weights" in name:
            members = members[:2]
        crowd = features(310, 100, **of_crowd)
        add(f"classifiers, {name}", Votes(members, **options), crowd, ordered=True)
    for name, fit in (("prefit", prefit), ("no labels", prefit_without_labels)):
        crowd = features(311, 90, n_classes=3)
        add(f"classifiers, {name}", Votes(_classifiers()), crowd, fit=fit, ordered=True)


def add_inspected_votes():
    crowd = voters(320, 120, 5, 3, n_labelled=80, n_groups=0)
    for name, ask in (
        ("prune", pruned),
        ("next model", changes()),
        ("ranking", ranked),
        ("shrinkage path", path_of_shrinkage),
        ("leaderboard", board),
    ):
        add(f"votes, inspected, {name}", Votes(), crowd, ask=ask)
    none = voters(321, 120, 5, 2, n_labelled=0, accuracy=(0.6, 0.9))
    add("votes, inspected, no labels, ranking", Votes(), none, ask=ranked)
    labelled = voters(322, 120, 5, 2, n_groups=2)
    add("votes, inspected, disparity", Votes(), labelled, ask=unequal)
    plain = replace(labelled, sensitive_features=None)
    add("votes, inspected, dependence", Votes(), plain, ask=depending, ordered=True)
    add("votes, inspected, label budget", Votes(), plain, ask=budgeted, ordered=True)
    add("votes, inspected, comparison", Votes(), plain, ask=compared, ordered=True)


for add_some in (
    add_numbers,
    add_degenerate_numbers,
    add_missing_numbers,
    add_ways_to_fit_numbers,
    add_constrained_numbers,
    add_members_of_regressor,
    add_inspected_numbers,
    add_votes,
    add_missing_votes,
    add_texts_and_ties,
    add_ways_to_fit_votes,
    add_probabilities,
    add_constrained_votes,
    add_members_of_classifier,
    add_inspected_votes,
):
    add_some()


# --- the command ----------------------------------------------------------------------


def read_answers():
    """Return what is stored, by the problem's name."""
    return json.loads(ANSWERS.read_text("utf-8")) if ANSWERS.exists() else {}


def write_answers(answers):
    """Store the answers, one line per problem, so that a diff names them."""
    lines = [f"{json.dumps(name)}: {json.dumps(answers[name])}" for name in PROBLEMS]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store what differs")
    parser.add_argument("--shuffle", action="store_true", help="reorder the rows")
    options = parser.parse_args()
    stored, answers = read_answers(), {}
    for name, problem in PROBLEMS.items():
        if options.shuffle and problem.ordered:
            continue
        found = problem.solve(shuffled=options.shuffle)
        before = stored.get(name)
        said = ["new"] if before is None else problem.differences(found, before)
        # Where the last digits alone differ, those that are stored stay.
        answers[name] = found if said else before
        if said:
            print(f"{name}: {'; '.join(said)}")
    if options.write and not options.shuffle:
        write_answers(answers)


if __name__ == "__main__":
    main()
