"""[[executor]] tables of a serving scenario: task executors and their limits."""

from dataclasses import dataclass
from typing import Any

from hardware import preset

ROLES = ("prefill", "decode", "both")


def _role(value: Any) -> str | None:
    return None if value in ROLES else f"give one of {', '.join(ROLES)}"


#: What each key of an [[executor]] table may hold.
CHECKS: dict[str, preset.Check] = {
    "role": _role,
    "count": preset.count_from_one,
    "dies": preset.count_from_one,
    "dies_per_group": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "step_tokens": preset.count_from_one,
    "batch_limit": preset.count_from_one,
    "drafts": preset.count,
    "acceptance": preset.fraction,
    "solver": preset.text,
    "dispatcher": preset.text,
    "host_s": preset.not_negative,
    "drafts_s": preset.not_negative,
    "attention_domains": preset.count,
    "attention_dies": preset.count,
    "micro_batches": preset.count_from_one,
}


@dataclass(frozen=True)
class ExecutorTable:
    """Equal task executors.

    Parameters
    ----------
    role
        "prefill", "decode", or "both".
    dies
        Dies of each executor: its EP group.
    count
        Number of executors.
    dies_per_group
        Dies that share the prompts of one DP group (tensor and sequence parallel).
    slots_per_rank
        Experts on each die; 0: as few as hold all experts.
    step_tokens
        Maximum tokens of a DP group in a step.
    batch_limit
        Maximum sequences of a DP group in decode.
    drafts, acceptance
        Draft tokens of a step, and the acceptance probability of each.
    solver
        Solver of the placement at start, on the mean load of the routing.
    dispatcher
        Registered dispatcher, which splits an expert's tokens over its replicas.
    host_s
        Gap between steps; xDeepServe section 7.1 measures 2 ms.
    drafts_s
        Time that draft layers with their heads and sampling add to a decode step; ``None``: a MoE
        layer and an output head for each, or 5 ms where attention has dies of its own.
    attention_domains, attention_dies, micro_batches
        Disaggregated MoE and attention (xDeepServe section 5.2): DP domains, dies of each domain,
        and micro-batches of each domain. The other dies hold experts. 0: every die holds both.
    """

    role: str
    dies: int
    count: int = 1
    dies_per_group: int = 1
    slots_per_rank: int = 0
    step_tokens: int = 8192
    batch_limit: int = 64
    drafts: int = 0
    acceptance: float = 0.9
    solver: str = "greedy"
    dispatcher: str = "even"
    host_s: float = 2e-3
    drafts_s: float | None = None
    attention_domains: int = 0
    attention_dies: int = 0
    micro_batches: int = 2

    @property
    def disaggregated(self) -> bool:
        """Whether attention has dies of its own."""
        return self.attention_domains > 0

    @property
    def expert_dies(self) -> int:
        """Dies that hold experts."""
        return self.dies - self.attention_domains * self.attention_dies

    @property
    def groups(self) -> int:
        """DP groups."""
        attention = self.attention_domains * self.attention_dies
        return attention if self.disaggregated else self.dies // self.dies_per_group

    def check(self, where: str) -> None:
        """Raise ValueError, naming ``where``, if dies and groups do not fit each other."""
        if self.disaggregated and (self.role != "decode" or self.dies_per_group != 1):
            raise ValueError(
                f"{where}: attention_domains = {self.attention_domains} needs role = 'decode' and "
                "dies_per_group = 1"
            )
        if self.disaggregated and not 0 < self.attention_domains * self.attention_dies < self.dies:
            raise ValueError(
                f"{where}: attention_domains × attention_dies = "
                f"{self.attention_domains * self.attention_dies} breaks 0 < it < dies = {self.dies}"
            )
        if self.dies % self.dies_per_group:
            raise ValueError(
                f"{where}: dies_per_group = {self.dies_per_group} does not divide dies = "
                f"{self.dies}"
            )


def parse_executor(table: Any, where: str) -> ExecutorTable:
    """Return the task executors of one [[executor]] table.

    Raises
    ------
    ValueError
        Naming ``where`` and the key that is unknown, missing or impossible, or the dies and groups
        that do not fit each other.
    """
    optional = frozenset(set(CHECKS) - {"role", "dies"})
    executor = ExecutorTable(**preset.checked(where, table, CHECKS, optional))
    executor.check(where)
    return executor
