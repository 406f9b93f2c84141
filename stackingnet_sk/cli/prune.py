"""``stackingnet prune``."""

from __future__ import annotations

from typing import Any

import click

from stackingnet_sk._text import harmless
from stackingnet_sk.cli.opening import fit_table
from stackingnet_sk.cli.speech import Progress
from stackingnet_sk.cli.writing import print_json
from stackingnet_sk.inspection import prune


def run(*, as_json: bool, **options: Any) -> None:
    """Print the pruning path, and which models to keep and to drop."""
    with Progress("Reading", "Fitting", "Pruning") as progress:
        fitted, _ = fit_table(options, progress)
        if fitted.data.y is None:
            raise ValueError("Whom to drop takes labels to tell (--label).")
        path = prune(fitted.estimator)
    dropped = path.removed[: path.n_best].tolist()
    kept = [name for name in fitted.data.models if name not in dropped]
    if as_json:
        steps = [
            {"n_models": len(path.removed) - n, "error": error, "next": name}
            for n, (error, name) in enumerate(
                zip(path.error.tolist(), path.removed.tolist(), strict=True)
            )
        ]
        print_json(
            {
                "keep": kept,
                "drop": dropped,
                "unit": path.unit,
                "path": steps,
                "guesses": fitted.guesses,
            }
        )
    else:
        click.echo(harmless(str(path)))
        click.echo(harmless(f"Keep {', '.join(kept)}."))
        click.echo(harmless(f"Drop {', '.join(dropped) or 'none'}."))
