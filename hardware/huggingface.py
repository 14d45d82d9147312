"""Read a model's shape from the ``config.json`` that is published with its weights."""

import json
from pathlib import Path
from typing import Any

from hardware.model import Model

#: Our name to the names that configurations use, the first one present wins.
KEYS: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers",),
    "hidden": ("hidden_size",),
    "experts": ("n_routed_experts", "num_experts", "num_local_experts"),
    "top_k": ("num_experts_per_tok",),
    "moe_inter": ("moe_intermediate_size", "intermediate_size"),
    "heads": ("num_attention_heads",),
    "vocab": ("vocab_size",),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "dense_layers": ("first_k_dense_replace",),
    "shared_experts": ("n_shared_experts", "num_shared_experts"),
    "mtp": ("num_nextn_predict_layers", "num_mtp_modules"),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim",),
    "q_lora": ("q_lora_rank",),
    "kv_lora": ("kv_lora_rank",),
    "nope_dim": ("qk_nope_head_dim",),
    "rope_dim": ("qk_rope_head_dim",),
    "v_dim": ("v_head_dim",),
    "expert_groups": ("n_group",),
    "limited_groups": ("topk_group",),
}
#: Keys of attention that this shape cannot express; a wrong price would be worse than none.
UNSUPPORTED = (
    "index_topk",
    "layer_types",
    "linear_num_key_heads",
    "attn_type_list",
    "sliding_window",
)


def read_config(path: str | Path) -> Model:
    """Return the model that a ``config.json`` describes.

    Parameters
    ----------
    path
        A Hugging Face model configuration with grouped-query or latent attention in every layer.

    Raises
    ------
    ValueError
        Naming the file and the key, if it is not JSON, a dimension is missing or no positive
        integer, or the attention is sparse, windowed or linear.
    """
    file = Path(path)
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{file}: no readable JSON ({error})") from None
    if not isinstance(config, dict):
        raise ValueError(f"{file}: the configuration is a {type(config).__name__}, not an object")
    for key in UNSUPPORTED:
        if config.get(key):
            raise ValueError(
                f"{file}: {key} = {config[key]!r} means attention that is not full in every layer, "
                "which Model does not price; write a preset that approximates it, and say so"
            )
    found = {name: _integer(file, config, keys, 1) for name, keys in KEYS.items()}
    found |= {
        name: _integer(file, config, keys, 0)
        for name, keys in OPTIONAL.items()
        if any(config.get(key) is not None for key in keys)
    }
    latent = bool(found.get("kv_lora"))
    if latent:
        found.pop("kv_heads", None)
        found.pop("head_dim", None)
    else:
        found.setdefault("kv_heads", found["heads"])
        found.setdefault("head_dim", found["hidden"] // found["heads"])
    defaults = {"dense_layers": 0, "shared_experts": 0, "mtp": 0}
    dense = _integer(file, config, ("intermediate_size",), 0) if found.get("dense_layers") else 0
    return Model(
        name=str(config.get("_name_or_path") or config.get("model_type") or file.stem),
        source=f"{file.name} as published with the model",
        attention="mla" if latent else "gqa",
        dense_inter=dense,
        **{**defaults, **found},
    ).checked(str(file))


def _integer(file: Path, config: dict[str, Any], keys: tuple[str, ...], least: int) -> int:
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{file}: {key} = {value!r}; give an integer >= {least}")
        return value
    raise ValueError(f"{file}: key {' or '.join(map(repr, keys))} is missing; add it")
