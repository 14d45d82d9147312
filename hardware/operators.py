"""What one layer costs on one die: attention with its projections, and the experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.device import Device
from hardware.model import Model


@dataclass(frozen=True)
class Operators:
    """Roofline prices of a model's layers on a device.

    Every phase takes the larger of its memory time (bytes over reached bandwidth) and its compute
    time (FLOPs over reached FLOP/s), plus one launch.

    Parameters
    ----------
    device, model
        What runs what.
    weight_format
        Number format of weights and matrix products ("int8"; xDeepServe section 4.7).
    bytes_per_weight
        Bytes of one weight in that format.
    """

    device: Device
    model: Model
    weight_format: str = "int8"
    bytes_per_weight: float = 1.0

    def attention_s(
        self, tokens: ArrayLike, kv_tokens: float, phase: str = "decode"
    ) -> NDArray[np.float64]:
        """Seconds of attention, projections, gating and shared experts of one layer.

        Latent attention runs absorbed in decode: a token reads ``kv_lora + rope_dim`` elements for
        each token of its context and spends 2 · heads · (2 · kv_lora + rope_dim) FLOPs on it. In
        prefill the cache is shared by the tokens of a sequence, so compute alone counts, with
        full heads: 2 · heads · (nope_dim + rope_dim + v_dim).

        Parameters
        ----------
        tokens
            [...] tokens on the die.
        kv_tokens
            Tokens of context that each attends to, on average.
        phase
            "decode" or "prefill".
        """
        if phase not in ("decode", "prefill"):
            raise ValueError(f"phase = {phase!r} is not 'decode' or 'prefill'")
        count = np.asarray(tokens, dtype=np.float64)
        device, model = self.device, self.model
        context = count * kv_tokens
        compute = context * self._attention_flops(phase)
        core = compute / (device.flops_per_s("bf16") * device.mla_compute)
        if phase == "decode":
            read = context * model.kv_bytes_per_token()
            core = np.maximum(core, read / (device.hbm_bytes_per_s * device.mla_memory))
        gate = model.hidden * model.experts
        params = model.attention_params + gate + model.shared_experts * model.expert_params
        return core + self._dense_s(count, params) + device.launch_s

    def _attention_flops(self, phase: str) -> float:
        """FLOPs of one token with one token of its context: scores and weighted values."""
        model = self.model
        if model.attention == "gqa":
            return 4.0 * model.heads * model.head_dim
        if phase == "prefill":
            return 2.0 * model.heads * (model.nope_dim + model.rope_dim + model.v_dim)
        return 2.0 * model.heads * (2 * model.kv_lora + model.rope_dim)

    def _dense_s(self, tokens: NDArray[np.float64], params: int) -> NDArray[np.float64]:
        """Seconds of matrix products with ``params`` weights, read once."""
        device = self.device
        memory = params * self.bytes_per_weight / (device.hbm_bytes_per_s * device.weight_memory)
        rate = device.flops_per_s(self.weight_format) * device.gemm_compute
        return np.maximum(memory, 2.0 * params * tokens / rate)

    @property
    def expert_memory_s(self) -> float:
        """Seconds to read one expert's weights: what touching an expert costs at least."""
        reached = self.device.hbm_bytes_per_s * self.device.weight_memory
        return self.model.expert_bytes(self.bytes_per_weight) / reached

    @property
    def expert_token_s(self) -> float:
        """Seconds of one token in one expert, once compute decides."""
        device = self.device
        reached = device.flops_per_s(self.weight_format) * device.grouped_gemm_compute
        return 2.0 * self.model.expert_params / reached

    def expert_s(self, tokens: ArrayLike) -> NDArray[np.float64]:
        """Seconds of one expert with ``tokens``: memory floor, then compute slope.

        max(``expert_memory_s`` · min(tokens, 1), ``expert_token_s`` · tokens). Below one token, as
        the expected share of a replica, the weights are read that often. Splitting tokens over
        replicas never lowers the sum.
        """
        count = np.asarray(tokens, dtype=np.float64)
        return np.maximum(
            self.expert_memory_s * np.minimum(count, 1.0), self.expert_token_s * count
        )
