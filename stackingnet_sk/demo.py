"""What the package does, shown on data that scikit-learn bundles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.datasets import load_diabetes, load_digits
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor


def regressors() -> list[tuple[str, Any]]:
    """Six different regressors, the last of them poor.

    Returns
    -------
    list of (str, estimator)
    """
    return [
        ("ridge", RidgeCV()),
        ("knn", make_pipeline(StandardScaler(), KNeighborsRegressor(10))),
        ("forest", RandomForestRegressor(50, random_state=0)),
        ("boosting", GradientBoostingRegressor(n_estimators=50, random_state=0)),
        ("svr", make_pipeline(StandardScaler(), SVR(C=100.0))),
        ("poor", DecisionTreeRegressor(max_features=1, random_state=0)),
    ]


def classifiers() -> list[tuple[str, Any]]:
    """Six different classifiers, the last of them poor.

    Returns
    -------
    list of (str, estimator)
    """
    return [
        ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
        ("knn", KNeighborsClassifier(10)),
        ("forest", RandomForestClassifier(50, random_state=0)),
        ("bayes", GaussianNB(var_smoothing=0.01)),
        ("ridge", make_pipeline(StandardScaler(), RidgeClassifier())),
        ("poor", DecisionTreeClassifier(max_features=1, random_state=0)),
    ]


def demo() -> None:
    """Combine regressors, then classifiers, and compare with what people use."""
    regression()
    print()
    classification()


def regression() -> None:
    """Combine regressors of the diabetes data."""
    X, y = load_diabetes(return_X_y=True)
    members = regressors()
    model = StackingNetRegressor(members).fit(X, y)
    rmse, bias = model.error_moments_.errors()
    print(f"Diabetes progression of {len(y)} patients, {len(members)} members.\n")
    print("Fitted on all of them; errors and weights out of fold:\n")
    print(f"{'member':<16}{'weight':>8}{'RMSE alone':>12}{'bias':>8}")
    for j in rmse.argsort():
        print(
            f"{model.model_names_[j]:<16}{model.weights_[j]:>8.3f}"
            f"{rmse[j]:>12.2f}{bias[j]:>8.2f}"
        )
    print(f"{'(intercept)':<16}{model.intercept_:>8.2f}")
    show_certificate(model)
    best = members[rmse.argmin()]
    rivals = {
        "StackingNetRegressor": StackingNetRegressor(members),
        "StackingRegressor": StackingRegressor(members),
        "VotingRegressor": VotingRegressor(members),
        f"best member alone ({best[0]})": best[1],
        "constant (mean of the labels)": DummyRegressor(),
    }
    folds = KFold(5, shuffle=True, random_state=0)
    show_scores(rivals, X, y, folds, {"R2": "r2"})


def classification() -> None:
    """Combine classifiers of the handwritten digits 0 to 4."""
    X, y = load_digits(n_class=5, return_X_y=True)
    members = classifiers()
    model = StackingNetClassifier(members).fit(X, y)
    joint = model.counts_.joint(model.counts_.labelled)
    alone = joint.diagonal(axis1=1, axis2=2) / joint.sum(axis=2)
    alone = alone.mean(axis=1)
    print(f"Handwritten digits 0 to 4, {len(y)} images, {len(members)} members.\n")
    print("Fitted on all of them; accuracy and weights out of fold:\n")
    print(f"{'member':<16}{'weight':>8}{'reliability':>13}{'balanced accuracy':>19}")
    for j in (-model.reliability_).argsort():
        print(
            f"{model.model_names_[j]:<16}{model.weights_[j]:>8.3f}"
            f"{model.reliability_[j]:>13.4f}{alone[j]:>19.4f}"
        )
    show_certificate(model)
    # Ridge classification has no probabilities to vote with.
    soft = [member for member in members if member[0] != "ridge"]
    best = members[alone.argmax()]
    rivals = {
        "StackingNetClassifier": StackingNetClassifier(members),
        "StackingClassifier": StackingClassifier(
            members, LogisticRegression(max_iter=1000)
        ),
        "VotingClassifier, soft, no ridge": VotingClassifier(soft, voting="soft"),
        "VotingClassifier, hard": VotingClassifier(members),
        f"best member alone ({best[0]})": best[1],
        "constant (class frequencies)": DummyClassifier(),
    }
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    show_scores(rivals, X, y, folds, {"accuracy": "accuracy", "log loss": log_loss})


def log_loss(estimator: Any, X: Any, y: Any) -> float:
    """Log loss of an estimator, NaN where it has no probabilities.

    Parameters
    ----------
    estimator : estimator
        Fitted classifier.
    X, y : array-like
        What it is tested on.

    Returns
    -------
    float
        In nats; smaller is better.
    """
    from sklearn.metrics import log_loss as loss

    if not hasattr(estimator, "predict_proba"):
        return float("nan")
    return float(loss(y, estimator.predict_proba(X), labels=estimator.classes_))


def show_certificate(model: Any) -> None:
    """Print how the weights are known to be optimal.

    Parameters
    ----------
    model : estimator
        Fitted.
    """
    solution = model.solution_
    print(
        f"\nCertificate: {solution.status.value}; relative duality gap "
        f"{solution.gap:.1e}.\n"
    )


def show_scores(
    rivals: dict[str, Any],
    X: Any,
    y: Any,
    folds: Any,
    scoring: Mapping[str, str | Callable[..., float]],
) -> None:
    """Print mean and spread of the held-out scores, and who is ahead of ours.

    Parameters
    ----------
    rivals : dict of str to estimator
        Rows of the table, ours first.
    X, y : array-like
        The data.
    folds : splitter
        The same for all.
    scoring : dict of str to scorer
        Columns of the table; of a loss less is better.
    """
    print("Held out, 5 folds; differences well below the spread are luck:\n")
    heads = "".join(f"{name:>10}{'spread':>8}" for name in scoring)
    print(f"{'':<32}{heads}")
    means: dict[str, dict[str, float]] = {metric: {} for metric in scoring}
    for name, rival in rivals.items():
        found = cross_validate(rival, X, y, cv=folds, scoring=scoring)
        shown = ""
        for metric in scoring:
            each = found[f"test_{metric}"]
            means[metric][name] = each.mean()
            shown += f"{each.mean():>10.4f}{each.std():>8.4f}"
        print(f"{name:<32}{shown.replace('nan', '  -')}")
    print()
    ours = next(iter(rivals))
    for metric, mean in means.items():
        sign = -1 if metric.endswith("loss") else 1
        ahead = [name for name in mean if sign * (mean[name] - mean[ours]) > 0]
        print(f"Ahead of {ours} in {metric}: {', '.join(ahead) or 'none'}.")
