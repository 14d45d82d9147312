"""Rank schedulers: a serving scenario with one scheduler exchanged at a time."""

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import traces
from evaluation.kinds.scheduler_suite import ServingSuite
from evaluation.records import record_file
from evaluation.replay.scenario import fabric_of
from evaluation.serving.assembly import workload
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import random_faults
from evaluation.serving.results.distribution import distribution
from evaluation.serving.results.downtime import recovery_s
from evaluation.serving.results.result import Result
from evaluation.serving.results.scores import scores
from evaluation.serving.scenario import stages
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.serving.simulate import simulate
from hardware import Device
from traces.requests import RequestTrace


@dataclass(frozen=True)
class ServingTask:
    """One record to be: a scenario with one scheduler exchanged, on the traffic of one seed.

    Parameters
    ----------
    suite, kind
        Id and kind of the suite.
    scenario_id, scenario
        What is simulated; the scheduler is in it.
    stage, name
        What is judged.
    seed
        Of everything drawn, and which part of the recording is played.
    reference
        Scheduler of the same stage that the score is relative to.
    mtbf_s, repair_s
        Of the faults that the seed draws, the first of which breaks; empty: none.
    """

    suite: str
    kind: str
    scenario_id: str
    scenario: ServingScenario
    stage: str
    name: str
    seed: int
    reference: str
    mtbf_s: Mapping[str, float] = field(default_factory=dict)
    repair_s: Mapping[str, float] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        scenario = self.scenario
        presets = (scenario.model, scenario.device, scenario.fabric, scenario.library)
        device = repr(Device.preset(scenario.device))
        recorded = () if scenario.trace == "generated" else (scenario.trace,)
        return {
            "task": asdict(self),
            # covers the bundled presets as well; a user's own are hashed beside it
            "source_hash": record_file.provenance()["source_hash"],
            "presets": [record_file.own_file(name) for name in presets],
            "device": hashlib.sha256(device.encode()).hexdigest(),
            "trace": [traces.open(name, "request").content_hash for name in recorded],
            "routing": [record_file.own_file(name) for name in scenario.routing],
        }

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = f"{self.scenario_id}--{self.stage}-{self.name}--{self.seed}"
        return record_file.path_of(folder, self.suite, name, self.identity())

    def run(self) -> dict[str, Any]:
        """Simulate and return the record; a scheduler's failure becomes part of it."""
        started = time.perf_counter()
        record = self._begun()
        try:
            scenario = stages.seeded(self.scenario, self.seed)
            played = traffic(scenario, self.seed)
            last_s = float(played.arrival_s[-1])
            if self.mtbf_s:
                drawn = self._first_fault(last_s / 2)
                scenario = dataclasses.replace(scenario, fault=(*scenario.fault, *drawn))
            result = simulate(scenario, seed=self.seed, trace=played)
        except Exception as error:  # a scheduler of anybody's may raise anything
            record |= record_file.failure(error)
        else:
            record |= {"status": "ok", "scores": _scores(result, last_s, scenario.fault)}
            record |= {"faults": [asdict(one) for one in scenario.fault]}
            record |= {"summary": result.summary, "distribution": distribution(result.log)}
        record["wall"] = {"total_s": time.perf_counter() - started}
        return record

    def failed(self, reason: str) -> dict[str, Any]:
        """Return the record of a run that could not be ended."""
        return self._begun() | record_file.lost(reason)

    def _begun(self) -> dict[str, Any]:
        return record_file.begun(
            kind=self.kind,
            suite=self.suite,
            scenario={"id": self.scenario_id, **asdict(self.scenario)},
            stage=self.stage,
            solver=self.name,
            reference=self.reference,
            seed=self.seed,
        )

    def _first_fault(self, until_s: float) -> tuple[Fault, ...]:
        """Return what breaks first, if anything does; early, so that the recovery is seen."""
        dies = []
        for table in self.scenario.executor:
            figures = fabric_of(self.scenario.fabric, table.dies).figures
            node = int(figures.get("dies_per_node", table.dies))
            apart = table.attention_domains * table.attention_dies or None
            for copy in range(table.count):
                name = f"{table.role}-{copy}"
                dies.append(ExecutorDies(name, table.role, table.dies, node, table.groups, apart))
        return random_faults(dies, self.mtbf_s, until_s, self.seed, self.repair_s)[:1]


def traffic(scenario: ServingScenario, seed: int) -> RequestTrace:
    """Return the part of the scenario's requests that a seed stands for.

    A recording is cut into parts of ``scenario.requests``, and seed n plays part n, beginning anew
    where there are no more: so that scores differ by traffic, not by the lots of accepted drafts
    alone. Without ``requests``, or where they are generated, all are played.
    """
    load = workload.expert_load(scenario)
    whole = workload.requests(dataclasses.replace(scenario, requests=0), load, seed)
    size = scenario.requests
    if not size or scenario.trace == "generated":
        return whole
    first = seed % max(whole.num_requests // size, 1) * size
    part = whole.slice(first, first + size)
    return dataclasses.replace(part, arrival_s=part.arrival_s - part.arrival_s[0])


def _scores(result: Result, last_s: float, faults: tuple[Fault, ...]) -> dict[str, float | None]:
    """Return the numbers of one run; None for what has no value."""
    summary = result.summary
    decode = [one for name, one in summary["executors"].items() if "prefill" not in name]
    return {
        **scores(summary),
        "dp_imbalance": max(one["dp_imbalance"] or 0.0 for one in decode),
        "barrier_idle": max(one["barrier_idle"] or 0.0 for one in decode),
        "cached_tokens": float(summary["requests"]["cached_tokens"]),
        "recomputed_tokens": float(summary["requests"]["recomputed_tokens"]),
        "recovery_s": recovery_s(result.samples, faults, last_s),
    }


def tasks(suite: ServingSuite, seed: int = 0) -> list[ServingTask]:
    """Return a task for every scenario, seed, stage and scheduler that plays there.

    ``seed`` is added to each of the suite's own.
    """
    found = []
    for name, one in suite.scenarios.items():
        for stage in one.stages:
            for candidate in stages.available(stage):
                if candidate in one.leave_out:
                    continue
                given = dict(suite.parameters.get(candidate, {}))
                changed = stages.exchanged(one.scenario, stage, candidate, given)
                found += [
                    ServingTask(
                        suite.id,
                        suite.kind,
                        name,
                        changed,
                        stage,
                        candidate,
                        own + seed,
                        suite.reference[stage],
                        one.mtbf_s,
                        one.repair_s,
                    )
                    for own in suite.seeds
                ]
    return found
