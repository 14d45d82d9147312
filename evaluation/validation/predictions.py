"""Predictions of the machine model under an anchor's conditions, one function per kind."""

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
from evaluation.validation import textbook
from hardware import Collectives, Device, Fabric, Model, Operators
from hardware.calibrate import predict_s
from hardware.collectives import Library
from hardware.faults import Jitter

Conditions = Mapping[str, Any]
MICRO = 1e6


def kernel(conditions: Conditions) -> float:
    """Return microseconds of one kernel of a table."""
    return MICRO * predict_s(_device(conditions), conditions)


def attention_module(conditions: Conditions) -> float:
    """Return microseconds of latent attention with its projections, run as a captured graph."""
    model = replace(_model(conditions.get("model", "deepseek-v3")), heads=int(conditions["heads"]))
    operators = Operators(_device(conditions), model, kv_format=conditions["format"])
    parts = operators.attention_parts(conditions["batch"], conditions["kv_tokens"])
    excluded = ("gate", "shared expert", "norms")
    return MICRO * float(np.sum([s for name, s in parts.items() if name not in excluded]))


def sparse_attention(conditions: Conditions) -> float:
    """Return microseconds of the core of sparse attention, or of its indexer.

    In prefill ``m`` tokens that follow one another end a context of ``kv_tokens``.
    """
    name, phase = conditions["operator"].split("_")
    model = _model(conditions["model"])
    operators = Operators(_device(conditions), model, kv_format=conditions["format"])
    queries, context = conditions["m"], conditions["kv_tokens"]
    if phase == "prefill" and name == "indexer":
        context -= (queries - 1) / 2  # a token does not look ahead
    tokens = conditions["batch"] * queries
    if name == "sparse":
        return MICRO * float(operators.attention_core_s(tokens, context, phase, queries))
    return MICRO * float(operators.indexer_s(tokens, context, phase, queries))


def linear_attention(conditions: Conditions) -> float:
    """Return microseconds of linear attention in one layer that has it."""
    phase = conditions["operator"].split("_")[1]
    operators = Operators(_device(conditions), _model(conditions["model"]))
    tokens = conditions["batch"] * conditions["m"]
    return MICRO * float(operators.linear_attention_s(tokens, phase))


def expert_module(conditions: Conditions) -> float:
    """Return microseconds of a rank's experts, ``m`` tokens per rank, uniform routing."""
    operators = _operators(conditions)
    ranks = operators.model.experts / conditions["groups"]
    tokens = conditions["m"] * ranks * operators.model.top_k / operators.model.experts
    return MICRO * float(operators.experts_s(np.full(int(conditions["groups"]), tokens)))


def exchange(conditions: Conditions) -> float:
    """Return microseconds of dispatch or combine, ``m`` tokens per rank, even expert load."""
    collectives, name = _collectives(conditions), conditions["operator"]
    copies = np.full(collectives.fabric.num_ranks, float(conditions["m"] * conditions["groups"]))
    price = collectives.dispatch_s if name == "dispatch" else collectives.combine_s
    return MICRO * float(price(copies))


def send(conditions: Conditions) -> float:
    """Return microseconds of one transfer between two ranks."""
    return MICRO * _collectives(conditions).send_s(conditions["payload_bytes"], conditions["cores"])


def layer(conditions: Conditions) -> float:
    """Return microseconds of one MoE layer with all its micro-batches."""
    return MICRO * _engine_step(conditions).moe / _operators(conditions).model.moe_layers


def step(conditions: Conditions) -> float:
    """Return milliseconds of one engine step."""
    return 1e3 * _engine_step(conditions).total


def tokens_per_s(conditions: Conditions) -> float:
    """Return tokens per second of one accelerator with all its dies."""
    emitted = conditions["tokens"] * conditions.get("tokens_emitted", 1.0)
    return float(emitted * _device(conditions).dies_per_chip / _engine_step(conditions).total)


def overlap_gain(conditions: Conditions) -> float:
    """Return tokens per second with overlapping micro-batches over those without."""
    alone = {**conditions, "plan": "serial", "micro_batches": 1}
    return float(_engine_step(alone).total / _engine_step(conditions).total)


def in_situ(conditions: Conditions) -> float:
    """Return mean microseconds of dispatch or combine in a step, with the wait before it."""
    step_time, name = _step(conditions), conditions["phase_name"]
    wait = step_time.attention_wait if name == "dispatch" else step_time.expert_wait
    return MICRO * float((getattr(step_time, name)[:, None] + wait).mean())


def share(conditions: Conditions) -> float:
    """Return the percentage of an engine step that a group of kernels takes."""
    whole, operators = _engine_step(conditions), _operators(conditions)
    queries = 1.0 + conditions.get("drafts", 0)
    parts = operators.attention_parts(
        conditions["tokens"], conditions["kv_tokens"], "decode", queries
    )
    layers = operators.model.layers + conditions.get("drafts", 0)
    if conditions["phase_name"] in ("dispatch", "combine"):
        seconds = (
            in_situ(conditions) / MICRO * (operators.model.moe_layers + conditions.get("drafts", 0))
        )
    else:
        seconds = layers * sum(float(parts[name]) for name in conditions["kernels"])
        if conditions.get("experts"):
            moe = operators.model.moe_layers + conditions.get("drafts", 0)
            seconds += moe * float(_step(conditions).rank_experts.mean())
    # The share is of the time on the device, without the gap of the host between steps.
    return float(100 * seconds / (whole.total - whole.host))


