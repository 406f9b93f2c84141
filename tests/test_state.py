"""Saved state holds no class of the package, and nothing else comes out of a file."""

import pickle
from copy import copy, deepcopy

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk._state import unpack
from stackingnet_sk.constraints import bounded_disparity
from stackingnet_sk.inspection import prune

rng = np.random.default_rng(0)
TRUTH = rng.normal(size=60)
SCORES = TRUTH[:, None] + rng.normal(size=(60, 4)) * [0.3, 0.5, 1.0, 2.0]
SCORES[rng.random(SCORES.shape) < 0.2] = np.nan
CLASSES = np.where(TRUTH > 0, "up", "down")
VOTES = np.where(rng.random((60, 4)) < 0.8, CLASSES[:, None], "up")
GROUP = np.where(np.arange(60) % 2, "odd", "even")
LIMIT = "simplex" & bounded_disparity(0.5)
MODELS = {
    "missing numbers": StackingNetRegressor().fit(SCORES, TRUTH),
    "limits on groups": StackingNetRegressor(constraint=LIMIT).fit(
        SCORES, TRUTH, sensitive_features=GROUP
    ),
    "votes": StackingNetClassifier().fit(VOTES, CLASSES),
    "no labels": StackingNetClassifier().fit(VOTES),
}


def classes_within(value):
    """Modules of all objects in a saved state."""
    if isinstance(value, dict):
        for item in value.values():
            yield from classes_within(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from classes_within(item)
    else:
        yield type(value).__module__


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_state_has_no_class_of_ours_beside_parameters(model):
    state = model.__getstate__()
    fitted = {k: v for k, v in state.items() if k not in model.get_params(deep=False)}
    modules = set(classes_within(fitted))
    assert not {module for module in modules if module.startswith("stackingnet_sk")}


@pytest.mark.parametrize(
    "copied", [copy, deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_copies_answer_alike(model, copied):
    X = SCORES if isinstance(model, StackingNetRegressor) else VOTES
    other = copied(model)
    assert_array_equal(other.predict(X), model.predict(X))
    assert_array_equal(other.weights_, model.weights_)
    assert repr(other.solution_) == repr(model.solution_)
    if model.combiner_.solution.expected_error > 0:
        assert_array_equal(prune(other).error, prune(model).error)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "stackingnet_sk._state:import_module",
        "stackingnet_sk._files:Path",
        "stackingnet_sk.ensemble.regressor:StackingNetRegressor",
        "stackingnet_sk.nothing:Nothing",
    ],
)
def test_nothing_else_is_restored(name):
    with pytest.raises((ValueError, ImportError)):
        unpack({"__stackingnet_sk__": name})
