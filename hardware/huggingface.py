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
    "index_top_k": ("index_topk",),
    "index_heads": ("index_n_heads",),
    "index_dim": ("index_head_dim",),
    "shared_inter": ("shared_expert_intermediate_size",),
}
#: Bytes of an element of the state that linear attention keeps: FP32, as engines do.
STATE_BYTES = 4


def read_config(path: str | Path) -> Model:
    """Return the model that a ``config.json`` describes.

    Parameters
    ----------
    path
        A Hugging Face model configuration: grouped-query or latent attention, with an indexer
        (``index_topk``), windows (``sliding_window``) or linear layers (``layer_types``,
        ``full_attention_interval``, ``attn_type_list``). ``text_config`` is looked into.

    Raises
    ------
    ValueError
        Naming the file and the key, if it is not JSON, a dimension is missing or no positive
        integer, or a kind of layer is unknown.
    """
    file = Path(path)
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{file}: no readable JSON ({error})") from None
    if not isinstance(config, dict):
        raise ValueError(f"{file}: the configuration is a {type(config).__name__}, not an object")
    nested = config.get("text_config")
    config = {**config, **nested} if isinstance(nested, dict) else config
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
    if found.get("shared_inter"):
        found.setdefault("shared_experts", 1)
    found |= _layer_kinds(file, config, found["layers"])
    defaults = {"dense_layers": 0, "shared_experts": 0, "mtp": 0}
    dense = _integer(file, config, ("intermediate_size",), 0) if found.get("dense_layers") else 0
    return Model(
        name=str(config.get("_name_or_path") or config.get("model_type") or file.stem),
        source=f"{file.name} as published with the model",
        attention="mla" if latent else "gqa",
        dense_inter=dense,
        **{**defaults, **found},
    ).checked(str(file))


def _layer_kinds(file: Path, config: dict[str, Any], layers: int) -> dict[str, Any]:
    """Return how many layers are windowed or linear, with their sizes."""
    kinds = _kinds(file, config, layers)
    found: dict[str, Any] = {}
    if windowed := kinds.count("sliding_attention"):
        found["window"] = _integer(file, config, ("sliding_window",), 1)
        found["window_layers"] = windowed
    if linear := kinds.count("linear_attention"):
        heads = _integer(file, config, ("linear_num_value_heads", "num_attention_heads"), 1)
        key = _integer(file, config, ("linear_key_head_dim", "head_dim"), 1)
        value = _integer(file, config, ("linear_value_head_dim", "head_dim"), 1)
        found["linear_layers"] = linear
        found["linear_state_bytes"] = float(STATE_BYTES * heads * key * value)
    return found


def _kinds(file: Path, config: dict[str, Any], layers: int) -> list[str]:
    """Return the kind of every layer, however the configuration says it."""
    if kinds := config.get("layer_types"):
        known = {"full_attention", "sliding_attention", "linear_attention"}
        if not isinstance(kinds, list) or len(kinds) != layers or not known.issuperset(kinds):
            raise ValueError(
                f"{file}: layer_types must name one of {', '.join(sorted(known))} for each of "
                f"{layers} layers; write a preset that approximates the others, and say so"
            )
        return kinds
    if kinds := config.get("attn_type_list"):  # MiniMax: 0 is lightning attention
        return ["full_attention" if kind else "linear_attention" for kind in kinds]
    if config.get("full_attention_interval"):
        every = _integer(file, config, ("full_attention_interval",), 1)
        full = layers // every
        return ["full_attention"] * full + ["linear_attention"] * (layers - full)
    windowed = config.get("sliding_window") and config.get("use_sliding_window", True)
    return ["sliding_attention" if windowed else "full_attention"] * layers


def _integer(file: Path, config: dict[str, Any], keys: tuple[str, ...], least: int) -> int:
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{file}: {key} = {value!r}; give an integer >= {least}")
        return value
    raise ValueError(f"{file}: key {' or '.join(map(repr, keys))} is missing; add it")
