"""Time of the kernels of one layer on one die: attention, its projections, and the experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import rooflines
from hardware.device import Device
from hardware.model import Model
from hardware.rooflines import FORMAT_BYTES
from hardware.timing_grid import Key, load

Array = NDArray[np.float64]

#: Times that norms, residual additions, rotary embedding and quantisation move a hidden state to
#: or from memory in one layer, in two fused kernels: an assumption.
PASSES = 8
SMALL_KERNELS = 2

#: Linear attention in prefill works on chunks of so many tokens, whose state is read and written
#: once (the gated delta rule of flash-linear-attention); heads of 128 x 128 are assumed.
LINEAR_CHUNK, LINEAR_HEAD = 64, 128
#: Its kernels: convolution and update in decode; convolution, products of keys, inverse, corrected
#: keys and values, states, outputs in prefill, which move 18 vectors of all heads a token.
LINEAR_KERNELS = {"decode": 2, "prefill": 6}
LINEAR_PASSES = 18

#: Kernels in a part of the attention phase that is more than one.
KERNELS_IN = {"norms": SMALL_KERNELS, "absorption": 2, "shared expert": 2}
KERNELS_IN["linear state"] = LINEAR_KERNELS["decode"]


@dataclass(frozen=True)
class Operators:
    """Roofline prices of a model's kernels on a device.

    Every kernel takes its launch and the roofline (:meth:`hardware.Kernels.joined`) of its memory
    time and its compute time, each at the fraction of the peak that ``device.kernels`` names.

    Parameters
    ----------
    device, model
        What runs what.
    weight_format
        Number format of weights and matrix products; by default the device's 8-bit format
        (xDeepServe section 4.7 serves INT8).
    kv_format
        Number format of the key-value cache.
    core_share
        Fraction of the die's matrix cores that run these kernels, where two streams share a die
        (CloudMatrix-Infer gives attention 16 of 24 and experts 8). Memory bandwidth is not split.
    int8_attention
        Fraction of layers whose attention computes in INT8, twice as fast as in 16 bits
        (xDeepServe section 4.7).
    source
        "roofline", or "measured": interpolate the table of the device where it covers the shape
        and the sizes, and use the roofline elsewhere.
    shared_local
        Whether every rank computes the shared expert of its own tokens; else it is a routed
        expert on ranks of its own, as in xDeepServe.

    Raises
    ------
    ValueError
        If a format is unknown or has no peak on the device, or 0 < ``core_share`` <= 1 or
        0 <= ``int8_attention`` <= 1 fails.
    """

    device: Device
    model: Model
    weight_format: str = ""
    kv_format: str = "bf16"
    core_share: float = 1.0
    int8_attention: float = 0.0
    shared_local: bool = True
    source: str = "roofline"

    def __post_init__(self) -> None:
        # The first of these that the device has.
        eight_bit = [name for name in ("int8", "fp8", "bf16") if name in self.device.flops]
        chosen = self.weight_format or (eight_bit or list(self.device.flops))[0]
        object.__setattr__(self, "weight_format", chosen)
        self.device.flops_per_s(chosen)
        for number_format in (chosen, self.kv_format):
            if number_format not in FORMAT_BYTES:
                raise ValueError(
                    f"number format {number_format!r} is unknown; give one of "
                    f"{', '.join(FORMAT_BYTES)}"
                )
        if not 0 < self.core_share <= 1:
            raise ValueError(f"core_share = {self.core_share} breaks 0 < core_share <= 1")
        if self.source not in ("roofline", "measured"):
            raise ValueError(f"source = {self.source!r} is not 'roofline' or 'measured'")
        if self.source == "measured" and not self.device.measured:
            raise ValueError(f"{self.device.name} has no measured table; use source = 'roofline'")
        if not 0 <= self.int8_attention <= 1:
            raise ValueError(f"int8_attention = {self.int8_attention}: 0 <= int8_attention <= 1")

    @property
    def bytes_per_weight(self) -> float:
        """Bytes of one weight."""
        return FORMAT_BYTES[self.weight_format]

    def gemm_s(self, rows: ArrayLike, inner: int, columns: int, form: str = "") -> Array:
        """Seconds of a dense product; see :func:`hardware.rooflines.product_s`.

        Parameters
        ----------
        rows
            [...] tokens.
        inner, columns
            Dimensions of the weights.
        form
            Number format; by default that of the weights.
        """
        form = form or self.weight_format
        modelled = rooflines.product_s(self.device, rows, inner, columns, form, self.core_share)
        return self._measured(modelled, "gemm", (form, inner, columns), rows)

    def _measured(self, modelled: Array, operator: str, shape: Key, *sizes: ArrayLike) -> Array:
        """Replace modelled seconds by measured ones, where there are any."""
        if self.source == "roofline":
            return modelled
        found = load(self.device.measured).seconds(operator, shape, *sizes)
        return np.where(np.isnan(found), modelled, found)

    def attention_core_s(
        self, tokens: ArrayLike, kv_tokens: float, phase: str = "decode", queries: float = 1.0
    ) -> Array:
        """Seconds of scores and weighted values, without projections.

        Decode, latent attention absorbed: a token spends 2 · heads · (2 · kv_lora + rope_dim) FLOPs
        on each token of its context, and each sequence reads kv_lora + rope_dim elements of it.
        Decode, grouped queries: 4 · heads · head_dim FLOPs, 2 · kv_heads · head_dim elements. Tiles
        and softmax come on top (:func:`hardware.rooflines.score_flops`). In prefill the tokens of
        a sequence share its cache, so compute alone counts, with full heads; sparse attention,
        whose tokens each read others, stays absorbed.

        Parameters
        ----------
        tokens
            [...] query tokens on the die.
        kv_tokens
            Tokens of context that each attends to, on average.
        phase
            "decode" or "prefill".
        queries
            Query tokens of one sequence in one decode step (1 + draft tokens), which read the
            cache together.
        """
        if phase not in ("decode", "prefill"):
            raise ValueError(f"phase = {phase!r} is not 'decode' or 'prefill'")
        # A windowed or sparse layer attends to part of the context only.
        context = np.asarray(tokens, dtype=np.float64) * self.model.attended_tokens(kv_tokens)
        if phase == "prefill":
            flops = context * self._prefill_flops * (1 - self.int8_attention / 2)
            return rooflines.prefill_attention_s(self.device, flops, self.core_share)
        latent, heads = self.model.attention == "mla", self.model.heads
        key_width = self.model.kv_lora + self.model.rope_dim if latent else self.model.head_dim
        value_width = self.model.kv_lora if latent else self.model.head_dim
        scores = rooflines.score_flops(self.device, heads, key_width + value_width, latent, queries)
        flops = context * scores * (1 - self.int8_attention / 2)
        # Draft tokens of one sequence read its cache together.
        element = rooflines.cached_bytes(self.device, self.kv_format, latent)
        read = context / queries * self.model.kv_bytes_per_token(element)
        moved = np.asarray(tokens, dtype=np.float64) * self._query_bytes
        modelled = rooflines.decode_attention_s(self.device, read, moved, flops, self.core_share)
        shape = (self.model.kv_heads, heads, key_width, value_width)
        return self._measured(modelled, "attention_decode", shape, tokens, kv_tokens)

    def attention_parts(
        self, tokens: ArrayLike, kv_tokens: float, phase: str = "decode", queries: float = 1.0
    ) -> dict[str, Array]:
        """Seconds of every kernel that a rank runs between combine and the next dispatch.

        Parameters as in :meth:`attention_core_s`.

        Returns
        -------
        dict
            Kernel name to [...] seconds: projections, attention, gate, shared expert, and the
            small kernels (norms, rotary embedding, quantisation).
        """
        count = np.asarray(tokens, dtype=np.float64)
        model = self.model
        parts = self._mla_parts(count, phase) if model.attention == "mla" else self._gqa(count)
        parts["attention"] = self.attention_core_s(count, kv_tokens, phase, queries)
        if model.linear_layers:
            share = model.linear_layers / model.layers
            parts["linear state"] = share * self.linear_attention_s(count, phase, queries)
        if model.index_heads:
            parts["indexer"] = self.indexer_s(count, kv_tokens, phase, queries)
        # Routers stay in 16 bits.
        parts["gate"] = self.gemm_s(count, model.hidden, model.experts, "bf16")
        if model.shared_experts and self.shared_local:
            parts["shared expert"] = self.mlp_s(count, model.shared_width)
        moved = PASSES * 2.0 * model.hidden * count
        bandwidth = self.device.hbm_bytes_per_s * self.device.kernels.memory
        parts["norms"] = SMALL_KERNELS * self.device.kernels.launch_s + moved / bandwidth
        if phase == "decode":
            # A captured graph saves part of every launch.
            kernels = self.device.kernels
            saved = {name: kernels.graph_saving_s * KERNELS_IN.get(name, 1) for name in parts}
            saved["attention"] = kernels.attention_graph_saving_s
            if model.linear_layers:
                saved["linear state"] *= share
            parts = {name: seconds - saved[name] for name, seconds in parts.items()}
        return parts

    def attention_s(
        self, tokens: ArrayLike, kv_tokens: float, phase: str = "decode", queries: float = 1.0
    ) -> Array:
        """Seconds of all that a rank runs outside the routed experts of one layer; [...]."""
        parts = self.attention_parts(tokens, kv_tokens, phase, queries)
        total: Array = np.sum(list(parts.values()), axis=0)
        return total

    def mlp_s(self, tokens: ArrayLike, width: int) -> Array:
        """Seconds of a dense gated MLP: gate and up in one product, then down."""
        hidden = self.model.hidden
        return self.gemm_s(tokens, hidden, 2 * width) + self.gemm_s(tokens, width, hidden)

    def head_s(self, tokens: ArrayLike) -> Array:
        """Seconds of the output head, in BF16."""
        return self.gemm_s(tokens, self.model.hidden, self.model.vocab, "bf16")

    def _mla_parts(self, count: Array, phase: str) -> dict[str, Array]:
        model = self.model
        query, latent = model.heads * (model.nope_dim + model.rope_dim), model.kv_lora
        down = model.q_lora + latent + model.rope_dim
        parts = {"down projections": self.gemm_s(count, model.hidden, down)}
        parts["query"] = self.gemm_s(count, model.q_lora or model.hidden, query)
        # Sparse attention stays absorbed in prefill, since every token reads other tokens.
        if phase == "prefill" and not model.index_top_k:
            up = model.heads * (model.nope_dim + model.v_dim)
            parts["key and value"] = self.gemm_s(count, latent, up)
        # Decode absorbs the up projections of keys and values into queries and outputs, since the
        # cache holds the latent vector alone.
        else:
            parts["absorption"] = self._heads_s(count, model.nope_dim, latent)
            parts["absorption"] = parts["absorption"] + self._heads_s(count, latent, model.v_dim)
            if phase == "decode":
                kernels = self.device.kernels
                moved = kernels.query_passes * 2.0 * model.heads * (latent + model.rope_dim) * count
                bandwidth = self.device.hbm_bytes_per_s * kernels.memory
                parts["absorption"] = parts["absorption"] + moved / bandwidth
        parts["output"] = self.gemm_s(count, model.heads * model.v_dim, model.hidden)
        return parts

    def _gqa(self, count: Array) -> dict[str, Array]:
        model = self.model
        queries = model.heads * model.head_dim
        key_values = 2 * model.kv_heads * model.head_dim
        parts = {}
        if model.q_lora:
            parts["down projections"] = self.gemm_s(count, model.hidden, model.q_lora)
            parts["query"] = self.gemm_s(count, model.q_lora, queries)
            parts["key and value"] = self.gemm_s(count, model.hidden, key_values)
        else:
            parts["query, key, value"] = self.gemm_s(count, model.hidden, queries + key_values)
        parts["output"] = self.gemm_s(count, queries, model.hidden)
        return parts

    def _heads_s(self, count: Array, inner: int, columns: int) -> Array:
        """Seconds of one BF16 product in every head: the absorbed halves of the up projection."""
        device, kernels, heads = self.device, self.device.kernels, self.model.heads
        moved = 2.0 * heads * (inner * columns + count * (inner + columns))
        memory = moved / (device.hbm_bytes_per_s * kernels.memory)
        reached = device.flops_per_s("bf16") * kernels.compute * self.core_share
        compute = 2.0 * heads * count * inner * columns / reached
        return kernels.launch_s + kernels.joined(memory, compute)

    def linear_attention_s(
        self, tokens: ArrayLike, phase: str = "decode", queries: float = 1.0
    ) -> Array:
        """Seconds of linear attention in one layer that has it, without its projections.

        In decode every sequence's state is read and written once a step. In prefill it is once a
        chunk of 64 tokens: 3 products with the state and 5 within the chunk follow one another,
        some bound by memory and some by products, so that both times count.

        Parameters
        ----------
        tokens
            [...] tokens on the die.
        phase
            "decode" or "prefill".
        queries
            Tokens of one sequence in one decode step, which share a state.
        """
        count, device = np.asarray(tokens, dtype=np.float64), self.device
        kernels, state = device.kernels, self.model.linear_state_bytes
        launches = LINEAR_KERNELS[phase] * kernels.launch_s
        if phase == "decode":
            moved = 2.0 * count / queries * state
            return launches + moved / (device.hbm_bytes_per_s * kernels.state_memory)
        elements = state / FORMAT_BYTES["fp32"]
        vectors = LINEAR_PASSES * 2.0 * elements / LINEAR_HEAD
        moved = count * (2.0 * state / LINEAR_CHUNK + vectors)
        flops = count * 2.0 * elements * (3 + 5 * LINEAR_CHUNK / LINEAR_HEAD)
        reached = device.flops_per_s("bf16") * kernels.prefill_compute * self.core_share
        memory: Array = moved / (device.hbm_bytes_per_s * kernels.memory)
        return launches + memory + flops / reached

    def indexer_s(
        self, tokens: ArrayLike, kv_tokens: float, phase: str = "decode", queries: float = 1.0
    ) -> Array:
        """Seconds in which sparse attention scores every cached token, in the 8-bit format.

        Parameters as in :meth:`attention_core_s`. In prefill the tokens of a sequence share its
        keys, so that products alone count.
        """
        model, kernels, device = self.model, self.device.kernels, self.device
        context = np.asarray(tokens, dtype=np.float64) * kv_tokens
        flops = 2.0 * context * model.index_heads * model.index_dim
        peak = device.flops_per_s(self.weight_format) * self.core_share
        if phase == "prefill":
            return kernels.launch_s + flops / (peak * kernels.prefill_compute)
        read = context / queries * model.index_dim
        memory = read / (device.hbm_bytes_per_s * kernels.attention_memory)
        compute = flops / (peak * kernels.attention_compute)
        return kernels.launch_s + np.maximum(memory, compute)

    @property
    def _query_bytes(self) -> float:
        """Bytes of a token's queries and outputs in decode, 16 bits each."""
        model = self.model
        mla = model.attention == "mla"
        width = 2 * model.kv_lora + model.rope_dim if mla else 2 * model.head_dim
        return 2.0 * model.heads * width

    @property
    def _prefill_flops(self) -> float:
        """FLOPs of one token of prefill with one token of its context: scores and values."""
        model = self.model
        if model.attention == "gqa":
            return 4.0 * model.heads * model.head_dim
        if model.index_top_k:
            return 2.0 * model.heads * (2 * model.kv_lora + model.rope_dim)
        return 2.0 * model.heads * (model.nope_dim + model.rope_dim + model.v_dim)

    def expert_memory_s(self, tokens: ArrayLike) -> Array:
        """Seconds of memory traffic of each expert, [...] like ``tokens``.

        Weights as in :func:`hardware.rooflines.grouped_memory_s`. Activations: 8 bits in, both
        halves of the gate out and in again at 16 bits, 8 bits to the down product, 16 bits out.
        """
        model, size = self.model, self.bytes_per_weight
        each = (size + 2.0) * model.routed_width + (8.0 + 2.0 * size) * model.moe_inter
        return rooflines.grouped_memory_s(self.device, tokens, model.expert_bytes(size), each)

    def expert_compute_s(self, tokens: ArrayLike) -> Array:
        """Seconds of matrix products of each expert, [...] like ``tokens``; tiles are padded."""
        params, form = self.model.expert_params, self.weight_format
        return rooflines.grouped_compute_s(self.device, tokens, params, form, self.core_share)

    def experts_s(self, tokens: ArrayLike) -> Array:
        """Seconds of the grouped products of a rank's experts together.

        Two launches (gate and up; down; the activation between them costs about what a graph
        saves on the two) and the roofline of the sums over experts of
        :meth:`expert_memory_s` and :meth:`expert_compute_s`. Splitting tokens over replicas never
        lowers either sum, more tokens never lower either.

        Parameters
        ----------
        tokens
            [..., experts] tokens of each expert slot of the rank.

        Returns
        -------
        ndarray
            [...] seconds; 0 for a rank without tokens.
        """
        memory = self.expert_memory_s(tokens).sum(axis=-1)
        slots = np.shape(tokens)[-1]
        modelled = self.grouped_s(memory, self.expert_compute_s(tokens).sum(axis=-1), slots)
        if self.source == "roofline":
            return modelled
        # A rank's uneven experts are looked up as so many equal ones.
        count = np.asarray(tokens, dtype=np.float64)
        touched = (count > 0).sum(axis=-1)
        each = count.sum(axis=-1) / np.maximum(touched, 1)  # a grid knows equal tokens alone
        width, inter = self.model.routed_width, self.model.moe_inter
        up, down = (self.weight_format, width, 2 * inter), (self.weight_format, inter, width)
        grid = load(self.device.measured)
        found = grid.seconds("grouped_gemm", up, each, touched)
        found = found + grid.seconds("grouped_gemm", down, each, touched)
        return np.where(np.isnan(found), modelled, found)

    def grouped_s(self, memory_s: ArrayLike, compute_s: ArrayLike, slots: float) -> Array:
        """Seconds of grouped products whose experts add up to these; 0 where both are 0.

        ``slots`` are the expert slots of the rank, each of which costs ``resident_expert_s``.
        """
        kernels = self.device.kernels
        busy = kernels.joined(memory_s, compute_s)
        fixed = 2.0 * kernels.grouped_launch_s + slots * kernels.resident_expert_s
        return np.where(busy > 0, fixed + busy, 0.0)
