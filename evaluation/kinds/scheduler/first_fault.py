"""The fault that a seed draws for a scenario, the same for every candidate."""

from evaluation.kinds.scheduler.scenario import RankingScenario
from evaluation.replay.scenario import fabric_of
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import random_faults


def first_fault(ranked: RankingScenario, until_s: float, seed: int) -> tuple[Fault, ...]:
    """Return the first random fault before ``until_s``, or none."""
    if not ranked.mtbf_s:
        return ()
    scenario = ranked.scenario
    dies = []
    for table in scenario.executor:
        figures = fabric_of(scenario.fabric, table.dies).figures
        node = int(figures.get("dies_per_node", table.dies))
        attention_dies = table.attention_domains * table.attention_dies or None
        for copy in range(table.count):
            name = f"{table.role}-{copy}"
            dies.append(
                ExecutorDies(name, table.role, table.dies, node, table.groups, attention_dies)
            )
    return random_faults(dies, ranked.mtbf_s, until_s, seed, ranked.repair_s)[:1]
