"""Impossible settings of a search are refused."""

import pytest

from evaluation.serving.plan.search_settings import SearchSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.1}, "--share 1.1 breaks 0 <= share <= 1"),
        ({"margin": -1.0}, "--margin -1 breaks 0 <= margin"),
        ({"jobs": 0}, "--jobs 0 < 1"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    """The message names the option and the broken inequality."""
    with pytest.raises(ValueError, match=message):
        SearchSettings(**settings)
