"""The dimensions of a MoE model that determine FLOPs and bytes."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from hardware import huggingface, preset

AT_LEAST_ONE = ("layers", "hidden", "experts", "top_k", "moe_inter", "heads", "vocab")
#: What a key must be; every key not named here is an integer of at least 0.
CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "attention": lambda value: None if value in ("mla", "gqa") else "give 'mla' or 'gqa'",
    "linear_state_bytes": preset.not_negative,
    "expert_groups": preset.count_from_one,
    "limited_groups": preset.count_from_one,
    **dict.fromkeys(AT_LEAST_ONE, preset.count_from_one),
}
#: Keys that a kind of attention, or another key that is not 0, cannot do without.
NEEDS: dict[str, tuple[str, ...]] = {
    "mla": ("kv_lora", "nope_dim", "rope_dim", "v_dim"),
    "gqa": ("kv_heads", "head_dim"),
    "dense_layers": ("dense_inter",),
    "shared_inter": ("shared_experts",),
    "linear_layers": ("linear_state_bytes",),
    "linear_state_bytes": ("linear_layers",),
    "window": ("window_layers",),
    "window_layers": ("window",),
    "index_top_k": ("index_heads", "index_dim"),
    "index_heads": ("index_top_k", "index_dim"),
    "index_dim": ("index_top_k", "index_heads"),
}


@dataclass(frozen=True)
class Model:
    """Dimensions of a model; 0 where its kind of attention has no such dimension.

    Parameters
    ----------
    name, source
        What it is, and where the dimensions come from.
    layers, dense_layers, dense_inter
        All layers, how many of them are dense, and their inner width.
    hidden
        Width of the residual stream.
    experts, top_k, shared_experts, moe_inter
        Routed experts a layer, those a token chooses, experts every token passes, inner width.
    attention
        "mla" (latent attention) or "gqa" (grouped queries; all heads distinct is plain attention).
    heads, kv_heads, head_dim
        Query heads; key-value heads and their width ("gqa").
    q_lora, kv_lora, nope_dim, rope_dim, v_dim
        Ranks and head widths of latent attention; ``q_lora = 0`` is a dense query projection, and
        "gqa" may have a low-rank query too.
    expert_groups, limited_groups
        Groups of group-limited routing, and those a token may choose from.
    vocab, mtp
        Vocabulary, and multi-token-prediction layers.
    shared_inter, expert_hidden
        Inner width of one shared expert (0: ``moe_inter``), and the latent width at which routed
        experts run (0: ``hidden``).
    linear_layers, linear_state_bytes
        Of ``layers``, those with linear attention (gated delta, lightning, KDA), and the bytes of
        state that a sequence keeps in one of them, whatever its length.
    window, window_layers
        Tokens that a windowed layer sees at most, and how many of ``layers`` are windowed.
    index_top_k, index_heads, index_dim
        Sparse attention: tokens that the indexer of a full layer selects, its heads, their width.
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
            Naming the file, the key and how to fix it.
        """
        if Path(name_or_path).suffix == ".json":
            return cls(**huggingface.dimensions(name_or_path)).checked(str(name_or_path))
        path = preset.find("models", name_or_path)
        fields = dataclasses.fields(cls)
        checks = {field.name: CHECKS.get(field.name, preset.count) for field in fields}
        optional = {field.name for field in fields if field.default is not dataclasses.MISSING}
        return cls(**preset.read(path, checks, frozenset(optional))).checked(str(path))

    def checked(self, where: str) -> "Model":
        """Return the model if its dimensions go together.

        Raises
        ------
        ValueError
            Naming ``where`` and the key that another one needs, or the inequality that fails.
        """
        for key, needed in NEEDS.items():
            if key != self.attention and not getattr(self, key, 0):
                continue
            name = "attention" if key == self.attention else key
            for other in needed:
                if not getattr(self, other):
                    raise ValueError(
                        f"{where}: {name} = {getattr(self, name)!r} needs {other} > 0; add it"
                    )
        if self.top_k > self.experts or self.dense_layers >= self.layers:
            raise ValueError(
                f"{where}: top_k = {self.top_k} <= experts = {self.experts} and dense_layers = "
                f"{self.dense_layers} < layers = {self.layers} must both hold"
            )
        if self.full_attention_layers < 0:
            raise ValueError(
                f"{where}: linear_layers + window_layers = {self.linear_layers} + "
                f"{self.window_layers} <= layers = {self.layers} must hold; lower one of them"
            )
        return self

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.dense_layers

    @property
    def full_attention_layers(self) -> int:
        """Layers whose attention reaches the whole context, if only by an indexer's choice."""
        return self.layers - self.linear_layers - self.window_layers

    @property
    def routed_width(self) -> int:
        """Width of a token as a routed expert sees it, and as it is dispatched."""
        return self.expert_hidden or self.hidden

    @property
    def expert_params(self) -> int:
        """Weights of one routed expert: gate, up and down projection."""
        return 3 * self.routed_width * self.moe_inter

    @property
    def shared_width(self) -> int:
        """Inner width of all shared experts of a layer together."""
        return self.shared_experts * (self.shared_inter or self.moe_inter)

    @property
    def shared_params(self) -> int:
        """Weights of all shared experts of a layer."""
        return 3 * self.hidden * self.shared_width

    @property
    def latent_params(self) -> int:
        """Weights of a layer's projections into and out of the width of its routed experts."""
        return 2 * self.hidden * self.expert_hidden

    @property
    def attention_params(self) -> int:
        """Weights of one layer's attention projections, without an indexer.

        Linear attention is taken as wide as the full attention of its model, whose projections
        are of the same order.
        """
        if self.attention == "gqa":
            query = output = self.heads * self.head_dim
            key_value = self.hidden * 2 * self.kv_heads * self.head_dim
        else:
            query = self.heads * (self.nope_dim + self.rope_dim)
            output = self.heads * self.v_dim
            down = self.hidden * (self.kv_lora + self.rope_dim)
            key_value = down + self.heads * self.kv_lora * (self.nope_dim + self.v_dim)
        query_params = (self.hidden + query) * self.q_lora if self.q_lora else self.hidden * query
        return query_params + key_value + self.hidden * output

    @property
    def indexer_params(self) -> int:
        """Weights of the indexer of one full layer: its queries, one key and a weight a head."""
        query = (self.q_lora or self.hidden) * self.index_heads * self.index_dim
        return query + self.hidden * (self.index_dim + self.index_heads)

    @property
    def params(self) -> int:
        """All weights: layers, embeddings in and out, and each MTP layer as one more MoE layer."""
        attention = (self.layers + self.mtp) * self.attention_params
        indexers = (self.full_attention_layers + self.mtp) * self.indexer_params
        dense = self.dense_layers * 3 * self.hidden * self.dense_inter
        gate = self.hidden * self.experts
        moe = self.experts * self.expert_params + self.shared_params + gate + self.latent_params
        embeddings = 2 * self.vocab * self.hidden
        return attention + indexers + dense + (self.moe_layers + self.mtp) * moe + embeddings

    def expert_bytes(self, bytes_per_weight: float = 1.0) -> float:
        """Bytes of one routed expert's weights."""
        return self.expert_params * bytes_per_weight

    def kv_bytes_per_token(self, bytes_per_element: float = 2.0) -> float:
        """Bytes that one token keeps in the key-value cache of one layer that has one."""
        if self.attention == "mla":
            return (self.kv_lora + self.rope_dim) * bytes_per_element
        return 2 * self.kv_heads * self.head_dim * bytes_per_element

    def attended_tokens(self, kv_tokens: float) -> float:
        """Context tokens that the attention core of a layer reads, on average over the layers.

        Parameters
        ----------
        kv_tokens
            Tokens of context. A full layer reads all of them or those that its indexer selects, a
            windowed layer the last ``window``, a linear layer none.
        """
        # The indexer of sparse attention selects at most so many tokens.
        full = min(kv_tokens, self.index_top_k) if self.index_top_k else kv_tokens
        windowed = min(kv_tokens, self.window)
        read = self.full_attention_layers * full + self.window_layers * windowed
        return read / self.layers

    def cache_bytes(self, kv_tokens: float, bytes_per_element: float = 2.0) -> float:
        """Bytes that one sequence keeps over all layers.

        Parameters
        ----------
        kv_tokens
            Tokens of its context.
        bytes_per_element
            Bytes of one element of the key-value cache; indexers keep 8 bits, whatever it is.
        """
        full = self.full_attention_layers * kv_tokens
        windowed = self.window_layers * min(kv_tokens, self.window)
        cached = (full + windowed) * self.kv_bytes_per_token(bytes_per_element)
        # The indexer keeps a key of 8 bits for each token of a full layer.
        return cached + full * self.index_dim + self.linear_layers * self.linear_state_bytes
