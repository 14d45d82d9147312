"""Timeline of micro-batches whose stages share streams."""

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


def schedule(batches: Sequence[Sequence[Stage]]) -> Schedule:
    """Run every micro-batch through its stages, layer by layer, as soon as its stream is free.

    A stage starts when the stage before it of the same micro-batch has ended (the last stage of a
    layer before the first of the next) and its stream is free; of several that could start, the
    one of the earlier layer goes first, then the lower micro-batch: the order in which a stream is
    given its kernels.

    Parameters
    ----------
    batches
        For each micro-batch its stages in order; all of the same number of layers.

    Returns
    -------
    Schedule
        Every stage of every layer and micro-batch once.

    Raises
    ------
    ValueError
        If there is no micro-batch, or stages differ in layers or have negative seconds.
    """
    layers = _layers(batches)
    free: dict[Hashable, float] = {}  # when each stream is idle again
    ready = [0.0] * len(batches)  # when each micro-batch has ended its latest stage
    done = [0] * len(batches)  # stages that each has run
    spans: list[Span] = []
    steps = [[(stage, layer) for layer in range(layers) for stage in batch] for batch in batches]

    # Of equal starts the earlier layer goes first, then the lower micro-batch.
    def start_of(batch: int) -> tuple[float, int, int]:
        stage, layer = steps[batch][done[batch]]
        return max(ready[batch], free.get(stage.stream, 0.0)), layer, batch

    while True:
        waiting = [b for b in range(len(batches)) if done[b] < len(steps[b])]
        if not waiting:
            return Schedule(tuple(spans))
        start, layer, batch = min(map(start_of, waiting))
        stage = steps[batch][done[batch]][0]
        seconds = float(stage.seconds[layer])
        spans.append(Span(stage.name, stage.stream, batch, layer, start, seconds))
        ready[batch] = free[stage.stream] = start + seconds
        done[batch] += 1


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
