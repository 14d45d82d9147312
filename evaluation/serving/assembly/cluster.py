"""From a scenario to its cluster: task executors, the routers before them, the network between."""

from typing import Any

import simpy

from evaluation.replay.scenario import fabric_of
from evaluation.serving.assembly.executors import executor_setups
from evaluation.serving.assembly.workload import check_requests
from evaluation.serving.engine.kv_transfer import KvNetwork, ports
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.router_stage import DecodeStage, PrefillStage
from evaluation.serving.engine.system import ServingCluster
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Model
from hardware.rooflines import FORMAT_BYTES
from schedulers import DECODE, JOB
from traces.workload.step_draws import StepRouting


def serving_cluster(
    env: simpy.Environment,
    scenario: ServingScenario,
    routing: StepRouting,
    requests: RequestState,
    seed: int,
) -> ServingCluster:
    """Return the cluster of a scenario.

    Raises
    ------
    ValueError
        If a name is unknown, weights do not fit, or a request does not fit on an executor.
    """
    network = kv_network(scenario)
    setups = executor_setups(scenario, routing, requests.trace, seed)
    check_requests(requests.trace, [setup.shape for setup in setups])
    executors = [TaskExecutor(env, at, setup, requests) for at, setup in enumerate(setups)]
    first = [executor for executor in executors if executor.shape.role != "decode"]
    second = [executor for executor in executors if executor.shape.role != "prefill"]
    late_s = scenario.telemetry_s
    return ServingCluster(
        executors,
        PrefillStage(first, job_router(scenario.job), requests, late_s),
        DecodeStage(second, job_router(scenario.decode_job), requests, late_s),
        network,
    )


def job_router(entry: Any) -> Any:
    """Return a router of task executors: one for jobs, or one made for decode groups."""
    name = named_scheduler.name_of(entry)
    for_groups = name not in JOB.available() and name in DECODE.available()
    return named_scheduler.make(DECODE if for_groups else JOB, entry)


def kv_network(scenario: ServingScenario) -> KvNetwork:
    """Return the network that carries keys and values."""
    model, token_format = Model.preset(scenario.model), FORMAT_BYTES[scenario.kv_format]
    fabric = fabric_of(scenario.fabric, scenario.executor[0].dies)
    return KvNetwork(
        ports(fabric, scenario.plane), lambda tokens: model.cache_bytes(tokens, token_format)
    )
