"""Conditions of the routing that the tokens of requests have, and their numbers in a step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.chunk import Chunk
from evaluation.serving.engine.decode_batch import DecodeBatch
from lb.kernel import kernel
from traces.requests import RequestTrace
from traces.workload.even_routing import EvenRouting
from traces.workload.routing_model import RoutingModel

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TokenConditions:
    """Which condition of the routing each token of each request has.

    It depends on the phase, and on the position where the routing tells positions apart. Draft
    tokens have the condition of the token that they follow.

    Parameters
    ----------
    number
        Conditions of the routing.
    edges
        Positions at which conditions may change, rising.
    prefill, decode
        [requests, len(edges) + 1] condition of the tokens between the edges.
    """

    number: int
    edges: NDArray[np.float64]
    prefill: NDArray[np.int32]
    decode: NDArray[np.int32]

    def of_batch(self, batch: DecodeBatch) -> Ints:
        """Return [conditions] query tokens of a step of all running sequences."""
        tokens: Ints = np.zeros(self.number, dtype=np.int64)
        _add_running(
            tokens,
            batch.request,
            batch.context,
            batch.count,
            self.decode,
            self.edges,
            1 + batch.drafts,
        )
        return tokens

    def add_chunks(self, tokens: Ints, chunks: Iterable[Chunk]) -> None:
        """Add prompt tokens to ``tokens`` [conditions]."""
        for chunk in chunks:
            if len(self.edges):
                _add_run(
                    tokens, self.prefill[chunk.request], self.edges, chunk.before, chunk.tokens
                )
            else:
                tokens[self.prefill[chunk.request, 0]] += chunk.tokens

    def of_requests(self, requests: RequestTrace, phase: str) -> Ints:
        """Return [conditions] tokens of all requests in a phase, from the first to the last."""
        tokens: Ints = np.zeros(self.number, dtype=np.int64)
        prompts = requests.prompt_tokens.astype(np.int64)
        if phase == "prefill":
            _add_runs(tokens, self.prefill, self.edges, np.zeros_like(prompts), prompts)
        else:
            _add_runs(
                tokens, self.decode, self.edges, prompts, requests.output_tokens.astype(np.int64)
            )
        return tokens


def token_conditions(
    routing: RoutingModel, requests: RequestTrace, seeds: Sequence[int]
) -> TokenConditions:
    """Return the conditions of the requests' tokens.

    ``seeds`` decide what requests leave open, as the kind of a sequence.

    Raises
    ------
    ValueError
        If no condition of the routing fits a request.
    """
    # the same generator for both phases: a request is of one kind in both
    prefill, decode = (
        np.ascontiguousarray(
            routing.conditions(requests, phase, np.random.default_rng(list(seeds)))
        )
        for phase in ("prefill", "decode")
    )
    edges = np.array(routing.position_edges, dtype=np.float64)
    return TokenConditions(routing.num_conditions, edges, prefill, decode)


def all_alike(requests: RequestTrace) -> TokenConditions:
    """Return the conditions where all tokens are alike."""
    return token_conditions(EvenRouting(1, 1, 1), requests, [0])


@kernel
def _add_running(
    tokens: Ints,
    request: Ints,
    context: Ints,
    count: Ints,
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
    each: int,
) -> None:
    """Add ``each`` tokens of every running sequence, at the position after its context."""
    for group in range(len(count)):
        for at in range(count[group]):
            stretch = 0
            while stretch < len(edges) and edges[stretch] <= context[group, at]:
                stretch += 1
            tokens[condition[request[group, at], stretch]] += each


@kernel
def _add_run(
    tokens: Ints, condition: NDArray[np.int32], edges: NDArray[np.float64], begin: int, number: int
) -> None:
    """Add tokens that follow each other from a position on, of one request."""
    position = begin
    end = begin + number
    for stretch in range(len(edges) + 1):
        upto = end
        if stretch < len(edges):
            upto = min(end, max(position, int(np.ceil(edges[stretch]))))
        tokens[condition[stretch]] += upto - position
        position = upto


@kernel
def _add_runs(
    tokens: Ints,
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
    begin: Ints,
    number: Ints,
) -> None:
    """Add one run of tokens of each request."""
    for request in range(len(begin)):
        _add_run(tokens, condition[request], edges, begin[request], number[request])
