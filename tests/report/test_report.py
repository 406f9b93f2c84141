"""What a report says is what was measured; what cannot be had, it explains."""

import json
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.linalg import LinAlgError
from pages import (
    constant_is_better,
    few_votes,
    grouped_numbers,
    holes,
    no_labels,
    numbers,
    some,
    votes,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from stackingnet_sk import (
    PredictionClipper,
    PredictionNormalizer,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.inspection import compare, prune, rank_models
from stackingnet_sk.report import report
from stackingnet_sk.report.sections import Absent, attempt
from stackingnet_sk.report.subject import Subject


@pytest.fixture
def grouped():
    return grouped_numbers()


def test_figures_are_those_of_the_tools():
    table, truth, _ = numbers()
    y = some(truth, 100)
    model = StackingNetRegressor().fit(table, y)
    figures = report(model, table, y, random_state=3).to_dict()
    found = compare(model, table, y, random_state=3)
    for j, row in enumerate(figures["comparison"]["rows"]):
        for metric, score in found.scores.items():
            assert row["scores"][metric] == [each[j] for each in score]
    ranking = rank_models(model, table, y, random_state=3)
    names = [row["model"] for row in figures["ranking"]["rows"]]
    assert names == ranking.model_names.tolist()
    error = [row["error"] for row in figures["pruning"]["rows"]]
    np.testing.assert_array_equal(error, prune(model).error)
    weights = {row["model"]: row["weight"] for row in figures["weights"]["rows"]}
    assert [weights[n] for n in model.model_names_] == model.weights_.tolist()
    assert figures["certificate"]["gap"] == model.solution_.gap


def test_figures_can_be_written(grouped):
    """As JSON that has no NaN, which is none."""
    for page in (grouped, no_labels(), few_votes()):
        text = json.dumps(page.to_dict(), allow_nan=False)
        assert json.loads(text) == page.to_dict()


def test_nobody_changes_the_figures(grouped):
    grouped.to_dict()["summary"].clear()
    assert grouped.to_dict()["summary"]


def test_same_table_same_page():
    first, again = few_votes().to_dict(), few_votes.__wrapped__().to_dict()
    for figures in (first, again):
        figures.pop("created")
    assert first == again


def test_the_hash_is_of_names_cells_and_labels():
    table, truth, _ = votes()
    y = some(truth, 30)

    def digest(table, y):
        return Subject.of(StackingNetClassifier().fit(table, y), table, y).digest()

    own = digest(table, y)
    other = table.copy()
    other.iloc[700, 2] = "bug" if table.iloc[700, 2] != "bug" else "praise"
    changed = y.copy()
    changed[29] = None
    names = table.rename(columns={"model 1": "another"})
    found = [digest(*each) for each in ((other, y), (table, changed), (names, y))]
    assert own == digest(table.copy(), y.copy())
    assert len({own, *found}) == 4


def test_clipped_are_counted(grouped):
    table, _, _ = numbers()
    table.iloc[::97, 0] = 90.0
    missing = grouped.figures["missing"]
    for row in missing["rows"]:
        assert row["below_0"] == (table[row["model"]] < 1).sum()
        assert row["above_0"] == (table[row["model"]] > 7).sum()
    assert missing["clipped"] == ((table < 1) | (table > 7)).sum().sum()
    assert f"{missing['clipped']:,} answers beyond the range" in grouped.to_html()


def test_normalized_are_not_called_clipped():
    table, truth, _ = numbers()
    y = some((truth - 1) / 6, 100)
    steps = PredictionClipper(0, 10), PredictionNormalizer(1, 7)
    model = make_pipeline(*steps, StackingNetRegressor()).fit(table, y)
    missing = report(model, table, y).figures["missing"]
    clipped = table.clip(0, 10)
    assert missing["beyond"] == ((clipped < 1) | (clipped > 7)).sum().sum()
    assert missing["clipped"] == (table != clipped).sum().sum()


def test_names_pass_through_the_steps_before(grouped):
    assert grouped.figures["data"]["models"][0] == "judge 0"


def test_silence_is_counted():
    page = holes()
    table = numbers(n_models=5)
    table, rng = table[0], table[2]
    table = table.mask(rng.random(table.shape) < 0.15)
    missing = page.figures["missing"]
    assert [row["missing"] for row in missing["rows"]] == table.isna().sum().tolist()
    assert missing["everybody"] == table.notna().all(axis=1).sum()
    answered = {
        row["model"]: row["answered"] for row in page.figures["ranking"]["rows"]
    }
    expected = table.notna().mean().to_dict()
    assert answered == pytest.approx(expected)


def test_models_are_compared_where_no_row_is_complete():
    table, truth, _ = numbers(n_models=3)
    table = table.mask(
        np.arange(1800).reshape(600, 3) % 3 == np.arange(600)[:, None] % 3
    )
    y = some(truth, 60)
    figures = report(StackingNetRegressor().fit(table, y), table, y).to_dict()
    for section in ("ranking", "dependence", "comparison"):
        assert "why" not in figures[section]


def test_without_labels_nothing_is_claimed():
    page = no_labels()
    figures = page.figures
    assert "0 of 800 rows have a label" in figures["comparison"]["why"]
    assert "without labels" in figures["pruning"]["why"]
    assert not figures["certificate"]["certified"]
    assert "There is no certificate" in page.to_html()
    assert "cannot be measured here" in " ".join(figures["summary"])
    assert any("agreement" in line for line in figures["caveats"])


@pytest.mark.parametrize("n_labelled", [1, 3])
def test_too_few_labels_are_told(n_labelled):
    table, truth, _ = numbers()
    y = some(truth, n_labelled)
    figures = report(StackingNetRegressor().fit(table, y), table, y).figures
    assert "comparing takes at least 4" in figures["comparison"]["why"]
    assert figures["comparison"]["why"] in " ".join(figures["summary"])


def test_few_labels_are_told():
    caveats = few_votes().figures["caveats"]
    assert any("Only 20 items have a label" in line for line in caveats)


def test_a_constant_that_wins_is_told():
    page = constant_is_better()
    assert page.figures["comparison"]["constant_wins"]
    assert "A constant does at least as well" in page.to_html()


def test_a_constant_that_loses_is_not(grouped):
    assert "A constant does at least as well" not in grouped.to_html()


def test_rivals_stand_beside(grouped):
    names = [row["name"] for row in grouped.figures["comparison"]["rows"]]
    assert names == [
        "combination",
        "average",
        "average, bias removed",
        "ridge stacking",
        "best single model",
        "constant",
    ]


def test_groups_are_compared_on_labels_held_out(grouped):
    found = grouped.figures["disparity"]
    assert list(found) == ["region", "age"]
    assert sum(row["n_rows"] for row in found["region"]["rows"]) == 200
    rows = found["region"]["rows"]
    mean = sum(row["n_rows"] * row["error"][0] for row in rows) / 200
    own = grouped.figures["comparison"]["rows"][0]["scores"]["mean absolute error"]
    assert mean == pytest.approx(own[0])
    assert found["age"]["rows"][0]["small"]


def test_groups_that_cannot_be_compared_say_why():
    table, truth, _ = votes()
    y = some(truth, 60)
    groups = {"alone": ["one"] * 800, "lone": ["b"] + ["a"] * 799, "short": ["a"]}
    model = StackingNetClassifier().fit(table, y)
    found = report(model, table, y, groups=groups).figures["disparity"]
    assert "one group only" in found["alone"]["why"]
    assert "two groups with two labels each" in found["lone"]["why"]
    assert "has shape (1,)" in found["short"]["why"]
    found = report(model, table, groups=groups).figures["disparity"]
    assert "take labels" in found["alone"]["why"]


def test_warnings_become_caveats():
    table, truth, _ = votes()
    table.iloc[:4, 0] = "no class at all"
    y = some(truth, 90)
    with pytest.warns(UserWarning, match="no class at all"):
        model = StackingNetClassifier().fit(table, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        caveats = report(model, table, y).figures["caveats"]
    told = [line for line in caveats if "no class at all" in line]
    assert len(told) == 1
    # Of all rows, not of those of a fold.
    assert "model 0: 4" in told[0]


def test_models_surely_below_chance_are_named():
    rng = np.random.default_rng(0)
    truth = rng.choice(["no", "yes"], size=300)
    right = rng.random((300, 4)) < [0.8, 0.8, 0.7, 0.1]
    wrong = np.where(truth == "no", "yes", "no")
    table = np.where(right, truth[:, None], wrong[:, None])
    model = StackingNetClassifier().fit(table, truth)
    figures = report(model, table, truth).figures
    assert figures["ranking"]["below_chance"] == ["model_3"]
    assert any("worse than chance: model_3" in line for line in figures["caveats"])


def test_rare_classes_that_lose_are_told():
    """Where one class is nine tenths, naming it always is accurate."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(600) < 0.9, "often", "rare")
    guesses = rng.choice(["often", "rare"], size=(600, 3))
    table = np.where(rng.random((600, 3)) < 0.4, truth[:, None], guesses)
    model = StackingNetClassifier(structure="shared").fit(table, truth)
    figures = report(model, table, truth).figures
    assert figures["comparison"]["metric"] == "accuracy"
    assert any("class_weight='balanced'" in line for line in figures["caveats"])
    model.set_params(class_weight="balanced").fit(table, truth)
    figures = report(model, table, truth).figures
    assert figures["comparison"]["metric"] == "balanced accuracy"
    assert not any("class_weight" in line for line in figures["caveats"])


def test_members_are_cross_predicted():
    """A member that learns by heart would look perfect on rows it has seen."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X @ [1.0, 2.0, 0.0] + rng.normal(size=120)
    members = [("line", LinearRegression()), ("heart", KNeighborsRegressor(1))]
    model = StackingNetRegressor(members).fit(X, y)
    page = report(model, X, y)
    reliability = {
        r["model"]: r["reliability"] for r in page.figures["ranking"]["rows"]
    }
    assert set(reliability) == {"line", "heart"}
    assert reliability["heart"] < 0.9
    assert "why" not in page.figures["dependence"]
    assert "heart" in page.to_html()


def test_members_that_refuse_the_folds_say_why():
    """Ranking needs no more folds: it has the predictions that `fit` made."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = np.where(np.arange(30) < 4, X[:, 0], np.nan)
    members = [("line", LinearRegression()), ("near", KNeighborsRegressor(1))]
    model = StackingNetRegressor(members, cv=2).fit(X, y).set_params(cv=5)
    figures = report(model, X, y).to_dict()
    assert "n_splits=5" in figures["comparison"]["why"]
    assert figures["ranking"]["n_labelled"] == 4
    assert figures["dependence"]["n_rows"] == 4


def test_one_model_has_a_page():
    table, truth, _ = numbers(n_models=1)
    model = StackingNetRegressor().fit(table, truth)
    figures = report(model, table, truth).to_dict()
    assert "at least two" in figures["ranking"]["why"]
    assert "why" not in figures["comparison"]
    assert report(model, table, truth).to_html()


@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_probabilities_have_a_page(pool):
    table, truth, _ = votes(n_rows=200)
    classes = np.unique(truth)
    soft = 0.7 * (table.to_numpy()[:, :, None] == classes) + 0.1
    soft /= soft.sum(axis=2, keepdims=True)
    model = StackingNetClassifier(pool=pool, classes=classes).fit(soft, truth)
    page = report(model, soft, truth)
    assert "why" not in page.figures["ranking"]
    assert "average probability" in page.to_html()


def test_only_refusals_become_reasons():
    """A bug stays an error."""

    def refuse():
        raise ValueError("fewer than two models")

    assert attempt(refuse) == Absent("fewer than two models")
    for error in (TypeError, LinAlgError, KeyError):

        def fail(error=error):
            raise error("a bug")

        with pytest.raises(error):
            attempt(fail)


def test_settings_and_parameters_are_listed():
    table, truth, _ = numbers()
    y = some(truth, 50)
    model = StackingNetRegressor(constraint="simplex", shrinkage=3.0).fit(table, y)
    page = report(model, table, y, settings={"command": "stackingnet report a.csv"})
    own = page.figures["reproduce"]
    assert own["changed"] == {"constraint": "'simplex'", "shrinkage": "3.0"}
    assert own["settings"] == {"command": "stackingnet report a.csv"}
    assert {"Python", "numpy", "scipy", "scikit-learn"} < set(own["versions"])
    assert "fit_intercept=True" in own["full"]
    assert "stackingnet report a.csv" in page.to_html()


def test_a_page_is_written_whole_or_not_at_all(tmp_path, grouped, monkeypatch):
    place = tmp_path / "page.html"
    assert grouped.save(place) == place
    assert place.read_text(encoding="utf-8") == grouped.to_html()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        grouped.save(place)
    grouped.save(str(place), overwrite=True)
    before = place.read_text(encoding="utf-8")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        grouped.save(place, overwrite=True)
    assert place.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [place]


def test_without_jinja_figures_remain(grouped, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"stackingnet_sk\[report\]"):
        grouped.to_html()
    assert grouped.to_dict()


def test_what_cannot_be_reported_is_refused():
    table, truth, _ = numbers()
    with pytest.raises(NotFittedError):
        report(StackingNetRegressor(), table)
    with pytest.raises(TypeError, match="LinearRegression is no StackingNet"):
        report(LinearRegression().fit(table, truth), table)
    model = StackingNetRegressor().fit(table, truth)
    with pytest.raises(ValueError, match="y has shape"):
        report(model, table, truth[:5])
    with pytest.raises(ValueError, match="features"):
        report(model, table.to_numpy()[:, :3], truth)


def test_many_rows_are_drawn_from(monkeypatch):
    monkeypatch.setattr("stackingnet_sk.report.subject.MOST_ROWS", 100)
    monkeypatch.setattr("stackingnet_sk.report.figures.MOST_ROWS", 100)
    table, truth, _ = numbers()
    y = some(truth, 300)
    figures = report(StackingNetRegressor().fit(table, y), table, y).figures
    assert figures["comparison"]["n_rows"] == 200
    assert figures["ranking"]["n_rows"] == 200
    assert sum("drawn at random" in line for line in figures["caveats"]) == 2


def test_lists_and_frames_of_names_that_are_numbers():
    table, truth, _ = numbers(n_models=3)
    table = pd.DataFrame(table.to_numpy(), columns=[2021, 2022, 2023])
    model = StackingNetRegressor().fit(table, truth)
    assert report(model, table, truth).figures["data"]["models"][0] == "2021"
    rows = table.to_numpy().tolist()
    model = StackingNetRegressor().fit(rows, truth)
    assert report(model, rows, truth.tolist()).figures["data"]["n_rows"] == 600


def test_groups_of_one_label_do_not_hide_the_others():
    """They are named, and so is how many rows have no group."""
    table, truth, _ = numbers()
    groups = np.array(["north", "south"] * (len(truth) // 2), dtype=object)
    groups[0], groups[1] = "alone", None
    page = report(
        StackingNetRegressor().fit(table, truth), table, truth, groups={"place": groups}
    )
    found = page.figures["disparity"]["place"]
    assert [row["group"] for row in found["rows"]] == ["north", "south"]
    assert found["single"] == ["alone"]
    assert found["n_unnamed"] == 1
    assert "says nothing: alone. 1 label has no group." in page.to_html()


def test_members_split_by_groups_are_compared_as_they_were_fitted():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(120, 3))
    y = Z @ [1.0, 0.5, 0.0] + rng.normal(size=120)
    members = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(random_state=0))]
    model = StackingNetRegressor(members, cv=GroupKFold(3))
    fit_params = {"groups": np.repeat(np.arange(12), 10)}
    model.fit(Z, y, **fit_params)
    without = report(model, Z, y).figures
    page = report(model, Z, y, fit_params=fit_params).figures["comparison"]
    assert "groups" in without["comparison"]["why"]
    assert without["comparison"]["why"] in without["summary"][1]
    assert page["rows"][0]["name"] == "combination"


def test_what_steers_a_terminal_or_a_line_is_not_on_the_page():
    table, truth, _ = numbers()
    page = report(
        StackingNetRegressor().fit(table, truth),
        table,
        truth,
        title="red \x1b[31m and \u202e backwards",
    )
    assert not {"\x1b", "\u202e"} & set(page.to_html())
