"""The command ``stackingnet``."""

from stackingnet_sk.cli.main import main

__all__ = ["main"]
