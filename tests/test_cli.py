"""The command, as a user calls it."""

import pytest

from stackingnet_sk import __version__
from stackingnet_sk.cli import main


def test_demo_shows_what_it_promises(capsys):
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    for word in ("RMSE", "bias", "reliability", "balanced accuracy", "log loss"):
        assert word in shown
    for task, metric in (("Regressor", "R2"), ("Classifier", "accuracy")):
        assert f"Ahead of StackingNet{task} in {metric}: " in shown
    # Regressors, then classifiers.
    for word in ("poor", "Certificate: optimal", "best member", "constant"):
        assert shown.count(word) == 2
    for task in ("Regressor", "Classifier"):
        for rival in ("StackingNet", "Voting", "Stacking"):
            assert f"{rival}{task}" in shown


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
