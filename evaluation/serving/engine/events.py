"""Events that a task executor raises and that the serving system handles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """A request has its last token."""

    request: int


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """A prompt is computed, and its request generates on another executor.

    The keys and values of the prompt stay where they are until they have been fetched.
    """

    request: int


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """A DP group of the executor has reserved memory for a request and fetches its cache."""

    request: int
    group: int


@dataclass(frozen=True, slots=True)
class RequestPreempted:
    """A request has lost its keys and values to others and has to be computed again."""

    request: int


@dataclass(frozen=True, slots=True)
class CapacityFreed:
    """Requests have left the executor, so that routers may assign those that they held."""


Event = RequestFinished | PromptFinished | TransferRequested | RequestPreempted | CapacityFreed
