"""One timed problem: its sizes, bytes and FLOPs, and all problems of a sweep."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from hardware.measure.sweep import Sweep
from hardware.table import SIZES_OF

#: Bytes of one element of an operand, and of a result: integer products are summed in int32.
ELEMENT_BYTES = {"bf16": 2, "fp32": 4, "int8": 1, "fp8": 1}
RESULT_BYTES = {"bf16": 2, "fp32": 4, "int8": 4, "fp8": 2}
#: Puts points in order of their cost. In the time of a byte from memory, CPUs compute about 10
#: FLOPs and GPUs about 300.
FLOPS_PER_BYTE = 100


@dataclass(frozen=True)
class Point:
    """One problem to be timed; unused sizes are 0."""

    operator: str
    format: str
    m: int = 0
    k: int = 0
    n: int = 0
    groups: int = 0
    heads: int = 0
    width: int = 0
    v_width: int = 0
    batch: int = 0
    kv_tokens: int = 0

    def __str__(self) -> str:
        sizes = (f"{name}={getattr(self, name)}" for name in SIZES_OF[self.operator])
        return f"{self.operator} {self.format} {' '.join(sizes)}"

    @property
    def operand_bytes(self) -> int:
        """Bytes of one set of operands."""
        if self.operator == "memory":
            return self.n
        if self.operator == "attention_decode":
            elements = self.batch * (self.heads + self.kv_tokens) * self.width
        elif self.operator == "attention_prefill":
            elements = 3 * self.heads * self.kv_tokens * self.width
        else:
            elements = max(self.groups, 1) * self.k * (self.m + self.n)
        return elements * ELEMENT_BYTES[self.format]

    @property
    def result_bytes(self) -> int:
        """Bytes of the result, and of scores and weights where decode writes them."""
        if self.operator == "memory":
            return 0
        if self.operator == "attention_decode":
            elements = self.batch * self.heads * (2 * self.kv_tokens + self.v_width)
        elif self.operator == "attention_prefill":
            elements = self.heads * self.kv_tokens * self.v_width
        else:
            elements = max(self.groups, 1) * self.m * self.n
        return elements * RESULT_BYTES[self.format]

    @property
    def flops(self) -> int:
        """FLOPs of one call; causal prefill does half of the square."""
        pairs = self.heads * (self.width + self.v_width)
        if self.operator == "attention_decode":
            return 2 * self.batch * self.kv_tokens * pairs
        if self.operator == "attention_prefill":
            return self.kv_tokens**2 * pairs
        return 2 * max(self.groups, 1) * self.m * self.k * self.n

    @property
    def work(self) -> float:
        """What a call costs relative to others, in bytes: the order of the points."""
        return self.operand_bytes + self.result_bytes + self.flops / FLOPS_PER_BYTE


def points(sweep: Sweep, main: str, more: tuple[str, ...]) -> Iterator[Point]:
    """Yield every point: dense products in all formats, the rest in the main one."""
    for number_format, m, (k, n) in itertools.product((main, *more), sweep.tokens, sweep.weights):
        yield Point("gemm", number_format, m=m, k=k, n=n)
    experts = itertools.product(sweep.groups, sweep.group_tokens, sweep.group_weights)
    for groups, m, (k, n) in experts:
        yield Point("grouped_gemm", main, m=m, k=k, n=n, groups=groups)
    width, v_width = sweep.latent_width, sweep.latent_v_width
    decode = itertools.product(sweep.decode_heads, sweep.batches, sweep.decode_tokens)
    for heads, batch, kv in decode:
        latent = {"heads": heads, "width": width, "v_width": v_width}
        yield Point("attention_decode", main, **latent, batch=batch, kv_tokens=kv)
    for heads, kv in itertools.product(sweep.prefill_heads, sweep.prefill_tokens):
        full = {"heads": heads, "width": sweep.head_width, "v_width": sweep.head_width}
        yield Point("attention_prefill", main, **full, batch=1, kv_tokens=kv)
    for size in sweep.memory_bytes:
        yield Point("memory", main, n=size)
