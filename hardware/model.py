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
    "shared_inter": preset.count,
    "expert_hidden": preset.count,
    "linear_layers": preset.count,
    "linear_state_bytes": preset.not_negative,
    "window": preset.count,
    "window_layers": preset.count,
    "index_top_k": preset.count,
    "index_heads": preset.count,
    "index_dim": preset.count,
}

#: Keys that a preset may leave out.
OPTIONAL = frozenset(
    {"kv_heads", "head_dim", "q_lora", "kv_lora", "nope_dim", "rope_dim", "v_dim"}
    | {"expert_groups", "limited_groups", "shared_inter", "expert_hidden"}
    | {"linear_layers", "linear_state_bytes", "window", "window_layers"}
    | {"index_top_k", "index_heads", "index_dim"}
)


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
    shared_inter, expert_hidden
        Inner width of a shared expert where it is not ``moe_inter``; width at which routed experts
        run where it is not ``hidden``.
    linear_layers, linear_state_bytes
        Layers whose attention keeps a state instead of a growing cache, and the bytes of the state
        that one sequence keeps in one of them.
    window, window_layers
        Layers that attend to the last ``window`` tokens alone.
    index_top_k, index_heads, index_dim
        Sparse attention: an indexer of so many heads picks so many tokens of the context.
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
    shared_inter: int = 0
    expert_hidden: int = 0
    linear_layers: int = 0
    linear_state_bytes: float = 0.0
    window: int = 0
    window_layers: int = 0
    index_top_k: int = 0
    index_heads: int = 0
    index_dim: int = 0

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
        return cls(**preset.read(path, CHECKS, OPTIONAL)).checked(str(path))

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
        self._check_variants(where)
        return self

    def _check_variants(self, where: str) -> None:
        """Raise ValueError unless what goes with hybrid and sparse attention is all there."""
        if self.linear_layers + self.window_layers > self.layers:
            raise ValueError(
                f"{where}: linear_layers = {self.linear_layers} + window_layers = "
                f"{self.window_layers} <= layers = {self.layers} must hold"
            )
        together = (
            ("linear_layers", "linear_state_bytes"),
            ("window_layers", "window"),
            ("index_top_k", "index_heads", "index_dim"),
        )
        for keys in together:
            given = [key for key in keys if getattr(self, key)]
            if given and len(given) < len(keys):
                lacking = ", ".join(key for key in keys if key not in given)
                raise ValueError(f"{where}: {given[0]} > 0 needs {lacking} > 0 too; add it")

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers

    @property
    def expert_params(self) -> int:
        """Weights of one routed expert: gate, up and down projection."""
        return 3 * self.routed_width * self.moe_inter

    @property
    def routed_width(self) -> int:
        """Width at which routed experts run, and which dispatch and combine carry."""
        return self.expert_hidden or self.hidden

    @property
    def shared_width(self) -> int:
        """Inner width of all shared experts of a layer together."""
        return self.shared_experts * (self.shared_inter or self.moe_inter)

    @property
    def shared_params(self) -> int:
        """Weights of all shared experts of a layer."""
        return 3 * self.hidden * self.shared_width

    def expert_bytes(self, bytes_per_weight: float = 1.0) -> float:
        """Bytes of one routed expert's weights."""
        return self.expert_params * bytes_per_weight

    def kv_bytes_per_token(self, bytes_per_element: float = 2.0) -> float:
        """Bytes that one token keeps in the key-value cache of one layer."""
        if self.attention == "mla":
            return (self.kv_lora + self.rope_dim) * bytes_per_element
        return 2 * self.kv_heads * self.head_dim * bytes_per_element

    @property
    def full_attention_layers(self) -> int:
        """Layers that attend to the whole context."""
        return self.layers - self.linear_layers - self.window_layers

    def attended_tokens(self, kv_tokens: float) -> float:
        """Tokens of context that the attention of a layer reads, as the mean over the layers.

        Parameters
        ----------
        kv_tokens
            Tokens of context there are.
        """
        full = min(kv_tokens, self.index_top_k) if self.index_top_k else kv_tokens
        seen = self.full_attention_layers * full + self.window_layers * min(kv_tokens, self.window)
        return seen / self.layers

    def cache_bytes(self, kv_tokens: float, bytes_per_element: float = 2.0) -> float:
        """Bytes that one sequence of that context keeps, all layers together.

        Windows keep their own length, linear layers their state, and an indexer one 8-bit vector
        a token.
        """
        kept = self.full_attention_layers * kv_tokens
        kept += self.window_layers * min(kv_tokens, self.window)
        index = self.index_dim * kv_tokens * self.full_attention_layers
        state = self.linear_layers * self.linear_state_bytes
        return kept * self.kv_bytes_per_token(bytes_per_element) + index + state

    @property
    def params(self) -> int:
        """All weights: embedding and head, every layer, and draft layers as MoE layers."""
        moe = self.experts * self.expert_params + self.shared_params + self.hidden * self.experts
        total = (
            2 * self.vocab * self.hidden + self.dense_layers * 3 * self.hidden * self.dense_inter
        )
        total += (self.layers + self.mtp) * self.attention_params
        return total + (self.moe_layers + self.mtp) * moe

    @property
    def attention_params(self) -> int:
        """Weights of one layer's attention projections."""
        if self.attention == "gqa":
            key_values = 2 * self.hidden * self.kv_heads * self.head_dim
            queries = self.heads * self.head_dim
            inner = (self.hidden + queries) * self.q_lora if self.q_lora else self.hidden * queries
            return inner + key_values + queries * self.hidden
        query = self.heads * (self.nope_dim + self.rope_dim)
        down = self.hidden * (self.kv_lora + self.rope_dim)
        query_params = (self.hidden + query) * self.q_lora if self.q_lora else self.hidden * query
        up = self.heads * self.kv_lora * (self.nope_dim + self.v_dim)
        return query_params + down + up + self.heads * self.v_dim * self.hidden
