"""A part of a trace: some steps, tokens or layers, chunk by chunk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import checked_integer
from traces.routing import RoutingTrace
from traces.stepping import AnyTrace, num_steps, num_tokens, whole_samples
from traces.tokens import TokenTrace

Range = tuple[int | None, int | None]


@dataclass(frozen=True)
class Cut:
    """A part of a trace: steps, tokens and layers to keep.

    Parameters
    ----------
    steps, tokens
        The first, and the one after the last, from 0; ``None`` for an open end. Steps of the part
        are counted from its first.
    layers
        Which layers, in this order.
    """

    steps: Range | None = None
    tokens: Range | None = None
    layers: Sequence[int] | None = None

    def __call__(self, trace: AnyTrace) -> Iterator[RoutingTrace | TokenTrace]:
        """Yield the part of ``trace`` in chunks; a stored one is read to its end and checked.

        A sample of which only a part is kept goes on as that part.

        Raises
        ------
        ValueError
            If a range is empty or reaches beyond the trace, the trace has no steps or no tokens, a
            layer is not there or named twice, or no token is in the steps.
        """
        layers = self._layers(trace)
        tokens = num_tokens(trace)
        if tokens is None:
            if self.tokens is not None:
                raise ValueError("the trace counts tokens and holds none; cut it by steps")
            yield from self._of_counts(trace, layers)
            return
        kept = _checked(self.tokens, tokens, "tokens")
        steps = None if self.steps is None else _checked(self.steps, num_steps(trace), "steps")
        found = False
        for chunk in self._of_tokens(trace, layers, kept, steps):
            found = True
            yield chunk
        if not found:
            raise ValueError(f"no token is in steps {self._words(steps)}; these are idle")

    def _of_counts(self, trace: Any, layers: NDArray[np.int64]) -> Iterator[RoutingTrace]:
        first, last = _checked(self.steps, trace.num_steps, "steps")
        start = 0
        for block in trace.blocks():
            low, high = max(first - start, 0), min(last - start, block.num_steps)
            if low < high:
                yield replace(
                    block,
                    counts=block.counts[low:high, layers],
                    step_tokens=block.step_tokens[low:high],
                    time_s=None if block.time_s is None else block.time_s[low:high],
                    provenance=self._provenance(block),
                )
            start += block.num_steps

    def _of_tokens(
        self, trace: Any, layers: NDArray[np.int64], kept: tuple[int, int], steps: Any
    ) -> Iterator[TokenTrace]:
        start = 0
        for part in whole_samples(trace):
            number = np.arange(start, start + part.num_tokens)
            inside = (number >= kept[0]) & (number < kept[1])
            start += part.num_tokens
            first = 0
            if steps is not None:
                assert part.step is not None
                inside &= (part.step >= steps[0]) & (part.step < steps[1])
                first = steps[0]
            if inside.any():
                yield self._chunk(part, layers, inside, first)

    def _chunk(
        self, part: TokenTrace, layers: NDArray[np.int64], inside: NDArray[np.bool_], first: int
    ) -> TokenTrace:
        lengths = None
        if part.sample_lengths is not None:
            sample = np.repeat(np.arange(len(part.sample_lengths)), part.sample_lengths)[inside]
            lengths = np.bincount(sample)
            lengths = lengths[lengths > 0]
        return replace(
            part,
            experts=part.experts[inside][:, layers],
            step=None if part.step is None else part.step[inside] - first,
            source_rank=None if part.source_rank is None else part.source_rank[inside],
            sample_lengths=lengths,
            provenance=self._provenance(part),
        )

    def _layers(self, trace: AnyTrace) -> NDArray[np.int64]:
        if self.layers is None:
            return np.arange(trace.num_layers)
        found = [checked_integer(layer, "layer") for layer in self.layers]
        for layer in found:
            if not 0 <= layer < trace.num_layers:
                raise ValueError(f"layer {layer} breaks 0 <= layer < {trace.num_layers} layers")
        if not found or len(set(found)) < len(found):
            raise ValueError(f"layers {found}: name at least one, and none twice")
        return np.array(found)

    def _provenance(self, chunk: RoutingTrace | TokenTrace) -> dict[str, str]:
        """Return where the chunk is from, with what was cut: again, if it was before."""
        known = dict(chunk.provenance or {})
        said = [f"steps {self._words(self.steps)}"] if self.steps is not None else []
        said += [f"tokens {self._words(self.tokens)}"] if self.tokens is not None else []
        if self.layers is not None:
            said.append(f"layers {', '.join(map(str, self.layers))}")
        before = [known["cut"]] if "cut" in known else []
        return {**known, "cut": "; ".join([*before, ", ".join(said)])} if said else known

    @staticmethod
    def _words(bounds: Range | None) -> str:
        first, last = bounds or (None, None)
        return f"{'' if first is None else first}:{'' if last is None else last}"


def _checked(bounds: Range | None, size: int, what: str) -> tuple[int, int]:
    first, last = bounds or (None, None)
    first, last = 0 if first is None else first, size if last is None else last
    for value in (first, last):
        checked_integer(value, what)
    if not 0 <= first < last <= size:
        raise ValueError(f"{what} {first}:{last} break 0 <= first < last <= {size} {what}")
    return first, last
