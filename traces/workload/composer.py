"""Composes a request stream into engine steps, as many at a time as wanted."""

import numpy as np

from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.compose_steps import (
    DONE,
    LAST,
    NEXT,
    PREFILL,
    RUNNING,
    STEPS,
    compose_steps,
)
from traces.workload.composition import Composition

#: Rows of spans and pieces, beyond what one step needs.
ROWS = 16_384


class Composer:
    """An engine's queue and batch; its memory does not grow with time.

    Parameters
    ----------
    requests
        The stream.
    batching
        How steps are formed.

    Raises
    ------
    ValueError
        If a request has no tokens in a phase that the engine runs.
    """

    def __init__(self, requests: RequestTrace, batching: ContinuousBatching) -> None:
        batching.check(requests)
        most = min(batching.sequences, requests.num_requests)
        self._requests = requests
        self._limits = np.array(
            [
                most,
                batching.prefill_tokens,
                batching.chunked,
                batching.decodes,
                batching.prefills,
            ],
            dtype=np.int64,
        )
        self._seconds = np.array([batching.prefill_step_s, batching.step_s])
        self._state = np.zeros(6, dtype=np.int64)
        self._state[LAST] = 1 - PREFILL
        self._clock = np.zeros(1)
        self._heap = np.zeros((most, 3), dtype=np.int64)
        self._spans = np.empty((most + ROWS, 4), dtype=np.int64)
        self._pieces = np.empty((most + ROWS, 4), dtype=np.int64)

    @property
    def is_done(self) -> bool:
        """Whether all requests are served."""
        state = self._state
        idle = state[RUNNING] == 0 and state[DONE] == 0
        return bool(idle and state[NEXT] == self._requests.num_requests)

    @property
    def next_start_s(self) -> float:
        """Second at which the next step starts; if there is none, at which the last one ends."""
        state, clock_s = self._state, float(self._clock[0])
        if state[RUNNING] > 0 or state[DONE] > 0 or self.is_done:
            return clock_s
        return max(clock_s, float(self._requests.arrival_s[state[NEXT]]))

    def take(self, steps: int, until_s: float = np.inf) -> Composition | None:
        """Return the next steps, None if none are left that start before ``until_s``.

        They may be fewer than ``steps`` although others follow.
        """
        first = int(self._state[STEPS])
        time_s, phase = np.empty(steps), np.empty(steps, np.uint8)
        tokens, sequences = np.empty(steps, np.int64), np.empty(steps, np.int64)
        made, spans, pieces = compose_steps(
            self._requests.arrival_s,
            self._requests.prompt_tokens,
            self._requests.output_tokens,
            self._limits,
            self._seconds,
            until_s,
            self._state,
            self._clock,
            self._heap,
            time_s,
            phase,
            tokens,
            sequences,
            self._spans,
            self._pieces,
        )
        if not made:
            return None
        return Composition(
            first,
            time_s[:made],
            phase[:made],
            tokens[:made],
            sequences[:made],
            self._spans[:spans].copy(),
            self._pieces[:pieces].copy(),
        )
