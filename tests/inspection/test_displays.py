"""Pictures of weights, ranking, dependence, pruning and label budget."""

import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pictures import assert_readable, long_name, texts

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection.canvas import shorten
from stackingnet_sk.inspection.dependence_display import DependenceDisplay
from stackingnet_sk.inspection.label_budget_display import LabelBudgetDisplay
from stackingnet_sk.inspection.pruning_display import PruningDisplay
from stackingnet_sk.inspection.ranking_display import RankingDisplay
from stackingnet_sk.inspection.weights_display import WeightsDisplay

matplotlib = pytest.importorskip("matplotlib")
# No window, wherever the tests run.
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

DISPLAYS = [
    WeightsDisplay,
    RankingDisplay,
    DependenceDisplay,
    PruningDisplay,
    LabelBudgetDisplay,
]
every_display = pytest.mark.parametrize("display", DISPLAYS)
every_task = pytest.mark.parametrize("task", ["regression", "classification"])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@cache
def panel(n_models, task="regression", scale=1.0):
    """Half of the models share an error, the last one runs against the truth."""
    rng = np.random.default_rng(0)
    truth, shared = rng.normal(size=(2, 200))
    noise = rng.normal(size=(200, n_models)) * rng.uniform(0.3, 2.0, n_models)
    noise[:, ::2] += 2 * shared[:, None]
    columns = [long_name("MODEL", j) for j in range(n_models)]
    table = pd.DataFrame(truth[:, None] + noise, columns=columns)
    table.iloc[:, -1] *= -1
    if task == "regression":
        return StackingNetRegressor().fit(table * scale, truth * scale), table, truth
    votes = (table > 0).astype(float).mask(table.abs() < 0.1)
    labels = (truth > 0).astype(int)
    return StackingNetClassifier().fit(votes, labels), votes, labels


@cache
def drawn(display, n_models, task="regression", scale=1.0):
    """A display that holds what it shows; `plot` it."""
    estimator, table, labels = panel(n_models, task, scale)
    if display in (WeightsDisplay, PruningDisplay):
        return display.from_estimator(estimator)
    options = {
        RankingDisplay: {"n_bootstrap": 50, "random_state": 0},
        DependenceDisplay: {},
        LabelBudgetDisplay: {"n_repeats": 3, "random_state": 0},
    }
    return display.from_estimator(
        estimator, table * scale, labels * scale, **options[display]
    )


@pytest.mark.filterwarnings("ignore:.*counted as one:UserWarning")
@every_task
@pytest.mark.parametrize("n_models", [3, 40])
@every_display
def test_no_two_texts_overlap_and_none_is_cut_off(display, n_models, task):
    if (display, task) == (LabelBudgetDisplay, "classification"):
        return
    assert_readable(drawn(display, n_models, task).plot())


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e9])
@pytest.mark.parametrize(
    "display", [WeightsDisplay, PruningDisplay, LabelBudgetDisplay]
)
def test_numbers_of_any_size_fit(display, scale):
    assert_readable(drawn(display, 3, scale=scale).plot())


@every_display
def test_forty_models_fit_axes_that_are_given(display):
    figure, several = plt.subplots(1, 2, figsize=(16, 6), layout="constrained")
    shown = drawn(display, 40).plot(several[0])
    assert shown.ax_ is several[0]
    assert shown.figure_ is figure
    assert_readable(shown)


@every_display
def test_nothing_else_in_the_figure_changes(display):
    figure, (own, other) = plt.subplots(2)
    other.plot([1, 2], [3, 4])
    place, limits = own.get_position().bounds, other.axis()
    drawn(display, 3).plot(own)
    figure.canvas.draw()
    assert figure.axes == [own, other]
    assert own.get_position().bounds == place
    assert other.axis() == limits
    assert other.get_title() == other.get_title("left") == ""


@every_display
def test_plot_again(display):
    shown = drawn(display, 3)
    first = shown.plot().figure_
    words = {text.get_text() for text in texts(shown)}
    assert shown.plot() is shown
    assert shown.figure_ is not first
    assert {text.get_text() for text in texts(shown)} == words
    assert shown.plot(ax=shown.ax_) is shown


