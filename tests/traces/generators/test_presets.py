"""Presets have the published skews."""

import numpy as np
import pytest

import traces
from traces import generators
from traces.generated import GENERATED
from traces.generators import PRESETS, preset
from traces.generators import loads as loads_of
from traces.generators.measures import above_mean, hottest_over_mean, moved_next


def loads(name):
    """Return [1, layers, experts] loads over all steps."""
    return traces.load(name).counts.sum(axis=0, dtype=float)[None]


def test_xdeepserve():
    """A fifth of the experts above the mean, the hottest about 30 times it: within a tenth."""
    load = loads("xdeepserve-skew")
    assert above_mean(load) == pytest.approx(0.20, rel=0.1)
    assert hottest_over_mean(load) == pytest.approx(30, rel=0.1)


def test_tensorrt_llm():
    """(max - mean) / mean of 10.95 an expert and 1.564 a rank at EP32, within a tenth."""
    load = loads("tensorrt-llm-ep32")
    assert hottest_over_mean(load) - 1 == pytest.approx(10.95, rel=0.1)
    ranks = load.reshape(1, 58, 32, 8).sum(axis=3)
    assert hottest_over_mean(ranks) - 1 == pytest.approx(1.564, rel=0.1)


@pytest.mark.parametrize(
    ("name", "shape", "groups"),
    [("deepseek-v3-decode", (58, 256, 8), (8, 4)), ("kimi-k2-decode", (60, 384, 8), (1, 1))],
)
def test_shapes_of_models(name, shape, groups):
    """Layers, experts, top_k, groups; and windows of eight steps differ by more than drawing."""
    law = preset(name)
    assert (law.layers, law.experts, law.top_k) == shape
    assert (law.groups, law.groups_kept) == groups
    windows = generators.trace(law.replace(groups=1, groups_kept=1), 64).windows(8)
    by_chance = np.sqrt(windows).sum() / windows.sum() / np.sqrt(np.pi)
    shares = windows / windows.sum(axis=2, keepdims=True)
    assert moved_next(shares) > 3 * by_chance


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("deepseek-r1-decode", "decode_in1000out1000"),
        ("deepseek-r1-prefill", "prefill_in1024"),
    ],
)
def test_measured_loads(name, condition):
    """Over all steps those of the law of loads: total variation below 0.01."""
    trace = traces.load(name)
    wanted = loads_of.preset("deepseek-r1").share(condition)
    whole = trace.counts.sum(axis=0, dtype=float)
    assert loads_of.distance(whole, wanted).total_variation < 0.01
    assert trace.phase == condition.split("_")[0]


def test_presets_open_by_name():
    """The list that loads nothing has them all."""
    assert set(PRESETS) == set(GENERATED) - {"ar1-drift"}


def test_an_unknown_name_is_refused():
    """With the nearest one."""
    with pytest.raises(ValueError, match="nearest: kimi-k2-decode"):
        preset("kimi-k2")
