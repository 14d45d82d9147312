"""A serving scenario: requests, task executors, schedulers; read from one TOML file."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.random_faults import FaultRates
from evaluation.serving.faults.recovery import Recovery
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.executor_table import ExecutorTable, parse_executor
from evaluation.serving.scenario.fault_table import parse_faults, parse_rates
from evaluation.serving.scenario.rebalance_table import RebalanceTable, parse_rebalance
from evaluation.serving.scenario.recovery_table import parse_recovery
from evaluation.serving.scenario.routing_source import check_source, located, name_or_table
from hardware import preset

FOLDER = Path(__file__).parent.parent / "scenarios"


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
    "workload": preset.text,
    "routing": name_or_table,
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

GENERATE_CHECKS: dict[str, preset.Check] = {
    "requests": preset.count_from_one,
    "prompt_tokens": preset.count_from_one,
    "output_tokens": preset.count_from_one,
    "rate": preset.positive,
}


@dataclass(frozen=True)
class ServingScenario:
    """Requests, task executors and schedulers of one serving simulation.

    Parameters
    ----------
    name
        Title in reports.
    trace
        Bundled name or path of a request trace; "generated": see ``generate``; empty with a
        workload.
    executor
        Task executors.
    workload
        Workload whose requests and routing are used, bundled or a ``.toml`` file
        (docs/workloads.md); empty: ``trace`` and ``routing``. Repetition n of it has seed n. Task
        executors form their own steps, so that its batching is not used.
    rate_factor
        Factor on the recorded arrival rate.
    requests
        Number of requests to use, the first ones; 0: all.
    model, device, fabric, library, kv_format, int8_attention, jitter_sigma
        As in :class:`hardware.Operators`, :class:`hardware.Collectives` and
        :class:`hardware.faults.Jitter`.
    flops, shared_local
        Peaks that differ from the device preset's; whether shared experts are on every die, or are
        the last experts of the placement.
    generate
        Requests of one length: ``requests``, ``prompt_tokens``, ``output_tokens``, and ``rate``
        of Poisson arrivals; without a rate all arrive at once.
    routing
        "uniform", a preset of :mod:`traces.generators` or of its loads, recordings, one for each
        domain, or a table as the [routing] of a workload.
    routing_step_s
        Simulated seconds of one step of a law, so that its drift and shifts happen during the
        simulation; ``None``: the law stands still where it begins.
    domains
        Shares of the requests by domain, instead of those that the requests name; empty: these, or
        even shares of the domains that the routing tells apart.
    plane
        Plane of the fabric that carries keys and values: "ub", "rdma" or "vpc".
    block_tokens
        Tokens in a block of the key-value cache.
    length_prediction
        "oracle"; "buckets": the bucket of 128 tokens, right in 84.9 % of requests (DeepServe,
        arXiv:2501.14417), else that of another request (our assumption); "mean" of the trace.
    telemetry_s
        Age at which reports to routers are renewed; 0: always fresh.
    sample_s
        Seconds between samples.
    warm_up_s
        Seconds at the beginning that are not measured.
    job, decode_job, prefill, decode, batch
        Registered schedulers that choose the prefill executor, the decode executor, the DP group
        for prefill, the DP group for decode, and the prompts of a step.
    ttft_s, tpot_s
        The SLO.
    fault, faults, recovery
        Scheduled faults, rates of random faults, and rules of recovery; see docs/faults.md.
    rebalance
        When experts are placed anew, and how their weights move; ``None``: never.

    Raises
    ------
    ValueError
        If no executor prefills or none decodes.
    """

    name: str
    trace: str
    executor: tuple[ExecutorTable, ...]
    workload: str = ""
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
    routing: tuple[str, ...] | Mapping[str, Any] = ("uniform",)
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
                f"{self.name}: executors of role 'both' and of a single role are mixed; give "
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
    required = ("name", "executor")
    values = preset.checked(
        str(path), preset.parse(path), CHECKS, frozenset(set(CHECKS) - set(required))
    )
    values["executor"] = tuple(
        parse_executor(table, f"{path}: executor {number}")
        for number, table in enumerate(values["executor"])
    )
    check_source(str(path), values)
    if values["trace"] == "generated":
        generate = values.get("generate", {})
        preset.checked(f"{path}: generate", generate, GENERATE_CHECKS, frozenset({"rate"}))
    routing = values.get("routing", "uniform")
    if isinstance(routing, dict):
        values["routing"] = located(routing, path.parent)
    else:
        values["routing"] = (routing,) if isinstance(routing, str) else tuple(routing)
    values["fault"] = parse_faults(values.get("fault", []), f"{path}: fault")
    if "faults" in values:
        values["faults"] = parse_rates(values["faults"], f"{path}: faults")
    values["recovery"] = parse_recovery(values.get("recovery", {}), f"{path}: recovery")
    values.pop("plan", None)  # the axes of a search; evaluation.serving.plan.axes reads them
    if "rebalance" in values:
        values["rebalance"] = parse_rebalance(values["rebalance"], f"{path}: rebalance")
    return ServingScenario(**values)
