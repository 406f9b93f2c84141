"""``stackingnet rank``."""

from __future__ import annotations

from typing import Any

import click

from stackingnet_sk._tables import as_rows
from stackingnet_sk._text import harmless
from stackingnet_sk.cli.opening import fit_table
from stackingnet_sk.cli.speech import Progress
from stackingnet_sk.cli.writing import print_json
from stackingnet_sk.inspection import rank_models
from stackingnet_sk.report.subject import Subject


def run(*, as_json: bool, seed: int, **options: Any) -> None:
    """Print the ranking of the models."""
    with Progress("Reading", "Fitting", "Ranking") as progress:
        fitted, _ = fit_table(options, progress)
        subject = Subject.of(fitted.model, fitted.data.X, fitted.data.y)
        ranking = rank_models(
            subject.model, subject.table, subject.y, random_state=seed
        )
    if as_json:
        print_json(
            {
                "confidence_level": ranking.confidence_level,
                "guesses": fitted.guesses,
                "models": as_rows(ranking.columns()),
            }
        )
    else:
        click.echo(harmless(str(ranking)))
