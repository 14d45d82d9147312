"""What a workload, or a serving simulation, needs of a law of routing."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace


class RoutingSampler(Protocol):
    """Draws expert counts for one stream of steps, whose time only goes forward."""

    def interval(self, time_s: NDArray[np.float64], /) -> NDArray[np.int64]:
        """Return [steps] number of the stretch of time that each step is in; it never falls.

        Within one, the law stands still. A law without drift returns zeros.
        """
        ...

    def draw(
        self, tokens: NDArray[np.int64], interval: int, random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return counts [steps, layers, experts] of steps with ``tokens`` [steps, conditions].

        All steps are in ``interval``, which is not before that of the last call. Every token
        adds ``top_k`` to each layer. Steps are independent.
        """
        ...


@runtime_checkable
class RoutingModel(Protocol):
    """A law of routing: tokens of each condition choose experts independently of one another.

    A condition is whatever the law tells apart: domain, phase, lengths, position, or a kind of
    sequence. ``conditions`` says which each request's tokens have; a sampler draws counts from
    the number of tokens of each. A law never sees single sequences: sequences that are alike
    within themselves are conditions of their own, see
    :class:`traces.workload.sequence_kinds.SequenceKinds`.
    """

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        ...

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        ...

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        ...

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Names of the domains that it tells apart; empty if requests of any domain are alike."""
        ...

    @property
    def num_conditions(self) -> int:
        """Conditions."""
        ...

    @property
    def position_edges(self) -> tuple[float, ...]:
        """Positions within a request, rising and above 0, at which its condition may change."""
        ...

    def conditions(
        self, requests: RequestTrace, phase: str, random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return the condition of each request's tokens, [requests, len(position_edges) + 1].

        ``phase`` is "prefill" or "decode". ``random`` decides what the requests leave open.
        """
        ...

    def sampler(self) -> RoutingSampler:
        """Return a sampler at time 0."""
        ...
