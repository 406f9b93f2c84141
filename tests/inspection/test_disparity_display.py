"""Pictures of the errors of groups."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pictures import assert_readable, long_name

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection.disparity import disparity
from stackingnet_sk.inspection.disparity_display import DisparityDisplay

matplotlib = pytest.importorskip("matplotlib")
# No window, wherever the tests run.
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def panel(n_models, n_groups, seed=0):
    """Models and groups, one of them small, whose names are of forty characters."""
    rng = np.random.default_rng(seed)
    group = np.r_[np.arange(400) % (n_groups - 1), np.full(10, n_groups - 1)]
    truth = rng.normal(size=len(group))
    spread = rng.uniform(0.3, 1.5, n_models) * (1 + 0.2 * group)[:, None]
    models = pd.DataFrame(
        truth[:, None] + rng.normal(size=spread.shape) * spread,
        columns=[long_name("MODEL", j) for j in range(n_models)],
    )
    names = np.array([long_name("GROUP", g) for g in range(n_groups)])
    return models, truth, names[group]


def as_votes(models, truth):
    votes = (models > 0).astype(float).mask(models.abs() < 0.1)
    return votes, (truth > 0).astype(float)


def draw(models, truth, group, **options):
    own = models.mean(axis=1).fillna(0).to_numpy()
    if set(truth) == {0, 1}:
        own = np.round(own)
    return DisparityDisplay.from_predictions(
        truth, own, group, models=models, **options
    )


@pytest.mark.parametrize("n_models", [3, 40])
@pytest.mark.parametrize("n_groups", [2, 8])
@pytest.mark.parametrize("kind", ["heatmap", "distributions"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_no_two_texts_overlap_and_none_is_cut_off(n_models, n_groups, kind, task):
    models, truth, group = panel(n_models, n_groups)
    if task == "classification":
        models, truth = as_votes(models, truth)
    assert_readable(draw(models, truth, group, kind=kind))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e4, 1e9])
def test_numbers_of_any_size_fit_their_cells(scale):
    models, truth, group = panel(5, 3)
    group = pd.Series(group).str[:8].to_numpy()
    models = (models * scale).rename(columns=lambda name: name[:8])
    assert_readable(draw(models, truth * scale, group))


def test_forty_models_fit_axes_that_are_given():
    models, truth, group = panel(40, 3)
    models = models.rename(columns=lambda name: name[:8])
    group = pd.Series(group).str[:8].to_numpy()
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    display = draw(models, truth, group, ax=axes)
    assert display.ax_ is axes
    assert display.figure_ is figure
    assert_readable(display)


def test_cells_are_the_errors_and_the_largest_gap_is_on_top():
    models, truth, group = panel(4, 3)
    display = draw(models, truth, group)
    found = display.disparity.groupings["group"]
    rows = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert rows[-2:] == ["average", "combination"]
    order = [display.disparity.names.tolist().index(row) for row in rows]
    gaps = found.gap.value[order]
    assert (np.diff(gaps[:-2]) <= 0).all()
    cells = np.reshape([float(text.get_text()) for text in display.ax_.texts], (6, 4))
    assert_allclose(cells[:, :-1], found.error.value[order], atol=0.006)
    assert_allclose(cells[:, -1], gaps, atol=0.006)


def test_letters_are_as_far_from_their_background_as_can_be():
    """It is read without colour: white on dark cells, black on light ones."""
    models, truth, group = panel(8, 3)
    display = draw(models, truth, group)
    image = display.ax_.images[0]
    errors = image.get_array()
    colours = {
        float(np.asarray(errors)[round(y), round(x)]): text.get_color()
        for text in display.ax_.texts
        for x, y in [text.get_position()]
        if round(x) < errors.shape[1]
    }
    assert colours[errors.min()] == "black"
    assert colours[errors.max()] == "white"
    light = [np.mean(image.cmap(v)[:3]) for v in np.linspace(0, 1, 20)]
    assert (np.diff(light) < 0).all()


def test_a_model_without_answers_in_a_group_has_a_dash():
    models, truth, group = panel(3, 2)
    votes, y = as_votes(models, truth)
    votes.loc[group == group[0], votes.columns[0]] = np.nan
    display = draw(votes, y, group)
    cells = [text for text in display.ax_.texts if text.get_text() == "–"]
    assert len(cells) == 2  # the group and the gap
    assert {text.get_color() for text in cells} == {"black"}


def test_small_groups_have_a_star_and_are_hatched():
    models, truth, group = panel(3, 3)
    display = draw(models, truth, group, kind="distributions")
    stars = [
        label.get_text().endswith("(10)*") for label in display.ax_.get_yticklabels()
    ]
    assert stars == [False, False, True]
    hatched = [bool(bar.get_hatch()) for bar in display.ax_.patches]
    assert hatched == stars


def test_boxes_are_the_quartiles():
    models, truth, group = panel(3, 3)
    display = draw(models, truth, group, kind="distributions")
    found = display.disparity
    for g, bar in enumerate(display.ax_.patches):
        own = found.errors[found.groupings["group"].members == g, 0]
        left, right = np.quantile(own, [0.25, 0.75], method="inverted_cdf")
        assert bar.get_x() == pytest.approx(left)
        assert bar.get_width() == pytest.approx(right - left)


def test_estimators_and_predictions_give_the_same_picture():
    models, truth, group = panel(4, 3)
    votes, y = as_votes(models, truth)
    for estimator, X, labels in (
        (StackingNetRegressor(), models, truth),
        (StackingNetClassifier(), votes, y),
    ):
        estimator.fit(X, labels)
        one = DisparityDisplay.from_estimator(estimator, X, labels, group)
        two = DisparityDisplay.from_predictions(
            labels, estimator.predict(X), group, models=X
        )
        assert [text.get_text() for text in one.ax_.texts] == [
            text.get_text() for text in two.ax_.texts
        ]


def test_a_combination_alone_is_one_row():
    models, truth, group = panel(3, 3)
    display = DisparityDisplay.from_predictions(truth, models.iloc[:, 0], group)
    assert len(display.ax_.get_yticklabels()) == 1
    assert_readable(display)


def test_which_grouping_is_drawn():
    models, truth, group = panel(3, 3)
    age = np.where(np.arange(len(truth)) // 2 % 2, "old", "young")
    features = {"race": group, "age": age}
    found = disparity(models.iloc[:, 0], truth, features, n_bootstrap=0)
    display = DisparityDisplay(found)
    for grouping, n_groups in ((None, 3), ("age", 2), ("race x age", 6)):
        assert display.plot(kind="distributions", grouping=grouping) is display
        assert len(display.ax_.get_yticklabels()) == n_groups


def test_dollars_are_no_formulas():
    truth = np.arange(8.0)
    group = np.repeat(["$1 to $2", "$2 to $3"], 4)
    display = DisparityDisplay.from_predictions(truth, truth + 0.5, group)
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["$1 to $2 (4)*", "$2 to $3 (4)*", "gap"]
    assert_readable(display)


def test_errors_of_zero_are_drawn():
    truth = np.arange(8.0) + 0.5
    for kind in ("heatmap", "distributions"):
        display = DisparityDisplay.from_predictions(
            truth, truth, np.repeat(["a", "b"], 4), kind=kind
        )
        assert_readable(display)


def test_bad_input():
    models, truth, group = panel(3, 3)
    with pytest.raises(ValueError, match="'pie' is none of"):
        draw(models, truth, group, kind="pie")
    with pytest.raises(ValueError, match=r"'age' is none of \['group'\]"):
        draw(models, truth, group, grouping="age")
