"""What the tests of streams and of Dask collections share."""

from numpy.testing import assert_allclose

N_ROWS, NAMES = 120, list("abcde")


def assert_same(model, other, table, rtol=1e-10):
    pairs = {
        name: [getattr(each, name) for each in (model, other)]
        for name in ("weights_", "intercept_", "reliability_")
    }
    pairs["error"] = [each.solution_.expected_error for each in (model, other)]
    for method in ("predict", "expected_error"):
        pairs[method] = [getattr(each, method)(table) for each in (model, other)]
    for name, (found, expected) in pairs.items():
        assert_allclose(found, expected, rtol=rtol, atol=1e-12, err_msg=name)
