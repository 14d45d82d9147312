"""Log of steps and transfers in a time range, for the timeline."""

from typing import NamedTuple

from evaluation.serving.pricing.work import Cost


class LoggedStep(NamedTuple):
    """One step of the task executor with index ``executor``."""

    executor: int
    start_s: float
    cost: Cost
    prefill_tokens: int
    sequences: int


class LoggedTransfer(NamedTuple):
    """One transfer of a request's key-value cache between two task executors."""

    request: int
    source: int
    target: int
    start_s: float
    end_s: float


class StepLog:
    """Steps and transfers of a time range, for the timeline.

    Parameters
    ----------
    start_s, end_s
        The time range in seconds. Only steps and transfers that overlap it are kept.

    Raises
    ------
    ValueError
        Unless 0 <= start_s < end_s.
    """

    def __init__(self, start_s: float, end_s: float) -> None:
        if not 0 <= start_s < end_s:
            raise ValueError(
                f"start_s = {start_s:g}, end_s = {end_s:g} break 0 <= start_s < end_s; give a range"
            )
        self.start_s = start_s
        self.end_s = end_s
        self.steps: list[LoggedStep] = []
        self.transfers: list[LoggedTransfer] = []

    def add(
        self, executor: int, start_s: float, cost: Cost, prefill_tokens: int, sequences: int
    ) -> None:
        """Keep a step of one task executor, if it overlaps the range."""
        if start_s < self.end_s and start_s + cost.total > self.start_s:
            self.steps.append(LoggedStep(executor, start_s, cost, prefill_tokens, sequences))

    def add_transfer(
        self, request: int, source: int, target: int, start_s: float, end_s: float
    ) -> None:
        """Keep a transfer of key-value cache, if it overlaps the range."""
        if start_s < self.end_s and end_s > self.start_s:
            self.transfers.append(LoggedTransfer(request, source, target, start_s, end_s))
