"""Windows of workloads that have the same steps, side by side."""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from traces.workload.engine_steps import joined, no_steps
from traces.workload.engine_window import EngineWindow
from traces.workload.outline import Outline, outlines_of_seconds, outlines_of_steps
from traces.workload.stratified import stratified
from traces.workload.stream import (
    SAMPLE,
    WINDOWS,
    engine_at_start,
    engine_steps,
    seeds_of,
    token_source,
)
from traces.workload.stream_parts import StreamParts
from traces.workload.window_lengths import check_window, no_window


def windows_together(
    workloads: Sequence[StreamParts],
    window_steps: int | None,
    window_s: float | None,
    sampled_steps: int,
) -> Iterator[tuple[EngineWindow, ...]]:
    """Yield each window of several workloads; steps are composed once for all of them.

    Parameters
    ----------
    workloads
        Of the same requests, batching and start.
    window_steps, window_s, sampled_steps
        As in :meth:`traces.workload.Workload.windows`, with its errors.
    """
    check_window(window_steps, window_s, sampled_steps)
    first = workloads[0]
    composer = engine_at_start(first)
    if window_steps is not None:
        outlines = outlines_of_steps(composer, window_steps)
    else:
        assert window_s is not None
        outlines = outlines_of_seconds(composer, first.start_s, window_s)
    routers = [_Router(workload, sampled_steps) for workload in workloads]
    number = -1
    for number, outline in zip(count(), outlines):
        yield tuple(router.window(number, outline) for router in routers)
    if number < 0:
        raise no_window(window_steps, window_s)


class _Router:
    """Routes the windows of one workload, in order of time."""

    def __init__(self, workload: StreamParts, sampled_steps: int) -> None:
        self._routing = workload.routing
        self._sampled_steps = sampled_steps
        self._source = token_source(workload, WINDOWS)
        self._random = np.random.default_rng(seeds_of(workload, SAMPLE))

    def window(self, number: int, outline: Outline) -> EngineWindow:
        """Route the steps of an outline."""
        # the sample is chosen first: it is drawn step by step, and the rest in one go
        places, weight = stratified(outline.phase, self._sampled_steps, self._random)
        routing = self._routing
        total = np.zeros((routing.num_layers, routing.num_experts), dtype=np.int64)
        sampled = [no_steps(routing)]
        done = 0
        for part in outline.parts:
            chosen = places[(places >= done) & (places < done + part.num_steps)] - done
            counts = self._source.add(total, part, chosen)
            sampled.append(engine_steps(routing, part, chosen, counts))
            done += part.num_steps
        tokens = sum(int(part.tokens.sum()) for part in outline.parts)
        return EngineWindow(
            number, outline.start_s, outline.end_s, done, tokens, total, joined(sampled), weight
        )
