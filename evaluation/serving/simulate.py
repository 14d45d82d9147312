"""Run a serving scenario from the first arrival to the last token."""

import time
from collections.abc import Callable, Generator
from dataclasses import asdict
from typing import Any

import simpy

import schedulers
from evaluation.replay.scenario import fabric_of
from evaluation.serving import build
from evaluation.serving.build_faults import build_fault_injector
from evaluation.serving.engine.expert_affinity import Signatures
from evaluation.serving.engine.job_executor import Stage
from evaluation.serving.engine.kv_transfer import ports
from evaluation.serving.engine.log import RequestLog, SampleLog, StepLog
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.system import System
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.pricing.drifting_load import DriftingLoad
from evaluation.serving.recovery.fault_injector import FaultInjector
from evaluation.serving.recovery.rebalancing import Rebalancing
from evaluation.serving.results.result import Result
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.fault_table import as_table
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Device
from traces.requests import RequestTrace

#: Told of simulated seconds, of requests finished and of all requests.
OnProgress = Callable[[float, int, int], None]


def simulate(
    scenario: ServingScenario,
    *,
    until_s: float | None = None,
    seed: int = 0,
    steps: StepLog | None = None,
    trace: RequestTrace | None = None,
    on_progress: OnProgress = lambda now_s, finished, requests: None,
) -> Result:
    """Serve the requests of a scenario.

    Parameters
    ----------
    scenario
        From :func:`evaluation.serving.scenario.scenario.read`.
    until_s
        Stop at this simulated time; by default when all requests have finished.
    seed
        Of routing, accepted drafts, predictions and jitter.
    steps
        Keeps the steps of a time range, for the timeline.
    trace
        Requests instead of those that the scenario names.
    on_progress
        Told at every sample.

    Raises
    ------
    ValueError
        Before time starts, if anything is unknown or cannot be.
    RuntimeError
        If requests are left that nothing will ever serve, naming how many.
    """
    began = time.perf_counter()
    env = simpy.Environment()
    system, samples, injector, rebalancing = _system(env, scenario, seed, steps, trace, until_s)
    env.process(_watch(env, system, samples, scenario.sample_s, on_progress))
    if until_s is None:
        env.run(system.all_finished)
    else:
        env.run(env.any_of([system.all_finished, env.timeout(until_s)]))
    system.sample(samples)
    for executor in system.executors:
        _book_generated(executor)
    system.log.generated[:] = system.live.generated
    slo = Slo(scenario.ttft_s, scenario.tpot_s)
    chips = scenario.dies / Device.preset(scenario.device).dies_per_chip
    summary = summarise(
        system.log, samples, slo, chips, env.now, min(scenario.warm_up_s, env.now / 2)
    )
    if injector.faults:
        summary["faults"] = injector.summary()
    if rebalancing is not None:
        summary["rebalancing"] = rebalancing.summary()
    return Result(
        scenario.name,
        system.log,
        samples,
        steps,
        summary,
        time.perf_counter() - began,
        tuple(one.shape.name for one in system.executors),
        slo,
        {
            **asdict(scenario),
            "fault": [as_table(one) for one in injector.faults],
            "faults": None,
            "seed": seed,
        },
        injector.faults,
        injector.history,
    )


def _system(
    env: simpy.Environment,
    scenario: ServingScenario,
    seed: int,
    steps: StepLog | None,
    given: RequestTrace | None,
    until_s: float | None,
) -> tuple[System, SampleLog, FaultInjector, Rebalancing | None]:
    load = build.expert_load(scenario)
    trace = build.requests(scenario, load, seed) if given is None else given
    live = Live(trace, build.predicted(trace, scenario.length_prediction, seed))
    log = RequestLog(trace)
    fabric = fabric_of(scenario.fabric, scenario.executor[0].dies)
    system = System(
        env, live, log, ports(fabric, scenario.plane), build.cache_bytes(scenario), steps
    )
    chosen = [named_scheduler.name_of(given) for given in (scenario.decode, scenario.decode_job)]
    features = Signatures(load, live, seed) if "expert-locality" in chosen else None
    executors: list[TaskExecutor] = []
    for table in scenario.executor:
        pricer = build.step_executor(scenario, table)
        shared = 0 if scenario.shared_local else pricer.operators.model.shared_experts
        placement = build.start_placement(table, load, seed, shared)
        for copy in range(table.count):
            name = f"{table.role}-{copy}"
            shape = build.shape(name, scenario, table, pricer, placement.slots_per_rank)
            routers = (
                named_scheduler.make(schedulers.PREFILL, scenario.prefill),
                named_scheduler.make(schedulers.DECODE, scenario.decode),
            )
            executors.append(
                TaskExecutor(
                    env,
                    len(executors),
                    shape,
                    build.price(table, pricer, placement, load, seed + len(executors)),
                    routers,
                    named_scheduler.make(schedulers.BATCH, scenario.batch),
                    live,
                    log,
                    steps,
                    scenario.telemetry_s,
                    len(load.domains),
                    system,
                    seed,
                    features,
                )
            )
    build.check_requests(trace, [one.shape for one in executors])
    first = [one for one in executors if one.shape.role != "decode"]
    second = [one for one in executors if one.shape.role != "prefill"]
    stale = scenario.telemetry_s
    system.connect(
        executors,
        Stage(
            first,
            build.job_router(scenario.job),
            live,
            stale,
            TaskExecutor.join_prefill,
            decode=False,
        ),
        Stage(
            second,
            build.job_router(scenario.decode_job),
            live,
            stale,
            TaskExecutor.join_decode,
            decode=True,
            features=features,
        ),
    )
    last_s = float(trace.arrival_s[-1]) if until_s is None else until_s
    injector = build_fault_injector(env, scenario, system, load, seed, last_s)
    if isinstance(load, DriftingLoad):
        system.hooks.append(lambda _, now_s: _move(load, now_s))
    rebalancing = None
    if scenario.rebalance is not None:
        rebalancing = Rebalancing(scenario.rebalance, pricer.collectives.send_bytes_per_s())
        system.hooks.append(rebalancing)
    names = [one.shape.name for one in executors]
    return system, SampleLog(names), injector, rebalancing


def _move(load: DriftingLoad, now_s: float) -> float:
    """Let the routing drift up to a step, which does not wait for it."""
    load.move_to(now_s)
    return 0.0


def _watch(
    env: simpy.Environment,
    system: System,
    samples: SampleLog,
    sample_s: float,
    on_progress: OnProgress,
) -> Generator[simpy.Event, Any, None]:
    """Sample, say how far it is, and stop a system in which nothing will happen any more."""
    while True:
        yield env.timeout(sample_s)
        system.sample(samples)
        on_progress(env.now, system.finished_count, system.live.trace.num_requests)
        if system.stuck:
            left = system.live.trace.num_requests - system.finished_count
            dead = [one.shape.name for one in system.executors if one.dead]
            if dead:
                raise RuntimeError(
                    f"at {env.now:.1f} s nothing runs and {left} requests wait: {', '.join(dead)} "
                    "failed and never come back; give their faults lasts_s, or recovery spares"
                )
            raise RuntimeError(
                f"at {env.now:.1f} s nothing runs and {left} requests wait: the schedulers hold "
                "them although executors are idle; check that they answer when one is open"
            )


def _book_generated(executor: TaskExecutor) -> None:
    """Write down what sequences have generated that still run."""
    batch, live = executor.batch, executor.live
    for group in range(len(batch.count)):
        running = batch.request[group, : batch.count[group]]
        live.generated[running] = (
            live.trace.output_tokens[running] - batch.left[group, : batch.count[group]]
        )
