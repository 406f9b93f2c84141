"""Frames need narwhals; arrays do not."""

import sys

import numpy as np
import pandas as pd
import pytest

from stackingnet_sk.datasets import from_long, from_snorkel, from_wide, make_experts


@pytest.fixture
def without_narwhals(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)


@pytest.mark.usefixtures("without_narwhals")
@pytest.mark.parametrize(
    "read",
    [
        lambda: from_wide(pd.DataFrame({"a": [1]})),
        lambda: from_long(pd.DataFrame({"task": [1], "worker": [1], "label": [1]})),
        lambda: from_snorkel(pd.DataFrame({"f": [0, -1]})),
    ],
    ids=["wide", "long", "snorkel"],
)
def test_without_narwhals_frames_are_refused_with_what_to_install(read):
    with pytest.raises(ImportError, match=r"pip install 'stackingnet_sk\[frames\]'"):
        read()


@pytest.mark.usefixtures("without_narwhals")
def test_without_narwhals_arrays_are_read():
    assert len(from_snorkel(np.array([[0, -1]]))) == 1
    assert len(make_experts(5, 2, random_state=0)) == 5
