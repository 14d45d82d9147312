"""Kernel prices against hand-computed rooflines, and the laws solvers rely on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import Device, Model, Operators

OPERATORS = Operators(Device.preset("ascend-910c-die"), Model.preset("deepseek-v3"))
tokens = st.floats(0, 1e5, allow_subnormal=False)


def test_an_expert_costs_nothing_then_its_weights_then_flops() -> None:
    """44.04 MB over 0.84 of 1.6 TB/s is 32.8 µs; far beyond, every token adds its FLOPs."""
    launches = 2 * OPERATORS.device.kernels.grouped_launch_s
    assert OPERATORS.experts_s([0]) == 0
    assert OPERATORS.experts_s([1]) == pytest.approx(
        launches + 44_040_192 / (0.84 * 1.6e12), rel=0.02
    )
    assert OPERATORS.expert_compute_s(1) == OPERATORS.expert_compute_s(16)  # one tile of 16 rows
    flops = 2 * 44_040_192 / (0.79 * 752e12)
    assert OPERATORS.expert_compute_s(4096) == pytest.approx(4096 * flops)
    assert OPERATORS.experts_s([4096]) >= 4096 * flops


@given(st.integers(0, 10**5), st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_splitting_over_replicas_never_lowers_the_sums(tokens: int, parts: list[float]) -> None:
    """However the tokens of an expert are shared, its replicas read and compute no less."""
    shared = tokens * np.array(parts) / sum(parts)
    for price in (OPERATORS.expert_memory_s, OPERATORS.expert_compute_s):
        assert float(price(shared).sum()) >= float(price(tokens)) * (1 - 1e-9)


@given(tokens, tokens)
def test_more_tokens_are_never_faster(first: float, more: float) -> None:
    """Expert time rises with tokens, padding included."""
    assert OPERATORS.experts_s([first + more]) >= OPERATORS.experts_s([first]) * (1 - 1e-12)


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
    with pytest.raises(ValueError, match="no peak for 'fp8'"):
        Operators(OPERATORS.device, OPERATORS.model, weight_format="fp8")
    with pytest.raises(ValueError, match="core_share = 0"):
        Operators(OPERATORS.device, OPERATORS.model, core_share=0)
    with pytest.raises(ValueError, match="has no measured table"):
        Operators(OPERATORS.device, OPERATORS.model, source="measured")


def test_a_measured_grid_replaces_the_roofline_where_it_covers() -> None:
    """7168 x 2112 was not measured, 16384 x 7168 was: 51.677 µs for 64 rows, less the graph's."""
    v3, h800 = Model.preset("deepseek-v3"), Device.preset("h800")
    measured, modelled = (Operators(h800, v3, source=name) for name in ("measured", "roofline"))
    assert float(measured.gemm_s(64, 16384, 7168)) == pytest.approx(51.677e-6)
    assert measured.gemm_s(64, 7168, 2112) == modelled.gemm_s(64, 7168, 2112)
    between = measured.gemm_s([64, 96, 128], 16384, 7168)
    assert between[0] < between[1] < between[2]
    assert measured.gemm_s(10**6, 16384, 7168) == modelled.gemm_s(10**6, 16384, 7168)
    tokens = np.full(8, 64.0)
    assert measured.experts_s(tokens) == pytest.approx(modelled.experts_s(tokens), rel=0.15)
    assert measured.experts_s(tokens) != modelled.experts_s(tokens)


def test_windows_and_linear_layers_read_less() -> None:
    """Every second layer of gpt-oss sees 128 tokens; 36 of 48 layers of Qwen3-Next none."""
    assert Model.preset("gpt-oss-120b").attended_tokens(4096) == (4096 + 128) / 2
    assert Model.preset("qwen3-next-80b-a3b").attended_tokens(4096) == 1024
    assert Model.preset("deepseek-v3.2").attended_tokens(65536) == 2048
