"""Disaggregated MoE–attention: DP domains take turns on expert dies (xDeepServe section 5.2)."""

from dataclasses import dataclass

import numpy as np

from hardware import Collectives, Operators
from hardware.faults import Jitter
from schedulers.pipeline import Schedule, Stage, schedule


@dataclass(frozen=True)
class Disaggregated:
    """Price decode steps of attention dies in DP domains that share expert dies.

    In each layer a micro-batch passes attention on the dies of its domain, the transfer from
    attention to experts (A2E), the experts, and the transfer back (E2A). A2E, experts and E2A serve
    one micro-batch of one domain at a time. The attention dies of a domain serve one of its
    micro-batches at a time.

    Parameters
    ----------
    operators
        Prices of kernels. ``shared_local`` is False if the shared expert has dies of its own.
    collectives
        Prices of A2E and E2A.
    domains, attention_ranks
        Number of DP domains, and attention dies of each.
    expert_ranks
        Dies that hold experts, shared experts included.
    micro_batches
        Micro-batches of each domain.
    kv_tokens, drafts, jitter
        As in :class:`evaluation.step.executor.StepExecutor`. A2E and E2A wait for the slowest die.
    """

    operators: Operators
    collectives: Collectives
    domains: int
    attention_ranks: int
    expert_ranks: int
    micro_batches: int = 2
    kv_tokens: float = 2048.0
    drafts: int = 0
    jitter: Jitter | None = None

    def stages(self, tokens: float, balancedness: float = 1.0) -> dict[str, float]:
        """Return the seconds of each stage of one micro-batch in one layer.

        Parameters
        ----------
        tokens
            Tokens of one attention die in one micro-batch.
        balancedness
            Mean over maximum load of the expert dies. The stage takes as long as its slowest die.

        Raises
        ------
        ValueError
            Unless ``tokens`` > 0 and 0 < ``balancedness`` <= 1.
        """
        if not tokens > 0 or not 0 < balancedness <= 1:
            raise ValueError(
                f"tokens = {tokens} > 0 and 0 < balancedness = {balancedness} <= 1 must both hold"
            )
        model = self.operators.model
        shared = 0 if self.operators.shared_local else model.shared_experts
        copies = tokens * (model.top_k + shared)
        on_die = copies * self.attention_ranks / self.expert_ranks / balancedness
        ranks = (self.attention_ranks, self.expert_ranks)
        queries = 1.0 + self.drafts
        attention = self.operators.attention_s(tokens, self.kv_tokens, "decode", queries)
        experts = self.operators.experts_s(self._expert_tokens(on_die))
        return {
            "attention": self._slowest(float(attention), self.attention_ranks),
            "a2e": self.collectives.a2e_s(copies, *ranks),
            "experts": self._slowest(float(experts), self.expert_ranks),
            "e2a": self.collectives.e2a_s(copies, *ranks),
        }

    def run(self, tokens: float, balancedness: float = 1.0) -> Schedule:
        """Schedule all micro-batches of all domains; parameters as in :meth:`stages`."""
        return self.run_stages(self.stages(tokens, balancedness))

    def run_stages(self, seconds: dict[str, float]) -> Schedule:
        """Schedule stages of given seconds, for example measured ones, in all layers."""
        layers = self.operators.model.layers
        batches = []
        for domain in range(self.domains):
            for _ in range(self.micro_batches):
                # Attention has a stream per domain; all other streams are shared by the domains.
                streams = {"attention": f"attention of domain {domain}"}
                batches.append(
                    [
                        Stage(name, streams.get(name, name), np.full(layers, seconds[name]))
                        for name in ("attention", "a2e", "experts", "e2a")
                    ]
                )
        return schedule(batches)

    def _slowest(self, seconds: float, ranks: int) -> float:
        """Return the mean over layers of the slowest of equal ranks with jitter."""
        if self.jitter is None:
            return seconds
        shape = (self.operators.model.layers, ranks)
        rank_s = self.jitter.apply(np.full(shape, seconds), self.jitter.generator(0))
        return float(rank_s.max(axis=1).mean())

    def _expert_tokens(self, on_die: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the tokens of each expert of a die, if its tokens spread evenly."""
        experts = self.operators.model.experts
        experts_per_die = max(1, -(-experts // self.expert_ranks))  # rounded up
        return np.full(experts_per_die, on_die / experts_per_die)
