"""Concatenate traces in time, chunk by chunk, when they do not fit into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from traces.header import header_of
from traces.routing import RoutingTrace
from traces.step_times import JoinedTimes
from traces.stepping import AnyTrace, has_steps, num_steps, num_tokens, whole_samples
from traces.store import StoredTrace
from traces.tokens import TokenTrace


def join_parts(parts: Sequence[AnyTrace]) -> Iterator[RoutingTrace | TokenTrace]:
    """Yield the chunks of one trace that runs through ``parts``, as :func:`traces.concat` joins.

    Raises
    ------
    ValueError
        If there are no parts, or they differ in kind, model, layers, experts or top_k.
    """
    if not parts:
        raise ValueError("joined got no traces; give at least one")
    first = _header(parts[0])
    for number, part in enumerate(parts):
        for name, value in _header(part).items():
            if name != "phase" and value != first[name]:
                raise ValueError(
                    f"trace {number} has {name} = {value!r}, the first has {first[name]!r}; only "
                    "traces of one model follow each other"
                )
    common: dict[str, Any] = {
        "phase": first["phase"] if len({part.phase for part in parts}) == 1 else "mixed",
        "provenance": {
            f"{number} {key}": text
            for number, part in enumerate(parts)
            for key, text in (part.provenance or {}).items()
        },
    }
    if first["kind"] == "routing":
        yield from _counts(parts, common)
        return
    yield from _tokens(parts, common)


def _counts(parts: Sequence[Any], common: dict[str, Any]) -> Iterator[RoutingTrace]:
    timed = all("time_s" in _columns(part) for part in parts)
    joined = JoinedTimes()
    for part in parts:
        joined.next_trace()
        for block in part.blocks():
            yield replace(block, time_s=joined(block.time_s) if timed else None, **common)


def _tokens(parts: Sequence[Any], common: dict[str, Any]) -> Iterator[TokenTrace]:
    stepped = all(map(has_steps, parts))
    dropped: dict[str, Any] = {
        field: None
        for field, column in (("source_rank", "source_rank"), ("sample_lengths", "sample"))
        if not all(column in _columns(part) for part in parts)
    }
    start = 0
    for part in parts:
        for chunk in whole_samples(part):
            step = chunk.step + start if stepped and chunk.step is not None else None
            yield replace(chunk, step=step, **dropped, **common)
        start += num_steps(part) if stepped else 0


def _columns(trace: AnyTrace) -> tuple[str, ...]:
    return trace.column_names if isinstance(trace, StoredTrace) else tuple(trace.columns)


def _header(trace: AnyTrace) -> dict[str, Any]:
    return header_of("routing" if num_tokens(trace) is None else "token", trace)
