"""Protocols of schedulers: callables without hidden state."""

from typing import Protocol

from schedulers.views import Ints, Queue, Requests, Workers


class Router(Protocol):
    """Chooses a worker for each request: a task executor (job level), or a DP group within one.

    Notes
    -----
    A router of prefill DP groups may have an attribute ``pooled``. If it is true, requests wait in
    a pool of the task executor, and the router is asked about all of them before every step
    (xDeepServe section 4.3, single-level); else it is asked once, when they arrive (two-level).
    A decode router is asked about all that wait, whenever one arrives or capacity becomes free.
    """

    def __call__(self, requests: Requests, workers: Workers, /) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` for one that shall wait on.

        A worker that is not open for a request (``Workers.open_for``, with those assigned before
        in the same call counted in) must not get it.
        """
        ...


class BatchPolicy(Protocol):
    """Chooses which prompts of one DP group are computed in its next step, and how much of each."""

    def __call__(self, queue: Queue, step_tokens: int, /) -> Ints:
        """Return [requests] tokens of each that the step computes, 0 <= it <= ``left_tokens``.

        Together with ``queue.decoding`` at most ``step_tokens``, but for one whole prompt where a
        policy never splits any; and at least 1 token where a prompt waits and tokens are free.
        """
        ...
