"""What can be asked of the command, and what it answers."""

from __future__ import annotations

from contextlib import ExitStack
from os.path import realpath
from pathlib import Path
from typing import Any

import click

from stackingnet_sk import __version__
from stackingnet_sk._text import harmless
from stackingnet_sk.cli.options import (
    FITTING,
    FORCE,
    JSON,
    LONG,
    MISSING_TEXT,
    NAME,
    OUT,
    READING,
    ROLES,
    SEED,
    TABLE,
    with_options,
)
from stackingnet_sk.cli.speech import Progress, say, spoken_errors

_EPILOG = """\b
Exit status: 0 done; 2 arguments, a table or a file can't be used, and nothing was
written; 1 interrupted, or a bug. What was guessed is said on standard error."""


def run(arguments: list[str]) -> None:
    """Run the command.

    Parameters
    ----------
    arguments : list of str
        Without the program's name.

    Raises
    ------
    SystemExit
        With the exit status.
    """
    stackingnet.main(args=arguments, prog_name="stackingnet", obj=arguments)


@click.group(epilog=_EPILOG, context_settings={"max_content_width": 88})
@click.version_option(__version__, message="%(prog)s %(version)s")
def stackingnet() -> None:
    """Combine the predictions of independent models.

    A TABLE has a row an item and a column a model, and where there are labels a column
    of them: CSV, Parquet or JSONL, from a file or, as "-", from standard input.
    """


@stackingnet.command()
def demo() -> None:
    """Combine members on data that scikit-learn bundles."""
    from stackingnet_sk.demo import demo as show

    show()


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, OUT, NAME, JSON, FORCE)
@click.option("--save", help="File for the fitted model (skops), for `predict`.")
def combine(**options: Any) -> None:
    """Combine the answers of all models, an answer an item.

    The table comes back with the combined answer and how sure it is: of numbers the
    root mean squared error that is expected (empty without labels), of classes the
    probability.
    """
    out, save, name = (options.pop(key) for key in ("out", "save", "name"))
    as_json, force = options.pop("as_json"), options.pop("force")
    out = None if out == "-" else out
    with spoken_errors():
        from stackingnet_sk._files import whole_file
        from stackingnet_sk.cli.combining import (
            append_columns,
            takes_numbers,
            write_to_stdout,
        )
        from stackingnet_sk.cli.combining import combine as combine_answers
        from stackingnet_sk.cli.saving import Saved, save_model
        from stackingnet_sk.cli.summary import as_text, summarize
        from stackingnet_sk.cli.writing import refuse_existing, write_table

        refuse_existing(out, force)
        refuse_existing(save, force, None)
        if out is not None and save is not None and realpath(out) == realpath(save):
            raise ValueError("--out and --save name the same file.")
        with Progress("Reading", "Fitting", "Combining", "Writing") as progress:
            fitted, source = _fit(options, progress)
            progress.step()
            found = combine_answers(fitted.model, fitted.data.X, name)
            roles = fitted.roles
            whole = append_columns(fitted.table, found, str(roles.decimal))
            progress.step()
            with ExitStack() as files:
                # Both files are there, or none.
                if save is not None:
                    saved = Saved(
                        fitted.model,
                        list(roles.models),
                        list(roles.missing or ()),
                        takes_numbers(fitted.estimator),
                        str(roles.decimal),
                    )
                    save_model(saved, files.enter_context(whole_file(save)))
                if out is not None:
                    file = files.enter_context(whole_file(out))
                    write_table(whole, file, Path(out).suffix, source.separator)
        summary = summarize(fitted)
        if as_json:
            columns = {key: column.to_pylist() for key, column in found.items()}
            if not out and (both := sorted(columns.keys() & summary.keys())):
                raise ValueError(f"{both[0]!r} is a key of the JSON; another --name.")
            _print_json({**summary, "out": out} if out else {**summary, **columns})
        elif out is None:
            write_to_stdout(whole, source.separator)
        else:
            click.echo(harmless(as_text(summary)))
            click.echo(harmless(f"{whole.num_rows} combined answers in {out}."))


