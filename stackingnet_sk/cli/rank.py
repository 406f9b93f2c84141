"""``stackingnet rank``."""

from __future__ import annotations

from typing import Any

import click

from stackingnet_sk._tables import as_rows
from stackingnet_sk._text import harmless
from stackingnet_sk.cli.guesses import Guesses
from stackingnet_sk.cli.opening import fit_table
from stackingnet_sk.cli.speech import Progress
from stackingnet_sk.cli.summary import as_text, summarize
from stackingnet_sk.cli.writing import print_json
from stackingnet_sk.inspection import rank_models
from stackingnet_sk.report.complete_rows import complete_rows
from stackingnet_sk.report.subject import Subject


def run(*, as_json: bool, seed: int, **options: Any) -> None:
    """Print the ranking of the models, or their weights where it cannot be had."""
    ranking = None
    with Progress("Reading", "Fitting", "Ranking") as progress:
        guesses = Guesses(progress.say)
        fitted, _ = fit_table(options, progress, guesses)
        progress.step()
        subject = Subject.of(fitted.model, fitted.data.X, fitted.data.y)
        compared, n_complete = complete_rows(subject)
        complete = f"{n_complete} of {len(fitted.data)} items"
        if compared is None:
            guesses.add(f"No intervals: all models answer on only {complete}.")
        else:
            if compared is not subject:
                guesses.add(f"Ranked on the {complete} that all models answer.")
            ranking = rank_models(
                compared.model, compared.table, compared.y, random_state=seed
            )
    if ranking is None:
        summary = summarize(fitted, guesses)
        print_json(summary) if as_json else click.echo(harmless(as_text(summary)))
    elif as_json:
        print_json(
            {
                "confidence_level": ranking.confidence_level,
                "guesses": guesses.sentences,
                "models": as_rows(ranking.columns()),
            }
        )
    else:
        click.echo(harmless(str(ranking)))
