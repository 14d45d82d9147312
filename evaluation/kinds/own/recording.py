"""A recording of a user: what it is, and how its traffic is made of it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Tokens of a step on one rank, by phase. More are taken for a total of many steps: an assumption
#: of ours, that no engine decodes so many sequences a rank or computes so many prompts at once.
MOST_TOKENS = {"decode": 1024, "prefill": 32_768}


@dataclass(frozen=True)
class OwnRecording:
    """A recording, ready to make a workload of.

    Parameters
    ----------
    name
        Of the file, or of the condition.
    path
        Trace of podlab, or workload (``.toml``), that the suite reads.
    kind
        "steps": steps of an engine, replayed as they are. "tokens": walked sequence by sequence.
        "totals": steps are drawn from its shares. "workload": a workload of the user.
    phase
        "decode" or "prefill".
    model, layers, experts, top_k, steps
        As it has them; 0 steps where it has none.
    step_tokens
        Mean tokens of a step; ``None`` where it has none.
    step_s
        Median seconds from step to step; ``None`` where it has no times.
    duration_s
        Seconds from its first step to its last one; 0 where it has no times.
    judged
        The part that judged windows are drawn from, where ``path`` is another part.
    load
        [layers, experts] tokens of all of it; ``None`` for a workload.
    notes
        What a reader has to know about how it is used.
    """

    name: str
    path: Path
    kind: str
    phase: str
    model: str
    layers: int
    experts: int
    top_k: int
    steps: int = 0
    step_tokens: float | None = None
    step_s: float | None = None
    duration_s: float = 0.0
    judged: Path | None = None
    load: NDArray[np.int64] | None = field(default=None, compare=False)
    notes: tuple[str, ...] = ()

    def tokens_per_rank(self, ranks: int) -> int | None:
        """Return the recorded tokens of a step on each rank; ``None`` if they are not known."""
        if self.step_tokens is None or self.steps < 2:
            return None
        each = max(1, round(self.step_tokens / ranks))
        return each if each <= MOST_TOKENS[self.phase] else None
