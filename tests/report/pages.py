"""Reports on generated data, one for each thing that a page must bear."""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.report import report

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "a model whose name is sixty characters long, no more, no less",
    "' onmouseover='alert(1)",
    "</style></title><h1>",
)


def numbers(n_rows=600, n_models=8, seed=0, names=None):
    """Judges of different noise and bias, two of them twins, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 7, size=n_rows)
    noise = rng.normal(size=(n_rows, n_models))
    if n_models > 3:
        noise[:, 2] = 0.9 * noise[:, 1] + 0.4 * noise[:, 2]
    table = truth[:, None] + noise * np.linspace(0.4, 3.0, n_models)
    table += rng.normal(size=n_models) * 0.5
    columns = names or [f"judge {j}" for j in range(n_models)]
    return pd.DataFrame(table, columns=list(columns)), truth, rng


def votes(n_rows=800, n_models=6, seed=0, classes=("bug", "praise", "question")):
    """Votes of models of different skill, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, size=n_rows)
    guesses = rng.choice(classes, size=(n_rows, n_models))
    knows = rng.random((n_rows, n_models)) < np.linspace(0.85, 0.1, n_models)
    table = pd.DataFrame(
        np.where(knows, truth[:, None], guesses),
        columns=[f"model {j}" for j in range(n_models)],
    )
    return table.mask(rng.random(table.shape) < 0.03), truth, rng


def some(truth, n_labelled):
    """Labels of the first rows only."""
    known = np.arange(len(truth)) < n_labelled
    if truth.dtype.kind == "f":
        return np.where(known, truth, np.nan)
    return np.where(known, truth.astype(object), None)


@cache
def grouped_numbers():
    """Ratings that are clipped, with groups."""
    table, truth, rng = numbers()
    table.iloc[::97, 0] = 90.0
    groups = pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "east"], len(table)),
            "age": rng.choice(["young", "old"], len(table), p=[0.9, 0.1]),
        }
    )
    y = some(truth, 200)
    model = make_pipeline(PredictionClipper(1, 7), StackingNetRegressor())
    return report(
        model.fit(table, y),
        table,
        y,
        groups=groups,
        title="Ratings of 600 essays",
        source="essays.csv",
        settings={"command": "stackingnet report essays.csv --range 1 7"},
    )


@cache
def few_votes():
    """Twenty labels."""
    table, truth, _ = votes()
    y = some(truth, 20)
    model = StackingNetClassifier(class_weight="balanced").fit(table, y)
    return report(model, table, y, source="messages.csv")


@cache
def no_labels():
    """Only what the models agree on."""
    table, _, _ = votes(seed=1)
    return report(StackingNetClassifier().fit(table), table)


@cache
def holes():
    """Numbers that are missing, so that few rows are complete."""
    table, truth, rng = numbers(n_models=5)
    table = table.mask(rng.random(table.shape) < 0.15)
    y = some(truth, 60)
    return report(StackingNetRegressor().fit(table, y), table, y)


@cache
def constant_is_better():
    """Models that know nothing of the labels."""
    table, truth, rng = numbers(n_rows=120, n_models=4)
    y = some(rng.permutation(truth), 40)
    return report(StackingNetRegressor().fit(table, y), table, y)


@cache
def nasty():
    """Names and classes that would be markup."""
    table, truth, _ = votes(n_models=len(NASTY), classes=NASTY[:3])
    table.columns = list(NASTY)
    y = some(truth, 80)
    model = StackingNetClassifier().fit(table, y)
    groups = {NASTY[0]: np.where(np.arange(len(table)) % 2, NASTY[1], NASTY[4])}
    return report(
        model,
        table,
        y,
        groups=groups,
        title=NASTY[0],
        source=NASTY[1],
        settings={NASTY[5]: NASTY[0]},
    )


@cache
def forty():
    """Forty models."""
    names = [f"vendor-{j % 7}/a-large-language-model-{j}b-instruct" for j in range(40)]
    table, truth, _ = numbers(n_models=40, names=names)
    y = some(truth, 150)
    return report(StackingNetRegressor().fit(table, y), table, y)


@cache
def two():
    """Two models."""
    table, truth, _ = numbers(n_models=2)
    y = some(truth, 30)
    return report(StackingNetRegressor().fit(table, y), table, y)


PAGES = {
    make.__name__: make
    for make in (
        grouped_numbers,
        few_votes,
        no_labels,
        holes,
        constant_is_better,
        nasty,
        forty,
        two,
    )
}