@every_task
@pytest.mark.parametrize("display", DISPLAYS[:-1])
def test_predictions_and_an_estimator_give_the_same_picture(display, task):
    fitted, table, labels = panel(3, task)
    options = {"random_state": 0} if display is RankingDisplay else {}
    one = display.from_predictions(labels, table, **options)
    two = display.from_predictions(labels, table, estimator=fitted, **options)
    words = [[text.get_text() for text in texts(each)] for each in (one, two)]
    assert words[0] == words[1]


@pytest.mark.parametrize("display", [WeightsDisplay, RankingDisplay, DependenceDisplay])
def test_labels_are_not_needed(display):
    table = panel(4)[1]
    shown = display.from_predictions(None, table, estimator=StackingNetRegressor())
    assert_readable(shown)
    for labels in (None, np.full(200, np.nan)):
        with pytest.raises(ValueError, match="give an estimator"):
            display.from_predictions(labels, table)


def test_fractions_are_numbers_whatever_marks_a_missing_label():
    """None makes the labels objects, and objects of fractions are fractions still."""
    _, table, truth = panel(3)
    pictures = [
        WeightsDisplay.from_predictions([missing, *truth[1:]], table)
        for missing in (None, np.nan)
    ]
    assert_array_equal(pictures[0].weights, pictures[1].weights)


