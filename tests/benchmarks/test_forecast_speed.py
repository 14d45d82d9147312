"""Speed of the forecasters at DeepSeek-V3 size and eight windows, beside the yardstick.

The yardstick is ``numpy.argsort(load, axis=1)`` of one [58, 256] window, as in ``test_speed.py``.
"""

import numpy as np
import pytest

import lb

WINDOWS = np.random.default_rng(0).lognormal(size=(8, 58, 256)) * 100


@pytest.mark.benchmark(group="forecast 8 windows of 58x256")
def test_yardstick_argsort(benchmark):
    """The yardstick itself."""
    benchmark(np.argsort, WINDOWS[0], axis=1)


@pytest.mark.benchmark(group="forecast 8 windows of 58x256")
@pytest.mark.parametrize("name", lb.available_forecasters())
def test_forecast(benchmark, name):
    """A forecaster, checks of the windows included; `learned` fits itself each time."""
    benchmark(lb.make_forecaster(name), WINDOWS)


@pytest.mark.benchmark(group="forecast 8 windows of 58x256")
def test_forecast_fitted(benchmark):
    """What was fitted before."""
    benchmark(lb.make_forecaster("learned").fit(WINDOWS), WINDOWS)
