"""The points of a measurement: sizes of each operator, samples and budget."""

import itertools
import math
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Sweep:
    """The points that are timed: every combination of the sizes of an operator.

    An empty tuple leaves its operator out. The cheap points of all operators come first, so that
    the budget cuts the dear ones off.

    Parameters
    ----------
    tokens, weights
        Dense products: rows m, and shapes (k, n) of the weights.
    groups, group_tokens, group_weights
        Grouped products: experts, tokens m of each of them, and shapes (k, n) of their weights.
    batches, decode_tokens, decode_heads
        Latent attention in decode: sequences, tokens of context of each, and query heads.
    latent_width, latent_v_width
        Elements of a cached token, and how many of them are its values (DeepSeek-V3: 576, 512).
    prefill_tokens, prefill_heads, head_width
        Causal attention over one sequence: its tokens, heads, and elements of a head.
    memory_bytes
        Bytes moved by a copy, read and written together; even numbers.
    repeats, warmup
        Samples of a point, of which the median counts, and calls before them.
    budget_s
        Seconds for the whole sweep; points that would overrun it are skipped.

    Raises
    ------
    ValueError
        If a size is no integer >= 1, a width or the budget is impossible, or bytes are odd.
    """

    tokens: tuple[int, ...]
    weights: tuple[tuple[int, int], ...]
    groups: tuple[int, ...]
    group_tokens: tuple[int, ...]
    group_weights: tuple[tuple[int, int], ...]
    batches: tuple[int, ...]
    decode_tokens: tuple[int, ...]
    decode_heads: tuple[int, ...]
    prefill_tokens: tuple[int, ...]
    prefill_heads: tuple[int, ...]
    memory_bytes: tuple[int, ...]
    latent_width: int = 576
    latent_v_width: int = 512
    head_width: int = 128
    repeats: int = 5
    warmup: int = 2
    budget_s: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("warmup", "budget_s"):
                _check_sizes(field.name, getattr(self, field.name))
        if not _is_integer(self.warmup) or self.warmup < 0:
            raise ValueError(f"warmup = {self.warmup!r} is no integer >= 0; give one")
        if not (math.isfinite(self.budget_s) and self.budget_s > 0):
            raise ValueError(f"budget_s = {self.budget_s!r} is not > 0 and finite; give seconds")
        if self.latent_v_width > self.latent_width:
            raise ValueError(
                f"latent_v_width = {self.latent_v_width} > latent_width = {self.latent_width}; "
                "values are part of the cached token"
            )
        odd = [size for size in self.memory_bytes if size % 2]
        if odd:
            raise ValueError(f"memory_bytes has {odd[0]}, which is odd; half is read, half written")

    @classmethod
    def quick(cls) -> "Sweep":
        """Return a sweep of about 20 seconds on 2 CPU cores."""
        return cls(
            tokens=(1, 16, 128, 512),
            weights=((2048, 2048), (4096, 2048)),
            groups=(8,),
            group_tokens=(1, 16, 64),
            group_weights=((2048, 1024),),
            batches=(1, 8),
            decode_tokens=(1024, 4096),
            decode_heads=(16, 128),
            prefill_tokens=(512, 1024, 2048),
            prefill_heads=(16,),
            memory_bytes=tuple(2**power * 2**20 for power in (4, 6, 8)),
            budget_s=20.0,
        )

    @classmethod
    def full(cls) -> "Sweep":
        """Return a sweep with the shapes of DeepSeek-V3, for an accelerator: at most 10 minutes."""
        return cls(
            tokens=(1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096, 8192),
            weights=((7168, 2112), (16384, 7168), (7168, 4096), (2048, 7168)),
            groups=(1, 4, 16, 32),
            group_tokens=(1, 4, 16, 64, 256, 1024),
            group_weights=((7168, 4096), (2048, 7168)),
            batches=(1, 4, 16, 64, 128),
            decode_tokens=(1024, 4096, 16384),
            decode_heads=(16, 128),
            prefill_tokens=(512, 1024, 2048, 4096, 8192),
            prefill_heads=(16, 128),
            memory_bytes=tuple(2**power * 2**20 for power in range(2, 13, 2)),
            repeats=11,
            warmup=3,
            budget_s=600.0,
        )


def _check_sizes(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` holds integers >= 1: pairs of them for weights."""
    pairs = name in ("weights", "group_weights")
    if pairs and isinstance(value, tuple):
        for pair in value:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"{name} has {pair!r}, which is no pair (k, n); give (k, n)")
        value = tuple(itertools.chain.from_iterable(value))
    alone = name in ("latent_width", "latent_v_width", "head_width", "repeats")
    if not alone and not isinstance(value, tuple):
        raise ValueError(f"{name} = {value!r} is no tuple; give a tuple of sizes")
    for size in (value,) if alone else value:
        if not _is_integer(size) or size < 1:
            raise ValueError(f"{name} has {size!r}, which is no integer >= 1; give one")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
