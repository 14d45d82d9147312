"""Directions are estimated from recordings."""

import numpy as np
import pytest

import traces
from traces import RoutingTrace
from traces.generators import loads
from traces.generators.loads import deepseek_r1, modes
from traces.generators.loads.modes import curves_of

RANDOM = np.random.default_rng(5)
BASE = RANDOM.standard_normal((4, 32))
DIRECTIONS = RANDOM.standard_normal((2, 4, 32))
#: Coefficients on two directions by name.
MADE = {
    "prefill_in512": (0.5, 0.0),
    "prefill_in1024": (0.2, 0.0),
    "prefill_in2048": (-0.3, 0.1),
    "decode_in1000out100": (0.1, 0.8),
    "decode_in1000out1000": (-0.4, -0.5),
}


def counts(coefficients, tokens=1e8):
    """Return counts [layers, experts] with these coefficients."""
    share = np.exp(BASE + np.tensordot(coefficients, DIRECTIONS, axes=1))
    return np.rint(tokens * share / share.sum(axis=1, keepdims=True))


RECORDED = {name: counts(row) for name, row in MADE.items()}


def test_as_many_directions_as_were_put_in():
    """Two, and they carry nearly everything."""
    found = modes(RECORDED)
    assert found.directions.shape == (2, 4, 32)
    assert found.explained > 0.98
    assert found.by_chance < 1e-4
    assert np.einsum("kle,mle->km", found.directions, found.directions) == pytest.approx(np.eye(2))
    assert found.coordinates.sum(axis=0) == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("name", RECORDED)
def test_the_law_gives_the_recordings_back(name):
    """Total variation below 0.02 by name, and 0.001 if every direction is kept."""
    law = modes(RECORDED).law()
    assert loads.distance(RECORDED[name], law.share(name)).total_variation < 0.02
    every = modes(RECORDED, directions=4).law()
    assert loads.distance(RECORDED[name], every.share(name)).total_variation < 1e-3


def test_the_law_goes_between_the_recordings():
    """A prompt of 1,448 tokens, half-way from 1,024 to 2,048, has loads between those of both."""
    law = modes(RECORDED).law()
    made = counts(np.mean([MADE["prefill_in1024"], MADE["prefill_in2048"]], axis=0))
    assert loads.distance(made, law.share("prefill_in1448")).total_variation < 0.03
    with pytest.raises(ValueError, match="no loads for prefill_in1448:code"):
        law.share("prefill_in1448:code")


def test_the_law_of_deepseek_r1_is_found_again():
    """Counts of a million tokens: three directions of 98.5 %, and loads of unseen lengths."""
    made = loads.preset("deepseek-r1")
    random = np.random.default_rng(0)
    traces_by_name = {}
    for sample, name in enumerate(deepseek_r1.CONDITIONS, 1):
        drawn = random.multinomial(8_000_000, made.share(name, sample))
        traces_by_name[name] = RoutingTrace(drawn[None], "deepseek-r1", 8)
    found = modes(traces_by_name)
    assert len(found.directions) == 3
    assert found.explained == pytest.approx(0.985, abs=0.01)
    law = found.law()
    assert (law.model, law.top_k, law.residual) == (
        "deepseek-r1",
        8,
        pytest.approx(0.026, abs=0.01),
    )
    for unseen in ("prefill_in3000", "decode_in1000out500"):
        apart = loads.distance(made.share(unseen), law.share(unseen))
        assert apart.total_variation < 0.03


def test_every_kind_of_recording(tmp_path):
    """Token traces, stored ones and arrays of windows are added up over their steps."""
    tokens = {name: traces.load(f"dsv2lite-{name}") for name in ("intent", "summary")}
    traces.save(tokens["intent"], tmp_path / "intent.parquet")
    stored = traces.open(tmp_path / "intent.parquet")
    steps = tokens["summary"].split(256).counts()
    found = modes({"intent": stored, "summary": steps})
    assert (found.model, found.top_k) == ("deepseek-v2-lite", 6)
    assert found.coordinates == pytest.approx(modes({**tokens, "summary": steps}).coordinates)
    arrays = modes({"a": steps.counts, "b": steps.counts[:5]}, model="mine", top_k=6)
    assert arrays.law().model == "mine"


def test_drawing_tokens_is_told():
    """Two samples of the same loads differ by nothing else; about all of the variance is chance."""
    random = np.random.default_rng(1)
    share = counts((0, 0)) / counts((0, 0)).sum(axis=1, keepdims=True)
    drawn = {name: random.multinomial(100_000, share) for name in "abcdef"}
    assert modes(drawn).by_chance == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("recordings", "arguments", "message"),
    [
        ({"a": [[1, 2]]}, {}, "1 recordings are given"),
        ({"a": [[1, 2]], "b": [[1, 2, 3]]}, {}, "recording 'b' has"),
        ({"a": [[1, 2]], "b": [[2, 4]]}, {}, "the same shares"),
        ({"a": [[1, 2]], "b": [[0, 0]]}, {}, "layer 0 has no load"),
        ({"a": [[1, 2]], "b": [[1, -1]]}, {}, "is -1.0; give tokens >= 0"),
        ({"a": [[1, 2]], "b": [[2, 1]]}, {"directions": 2}, "directions = 2 is outside"),
        (
            {
                "a": RoutingTrace(np.ones((1, 1, 2)), "x", 1),
                "b": RoutingTrace(np.ones((1, 1, 2)), "y", 1),
            },
            {},
            "different models",
        ),
    ],
)
def test_odd_recordings_are_refused(recordings, arguments, message):
    """With what is wrong."""
    with pytest.raises(ValueError, match=message):
        modes(recordings, **arguments)


def test_recordings_without_lengths_make_no_curve():
    """They go by name; those that state a phase alone are averaged."""
    found = modes({"prefill": counts((1, 0)), "monday": counts((0, 0)), "decode": counts((0, 1))})
    law = found.law()
    assert law.share("prefill") == pytest.approx(law.share("prefill_in77"), rel=1e-6)
    assert {curve.phase for curve in law.curves} == {"prefill", "decode"}
    assert "monday" in law.recordings


def test_recordings_of_nearly_one_length_are_one_knot():
    """A quarter of a doubling at most: 500 and 512, but not 1,000. Else noise would make slopes."""
    names = ("prefill_in500", "prefill_in512", "prefill_in1000")
    (curve,) = curves_of(names, np.array([[0.0], [1.0], [2.0]]))
    assert curve.knots == pytest.approx([np.sqrt(500 * 512), 1000])
    assert curve.values.tolist() == [[0.5], [2.0]]


@pytest.mark.parametrize(
    ("names", "axis"),
    [
        (("decode_in100out100", "decode_in1000out1000"), "output_tokens"),
        (("decode_in100out100", "decode_in1000out100"), "prompt_tokens"),
        (("prefill_in100out100", "prefill_in1000out1000"), "prompt_tokens"),
        (("prefill_in100", "prefill_in1000out1000"), "prompt_tokens"),
    ],
)
def test_the_length_that_differs_counts(names, axis):
    """If both do, that of the phase; never one that is not known of all."""
    (curve,) = curves_of(names, np.array([[0.0], [1.0]]))
    assert curve.axis == axis