def disaggregated(conditions: Conditions) -> float:
    """Return microseconds of a stage (attention, A2E, experts or E2A) or milliseconds of a step."""
    deployment = disaggregated_deployment(conditions)
    if conditions["stage"] != "step":
        return MICRO * deployment.stages(conditions["tokens"])[conditions["stage"]]
    whole = (
        deployment.run(conditions["tokens"]).total
        + conditions["scheduler_s"]
        + conditions["drafts_s"]
    )
    return float(1e3 * whole)


KINDS: dict[str, Callable[[Conditions], float]] = {
    "kernel": kernel,
    "attention module": attention_module,
    "sparse attention": sparse_attention,
    "linear attention": linear_attention,
    "expert module": expert_module,
    "exchange": exchange,
    "send": send,
    "layer": layer,
    "step": step,
    "tokens per second": tokens_per_s,
    "overlap gain": overlap_gain,
    "in situ": in_situ,
    "share": share,
    "disaggregated": disaggregated,
}


@lru_cache(maxsize=32)
def _preset(name: str) -> Device:
    return Device.preset(name)


@lru_cache(maxsize=32)
def _model(name: str) -> Model:
    return Model.preset(name)


@lru_cache(maxsize=32)
def _library(name: str) -> Library:
    return Library.preset(name)


def _device(conditions: Conditions) -> Device:
    """Return the device, or its preset; peaks that the source states replace its own."""
    device = conditions["device"]
    device = device if isinstance(device, Device) else _preset(device)
    if "flops" in conditions:
        device = replace(device, flops={**device.flops, **conditions["flops"]})
    return textbook.device(device) if conditions.get("textbook") else device


def _operators(conditions: Conditions) -> Operators:
    return Operators(
        _device(conditions),
        _model(conditions.get("model", "deepseek-v3")),
        kv_format=conditions.get("kv_format", "bf16"),
        int8_attention=conditions.get("int8_attention", 0.0),
        shared_local=conditions.get("shared_local", True),
    )


@lru_cache(maxsize=32)
def _fabric(name: str, ranks: int) -> Fabric:
    return Fabric.preset(name, ranks)


def _collectives(conditions: Conditions) -> Collectives:
    model = _model(conditions.get("model", "deepseek-v3"))
    if "k" in conditions:
        model = replace(model, hidden=int(conditions["k"]), top_k=int(conditions["groups"]))
    if conditions.get("heads"):
        model = replace(model, experts=int(conditions["heads"]))
    fabric = _fabric(conditions["fabric"], int(conditions["ranks"]))
    library = _library(conditions["library"])
    if conditions.get("width"):
        library = replace(library, cores=int(conditions["width"]))
    if conditions.get("textbook"):
        node = _fabric(conditions["fabric"], min(int(fabric.figures["dies_per_node"]), 8))
        # A textbook counts ports, not the links behind them.
        return Collectives(fabric, model, textbook.library(library, fabric, node), False)
    return Collectives(fabric, model, library, contention=conditions.get("contention", True))


def _jitter(conditions: Conditions) -> Jitter | None:
    sigma = conditions.get("jitter_sigma", 0.0)
    return Jitter(sigma) if sigma else None


def _executor(conditions: Conditions) -> StepExecutor:
    return StepExecutor(
        _operators(conditions),
        _collectives(conditions),
        conditions["kv_tokens"],
        conditions.get("phase", "decode"),
        conditions.get("drafts", 0),
        _jitter(conditions),
    )


def _step(conditions: Conditions) -> StepTime:
    """Return the time of one micro-batch, with equally many experts on every rank.

    With ``balancedness`` below 1 the first rank has 1 / balancedness of the mean load, and the
    other ranks share the rest equally.
    """
    ranks, layers = int(conditions["ranks"]), int(conditions.get("layers", 4))
    micro_batches = conditions.get("micro_batches", 1)
    model = _model(conditions.get("model", "deepseek-v3"))
    shared = 0 if conditions.get("shared_local", True) else model.shared_experts
    tokens = conditions["tokens"] / micro_batches
    experts_per_rank = int(conditions.get("experts_per_rank", 1))
    load = np.full(
        (layers, ranks), tokens * (model.top_k + shared) / conditions.get("balancedness", 1.0)
    )
    load[:, 1:] = (load[:, :1] * conditions.get("balancedness", 1.0) * ranks - load[:, :1]) / (
        ranks - 1
    )
    placement = lb.Placement(np.tile(np.arange(ranks * experts_per_rank), (layers, 1)), ranks)
    counts = np.repeat(load / experts_per_rank, experts_per_rank, axis=1)
    executor = _executor(conditions)
    return executor.step(placement, counts, step_tokens=round(tokens * ranks))


def _engine_step(conditions: Conditions) -> EngineStep:
    return engine_step(
        _executor(conditions),
        _step(conditions),
        conditions["tokens"],
        plan=conditions.get("plan", "serial"),
        micro_batches=conditions.get("micro_batches", 1),
        host_s=conditions.get("host_s", 0.0),
    )


def disaggregated_deployment(conditions: Conditions) -> Disaggregated:
    """Return the disaggregated deployment that the conditions describe."""
    return Disaggregated(
        _operators(conditions),
        _collectives(conditions),
        domains=conditions["domains"],
        attention_ranks=conditions["attention_ranks"],
        expert_ranks=conditions["expert_ranks"],
        micro_batches=conditions["micro_batches"],
        kv_tokens=conditions["kv_tokens"],
        drafts=conditions["drafts"],
        jitter=_jitter(conditions),
    )
