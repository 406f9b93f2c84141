"""A small regression problem, a table of predictions of it, and cheap members."""

import numpy as np
import pytest
from example_streams import N_ROWS
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    noise = np.random.default_rng(1).normal(size=len(X))
    return X @ [1.0, 2.0, -0.5] + np.sin(3 * X[:, 0]) + 0.3 * noise


@pytest.fixture
def P(y):
    """Predictions of five models of different quality, a column each."""
    errors = np.random.default_rng(2).normal(size=(len(y), 5))
    return y[:, None] + errors * [0.3, 0.5, 0.8, 1.0, 2.0] + [0, 0.1, 0, -0.2, 0]


@pytest.fixture
def members():
    return [
        ("ridge", Ridge()),
        ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
        ("near", KNeighborsRegressor(3)),
    ]


@pytest.fixture
def weighted(members):
    """Those of the members that take sample weights."""
    return members[:2]


# ------------------------------------------------------ rows that come in blocks


@pytest.fixture
def truth():
    return 1.0 + np.random.default_rng(1).normal(size=N_ROWS)


@pytest.fixture
def table(truth):
    """Predictions of five models, some of them missing."""
    rng = np.random.default_rng(2)
    table = truth[:, None] + rng.normal(size=(N_ROWS, 5)) * [0.3, 0.5, 0.8, 1.0, 1.5]
    return np.where(rng.random(table.shape) < 0.1, np.nan, table)


@pytest.fixture
def labels(truth):
    """Some of them missing, also all of some partitions."""
    labels = np.where(np.random.default_rng(3).random(N_ROWS) < 0.7, truth, np.nan)
    labels[30:60] = np.nan
    return labels


@pytest.fixture
def weights():
    return np.random.default_rng(4).exponential(size=N_ROWS)
