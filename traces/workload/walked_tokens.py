"""Tokens that were recorded: every request walks along recorded sequences."""

import math

import numpy as np
from numpy.typing import NDArray

from traces.header import PHASES
from traces.requests import RequestTrace
from traces.workload.batching import ContinuousBatching
from traces.workload.composition import DECODE, PREFILL, Composition
from traces.workload.pools import pool_of_sequences
from traces.workload.recorded_routing import RecordedRouting
from traces.workload.walk_steps import TOKEN, add_visits, walk_steps


class WalkedTokens:
    """A source of counts of recorded tokens, sequence by sequence.

    Parameters
    ----------
    routing
        The recordings.
    requests
        The stream.
    batching
        Says which phases are run.
    seeds
        Of the random bits.
    pool, split_seed
        Which sequences are walked; see :mod:`traces.workload.pools`.

    Raises
    ------
    ValueError
        If a request is of no recorded domain, or a domain is too small for two pools.
    """

    def __init__(
        self,
        routing: RecordedRouting,
        requests: RequestTrace,
        batching: ContinuousBatching,
        seeds: list[int],
        pool: str,
        split_seed: int,
    ) -> None:
        self._shape = (routing.num_layers, routing.num_experts)
        self._cells = routing.cells
        random = np.random.default_rng(seeds)
        self._key = np.uint64(random.integers(2**64, dtype=np.uint64))
        self._sequences(routing, pool, split_seed)
        phases = {DECODE: batching.decodes, PREFILL: batching.prefills}
        self._pools = {
            phase: np.ascontiguousarray(routing.conditions(requests, PHASES[phase], random)[:, 0])
            for phase, runs in phases.items()
            if runs
        }
        where = np.full((requests.num_requests, 3), -1, dtype=np.int64)
        # prompts that are recorded apart are a walk of their own
        apart = routing.prefill is not None
        self._where = {DECODE: where, PREFILL: where.copy() if apart else where}
        assert TOKEN == 0

    def _sequences(self, routing: RecordedRouting, pool: str, split_seed: int) -> None:
        """Lay the pool's sequences of all recordings one after another."""
        first, begin, length, tokens = [0], [], [], 0
        names = list(routing.decode) * 2
        for number, trace in enumerate(routing.recordings):
            assert trace.sample_lengths is not None
            lengths = trace.sample_lengths.astype(np.int64)
            begins = tokens + np.cumsum(lengths) - lengths
            seed = split_seed + number % len(routing.decode)
            kept = pool_of_sequences(np.arange(len(lengths)), pool, names[number], seed)
            begin.append(begins[kept])
            length.append(lengths[kept])
            first.append(first[-1] + len(kept))
            tokens += trace.num_tokens
        self._first = np.array(first)
        self._begin = np.concatenate(begin)
        self._upto = np.cumsum([0, *np.concatenate(length)])

    def counts(self, composition: Composition) -> NDArray[np.int32]:
        """Return counts [steps, layers, experts] of the next steps."""
        return self._walk(composition, np.arange(composition.num_steps))[0]

    def add(
        self, total: NDArray[np.int64], composition: Composition, chosen: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """Add the next steps to ``total``; return the counts of the ``chosen`` ones.

        Every step is walked, since recorded tokens follow one another: the total is their sum.
        """
        counts, visits = self._walk(composition, chosen)
        add_visits(total.reshape(-1), visits, self._cells)
        return counts

    def _walk(
        self, composition: Composition, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Walk all next steps; return the counts of the chosen ones, and visits of all tokens."""
        counts = np.zeros((len(chosen), *self._shape), dtype=np.int32)
        flat = counts.reshape(len(chosen), math.prod(self._shape))
        visits = np.zeros(len(self._cells), dtype=np.int32)
        rows = np.full(composition.num_steps, -1, dtype=np.int64)
        rows[chosen] = np.arange(len(chosen))
        # a request's prompt comes before its answer, also within these steps
        for runs, phase in ((composition.pieces, PREFILL), (composition.spans, DECODE)):
            if len(runs):
                walk_steps(
                    flat,
                    visits,
                    rows,
                    composition.decode_steps,
                    runs,
                    phase == DECODE,
                    self._pools[phase],
                    self._where[phase],
                    self._key,
                    self._first,
                    self._begin,
                    self._upto,
                    self._cells,
                )
        return counts, visits
