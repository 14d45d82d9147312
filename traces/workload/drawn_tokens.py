"""Tokens that a law routes: only how many there are of each condition matters."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from traces.header import PHASES
from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.composition import DECODE, PREFILL, Composition
from traces.workload.routing_model import RoutingModel
from traces.workload.tokens_by_condition import summed_tokens, tokens_by_condition

#: Copies of tokens in one draw, below.
MOST_COPIES = 2**31


class DrawnTokens:
    """A source of counts that are drawn from a law.

    Parameters
    ----------
    routing
        The law.
    requests
        The stream.
    batching
        Says which phases are run.
    seeds
        Of the generators.
    """

    def __init__(
        self,
        routing: RoutingModel,
        requests: RequestTrace,
        batching: ContinuousBatching,
        seeds: list[int],
    ) -> None:
        self._routing, self._sampler = routing, routing.sampler()
        self._random = np.random.default_rng([*seeds, 0])
        self._edges = np.array(routing.position_edges, dtype=np.float64)
        phases = {DECODE: batching.decodes, PREFILL: batching.prefills}
        # the same generator for both phases: a request is of one kind in both
        self._conditions = {
            phase: np.ascontiguousarray(
                routing.conditions(requests, PHASES[phase], np.random.default_rng([*seeds, 1]))
            )
            for phase, runs in phases.items()
            if runs
        }

    def counts(self, composition: Composition) -> NDArray[np.int32]:
        """Return counts [steps, layers, experts] of the next steps."""
        tokens = self._tokens(composition)
        interval = self._sampler.interval(composition.time_s)
        cuts = [0, *(np.flatnonzero(np.diff(interval)) + 1).tolist(), len(tokens)]
        parts = [
            self._sampler.draw(tokens[start:stop], int(interval[start]), self._random)
            for start, stop in pairwise(cuts)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def add(
        self, total: NDArray[np.int64], composition: Composition, chosen: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Add the next steps to ``total``; return the counts of the ``chosen`` ones.

        Steps are independent given their tokens of each condition. So the chosen steps are drawn
        one by one, all other steps of an interval are drawn as one step with their summed tokens,
        and both are added: the joint law of steps and total is that of a full stream.
        """
        interval = self._sampler.interval(composition.time_s)
        if interval[0] == interval[-1]:
            whole, steps = summed_tokens(composition, *self._by_condition, chosen)
            return self._add(total, int(interval[0]), whole, steps)
        tokens = self._tokens(composition)
        counts = [np.empty((0, *total.shape), dtype=np.int32)]
        for number in np.unique(interval):
            steps = tokens[chosen[interval[chosen] == number]]
            whole = tokens[interval == number].sum(axis=0)
            counts.append(self._add(total, int(number), whole, steps))
        return np.concatenate(counts)

    def _add(
        self,
        total: NDArray[np.int64],
        interval: int,
        whole: NDArray[np.int64],
        steps: NDArray[np.int64],
    ) -> NDArray[np.int32]:
        """Add ``whole`` [conditions] tokens of an interval; return the counts of ``steps``.

        The ``steps`` [chosen, conditions] are among the whole.
        """
        counts = np.empty((0, *total.shape), dtype=np.int32)
        if len(steps):
            counts = self._sampler.draw(steps, interval, self._random)
            total += counts.sum(axis=0, dtype=np.int64)
        rest = whole - steps.sum(axis=0)
        if rest.any():
            drawn = self._sampler.draw(self._bounded(rest), interval, self._random)
            total += drawn.sum(axis=0, dtype=np.int64)
        return counts

    def _tokens(self, composition: Composition) -> NDArray[np.int64]:
        return tokens_by_condition(composition, *self._by_condition)

    @property
    def _by_condition(self) -> tuple[dict[int, NDArray[np.int32]], NDArray[np.float64], int]:
        return self._conditions, self._edges, self._routing.num_conditions

    def _bounded(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return [parts, conditions] tokens that add up to ``tokens``, each few enough to draw."""
        parts = int(tokens.sum()) * self._routing.top_k // MOST_COPIES + 1
        if parts == 1:
            return tokens[None]
        parts += 1  # each part is rounded up in every condition
        upto = tokens * np.arange(parts + 1)[:, None] // parts
        return np.diff(upto, axis=0)
