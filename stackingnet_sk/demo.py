"""What the package does, shown on data that scikit-learn bundles."""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from stackingnet_sk import StackingNetRegressor


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


def demo() -> None:
    """Combine regressors of the diabetes data and compare with what people use."""
    X, y = load_diabetes(return_X_y=True)
    members = regressors()
    model = StackingNetRegressor(members).fit(X, y)
    rmse, bias = model.moments_.errors()

    print(f"Diabetes progression of {len(y)} patients, {len(members)} members.\n")
    print("Fitted on all of them; errors and weights out of fold:\n")
    print(f"{'member':<16}{'weight':>8}{'RMSE alone':>12}{'bias':>8}")
    for j in rmse.argsort():
        print(
            f"{model.model_names_[j]:<16}{model.weights_[j]:>8.3f}"
            f"{rmse[j]:>12.2f}{bias[j]:>8.2f}"
        )
    solution = model.solution_
    print(
        f"{'(intercept)':<16}{model.intercept_:>8.2f}\n\nCertificate: "
        f"{solution.status.value}; relative duality gap "
        f"{solution.gap:.1e}.\n"
    )

    best = members[rmse.argmin()]
    rivals = {
        "StackingNetRegressor": StackingNetRegressor(members),
        "StackingRegressor": StackingRegressor(members),
        "VotingRegressor": VotingRegressor(members),
        f"best member alone ({best[0]})": best[1],
        "constant (mean of the labels)": DummyRegressor(),
    }
    folds = KFold(5, shuffle=True, random_state=0)
    print("Held-out R2 of 5 folds; differences well below the spread are luck:\n")
    print(f"{'':<32}{'mean':>8}{'spread':>8}")
    for name, rival in rivals.items():
        scores = cross_val_score(rival, X, y, cv=folds)
        print(f"{name:<32}{scores.mean():>8.4f}{scores.std():>8.4f}")
