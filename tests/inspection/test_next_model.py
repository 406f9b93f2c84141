"""What adding or dropping a model does to the combination."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection import next_model, prune


def judges(seed=0, n_rows=200):
    """Two that share an error, one alone, one that knows nothing."""
    rng = np.random.default_rng(seed)
    truth, shared = rng.normal(size=(2, n_rows))
    table = np.column_stack([truth + shared, truth + shared, truth, 0 * truth])
    return table + rng.normal(size=table.shape) * [0.1, 0.1, 1.0, 1.0], truth


def voters(seed=0, n_rows=400):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_rows)
    right = rng.random((n_rows, 4)) < [0.85, 0.8, 0.7, 0.5]
    return np.where(right, truth[:, None], 1 - truth[:, None]), truth


@pytest.fixture(params=["numbers", "votes"])
def fitted(request):
    if request.param == "numbers":
        return StackingNetRegressor().fit(*judges())
    return StackingNetClassifier().fit(*voters())


def test_new_errors_are_worth_more_than_accuracy():
    """The poorer judge whose error is its own, not the better one's copy."""
    model = StackingNetRegressor().fit(*judges())
    changes = next_model(model, ["model_0"])
    assert changes.add == "model_2"
    assert changes.change[2] < -0.02 * changes.error
    assert abs(changes.change[1]) < 0.01 * changes.error
    assert changes.drop is None
    assert np.isnan(changes.change[0])


def test_it_is_the_change_of_a_refit():
    """On the sub-table, from its rows, with the same parameters."""
    table, truth = judges()
    model = StackingNetRegressor(shrinkage=5.0).fit(table, truth)
    changes = next_model(model, ["model_1", "model_2"])

    def error(columns):
        refitted = StackingNetRegressor(shrinkage=5.0).fit(table[:, columns], truth)
        return np.sqrt(refitted.solution_.expected_error)

    now = error([1, 2])
    assert changes.error == pytest.approx(now, rel=1e-9)
    expected = [error([0, 1, 2]), error([2]), error([1]), error([1, 2, 3])]
    assert_allclose(changes.change, np.array(expected) - now, atol=1e-9)


def test_votes_too():
    table, truth = voters()
    model = StackingNetClassifier().fit(table, truth)
    changes = next_model(model, ["model_0", "model_2"])
    refitted = StackingNetClassifier().fit(table[:, [0, 1, 2]], truth)
    gain = refitted.solution_.expected_error - changes.error
    assert changes.change[1] == pytest.approx(gain, rel=1e-9)
    assert changes.add == "model_1"


def test_dropping_along_the_path_is_pruning(fitted):
    """The error after the first removal is the same by both ways."""
    path = prune(fitted)
    everybody = next_model(fitted, fitted.model_names_)
    first = fitted.model_names_.tolist().index(path.removed[0])
    change = path.error[1] - path.error[0]
    assert everybody.change[first] == pytest.approx(change, rel=1e-9, abs=1e-12)


def test_selected_are_those_with_a_weight(fitted):
    changes = next_model(fitted)
    assert (changes.selected == (fitted.weights_ != 0)).all()


def test_the_table_names_every_model(fitted):
    changes = next_model(fitted)
    frame = changes.to_frame()
    assert frame["model"].tolist() == fitted.model_names_.tolist()
    for name in fitted.model_names_:
        assert name in str(changes)


@pytest.mark.parametrize(
    ("selected", "message"),
    [(["nobody"], "none of the models"), ([], "name at least one")],
)
def test_bad_selections(fitted, selected, message):
    with pytest.raises(ValueError, match=message):
        next_model(fitted, selected)


def test_labels_are_needed():
    with pytest.raises(ValueError, match="fit it with y"):
        next_model(StackingNetRegressor().fit(judges()[0]))
    with pytest.raises(ValueError, match="fit it with y"):
        next_model(StackingNetClassifier().fit(voters()[0]))


def test_only_fitted_combinations():
    table, truth = judges()
    with pytest.raises(NotFittedError):
        next_model(StackingNetRegressor())
    with pytest.raises(TypeError, match="LinearRegression is no StackingNet"):
        next_model(LinearRegression().fit(table, truth))
    with pytest.raises(ValueError, match="at least two"):
        next_model(StackingNetRegressor().fit(table[:, :1], truth))
