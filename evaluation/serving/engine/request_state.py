"""State of every request in flight, and the verbs that change it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.expert_affinity import ExpertAffinity
from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.token_conditions import TokenConditions
from schedulers.views import Requests
from traces.requests import RequestTrace

Ints = NDArray[np.int64]


@dataclass(eq=False)
class RequestState:
    """State of every request of a trace; arrays of [requests].

    The engine reads the arrays directly, for speed. It changes them, and the log of the requests,
    only through the methods below, one for each step of a request's way through the system.

    Parameters
    ----------
    trace
        The requests.
    predicted
        Output tokens that schedulers expect.
    conditions
        Conditions of the routing that their tokens have.
    affinity
        Expert-affinity features of requests; ``None``: no scheduler uses them.

    Attributes
    ----------
    log
        Record of what became of every request.
    need
        Tokens whose keys and values a request needs to decode: its prompt, and after a fault or a
        preemption also what it had generated.
    done
        Tokens of ``need`` that are computed or were found in a prefix cache.
    generated
        Tokens produced so far; of running sequences as of the last call of
        :meth:`note_generated`, since the decode batch counts them itself.
    joined_s, entered_s
        When a request joined its present queue, and its decode batch.
    holder, group
        Number of the task executor that holds its keys and values, and the DP group in it; -1: no
        executor holds them.
    attempt
        Rises when a transfer of its keys and values becomes void, so that the end of that transfer
        can be ignored.
    """

    trace: RequestTrace
    predicted: Ints
    conditions: TokenConditions
    affinity: ExpertAffinity | None = None
    log: RequestLog = field(init=False)
    need: Ints = field(init=False)
    done: Ints = field(init=False)
    generated: Ints = field(init=False)
    joined_s: NDArray[np.float64] = field(init=False)
    entered_s: NDArray[np.float64] = field(init=False)
    holder: Ints = field(init=False)
    group: Ints = field(init=False)
    attempt: Ints = field(init=False)
    _prefix_start: Ints = field(init=False)

    def __post_init__(self) -> None:
        count = self.trace.num_requests
        self.log = RequestLog(self.trace)
        self.generated = self.log.generated
        self.need = self.trace.prompt_tokens.astype(np.int64)
        for name in ("done", "attempt"):
            setattr(self, name, np.zeros(count, dtype=np.int64))
        for name in ("joined_s", "entered_s"):
            setattr(self, name, np.zeros(count))
        for name in ("holder", "group"):
            setattr(self, name, np.full(count, -1, dtype=np.int64))
        blocks = self.trace.prefix_blocks
        lengths = np.zeros(count, dtype=np.int64) if blocks is None else blocks
        self._prefix_start = np.concatenate([[0], np.cumsum(lengths)])

    def __len__(self) -> int:
        """Return the number of requests, including those that have not arrived yet."""
        return int(self.trace.num_requests)

    def join_queue(self, request: int, now_s: float) -> None:
        """Note when a request joined the queue that it now waits in."""
        self.joined_s[request] = now_s

    def start_prefill(self, request: int, cached_tokens: int, now_s: float) -> None:
        """Start a prompt, ``cached_tokens`` of which are in a prefix cache."""
        self.done[request] = cached_tokens
        if np.isnan(self.log.prefill_start_s[request]):
            self.log.prefill_start_s[request] = now_s
            self.log.cached_tokens[request] = cached_tokens

    def compute_prompt(self, request: int, tokens: int) -> bool:
        """Add computed tokens of a prompt; return whether the prompt is complete."""
        self.done[request] += tokens
        return bool(self.done[request] >= self.need[request])

    def finish_prompt(self, request: int, executor: int, group: int, now_s: float) -> None:
        """Finish a prompt, which makes a token, and hold its keys and values in a DP group.

        The token is the first one, or the next one where the prompt was computed again.
        """
        self.generated[request] += 1
        self.holder[request], self.group[request] = executor, group
        log = self.log
        if np.isnan(log.first_token_s[request]):
            log.first_token_s[request] = now_s
            log.prefill_executor[request], log.prefill_group[request] = executor, group
        elif np.isnan(log.second_token_s[request]):
            log.second_token_s[request] = now_s

    def start_transfer(self, request: int, seconds: float) -> None:
        """Note that the keys and values of a request are in transfer for some seconds."""
        self.log.transfers_s[request] += seconds

    def cancel_transfer(self, request: int) -> None:
        """Make the transfer under way void; the keys and values stay with their holder."""
        self.attempt[request] += 1

    def start_decode(self, request: int, executor: int, group: int, now_s: float) -> None:
        """Let a request generate in a DP group, which from now on holds its keys and values."""
        self.entered_s[request] = now_s
        self.holder[request], self.group[request] = executor, group
        self.log.decode_executor[request], self.log.decode_group[request] = executor, group

    def note_first_decode_step(self, requests: Sequence[int], now_s: float) -> None:
        """Note the end of the first decode step of some requests, which makes their next token."""
        second_token_s = self.log.second_token_s
        for request in requests:
            if np.isnan(second_token_s[request]):
                second_token_s[request] = now_s

    def note_generated(self, requests: Ints, left: Ints) -> None:
        """Note how many tokens running requests have left to generate."""
        self.generated[requests] = self.trace.output_tokens[requests] - left

    def stop_decode(self, request: int, left: int) -> None:
        """Take a request out of decode with some tokens left; its keys and values are lost."""
        self.generated[request] = self.trace.output_tokens[request] - left
        self.holder[request] = self.group[request] = -1

    def preempt(self, request: int, left: int) -> None:
        """Take a request out of decode, as :meth:`stop_decode`, because others need its memory."""
        self.stop_decode(request, left)
        self.log.preemptions[request] += 1

    def requeue(self, request: int, now_s: float) -> None:
        """Start over: all that a request has read and generated is to be computed again."""
        lost = int(self.done[request])
        if lost == self.need[request]:
            # It may have generated since. The token that it made last is in no cache yet.
            lost = int(self.trace.prompt_tokens[request] + self.generated[request]) - 1
        self.log.recomputed_tokens[request] += lost
        self.need[request] = self.trace.prompt_tokens[request] + self.generated[request]
        self.done[request] = 0
        self.holder[request] = self.group[request] = -1
        self.attempt[request] += 1
        self.joined_s[request] = now_s

    def finish(self, request: int, now_s: float) -> None:
        """Note the last token of a request.

        Raises
        ------
        RuntimeError
            If the request has finished before.
        """
        if not np.isnan(self.log.finish_s[request]):
            raise RuntimeError(f"request {request} finished twice; this is a defect of podlab")
        self.log.finish_s[request] = now_s
        self.generated[request] = self.trace.output_tokens[request]
        self.holder[request] = self.group[request] = -1

    def left(self, request: int) -> int:
        """Return the output tokens that are still to be generated."""
        return int(self.trace.output_tokens[request] - self.generated[request])

    def held_by(self, groups: set[tuple[int, int]]) -> list[int]:
        """Return the requests whose keys and values some (executor, DP group) hold."""
        return [
            request
            for request in np.flatnonzero(self.holder >= 0).tolist()
            if (int(self.holder[request]), int(self.group[request])) in groups
        ]

    def prefix(self, request: int) -> list[int]:
        """Return the ids of the whole blocks of a prompt, in order; empty if none are known."""
        hashes: Any = self.trace.prefix_hashes
        if hashes is None:
            return []
        start, end = self._prefix_start[request : request + 2]
        whole = self.trace.prompt_tokens[request] // (self.trace.block_tokens or 1)
        blocks: list[int] = hashes[start : min(end, start + whole)].tolist()
        return blocks

    def prefill_view(self, requests: Sequence[int], now_s: float, cached: Any = None) -> Requests:
        """Return what a router of prompts may know; ``cached`` is [requests, workers] tokens."""
        return self._view(requests, now_s, cached, None)

    def decode_view(self, requests: Sequence[int], now_s: float) -> Requests:
        """Return what a router of decode may know, expert-affinity features included."""
        features = None if self.affinity is None else self.affinity(np.array(requests))
        return self._view(requests, now_s, None, features)

    def _view(self, requests: Sequence[int], now_s: float, cached: Any, features: Any) -> Requests:
        ids = np.array(requests, dtype=np.int64)
        waited_s = now_s - self.joined_s[ids]
        return Requests(ids, waited_s, self.need[ids], self.predicted[ids], cached, features)
