"""Routing by a law of traces.generators, its domains and phases apart."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from traces.generators.law import Law
from traces.request_checks import check_positive
from traces.requests import RequestTrace
from traces.workload.chance_sampler import (
    ALL_ALIKE,
    DriftingSampler,
    StillSampler,
    by_layer,
    conditions_with_kinds,
)
from traces.workload.routing_model import RoutingSampler
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.token_filter import TokenFilter

#: Steps of a law that are never reached.
ENDLESS = 2**62


@dataclass(frozen=True, eq=False)
class LawRouting:
    """Tokens choose experts by a :class:`traces.generators.Law`.

    The requests decide how many tokens each domain and phase has; so the law's own shares of
    domains, bursts, step sizes and prefill share are not used. Its noise from step to step is not
    either: ``kinds`` says how sequences differ.

    Parameters
    ----------
    law
        Of decode tokens, and of all tokens without ``prefill``.
    prefill
        Law of prefill tokens, of the same shape and domains.
    domain_names
        Names of the law's domains. Without names, a law of one domain serves all requests, and the
        domains of others are called "domain 0" and so on.
    law_step_s
        Seconds that a step of the law stands for; drift and shifts then play. Without it, the law
        stands still where it begins.
    kinds
        How sequences of one domain and phase differ; by default they do not.

    Raises
    ------
    ValueError
        If laws have different shapes, names and domains are not as many, or ``law_step_s`` is not
        positive.
    """

    law: Law
    prefill: Law | None = None
    domain_names: tuple[str, ...] = ()
    law_step_s: float | None = None
    kinds: SequenceKinds = ALL_ALIKE

    def __post_init__(self) -> None:
        for name in ("layers", "experts", "top_k", "domains", "update_steps"):
            first, second = getattr(self.law, name), getattr(self.prefill or self.law, name)
            if first != second:
                raise ValueError(f"prefill has {name} = {second}, law has {first}; give the same")
        names = tuple(self.domain_names)
        if not names and self.law.domains > 1:
            names = tuple(f"domain {number}" for number in range(self.law.domains))
        if names and (len(names) != self.law.domains or len(set(names)) != len(names)):
            raise ValueError(
                f"domain_names = {names}; give {self.law.domains} different ones, one a domain"
            )
        object.__setattr__(self, "domain_names", names)
        if self.law_step_s is not None:
            check_positive(law_step_s=self.law_step_s)

    @property
    def model(self) -> str:
        """Name of the law's model."""
        return self.law.model

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.law.layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self.law.experts

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        return self.law.top_k

    @property
    def _laws(self) -> list[Law]:
        return [self.law] if self.prefill is None else [self.law, self.prefill]

    @property
    def _conditions(self) -> tuple[TokenFilter, ...]:
        phases = (None,) if self.prefill is None else ("decode", "prefill")
        names = self.domain_names or (None,)
        return tuple(TokenFilter(domain=name, phase=phase) for phase in phases for name in names)

    @property
    def num_conditions(self) -> int:
        """Domains times phases with a law of their own times kinds of sequences."""
        return len(self._conditions) * self.kinds.count

    @property
    def position_edges(self) -> tuple[float, ...]:
        """None: positions make no difference."""
        return ()

    def conditions(
        self, requests: RequestTrace, phase: str, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return conditions, as :class:`traces.workload.routing_model.RoutingModel` says."""
        return conditions_with_kinds(self._conditions, self.kinds, requests, phase, random)

    def sampler(self) -> RoutingSampler:
        """Return a sampler at time 0."""
        if self.law_step_s is None:
            return self._still
        timelines = [_Chances(law) for law in self._laws]
        beginning = np.concatenate([_Chances(law).at(0) for law in self._laws])
        factors = self.kinds.factors(beginning, self.top_k)

        def chances(interval: int) -> NDArray[np.float64]:
            chance = np.concatenate([timeline.at(interval) for timeline in timelines])
            return by_layer(self.kinds.applied(factors, chance, self.top_k))

        return DriftingSampler(chances, self.law_step_s * self.law.update_steps, self.top_k)

    @cached_property
    def _still(self) -> StillSampler:
        chance = np.concatenate([_Chances(law).at(0) for law in self._laws])
        return StillSampler(by_layer(self.kinds.chances(chance, self.top_k)), self.top_k)


class _Chances:
    """Chances of a law by domain, interval after interval."""

    def __init__(self, law: Law) -> None:
        from traces.generators.selection_probabilities import SelectionProbabilities
        from traces.generators.timeline import intervals

        self._probabilities = SelectionProbabilities(law)
        self._intervals = intervals(law, ENDLESS)
        self._number = -1

    def at(self, number: int) -> NDArray[np.float64]:
        """Return [domains, layers, experts] in interval ``number``.

        Raises
        ------
        ValueError
            If it lies before one that was asked for.
        """
        if number <= self._number:
            raise ValueError(f"interval = {number} <= {self._number}; time goes forward")
        while self._number < number:
            interval = next(self._intervals)
            self._number += 1
        return self._probabilities.by_domain(interval)
