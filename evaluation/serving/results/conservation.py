"""No request and no token is lost, or counted twice."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.log import RequestLog

#: Times of a request, in the order in which they pass.
ORDER = ("arrival_s", "first_token_s", "second_token_s", "finish_s")


def check(log: RequestLog, until_s: float, in_flight: int | None = None) -> None:
    """Raise unless every request that arrived finished, or is still in flight.

    Parameters
    ----------
    log
        The requests.
    until_s
        Simulated time at which the log ends.
    in_flight
        Requests that the engine still holds, in queues, transfers and batches, counted there and
        not in the log; ``None``: not known, and only the log is checked against itself.

    Raises
    ------
    ValueError
        Naming the numbers, or the first request that breaks a rule: one with times out of order or
        after ``until_s``, tokens before it arrived, or finished with more or fewer tokens than it
        was to generate.
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
    times = [getattr(log, name) for name in ORDER]
    for number, name in enumerate(ORDER[1:], 1):
        with np.errstate(invalid="ignore"):
            latest = np.fmax.reduce(times[:number])
            _refuse(times[number] < latest, log, f"has a {name} before what must come first")
            _refuse(times[number] > until_s, log, f"has a {name} after the end, {until_s:g} s")


def _refuse(wrong: NDArray[np.bool_], log: RequestLog, said: str) -> None:
    """Name the first request that is wrong."""
    if wrong.any():
        row = int(np.argmax(wrong))
        times = ", ".join(f"{name} {getattr(log, name)[row]:g}" for name in ORDER)
        raise ValueError(
            f"request {row} {said}: {log.generated[row]} of {log.output_tokens[row]} tokens; "
            f"{times} ({int(wrong.sum())} such requests)"
        )
