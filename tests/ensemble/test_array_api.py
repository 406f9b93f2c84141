"""Tables of other array libraries; the cases need a process with scipy's setting."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from stackingnet_sk import StackingNetRegressor

CASES = Path(__file__).with_name("array_api_cases.py")


def test_cases():
    pytest.importorskip("array_api_strict")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout


def test_tensors_are_arrays_where_nothing_is_set():
    """As scikit-learn has it: without the setting they are converted."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    truth = rng.normal(size=100)
    P = truth[:, None] + rng.normal(size=(100, 3))
    model = StackingNetRegressor().fit(torch.asarray(P), torch.asarray(truth))
    plain = StackingNetRegressor().fit(P, truth)

    assert_array_equal(model.weights_, plain.weights_)
    assert_array_equal(model.predict(torch.asarray(P)), plain.predict(P))