@stackingnet.command()
@click.argument("model")
@with_options(TABLE, MISSING_TEXT, *LONG, *READING, OUT, NAME, FORCE)
def predict(model: str, **options: Any) -> None:
    """Combine new answers with a MODEL that `combine --save` has written."""
    out, name, force = (options.pop(key) for key in ("out", "name", "force"))
    missing, decimal = options.pop("missing"), options.pop("decimal")
    out = None if out == "-" else out
    with spoken_errors():
        from stackingnet_sk._files import whole_file
        from stackingnet_sk.cli.cells import (
            MISSING,
            Cells,
            no_numbers,
            trimmed,
            without_markers,
        )
        from stackingnet_sk.cli.combining import append_columns, write_to_stdout
        from stackingnet_sk.cli.combining import combine as combine_answers
        from stackingnet_sk.cli.fitting import final_step
        from stackingnet_sk.cli.guessing import Roles, guess_decimal
        from stackingnet_sk.cli.saving import load_model
        from stackingnet_sk.cli.writing import refuse_existing, write_table

        refuse_existing(out, force)
        saved = load_model(model)
        source = _read(options)
        say(source.said)
        cells = source.cells
        missing = list(missing or [*saved.missing, *MISSING])
        if long := _long(options):
            cells = long.widen(cells, Roles(missing=missing, decimal=decimal))
        if decimal is None and saved.decimal == ",":
            # Points are read all the same.
            decimal = ","
        elif decimal is None:
            names = [name for name in saved.models if name in cells.column_names]
            decimal, sentences = guess_decimal(map(Cells.of, cells.select(names)))
            say(sentences)
        if saved.numbers and hasattr(final_step(saved.model), "classes_"):
            plain = without_markers(trimmed(cells, decimal), missing)
            odd = no_numbers(plain, saved.models)
            listed = ", ".join(f"{text!r} ({n})" for text, n in odd.most_common(5))
            say([f"No class, so no vote: {listed}."] if odd else [])
            missing += odd
        roles = Roles(
            models=saved.models,
            missing=missing,
            decimal=decimal,
            # What was fitted on numbers would not know them as texts.
            task="regression" if saved.numbers else None,
        )
        answers = roles.read(cells).X
        try:
            found = combine_answers(saved.model, answers, name)
        except (AttributeError, IndexError, KeyError) as error:
            raise ValueError(f"{model!r} holds a damaged model.") from error
        whole = append_columns(cells, found, decimal)
        if out is None:
            write_to_stdout(whole, source.separator)
        else:
            with whole_file(out) as file:
                write_table(whole, file, Path(out).suffix, source.separator)


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, SEED)
def rank(as_json: bool, seed: int, **options: Any) -> None:
    """Rank the models by their reliability, with intervals."""
    with spoken_errors():
        from stackingnet_sk.cli.fitting import comparable
        from stackingnet_sk.cli.summary import as_text, summarize
        from stackingnet_sk.inspection import rank_models

        with Progress("Reading", "Fitting", "Ranking") as progress:
            fitted, _ = _fit(options, progress)
            progress.step()
            answers, labels, said = comparable(fitted)
            progress.say(said)
            ranking = None
            if answers is not None:
                ranking = rank_models(
                    fitted.estimator, answers, labels, random_state=seed
                )
    if ranking is None:
        summary = summarize(fitted)
        _print_json(summary) if as_json else click.echo(harmless(as_text(summary)))
    elif as_json:
        columns = ranking.columns()
        rows = [
            dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        ]
        level = ranking.confidence_level
        guesses = fitted.roles.said
        _print_json({"confidence_level": level, "guesses": guesses, "models": rows})
    else:
        click.echo(harmless(str(ranking)))


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON)
def prune(as_json: bool, **options: Any) -> None:
    """Say which models the combination is better without. Needs labels."""
    with spoken_errors():
        from stackingnet_sk.inspection import prune as find_path

        with Progress("Reading", "Fitting", "Pruning") as progress:
            fitted, _ = _fit(options, progress)
            progress.step()
            if fitted.data.y is None:
                raise ValueError("Whom to drop takes labels to tell (--label).")
            path = find_path(fitted.estimator)
    n_best = path.n_best
    dropped = path.removed[:n_best].tolist()
    kept = [name for name in fitted.data.models if name not in dropped]
    if as_json:
        steps = [
            {"n_models": len(path.removed) - n, "error": error, "next": name}
            for n, (error, name) in enumerate(
                zip(path.error.tolist(), path.removed.tolist(), strict=True)
            )
        ]
        found = {"keep": kept, "drop": dropped, "unit": path.unit, "path": steps}
        _print_json({**found, "guesses": fitted.roles.said})
        return
    click.echo(harmless(str(path)))
    click.echo(harmless(f"Keep {', '.join(map(str, kept))}."))
    click.echo(harmless(f"Drop {', '.join(map(str, dropped)) or 'none'}."))


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, FORCE, SEED)
@click.option("--out", default="report.html", show_default=True, help="The page.")
@click.option("--title", help="Its title.")
def report(
    as_json: bool, force: bool, seed: int, out: str, title: str | None, **options: Any
) -> None:
    """Write a page with all that can be said: one HTML file, to be opened or sent."""
    with spoken_errors():
        from stackingnet_sk.cli.writing import refuse_existing
        from stackingnet_sk.report import report as make_report

        refuse_existing(out, force, (".html", ".htm"))
        source = options["table"]
        with Progress("Reading", "Fitting", "Reporting") as progress:
            fitted, _ = _fit(options, progress)
            said, groups = fitted.roles.said, fitted.data.groups
            progress.step()
            page = make_report(
                fitted.model,
                fitted.data.X,
                fitted.data.y,
                groups=None if groups is None else groups.to_pydict(),
                title=title,
                source="standard input" if source == "-" else source,
                settings={
                    "command": _command_line(),
                    **{f"guess {n}": text for n, text in enumerate(said, 1)},
                },
                random_state=seed,
            )
            page.save(out, overwrite=force)
    if as_json:
        _print_json({**page.to_dict(), "out": out})
    else:
        click.echo(harmless(f"Report in {out}."))


