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
from stackingnet_sk._tables import text_table


def regressors() -> list[tuple[str, Any]]:
    """Make six different regressors, the last of them poor."""
    return [
        ("ridge", RidgeCV()),
        ("knn", make_pipeline(StandardScaler(), KNeighborsRegressor(10))),
        ("forest", RandomForestRegressor(50, random_state=0)),
        ("boosting", GradientBoostingRegressor(n_estimators=50, random_state=0)),
        ("svr", make_pipeline(StandardScaler(), SVR(C=100.0))),
        ("poor", DecisionTreeRegressor(max_features=1, random_state=0)),
    ]


def classifiers() -> list[tuple[str, Any]]:
    """Make six different classifiers, the last of them poor."""
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
    rows = [("member", "weight", "RMSE alone", "bias")]
    for j in rmse.argsort():
        figures = f"{model.weights_[j]:.3f}", f"{rmse[j]:.2f}", f"{bias[j]:.2f}"
        rows.append((model.model_names_[j], *figures))
    rows.append(("(intercept)", f"{model.intercept_:.2f}", "", ""))
    print("\n".join(text_table(rows)))
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
    recalls = joint.diagonal(axis1=1, axis2=2) / joint.sum(axis=2)
    balanced = recalls.mean(axis=1)
    print(f"Handwritten digits 0 to 4, {len(y)} images, {len(members)} members.\n")
    print("Fitted on all of them; accuracy and weights out of fold:\n")
    rows = [("member", "weight", "reliability", "balanced accuracy")]
    for j in (-model.reliability_).argsort():
        reliability = f"{model.reliability_[j]:.4f}"
        figures = f"{model.weights_[j]:.3f}", reliability, f"{balanced[j]:.4f}"
        rows.append((model.model_names_[j], *figures))
    print("\n".join(text_table(rows)))
    show_certificate(model)
    # Ridge classification has no probabilities to vote with.
    soft = [member for member in members if member[0] != "ridge"]
    best = members[balanced.argmax()]
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
    """Return the log loss in nats, NaN for an estimator without probabilities."""
    from sklearn.metrics import log_loss as loss

    if not hasattr(estimator, "predict_proba"):
        return float("nan")
    return float(loss(y, estimator.predict_proba(X), labels=estimator.classes_))


def show_certificate(model: Any) -> None:
    """Print how the weights are known to be optimal."""
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
    """Print mean and spread of the held-out scores, and who is ahead of the first.

    A score is a row of `rivals` and a column of `scoring`; of a loss, less is better.
    """
    print("Held out, 5 folds; differences well below the spread are luck:\n")
    rows = [["", *(head for name in scoring for head in (name, "spread"))]]
    means: dict[str, dict[str, float]] = {metric: {} for metric in scoring}
    for name, rival in rivals.items():
        result = cross_validate(rival, X, y, cv=folds, scoring=scoring)
        row = [name]
        for metric in scoring:
            scores = result[f"test_{metric}"]
            means[metric][name] = scores.mean()
            row += [f"{scores.mean():.4f}", f"{scores.std():.4f}"]
        rows.append([cell.replace("nan", "-") for cell in row])
    print("\n".join(text_table(rows)) + "\n")
    ours = next(iter(rivals))
    for metric, mean in means.items():
        sign = -1 if metric.endswith("loss") else 1
        ahead = [name for name in mean if sign * (mean[name] - mean[ours]) > 0]
        print(f"Ahead of {ours} in {metric}: {', '.join(ahead) or 'none'}.")
