"""Totals over the steps of a task executor between two samples."""

from dataclasses import dataclass

from evaluation.serving.pricing.work import Cost, Work


@dataclass
class StepTotals:
    """Sums over the steps since the last sample; a sample log has a column for each.

    Parameters
    ----------
    steps, tokens
        Steps, and the output tokens of these steps. All other sums are over the same steps.
    busy_s
        Seconds in steps.
    barrier_idle_s
        Seconds of ``busy_s`` in which the mean DP group or rank waited for the slowest.
    attention_max_s, attention_mean_s, experts_max_s, experts_mean_s, communication_s
        Sums of :class:`evaluation.serving.pricing.work.Cost`.
    dp_imbalance
        Sum of the ratio of the heaviest DP group's load to the mean load.
    """

    steps: int = 0
    tokens: int = 0
    busy_s: float = 0.0
    barrier_idle_s: float = 0.0
    attention_max_s: float = 0.0
    attention_mean_s: float = 0.0
    experts_max_s: float = 0.0
    experts_mean_s: float = 0.0
    communication_s: float = 0.0
    dp_imbalance: float = 0.0

    def add(self, work: Work, cost: Cost, emitted: int) -> None:
        """Add one step, which emitted some tokens."""
        self.steps += 1
        self.tokens += emitted
        self.busy_s += cost.total
        idle = cost.attention_max - cost.attention_mean + cost.experts_max - cost.experts_mean
        self.barrier_idle_s += idle
        self.attention_max_s += cost.attention_max
        self.attention_mean_s += cost.attention_mean
        self.experts_max_s += cost.experts_max
        self.experts_mean_s += cost.experts_mean
        self.communication_s += cost.communication
        load = work.decode_context + work.prefill_context
        mean = float(load.sum()) / len(load)
        self.dp_imbalance += float(load.max()) / mean if mean > 0 else 1.0
