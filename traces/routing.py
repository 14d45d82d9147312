"""Routing traces: the number of tokens that chose each expert, in every step and layer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import (
    check_header,
    check_range,
    checked_integer,
    checked_provenance,
    frozen,
    hash_of,
    header_of,
    whole_numbers,
)
from traces.step_times import checked_times

AXES = ("steps", "layers", "experts")


@dataclass(frozen=True, eq=False, repr=False)
class RoutingTrace:
    """Expert counts of consecutive steps.

    Parameters
    ----------
    counts
        [steps, layers, experts] tokens that chose each expert, kept as int32.
    model
        Name of the model.
    top_k
        Experts that a token chooses in one layer.
    phase
        "prefill", "decode", "mixed" or "unknown".
    step_tokens
        [steps] tokens of each step; by default what ``top_k`` and the fullest layer imply.
    provenance
        Text by key: origin, licence, notes.
    time_s
        [steps] second at which each step started, from any second on and never falling; None
        where it was not recorded.

    Raises
    ------
    ValueError
        If counts are ragged, negative, fractional or above 2**31 - 1, an axis is empty, times
        fall, or another field is out of its range.

    Examples
    --------
    >>> RoutingTrace([[[3, 1], [2, 2]]], model="toy", top_k=1).step_tokens
    array([4])
    """

    counts: NDArray[np.int32]
    model: str
    top_k: int
    phase: str = "unknown"
    step_tokens: NDArray[np.int64] | None = None
    provenance: Mapping[str, str] | None = None
    time_s: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        counts = whole_numbers(self.counts, "counts", AXES)
        if counts.size == 0:
            raise ValueError(f"counts has shape {counts.shape}: no axis may be empty")
        check_range(counts, "counts", AXES, 2**31, "a count is a number of tokens")
        check_header(self.model, self.top_k, counts.shape[2], self.phase)
        object.__setattr__(self, "counts", frozen(counts, np.int32))
        object.__setattr__(self, "top_k", int(self.top_k))
        object.__setattr__(self, "provenance", checked_provenance(self.provenance))
        object.__setattr__(self, "step_tokens", frozen(self._checked_step_tokens(), np.int64))
        if self.time_s is not None:
            object.__setattr__(self, "time_s", checked_times(self.time_s, self.num_steps))

    def _checked_step_tokens(self) -> NDArray[Any]:
        if self.step_tokens is None:
            fullest = self.counts.sum(axis=2, dtype=np.int64).max(axis=1)
            return -(-fullest // self.top_k)
        tokens = whole_numbers(self.step_tokens, "step_tokens", ("steps",))
        check_range(tokens, "step_tokens", ("steps",), 2**62, "give the tokens of each step")
        if len(tokens) != self.num_steps:
            raise ValueError(
                f"step_tokens has {len(tokens)} entries for {self.num_steps} steps; give one a step"
            )
        return tokens

    @property
    def num_steps(self) -> int:
        """Forward passes."""
        return self.counts.shape[0]

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.counts.shape[1]

    @property
    def num_experts(self) -> int:
        """Logical experts of one layer."""
        return self.counts.shape[2]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of header and counts; provenance is left out."""
        return hash_of(self.header, self.columns)

    @property
    def header(self) -> dict[str, Any]:
        """What the store writes about the whole trace."""
        return header_of("routing", self)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """What the store writes for each step: [steps] and [steps, layers * experts]."""
        assert self.step_tokens is not None
        times = {} if self.time_s is None else {"time_s": self.time_s}
        return {
            "step_tokens": self.step_tokens,
            "counts": self.counts.reshape(self.num_steps, -1),
            **times,
        }

    def slice(self, start: int, stop: int | None = None) -> "RoutingTrace":
        """Return steps ``start`` up to ``stop``, as Python slices do."""
        assert self.step_tokens is not None
        return replace(
            self,
            counts=self.counts[start:stop],
            step_tokens=self.step_tokens[start:stop],
            time_s=None if self.time_s is None else self.time_s[start:stop],
        )

    def windows(self, steps_per_window: int) -> NDArray[np.int64]:
        """Sum the counts of consecutive windows; an incomplete last window is left out.

        Returns
        -------
        ndarray
            [windows, layers, experts].

        Raises
        ------
        ValueError
            If not 1 <= steps_per_window <= steps.
        """
        checked_integer(steps_per_window, "steps_per_window")
        if not 1 <= steps_per_window <= self.num_steps:
            raise ValueError(
                f"steps_per_window = {steps_per_window} is outside 1 <= steps_per_window <= "
                f"{self.num_steps} steps"
            )
        windows = self.num_steps // steps_per_window
        cut = self.counts[: windows * steps_per_window]
        return cut.reshape(windows, steps_per_window, *cut.shape[1:]).sum(axis=1, dtype=np.int64)

    def blocks(self) -> Iterator["RoutingTrace"]:
        """Yield the trace in chunks that fit in memory: here, itself."""
        yield self

    def load(self) -> "RoutingTrace":
        """Return the whole trace, as a stored one does: here, itself."""
        return self

    def __repr__(self) -> str:
        return (
            f"RoutingTrace({self.model}: {self.num_steps} steps, {self.num_layers} layers, "
            f"{self.num_experts} experts, top-{self.top_k}, {self.phase})"
        )

    def __reduce__(self) -> tuple[Callable[..., "RoutingTrace"], tuple[Any, ...]]:
        # numpy forgets the read-only flag when it pickles; the constructor sets it again
        fields = (self.counts, self.model, self.top_k, self.phase, self.step_tokens)
        return RoutingTrace, (*fields, dict(self.provenance or {}), self.time_s)
