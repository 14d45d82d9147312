"""Suites of schedulers: a serving scenario, in which one scheduler at a time is replaced."""

import dataclasses
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import traces
from evaluation.kinds.kind import Display, Kind
from evaluation.kinds.scheduler import scenario as ranking_scenario
from evaluation.kinds.scheduler.candidate import SchedulerCandidate
from evaluation.kinds.scheduler.columns import COLUMNS
from evaluation.kinds.scheduler.first_fault import first_fault
from evaluation.kinds.scheduler.keys import KEYS
from evaluation.kinds.scheduler.scenario import RankingScenario
from evaluation.kinds.suite import Suite
from evaluation.kinds.suite_ranking import SuiteRanking
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.measure import RatioToReference
from evaluation.records import record_file
from evaluation.records.identity import Record
from evaluation.replay.candidate_call import candidate_call
from evaluation.replay.workload_windows import file_hashes
from evaluation.serving.assembly import workload
from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.distribution import distribution
from evaluation.serving.results.downtime import recovery_s
from evaluation.serving.results.result import Result
from evaluation.serving.results.scores import scores
from evaluation.serving.scenario import stages
from evaluation.serving.scenario.routing_source import strings
from evaluation.serving.scenario.scenario import ServingScenario
from evaluation.serving.simulate import simulate
from hardware import Device
from lb.registry import Registry
from traces.requests import RequestTrace

#: Goodput ÷ that of the stage's reference. Without these scores a run cannot be compared.
GOODPUT = RatioToReference(
    "goodput_ratio",
    "goodput",
    needed={
        "goodput": "no request kept the SLO",
        "ttft_p99_s": "no request has a first token",
        "tpot_p99_s": "no request has a time per output token",
    },
)


def registry(stage: str) -> Registry | None:
    """Return the registry of schedulers of a stage; None if there is no such stage."""
    return stages.REGISTRIES[stage][0] if stage in stages.REGISTRIES else None


class SchedulerKind(Kind):
    """Schedulers, stage by stage, by the goodput relative to a reference on the same requests."""

    name = "serving"
    title = "schedulers, by what requests see"
    display = Display("scheduler", "solver", "stage", COLUMNS, registry=registry)
    measure = GOODPUT
    candidate = None
    option = ""
    keys = KEYS
    #: Stages that suites may rank.
    rankable = tuple(stages.REGISTRIES)

    def scenarios(self, where: str, table: dict[str, Any]) -> list[RankingScenario]:
        """Return the scenario of a table."""
        return [ranking_scenario.read(where, table, self.rankable)]

    def check(self, suite: Suite) -> None:
        """Raise ValueError unless seeds make intervals and every stage has a known reference."""
        if len(suite.seeds) < 2:
            raise ValueError(
                f"seeds = {list(suite.seeds)}; give at least two different integers >= 0, because "
                "one seed alone has no interval"
            )
        references = suite.options.get("reference", {})
        ranked = {stage for scenario in suite.scenarios for stage in scenario.stages}
        for stage in sorted(ranked | set(references)):
            known = stages.available(stage) if stage in ranked else []
            if references.get(stage) not in known:
                raise ValueError(
                    f"reference.{stage} = {references.get(stage)!r}; give one for each stage "
                    f"that is ranked, here one of {', '.join(known) or 'none'}"
                )
        for scenario in suite.scenarios:
            if lacking := scenario.leave_out & {references[stage] for stage in scenario.stages}:
                raise ValueError(f"leave_out names the reference {min(lacking)!r}; keep it")

    def reseeded(self, suite: Suite, seed: int) -> tuple[int, ...]:
        """Return the seeds of the suite, ``seed`` added to each."""
        return tuple(own + seed for own in suite.seeds)

    def is_repeatable(self, scenario: RankingScenario) -> bool:
        """Return whether requests are generated; a recording has only so many parts."""
        return scenario.scenario.trace == "generated"

    def candidates(
        self, suite: Suite, scenario: RankingScenario, candidates: Sequence[Any]
    ) -> list[SchedulerCandidate]:
        """Return every scheduler of every stage that is ranked, once for each seed."""
        return [
            SchedulerCandidate(
                stage, name, seed, suite.options["reference"][stage], suite.parameters.get(name, {})
            )
            for stage in scenario.stages
            for name in stages.available(stage)
            if name not in scenario.leave_out
            for seed in suite.seeds
        ]

    def variant(self, task: TaskSpec) -> str:
        """Return the stage."""
        return str(task.candidate.stage)

    def describe(self, task: TaskSpec) -> dict[str, Any]:
        """Return the serving scenario with the scheduler in it."""
        return {"id": task.scenario.id, **asdict(_scenario_of(task))}

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return hashes of a user's own presets, of the device and of traces, and the faults."""
        scenario = task.scenario.scenario
        recorded = () if scenario.trace in ("generated", "") else (scenario.trace,)
        presets = (scenario.model, scenario.device, scenario.fabric, scenario.library)
        return {
            "mtbf_s": dict(task.scenario.mtbf_s),
            "repair_s": dict(task.scenario.repair_s),
            "presets": [record_file.user_file_hash(name) for name in presets],
            "device": hashlib.sha256(repr(Device.preset(scenario.device)).encode()).hexdigest(),
            "trace": [traces.open(name, "request").content_hash for name in recorded],
            "routing": _routing_hashes(scenario),
        }

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record; requests are read while they are simulated."""
        record = record_file.new_record(
            kind=self.name,
            suite=task.suite,
            scenario=self.describe(task),
            stage=task.candidate.stage,
            solver=task.candidate.name,
            reference=task.candidate.reference,
            seed=task.candidate.seed,
        )
        return record, None

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Simulate the scenario with the scheduler in it on the requests of the seed."""
        seed = task.candidate.seed
        with candidate_call():  # makes the scheduler
            scenario = stages.with_seed(_scenario_of(task), seed)
        requests = traffic(scenario, seed)
        last_s = float(requests.arrival_s[-1])
        # in the first half of the arrivals, so that the recovery is seen
        random_fault = first_fault(task.scenario, last_s / 2, seed)
        scenario = dataclasses.replace(scenario, fault=(*scenario.fault, *random_fault))
        # the scheduler is called all along the simulation
        with candidate_call():
            result = simulate(scenario, seed=seed, trace=requests)
        return {
            "scores": _scores(result, last_s, scenario.fault),
            "faults": [asdict(fault) for fault in scenario.fault],
            "summary": result.summary,
            "distribution": distribution(result.log),
        }

    def ranking(
        self, records: Sequence[Record], wanted: Collection[tuple[str, str]] | None = None
    ) -> SuiteRanking:
        """Return the rankings of the stages, in the order in which a request meets them."""
        ranking = super().ranking(records, wanted)
        known = (*self.rankable, *ranking.rankings)
        stages = sorted(ranking.rankings, key=known.index)
        return dataclasses.replace(
            ranking, rankings={stage: ranking.rankings[stage] for stage in stages}
        )


