"""A workload: requests times routing, composed into engine steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.condition_routing import ConditionRouting
from traces.workload.engine_steps import EngineSteps
from traces.workload.engine_window import EngineWindow
from traces.workload.pools import check_pool
from traces.workload.routing_model import RoutingModel
from traces.workload.stream import STEPS, engine_at_start, engine_steps, token_source
from traces.workload.windows import windows_together

#: Steps of a chunk of :meth:`Workload.steps`, and bytes of its counts, at most.
CHUNK = 256
CHUNK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class Workload:
    """Engine steps that a request stream and a routing make under continuous batching.

    Equal workloads give equal steps and equal windows. Memory does not grow with time.

    Parameters
    ----------
    requests
        The stream: when requests arrive, how long they are, of which domain.
    routing
        How their tokens choose experts: a law, or recordings that are walked sequence by sequence.
    batching
        How steps are formed.
    seed
        Of routing and sampling.
    pool
        "all", or "history" or "judged": the same requests with other sequences and other random
        numbers, see :meth:`split`.
    start_s
        Steps that start before it are composed, so that the batch fills, and left out.

    Raises
    ------
    ValueError
        If a request has no tokens in a phase that is run, ``pool`` is unknown, or ``start_s``
        negative.

    Examples
    --------
    >>> from traces import RequestTrace
    >>> from traces.generators import Law
    >>> from traces.workload import ContinuousBatching, LawRouting, Workload
    >>> requests = RequestTrace([0.0, 0.0, 9.0], [5, 5, 5], [2, 1, 1])
    >>> routing = LawRouting(Law(layers=1, experts=4, top_k=1))
    >>> (steps,) = Workload(requests, routing, ContinuousBatching(8, step_s=0.5)).steps()
    >>> steps.time_s.tolist(), steps.tokens.tolist(), steps.counts.sum(axis=2).tolist()
    ([0.0, 0.5, 9.0], [2, 1, 1], [[2], [1], [1]])
    """

    requests: RequestTrace
    routing: RoutingModel
    batching: ContinuousBatching
    seed: int = 0
    pool: str = "all"
    start_s: float = 0.0

    def __post_init__(self) -> None:
        self.batching.check(self.requests)
        check_pool(self.pool)
        if not 0 <= self.start_s < np.inf:
            raise ValueError(f"start_s = {self.start_s} is outside 0 <= start_s < infinity")

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.routing.num_layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self.routing.num_experts

    def split(self) -> tuple["Workload", "Workload"]:
        """Return the workload of the history and that of what is judged.

        Both have the same requests, steps and times. Recorded sequences are split into two halves
        without a common one; drawn tokens and kinds of sequences are independent. Conditions that
        have chances of their own where they are judged have these there.
        """
        judged = self.routing
        if isinstance(judged, ConditionRouting):
            judged = judged.of_judged()
        return replace(self, pool="history"), replace(self, pool="judged", routing=judged)

    def steps(self) -> Iterator[EngineSteps]:
        """Yield all steps in order, in chunks of some 16 MB of counts.

        Raises
        ------
        ValueError
            If no law or recording fits a request, or a domain has too few sequences to split.
        """
        source, composer = token_source(self, STEPS), engine_at_start(self)
        size = max(1, min(CHUNK, CHUNK_BYTES // (4 * self.num_layers * self.num_experts)))
        while (composition := composer.take(size)) is not None:
            every = np.arange(composition.num_steps)
            yield engine_steps(self.routing, composition, every, source.counts(composition))

    def windows(
        self,
        *,
        window_steps: int | None = None,
        window_s: float | None = None,
        sampled_steps: int = 16,
    ) -> Iterator[EngineWindow]:
        """Yield consecutive windows: all counts added up, and a stratified sample of the steps.

        Sampled steps and sum are drawn together, so that their joint law is that of the full
        stream: see docs/workloads.md. They are other draws than those of :meth:`steps`. An
        incomplete last window is left out. Memory grows with the requests of a window.

        Parameters
        ----------
        window_steps
            Engine steps of a window, idle time aside.
        window_s
            Seconds of a window, instead; a step belongs to the window in which it starts.
        sampled_steps
            Steps of each phase in the sample of a window.

        Raises
        ------
        ValueError
            As in :meth:`steps`, unless exactly one length is given, or if the stream is shorter
            than a window.
        """
        alone = windows_together((self,), window_steps, window_s, sampled_steps)
        return (window for (window,) in alone)

    def split_windows(
        self,
        *,
        window_steps: int | None = None,
        window_s: float | None = None,
        sampled_steps: int = 16,
    ) -> Iterator[tuple[EngineWindow, EngineWindow]]:
        """Yield each window of the history with the one that is judged at the same time.

        The same as :meth:`windows` of both parts of :meth:`split`, and faster: their steps are
        composed once. Parameters and errors are those of :meth:`windows`.
        """
        both = windows_together(self.split(), window_steps, window_s, sampled_steps)
        return ((history, judged) for history, judged in both)
