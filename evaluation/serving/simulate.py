"""Run a serving scenario from the first arrival to the last token."""

import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any

import simpy

from evaluation.serving.assembly import workload
from evaluation.serving.assembly.cluster import serving_cluster
from evaluation.serving.assembly.faults import build_fault_injector
from evaluation.serving.assembly.routing import routing_model
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.engine.system import System
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.recovery.fault_injector import FaultInjector
from evaluation.serving.recovery.rebalancing import Rebalancing
from evaluation.serving.results.result import Result
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from evaluation.serving.scenario.fault_table import as_table
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Device
from traces.requests import RequestTrace
from traces.workload.step_draws import StepRouting

#: Called with simulated seconds, the number of finished requests and the number of all requests.
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
        Random seed of routing, accepted drafts, predictions and jitter.
    steps
        Keeps the steps of a time range, for the timeline.
    trace
        Requests to serve instead of those that the scenario names.
    on_progress
        Called at every sample.

    Raises
    ------
    ValueError
        Before time starts, if a name is unknown or the scenario is impossible.
    RuntimeError
        If requests are left that nothing will ever serve, naming how many.
    """
    began = time.perf_counter()
    simulation = _build(scenario, seed, steps, trace, until_s)
    env, system = simulation.env, simulation.system
    env.process(_watch(simulation, scenario.sample_s, on_progress))
    if until_s is None:
        env.run(system.all_finished)
    else:
        env.run(env.any_of([system.all_finished, env.timeout(until_s)]))
    system.sample(simulation.samples)
    for executor in system.executors:
        executor.decode.note_generated()
    return _result(simulation, scenario, seed, time.perf_counter() - began)


@dataclass(frozen=True)
class _Simulation:
    """The parts of a simulation, ready to run."""

    env: simpy.Environment
    system: System
    samples: SampleLog
    injector: FaultInjector
    rebalancing: Rebalancing | None


def _build(
    scenario: ServingScenario,
    seed: int,
    steps: StepLog | None,
    trace: RequestTrace | None,
    until_s: float | None,
) -> _Simulation:
    env = simpy.Environment()
    routing = StepRouting(routing_model(scenario, seed))
    trace = workload.requests(scenario, routing.model, seed) if trace is None else trace
    requests = workload.request_state(scenario, routing.model, trace, seed)
    cluster = serving_cluster(env, scenario, routing, requests, seed)
    system = System(env, requests, cluster, steps)
    last_s = float(trace.arrival_s[-1]) if until_s is None else until_s
    injector = build_fault_injector(env, scenario, system, routing, seed, last_s)
    rebalancing = _add_rebalancing(system, scenario)
    samples = SampleLog([executor.shape.name for executor in cluster.executors])
    return _Simulation(env, system, samples, injector, rebalancing)


def _add_rebalancing(system: System, scenario: ServingScenario) -> Rebalancing | None:
    """Let experts be rebalanced as time passes, where the scenario says so."""
    if scenario.rebalance is None:
        return None
    price = system.executors[-1].price
    assert isinstance(price, PlacedPrice)
    rebalancing = Rebalancing(scenario.rebalance, price.collectives.send_bytes_per_s())
    system.hooks.append(rebalancing)
    return rebalancing


def _watch(
    simulation: _Simulation, sample_s: float, on_progress: OnProgress
) -> Generator[simpy.Event, Any, None]:
    """Sample, report progress, and stop a system in which nothing will happen any more."""
    env, system = simulation.env, simulation.system
    while True:
        yield env.timeout(sample_s)
        system.sample(simulation.samples)
        on_progress(env.now, system.finished_count, len(system.requests))
        if system.stuck:
            raise RuntimeError(_stuck_message(system))


def _stuck_message(system: System) -> str:
    left = len(system.requests) - system.finished_count
    start = f"at {system.env.now:.1f} s nothing runs and {left} requests wait: "
    dead = [executor.shape.name for executor in system.executors if executor.dead]
    if dead:
        return start + (
            f"{', '.join(dead)} failed and never come back; give their faults lasts_s, or recovery "
            "spares"
        )
    return start + (
        "the schedulers hold them although executors are idle; check that they answer when one is "
        "open"
    )


def _result(simulation: _Simulation, scenario: ServingScenario, seed: int, wall_s: float) -> Result:
    system, injector, now_s = simulation.system, simulation.injector, simulation.env.now
    log, slo = system.requests.log, Slo(scenario.ttft_s, scenario.tpot_s)
    chips = scenario.dies / Device.preset(scenario.device).dies_per_chip
    warm_up_s = min(scenario.warm_up_s, now_s / 2)
    summary = summarise(log, simulation.samples, slo, chips, now_s, warm_up_s)
    if injector.faults:
        summary["faults"] = injector.summary()
    if simulation.rebalancing is not None:
        summary["rebalancing"] = simulation.rebalancing.summary()
    return Result(
        scenario.name,
        log,
        simulation.samples,
        system.steps,
        summary,
        wall_s,
        tuple(executor.shape.name for executor in system.executors),
        slo,
        {
            **asdict(scenario),
            "fault": [as_table(fault) for fault in injector.faults],
            "faults": None,
            "seed": seed,
        },
        injector.faults,
        injector.history,
    )