def _scenario_of(task: TaskSpec) -> ServingScenario:
    candidate: SchedulerCandidate = task.candidate
    return candidate.put_into(task.scenario.scenario)


def traffic(scenario: ServingScenario, seed: int) -> RequestTrace:
    """Return the part of the scenario's requests that a seed selects.

    A recording is cut into parts of ``scenario.requests``. Seed n selects part n, modulo the number
    of parts, so that scores of seeds differ by traffic and not only by accepted drafts. Without
    ``requests``, or if they are generated, all requests are returned. Of a workload, seed n is
    repetition n.
    """
    routing = routing_model(scenario, seed)
    if scenario.workload:
        return workload.requests(scenario, routing, seed)
    whole = workload.requests(dataclasses.replace(scenario, requests=0), routing, seed)
    size = scenario.requests
    if not size or scenario.trace == "generated":
        return whole
    first = seed % max(whole.num_requests // size, 1) * size
    part = whole.slice(first, first + size)
    return dataclasses.replace(part, arrival_s=part.arrival_s - part.arrival_s[0])


def _routing_hashes(scenario: ServingScenario) -> list[str | None]:
    """Return hashes of the files that routing or workload name; None for what is bundled."""
    if scenario.workload:
        return list(file_hashes(scenario.workload))
    names = scenario.routing if isinstance(scenario.routing, tuple) else strings(scenario.routing)
    return [record_file.user_file_hash(name) for name in names]


def _scores(result: Result, last_s: float, faults: tuple[Fault, ...]) -> dict[str, float | None]:
    """Return the scores of one run; None where a score has no value."""
    summary = result.summary
    decode = [executor for name, executor in summary["executors"].items() if "prefill" not in name]
    return {
        **scores(summary),
        "dp_imbalance": max(executor["dp_imbalance"] or 0.0 for executor in decode),
        "barrier_idle": max(executor["barrier_idle"] or 0.0 for executor in decode),
        "cached_tokens": float(summary["requests"]["cached_tokens"]),
        "recomputed_tokens": float(summary["requests"]["recomputed_tokens"]),
        "recovery_s": recovery_s(result.samples, faults, last_s),
    }


SCHEDULER = SchedulerKind()
