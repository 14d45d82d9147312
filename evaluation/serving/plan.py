"""Search deployments of a scenario for the highest goodput per chip under its SLO."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.serving.scenario import ExecutorTable, ServingScenario
from evaluation.serving.simulate import simulate

#: Scores by which one deployment beats another, in this order.
KEYS = ("goodput", "share")


@dataclass(frozen=True)
class Axes:
    """What is searched; every combination is a candidate.

    Parameters
    ----------
    prefill
        Numbers of prefill executors.
    decode_dies
        Dies of the decode executor.
    batch_limit
        Sequences of a decode DP group.
    redundant
        Redundant experts on each die of decode.
    """

    prefill: tuple[int, ...]
    decode_dies: tuple[int, ...]
    batch_limit: tuple[int, ...]
    redundant: tuple[int, ...]


@dataclass(frozen=True)
class Candidate:
    """A deployment, and what it came to.

    Parameters
    ----------
    prefill, decode_dies, batch_limit, slots_per_rank
        The deployment.
    chips
        It takes.
    scores
        ``goodput`` (tokens a second and chip), ``share`` of requests that keep the SLO,
        ``ttft_p99_s``, ``tpot_p99_s``; empty where it cannot be.
    reason
        Why it cannot be; empty where it can.
    """

    prefill: int
    decode_dies: int
    batch_limit: int
    slots_per_rank: int
    chips: float
    scores: dict[str, float]
    reason: str = ""


def candidates(
    scenario: ServingScenario, axes: Axes, most_dies: int, experts: int
) -> Iterator[ServingScenario]:
    """Yield the scenarios of all combinations that take at most ``most_dies`` dies.

    Raises
    ------
    ValueError
        Unless the scenario has one table of prefill and one of decode executors, colocated.
    """
    prefill, decode = _tables(scenario)
    for count, dies, limit, more in itertools.product(
        axes.prefill, axes.decode_dies, axes.batch_limit, axes.redundant
    ):
        if count * prefill.dies + dies > most_dies:
            continue
        slots = -(-experts // dies) + more
        chosen = (
            dataclasses.replace(prefill, count=count),
            dataclasses.replace(decode, dies=dies, batch_limit=limit, slots_per_rank=slots),
        )
        yield dataclasses.replace(scenario, executor=chosen)


def _tables(scenario: ServingScenario) -> tuple[ExecutorTable, ExecutorTable]:
    roles = [table.role for table in scenario.executor]
    if sorted(roles) != ["decode", "prefill"] or any(
        one.disaggregated for one in scenario.executor
    ):
        raise ValueError(
            f"{scenario.name}: a plan needs one [[executor]] of role prefill and one of role "
            f"decode, attention beside experts; got {', '.join(roles)}"
        )
    prefill, decode = sorted(scenario.executor, key=lambda table: table.role, reverse=True)
    return prefill, decode


def search(
    deployments: Sequence[ServingScenario],
    dies_per_chip: int,
    seed: int = 0,
    on_candidate: Callable[[Candidate], None] = lambda candidate: None,
) -> list[Candidate]:
    """Simulate every deployment, the best first: goodput a chip, then the share that keeps the SLO.

    One that cannot be (no memory, no place for a request) comes last, with its reason.
    """
    found = []
    for scenario in deployments:
        prefill, decode = _tables(scenario)
        shape = (prefill.count, decode.dies, decode.batch_limit, decode.slots_per_rank)
        chips = scenario.dies / dies_per_chip
        try:
            candidate = Candidate(*shape, chips, _scores(simulate(scenario, seed=seed).summary))
        except ValueError as error:
            candidate = Candidate(*shape, chips, {}, str(error))
        found.append(candidate)
        on_candidate(candidate)
    return sorted(
        found, key=lambda one: (not one.scores, *(-one.scores.get(key, 0.0) for key in KEYS))
    )


def _scores(summary: Any) -> dict[str, float]:
    goodput = summary["goodput"]
    return {
        "goodput": goodput["output_tokens_per_s_per_chip"],
        "share": goodput["share"] or 0.0,
        "ttft_p99_s": summary["ttft_s"]["p99"],
        "tpot_p99_s": summary["tpot_s"]["p99"] or 0.0,
    }


def frontier(found: Sequence[Candidate]) -> set[int]:
    """Return which candidates no other one beats in goodput a chip and in the share kept."""
    able = [(number, one.scores) for number, one in enumerate(found) if one.scores]
    return {
        number
        for number, mine in able
        if not any(
            all(other[key] >= mine[key] for key in KEYS)
            and any(other[key] > mine[key] for key in KEYS)
            for _, other in able
        )
    }
