"""What the machine model says for an anchor's conditions, one function a kind of anchor."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

import lb
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.engine_step import EngineStep, engine_step
from evaluation.step.executor import StepExecutor
from evaluation.step.step_time import StepTime
from hardware import Collectives, Device, Fabric, Model, Operators
from hardware.calibrate import predict_s
from hardware.collectives import Library
from hardware.faults import Jitter

Conditions = Mapping[str, Any]
MICRO = 1e6


def kernel(given: Conditions) -> float:
    """Microseconds of one kernel of a table."""
    return MICRO * predict_s(_device(given), given)


def attention_module(given: Conditions) -> float:
    """Microseconds of latent attention with all projections, as a captured graph runs it."""
    model = replace(Model.preset(given.get("model", "deepseek-v3")), heads=int(given["heads"]))
    operators = Operators(_device(given), model, kv_format=given["format"])
    parts = operators.attention_parts(given["batch"], given["kv_tokens"])
    beside = ("gate", "shared expert", "norms")
    return MICRO * float(np.sum([s for name, s in parts.items() if name not in beside]))


def expert_module(given: Conditions) -> float:
    """Microseconds of a rank's experts under uniform routing, ``m`` tokens on each rank."""
    operators = _operators(given)
    ranks = operators.model.experts / given["groups"]
    tokens = given["m"] * ranks * operators.model.top_k / operators.model.experts
    return MICRO * float(operators.experts_s(np.full(int(given["groups"]), tokens)))


def exchange(given: Conditions) -> float:
    """Microseconds of dispatch or combine, every rank having ``m`` tokens, experts even."""
    collectives, name = _collectives(given), given["operator"]
    copies = np.full(collectives.fabric.num_ranks, float(given["m"] * given["groups"]))
    price = collectives.dispatch_s if name == "dispatch" else collectives.combine_s
    return MICRO * float(price(copies))


def send(given: Conditions) -> float:
    """Microseconds of one transfer between two ranks."""
    return MICRO * _collectives(given).send_s(given["payload_bytes"], given["cores"])


def layer(given: Conditions) -> float:
    """Microseconds of one MoE layer with all its micro-batches."""
    ran = _iteration(given)
    return MICRO * ran.moe / _operators(given).model.moe_layers


def step(given: Conditions) -> float:
    """Milliseconds of one engine step."""
    return 1e3 * _iteration(given).total


def tokens_per_s(given: Conditions) -> float:
    """Tokens a second of one accelerator (all its dies)."""
    made = given["tokens"] * given.get("tokens_emitted", 1.0)
    return float(made * _device(given).dies_per_chip / _iteration(given).total)


def in_situ(given: Conditions) -> float:
    """Mean microseconds of dispatch or combine in a step, with the wait for the slowest rank."""
    taken, name = _step(given), given["phase_name"]
    wait = taken.attention_wait if name == "dispatch" else taken.expert_wait
    return MICRO * float((getattr(taken, name)[:, None] + wait).mean())


def share(given: Conditions) -> float:
    """Percent of an engine step that a group of kernels takes."""
    ran, operators = _iteration(given), _operators(given)
    queries = 1.0 + given.get("drafts", 0)
    parts = operators.attention_parts(given["tokens"], given["kv_tokens"], "decode", queries)
    layers = operators.model.layers + given.get("drafts", 0)
    if given["phase_name"] in ("dispatch", "combine"):
        seconds = in_situ(given) / MICRO * (operators.model.moe_layers + given.get("drafts", 0))
    else:
        seconds = layers * sum(float(parts[name]) for name in given["kernels"])
        if given.get("experts"):
            moe = operators.model.moe_layers + given.get("drafts", 0)
            seconds += moe * float(_step(given).rank_experts.mean())
    return float(100 * seconds / (ran.total - ran.host))


def disaggregated(given: Conditions) -> float:
    """Microseconds of one stage (A2E, experts, E2A, attention), or milliseconds of the step."""
    deployment = machine(given)
    if given["stage"] != "step":
        return MICRO * deployment.stages(given["tokens"])[given["stage"]]
    whole = deployment.run(given["tokens"]).total + given["scheduler_s"] + given["drafts_s"]
    return float(1e3 * whole)


def utilisation(given: Conditions) -> float:
    """Percent of the step in which a stage's stream is busy, from published stage times."""
    ran = machine(given).run_stages({name: us / MICRO for name, us in given["stages_us"].items()})
    return 100 * ran.busy()[given["stage"]]


