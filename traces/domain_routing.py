"""Routing that follows the traffic: tokens of a domain choose experts as its recording does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import check_range, whole_numbers
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.token_pool import TokenPool, pool_of
from traces.tokens import TokenTrace

AXES = ("steps", "domains")
#: Counts of one chunk.
CHUNK_BYTES = 32 * 2**20


@dataclass(frozen=True, eq=False)
class DomainRouting:
    """Expert loads of steps that are made of tokens of several domains.

    Every token of a step is a recorded token of its domain, drawn with replacement, with all its
    choices in all layers: so the counts of a step are exactly multinomial over the recorded tokens,
    and experts and layers that go together in the recording go together here.

    Parameters
    ----------
    traces_by_domain
        Name of a domain to its recording, all of one model's shape. Of a
        :class:`traces.RoutingTrace` only the share of every expert is known: tokens of that law are
        made, each with ``top_k`` different experts a layer, independent otherwise (an assumption).
    pooled
        Draw large steps in chunks of tokens that were added up beforehand, each time in another
        order of the recording. That is much faster. Steps are independent and their means exact as
        before; but with 128 chunks of the largest sizes, the variance of one expert's load is off
        by some 12 %, to either side. docs/requests.md has the figures.

    Raises
    ------
    ValueError
        If there are no domains, or they differ in layers, experts or top_k.
    """

    traces_by_domain: Mapping[str, TokenTrace | RoutingTrace]
    pooled: bool = False

    def __post_init__(self) -> None:
        if not self.traces_by_domain:
            raise ValueError("traces_by_domain is empty; give a recording for each domain")
        first = next(iter(self.traces_by_domain.values()))
        for name, trace in self.traces_by_domain.items():
            for what in ("num_layers", "num_experts", "top_k"):
                if getattr(trace, what) != getattr(first, what):
                    raise ValueError(
                        f"domain {name!r} has {what} = {getattr(trace, what)}, the first has "
                        f"{getattr(first, what)}; give recordings of one model"
                    )

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the columns of ``tokens_by_domain``."""
        return tuple(self.traces_by_domain)

    @cached_property
    def _pools(self) -> list[TokenPool]:
        return [
            pool_of(trace, seed, self.pooled)
            for seed, trace in enumerate(self.traces_by_domain.values())
        ]

    def counts(self, tokens_by_domain: ArrayLike, seed: int = 0) -> RoutingTrace:
        """Return the routing of steps.

        Parameters
        ----------
        tokens_by_domain
            [steps, domains] tokens of each domain in each step.
        seed
            Of the generator.

        Raises
        ------
        ValueError
            If the tokens are negative or no whole numbers, or there are other domains.
        """
        tokens = self._checked(tokens_by_domain)
        first = next(iter(self.traces_by_domain.values()))
        return RoutingTrace(
            self.draw(tokens, np.random.default_rng(seed)),
            first.model,
            first.top_k,
            first.phase,
            tokens.sum(axis=1),
            {
                "origin": "drawn by traces.DomainRouting",
                "domains": ", ".join(self.domains),
                "law": f"pooled = {self.pooled}, seed = {seed}",
            },
        )

    def draw(self, tokens_by_domain: ArrayLike, random: np.random.Generator) -> NDArray[np.int32]:
        """Return the bare counts [steps, layers, experts], for a simulation's inner loop.

        Arguments and errors are those of :meth:`counts`, with a generator that goes on.
        """
        tokens = self._checked(tokens_by_domain)
        first = next(iter(self.traces_by_domain.values()))
        shape = (len(tokens), first.num_layers, first.num_experts)
        counts = np.zeros((len(tokens), shape[1] * shape[2]), dtype=np.int32)
        for domain, pool in enumerate(self._pools):
            pool.add(counts, tokens[:, domain], random)
        return counts.reshape(shape)

    def pieces(self, tokens_by_domain: ArrayLike, seed: int = 0) -> Iterator[RoutingTrace]:
        """Yield the steps in chunks of bounded memory; arguments as in :meth:`counts`.

        Each chunk has a generator of its own, so that these are other draws than those of counts.
        """
        tokens = self._checked(tokens_by_domain)
        first = next(iter(self.traces_by_domain.values()))
        steps = max(1, CHUNK_BYTES // (4 * first.num_layers * first.num_experts))
        for number, start in enumerate(range(0, len(tokens), steps)):
            chunk = np.random.SeedSequence([seed, number])
            yield self.counts(tokens[start : start + steps], int(chunk.generate_state(1)[0]))

    def traffic(self, requests: RequestTrace, window_s: float) -> NDArray[np.int64]:
        """Return the prompt tokens that arrive in each window, [windows, domains].

        A stand-in for a serving simulation: prompts are read the moment they arrive. Windows count
        from second 0, up to the last arrival.

        Raises
        ------
        ValueError
            If the requests have no domains, or others than there are here.
        """
        if not 0 < window_s < np.inf:
            raise ValueError(f"window_s = {window_s} is outside 0 < window_s < infinity")
        if requests.domain is None:
            raise ValueError("the requests have no domains; give them: in_domain or with_domains")
        unknown = sorted(set(requests.domain_names) - set(self.domains))
        if unknown:
            raise ValueError(f"domains {unknown} have no recording; there are {self.domains}")
        column = np.array([self.domains.index(name) for name in requests.domain_names])
        window = (requests.arrival_s // window_s).astype(np.int64)
        shape = (int(window[-1]) + 1, len(self.domains))
        traffic = np.zeros(shape, dtype=np.int64)
        np.add.at(traffic, (window, column[requests.domain]), requests.prompt_tokens)
        return traffic

    def _checked(self, tokens_by_domain: ArrayLike) -> NDArray[np.int64]:
        tokens = whole_numbers(tokens_by_domain, "tokens_by_domain", AXES)
        check_range(tokens, "tokens_by_domain", AXES, 2**31, "give tokens of each domain")
        if tokens.shape[1] != len(self.traces_by_domain) or not len(tokens):
            raise ValueError(
                f"tokens_by_domain has shape {tokens.shape}; give [steps, {len(self.domains)}], "
                f"one column for each of {', '.join(self.domains)}"
            )
        together = tokens.sum(axis=1)
        if together.max() >= 2**31:
            step = int(np.argmax(together))
            raise ValueError(f"step {step} has {together[step]} >= 2**31 tokens; split it")
        return tokens.astype(np.int64)
