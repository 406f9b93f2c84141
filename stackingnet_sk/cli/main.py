"""Where the command begins, with click or without."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from stackingnet_sk import __version__

_NEED_CLICK = ("combine", "rank", "prune", "report", "predict")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 if all is done, 2 if arguments, a table or a file can't be used
        (nothing is written then), 1 after an interruption or a bug.

    Examples
    --------
    >>> from stackingnet_sk.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    stackingnet ...
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        import click  # noqa: F401
    except ImportError:
        run = _run_demo_only
    else:
        from stackingnet_sk.cli.commands import run
    try:
        run(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _run_demo_only(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="stackingnet",
        description="Combine the predictions of independent models.",
    )
    version = f"stackingnet {__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="combine members on data that sklearn bundles")
    if arguments[:1] and arguments[0] in _NEED_CLICK:
        parser.error(
            f"{arguments[0]} needs click, pyarrow, narwhals, skops and jinja2: "
            "pip install 'stackingnet_sk[cli]'"
        )
    parser.parse_args(arguments)

    # Imported here, so that --help does not wait for scikit-learn.
    from stackingnet_sk.demo import demo

    demo()
