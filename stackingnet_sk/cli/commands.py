"""What can be asked of the command, and what it answers."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from stackingnet_sk import __version__
from stackingnet_sk.cli.options import (
    FITTING,
    FORCE,
    JSON,
    NAME,
    OUT,
    READING,
    ROLES,
    SEED,
    TABLE,
    with_options,
)

_EPILOG = """\b
Exit status: 0 done; 2 arguments, a table or a file can't be used, and nothing was
written; 1 interrupted, or a bug. What was guessed is said on standard error."""


_OPTIONS = {
    "missing=": "--missing",
    "classes=": "--class",
    "aggregate=": "--aggregate",
}


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
    stackingnet.main(args=arguments, prog_name="stackingnet")


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
    with _spoken_errors():
        from stackingnet_sk.cli.saving import Saved, save_model
        from stackingnet_sk.cli.writing import refuse_existing, write_table

        for path in (out, save):
            refuse_existing(path, force)
        from stackingnet_sk.cli.summary import as_text, summarize

        with _steps("Reading", "Fitting", "Combining", "Writing") as step:
            fitted = _fit(options, step)
            step()
            found = _combined(fitted.model, fitted.data.X, name)
            whole = _appended(fitted.table, found)
            step()
            if save is not None:
                roles = fitted.roles
                saved = Saved(
                    fitted.model,
                    list(roles.models),
                    list(roles.missing or ()),
                    str(roles.task),
                    str(roles.decimal),
                )
                save_model(saved, save)
            if out is not None:
                write_table(whole, out)
    summary = summarize(fitted)
    if as_json:
        columns = {key: column.to_pylist() for key, column in found.items()}
        _print_json({**summary, "out": out} if out else {**summary, **columns})
    elif out is None:
        with _spoken_errors():
            write_table(whole, None)
    else:
        click.echo(as_text(summary))
        click.echo(f"{whole.num_rows} combined answers in {out}.")


@stackingnet.command()
@click.argument("model")
@with_options(TABLE, *READING, OUT, NAME, FORCE)
def predict(model: str, **options: Any) -> None:
    """Combine new answers with a MODEL that `combine --save` has written."""
    out, name, force = (options.pop(key) for key in ("out", "name", "force"))
    with _spoken_errors():
        from stackingnet_sk.cli.fitting import Reading
        from stackingnet_sk.cli.guessing import Roles
        from stackingnet_sk.cli.saving import load_model
        from stackingnet_sk.cli.writing import refuse_existing, write_table

        refuse_existing(out, force)
        saved = load_model(model)
        decimal = options.pop("decimal") or saved.decimal
        table, said = Reading(**_separator(options)).read()
        _say(said)
        roles = Roles(
            models=saved.models,
            missing=saved.missing,
            decimal=decimal,
            task=saved.task,
        )
        data = roles.read(table)
        whole = _appended(table, _combined(saved.model, data.X, name))
        write_table(whole, out)


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, SEED)
def rank(as_json: bool, seed: int, **options: Any) -> None:
    """Rank the models by their reliability, with intervals."""
    with _spoken_errors():
        from stackingnet_sk.cli.summary import as_text, summarize
        from stackingnet_sk.inspection import rank_models

        with _steps("Reading", "Fitting", "Ranking") as step:
            fitted = _fit(options, step)
            step()
            answers, labels = fitted.answers, fitted.data.y
            if fitted.roles.task == "regression" and _has_holes(answers):
                _say(["No intervals: models with missing numbers are ranked without."])
                ranking = None
            else:
                ranking = rank_models(
                    fitted.estimator, answers, labels, random_state=seed
                )
    if ranking is None:
        summary = summarize(fitted)
        _print_json(summary) if as_json else click.echo(as_text(summary))
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
        click.echo(str(ranking))


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON)
def prune(as_json: bool, **options: Any) -> None:
    """Say which models the combination is better without. Needs labels."""
    with _spoken_errors():
        from stackingnet_sk.inspection import prune as find_path

        with _steps("Reading", "Fitting", "Pruning") as step:
            fitted = _fit(options, step)
            step()
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
    click.echo(str(path))
    click.echo(f"Keep {', '.join(map(str, kept))}.")
    click.echo(f"Drop {', '.join(map(str, dropped)) or 'none'}.")


@stackingnet.command()
@with_options(TABLE, *ROLES, *READING, *FITTING, JSON, FORCE, SEED)
@click.option("--out", default="report.html", show_default=True, help="The page.")
@click.option("--title", help="Its title.")
def report(
    as_json: bool, force: bool, seed: int, out: str, title: str | None, **options: Any
) -> None:
    """Write a page with all that can be said: one HTML file, to be opened or sent."""
    with _spoken_errors():
        from stackingnet_sk.cli.writing import refuse_existing
        from stackingnet_sk.report import report as make_report

        refuse_existing(out, force)
        source = options["table"]
        with _steps("Reading", "Fitting", "Reporting") as step:
            fitted = _fit(options, step)
            said, groups = fitted.roles.said, fitted.data.groups
            step()
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
        click.echo(f"Report in {out}.")


def _command_line() -> str:
    import shlex

    return "stackingnet " + shlex.join(sys.argv[1:])


def _separator(options: dict[str, Any]) -> dict[str, Any]:
    if options["separator"] == "tab":
        return {**options, "separator": "\t"}
    if options["separator"] is not None and len(options["separator"]) != 1:
        raise ValueError("--separator is one character, or 'tab'.")
    return options


def _fit(options: dict[str, Any], step: Callable[[], None]) -> Any:
    """Read and fit what the shared options describe."""
    from stackingnet_sk.cli.fitting import Long, Reading, build, fit, read_roles
    from stackingnet_sk.cli.guessing import Roles

    options = _separator(options)
    if options["label"] is not None and options["no_label"]:
        raise ValueError("--label and --no-label exclude each other.")
    long = None
    if options["model"] is not None or options["answer"] is not None:
        parts = {key: options[key] for key in ("item", "model", "answer")}
        absent = [f"--{key}" for key, value in parts.items() if value is None]
        if absent:
            raise ValueError(f"A long table needs {' and '.join(absent)} too.")
        long = Long(**parts, aggregate=options["aggregate"])
    elif options["aggregate"] is not None:
        raise ValueError("--aggregate is for long tables (--item, --model, --answer).")
    given = Roles(
        label=options["label"],
        item=options["item"],
        groups=options["group"],
        models=options["use"],
        ignored=options["ignore"],
        missing=options["missing"] or None,
        decimal=options["decimal"],
        task=None if options["task"] == "auto" else options["task"],
    )
    reading = Reading(
        **{key: options[key] for key in ("table", "format", "separator", "encoding")}
    )
    step()
    table, roles = read_roles(reading, given, long, options["no_label"])
    _say(roles.said)
    n_said = len(roles.said)
    own = ("low", "high", "constraint", "balanced", "classes")
    model = build(roles.task, **{key: options[key] for key in own})
    step()
    fitted = fit(table, roles, model)
    _say(roles.said[n_said:])
    return fitted


def _combined(model: Any, X: Any, name: str) -> dict[str, Any]:
    """Find the combined answers and how sure they are."""
    import pyarrow as pa

    from stackingnet_sk.cli.fitting import final_step, seen_by_final_step

    answers, estimator = seen_by_final_step(model, X), final_step(model)
    if hasattr(estimator, "classes_"):
        # `predict` is its arg-max.
        probabilities = estimator.predict_proba(answers)
        said = estimator.classes_[probabilities.argmax(axis=1)].tolist()
        sure = pa.array(probabilities.max(axis=1))
        return {name: pa.array(said), f"{name}_probability": sure}
    numbers = pa.array(estimator.predict(answers))
    error = pa.array(estimator.expected_error(answers) ** 0.5, from_pandas=True)
    return {name: numbers, f"{name}_error": error}


def _appended(table: Any, columns: dict[str, Any]) -> Any:
    for name, column in columns.items():
        if name in table.column_names:
            raise ValueError(f"The table has a column {name!r}; choose another --name.")
        table = table.append_column(name, column)
    return table


def _has_holes(answers: Any) -> bool:
    import numpy as np

    return bool(np.isnan(np.asarray(answers, dtype=np.float64)).any())


def _print_json(found: dict[str, Any]) -> None:
    from stackingnet_sk.cli.writing import to_json

    click.echo(to_json(found, indent=2))


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(sentence, err=True)


@contextmanager
def _steps(*names: str) -> Iterator[Callable[[], None]]:
    """Show what is being done, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    waiting = iter(names)
    with click.progressbar(length=len(names), file=sys.stderr) as bar:

        def step() -> None:
            bar.label = next(waiting)
            bar.update(1)

        yield step


@contextmanager
def _spoken_errors() -> Iterator[None]:
    """Say what is wrong in a line, and warnings too, without a traceback."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        except BrokenPipeError:
            # Who reads has seen enough; click ends in silence.
            raise
        except (ValueError, TypeError, OSError, ImportError) as error:
            _fail(error)
        finally:
            notes = [w.message for w in caught if issubclass(w.category, UserWarning)]
            # Both `fit` and `predict` may say it.
            _say(list(dict.fromkeys(f"Note: {_in_a_line(note)}" for note in notes)))


class _UnusableError(click.ClickException):
    exit_code = 2


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        message = f"{error.filename}: {error.strerror}."
    else:
        message = _in_a_line(error)
    raise _UnusableError(message) from error


def _in_a_line(message: object) -> str:
    """Say what Python is told, in the words of the command."""
    line = " ".join(str(message).split())
    for argument, option in _OPTIONS.items():
        line = line.replace(argument, option)
    if re.search(r"\brow \d", line):
        line += " (Rows are counted from 0, without the header.)"
    return line
