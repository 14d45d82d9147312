"""The axes of a plan: from a [plan] table or options, else derived from the scenario."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.replay.scenario import fabric_of
from evaluation.serving.scenario import scenario as serving_scenario
from evaluation.serving.scenario.deployment import ServingDeployment, deployment_of, executor_tables
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import preset

#: Parts of the free dies that an axis has by default: our choice, about half octaves.
PARTS = (1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)
#: The same for disaggregated decode, which has two sizes to try, so fewer of each.
COARSE_PARTS = (1 / 8, 1 / 4, 1 / 2, 3 / 4)


def _numbers(check: preset.Check) -> preset.Check:
    def check_numbers(value: Any) -> str | None:
        if not isinstance(value, list) or not value:
            return "give a list of numbers"
        if len(set(map(repr, value))) < len(value):
            return "give every number once"
        return next((complaint for number in value if (complaint := check(number))), None)

    return check_numbers


CHECKS: dict[str, preset.Check] = {
    "prefill": _numbers(preset.count_from_one),
    "decode_dies": _numbers(preset.count_from_one),
    "attention_dies": _numbers(preset.count_from_one),
    "expert_dies": _numbers(preset.count_from_one),
    "domains": _numbers(preset.count_from_one),
    "batch_limit": _numbers(preset.count_from_one),
    "redundant": _numbers(preset.count),
    "dies": preset.count_from_one,
}
#: Axes of colocated decode alone, and of disaggregated decode alone.
COLOCATED, DISAGGREGATED = ("decode_dies",), ("attention_dies", "expert_dies", "domains")


@dataclass(frozen=True)
class Axes:
    """Values that a search combines: every combination is a deployment.

    Parameters
    ----------
    prefill
        Numbers of prefill executors.
    decode_dies
        Dies of a colocated decode executor; empty: no colocated decode.
    attention_dies, expert_dies, domains
        Disaggregated decode executors: dies of attention in all domains, dies of experts, and DP
        domains; empty: no disaggregated decode.
    batch_limit
        Sequences of a decode DP group.
    redundant
        Slots of an expert die beyond the fewest.
    dies
        Maximum dies of a deployment.
    """

    prefill: tuple[int, ...]
    decode_dies: tuple[int, ...]
    attention_dies: tuple[int, ...]
    expert_dies: tuple[int, ...]
    domains: tuple[int, ...]
    batch_limit: tuple[int, ...]
    redundant: tuple[int, ...]
    dies: int

    def deployments(self, scenario: ServingScenario) -> list[ServingDeployment]:
        """Return all combinations that take at most ``dies`` dies, in a fixed order.

        Raises
        ------
        ValueError
            If there is none.
        """
        decodes = [(dies, 0, 0) for dies in self.decode_dies]
        disaggregated = itertools.product(self.attention_dies, self.expert_dies, self.domains)
        decodes += [
            (attention + experts, count, attention) for attention, experts, count in disaggregated
        ]
        grid = itertools.product(self.prefill, decodes, self.batch_limit, self.redundant)
        combinations = [
            ServingDeployment(prefill, *decode, limit, redundant)
            for prefill, decode, limit, redundant in grid
        ]
        fitting = sorted({each for each in combinations if each.dies(scenario) <= self.dies})
        if not fitting:
            least = min((each.dies(scenario) for each in combinations), default=0)
            raise ValueError(
                f"{scenario.name}: none of {len(combinations)} combinations fits {self.dies} dies, "
                f"the smallest takes {least}; give more by --dies, or smaller axes"
            )
        return fitting


def axes(scenario: ServingScenario, requested: Mapping[str, Any]) -> Axes:
    """Return the requested axes, and the others derived from the scenario.

    Parameters
    ----------
    scenario
        A scenario with one table of prefill and one of decode executors.
    requested
        Fields of :class:`Axes`. If it has axes of one kind of decode alone (``decode_dies``;
        ``attention_dies``, ``expert_dies``, ``domains``), the other kind is not searched.

    Raises
    ------
    ValueError
        Unless the scenario can be planned.
    """
    prefill, decode = executor_tables(scenario)
    most = int(requested.get("dies", scenario.dies))
    here = deployment_of(scenario)
    colocated, disaggregated = (
        any(name in requested for name in names) for names in (COLOCATED, DISAGGREGATED)
    )
    node = int(fabric_of(scenario.fabric, decode.dies).figures.get("dies_per_node", 8))
    rest = max(node, (most - prefill.dies) // decode.count)
    limit = here.batch_limit
    derived: dict[str, tuple[int, ...]] = {
        "prefill": _parts(max(1, (most - 1) // prefill.dies), 1, {here.prefill}, PARTS),
        "batch_limit": tuple(sorted({max(1, limit // 2), limit, 2 * limit})),
        "redundant": tuple(sorted({0, 1, here.redundant})),
        "decode_dies": (),
        **dict.fromkeys(DISAGGREGATED, ()),
    }
    if colocated or not disaggregated:
        own = set() if here.domains else {here.decode_dies}
        derived["decode_dies"] = _parts(rest, node, own, PARTS)
    if disaggregated or not colocated:
        own = {here.attention_dies} if here.domains else set()
        derived["attention_dies"] = _parts(rest, node, own, COARSE_PARTS)
        own = {here.expert_dies} if here.domains else set()
        derived["expert_dies"] = _parts(rest, node, own, COARSE_PARTS)
        derived["domains"] = tuple(sorted({1, 2, here.domains or 1}))
    values = {**derived, **{name: requested[name] for name in requested if name != "dies"}}
    return Axes(**{name: tuple(axis) for name, axis in values.items()}, dies=most)


def _parts(most: int, unit: int, also: Iterable[int], parts: tuple[float, ...]) -> tuple[int, ...]:
    """Return parts of ``most`` in whole units, at least one unit, and the sizes ``also``."""
    units = most // unit
    sizes = {max(1, round(units * part)) * unit for part in parts} | set(also)
    return tuple(sorted(sizes))


def read_table(path: Path) -> dict[str, Any]:
    """Return the [plan] table of a scenario file, empty if it has none.

    Raises
    ------
    ValueError
        Naming the key that is unknown or impossible.
    """
    table = preset.parse(path).get("plan", {})
    return preset.checked(f"{path}: plan", table, CHECKS, frozenset(CHECKS))


def find_table(name_or_path: str | Path) -> dict[str, Any]:
    """Return the [plan] table of a bundled scenario or a TOML file; errors as `read_table`."""
    folder = serving_scenario.FOLDER
    return read_table(preset.find_file("serving scenario", folder, name_or_path))
