"""Presets of other models."""

import numpy as np
import pytest

import traces
from traces.generators import loads
from traces.generators.loads.deepseek_r1 import CONDITIONS


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("deepseek-r1", (58, 256, 8)),
        ("qwen3-235b", (94, 128, 8)),
        ("kimi-k2", (60, 384, 8)),
        ("gpt-oss-120b", (36, 128, 4)),
    ],
)
def test_sizes(name, shape):
    """Layers, experts, top_k; and no token has to take an expert twice."""
    law = loads.preset(name)
    assert (law.num_layers, law.num_experts, law.top_k) == shape
    for condition in CONDITIONS:
        assert law.chance(condition).max() <= 0.98 + 1e-9
        assert law.chance(condition).sum(axis=1) == pytest.approx(shape[2])


@pytest.mark.parametrize("task", ["intent", "summary", "translation"])
def test_bundled_recordings_come_back(task):
    """Three recordings differ along two directions, so that each is met exactly."""
    experts = traces.load(f"dsv2lite-{task}").experts
    counts = [np.bincount(layer.ravel(), minlength=64) for layer in experts.swapaxes(0, 1)]
    share = loads.preset("deepseek-v2-lite").share(f"prefill:{task}")
    assert loads.distance(counts, share).total_variation < 1e-3


def test_qwen_meets_the_published_rank_load():
    """Fullest of 4 ranks 1.333 times the mean with prompts of 512 (gains on GB200): within 3 %."""
    share = loads.preset("qwen3-235b").share("prefill_in512")
    fullest = 4 * share.reshape(94, 4, 32).sum(axis=2).max(axis=1)
    assert fullest.mean() == pytest.approx(1.333, rel=0.03)


@pytest.mark.parametrize("name", ["kimi-k2", "gpt-oss-120b"])
def test_no_groups_of_experts(name):
    """Fullest of 8 blocks of consecutive experts about that of shuffled ones: within 5 %."""
    share = loads.preset(name).share("decode_in1000out1000")
    shuffled = np.random.default_rng(0).permuted(share, axis=1)
    fullest, by_chance = (
        8 * one.reshape(len(one), 8, -1).sum(axis=2).max(axis=1).mean() for one in (share, shuffled)
    )
    assert fullest == pytest.approx(by_chance, rel=0.05)


@pytest.mark.parametrize("name", ["qwen3-235b", "kimi-k2", "gpt-oss-120b"])
def test_the_shape_of_deepseek_r1_in_another_size(name):
    """Deviations within 2 %; distances of conditions within 15 %, of their correlations 0.03.

    The hottest expert is farther above the mean where there are more experts.
    """
    law, r1 = loads.preset(name), loads.preset("deepseek-r1")
    names = "decode_in1000out1000", "decode_in2000out100", "prefill_in1024"
    for condition in names:
        found, expected = (np.log(one.share(condition)).std(axis=1).mean() for one in (law, r1))
        assert found == pytest.approx(expected, rel=0.02)
    for pair in ((names[0], names[1]), (names[0], names[2])):
        found, expected = (
            loads.distance(one.share(pair[0]), one.share(pair[1])) for one in (law, r1)
        )
        assert found.total_variation == pytest.approx(expected.total_variation, rel=0.15)
        assert found.log_ratio_deviation == pytest.approx(expected.log_ratio_deviation, rel=0.15)
        assert found.correlation == pytest.approx(expected.correlation, abs=0.03)
    hottest, of_r1 = (one.num_experts * one.share(names[0]).max(axis=1).mean() for one in (law, r1))
    assert (hottest > of_r1) == (law.num_experts > 256)


def test_an_unknown_name_is_refused():
    """With the nearest one."""
    with pytest.raises(ValueError, match="nearest: deepseek-r1"):
        loads.preset("deepseek")
