"""A published configuration gives the same model as our preset."""

import dataclasses
import json

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


def read(tmp_path, config):
    """Write a configuration and read it as a model."""
    path = tmp_path / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return Model.preset(path)


@pytest.mark.parametrize(
    ("config", "name"), [(V3, "deepseek-v3"), (MIXTRAL, "mixtral-8x22b")], ids=["mla", "gqa"]
)
def test_configuration_equals_preset(tmp_path, config, name):
    """Every dimension agrees; only name and source differ."""
    preset = dataclasses.asdict(Model.preset(name))
    found = dataclasses.asdict(read(tmp_path, config))
    differing = {key for key in preset if preset[key] != found[key]}
    assert differing == {"name", "source"}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("{", "no readable JSON"),
        ([1], "is a list, not an object"),
        ({**V3, "hidden_size": None}, "key 'hidden_size' is missing"),
        ({**V3, "num_experts_per_tok": 0}, "num_experts_per_tok = 0; give an integer >= 1"),
        ({**V3, "num_experts_per_tok": 999}, "top_k = 999 <= experts = 256"),
        ({**V3, "v_head_dim": None}, "attention = 'mla' needs v_dim >= 1"),
        ({**V3, "index_topk": 2048}, "index_top_k > 0 needs index_heads, index_dim > 0 too"),
        ({**V3, "layer_types": ["full_attention"]}, "layer_types must name one of .* 61 layers"),
        ({**V3, "layer_types": ["mamba"] * 61}, "layer_types must name one of"),
        ({k: V3[k] for k in V3 if k != "n_routed_experts"}, "'n_routed_experts' or 'num_experts'"),
    ],
)
def test_what_cannot_be_priced_is_refused(tmp_path, config, text):
    """File, key and mend."""
    with pytest.raises(ValueError, match=rf"config\.json: .*{text}"):
        read(tmp_path, config if isinstance(config, str) else json.dumps(config))


GPT_OSS = {
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
QWEN_NEXT = {
    "num_hidden_layers": 48,
    "hidden_size": 2048,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "vocab_size": 151936,
    "full_attention_interval": 4,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
}
V32 = {**V3, "index_topk": 2048, "index_n_heads": 64, "index_head_dim": 128}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (GPT_OSS, "gpt-oss-120b"),
        (QWEN_NEXT, "qwen3-next-80b-a3b"),
        (V32, "deepseek-v3.2"),
        ({"text_config": MIXTRAL}, "mixtral-8x22b"),
        ({**MIXTRAL, "sliding_window": 4096, "use_sliding_window": False}, "mixtral-8x22b"),
    ],
    ids=["windows", "linear", "sparse", "nested", "window-off"],
)
def test_hybrid_and_sparse_configurations_equal_their_presets(tmp_path, config, name):
    """Windows, linear layers and indexers are read as the presets state them."""
    preset = dataclasses.asdict(Model.preset(name))
    found = dataclasses.asdict(read(tmp_path, config))
    differing = {key for key in preset if preset[key] != found[key]}
    assert differing == {"name", "source"}


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("deepseek-v3", 682),  # 671 and a draft layer
        ("deepseek-v2", 236),
        ("qwen3-235b-a22b", 235),
        ("qwen3-30b-a3b", 30.5),
        ("mixtral-8x22b", 141),
        ("olmoe-1b-7b", 6.9),
        ("glm-4.5", 355),
        ("gpt-oss-120b", 117),
        ("kimi-k2", 1030),
        ("qwen3-next-80b-a3b", 80),
        ("step-3", 316),
    ],
)
def test_weights_add_up_to_the_published_total(name, billions):
    """Within 3 % of what the model is named or reported with."""
    assert Model.preset(name).params == pytest.approx(billions * 1e9, rel=0.03)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"window_layers": 4}, "window_layers > 0 needs window > 0"),
        ({"linear_layers": 4}, "linear_layers > 0 needs linear_state_bytes > 0"),
        ({"window": 8, "window_layers": 99}, "window_layers = 99 <= layers = 61"),
    ],
)
def test_halves_of_a_variant_are_refused(keys, message):
    """What goes together is asked for together."""
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Model.preset("deepseek-v3"), **keys).checked("mine")


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
