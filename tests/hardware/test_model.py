"""Model shapes reproduce the published sizes."""

import dataclasses
import re
from pathlib import Path

import pytest

from hardware import Model
from hardware.preset import FOLDER


@pytest.mark.parametrize(
    ("name", "moe_layers", "expert_params", "kv_bytes"),
    [
        ("deepseek-v3", 58, 44_040_192, 70_272),
        ("deepseek-v2-lite", 26, 8_650_752, 31_104),
        ("olmoe-1b-7b", 16, 6_291_456, 131_072),
        ("kimi-k3", 92, 33_030_144, 27_648),
        ("step-3", 56, 110_100_480, 62_464),
        ("minimax-m1", 80, 169_869_312, 40_960),
        ("gpt-oss-120b", 36, 24_883_200, 36_864),
        ("qwen3-next-80b-a3b", 48, 3_145_728, 24_576),
        ("qwen3.5-397b-a17b", 60, 12_582_912, 30_720),
        ("glm-5", 75, 37_748_736, 89_856),
        ("deepseek-v3.2", 58, 44_040_192, 70_272),
    ],
)
def test_published_sizes(name: str, moe_layers: int, expert_params: int, kv_bytes: int) -> None:
    """Expert weights, and BF16 bytes a token adds to the cache of full layers, are published."""
    model = Model.preset(name)
    assert model.moe_layers == moe_layers
    assert model.expert_params == expert_params
    assert model.expert_bytes(2.0) == 2 * expert_params
    assert model.kv_bytes_per_token() * model.full_attention_layers == kv_bytes


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("deepseek-v2", 236),
        ("deepseek-v2-lite", 15.7),
        ("deepseek-v3", 685),
        ("glm-4.5", 355),
        ("glm-4.5-air", 106),
        ("glm-5", 744),
        ("gpt-oss-120b", 117),
        ("kimi-k2", 1030),
        ("kimi-k3", 2800),
        ("minimax-m1", 456),
        ("minimax-m2", 230),
        ("mixtral-8x22b", 141),
        ("olmoe-1b-7b", 6.9),
        ("qwen3-235b-a22b", 235),
        ("qwen3-30b-a3b", 30.5),
        ("qwen3-coder-480b-a35b", 480),
        ("qwen3-next-80b-a3b", 80),
        ("qwen3.5-397b-a17b", 397),
        ("step-3", 316),
    ],
)
def test_params_are_the_published_total(name: str, billions: float) -> None:
    """All weights add up to the number on the model's card, within 5 %."""
    assert Model.preset(name).params == pytest.approx(billions * 1e9, rel=0.05)


def test_an_mtp_layer_counts_as_one_more_moe_layer() -> None:
    """DeepSeek-V3 has 671 billion weights without its MTP module, which weighs a layer."""
    model = Model.preset("deepseek-v3")
    bare = dataclasses.replace(model, mtp=0)
    assert bare.params == pytest.approx(671e9, rel=0.001)
    shared = experts = model.expert_params
    layer = model.attention_params + 256 * experts + shared + 256 * 7168
    assert model.params - bare.params == layer


def test_attention_params_of_grouped_queries() -> None:
    """Query and output are hidden by heads, key and value hidden by KV heads."""
    model = Model.preset("olmoe-1b-7b")
    assert model.attention_params == 4 * 2048 * 2048


def test_a_low_rank_query_replaces_a_dense_one() -> None:
    """Grouped queries through a rank cost hidden x rank + rank x heads x width."""
    query = 7168 * 2048 + 2048 * 64 * 256
    assert Model.preset("step-3").attention_params == query + 7168 * 256 * (2 + 64)


def test_shared_and_latent_widths() -> None:
    """Shared experts run at the full width; routed ones at the latent width, if there is one."""
    latent = Model.preset("kimi-k3")
    assert (latent.routed_width, latent.latent_params) == (3584, 2 * 7168 * 3584)
    assert latent.shared_params == 2 * 3 * 7168 * 3072
    plain = Model.preset("deepseek-v2")
    assert (plain.routed_width, plain.latent_params) == (5120, 0)
    assert plain.shared_params == 2 * plain.expert_params
    wide = dataclasses.replace(plain, shared_inter=2 * plain.moe_inter)
    assert wide.shared_params == 2 * plain.shared_params


