"""Expert load of a step, drawn from the domains of its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import traces
from traces import DomainRouting, RoutingTrace, TokenTrace, generators
from traces.generators import Law

#: Steps of a law that a domain's experts are counted over.
LAW_STEPS = 64


class ExpertLoad(Protocol):
    """Draws the experts of a step: tokens by domain in, counts out."""

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
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of ``domain_tokens``."""
        ...

    def __call__(
        self, domain_tokens: NDArray[np.float64], random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return [layers, experts] token copies of a step with [domains] tokens."""
        ...


@dataclass(frozen=True)
class UniformLoad:
    """Every expert gets the same number of tokens; a remainder goes to the first experts.

    Parameters
    ----------
    num_layers, num_experts, top_k
        Shape of the model.
    domains
        Names of the domains; all have the same load.
    """

    num_layers: int
    num_experts: int
    top_k: int
    domains: tuple[str, ...] = ("all",)

    def __call__(
        self, domain_tokens: NDArray[np.float64], random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return [layers, experts] even counts; no random number is drawn."""
        each, more = divmod(round(float(domain_tokens.sum())) * self.top_k, self.num_experts)
        counts = np.full((self.num_layers, self.num_experts), each, dtype=np.int32)
        counts[:, :more] += 1
        return counts


@dataclass(frozen=True, eq=False)
class RecordedLoad:
    """Draws from a :class:`traces.DomainRouting`; a pooled one is much faster.

    Parameters
    ----------
    routing
        Recordings by domain.
    """

    routing: DomainRouting

    @property
    def _first(self) -> TokenTrace | RoutingTrace:
        return next(iter(self.routing.traces_by_domain.values()))

    @property
    def num_layers(self) -> int:
        """MoE layers of the recordings."""
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
    def domains(self) -> tuple[str, ...]:
        """Names of the recordings."""
        return self.routing.domains

    def __call__(
        self, domain_tokens: NDArray[np.float64], random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return [layers, experts] drawn counts; errors as :meth:`traces.DomainRouting.draw`."""
        # A single step of whole tokens has a compiled path; the general one checks and explains.
        whole = domain_tokens.astype(np.int64)
        fits = whole.shape == (len(self.domains),) and bool((whole == domain_tokens).all())
        if fits and whole.min() >= 0 and whole.sum() < 2**31:
            return self.routing.draw_step(whole, random)
        counts: NDArray[np.int32] = self.routing.draw(domain_tokens[None], random)[0]
        return counts


def domain_names(law: Law, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of a law's domains, "domain 0" and so on where none are given.

    Raises
    ------
    ValueError
        If there are other than ``law.domains`` names, or two are the same.
    """
    names = tuple(names) or tuple(f"domain {number}" for number in range(law.domains))
    if len(set(names)) != law.domains or len(names) != law.domains:
        raise ValueError(f"names = {names}; give {law.domains} different ones, one for each domain")
    return names


def load_of_law(law: Law, names: Sequence[str] = ()) -> RecordedLoad:
    """Return the load of a law of routing, its domains apart.

    The tokens of a domain are made from its expert counts over the law's first 64 steps. So
    differences between domains are kept and follow the traffic. Changes of the law in time (drift,
    shifts, noise from step to step) are averaged: an approximation of ours. With
    :class:`evaluation.serving.pricing.drifting_load.DriftingLoad`, drift and shifts happen in time.

    Parameters
    ----------
    law
        Shape, popularity and affinities.
    names
        One for each of its domains; "domain 0" and so on by default.

    Raises
    ------
    ValueError
        If there are other than ``law.domains`` names, or two are the same.
    """
    alone = {
        name: generators.trace(
            law.replace(
                mix=tuple(map(float, np.eye(law.domains)[number])), schedule=None, burst_every=0.0
            ),
            LAW_STEPS,
        )
        for number, name in enumerate(domain_names(law, names))
    }
    return RecordedLoad(DomainRouting(alone, pooled=True))


def load_by_name(routing: Sequence[str] | str, names: Sequence[str] = ()) -> RecordedLoad:
    """Return the load that names stand for.

    Parameters
    ----------
    routing
        A preset of :mod:`traces.generators`, or a recording (bundled or a file) for each domain.
    names
        Names of the domains: of the preset's, or of the recordings (by default their own).

    Raises
    ------
    ValueError
        If a name is unknown, or names and domains are not as many.
    """
    from traces.generators import presets

    sources = [routing] if isinstance(routing, str) else list(routing)
    if len(sources) == 1 and sources[0] in presets.PRESETS:
        return load_of_law(presets.preset(sources[0]), names)
    domains = list(names) or sources
    if not sources or len(domains) != len(sources) or len(set(domains)) != len(sources):
        raise ValueError(
            f"names = {domains} for routing = {sources}; give a different name for each"
        )
    recordings = dict(zip(domains, map(traces.load, sources), strict=True))
    return RecordedLoad(DomainRouting(recordings, pooled=True))
