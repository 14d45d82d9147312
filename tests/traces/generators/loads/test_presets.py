"""Presets of other models."""

import numpy as np
import pytest

import traces
from traces.generators import loads
from traces.generators.loads.deepseek_r1 import CONDITIONS


@pytest.mark.parametrize(
    ("name", "shape"),
    [("deepseek-r1", (58, 256, 8)), ("qwen3-235b", (94, 128, 8)), ("kimi-k2", (60, 384, 8))],
)
def test_sizes(name, shape):
    """Layers, experts, top_k; and no token has to take an expert twice."""
    law = loads.preset(name)
    assert (law.num_layers, law.num_experts, law.top_k) == shape
    for condition in CONDITIONS:
        assert law.chance(condition).max() <= 0.98 + 1e-9
        assert law.chance(condition).sum(axis=1) == pytest.approx(8)


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


def test_kimi_has_no_groups():
    """Fullest of 8 blocks of consecutive experts about that of shuffled ones: within 5 %."""
    share = loads.preset("kimi-k2").share("decode_in1000out1000")
    shuffled = np.random.default_rng(0).permuted(share, axis=1)
    fullest, by_chance = (
        8 * one.reshape(60, 8, 48).sum(axis=2).max(axis=1).mean() for one in (share, shuffled)
    )
    assert fullest == pytest.approx(by_chance, rel=0.05)


def test_an_unknown_name_is_refused():
    """With the nearest one."""
    with pytest.raises(ValueError, match="nearest: deepseek-r1"):
        loads.preset("deepseek")
