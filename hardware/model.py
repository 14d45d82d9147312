"""The shape of a MoE model: what decides FLOPs and bytes."""

from dataclasses import dataclass
from pathlib import Path

from hardware import preset

CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "layers": preset.count_from_one,
    "dense_layers": preset.count,
    "dense_inter": preset.count,
    "hidden": preset.count_from_one,
    "experts": preset.count_from_one,
    "top_k": preset.count_from_one,
    "shared_experts": preset.count,
    "moe_inter": preset.count_from_one,
    "attention": lambda value: None if value in ("mla", "gqa") else "give 'mla' or 'gqa'",
    "heads": preset.count_from_one,
    "kv_heads": preset.count,
    "head_dim": preset.count,
    "q_lora": preset.count,
    "kv_lora": preset.count,
    "nope_dim": preset.count,
    "rope_dim": preset.count,
    "v_dim": preset.count,
    "expert_groups": preset.count_from_one,
    "limited_groups": preset.count_from_one,
    "vocab": preset.count_from_one,
    "mtp": preset.count,
}


@dataclass(frozen=True)
class Model:
    """Dimensions of a model; 0 where its kind of attention has no such dimension.

    Parameters
    ----------
    name, source
        What it is, and where the dimensions come from.
    layers, dense_layers, dense_inter
        All layers, how many of them (the first) are dense, and their inner width.
    hidden
        Width of the residual stream.
    experts, top_k, shared_experts, moe_inter
        Routed experts a layer, those a token chooses, experts every token passes, inner width.
    attention
        "mla" (latent attention) or "gqa" (grouped queries; all heads distinct is plain attention).
    heads, kv_heads, head_dim
        Query heads; key-value heads and their width ("gqa").
    q_lora, kv_lora, nope_dim, rope_dim, v_dim
        Ranks and head widths of latent attention; ``q_lora = 0`` is a dense query projection.
    expert_groups, limited_groups
        Groups of group-limited routing, and those a token may choose from.
    vocab, mtp
        Vocabulary, and multi-token-prediction layers.
    """

    name: str
    source: str
    layers: int
    dense_layers: int
    dense_inter: int
    hidden: int
    experts: int
    top_k: int
    shared_experts: int
    moe_inter: int
    attention: str
    heads: int
    vocab: int
    mtp: int
    kv_heads: int = 0
    head_dim: int = 0
    q_lora: int = 0
    kv_lora: int = 0
    nope_dim: int = 0
    rope_dim: int = 0
    v_dim: int = 0
    expert_groups: int = 1
    limited_groups: int = 1

    @classmethod
    def preset(cls, name_or_path: str | Path) -> "Model":
        """Read a bundled preset, a ``.toml`` file of the same keys, or a published ``config.json``.

        Raises
        ------
        ValueError
            Naming file, key and mend.
        """
        if Path(name_or_path).suffix == ".json":
            from hardware.huggingface import read_config

            return read_config(name_or_path)
        path = preset.find("models", name_or_path)
        optional = {"kv_heads", "head_dim", "q_lora", "kv_lora", "nope_dim", "rope_dim", "v_dim"}
        optional |= {"expert_groups", "limited_groups"}
        return cls(**preset.read(path, CHECKS, frozenset(optional))).checked(str(path))

    def checked(self, where: str) -> "Model":
        """Return the model if its dimensions go together.

        Raises
        ------
        ValueError
            Naming ``where`` and the key that its attention needs, or the inequality that fails.
        """
        needed = {
            "mla": ("kv_lora", "nope_dim", "rope_dim", "v_dim"),
            "gqa": ("kv_heads", "head_dim"),
        }
        for key in needed[self.attention]:
            if not getattr(self, key):
                raise ValueError(
                    f"{where}: attention = {self.attention!r} needs {key} >= 1; add it"
                )
        if self.top_k > self.experts or self.dense_layers >= self.layers:
            raise ValueError(
                f"{where}: top_k = {self.top_k} <= experts = {self.experts} and dense_layers = "
                f"{self.dense_layers} < layers = {self.layers} must both hold"
            )
        return self

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers

    @property
    def expert_params(self) -> int:
        """Weights of one routed expert: gate, up and down projection."""
        return 3 * self.hidden * self.moe_inter

    def expert_bytes(self, bytes_per_weight: float = 1.0) -> float:
        """Bytes of one routed expert's weights."""
        return self.expert_params * bytes_per_weight

    def kv_bytes_per_token(self, bytes_per_element: float = 2.0) -> float:
        """Bytes that one token keeps in the key-value cache of one layer."""
        if self.attention == "mla":
            return (self.kv_lora + self.rope_dim) * bytes_per_element
        return 2 * self.kv_heads * self.head_dim * bytes_per_element

    @property
    def attention_params(self) -> int:
        """Weights of one layer's attention projections."""
        if self.attention == "gqa":
            return self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        query = self.heads * (self.nope_dim + self.rope_dim)
        down = self.hidden * (self.kv_lora + self.rope_dim)
        query_params = (self.hidden + query) * self.q_lora if self.q_lora else self.hidden * query
        up = self.heads * self.kv_lora * (self.nope_dim + self.v_dim)
        return query_params + down + up + self.heads * self.v_dim * self.hidden
