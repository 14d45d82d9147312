"""Disaggregated MoE–attention: DP domains take turns on expert dies (xDeepServe section 5.2)."""

from dataclasses import dataclass

import numpy as np

from hardware import Collectives, Operators
from hardware.faults import Jitter
from schedulers.pipeline import Schedule, Stage, schedule


@dataclass(frozen=True)
class Disaggregated:
    """Price decode steps of attention dies in DP domains that share expert dies.

    Each micro-batch of a domain passes attention on its own dies, A2E, experts, and E2A. Streams
    of A2E, experts and E2A serve one micro-batch of one domain at a time; attention dies of a
    domain serve one of its micro-batches.

    Parameters
    ----------
    operators
        What kernels cost; ``shared_local`` is False where the shared expert has dies of its own.
    collectives
        What A2E and E2A cost.
    domains, attention_ranks
        DP domains, and the dies of each.
    expert_ranks
        Dies that hold experts, shared ones among them.
    micro_batches
        Of each domain.
    kv_tokens, drafts, jitter
        As in :class:`evaluation.step.executor.StepExecutor`; A2E and E2A wait for the slowest die.
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
        """Seconds of each stage of one micro-batch in one layer.

        Parameters
        ----------
        tokens
            Tokens of one attention die in one micro-batch.
        balancedness
            Mean over maximum load of the expert dies.

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
        """Run all micro-batches of all domains through all layers; parameters as in `stages`."""
        return self.run_stages(self.stages(tokens, balancedness))

    def run_stages(self, seconds: dict[str, float]) -> Schedule:
        """Run stages of given seconds, measured ones for example, instead of priced ones."""
        layers = self.operators.model.layers
        batches = []
        for domain in range(self.domains):
            for _ in range(self.micro_batches):
                streams = {"attention": f"attention of domain {domain}"}
                batches.append(
                    [
                        Stage(name, streams.get(name, name), np.full(layers, seconds[name]))
                        for name in ("attention", "a2e", "experts", "e2a")
                    ]
                )
        return schedule(batches)

    def _slowest(self, seconds: float, ranks: int) -> float:
        """Seconds of the slowest of equal ranks, as the mean over the layers of one step."""
        if self.jitter is None:
            return seconds
        shape = (self.operators.model.layers, ranks)
        taken = self.jitter.apply(np.full(shape, seconds), self.jitter.generator(0))
        return float(taken.max(axis=1).mean())

    def _expert_tokens(self, on_die: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Tokens of the experts of a die: as many as have to share the expert dies."""
        model = self.operators.model
        held = max(1, -(-model.experts // self.expert_ranks))
        return np.full(held, on_die / held)
