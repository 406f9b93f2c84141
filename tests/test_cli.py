"""The command, as a user calls it."""

import pytest

from stackingnet_sk import __version__
from stackingnet_sk.cli import main


def test_demo_shows_what_it_promises(capsys):
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    for word in ("poor", "RMSE", "bias", "Certificate: optimal"):
        assert word in shown
    for rival in ("VotingRegressor", "StackingRegressor", "best member", "constant"):
        assert rival in shown


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("arguments", [[], ["unknown"]])
def test_wrong_arguments_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: stackingnet" in capsys.readouterr().err
