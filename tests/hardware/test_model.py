"""Model shapes reproduce the published sizes."""

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
    ],
)
def test_published_sizes(name: str, moe_layers: int, expert_params: int, kv_bytes: int) -> None:
    """Expert weights, and BF16 cache bytes of a token over all layers, are the published ones."""
    model = Model.preset(name)
    assert model.moe_layers == moe_layers
    assert model.expert_params == expert_params
    assert model.expert_bytes(2.0) == 2 * expert_params
    assert model.kv_bytes_per_token() * model.layers == kv_bytes


def test_attention_params_of_grouped_queries() -> None:
    """Query and output are hidden by heads, key and value hidden by KV heads."""
    model = Model.preset("olmoe-1b-7b")
    assert model.attention_params == 4 * 2048 * 2048


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kv_lora = 512", "", "attention = 'mla' needs kv_lora >= 1"),
        ("top_k = 8", "top_k = 300", "top_k = 300 <= experts = 256"),
        ("dense_layers = 3", "dense_layers = 61", "dense_layers = 61 < layers = 61"),
        ('"mla"', '"mha"', "give 'mla' or 'gqa'"),
    ],
)
def test_a_contradictory_shape_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Numbers that cannot belong to one model are named."""
    text = (FOLDER / "models" / "deepseek-v3.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        Model.preset(path)