def test_an_indexer_weighs_only_where_attention_is_sparse() -> None:
    """Its queries come from the low rank; one key and a weight a head from the hidden width."""
    sparse = Model.preset("deepseek-v3.2")
    assert sparse.indexer_params == 1536 * 64 * 128 + 7168 * (128 + 64)
    assert Model.preset("deepseek-v3").indexer_params == 0
    dense = dataclasses.replace(sparse, index_top_k=0, index_heads=0, index_dim=0)
    assert sparse.params - dense.params == 62 * sparse.indexer_params


@pytest.mark.parametrize(
    ("name", "kv_tokens", "attended"),
    [
        ("deepseek-v3", 8192, 8192),
        ("deepseek-v3.2", 1000, 1000),
        ("deepseek-v3.2", 8192, 2048),
        ("gpt-oss-120b", 100, 100),
        ("gpt-oss-120b", 8192, (8192 + 128) / 2),
        ("qwen3-next-80b-a3b", 8192, 8192 / 4),
        ("minimax-m1", 8192, 8192 / 8),
        ("kimi-k3", 9300, 2400),
    ],
)
def test_attended_tokens(name: str, kv_tokens: int, attended: float) -> None:
    """Full layers read all or the selected tokens, windowed ones the window, linear ones none."""
    assert Model.preset(name).attended_tokens(kv_tokens) == pytest.approx(attended)


@pytest.mark.parametrize(
    ("name", "kv_tokens", "cached"),
    [
        ("deepseek-v3", 1000, 1000 * 70_272),
        ("deepseek-v3.2", 4096, 4096 * (70_272 + 61 * 128)),
        ("gpt-oss-120b", 1000, (1000 + 128) * 36_864),
        ("gpt-oss-120b", 100, 200 * 36_864),
        ("qwen3-next-80b-a3b", 1000, 1000 * 24_576 + 36 * 32 * 128 * 128 * 4),
        ("minimax-m1", 0, 70 * 64 * 128 * 128 * 4),
        ("kimi-k3", 1000, 1000 * 27_648 + 69 * 96 * 128 * 128 * 4),
    ],
)
def test_cache_bytes(name: str, kv_tokens: int, cached: float) -> None:
    """Full layers grow with the context, windowed ones up to the window, linear ones not at all."""
    assert Model.preset(name).cache_bytes(kv_tokens) == cached


def test_an_8_bit_cache_halves_all_but_state_and_indexer() -> None:
    """Bytes of an element scale the key-value cache alone."""
    model = Model.preset("deepseek-v3.2")
    assert model.cache_bytes(100, 1.0) == 100 * (70_272 / 2 + 61 * 128)
    hybrid = Model.preset("minimax-m1")
    assert hybrid.cache_bytes(0, 1.0) == hybrid.cache_bytes(0, 2.0)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("deepseek-v3", "kv_lora = 512", "", "attention = 'mla' needs kv_lora > 0"),
        ("deepseek-v3", "top_k = 8", "top_k = 300", "top_k = 300 <= experts = 256"),
        ("deepseek-v3", "layers = 3", "layers = 61", "dense_layers = 61 < layers = 61"),
        ("deepseek-v3", "dense_inter = 18432", "dense_inter = 0", "= 3 needs dense_inter > 0"),
        ("deepseek-v3", '"mla"', '"mha"', "give 'mla' or 'gqa'"),
        ("minimax-m1", "linear_layers = 70", "linear_layers = 81", "= 81 + 0 <= layers = 80"),
        ("minimax-m1", "linear_state_bytes = 4194304", "", "= 70 needs linear_state_bytes > 0"),
        ("minimax-m1", "linear_layers = 70", "", "4194304 needs linear_layers > 0"),
        ("minimax-m1", "4194304", "-1", "linear_state_bytes = -1; give a finite number >= 0"),
        ("gpt-oss-120b", "window = 128", "", "window_layers = 18 needs window > 0"),
        ("gpt-oss-120b", "window_layers = 18", "", "window = 128 needs window_layers > 0"),
        ("deepseek-v3.2", "index_dim = 128", "", "index_top_k = 2048 needs index_dim > 0"),
        ("deepseek-v3.2", "index_top_k = 2048", "", "index_heads = 64 needs index_top_k > 0"),
        ("step-3", "shared_experts = 1", "shared_experts = 0", "5120 needs shared_experts > 0"),
    ],
)
def test_a_contradictory_shape_is_refused(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    """Numbers that cannot belong to one model are named."""
    text = (FOLDER / "models" / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        Model.preset(path)
