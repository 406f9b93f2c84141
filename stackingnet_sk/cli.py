"""The command ``stackingnet``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from stackingnet_sk import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 on success; wrong arguments end the process with 2.
    """
    parser = argparse.ArgumentParser(
        prog="stackingnet",
        description="Combine the predictions of independent models.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="combine members on data that sklearn bundles")
    parser.parse_args(argv)

    # Not above: asking for help should not wait for a dozen estimators.
    from stackingnet_sk.demo import demo

    demo()
    return 0
