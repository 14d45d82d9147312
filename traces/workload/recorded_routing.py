"""Routing of recorded tokens: every request walks along recorded sequences of its domain."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.domain_routing import DomainRouting
from traces.requests import RequestTrace
from traces.tokens import TokenTrace
from traces.workload.token_filter import TokenFilter, first_match


@dataclass(frozen=True, eq=False)
class RecordedRouting:
    """Each request is a recorded sequence of its domain, token after token.

    A request starts at a random token of its domain. Where its sequence ends, it goes on at the
    beginning of another one of the domain, each as likely. So a token of any step is any token of
    the domain with equal chances, and tokens that follow each other were recorded so.
    Prompt and answer are one walk, unless ``prefill`` is recorded apart.

    A simulation that does not know the requests of a step may draw tokens of each domain
    independently instead: this is a :class:`traces.workload.routing_model.RoutingModel`, too.

    Parameters
    ----------
    decode
        Name of a domain to its recording, all of one model, with ``sample_lengths``. A recording
        of prompts may stand in for answers (an assumption of ours).
    prefill
        Recordings for prompt tokens, of the same domains; those of ``decode`` by default.

    Raises
    ------
    ValueError
        If there are no domains, recordings differ in layers, experts or top_k, do not say where
        sequences begin, or the domains of ``prefill`` are others.
    """

    decode: Mapping[str, TokenTrace]
    prefill: Mapping[str, TokenTrace] | None = None

    def __post_init__(self) -> None:
        together = dict(self.decode)
        if self.prefill is not None:
            if set(self.prefill) != set(self.decode):
                raise ValueError(
                    f"prefill has domains {sorted(self.prefill)}, decode {sorted(self.decode)}; "
                    "give both for each domain"
                )
            together |= {f"{name}, prefill": trace for name, trace in self.prefill.items()}
        DomainRouting(together)  # checks that all are of one shape
        for name, trace in together.items():
            if not isinstance(trace, TokenTrace) or trace.sample_lengths is None:
                raise ValueError(
                    f"the recording of {name!r} has no sequences: {trace!r}; give a TokenTrace "
                    "with sample_lengths, or counts to ConditionRouting.from_traces"
                )

    @property
    def _first(self) -> TokenTrace:
        return next(iter(self.decode.values()))

    @property
    def model(self) -> str:
        """Name of the recorded model."""
        return self._first.model

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self._first.num_layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self._first.num_experts

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        return self._first.top_k

    @property
    def recordings(self) -> tuple[TokenTrace, ...]:
        """The recordings, one a condition: those of decode, then those of prefill, if apart."""
        prefill = {} if self.prefill is None else self.prefill
        return (*self.decode.values(), *(prefill[name] for name in self.decode if prefill))

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Domains that are recorded."""
        return tuple(self.decode)

    @property
    def num_conditions(self) -> int:
        """Recordings."""
        return len(self.recordings)

    @property
    def position_edges(self) -> tuple[float, ...]:
        """None: a walk knows its position, and independent draws do not."""
        return ()

    def conditions(
        self, requests: RequestTrace, phase: str, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return [requests, 1] recording of each request's tokens in a phase.

        Raises
        ------
        ValueError
            If a request is of no recorded domain; without domains, one recording serves all.
        """
        alone = len(self.decode) == 1 and requests.domain is None
        phases = (None,) if self.prefill is None else ("decode", "prefill")
        listed = [
            TokenFilter(domain=None if alone else name, phase=of)
            for of in phases
            for name in self.decode
        ]
        return first_match(listed, requests, phase)

    def sampler(self) -> "IndependentTokens":
        """Return a sampler that draws recorded tokens independently."""
        return self._sampler

    @cached_property
    def _sampler(self) -> "IndependentTokens":
        named = {str(number): trace for number, trace in enumerate(self.recordings)}
        return IndependentTokens(DomainRouting(named))

    @cached_property
    def cells(self) -> NDArray[Any]:
        """[tokens, layers * top_k] cell of a step's counts that each choice adds to."""
        ids = np.concatenate([trace.experts for trace in self.recordings])
        offsets = np.arange(self.num_layers, dtype=np.uint32)[:, None] * self.num_experts
        small = self.num_layers * self.num_experts <= 2**16
        cells = (ids + offsets).astype(np.uint16 if small else np.uint32)
        return cells.reshape(len(ids), -1)


@dataclass(frozen=True, eq=False)
class IndependentTokens:
    """Draws recorded tokens one by one, whatever was drawn before.

    Parameters
    ----------
    routing
        A domain for each condition.
    """

    routing: DomainRouting

    def interval(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return zeros, [steps]."""
        return np.zeros(len(time_s), dtype=np.int64)

    def draw(
        self, tokens: NDArray[np.int64], interval: int, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return counts; see :meth:`traces.DomainRouting.draw`."""
        return self.routing.draw(tokens, random)
