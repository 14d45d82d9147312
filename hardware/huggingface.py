"""Read the dimensions of a model from the ``config.json`` published with its weights."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Our name to the names that configurations use, the first one present wins.
KEYS: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers",),
    "hidden": ("hidden_size",),
    "experts": ("n_routed_experts", "num_experts", "num_local_experts"),
    "top_k": ("num_experts_per_tok", "num_experts_per_token"),
    "moe_inter": ("moe_intermediate_size", "intermediate_size"),
    "heads": ("num_attention_heads",),
    "vocab": ("vocab_size",),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "shared_experts": ("n_shared_experts", "num_shared_experts"),
    "shared_inter": ("shared_expert_intermediate_size", "shared_intermediate_size"),
    "expert_hidden": ("routed_expert_hidden_size", "moe_latent_size"),
    "mtp": ("num_nextn_predict_layers", "num_mtp_modules", "mtp_num_hidden_layers"),
    "kv_heads": ("num_key_value_heads",),
    "head_dim": ("head_dim",),
    "q_lora": ("q_lora_rank",),
    "kv_lora": ("kv_lora_rank",),
    "nope_dim": ("qk_nope_head_dim",),
    "rope_dim": ("qk_rope_head_dim",),
    "v_dim": ("v_head_dim",),
    "expert_groups": ("n_group", "num_expert_group"),
    "limited_groups": ("topk_group",),
    "index_top_k": ("index_topk",),
}
#: Keys of layers that this shape cannot express; a wrong price would be worse than none.
UNSUPPORTED = (
    "attention_chunk_size",
    "compress_ratios",
    "hybrid_layer_pattern",
    "hybrid_override_pattern",
    "interleave_moe_layer_step",
    "moe_layers_enum",
    "sliding_window_pattern",
)
#: What ``layer_types`` may say of a layer's attention, and whether it is full, windowed or linear.
LAYER_TYPES = {
    "full_attention": "full",
    "deepseek_sparse_attention": "full",
    "sliding_attention": "window",
    "linear_attention": "linear",
}
STATE_BYTES = 4.0  # linear attention keeps its state in single precision


def dimensions(path: str | Path) -> dict[str, Any]:
    """Return the fields of the :class:`hardware.Model` that a ``config.json`` describes.

    Parameters
    ----------
    path
        A Hugging Face model configuration, of text alone or with a ``text_config``. Attention is
        grouped-query or latent, full, sparse or windowed, and in some layers linear.

    Raises
    ------
    ValueError
        Naming the file and the key, if it is not JSON, a dimension is missing or no positive
        integer, or the layers are of a kind that a Model cannot express.
    """
    config = _read(Path(path))
    for key in UNSUPPORTED:
        if config.get(key):
            raise config.error(
                key, "means layers that Model does not price; write a preset near them, and say so"
            )
    found = {name: config.integer(*keys) for name, keys in KEYS.items()}
    found |= {
        name: config.integer(*keys, least=0)
        for name, keys in OPTIONAL.items()
        if any(config.get(key) is not None for key in keys)
    }
    layers, latent = found["layers"], bool(found.get("kv_lora"))
    if latent:
        found.pop("kv_heads", None)
        found.pop("head_dim", None)
    else:
        found.setdefault("kv_heads", found["heads"])
        found.setdefault("head_dim", found["hidden"] // found["heads"])
    if found.get("shared_inter"):
        found.setdefault("shared_experts", 1)  # a width without a count is one expert
    if found.get("index_top_k"):
        found["index_heads"] = config.integer("index_n_heads")
        found["index_dim"] = config.integer("index_head_dim")
    kinds, dense = _attention_kinds(config, layers), _dense_layers(config, layers)
    return {
        "name": str(config.get("_name_or_path") or config.get("model_type") or config.file.stem),
        "source": f"{config.file.name} as published with the model",
        "attention": "mla" if latent else "gqa",
        "dense_layers": dense,
        "dense_inter": config.integer("intermediate_size") if dense else 0,
        "linear_layers": kinds["linear"],
        "linear_state_bytes": _state_bytes(config, found) if kinds["linear"] else 0.0,
        "window_layers": kinds["window"],
        "window": config.integer("sliding_window") if kinds["window"] else 0,
        "shared_experts": 0,
        "mtp": 0,
        **found,
    }


def _dense_layers(config: "_Config", layers: int) -> int:
    """Count the dense layers, from whichever key the configuration uses."""
    kinds = config.listed("mlp_layer_types", layers)
    if kinds:
        return kinds.count("dense")
    first = config.integer("first_k_dense_replace", least=0, default=0)
    step = config.integer("moe_layer_freq", default=1)
    sparse_step = config.integer("decoder_sparse_step", default=1)
    alone = config.listed("mlp_only_layers")
    return sum(
        layer < first or layer % step > 0 or (layer + 1) % sparse_step > 0 or layer in alone
        for layer in range(layers)
    )


def _attention_kinds(config: "_Config", layers: int) -> Counter[str]:
    """Count the "linear" and "window" layers, from whichever key the configuration uses."""
    for kind in config.listed("layer_types", layers):
        if kind not in LAYER_TYPES:
            known = ", ".join(LAYER_TYPES)
            raise config.error("layer_types", f"has {kind!r}, which Model does not price: {known}")
    if config.get("layer_types"):
        return Counter(LAYER_TYPES[kind] for kind in config.get("layer_types"))
    if config.get("attn_type_list"):
        return Counter(linear=config.listed("attn_type_list", layers).count(0))
    if config.get("linear_attn_config"):
        return Counter(linear=len(config.nested("linear_attn_config").listed("kda_layers")))
    if config.get("sliding_window") and config.get("use_sliding_window") is not False:
        full = config.integer("max_window_layers", least=0, default=0)
        return Counter(window=max(layers - full, 0))
    return Counter(linear=layers - layers // config.integer("full_attention_interval", default=1))


def _state_bytes(config: "_Config", found: dict[str, int]) -> float:
    """Bytes that one sequence keeps in a linear layer: heads by key width by value width."""
    if config.get("linear_attn_config"):  # KDA
        kda = config.nested("linear_attn_config")
        return STATE_BYTES * kda.integer("num_heads") * kda.integer("head_dim") ** 2
    if config.get("attn_type_list"):  # lightning, with the heads of full attention
        return STATE_BYTES * found["heads"] * found["head_dim"] ** 2
    width = config.integer("linear_key_head_dim") * config.integer("linear_value_head_dim")
    return STATE_BYTES * config.integer("linear_num_value_heads") * width


@dataclass(frozen=True)
class _Config:
    """The keys of a configuration file, and errors that name both."""

    file: Path
    values: dict[str, Any]

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def error(self, key: str, complaint: str) -> ValueError:
        return ValueError(f"{self.file}: {key} = {self.get(key)!r} {complaint}")

    def integer(self, *keys: str, least: int = 1, default: int | None = None) -> int:
        """Return the first of ``keys`` that is there, or the default where there is one."""
        for key in keys:
            value = self.get(key)
            if value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise self.error(key, f"must be an integer >= {least}; correct it")
            return value
        if default is None:
            raise ValueError(f"{self.file}: key {' or '.join(map(repr, keys))} is missing; add it")
        return default

    def listed(self, key: str, length: int | None = None) -> list[Any]:
        """Return the list at ``key``, of ``length`` entries; an empty one where there is none."""
        value = self.get(key) or []
        if not isinstance(value, list):
            raise self.error(key, "is no list; give one")
        if value and length is not None and len(value) != length:
            raise self.error(key, f"has {len(value)} entries; give num_hidden_layers = {length}")
        return value

    def nested(self, key: str) -> "_Config":
        value = self.get(key)
        if not isinstance(value, dict):
            raise self.error(key, "is no object; give one")
        return _Config(self.file, value)


def _read(file: Path) -> _Config:
    """Return the keys of a file; those of a ``text_config`` go before the outer ones."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{file}: no readable JSON ({error})") from None
    if not isinstance(values, dict):
        raise ValueError(f"{file}: the configuration is a {type(values).__name__}, not an object")
    outer = _Config(file, values)
    if not values.get("text_config"):
        return outer
    return _Config(file, {**values, **outer.nested("text_config").values})