def rows(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


@every_task
def test_bars_are_the_weights_and_dots_the_reliability(task):
    estimator = panel(5, task)[0]
    shown = WeightsDisplay.from_estimator(estimator)
    left, right = shown.axes_
    names = estimator.model_names_.tolist()
    order = [names.index(name) for name in rows(left)]
    bars = [bar.get_width() for bar in left.patches]
    assert bars == estimator.weights_[order].tolist()
    assert (np.diff(bars) <= 0).all()
    (dots,) = right.collections
    assert_array_equal(dots.get_offsets()[:, 0], estimator.reliability_[order])
    assert right.lines[0].get_xdata()[0] == (0.5 if task == "classification" else 0)


def test_models_that_are_not_used_are_said_to_be():
    shown = drawn(WeightsDisplay, 40).plot()
    left, right = shown.axes_
    unused = np.sort(shown.weights)[::-1] == 0
    assert 0 < unused.sum() < 40
    assert [text.xy[1] for text in left.texts] == np.flatnonzero(unused).tolist()
    assert {text.get_text() for text in left.texts} == {"not used"}
    hollow = right.collections[0].get_facecolor()[:, 0] == 1
    assert_array_equal(hollow, unused)


@every_task
def test_lines_are_the_intervals_and_a_cross_is_evidence_against(task):
    shown = drawn(RankingDisplay, 5, task).plot()
    found = shown.ranking
    assert rows(shown.ax_) == found.model_names.tolist()
    lines, dots, crosses = shown.ax_.collections
    ends = np.array(lines.get_segments())[:, :, 0]
    assert_array_equal(ends, np.column_stack([found.low, found.high]))
    against = np.array(found.against) != ""
    assert against.any()
    assert_array_equal(dots.get_offsets()[:, 0], found.reliability[~against])
    assert_array_equal(crosses.get_offsets()[:, 0], found.reliability[against])
    words = [text.get_text() for text in shown.ax_.texts]
    assert words[0] == "ranks"
    assert words[1:6] == [
        str(low) if low == high else f"{low}-{high}"
        for low, high in zip(found.rank_low, found.rank_high, strict=True)
    ]
    assert words[6:] == ["group", *found.group]


def test_cells_are_the_correlations_in_the_order_of_the_tree():
    shown = drawn(DependenceDisplay, 12).plot()
    found = shown.dependence
    assert rows(shown.ax_) == [
        f"{found.model_names[m]}  {place}" for place, m in enumerate(found.order, 1)
    ]
    image = shown.ax_.images[0]
    values = found.correlation[np.ix_(found.order, found.order)]
    assert_array_equal(image.get_array(), values)
    assert image.get_clim() == (-1, 1)
    for text in shown.ax_.texts:
        column, row = text.get_position()
        assert float(text.get_text()) == pytest.approx(values[row, column], abs=0.006)
    assert len(shown.ax_.texts) == 12 * 11
    assert str(found.effective) in shown.ax_.get_title("left")


@pytest.mark.parametrize("n_models", [12, 40])
def test_boxes_are_the_families(n_models):
    shown = drawn(DependenceDisplay, n_models).plot()
    families = shown.dependence.families[shown.dependence.order]
    sizes = np.bincount(families)
    assert sizes.max() > 2
    boxes = shown.ax_.patches
    assert len(boxes) == np.count_nonzero(sizes > 1)
    for box in boxes:
        assert box.get_xy()[0] == box.get_xy()[1]
        inside = round(box.get_x() + 0.5) + np.arange(round(box.get_width()))
        assert sizes[families[inside[0]]] == len(inside)
        assert len(set(families[inside])) == 1


def test_signs_are_seen_without_colour():
    shown = drawn(DependenceDisplay, 40).plot()
    marks = shown.ax_.collections[0].get_offsets()
    values = np.asarray(shown.ax_.images[0].get_array())
    columns, below = np.asarray(marks).astype(int).T
    marked = np.zeros(values.shape, dtype=bool)
    marked[below, columns] = True
    assert_array_equal(marked, values < -0.1)
    assert marked.any()


def test_unknown_correlations_are_hatched():
    _, votes, labels = panel(3, "classification")
    perfect = votes.assign(perfect=labels)
    shown = DependenceDisplay.from_predictions(labels, perfect)
    unknown = np.isnan(shown.dependence.correlation)
    assert 0 < unknown.sum() < unknown.size
    assert shown.ax_.patch.get_hatch()
    # Nothing covers the hatches.
    image = shown.ax_.images[0]
    assert image.cmap(image.norm(image.get_array()))[..., 3].sum() == (~unknown).sum()
    assert_readable(shown)


@every_task
def test_the_path_goes_down_to_the_last_model(task):
    shown = drawn(PruningDisplay, 5, task).plot()
    path = shown.path
    line, star = shown.ax_.lines
    assert_array_equal(line.get_xdata(), path.error)
    assert star.get_xydata().tolist() == [[path.error.min(), path.n_best]]
    assert shown.ax_.get_xlim()[0] < path.error.min()
    assert shown.ax_.get_xlim()[1] > max(path.error.max(), 1.05 * path.error.min())
    names = path.removed.tolist()
    assert rows(shown.ax_) == ["all models", *(f"− {name}" for name in names[:-1])]
    assert names[-1] in shown.ax_.get_title("left")
    assert [text.get_text() for text in shown.ax_.texts] == ["left", *"54321"]


def test_the_band_is_that_of_the_gain_whatever_the_order():
    estimator, table, truth = panel(3)
    shown = LabelBudgetDisplay.from_estimator(
        estimator, table, truth, further=[50, 10], n_repeats=5, random_state=0
    )
    found = shown.budget
    curve, at_hand, known = shown.ax_.lines
    assert curve.get_xdata().tolist() == [200, 210, 250]
    assert curve.get_ydata().tolist() == found.error[[0, 2, 1]].tolist()
    assert curve.get_linestyle() == "--"
    assert at_hand.get_xdata()[0] == found.n_labelled
    assert known.get_xydata().tolist() == [[200, found.error[0]]]
    (band,) = shown.ax_.collections
    (outline,) = band.get_paths()
    assert outline.vertices[:, 1].min() == found.error[0] - found.gain_high.max()
    assert outline.vertices[:, 1].max() == found.error[0] - found.gain_low.min()


def test_longer_names_lose_their_middle():
    names = ["model", "x" * 40, "first" + 60 * "x" + "last"]
    short = shorten(names)
    assert short[:2] == names[:2]
    assert len(short[2]) == 40
    assert short[2].startswith("first")
    assert short[2].endswith("last")
    assert "x…x" in short[2]


def test_dollars_are_no_formulas():
    _, table, truth = panel(3)
    priced = table.set_axis(["$1 a_1", "$2 a_2", "$3"], axis=1)
    for display in DISPLAYS[:-1]:
        shown = display.from_predictions(truth, priced)
        assert_readable(shown)


def test_matplotlib_is_not_imported_before_it_is_needed():
    code = f"""
import sys
import stackingnet_sk.inspection
{"; ".join(f"import {display.__module__}" for display in DISPLAYS)}
print("matplotlib" in sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
