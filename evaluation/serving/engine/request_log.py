"""Log of requests: when each was served, where, and what it took."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces import RequestTrace

#: Columns of a request log in seconds of simulated time; nan until known.
TIMES = ("prefill_start_s", "first_token_s", "second_token_s", "finish_s")
#: Where a request ran; -1 until known.
PLACES: dict[str, type] = {
    "prefill_executor": np.int16,
    "prefill_group": np.int32,
    "decode_executor": np.int16,
    "decode_group": np.int32,
}
#: Totals over the life of a request; 0 at first.
COUNTS: dict[str, type] = {
    "cached_tokens": np.int64,
    "recomputed_tokens": np.int64,
    "preemptions": np.int32,
    "transfers_s": np.float64,
    "generated": np.int64,
}


class RequestLog:
    """Record of every request, in columns of [requests].

    Only :class:`evaluation.serving.engine.request_state.RequestState` writes to it during a run.

    Parameters
    ----------
    trace
        The requests; their arrival times and lengths are copied.

    Attributes
    ----------
    arrival_s, prompt_tokens, output_tokens
        As in the trace.
    prefill_start_s, first_token_s, second_token_s, finish_s
        Seconds of simulated time; nan until known.
    prefill_executor, prefill_group, decode_executor, decode_group
        Executor and DP group where it ran last; -1 until known.
    cached_tokens
        Prompt tokens found in a prefix cache.
    recomputed_tokens
        Tokens computed again, after a preemption or a fault.
    preemptions
        Number of times that it lost its key-value cache to other requests.
    transfers_s
        Seconds that its key-value cache was in transfer.
    generated
        Output tokens so far; of running sequences only once the run has ended.
    """

    prefill_start_s: NDArray[np.float64]
    first_token_s: NDArray[np.float64]
    second_token_s: NDArray[np.float64]
    finish_s: NDArray[np.float64]
    prefill_executor: NDArray[np.int16]
    prefill_group: NDArray[np.int32]
    decode_executor: NDArray[np.int16]
    decode_group: NDArray[np.int32]
    cached_tokens: NDArray[np.int64]
    recomputed_tokens: NDArray[np.int64]
    preemptions: NDArray[np.int32]
    transfers_s: NDArray[np.float64]
    generated: NDArray[np.int64]

    def __init__(self, trace: RequestTrace) -> None:
        self.arrival_s = np.array(trace.arrival_s, dtype=np.float64)
        self.prompt_tokens = np.array(trace.prompt_tokens, dtype=np.int64)
        self.output_tokens = np.array(trace.output_tokens, dtype=np.int64)
        requests = len(self.arrival_s)
        for name in TIMES:
            setattr(self, name, np.full(requests, np.nan))
        for name, dtype in PLACES.items():
            setattr(self, name, np.full(requests, -1, dtype))
        for name, dtype in COUNTS.items():
            setattr(self, name, np.zeros(requests, dtype))

    def __len__(self) -> int:
        """Return the number of requests, including those that have not arrived yet."""
        return len(self.arrival_s)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns by name, in the order of files; views, not copies."""
        names = ("arrival_s", "prompt_tokens", "output_tokens", *TIMES, *PLACES, *COUNTS)
        return {name: getattr(self, name) for name in names}

    @property
    def finished(self) -> NDArray[np.bool_]:
        """[requests] whether it has its last token."""
        return ~np.isnan(self.finish_s)
