"""A law of loads on toy sizes."""

import numpy as np
import pytest

from traces.generators.loads import Condition, Curve, LoadLaw

PREFILL = Curve("prefill", "prompt_tokens", (512, 1024), [[0.0], [1.0]])
DECODE = Curve("decode", "output_tokens", (1,), [[2.0]])
LOG2 = np.log(2)
#: One layer of two experts; a coefficient of 1 doubles the first.
LAW = LoadLaw("toy", 1, [[0.0, 0.0]], [[[LOG2, 0.0]]], (PREFILL, DECODE))


@pytest.mark.parametrize(
    ("condition", "share"),
    [("prefill_in512", [1 / 2, 1 / 2]), ("prefill_in1024", [2 / 3, 1 / 3]), ("decode", [0.8, 0.2])],
)
def test_coefficients_times_directions(condition, share):
    """Weights are 1, 2 and 4 against 1."""
    assert LAW.share(condition) == pytest.approx(np.array([share]))


def test_mixtures_of_tokens_are_mixtures_of_loads():
    """Three decode tokens to one of prefill: 3/4 of 0.8 and 1/4 of 0.5."""
    mix = {Condition("decode"): 3, "prefill_in512": 1}
    assert LAW.share(mix)[0, 0] == pytest.approx(0.725)


def test_chances_add_up_to_top_k():
    """None is above 0.98; what is cut off goes to the others in proportion."""
    law = LoadLaw("toy", 2, [[5.0, 1.0, 0.0]], np.empty((0, 1, 3)), ()).replace(
        recordings={"mine": ()}
    )
    chance = law.chance("mine")
    assert chance.sum() == pytest.approx(2)
    assert chance.max() <= 0.98 + 1e-9


def test_samples_differ_by_the_residual():
    """Sample 0 has none; others have one of their own, the same each time."""
    law = LAW.replace(
        base=np.zeros((50, 100)), directions=np.zeros((1, 50, 100)), residual=0.1, seed=3
    )
    assert np.ptp(law.log_popularity("decode")) == 0
    one, two = law.log_popularity("decode", 1), law.log_popularity("decode", 2)
    assert one.std() == pytest.approx(0.1, rel=0.05)
    assert (one - two).std() == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    assert (one == law.log_popularity("decode", 1)).all()


def test_recordings_have_their_own_coefficients():
    """Names that state no condition are as good."""
    law = LAW.replace(recordings={"monday": (3.0,)})
    assert law.share("monday")[0, 0] == pytest.approx(8 / 9)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("monday", "another form"),
        ("decode:chat", "no loads for decode:chat; it has decode, prefill"),
        ("prefill", "no prompt_tokens"),
        ({}, "give one above 0"),
        ({"decode": -1.0}, "give one above 0"),
    ],
)
def test_unknown_conditions_are_refused(condition, message):
    """With what there is."""
    with pytest.raises(ValueError, match=message):
        LAW.share(condition)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": [0.0]}, "base has shape"),
        ({"base": [[np.nan, 0.0]]}, "beyond 100"),
        ({"directions": [[0.0, 0.0]]}, "directions have shape"),
        ({"top_k": 3}, "top_k = 3"),
        ({"model": ""}, "model = ''"),
        ({"residual": -1.0}, "residual = -1.0 is outside"),
        ({"sequence_correlation": 1.0}, "sequence_correlation = 1.0 is outside"),
        ({"seed": -1}, "seed = -1 < 0"),
        ({"domains": ("a",)}, "a curve has 1 coefficients for 0 directions"),
        ({"recordings": {"a": ()}}, "recording 'a' has 0 of 1 numbers"),
    ],
)
def test_odd_laws_are_refused(changes, message):
    """With the field."""
    with pytest.raises(ValueError, match=message):
        LAW.replace(**changes)


def test_a_negative_sample_is_refused():
    """Samples count from 1."""
    with pytest.raises(ValueError, match="sample = -1 < 0"):
        LAW.share("decode", -1)
