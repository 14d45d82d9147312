"""A deployment: how many dies prefill, decode, hold attention and experts, and their limits."""

import dataclasses
from dataclasses import dataclass

from evaluation.serving.scenario.executor_table import ExecutorTable
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Device, Model


@dataclass(frozen=True, order=True)
class ServingDeployment:
    """Executors and dies of one point of a plan; all else comes from the scenario.

    Parameters
    ----------
    prefill
        Number of prefill executors, each with as many dies as in the scenario.
    decode_dies
        All dies of each decode executor.
    domains, attention_dies
        DP domains, and dies of attention in all of them. The other decode dies hold experts. 0:
        every decode die holds both.
    batch_limit
        Sequences of a decode DP group, that is of a die (an attention die, if disaggregated).
    redundant
        Slots of an expert die beyond the fewest that hold all experts.
    """

    prefill: int
    decode_dies: int
    domains: int
    attention_dies: int
    batch_limit: int
    redundant: int

    @property
    def expert_dies(self) -> int:
        """Dies of a decode executor that hold experts."""
        return self.decode_dies - self.attention_dies

    def serve(self, scenario: ServingScenario) -> ServingScenario:
        """Return the scenario on this deployment.

        Raises
        ------
        ValueError
            If experts or dies do not divide, or slots would hold an expert twice.
        """
        prefill, decode = executor_tables(scenario)
        experts = placed_experts(scenario)
        if self.expert_dies < 1:
            raise ValueError(
                f"{self.attention_dies} attention dies of {self.decode_dies} leave none for "
                "experts; use more dies"
            )
        slots = -(-experts // self.expert_dies) + self.redundant
        if slots > experts:
            raise ValueError(
                f"{slots} slots a die > {experts} experts: a die would hold one twice; give "
                f"redundant <= {experts - slots + self.redundant}"
            )
        if self.domains and self.attention_dies % self.domains:
            raise ValueError(
                f"{self.domains} domains do not divide {self.attention_dies} attention dies; give "
                "a multiple"
            )
        changed = dataclasses.replace(
            decode,
            dies=self.decode_dies,
            batch_limit=self.batch_limit,
            slots_per_rank=slots,
            attention_domains=self.domains,
            attention_dies=self.attention_dies // self.domains if self.domains else 0,
        )
        changed.check("decode")
        return dataclasses.replace(
            scenario, executor=(dataclasses.replace(prefill, count=self.prefill), changed)
        )

    def dies(self, scenario: ServingScenario) -> int:
        """Return the number of its dies."""
        prefill, decode = executor_tables(scenario)
        return self.prefill * prefill.dies + decode.count * self.decode_dies

    def chips(self, scenario: ServingScenario) -> float:
        """Return the number of its chips."""
        return self.dies(scenario) / Device.preset(scenario.device).dies_per_chip

    def describe(self, scenario: ServingScenario) -> str:
        """Return a description with numbers of dies."""
        prefill, _ = executor_tables(scenario)
        return (
            f"{self.prefill} × {prefill.dies} prefill + {self.describe_decode(scenario)} "
            f"{'dies' if self.domains else 'decode dies'}, batch {self.batch_limit}, "
            f"{self.redundant} redundant"
        )

    def describe_decode(self, scenario: ServingScenario) -> str:
        """Return the decode dies in numbers: executors × dies, (domains × attention + experts)."""
        _, decode = executor_tables(scenario)
        copies = f"{decode.count} × " if decode.count > 1 else ""
        if not self.domains:
            return f"{copies}{self.decode_dies}"
        each = self.attention_dies / self.domains
        words = f"{self.domains} × {each:g} attention + {self.expert_dies} expert"
        return f"{copies}({words})" if copies else words


def executor_tables(scenario: ServingScenario) -> tuple[ExecutorTable, ExecutorTable]:
    """Return the prefill and the decode executors of a scenario that can be planned.

    Raises
    ------
    ValueError
        Unless it has one table of either role.
    """
    roles = sorted(table.role for table in scenario.executor)
    if roles != ["decode", "prefill"]:
        raise ValueError(
            f"{scenario.name}: a plan needs one [[executor]] of role prefill and one of role "
            f"decode; got {', '.join(roles)}"
        )
    decode, prefill = sorted(scenario.executor, key=lambda table: table.role)
    return prefill, decode


def placed_experts(scenario: ServingScenario) -> int:
    """Return the experts that need slots: shared ones too, where they have dies of their own."""
    model = Model.preset(scenario.model)
    return int(model.experts + (0 if scenario.shared_local else model.shared_experts))


def deployment_of(scenario: ServingScenario) -> ServingDeployment:
    """Return the deployment that a scenario describes."""
    prefill, decode = executor_tables(scenario)
    fewest = -(-placed_experts(scenario) // decode.expert_dies)
    return ServingDeployment(
        prefill.count,
        decode.dies,
        decode.attention_domains,
        decode.attention_domains * decode.attention_dies,
        decode.batch_limit,
        max(0, decode.slots_per_rank - fewest),
    )
