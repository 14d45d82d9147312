"""Timeline of micro-batches whose stages share streams."""

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Which stream runs each stage of a layer, by name of the plan.
#: serial: one micro-batch after another. two-stream: attention beside everything of the experts
#: (CloudMatrix-Infer, arXiv:2506.12708). communication: both all-to-alls beside all computing
#: (DeepSeek-V3 on H800, profile-data).
PLANS: dict[str, dict[str, str]] = {
    "serial": dict.fromkeys(("attention", "dispatch", "experts", "combine"), "compute"),
    "two-stream": {"attention": "attention"}
    | dict.fromkeys(("dispatch", "experts", "combine"), "experts"),
    "communication": dict.fromkeys(("attention", "experts"), "compute")
    | dict.fromkeys(("dispatch", "combine"), "communication"),
}


@dataclass(frozen=True)
class Stage:
    """One stage of a layer for one micro-batch.

    Parameters
    ----------
    name
        "attention", "dispatch" …
    stream
        What it occupies; stages of one stream never overlap.
    seconds
        [layers] how long, in each layer.
    """

    name: str
    stream: Hashable
    seconds: NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """A stage that ran: ``start_s`` to ``start_s + seconds``."""

    name: str
    stream: Hashable
    batch: int
    layer: int
    start_s: float
    seconds: float


@dataclass(frozen=True)
class Schedule:
    """Start and duration of every stage.

    Parameters
    ----------
    spans
        In the order of their start.
    """

    spans: tuple[Span, ...]

    @property
    def total(self) -> float:
        """Seconds from the first start to the last end."""
        return max((span.start_s + span.seconds for span in self.spans), default=0.0)

    def busy(self) -> Mapping[Hashable, float]:
        """Return the fraction of the total that each stream runs something."""
        found: dict[Hashable, float] = {}
        for span in self.spans:
            found[span.stream] = found.get(span.stream, 0.0) + span.seconds
        return {stream: seconds / (self.total or 1.0) for stream, seconds in found.items()}


def schedule(batches: Sequence[Sequence[Stage]], interference: float = 0.0) -> Schedule:
    """Run every micro-batch through its stages, layer by layer, as soon as its stream is free.

    A stage starts when the stage before it of the same micro-batch has ended (the last stage of a
    layer before the first of the next) and its stream is free; of several that could start, the
    one of the earlier layer goes first, then the lower micro-batch: the order in which a stream is
    given its kernels.

    Parameters
    ----------
    batches
        For each micro-batch its stages in order; all of the same number of layers.
    interference
        What streams of one machine take from one another: while n of them run something, each
        advances at 1 / (1 + interference · (n − 1)) of its speed. 0: streams share nothing. 1: two
        streams share all they need, and overlap gains nothing.

    Returns
    -------
    Schedule
        Every stage of every layer and micro-batch once.

    Raises
    ------
    ValueError
        If there is no micro-batch, or stages differ in layers or have negative seconds, or
        0 <= ``interference`` <= 1 fails.
    """
    if not 0 <= interference <= 1:
        raise ValueError(f"interference = {interference} breaks 0 <= interference <= 1")
    layers = _layers(batches)
    waiting = [deque((layer, stage) for layer in range(layers) for stage in b) for b in batches]
    running: dict[Hashable, _Running] = {}
    spans: list[Span] = []
    now = 0.0
    while any(waiting) or running:
        _start(waiting, running, now)
        # Stages without seconds occupy a stream, but take nothing from others.
        busy = sum(one.left > 0 for one in running.values())
        slower = 1.0 + interference * max(busy - 1, 0)
        passed = min(one.left for one in running.values())
        now += passed * slower
        for stream, one in list(running.items()):
            # The one that was to end does so, whatever rounding leaves of it.
            one.left = max(one.left - passed, 0.0) if one.left > passed else 0.0
            if one.left == 0.0:
                del running[stream]
                name = one.stage.name
                spans.append(Span(name, stream, one.batch, one.layer, one.start, now - one.start))
    spans.sort(key=lambda span: (span.start_s, span.layer, span.batch))
    return Schedule(tuple(spans))


@dataclass
class _Running:
    """A stage on its stream: since when, and the seconds that are left of it at full speed."""

    stage: Stage
    batch: int
    layer: int
    start: float
    left: float


def _start(
    waiting: list[deque[tuple[int, Stage]]], running: dict[Hashable, _Running], now: float
) -> None:
    """Give every idle stream the first stage that is ready for it."""
    at_work = {one.batch for one in running.values()}
    # Of several that could start the earlier layer goes first, then the lower micro-batch.
    ready = sorted(
        (stages[0][0], batch)
        for batch, stages in enumerate(waiting)
        if stages and batch not in at_work
    )
    for layer, batch in ready:
        stage = waiting[batch][0][1]
        if stage.stream not in running:
            waiting[batch].popleft()
            left = float(stage.seconds[layer])
            running[stage.stream] = _Running(stage, batch, layer, now, left)


def _layers(batches: Sequence[Sequence[Stage]]) -> int:
    lengths = {len(stage.seconds) for batch in batches for stage in batch}
    if len(lengths) != 1 or not all(batches):
        raise ValueError(
            f"{len(batches)} micro-batches have stages of {sorted(lengths)} layers; give at least "
            "one micro-batch, each with at least one stage, all of the same number of layers"
        )
    worst = min(float(np.min(stage.seconds, initial=0.0)) for batch in batches for stage in batch)
    if not worst >= 0:
        raise ValueError(f"a stage takes {worst} s; seconds >= 0 must hold")
    return lengths.pop()
