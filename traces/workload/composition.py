"""Which tokens of which requests are in each of consecutive steps, before any routing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import PHASES

PREFILL, DECODE = PHASES.index("prefill"), PHASES.index("decode")


@dataclass(frozen=True, eq=False)
class Composition:
    """Consecutive engine steps as tokens of requests.

    Decode tokens are kept as spans, since a sequence has one token in each of many decode steps.
    A position counts the tokens of a request from 0, the prompt first, then the answer.

    Parameters
    ----------
    first
        Number of the first step in the stream.
    time_s
        [steps] second at which each step starts.
    phase
        [steps] index into :data:`traces.header.PHASES`.
    tokens
        [steps] tokens.
    sequences
        [steps] requests that have a token in it.
    spans
        [spans, 4] of decode: request, first decode step of these steps that it is in (counted over
        the decode steps alone), number of decode steps, position of the first token.
    pieces
        [pieces, 4] of prefill: request, step of these steps, tokens, position of the first token.
    """

    first: int
    time_s: NDArray[np.float64]
    phase: NDArray[np.uint8]
    tokens: NDArray[np.int64]
    sequences: NDArray[np.int64]
    spans: NDArray[Any]
    pieces: NDArray[Any]

    @property
    def num_steps(self) -> int:
        """Steps."""
        return len(self.time_s)

    @property
    def decode_steps(self) -> NDArray[np.int64]:
        """[decode steps] which of the steps are of decode."""
        return np.flatnonzero(self.phase == DECODE)
