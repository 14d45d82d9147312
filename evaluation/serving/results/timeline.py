"""Timeline of a serving simulation: steps, waits and transfers of every task executor.

Events are in the Chrome trace format, see :mod:`evaluation.step.timeline`. A process is a task
executor.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.engine.step_log import LoggedStep, LoggedTransfer, StepLog
from evaluation.step.timeline import MICRO, Event

#: Threads of a process. The lanes of transfers come after them.
THREADS = ("step", "attention", "experts", "communication")
COUNTERS = {"requests": ("running", "waiting"), "KV tokens": ("kv_used",)}


def of_serving(
    steps: StepLog, executors: Sequence[str], samples: SampleLog | None = None
) -> list[Event]:
    """Return the events in the time range of a step log.

    The seconds of a stage are known as a sum over all layers. So each stage is one slice from the
    start of its step: first the time of the mean DP group or rank, then its wait for the slowest.

    Parameters
    ----------
    steps
        Steps and transfers in the range.
    executors
        Names of the task executors, in the order of their index.
    samples
        Samples for the counters of requests and KV cache; ``None``: no counters.

    Raises
    ------
    ValueError
        If the executor of a step or transfer has no name.
    """
    used = {step.executor for step in steps.steps}
    used |= {end for transfer in steps.transfers for end in (transfer.source, transfer.target)}
    unknown = used - set(range(len(executors)))
    if unknown:
        raise ValueError(f"executor {min(unknown)} has no name; {len(executors)} are named")
    sent, sent_lanes = _lanes(steps.transfers, lambda transfer: transfer.source)
    received, received_lanes = _lanes(steps.transfers, lambda transfer: transfer.target)
    events: list[Event] = []
    for number, name in enumerate(executors):
        out = sent_lanes.get(number, 0)
        threads = [*THREADS, *(f"KV out {lane}" for lane in range(out))]
        threads += [f"KV in {lane}" for lane in range(received_lanes.get(number, 0))]
        events += _names(number, name, threads)
    for step in steps.steps:
        events += _step(step)
    for flow, transfer in enumerate(steps.transfers):
        source = len(THREADS) + sent[flow]
        target = len(THREADS) + sent_lanes.get(transfer.target, 0) + received[flow]
        events += _transfer(transfer, flow, source, target)
    if samples is not None:
        for number in range(len(executors)):
            events += _counters(steps, samples, number)
    return events


def _names(process: int, name: str, threads: Sequence[str]) -> Iterator[Event]:
    yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}
    yield {"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}}
    for thread, thread_name in enumerate(threads):
        where = {"ph": "M", "pid": process, "tid": thread}
        yield {**where, "name": "thread_name", "args": {"name": thread_name}}
        yield {**where, "name": "thread_sort_index", "args": {"sort_index": thread}}


def _step(step: LoggedStep) -> Iterator[Event]:
    cost = step.cost
    work = {"prefill tokens": step.prefill_tokens, "sequences": step.sequences}
    yield _slice("step", step.executor, 0, step.start_s, cost.total, work)
    stages = {
        "attention": (cost.attention_mean, cost.attention_max),
        "experts": (cost.experts_mean, cost.experts_max),
        "communication": (cost.communication, cost.communication),
    }
    for thread, (name, (mean, longest)) in enumerate(stages.items(), 1):
        if mean > 0:
            yield _slice(name, step.executor, thread, step.start_s, mean)
        if longest > mean:
            began_s = step.start_s + mean
            yield _slice(f"wait for {name}", step.executor, thread, began_s, longest - mean)


def _slice(
    name: str,
    process: int,
    thread: int,
    start_s: float,
    seconds: float,
    args: dict[str, int] | None = None,
) -> Event:
    kind = "wait" if name.startswith("wait") else name
    where = {"ph": "X", "name": name, "cat": kind, "pid": process, "tid": thread}
    return {**where, "ts": start_s * MICRO, "dur": seconds * MICRO, "args": args or {}}


def _transfer(transfer: LoggedTransfer, flow: int, source: int, target: int) -> Iterator[Event]:
    """Yield a slice on both sides, and an arrow between them."""
    args, seconds = {"request": transfer.request}, transfer.end_s - transfer.start_s
    yield _slice("KV transfer", transfer.source, source, transfer.start_s, seconds, args)
    yield _slice("KV transfer", transfer.target, target, transfer.start_s, seconds, args)
    arrow = {"name": "KV transfer", "cat": "flow", "id": flow}
    start, end = transfer.start_s * MICRO, transfer.end_s * MICRO
    yield {**arrow, "ph": "s", "pid": transfer.source, "tid": source, "ts": start}
    yield {**arrow, "ph": "f", "bp": "e", "pid": transfer.target, "tid": target, "ts": end}


def _lanes(
    transfers: Sequence[LoggedTransfer], side: Callable[[LoggedTransfer], int]
) -> tuple[list[int], dict[int, int]]:
    """Return the lane of each transfer, and the number of lanes of each process.

    Transfers in one lane do not overlap. A transfer takes the lowest lane that is free at its
    start.
    """
    lanes, count = [0] * len(transfers), dict[int, int]()
    free: dict[int, list[int]] = {}
    busy: dict[int, list[tuple[float, int]]] = {}
    for number in sorted(range(len(transfers)), key=lambda index: transfers[index].start_s):
        transfer = transfers[number]
        process = side(transfer)
        idle, running = free.setdefault(process, []), busy.setdefault(process, [])
        while running and running[0][0] <= transfer.start_s:
            heapq.heappush(idle, heapq.heappop(running)[1])
        if idle:
            lane = heapq.heappop(idle)
        else:
            lane = count.get(process, 0)
            count[process] = lane + 1
        lanes[number] = lane
        heapq.heappush(running, (transfer.end_s, lane))
    return lanes, count


def _counters(steps: StepLog, samples: SampleLog, executor: int) -> Iterator[Event]:
    """Yield the counters in the range. It starts with the state of the last sample before it."""
    columns = samples.of(executor)
    time_s = columns["time_s"]
    first = max(int(np.searchsorted(time_s, steps.start_s, side="right")) - 1, 0)
    last = int(np.searchsorted(time_s, steps.end_s))
    for row in range(first, last):
        at = max(float(time_s[row]), steps.start_s) * MICRO
        for name, fields in COUNTERS.items():
            values = {field: int(columns[field][row]) for field in fields}
            yield {"ph": "C", "name": name, "pid": executor, "ts": at, "args": values}
