"""Check that no request and no token is lost or counted twice."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_log import RequestLog

#: Times of a request, in their order.
TIMES = ("arrival_s", "first_token_s", "second_token_s", "finish_s")


def check(log: RequestLog, until_s: float, in_flight: int | None = None) -> None:
    """Raise unless every request that arrived has finished or is in flight.

    Parameters
    ----------
    log
        Log of the requests.
    until_s
        Simulated time at which the log ends.
    in_flight
        Requests that the engine holds in queues, transfers and batches, counted in the engine.
        ``None``: unknown; then only the consistency of the log is checked.

    Raises
    ------
    ValueError
        Naming the counts, or the first inconsistent request: its times are out of order or after
        ``until_s``, it has tokens before its arrival, or it finished with another number of tokens
        than its ``output_tokens``.
    """
    arrived, finished = log.arrival_s <= until_s, log.finished
    counted = int(arrived.sum()) - int(finished.sum())
    if in_flight is not None and counted != in_flight:
        raise ValueError(
            f"{arrived.sum()} requests arrived by {until_s:g} s, {finished.sum()} finished and "
            f"{in_flight} are in flight; {arrived.sum()} != {finished.sum()} + {in_flight}"
        )
    early = ~arrived & (finished | (log.generated > 0))
    _refuse(early, log, f"generated before it arrived, after {until_s:g} s")
    untimed = (log.generated > 0) & np.isnan(log.first_token_s)
    _refuse(untimed, log, "generated without a first_token_s")
    wrong = finished & (log.generated != log.output_tokens)
    _refuse(wrong, log, "finished with another number of tokens than its output_tokens")
    over = ~finished & (log.generated > log.output_tokens)
    _refuse(over, log, "generated more than its output_tokens")
    times = [getattr(log, name) for name in TIMES]
    for number, name in enumerate(TIMES[1:], 1):
        with np.errstate(invalid="ignore"):
            # fmax ignores nan: a request without a second token has no time to compare with.
            latest = np.fmax.reduce(times[:number])
            _refuse(times[number] < latest, log, f"has a {name} before an earlier time")
            _refuse(times[number] > until_s, log, f"has a {name} after the end, {until_s:g} s")


def _refuse(wrong: NDArray[np.bool_], log: RequestLog, fault: str) -> None:
    """Raise ValueError with the first wrong request, if there is one."""
    if wrong.any():
        row = int(np.argmax(wrong))
        times = ", ".join(f"{name} {getattr(log, name)[row]:g}" for name in TIMES)
        raise ValueError(
            f"request {row} {fault}: {log.generated[row]} of {log.output_tokens[row]} tokens; "
            f"{times} ({int(wrong.sum())} such requests)"
        )
