"""A fault: what breaks in a task executor, when, and for how long."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from hardware import preset


@dataclass(frozen=True)
class Fault:
    """One fault; :func:`evaluation.serving.faults.checks.check` says whether it can happen.

    The metadata of every field holds the check of its key in a [[fault]] table.

    Parameters
    ----------
    at_s
        Simulated seconds.
    executor
        Name of the task executor.
    kind
        A name of :data:`evaluation.serving.faults.kinds.KINDS`.
    index
        Which of the executor's devices of this kind, from 0.
    lasts_s
        Seconds until it is repaired; ``None`` for never.
    speed
        Relative to the other dies: 0 < speed < 1.
    detected
        Whether the executor detects it, so that a solver may give the die less load;
        when is :meth:`evaluation.serving.faults.recovery.Recovery.straggler_detected_s`.
    name
        Name of the device in its fabric, instead of the index: "die0.0:l1.0.3" for a link,
        "l1.0.3" for a switch.
    plane
        Network of the device, for instance "rdma"; empty: the network of expert parallelism.
    """

    at_s: float = field(metadata={"check": preset.not_negative})
    executor: str = field(metadata={"check": preset.text})
    kind: str = field(metadata={"check": preset.text})
    index: int = field(default=0, metadata={"check": preset.count})
    lasts_s: float | None = field(default=None, metadata={"check": preset.positive})
    speed: float = field(default=1.0, metadata={"check": preset.fraction})
    detected: bool = field(default=True, metadata={"check": preset.truth})
    name: str = field(default="", metadata={"check": preset.text})
    plane: str = field(default="", metadata={"check": preset.text})

    @property
    def ends_s(self) -> float:
        """Simulated second of its repair; infinity for never."""
        return math.inf if self.lasts_s is None else self.at_s + self.lasts_s

    @property
    def device(self) -> str:
        """The kind and the device that it hits, for people."""
        return f"{self.kind} {self.name or self.index}"

    @property
    def label(self) -> str:
        """The fault in an error message."""
        return f"fault of {self.executor} at {self.at_s:g} s, {self.device}"


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults by time; faults of the same time keep their order."""
    return tuple(sorted(faults, key=lambda fault: fault.at_s))
