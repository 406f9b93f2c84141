"""The command ``python -m benchmarks.limits``: what parity between groups costs.

Of each table with groups and each column of them: random halves of the rows, the
weights of one half without a limit and with half of its largest gap as the limit, and
gap and error on the other half. "chance" is the gap of groups drawn at random.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.model_selection import StratifiedShuffleSplit

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import bounded_disparity
from stackingnet_sk.weights import InfeasibleError

from .arguments import positive
from .black_box.claim import Claim
from .black_box.data import GROUP, LABEL

LARGEST = 20_000  # rows that are read of a table


def main(argv: Sequence[str] | None = None) -> None:
    add = argparse.ArgumentParser(prog="python -m benchmarks.limits").add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of tables")
    add("--seeds", type=positive, default=5, metavar="N", help="random halves")
    args = add.__self__.parse_args(argv)
    heads = f"{'gap':>8}{'chance':>8}{'with':>8}{'share':>7}{'error':>8}"
    print(f"{'table':24}{'groups':18}{heads}")
    found = []
    for name, column, pairs in measure(args.data, int(args.seeds)):
        if not pairs:
            print(f"{name:24}{column:18}  no weights halve the gap")
            continue
        gap, limited, error, cost, chance = np.mean(pairs, axis=0)
        share = limited / gap
        found.append((share, cost / error))
        figures = f"{gap:8.3f}{chance:8.3f}{limited:8.3f}{share:7.2f}"
        print(f"{name:24}{column:18}{figures}{cost / error:8.3f}")
    share, ratio = np.mean(found, axis=0)
    print(
        Claim("Gap with the limit over gap without, held out", share, 0.5, share < 0.55)
    )
    print(Claim("Error with the limit over error without", ratio, 1.02, ratio < 1.02))


def measure(folder: Path, seeds: int) -> Iterator[tuple[str, str, list[list[float]]]]:
    """Gap without and with the limit, error likewise, and gap by chance, of halves."""
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        frame = frame.sample(min(len(frame), LARGEST), random_state=0)
        columns = [c for c in frame if c.startswith(GROUP)]
        models = [c for c in frame if c != LABEL and c not in columns]
        votes = frame[LABEL].dtype == object or (frame[LABEL] % 1 == 0).all()
        table, y = frame[models], frame[LABEL].to_numpy()
        for column in columns:
            groups = frame[column].astype(str).str.strip().to_numpy()
            model: Any = StackingNetClassifier() if votes else StackingNetRegressor()
            if not votes:
                table = table.clip(y.min(), y.max())
            halves = StratifiedShuffleSplit(seeds, test_size=0.5, random_state=0)
            pairs = []
            for train, test in halves.split(table, groups):
                rows = table.iloc[train], y[train]
                free = clone(model).fit(*rows)
                bound = gap(free, table.iloc[train], y[train], groups[train])[0] / 2
                before = gap(free, table.iloc[test], y[test], groups[test])
                limit = bounded_disparity(bound)
                limited = clone(model).set_params(constraint=limit)
                try:
                    limited.fit(*rows, sensitive_features=groups[train])
                except InfeasibleError:
                    continue
                after = gap(limited, table.iloc[test], y[test], groups[test])
                mixed = np.random.default_rng(0).permutation(groups[test])
                luck = gap(free, table.iloc[test], y[test], mixed)[0]
                pairs.append([before[0], after[0], before[1], after[1], luck])
            yield path.stem, column.removeprefix(GROUP), pairs


def gap(model: Any, X: Any, y: Any, groups: Any) -> tuple[float, float]:
    """Largest gap between two groups, and the error."""
    if is_classifier(model):
        own = np.log(model.predict_proba(X))
        code = np.searchsorted(model.classes_, y)
        truth = own[np.arange(len(y)), code]
        scores, losses = truth - own.mean(axis=1), -truth
    else:
        scores = model.predict(X) - y
        losses = np.square(scores)
    means = [scores[groups == group].mean() for group in set(groups)]
    return max(means) - min(means), float(losses.mean())


if __name__ == "__main__":
    main()
