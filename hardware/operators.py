"""Seconds of the kernels of one layer on one rank."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hardware.device import FORMAT_BYTES, Device
from hardware.model import Model
from hardware.quantity import Array, quantity


@dataclass(frozen=True)
class Operators:
    """Price the layers of a model on a device, during decode.

    Every kernel takes the longer of its memory time and its compute time (a roofline with the
    device's measured efficiencies); launches are counted apart, in ``kernel_launch_s``. Reading
    and writing activations is left out: at decode sizes weights and cache outweigh them.

    Parameters
    ----------
    device
        One rank's accelerator.
    model
        The model's shape.
    weight_format
        Format in which matmul weights are kept and multiplied.
    kv_format
        Format of the cache and of the attention core.
    tokens_per_sequence
        Tokens of one sequence in a step: 1, or 1 + drafted tokens under multi-token prediction.
        They read the same cache once.

    Raises
    ------
    ValueError
        If the device has no peak for a format, or ``tokens_per_sequence`` is below 1.

    Examples
    --------
    >>> operators = Operators(Device.preset("ascend-910c"), Model.preset("deepseek-v3"))
    >>> [f"{seconds * 1e6:.1f} us" for seconds in operators.expert_s([0, 1, 64])]
    ['0.0 us', '32.8 us', '32.8 us']
    """

    device: Device
    model: Model
    weight_format: str = "int8"
    kv_format: str = "bf16"
    tokens_per_sequence: float = 1

    def __post_init__(self) -> None:
        self.device.peak(self.weight_format)
        self.device.peak(self.kv_format)
        if not self.tokens_per_sequence >= 1:
            raise ValueError(f"tokens_per_sequence = {self.tokens_per_sequence}, but must be >= 1")

    def attention_s(self, tokens: ArrayLike, kv_tokens: ArrayLike) -> Array:
        """Price what a rank computes in a MoE layer outside the routed experts.

        Attention core, its projections, the gate, and the shared experts, which every rank
        holds.

        Parameters
        ----------
        tokens
            [..., ranks] tokens on each rank in this step.
        kv_tokens
            Mean cached tokens each of them attends to; broadcasts against ``tokens``.

        Returns
        -------
        ndarray
            [..., ranks] seconds.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        model = self.model
        gate = model.hidden * model.experts
        shared = model.shared_experts * model.expert_params
        return self._mixing_s(tokens, kv_tokens) + self._matmul_s(tokens, gate + shared)

    def dense_s(self, tokens: ArrayLike, kv_tokens: ArrayLike) -> Array:
        """Price one whole dense layer: attention core, projections, dense feed-forward.

        Parameters
        ----------
        tokens, kv_tokens
            As for :meth:`attention_s`.

        Returns
        -------
        ndarray
            [..., ranks] seconds.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        feed_forward = 3 * self.model.hidden * self.model.dense_inter
        return self._mixing_s(tokens, kv_tokens) + self._matmul_s(tokens, feed_forward)

    def expert_s(self, tokens: ArrayLike) -> Array:
        """Price one slot's expert: its part of the rank's grouped matmuls.

        ``max(weight_bytes / (hbm * weight_memory) * min(1, t), 2 * params * t / (peak *
        grouped_gemm_compute))``: an untouched expert costs nothing, a touched one its weights,
        and beyond some tokens every further one its FLOPs. Never decreasing, and subadditive:
        splitting an expert's tokens over replicas never lowers the sum.

        Parameters
        ----------
        tokens
            [...] tokens in each slot; a mean over steps may be fractional.

        Returns
        -------
        ndarray
            [...] seconds.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        return self._roofline_s(
            quantity("tokens", tokens), self.model.expert_params, self.device.grouped_gemm_compute
        )

    @property
    def kernel_launch_s(self) -> float:
        """Seconds of launches in one MoE layer on one rank, to add once a layer.

        Kernels after arXiv:2508.02520, figure 10: attention preprocessing, attention core,
        output projection, gate, two grouped matmuls, and two more for shared experts. Launches
        of dispatch and combine lie in their setup time.
        """
        return self.device.launch_s * (8 if self.model.shared_experts else 6)

    @property
    def projection_params(self) -> int:
        """Weights that attention multiplies each token with, in one layer.

        MLA in its absorbed form (arXiv:2405.04434, appendix C): query down and up, latent and
        rotary key, key and value up-projections folded into query and output, output.
        """
        model = self.model
        if model.attention == "gqa":
            return 2 * model.hidden * model.head_dim * (model.heads + model.kv_heads)
        query_width = model.heads * (model.nope_dim + model.rope_dim)
        if model.q_lora:
            query = model.q_lora * (model.hidden + query_width)
        else:
            query = model.hidden * query_width
        latent = model.hidden * (model.kv_lora + model.rope_dim)
        absorbed = model.heads * model.kv_lora * (model.nope_dim + model.v_dim)
        return query + latent + absorbed + model.heads * model.v_dim * model.hidden

    def _mixing_s(self, tokens: ArrayLike, kv_tokens: ArrayLike) -> Array:
        return self._core_s(tokens, kv_tokens) + self._matmul_s(tokens, self.projection_params)

    def _core_s(self, tokens: ArrayLike, kv_tokens: ArrayLike) -> Array:
        """Attention core: the cache is read once a sequence, FLOPs are paid once a token.

        Absorbed MLA multiplies every head's query with latent and rotary key and its weights
        with the latent, so ``2 * heads * (2 * kv_lora + rope_dim)`` FLOPs for each pair of
        token and cached token; grouped-query attention ``4 * heads * head_dim``. The
        efficiencies are those measured for MLA, for grouped-query attention by analogy.
        """
        model, device = self.model, self.device
        pairs = quantity("tokens", tokens) * quantity("kv_tokens", kv_tokens)
        if model.attention == "mla":
            flops = 2 * model.heads * (2 * model.kv_lora + model.rope_dim)
        else:
            flops = 4 * model.heads * model.head_dim
        cache_bytes = model.kv_bytes_per_token_layer(FORMAT_BYTES[self.kv_format])
        memory_s = cache_bytes / self.tokens_per_sequence / device.hbm_bytes_per_s
        compute_s = flops / device.peak(self.kv_format)
        return pairs * max(memory_s / device.mla_memory, compute_s / device.mla_compute)

    def _matmul_s(self, tokens: ArrayLike, params: int) -> Array:
        return self._roofline_s(quantity("tokens", tokens), params, self.device.gemm_compute)

    def _roofline_s(self, tokens: Array, params: int, efficiency: float) -> Array:
        """Weights streamed once if touched, or FLOPs, whichever takes longer."""
        device = self.device
        weight_bytes = params * FORMAT_BYTES[self.weight_format]
        stream_s = weight_bytes / (device.hbm_bytes_per_s * device.weight_memory)
        token_s = 2 * params / (device.peak(self.weight_format) * efficiency)
        seconds: Array = np.maximum(stream_s * np.minimum(1.0, tokens), token_s * tokens)
        return seconds
