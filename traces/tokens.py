"""Token traces: the experts that each token chose, in every layer."""

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
from traces.routing import RoutingTrace

AXES = ("tokens", "layers", "choices")
COMPARED_ROWS = 2**15  # pairs of choices are compared so many rows at a time: they stay in cache


@dataclass(frozen=True, eq=False, repr=False)
class TokenTrace:
    """Chosen experts of consecutive tokens.

    Parameters
    ----------
    experts
        [tokens, layers, top_k] expert ids, kept as uint8 or uint16; no id twice for one token.
    num_experts
        Logical experts of one layer.
    model
        Name of the model.
    phase
        "prefill", "decode", "mixed" or "unknown".
    step
        [tokens] step that each token ran in, counted from 0, never falling; a step without tokens
        is idle. ``None`` until :meth:`split`.
    source_rank
        [tokens] rank that each token started on.
    sample_lengths
        [samples] tokens of each recorded sample, in order; they add up to all tokens.
    provenance
        Text by key: origin, licence, notes.

    Raises
    ------
    ValueError
        If an id is not below ``num_experts``, a token names one twice, or a field has another
        length than the tokens.
    """

    experts: NDArray[Any]
    num_experts: int
    model: str
    phase: str = "unknown"
    step: NDArray[Any] | None = None
    source_rank: NDArray[Any] | None = None
    sample_lengths: NDArray[Any] | None = None
    provenance: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        ids = whole_numbers(self.experts, "experts", AXES)
        if ids.size == 0:
            raise ValueError(f"experts has shape {ids.shape}: no axis may be empty")
        num_experts = checked_integer(self.num_experts, "num_experts")
        object.__setattr__(self, "num_experts", num_experts)
        if not 1 <= self.num_experts <= 2**16:
            raise ValueError(f"num_experts = {self.num_experts} is outside 1 <= experts <= 65536")
        hint = "an id counts from 0; give the model's number of experts"
        check_range(ids, "experts", AXES, self.num_experts, hint)
        check_header(self.model, ids.shape[2], self.num_experts, self.phase)
        store = np.uint8 if self.num_experts <= 2**8 else np.uint16
        object.__setattr__(self, "experts", frozen(ids, store))
        check_distinct(self.experts)
        object.__setattr__(self, "provenance", checked_provenance(self.provenance))
        self._freeze_per_token("step")
        self._freeze_per_token("source_rank")
        if self.step is not None and (np.diff(self.step) < 0).any():
            where = int(np.argmax(np.diff(self.step) < 0)) + 1
            raise ValueError(f"step falls at token {where}; order the tokens by step")
        self._freeze_sample_lengths()

    def _freeze_per_token(self, name: str) -> None:
        if getattr(self, name) is None:
            return
        values = whole_numbers(getattr(self, name), name, ("tokens",))
        check_range(values, name, ("tokens",), 2**31, "count from 0")
        if len(values) != self.num_tokens:
            raise ValueError(
                f"{name} has {len(values)} entries for {self.num_tokens} tokens; give one a token"
            )
        object.__setattr__(self, name, frozen(values, np.int32))

    def _freeze_sample_lengths(self) -> None:
        if self.sample_lengths is None:
            return
        lengths = whole_numbers(self.sample_lengths, "sample_lengths", ("samples",))
        if lengths.min(initial=1) < 1 or lengths.sum() != self.num_tokens:
            raise ValueError(
                f"sample_lengths add up to {lengths.sum()} for {self.num_tokens} tokens (shortest "
                f"{lengths.min(initial=0)}); give positive lengths that cover all tokens"
            )
        object.__setattr__(self, "sample_lengths", frozen(lengths, np.int32))

    @property
    def num_tokens(self) -> int:
        """Recorded tokens."""
        return self.experts.shape[0]

    @property
    def num_steps(self) -> int:
        """Steps, up to the last one with tokens.

        Raises
        ------
        ValueError
            If the tokens are not in steps yet.
        """
        if self.step is None:
            raise ValueError("the tokens are not in steps; call split(step_tokens) first")
        return int(self.step[-1]) + 1

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.experts.shape[1]

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in one layer."""
        return self.experts.shape[2]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of header and columns; provenance is left out."""
        return hash_of(self.header, self.columns)

    @property
    def header(self) -> dict[str, Any]:
        """What the store writes about the whole trace."""
        return header_of("token", self)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """What the store writes for each token, the optional columns only where present."""
        columns: dict[str, NDArray[Any]] = {"experts": self.experts.reshape(self.num_tokens, -1)}
        if self.step is not None:
            columns["step"] = self.step
        if self.source_rank is not None:
            columns["source_rank"] = self.source_rank
        if self.sample_lengths is not None:
            numbers = np.arange(len(self.sample_lengths), dtype=np.int32)
            columns["sample"] = np.repeat(numbers, self.sample_lengths)
        return columns

    def split(self, step_tokens: int, *, keep_partial: bool = False) -> "TokenTrace":
        """Cut the tokens, in recorded order, into steps of ``step_tokens``.

        A last step with fewer tokens is left out unless ``keep_partial``. Sample boundaries go
        where tokens are left out.

        Raises
        ------
        ValueError
            If ``step_tokens`` is below 1, or no whole step remains.
        """
        checked_integer(step_tokens, "step_tokens")
        if step_tokens < 1:
            raise ValueError(f"step_tokens = {step_tokens} < 1; give the tokens of one step")
        whole = self.num_tokens if keep_partial else self.num_tokens - self.num_tokens % step_tokens
        if whole == 0:
            raise ValueError(
                f"step_tokens = {step_tokens} > {self.num_tokens} recorded tokens; give fewer, or "
                "keep_partial=True"
            )
        return replace(
            self,
            experts=self.experts[:whole],
            step=np.arange(whole) // step_tokens,
            source_rank=None if self.source_rank is None else self.source_rank[:whole],
            sample_lengths=self.sample_lengths if whole == self.num_tokens else None,
        )

    def counts(self) -> RoutingTrace:
        """Count how many tokens of each step chose each expert.

        Raises
        ------
        ValueError
            If the tokens are not in steps yet.
        """
        steps = self.num_steps
        assert self.step is not None
        layers, experts = self.num_layers, self.num_experts
        counts = np.zeros((steps, layers, experts), dtype=np.int32)
        for layer in range(layers):  # one layer at a time keeps the temporary arrays small
            cells = self.step[:, None].astype(np.int64) * experts + self.experts[:, layer]
            flat = np.bincount(cells.ravel(), minlength=steps * experts)
            counts[:, layer] = flat.reshape(steps, experts)
        tokens = np.bincount(self.step, minlength=steps)
        return RoutingTrace(counts, self.model, self.top_k, self.phase, tokens, self.provenance)

    def samples(self) -> Iterator["TokenTrace"]:
        """Yield the recorded samples one by one.

        Raises
        ------
        ValueError
            If the boundaries are not known.
        """
        if self.sample_lengths is None:
            raise ValueError("the trace has no sample_lengths; samples cannot be told apart")
        ends = np.cumsum(self.sample_lengths)
        for start, end in zip(ends - self.sample_lengths, ends, strict=True):
            yield replace(
                self,
                experts=self.experts[start:end],
                step=None,
                source_rank=None if self.source_rank is None else self.source_rank[start:end],
                sample_lengths=np.array([end - start]),
            )

    def blocks(self) -> Iterator[RoutingTrace]:
        """Yield the counts in chunks that fit in memory: here, in one."""
        yield self.counts()

    def __repr__(self) -> str:
        return (
            f"TokenTrace({self.model}: {self.num_tokens} tokens, {self.num_layers} layers, "
            f"{self.num_experts} experts, top-{self.top_k}, {self.phase})"
        )

    def __reduce__(self) -> tuple[Callable[..., "TokenTrace"], tuple[Any, ...]]:
        # numpy forgets the read-only flag when it pickles; the constructor sets it again
        fields = (self.experts, self.num_experts, self.model, self.phase, self.step)
        return TokenTrace, (
            *fields,
            self.source_rank,
            self.sample_lengths,
            dict(self.provenance or {}),
        )


def check_distinct(ids: NDArray[Any], first: int = 0) -> None:
    """Raise ValueError if a token names an expert twice in one layer.

    Parameters
    ----------
    ids
        [tokens, layers, top_k] expert ids.
    first
        The number that the error gives to the first token.
    """
    layers, top_k = ids.shape[1:]
    rows = ids.reshape(-1, top_k)
    for start in range(0, len(rows), COMPARED_ROWS):
        choices = np.ascontiguousarray(rows[start : start + COMPARED_ROWS].T)
        # every pair of choices, all rows of a pair at once
        if any((choices[apart:] == choices[:-apart]).any() for apart in range(1, top_k)):
            # Only where something is wrong, sort to find which token it is.
            ordered = np.sort(rows[start : start + COMPARED_ROWS], axis=1)
            row, choice = np.argwhere(ordered[:, 1:] == ordered[:, :-1])[0]
            token, layer = divmod(start + row, layers)
            raise ValueError(
                f"token {first + token} chooses expert {ordered[row, choice]} twice in layer "
                f"{layer}; the choices of one token are distinct"
            )
