"""Concatenate traces in time: a shift from one domain to the next."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from traces.merge import follow
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.step_times import JoinedTimes
from traces.tokens import TokenTrace

AnyTrace = TypeVar("AnyTrace", bound=RoutingTrace | TokenTrace | RequestTrace)


def concat(parts: Sequence[AnyTrace]) -> AnyTrace:
    """Return one trace that runs through ``parts`` in order.

    Provenance keeps every part's own, its keys numbered by part. Steps, source ranks and sample
    lengths of tokens are kept where all parts have them, and so are times of steps, on the axis of
    :class:`traces.step_times.JoinedTimes`; the phase is "mixed" where parts differ.
    Requests follow each other as :func:`traces.follow` says.

    Raises
    ------
    ValueError
        If there are no parts, or they differ in kind, model, layers, experts or top_k.
    """
    if not parts:
        raise ValueError("concat got no traces; give at least one")
    first = parts[0]
    if all(isinstance(part, RequestTrace) for part in parts):
        return cast("AnyTrace", follow(cast("Sequence[RequestTrace]", parts)))
    for number, part in enumerate(parts):
        for name in ("kind", "model", "layers", "experts", "top_k"):
            if part.header.get(name) != first.header.get(name):
                raise ValueError(
                    f"trace {number} has {name} = {part.header.get(name)!r}, the first has "
                    f"{first.header.get(name)!r}; only traces of one model follow each other"
                )
    phases = {part.header["phase"] for part in parts}
    phase = phases.pop() if len(phases) == 1 else "mixed"
    provenance = {
        f"{number} {key}": text
        for number, part in enumerate(parts)
        for key, text in (part.provenance or {}).items()
    }
    joined = _concat_counts if isinstance(first, RoutingTrace) else _concat_tokens
    return cast("AnyTrace", joined(parts, phase, provenance))


def _concat_counts(parts: Sequence[Any], phase: str, provenance: dict[str, str]) -> RoutingTrace:
    counts = np.concatenate([part.counts for part in parts])
    tokens = np.concatenate([part.step_tokens for part in parts])
    times = None
    if all(part.time_s is not None for part in parts):
        joined, found = JoinedTimes(), []
        for part in parts:
            joined.next_trace()
            found.append(joined(part.time_s))
        times = np.concatenate(found)
    return RoutingTrace(counts, parts[0].model, parts[0].top_k, phase, tokens, provenance, times)


def _concat_tokens(parts: Sequence[Any], phase: str, provenance: dict[str, str]) -> TokenTrace:
    step = None
    if all(part.step is not None for part in parts):
        lengths = [int(part.step[-1]) + 1 for part in parts]
        starts = np.cumsum([0, *lengths[:-1]])
        step = np.concatenate(
            [part.step + start for part, start in zip(parts, starts, strict=True)]
        )

    def joined(name: str) -> NDArray[Any] | None:
        columns = [getattr(part, name) for part in parts]
        return None if any(column is None for column in columns) else np.concatenate(columns)

    return TokenTrace(
        np.concatenate([part.experts for part in parts]),
        parts[0].num_experts,
        parts[0].model,
        phase,
        step,
        joined("source_rank"),
        joined("sample_lengths"),
        provenance,
    )
