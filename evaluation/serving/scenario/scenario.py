"""A serving scenario: requests, task executors, schedulers; read from one TOML file."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.replay.scenario import name_or_names
from evaluation.serving.faults.fault import Fault, parse_faults
from evaluation.serving.faults.random_faults import FaultRates, parse_rates
from evaluation.serving.faults.recovery import Recovery, parse_recovery
from evaluation.serving.recovery.rebalancing import RebalanceTable, parse_rebalance
from evaluation.serving.scenario import named_scheduler
from hardware import preset

FOLDER = Path(__file__).parent.parent / "scenarios"
ROLES = ("prefill", "decode", "both")


def _role(value: Any) -> str | None:
    return None if value in ROLES else f"give one of {', '.join(ROLES)}"


def _choice(value: Any) -> str | None:
    return None if value in ("oracle", "buckets", "mean") else "give oracle, buckets or mean"


CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "trace": preset.text,
    "rate_factor": preset.positive,
    "requests": preset.count_from_one,
    "model": preset.text,
    "device": preset.text,
    "fabric": preset.text,
    "library": preset.text,
    "kv_format": preset.text,
    "flops": preset.table_of(preset.positive),
    "shared_local": lambda value: None if isinstance(value, bool) else "give true or false",
    "generate": preset.table_of(preset.positive),
    "int8_attention": preset.not_negative,
    "jitter_sigma": preset.not_negative,
    "routing": name_or_names,
    "routing_step_s": preset.positive,
    "domains": preset.table_of(preset.positive),
    "plane": preset.text,
    "block_tokens": preset.count_from_one,
    "length_prediction": _choice,
    "telemetry_s": preset.not_negative,
    "sample_s": preset.positive,
    "warm_up_s": preset.not_negative,
    "job": named_scheduler.check,
    "decode_job": named_scheduler.check,
    "prefill": named_scheduler.check,
    "decode": named_scheduler.check,
    "batch": named_scheduler.check,
    "ttft_s": preset.positive,
    "tpot_s": preset.positive,
    "fault": lambda value: None if isinstance(value, list) else "give [[fault]] tables",
    "faults": lambda value: None if isinstance(value, dict) else "give a [faults] table",
    "recovery": lambda value: None if isinstance(value, dict) else "give a [recovery] table",
    "rebalance": lambda value: None if isinstance(value, dict) else "give a [rebalance] table",
    "plan": lambda value: None if isinstance(value, dict) else "give a [plan] table",
    "executor": lambda value: None if isinstance(value, list) and value else "give [[executor]]",
}

EXECUTOR_CHECKS: dict[str, preset.Check] = {
    "role": _role,
    "count": preset.count_from_one,
    "dies": preset.count_from_one,
    "dies_per_group": preset.count_from_one,
    "slots_per_rank": preset.count_from_one,
    "step_tokens": preset.count_from_one,
    "batch_limit": preset.count_from_one,
    "drafts": preset.count,
    "acceptance": preset.fraction,
    "solver": preset.text,
    "dispatcher": preset.text,
    "host_s": preset.not_negative,
    "drafts_s": preset.not_negative,
    "attention_domains": preset.count,
    "attention_dies": preset.count,
    "micro_batches": preset.count_from_one,
}

GENERATE_CHECKS: dict[str, preset.Check] = {
    "requests": preset.count_from_one,
    "prompt_tokens": preset.count_from_one,
    "output_tokens": preset.count_from_one,
    "rate": preset.positive,
}


@dataclass(frozen=True)
class ExecutorTable:
    """Task executors that are alike.

    Parameters
    ----------
    role
        "prefill", "decode", or "both".
    dies
        Of each: its EP group.
    count
        How many.
    dies_per_group
        Dies that share the prompts of one DP group (tensor and sequence parallel).
    slots_per_rank
        Experts on each die; 0: as few as hold them all.
    step_tokens
        Most tokens of a DP group in a step.
    batch_limit
        Most sequences of a DP group in decode.
    drafts, acceptance
        Draft tokens of a step, and the chance of each.
    solver
        Of the placement at start, on the routing's mean load.
    dispatcher
        Registered name of what splits an expert's tokens over its replicas.
    host_s
        Gap between steps; xDeepServe section 7.1 measures 2 ms.
    drafts_s
        What draft layers with their heads and sampling add to a decode step; ``None``: as much as a
        MoE layer and an output head each, or 5 ms where attention has dies of its own.
    attention_domains, attention_dies, micro_batches
        Disaggregated MoE and attention (xDeepServe section 5.2): DP domains, the dies of each, and
        micro-batches of each; the other dies hold experts. 0: every die holds both.
    """

    role: str
    dies: int
    count: int = 1
    dies_per_group: int = 1
    slots_per_rank: int = 0
    step_tokens: int = 8192
    batch_limit: int = 64
    drafts: int = 0
    acceptance: float = 0.9
    solver: str = "greedy"
    dispatcher: str = "even"
    host_s: float = 2e-3
    drafts_s: float | None = None
    attention_domains: int = 0
    attention_dies: int = 0
    micro_batches: int = 2

    @property
    def disaggregated(self) -> bool:
        """Whether attention has dies of its own."""
        return self.attention_domains > 0

    @property
    def expert_dies(self) -> int:
        """Dies that hold experts."""
        return self.dies - self.attention_domains * self.attention_dies

    @property
    def groups(self) -> int:
        """DP groups."""
        attention = self.attention_domains * self.attention_dies
        return attention if self.disaggregated else self.dies // self.dies_per_group

    def check(self, where: str) -> None:
        """Raise ValueError, naming ``where``, if dies and groups cannot be."""
        if self.disaggregated and (self.role != "decode" or self.dies_per_group != 1):
            raise ValueError(
                f"{where}: attention_domains = {self.attention_domains} needs role = 'decode' and "
                "dies_per_group = 1"
            )
        if self.disaggregated and not 0 < self.attention_domains * self.attention_dies < self.dies:
            raise ValueError(
                f"{where}: attention_domains × attention_dies = "
                f"{self.attention_domains * self.attention_dies} breaks 0 < it < dies = {self.dies}"
            )
        if self.dies % self.dies_per_group:
            raise ValueError(
                f"{where}: dies_per_group = {self.dies_per_group} does not divide dies = "
                f"{self.dies}"
            )


@dataclass(frozen=True)
class ServingScenario:
    """Who asks, who serves, and how.

    Parameters
    ----------
    name
        For reports.
    trace
        Bundled name or path of a request trace; "generated": see ``generate``.
    executor
        Task executors.
    rate_factor
        Requests arrive so many times as fast as recorded.
    requests
        The first so many alone; 0: all.
    model, device, fabric, library, kv_format, int8_attention, jitter_sigma
        As in :class:`hardware.Operators`, :class:`hardware.Collectives` and
        :class:`hardware.faults.Jitter`.
    flops, shared_local
        Peaks that differ from the device preset's; whether shared experts are on every die, or are
        the last experts of the placement.
    generate
        Requests that are alike: ``requests``, ``prompt_tokens``, ``output_tokens``, and ``rate``
        of Poisson arrivals; without a rate all arrive at once.
    routing
        "uniform", a preset of :mod:`traces.generators`, or recordings, one a domain.
    routing_step_s
        Simulated seconds that a step of a routing preset stands for, whose drift and shifts then
        play along; ``None``: they are averaged.
    domains
        Shares of the requests by domain where the trace names none; empty: evenly.
    plane
        Of the fabric, that carries keys and values: "ub", "rdma" or "vpc".
    block_tokens
        Of the key-value cache.
    length_prediction
        "oracle"; "buckets": the bucket of 128 tokens, right in 84.9 % of requests (DeepServe,
        arXiv:2501.14417), else that of another request (our assumption); "mean" of the trace.
    telemetry_s
        Age at which reports to routers are renewed; 0: always fresh.
    sample_s
        Seconds between samples.
    warm_up_s
        Not measured.
    job, decode_job, prefill, decode, batch
        Registered schedulers: for prefill executor, decode executor, DP groups, prompts.
    ttft_s, tpot_s
        The SLO.
    fault, faults, recovery
        What fails when, what fails how often, and how the deployment recovers; docs/faults.md.
    rebalance
        When experts are placed anew, and how their weights move; ``None``: never.

    Raises
    ------
    ValueError
        If there is none to prefill or none to decode.
    """

    name: str
    trace: str
    executor: tuple[ExecutorTable, ...]
    rate_factor: float = 1.0
    requests: int = 0
    model: str = "deepseek-v3"
    device: str = "ascend-910c-die"
    fabric: str = "cloudmatrix384"
    library: str = "xccl"
    kv_format: str = "bf16"
    flops: Any = dataclasses.field(default_factory=dict)
    shared_local: bool = True
    generate: Any = dataclasses.field(default_factory=dict)
    int8_attention: float = 0.0
    jitter_sigma: float = 0.0
    routing: tuple[str, ...] = ("uniform",)
    routing_step_s: float | None = None
    domains: Any = dataclasses.field(default_factory=dict)
    plane: str = "rdma"
    block_tokens: int = 128
    length_prediction: str = "buckets"
    telemetry_s: float = 0.0
    sample_s: float = 10.0
    warm_up_s: float = 0.0
    job: Any = "least-loaded"
    decode_job: Any = "least-loaded"
    prefill: Any = "two-level"
    decode: Any = "mask-least-kv"
    batch: Any = "chunked"
    ttft_s: float = 2.0
    tpot_s: float = 0.05
    fault: tuple[Fault, ...] = ()
    faults: FaultRates | None = None
    recovery: Recovery = dataclasses.field(default_factory=Recovery)
    rebalance: RebalanceTable | None = None

    def __post_init__(self) -> None:
        roles = {one.role for one in self.executor}
        for needed in ("prefill", "decode"):
            if not roles & {needed, "both"}:
                raise ValueError(
                    f"{self.name}: no [[executor]] has role {needed!r} or 'both'; add one"
                )
        if roles == {"prefill", "both"} or roles == {"decode", "both"}:
            raise ValueError(
                f"{self.name}: executors of role 'both' beside others of one role alone; give "
                "all 'both', or prefill and decode"
            )

    @property
    def dies(self) -> int:
        """Dies of all executors."""
        return sum(one.dies * one.count for one in self.executor)


def available() -> list[str]:
    """Return the bundled scenarios."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name_or_path: str | Path) -> ServingScenario:
    """Read a bundled scenario or a TOML file.

    Raises
    ------
    ValueError
        Naming file and key of what is unknown, missing or impossible.
    """
    path = preset.find_file("serving scenario", FOLDER, name_or_path)
    required = ("name", "trace", "executor")
    values = preset.checked(
        str(path), preset.parse(path), CHECKS, frozenset(set(CHECKS) - set(required))
    )
    tables = []
    for number, table in enumerate(values["executor"]):
        where = f"{path}: executor {number}"
        optional = frozenset(set(EXECUTOR_CHECKS) - {"role", "dies"})
        tables.append(ExecutorTable(**preset.checked(where, table, EXECUTOR_CHECKS, optional)))
        tables[-1].check(where)
    if values["trace"] == "generated":
        given = values.get("generate", {})
        preset.checked(f"{path}: generate", given, GENERATE_CHECKS, frozenset({"rate"}))
    routing = values.get("routing", "uniform")
    values["routing"] = (routing,) if isinstance(routing, str) else tuple(routing)
    values["executor"] = tuple(tables)
    values["fault"] = parse_faults(values.get("fault", []), f"{path}: fault")
    if "faults" in values:
        values["faults"] = parse_rates(values["faults"], f"{path}: faults")
    values["recovery"] = parse_recovery(values.get("recovery", {}), f"{path}: recovery")
    values.pop("plan", None)  # the axes of a search; evaluation.serving.plan.axes reads them
    if "rebalance" in values:
        values["rebalance"] = parse_rebalance(values["rebalance"], f"{path}: rebalance")
    return ServingScenario(**values)
