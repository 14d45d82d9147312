"""What a stream of engine steps is made from."""

from typing import Protocol

from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.routing_model import RoutingModel


class StreamParts(Protocol):
    """Requests, routing and batching, as :class:`traces.workload.Workload` has them."""

    @property
    def requests(self) -> RequestTrace:
        """The request stream."""
        ...

    @property
    def routing(self) -> RoutingModel:
        """How tokens choose experts."""
        ...

    @property
    def batching(self) -> ContinuousBatching:
        """How steps are formed."""
        ...

    @property
    def seed(self) -> int:
        """Seed of routing and sampling."""
        ...

    @property
    def pool(self) -> str:
        """Sequences that may be drawn: "all", "history" or "judged"."""
        ...

    @property
    def start_s(self) -> float:
        """Seconds before which steps are composed and left out."""
        ...
