"""A workload: requests times routing, composed into engine steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.composition import Composition
from traces.workload.engine_steps import EngineSteps, joined, no_steps
from traces.workload.engine_window import EngineWindow
from traces.workload.outline import CHUNK, Outline, outlines_of_seconds, outlines_of_steps
from traces.workload.pools import POOLS, check_pool
from traces.workload.recorded_routing import RecordedRouting
from traces.workload.routing_model import RoutingModel
from traces.workload.stratified import stratified
from traces.workload.token_source import TokenSource
from traces.workload.window_lengths import check_window, no_window

if TYPE_CHECKING:
    from traces.workload.composer import Composer

#: Bytes of the counts of one chunk of steps, at most.
CHUNK_BYTES = 16 * 2**20
#: Purposes of generators.
STEPS, WINDOWS, SAMPLE = 1, 2, 3


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
        without a common one; drawn tokens and kinds of sequences are independent.
        """
        return replace(self, pool="history"), replace(self, pool="judged")

    def steps(self) -> Iterator[EngineSteps]:
        """Yield all steps in order, in chunks of some 16 MB of counts.

        Raises
        ------
        ValueError
            If no law or recording fits a request, or a domain has too few sequences to split.
        """
        source, composer = self._source(STEPS), self._composer()
        size = max(1, min(CHUNK, CHUNK_BYTES // (4 * self.num_layers * self.num_experts)))
        while (composition := composer.take(size)) is not None:
            every = np.arange(composition.num_steps)
            yield self._engine_steps(composition, every, source.counts(composition))

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
        incomplete last window is left out.

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
        check_window(window_steps, window_s, sampled_steps)
        # one engine runs a window ahead, so that the sample is known before tokens are routed
        ahead, composer = self._composer(), self._composer()
        if window_steps is not None:
            outlines = outlines_of_steps(ahead, window_steps)
        else:
            assert window_s is not None
            outlines = outlines_of_seconds(ahead, self.start_s, window_s)
        source = self._source(WINDOWS)
        random = np.random.default_rng([self.seed, POOLS.index(self.pool), SAMPLE])
        number = -1
        for number, outline in zip(count(), outlines):
            sample = stratified(outline.phase, sampled_steps, random)
            yield self._window(number, outline, sample, composer, source)
        if number < 0:
            raise no_window(window_steps, window_s)

    def _composer(self) -> "Composer":
        """Return an engine that has reached ``start_s``."""
        from traces.workload.composer import Composer

        composer = Composer(self.requests, self.batching)
        while composer.take(CHUNK, self.start_s) is not None:
            pass
        return composer

    def _source(self, purpose: int) -> TokenSource:
        from traces.workload.drawn_tokens import DrawnTokens
        from traces.workload.walked_tokens import WalkedTokens

        # two pools differ in all random numbers
        seeds = [self.seed, POOLS.index(self.pool), purpose]
        if isinstance(self.routing, RecordedRouting):
            return WalkedTokens(
                self.routing, self.requests, self.batching, seeds, self.pool, self.seed
            )
        return DrawnTokens(self.routing, self.requests, self.batching, seeds)

    def _engine_steps(
        self, composition: Composition, chosen: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> EngineSteps:
        return EngineSteps(
            self.routing.model,
            self.routing.top_k,
            composition.first + chosen,
            composition.time_s[chosen],
            composition.phase[chosen],
            composition.tokens[chosen],
            composition.sequences[chosen],
            counts,
        )

    def _window(
        self,
        number: int,
        outline: Outline,
        sample: tuple[NDArray[np.int64], NDArray[np.float64]],
        composer: "Composer",
        source: TokenSource,
    ) -> EngineWindow:
        """Route the steps of an outline, of which ``sample`` has the places and weights."""
        places, weight = sample
        total = np.zeros((self.num_layers, self.num_experts), dtype=np.int64)
        sampled = [no_steps(self.routing)]
        done, tokens, steps = 0, 0, len(outline.phase)
        while done < steps:
            composition = composer.take(min(CHUNK, steps - done))
            assert composition is not None
            chosen = places[(places >= done) & (places < done + composition.num_steps)] - done
            counts = source.add(total, composition, chosen)
            sampled.append(self._engine_steps(composition, chosen, counts))
            tokens += int(composition.tokens.sum())
            done += composition.num_steps
        return EngineWindow(
            number, outline.start_s, outline.end_s, steps, tokens, total, joined(sampled), weight
        )
