"""Expert load that drifts during a simulation: the steps of a law tied to simulated time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.expert_load import domain_names
from traces.generators import Law
from traces.token_pool import TokenPool, draw_step

if TYPE_CHECKING:
    from traces.generators.timeline import LawInterval

#: Steps of a law that are never reached.
ENDLESS = 2**62
#: Purpose number of a generator; a law's own generators have others.
POOLS = 101


class DriftingLoad:
    """A law whose logits drift and shift as time moves on; its domains follow the traffic.

    In every interval of the law (``update_steps`` of its steps) each domain gets a new pool of
    tokens, drawn from the selection probabilities of that interval. A domain without traffic gets
    none, because a pool takes some 50 ms for DeepSeek-V3. Drawing a step then costs as much as
    without drift. The law's own shares of domains and its bursts are not used, and its noise from
    step to step is averaged: an approximation.

    Parameters
    ----------
    law
        Shape, popularity, affinities, drift and shifts.
    step_s
        Simulated seconds that a step of the law lasts.
    names
        One for each of its domains; "domain 0" and so on by default.

    Raises
    ------
    ValueError
        If ``step_s`` is not positive and finite, or names do not fit the law.
    """

    def __init__(self, law: Law, step_s: float, names: Sequence[str] = ()) -> None:
        if not 0 < step_s < np.inf:
            raise ValueError(f"step_s = {step_s} breaks 0 < step_s < infinity")
        from traces.generators.selection_probabilities import SelectionProbabilities
        from traces.generators.timeline import intervals

        self.law, self.step_s = law, step_s
        self.domains = domain_names(law, names)
        self._chances = SelectionProbabilities(law)
        self._intervals: Iterator[LawInterval] = intervals(law, ENDLESS)
        self._at = next(self._intervals)
        self._pools: list[TokenPool | None] = [None] * law.domains
        self._chance: NDArray[np.float64] | None = None

    @property
    def num_layers(self) -> int:
        """MoE layers of the law."""
        return self.law.layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self.law.experts

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        return self.law.top_k

    def move_to(self, now_s: float) -> None:
        """Go on to this simulated time.

        Raises
        ------
        ValueError
            If it lies before the interval that a call has reached.
        """
        step = now_s / self.step_s
        if step < self._at.start:
            raise ValueError(
                f"now_s = {now_s:g} < {self._at.start * self.step_s:g}, which was reached before; "
                "time goes on"
            )
        # Drift is a random walk: intervals are passed one by one, also those without a step.
        while step >= self._at.stop:
            self._at = next(self._intervals)
            self._chance = None

    def chance(self) -> NDArray[np.float64]:
        """Return [domains, layers, experts] chances of a token of each domain now."""
        if self._chance is None:
            self._chance = self._chances.by_domain(self._at)
            self._pools = [None] * self.law.domains
        return self._chance

    def __call__(
        self, domain_tokens: NDArray[np.float64], random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return [layers, experts] drawn counts.

        Raises
        ------
        ValueError
            If tokens are negative or no whole numbers, or there are other domains.
        """
        tokens = domain_tokens.astype(np.int64)
        if (
            tokens.shape != (self.law.domains,)
            or (tokens != domain_tokens).any()
            or (tokens < 0).any()
        ):
            raise ValueError(
                f"domain_tokens = {domain_tokens}; give whole numbers >= 0 for the domains "
                f"{', '.join(self.domains)}"
            )
        used = np.flatnonzero(tokens)
        if not len(used):
            return np.zeros((self.law.layers, self.law.experts), dtype=np.int32)
        pools = [self._pool(number) for number in used.tolist()]
        width = self.law.layers * self.law.experts
        return draw_step(pools, tokens[used], width, random).reshape(self.law.layers, -1)

    def _pool(self, domain: int) -> TokenPool:
        chance, pool = self.chance(), self._pools[domain]
        if pool is None:
            from traces.generators.probability_pool import probability_pool

            # Seeded by domain and interval, so that a pool does not depend on the traffic before.
            seeds = [self.law.seed, POOLS, domain, self._at.start]
            random = np.random.default_rng(seeds)
            pool = self._pools[domain] = probability_pool(chance[domain], self.law.top_k, random)
        return pool
