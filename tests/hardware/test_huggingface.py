"""A published configuration gives the same model as our preset."""

import dataclasses
import json
import re

import pytest

from hardware import Model

V3 = {
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "first_k_dense_replace": 3,
    "intermediate_size": 18432,
    "hidden_size": 7168,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "n_shared_experts": 1,
    "moe_intermediate_size": 2048,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_group": 8,
    "topk_group": 4,
    "vocab_size": 129280,
    "num_nextn_predict_layers": 1,
}
MIXTRAL = {
    "model_type": "mixtral",
    "num_hidden_layers": 56,
    "intermediate_size": 16384,
    "hidden_size": 6144,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "num_attention_heads": 48,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
    "sliding_window": None,
}


V32 = {**V3, "index_topk": 2048, "index_n_heads": 64, "index_head_dim": 128}
GPT_OSS = {
    "model_type": "gpt_oss",
    "num_hidden_layers": 36,
    "intermediate_size": 2880,
    "hidden_size": 2880,
    "num_local_experts": 128,
    "num_experts_per_tok": 4,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 201088,
    "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 18,
}
QWEN3_NEXT = {
    "model_type": "qwen3_next",
    "num_hidden_layers": 48,
    "full_attention_interval": 4,
    "intermediate_size": 5120,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "hidden_size": 2048,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "vocab_size": 151936,
}
QWEN35 = {
    "model_type": "qwen3_5_moe",
    "vision_config": {"hidden_size": 1152},
    "text_config": {
        "num_hidden_layers": 60,
        "layer_types": [*["linear_attention"] * 3, "full_attention"] * 15,
        "hidden_size": 4096,
        "num_experts": 512,
        "num_experts_per_tok": 10,
        "moe_intermediate_size": 1024,
        "shared_expert_intermediate_size": 1024,
        "num_attention_heads": 32,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "linear_num_value_heads": 64,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "vocab_size": 248320,
    },
}
MINIMAX_M1 = {
    "model_type": "minimax_m1",
    "num_hidden_layers": 80,
    "attn_type_list": [0, 0, 0, 0, 0, 0, 0, 1] * 10,
    "intermediate_size": 9216,
    "shared_intermediate_size": 0,
    "hidden_size": 6144,
    "num_local_experts": 32,
    "num_experts_per_tok": 2,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "sliding_window": None,
    "vocab_size": 200064,
}
KIMI_K3 = {
    "model_type": "kimi_k3",
    "text_config": {
        "num_hidden_layers": 93,
        "linear_attn_config": {
            "kda_layers": [layer for layer in range(1, 93) if layer % 4],
            "num_heads": 96,
            "head_dim": 128,
        },
        "first_k_dense_replace": 1,
        "moe_layer_freq": 1,
        "intermediate_size": 33792,
        "hidden_size": 7168,
        "num_experts": 896,
        "num_experts_per_token": 16,
        "num_shared_experts": 2,
        "moe_intermediate_size": 3072,
        "routed_expert_hidden_size": 3584,
        "num_attention_heads": 96,
        "num_key_value_heads": 96,
        "q_lora_rank": 1536,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "num_expert_group": 1,
        "topk_group": 1,
        "vocab_size": 163840,
        "num_nextn_predict_layers": 0,
    },
}


def read(tmp_path, config):
    """Write a configuration and read it as a model."""
    path = tmp_path / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return Model.preset(path)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (V3, "deepseek-v3"),
        (V32, "deepseek-v3.2"),
        (MIXTRAL, "mixtral-8x22b"),
        ({"text_config": MIXTRAL}, "mixtral-8x22b"),
        (GPT_OSS, "gpt-oss-120b"),
        (QWEN3_NEXT, "qwen3-next-80b-a3b"),
        (QWEN35, "qwen3.5-397b-a17b"),
        (MINIMAX_M1, "minimax-m1"),
        (KIMI_K3, "kimi-k3"),
    ],
    ids=["mla", "sparse", "gqa", "text", "window", "interval", "nested", "lightning", "kda"],
)
def test_configuration_equals_preset(tmp_path, config, name):
    """Every dimension agrees; only name and source differ."""
    preset = dataclasses.asdict(Model.preset(name))
    found = dataclasses.asdict(read(tmp_path, config))
    differing = {key for key in preset if preset[key] != found[key]}
    assert differing == {"name", "source"}


