"""Timelines in the Chrome trace format, for ui.perfetto.dev and chrome://tracing.

Times are microseconds of simulated time. A process is a rank. A thread is one of its streams.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluation.step.step_time import StepTime
from schedulers.pipeline import Schedule, Span
from traces.atomic_file import atomic_write

Event = dict[str, Any]
MICRO = 1e6
PER_RANK = {"attention": "rank_attention", "experts": "rank_experts"}


def of_step(step: StepTime, schedule: Schedule, ranks: Sequence[int] | None = None) -> list[Event]:
    """Return the events of a step: what every rank runs, waits for, sends and receives.

    Parameters
    ----------
    step
        Seconds of one micro-batch, by rank.
    schedule
        When each stage ran, from :func:`evaluation.step.engine_step.overlap_schedule`.
    ranks
        Ranks to show; all by default.
    """
    shown = range(step.rank_attention.shape[1]) if ranks is None else ranks
    streams = list(dict.fromkeys(str(span.stream) for span in schedule.spans))
    events = [event for rank in shown for event in _names(rank, f"rank {rank}", streams)]
    for number, span in enumerate(schedule.spans):
        thread = streams.index(str(span.stream))
        for rank in shown:
            events += _slices(step, span, rank, thread)
        if span.name in ("dispatch", "combine"):
            events += _flows(step, span, number, list(shown), thread)
    return events


def of_schedule(schedule: Schedule) -> list[Event]:
    """Return the events of a pipeline: a track per stream, a slice per stage of a micro-batch."""
    streams = list(dict.fromkeys(str(span.stream) for span in schedule.spans))
    events = list(_names(0, "pipeline", streams))
    for span in schedule.spans:
        event = _slice(span, 0, streams.index(str(span.stream)), span.seconds)
        events.append({**event, "name": f"{span.name} · micro-batch {span.batch}"})
    return events


def write(events: Sequence[Event], path: Path) -> None:
    """Write events as JSON, whole or not at all."""
    with atomic_write(path, "w") as file:
        json.dump({"traceEvents": list(events), "displayTimeUnit": "ms"}, file)


def _names(process: int, name: str, streams: Sequence[str]) -> Iterator[Event]:
    yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}
    yield {"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}}
    for thread, stream in enumerate(streams):
        base = {"ph": "M", "name": "thread_name", "pid": process, "tid": thread}
        yield {**base, "args": {"name": stream}}


def _slice(span: Span, process: int, thread: int, seconds: float) -> Event:
    where = {"pid": process, "tid": thread, "cat": span.name}
    args = {"layer": span.layer, "micro-batch": span.batch}
    times = {"ts": span.start_s * MICRO, "dur": seconds * MICRO}
    return {"ph": "X", "name": span.name, **where, **times, "args": args}


def _slices(step: StepTime, span: Span, rank: int, thread: int) -> list[Event]:
    """Return a rank's own part of a stage, and its wait for the slowest rank."""
    if span.name not in PER_RANK:
        return [_slice(span, rank, thread, span.seconds)]
    ranks = getattr(step, PER_RANK[span.name])[span.layer]
    # Beside another stream all ranks take longer alike.
    slowest = float(ranks.max())
    own = float(ranks[rank]) * (span.seconds / slowest if slowest > 0 else 1.0)
    events = [_slice(span, rank, thread, own)] if own > 0 else []
    if span.seconds > own:
        wait = _slice(span, rank, thread, span.seconds - own)
        wait["ts"] += own * MICRO
        events.append({**wait, "name": f"wait for {span.name}", "cat": "wait"})
    return events


def _flows(
    step: StepTime, span: Span, number: int, shown: list[int], thread: int
) -> Iterator[Event]:
    """Yield arrows from the slowest rank to all others, across an all-to-all."""
    before = step.rank_attention if span.name == "dispatch" else step.rank_experts
    slowest = int(before[span.layer].argmax())
    if slowest not in shown:
        return
    start, end = span.start_s * MICRO, (span.start_s + span.seconds) * MICRO
    for rank in shown:
        if rank == slowest:
            continue
        flow = {"name": span.name, "cat": "flow", "id": number * (max(shown) + 1) + rank}
        yield {**flow, "ph": "s", "pid": slowest, "tid": thread, "ts": start}
        # An arrow binds to the slice that encloses its end: stay a nanosecond inside.
        yield {**flow, "ph": "f", "bp": "e", "pid": rank, "tid": thread, "ts": end - 1e-3}