def _command_line() -> str:
    import shlex

    return f"stackingnet {shlex.join(click.get_current_context().obj)}"


def _read(options: dict[str, Any]) -> Any:
    from stackingnet_sk.cli.reading import read_table

    separator = options["separator"]
    if separator not in (None, "tab") and len(separator) != 1:
        raise ValueError("--separator is one character, or 'tab'.")
    return read_table(
        options["table"],
        kind=options["format"],
        separator="\t" if separator == "tab" else separator,
        encoding=options["encoding"],
    )


def _long(options: dict[str, Any]) -> Any:
    """Return what the options say of a table with a row an answer, or None."""
    from stackingnet_sk.cli.fitting import Long

    if options["answering"] is None and options["answer"] is None:
        if options["aggregate"] is not None:
            raise ValueError("--aggregate is for long tables (--model, --answer).")
        return None
    parts = {
        "item": options["item"],
        "model": options["answering"],
        "answer": options["answer"],
    }
    absent = [f"--{key}" for key, value in parts.items() if value is None]
    if absent:
        raise ValueError(f"A long table needs {' and '.join(absent)} too.")
    return Long(**parts, aggregate=options["aggregate"])


def _fit(options: dict[str, Any], progress: Progress) -> tuple[Any, Any]:
    """Read and fit what the shared options describe; and what was read."""
    from stackingnet_sk.cli.fitting import fit
    from stackingnet_sk.cli.guessing import Roles, guess_roles

    if options["label"] is not None and options["no_label"]:
        raise ValueError("--label and --no-label exclude each other.")
    long = _long(options)
    progress.step()
    source = _read(options)
    # As names of columns are read.
    label, item = (
        None if options[key] is None else options[key].strip()
        for key in ("label", "item")
    )
    groups, models, ignored = (
        [name.strip() for name in options[key]] for key in ("group", "use", "ignore")
    )
    given = Roles(
        label=label,
        item=item,
        groups=groups,
        models=models,
        ignored=ignored,
        missing=options["missing"] or None,
        classes=options["classes"],
        decimal=options["decimal"],
        task=None if options["task"] == "auto" else options["task"],
        said=source.said,
    )
    cells = source.cells if long is None else long.widen(source.cells, given)
    roles = guess_roles(cells, given, no_label=options["no_label"])
    progress.say(roles.said)
    own = {key: options[key] for key in ("low", "high", "constraint", "balanced")}
    progress.step()
    fitted = fit(cells, roles, **own)
    progress.say(fitted.roles.said[len(roles.said) :])
    return fitted, source


def _print_json(found: dict[str, Any]) -> None:
    from stackingnet_sk.cli.writing import to_json

    click.echo(to_json(found, indent=2))
