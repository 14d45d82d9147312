"""Impossible options of a price are refused."""

import pytest

from evaluation.serving.pricing.options import PriceOptions


@pytest.mark.parametrize("name", ["host_s", "drafts_s"])
@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_impossible_times_are_refused(name: str, seconds: float) -> None:
    """The message names the time and the broken inequality."""
    with pytest.raises(ValueError, match=f"{name} = {seconds} breaks 0 <= {name} < infinity"):
        PriceOptions(**{name: seconds})