@pytest.mark.parametrize(
    ("keys", "dense"),
    [
        ({}, 0),
        ({"mlp_only_layers": [0, 3]}, 2),
        ({"decoder_sparse_step": 2}, 24),
        ({"decoder_sparse_step": 2, "mlp_only_layers": [0, 1]}, 25),
        ({"first_k_dense_replace": 1, "moe_layer_freq": 2}, 25),
        ({"mlp_layer_types": ["dense"] * 3 + ["sparse"] * 45}, 3),
    ],
)
def test_dense_layers_are_counted_wherever_they_are(tmp_path, keys, dense):
    """However a configuration tells the layers without experts, their number is right."""
    model = read(tmp_path, {**QWEN3_NEXT, **keys})
    assert (model.dense_layers, model.dense_inter) == (dense, 5120 if dense else 0)


@pytest.mark.parametrize(
    ("keys", "windowed"),
    [
        ({"sliding_window": 4096}, 56),
        ({"sliding_window": 4096, "use_sliding_window": False}, 0),
        ({"sliding_window": 4096, "use_sliding_window": True, "max_window_layers": 50}, 6),
        ({"sliding_window": 4096, "max_window_layers": 70}, 0),
    ],
)
def test_a_window_without_layer_types(tmp_path, keys, windowed):
    """It holds in every layer past the first max_window_layers, unless it is switched off."""
    model = read(tmp_path, {**MIXTRAL, **keys})
    assert (model.window_layers, model.window) == (windowed, 4096 if windowed else 0)


def without(config, key):
    """Return the configuration less one key."""
    return {name: value for name, value in config.items() if name != key}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("{", "no readable JSON"),
        ([1], "is a list, not an object"),
        ({**V3, "hidden_size": None}, "key 'hidden_size' is missing"),
        ({**V3, "num_experts_per_tok": 0}, "num_experts_per_tok = 0 must be an integer >= 1"),
        ({**V3, "num_experts_per_tok": 999}, "top_k = 999 <= experts = 256"),
        ({**V3, "v_head_dim": None}, "attention = 'mla' needs v_dim > 0"),
        ({**V3, "text_config": [1]}, "text_config = [1] is no object"),
        (without(V3, "n_routed_experts"), "'n_routed_experts' or 'num_experts'"),
        (without(V3, "intermediate_size"), "key 'intermediate_size' is missing"),
        (without(V32, "index_n_heads"), "key 'index_n_heads' is missing"),
        (without(V32, "index_head_dim"), "key 'index_head_dim' is missing"),
        (without(QWEN3_NEXT, "linear_num_value_heads"), "key 'linear_num_value_heads' is missing"),
        (without(GPT_OSS, "sliding_window"), "key 'sliding_window' is missing"),
        ({**GPT_OSS, "num_hidden_layers": 35}, "has 36 entries; give num_hidden_layers = 35"),
        ({**GPT_OSS, "layer_types": ["chunked"] * 36}, "has 'chunked', which Model does not price"),
        ({**GPT_OSS, "layer_types": "full"}, "layer_types = 'full' is no list"),
        ({**V32, "compress_ratios": [0, 4]}, "compress_ratios = [0, 4] means layers that Model"),
    ],
)
def test_what_cannot_be_priced_is_refused(tmp_path, config, text):
    """File, key and how to fix it."""
    with pytest.raises(ValueError, match=rf"config\.json: .*{re.escape(text)}"):
        read(tmp_path, config if isinstance(config, str) else json.dumps(config))


@pytest.mark.parametrize(
    ("name", "expert_params", "kv_bytes"),
    [
        ("deepseek-v2", 23592960, 69120),
        ("deepseek-v2-lite", 8650752, 31104),
        ("deepseek-v3", 44040192, 70272),
        ("glm-4.5", 23592960, 376832),
        ("glm-4.5-air", 17301504, 188416),
        ("kimi-k2", 44040192, 70272),
        ("minimax-m2", 14155776, 253952),
        ("mixtral-8x22b", 301989888, 229376),
        ("olmoe-1b-7b", 6291456, 131072),
        ("qwen3-235b-a22b", 18874368, 192512),
        ("qwen3-30b-a3b", 4718592, 98304),
        ("qwen3-coder-480b-a35b", 47185920, 253952),
    ],
)
def test_published_sizes(name, expert_params, kv_bytes):
    """Weights of an expert and cache bytes of a token, over all layers in BF16."""
    model = Model.preset(name)
    assert model.expert_params == expert_params
    assert model.kv_bytes_per_token() * model.layers == kv_bytes
