"""The members: six regressors of different kinds and one that is poor.

All are cheap and deterministic, so a fit inside an ensemble and a fit outside
give the same predictions, which the protocol relies on and checks.
"""

from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

__all__ = ["MEMBERS"]

MEMBERS = (
    ("ridge", make_pipeline(StandardScaler(), RidgeCV())),
    ("knn", make_pipeline(StandardScaler(), KNeighborsRegressor(10))),
    ("forest", RandomForestRegressor(n_estimators=50, random_state=0)),
    ("boosting", HistGradientBoostingRegressor(max_iter=60, random_state=0)),
    (
        "svr",
        # epsilon and C are in units of the target, hence its scaling.
        TransformedTargetRegressor(
            make_pipeline(StandardScaler(), SVR()), transformer=StandardScaler()
        ),
    ),
    ("tree", DecisionTreeRegressor(max_depth=5, random_state=0)),
    # Fully grown on random splits: it interpolates the noise.
    ("poor", DecisionTreeRegressor(max_features=1, splitter="random", random_state=0)),
)
