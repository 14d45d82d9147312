"""Kernel prices against hand-computed rooflines, and the laws solvers rely on."""

from dataclasses import replace

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


H800, H20 = Device.preset("h800"), Device.preset("h20")


def test_linear_attention_in_prefill_touches_its_state_once_a_chunk() -> None:
    """4,096 tokens of Qwen3-Next on H20 take 592 µs in six kernels, not 4.5 ms."""
    model = Model.preset("qwen3-next-80b-a3b")
    operators = Operators(H20, model)
    assert operators.linear_attention_s(4096, "prefill") == pytest.approx(592e-6, rel=0.25)
    state, kernels = model.linear_state_bytes, H20.kernels
    # Its state decides in decode: read and written once a sequence, whatever the draft tokens.
    decode = operators.linear_attention_s([0, 512, 1024])
    data = 2 * 512 * state / (4e12 * kernels.state_memory)
    assert np.diff(decode) == pytest.approx([data, data])
    assert operators.linear_attention_s(1024, "decode", 2.0) == decode[1]
    parts = operators.attention_parts(4096, 4096, "prefill")
    share = model.linear_layers / model.layers
    assert parts["linear state"] == share * operators.linear_attention_s(4096, "prefill")


def test_sparse_attention_stays_absorbed_in_prefill() -> None:
    """4,096 tokens that each read 2,048 take 3.7 ms on H800: 2,176 FLOPs a head, not 640."""
    model = Model.preset("deepseek-v3.2")
    operators = Operators(H800, model)
    assert operators.attention_core_s(4096, 65536, "prefill") == pytest.approx(3.78e-3, rel=0.1)
    assert {"absorption"} < set(operators.attention_parts(64, 4096, "prefill"))
    dense = Operators(H800, Model.preset("deepseek-v3"))
    assert "absorption" not in dense.attention_parts(64, 4096, "prefill")


def test_the_indexer_reads_its_keys_once_a_sequence_in_prefill() -> None:
    """2,048 tokens on 131,072 keys take 3.75 ms on H800, bound by products."""
    operators = Operators(H800, Model.preset("deepseek-v3.2"))
    context = 131072 - 1023.5
    found = operators.indexer_s(2048, context, "prefill")
    assert found == pytest.approx(3.746e-3, rel=0.05)
    # In decode every sequence reads its own keys, draft tokens together.
    one = operators.indexer_s(64, 131072)
    assert one == pytest.approx(394e-6, rel=0.2)
    assert operators.indexer_s(128, 131072, "decode", 2.0) == pytest.approx(one)


def test_an_eight_bit_cache_is_converted() -> None:
    """It streams 1.2 times as fast as 16 bits for grouped queries, not twice."""
    model = replace(Model.preset("qwen3-235b-a22b"), heads=32, kv_heads=8)
    wide, narrow = (Operators(H20, model, kv_format=form) for form in ("bf16", "fp8"))
    added = [o.attention_core_s(64, 65536) - o.attention_core_s(64, 0) for o in (wide, narrow)]
    assert added[0] / added[1] == pytest.approx(1.2)


def test_latent_heads_are_computed_in_tiles() -> None:
    """16 heads fill a tile of 64 with four draft tokens, and pay for 64 with one."""
    model = replace(Model.preset("deepseek-v3"), heads=16)
    kernels = replace(H800.kernels, tile_heads=64, attention_memory=1.0)
    fast = replace(H800, kernels=kernels, hbm_bytes_per_s=1e18)

    def added(tokens: float, queries: float) -> float:
        operators = Operators(fast, model)
        core = operators.attention_core_s
        return float(core(tokens, 65536, "decode", queries) - core(tokens, 0, "decode", queries))

    assert added(64, 1.0) == pytest.approx(added(256, 4.0), rel=1e-6)


def test_each_resident_expert_costs_beside_its_work() -> None:
    """Sixty more slots without tokens cost sixty times the constant, and an idle rank nothing."""
    operators = Operators(H800, Model.preset("deepseek-v3"))
    tokens = np.zeros(64)
    assert operators.experts_s(tokens) == 0
    tokens[:4] = 8.0
    added = operators.experts_s(tokens) - operators.experts_s(tokens[:4])
    assert added == pytest.approx(60 * H800.kernels.resident_expert_s)
