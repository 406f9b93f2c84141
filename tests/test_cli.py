"""The command, as a user calls it."""

import pytest

from stackingnet_sk import __version__
from stackingnet_sk.cli import main


def test_demo_shows_what_it_promises(capsys):
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    regression, classification = shown.split("Handwritten digits")
    for word in ("RMSE", "bias", "R2"):
        assert word in regression
    for word in ("reliability", "balanced accuracy", "log loss"):
        assert word in classification
    for part, task in ((regression, "Regressor"), (classification, "Classifier")):
        for word in ("poor", "Certificate: optimal", "best member", "constant"):
            assert word in part
        for rival in ("StackingNet", "Voting", "Stacking"):
            assert f"{rival}{task}" in part
        assert f"Ahead of StackingNet{task} in " in part


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
