"""Kernel prices against hand-computed rooflines, and the laws solvers rely on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import Device, Model, Operators

OPERATORS = Operators(Device.preset("ascend-910c-die"), Model.preset("deepseek-v3"))
tokens = st.floats(0, 1e5, allow_subnormal=False)


def test_an_expert_costs_nothing_then_its_weights_then_flops() -> None:
    """44.04 MB over 0.84 of 1.6 TB/s is 32.8 µs; far beyond, every token adds its FLOPs."""
    assert OPERATORS.expert_s(0) == 0
    assert OPERATORS.expert_s(1) == pytest.approx(44_040_192 / (0.84 * 1.6e12))
    assert OPERATORS.expert_s(64) == OPERATORS.expert_s(1)
    assert OPERATORS.expert_s(4096) == pytest.approx(4096 * 2 * 44_040_192 / (0.79 * 752e12))


@given(tokens, tokens)
def test_expert_time_is_subadditive_and_never_falls(first: float, more: float) -> None:
    """Splitting tokens over replicas never lowers the sum; more tokens are never faster."""
    both = float(OPERATORS.expert_s(first + more))
    assert both >= float(OPERATORS.expert_s(first)) * (1 - 1e-12)
    assert both <= float(OPERATORS.expert_s(first) + OPERATORS.expert_s(more)) * (1 + 1e-12)


def test_decode_attention_of_v3_is_bound_by_compute() -> None:
    """128 heads: 2 * 128 * (2 * 512 + 64) FLOPs for each cached token at 0.654 of 376 TFLOPS."""
    added = OPERATORS.attention_s(48, 4096) - OPERATORS.attention_s(48, 0)
    assert added == pytest.approx(48 * 4096 * 2 * 128 * 1088 / (0.654 * 376e12))


def test_decode_attention_of_few_heads_is_bound_by_memory() -> None:
    """V2-Lite's 16 heads read 1,152 bytes a cached token at 0.841 of 1.6 TB/s."""
    lite = Operators(OPERATORS.device, Model.preset("deepseek-v2-lite"))
    added = lite.attention_s(48, 4096) - lite.attention_s(48, 0)
    assert added == pytest.approx(48 * 4096 * 1152 / (0.841 * 1.6e12))


def test_attention_never_falls_with_tokens_or_context() -> None:
    """Prices rise along both axes, in both phases."""
    for phase in ("decode", "prefill"):
        times = OPERATORS.attention_s([1, 8, 64, 512, 4096], 1024, phase)
        assert (times[1:] >= times[:-1]).all()
        assert OPERATORS.attention_s(64, 2048, phase) > OPERATORS.attention_s(64, 1024, phase)


def test_unknown_phase_and_format_are_refused() -> None:
    """Neither falls back to another."""
    with pytest.raises(ValueError, match="phase = 'train'"):
        OPERATORS.attention_s(1, 1, "train")
    fp8 = Operators(OPERATORS.device, OPERATORS.model, weight_format="fp8")
    with pytest.raises(ValueError, match="no peak for 'fp8'"):
        fp8.expert_s(1)
