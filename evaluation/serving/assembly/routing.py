"""From a scenario to the routing that its requests choose experts by."""

import json
from functools import lru_cache

import traces
from evaluation.replay.workload_windows import workload_path
from evaluation.serving.scenario.scenario import ServingScenario
from hardware import Model
from traces import RoutingTrace, TokenTrace
from traces.generators import loads
from traces.generators.presets import PRESETS
from traces.workload import ConditionRouting, RecordedRouting, RoutingModel, TokenFilter, Workload
from traces.workload import load as load_workload
from traces.workload.even_routing import EvenRouting
from traces.workload.routing_tables import routing_of


def routing_model(scenario: ServingScenario, seed: int) -> RoutingModel:
    """Return the routing of a scenario.

    Parameters
    ----------
    scenario
        Its ``routing``, or that of its ``workload``.
    seed
        Number of the repetition of the workload.

    Raises
    ------
    ValueError
        If a name is unknown, the routing does not fit the model, or it is to drift and cannot.
    """
    model = Model.preset(scenario.model)
    try:
        if scenario.workload:
            routing = workload(scenario.workload, seed).routing
        elif scenario.routing == ("uniform",) and scenario.routing_step_s is None:
            routing = EvenRouting(model.moe_layers, model.experts, model.top_k, model.name)
        elif isinstance(scenario.routing, tuple):
            routing = _named(scenario.routing, scenario.routing_step_s)
        else:
            routing = _of_table(json.dumps(scenario.routing))
    except ValueError as error:
        raise ValueError(f"{scenario.name}: {error}") from None
    if (routing.num_experts, routing.top_k) != (model.experts, model.top_k):
        raise ValueError(
            f"{scenario.name}: the routing has {routing.num_experts} experts, top-{routing.top_k}, "
            f"the model {scenario.model} has {model.experts}, top-{model.top_k}; name one of its "
            "own"
        )
    if routing.num_layers > model.moe_layers:
        raise ValueError(
            f"{scenario.name}: the routing has {routing.num_layers} layers, the model "
            f"{scenario.model} only {model.moe_layers} with experts; name one of its own"
        )
    return routing


# Laws take a second to make, and a search or a ranking asks for the same one again and again.
@lru_cache(maxsize=2)
def workload(name: str, seed: int) -> Workload:
    """Return a repetition of a workload that has requests.

    Raises
    ------
    ValueError
        If it is a recording of engine steps, or the file holds no workload.
    """
    path = workload_path(name)
    loaded = load_workload(path, draw=seed)
    if not isinstance(loaded, Workload):
        raise ValueError(
            f"workload = {name!r} holds recorded engine steps and no requests; name a workload "
            "with [requests]"
        )
    return loaded


@lru_cache(maxsize=2)
def _of_table(text: str) -> RoutingModel:
    return routing_of(json.loads(text), str)


@lru_cache(maxsize=2)
def _named(names: tuple[str, ...], step_s: float | None) -> RoutingModel:
    """Return the routing that names stand for: a law, loads, or a recording for each domain."""
    name = names[0]
    if len(names) == 1 and name in PRESETS:
        law = {"law": name} | ({} if step_s is None else {"law_step_s": step_s})
        return routing_of(law, str)
    if step_s is not None:
        raise ValueError(
            f"routing_step_s = {step_s:g} needs a law that drifts, routing = {', '.join(names)} is "
            f"none; give one of {', '.join(PRESETS)}"
        )
    if len(names) == 1 and name in loads.PRESETS:
        return routing_of({"loads": name}, str)
    if len(set(names)) < len(names):
        raise ValueError(f"routing = {', '.join(names)}; give another recording for each domain")
    recordings = {each: traces.load(each, "routing") for each in names}
    sequences = {
        each: trace
        for each, trace in recordings.items()
        if isinstance(trace, TokenTrace) and trace.sample_lengths is not None
    }
    if len(sequences) == len(recordings):
        return RecordedRouting(sequences)
    return ConditionRouting.from_traces(
        {TokenFilter(domain=each): _counts(trace) for each, trace in recordings.items()}
    )


def _counts(trace: RoutingTrace | TokenTrace) -> RoutingTrace:
    return trace.split(trace.num_tokens).counts() if isinstance(trace, TokenTrace) else trace