KINDS: dict[str, Callable[[Conditions], float]] = {
    "kernel": kernel,
    "attention module": attention_module,
    "expert module": expert_module,
    "exchange": exchange,
    "send": send,
    "layer": layer,
    "step": step,
    "tokens per second": tokens_per_s,
    "in situ": in_situ,
    "share": share,
    "disaggregated": disaggregated,
    "utilisation": utilisation,
}


@lru_cache(maxsize=32)
def _preset(name: str) -> Device:
    return Device.preset(name)


def _device(given: Conditions) -> Device:
    """Return the device, with the peaks that the source states where they differ."""
    device = _preset(given["device"])
    return replace(device, flops={**device.flops, **given["flops"]}) if "flops" in given else device


def _operators(given: Conditions, core_share: float = 1.0) -> Operators:
    return Operators(
        _device(given),
        Model.preset(given.get("model", "deepseek-v3")),
        kv_format=given.get("kv_format", "bf16"),
        core_share=core_share,
        int8_attention=given.get("int8_attention", 0.0),
        shared_local=given.get("shared_local", True),
    )


@lru_cache(maxsize=32)
def _fabric(name: str, ranks: int) -> Fabric:
    return Fabric.preset(name, ranks)


def _collectives(given: Conditions) -> Collectives:
    model = Model.preset(given.get("model", "deepseek-v3"))
    if "k" in given:
        model = replace(model, hidden=int(given["k"]), top_k=int(given["groups"]))
    fabric = _fabric(given["fabric"], int(given["ranks"]))
    library = Library.preset(given["library"])
    return Collectives(fabric, model, library, contention=given.get("contention", True))


def _jitter(given: Conditions) -> Jitter | None:
    sigma = given.get("jitter_sigma", 0.0)
    return Jitter(sigma) if sigma else None


def _executor(given: Conditions, core_share: float = 1.0) -> StepExecutor:
    return StepExecutor(
        _operators(given, core_share),
        _collectives(given),
        given["kv_tokens"],
        given.get("phase", "decode"),
        given.get("drafts", 0),
        _jitter(given),
    )


def _step(given: Conditions) -> StepTime:
    """One micro-batch: every rank holds the same number of experts, all but one equally loaded.

    With ``balancedness`` below 1 the hottest rank has 1 / balancedness of the mean and the others
    share the rest. ``cores`` gives attention and experts their parts of the matrix cores.
    """
    ranks, layers = int(given["ranks"]), int(given.get("layers", 4))
    micro_batches = given.get("micro_batches", 1)
    model = Model.preset(given.get("model", "deepseek-v3"))
    shared = 0 if given.get("shared_local", True) else model.shared_experts
    tokens = given["tokens"] / micro_batches
    held = int(given.get("experts_per_rank", 1))
    load = np.full(
        (layers, ranks), tokens * (model.top_k + shared) / given.get("balancedness", 1.0)
    )
    load[:, 1:] = (load[:, :1] * given.get("balancedness", 1.0) * ranks - load[:, :1]) / (ranks - 1)
    placement = lb.Placement(np.tile(np.arange(ranks * held), (layers, 1)), ranks)
    counts = np.repeat(load / held, held, axis=1)
    attention_cores, expert_cores = given.get("cores", (1.0, 1.0))
    on_all = round(tokens * ranks)
    taken = _executor(given, attention_cores).step(placement, counts, step_tokens=on_all)
    if expert_cores == attention_cores:
        return taken
    experts = _executor(given, expert_cores).step(placement, counts, step_tokens=on_all)
    return replace(taken, rank_experts=experts.rank_experts)


def _iteration(given: Conditions) -> EngineStep:
    return engine_step(
        _executor(given),
        _step(given),
        given["tokens"],
        plan=given.get("plan", "serial"),
        micro_batches=given.get("micro_batches", 1),
        host_s=given.get("host_s", 0.0),
    )


def machine(given: Conditions) -> Disaggregated:
    """Return the disaggregated deployment that the conditions describe."""
    return Disaggregated(
        _operators(given),
        _collectives(given),
        domains=given["domains"],
        attention_ranks=given["attention_ranks"],
        expert_ranks=given["expert_ranks"],
        micro_batches=given["micro_batches"],
        kv_tokens=given["kv_tokens"],
        drafts=given["drafts"],
        jitter=_jitter(given),
    )
