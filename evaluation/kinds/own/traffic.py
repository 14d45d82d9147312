"""The workload of a recording: which requests arrive, how steps are formed, and how they route."""

import json
from dataclasses import dataclass
from typing import Any

from evaluation.kinds.own.recording import OwnRecording
from evaluation.kinds.own.setup import OwnSetup
from evaluation.kinds.own.window import WINDOW_S
from evaluation.replay.scenario import Scenario
from hardware import Model
from traces.generators.loads import Condition
from traces.generators.loads.sequences import MIXED_CORRELATION

#: Windows that are composed, the observed first one included.
WINDOWS = 10
#: Tokens of a step on a rank, as in the bundled workloads r1-decode-ep32 and r1-prefill-ep32.
TOKENS_PER_RANK = {"decode": 96, "prefill": 8192}
#: Mean lengths of requests where the name of a recording states none. Assumptions of ours.
PROMPT_TOKENS = {"decode": 1000, "prefill": 2000}
OUTPUT_TOKENS = 800
#: Part of the batch that requests fill.
FILLED = 0.95
#: Layers that are replayed of a recording with more than ``ALL_LAYERS``, another sample for each
#: seed.
LAYERS, ALL_LAYERS = 12, 16
#: Most requests of a workload, some 100 bytes each.
MOST_REQUESTS = 5_000_000
#: Kinds of sequences of each condition.
KINDS = 8


@dataclass(frozen=True)
class Traffic:
    """Numbers that the workload of a recording is made of.

    Parameters
    ----------
    tokens_per_rank
        Of a step.
    prompt_tokens, output_tokens
        Means over requests.
    step_s
        Nominal seconds of a step.
    kv_tokens
        Tokens of context that a token attends to, on average.
    """

    tokens_per_rank: int
    prompt_tokens: int
    output_tokens: int
    step_s: float
    kv_tokens: int


def traffic_of(recording: OwnRecording, setup: OwnSetup) -> Traffic:
    """Return the traffic of a recording: as recorded, or by assumption where it does not say.

    Raises
    ------
    ValueError
        If a preset is unknown, or the fabric has not so many ranks.
    """
    phase = recording.phase
    recorded = recording.tokens_per_rank(setup.num_ranks)
    tokens = setup.tokens_per_rank or recorded or TOKENS_PER_RANK[phase]
    prompt, output = _lengths(recording)
    kv_tokens = prompt // 2 if phase == "prefill" else prompt + output // 2
    step_s = recording.step_s or _nominal_step_s(recording, setup, tokens, kv_tokens)
    return Traffic(tokens, prompt, output, step_s, kv_tokens)


def workload_text(recording: OwnRecording, setup: OwnSetup, traffic: Traffic) -> str:
    """Return the workload of a recording as TOML.

    Raises
    ------
    ValueError
        If it would take too many requests.
    """
    if recording.kind == "steps":
        times = {} if recording.step_s else {"step_s": traffic.step_s}
        return table("[recording]", {"trace": str(recording.path), **times})
    requests = traffic.tokens_per_rank * setup.num_ranks
    is_prefill = recording.phase == "prefill"
    if is_prefill:
        per_request, start_s = traffic.prompt_tokens, 12 * traffic.step_s
        # more prompts wait than a step computes, so that it is full
        running = max(2, 4 * round(requests / per_request))
        batching: dict[str, Any] = {
            "stage": "prefill",
            "sequences": running,
            "prefill_tokens": requests,
            "prefill_step_s": traffic.step_s,
        }
    else:
        # six times as long as a request runs: the batch is full by then
        per_request, start_s = traffic.output_tokens, 6 * traffic.output_tokens * traffic.step_s
        batching = {"sequences": requests, "step_s": traffic.step_s}
    rate = FILLED * requests / (per_request * traffic.step_s)
    count = max(1, round(rate * (start_s + 1.1 * WINDOWS * window_s(setup, traffic))))
    if count > MOST_REQUESTS:
        raise ValueError(
            f"{recording.name}: {WINDOWS} windows of {window_s(setup, traffic):g} s take {count:,} "
            f"requests > {MOST_REQUESTS:,}; give shorter windows (--window-s) or fewer tokens "
            "(--tokens-per-rank)"
        )
    arriving = {
        "count": count,
        "arrivals.rate": float(f"{rate:.4g}"),
        "lengths.prompt_mean": traffic.prompt_tokens,
        "lengths.output_mean": traffic.output_tokens,
        "lengths.prompt_sigma": 0.8,
        "lengths.output_sigma": 0.8,
        "domain": recording.name,
    }
    tables = [
        f"start_s = {start_s:.4g}\n",
        table("[batching]", batching),
        table("[requests]", arriving),
        _routing(recording),
    ]
    return "\n".join(tables)


def window_s(setup: OwnSetup, traffic: Traffic) -> float:
    """Return the seconds of a composed window."""
    if setup.window_steps is not None:
        return setup.window_steps * traffic.step_s
    return setup.window_s or WINDOW_S


def table(heading: str, values: dict[str, Any]) -> str:
    """Return a table as TOML, in which JSON writes strings, numbers and lists alike."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([heading, *lines, ""])


def sampled_layers(recording: OwnRecording) -> int:
    """Return the layers that are replayed."""
    drawn = recording.kind == "totals" and recording.layers > ALL_LAYERS
    return LAYERS if drawn else recording.layers


def _routing(recording: OwnRecording) -> str:
    trace = str(recording.path)
    if recording.kind == "tokens":
        return table("[routing.recorded]", {json.dumps(recording.name): trace})
    layers = sampled_layers(recording)
    options: dict[str, Any] = {} if layers == recording.layers else {"layers": layers}
    # how alike the tokens of a request are: docs/generating.md, "Requests are alike"
    options |= {"sequence_correlation": MIXED_CORRELATION, "sequence_kinds": KINDS}
    entry = {"trace": trace}
    if recording.judged is not None:
        entry["judged"] = str(recording.judged)
    return table("[routing]", options) + "\n" + table("[[routing.conditions]]", entry)


def _lengths(recording: OwnRecording) -> tuple[int, int]:
    """Return the mean lengths of requests: those in the name, or by assumption."""
    try:
        named = Condition.parse(recording.name)
    except ValueError:
        named = Condition(recording.phase)
    prompt = named.prompt_tokens or PROMPT_TOKENS[recording.phase]
    return prompt, named.output_tokens or OUTPUT_TOKENS


def _nominal_step_s(
    recording: OwnRecording, setup: OwnSetup, tokens_per_rank: int, kv_tokens: int
) -> float:
    """Return the price of a step of all MoE layers under perfect balance."""
    assert recording.load is not None  # workloads have steps of their own
    scenario = Scenario(
        "nominal",
        (),
        recording.model,
        setup.num_ranks,
        setup.slots_per_rank(recording.experts),
        0,
        device=setup.device,
        fabric=setup.fabric,
        phase=recording.phase,
        kv_tokens=kv_tokens,
    )
    tokens = tokens_per_rank * setup.num_ranks
    share = recording.load / recording.load.sum(axis=1, keepdims=True)
    counts = share * tokens * recording.top_k
    step = scenario.executor().ideal(counts, setup.num_ranks, tokens)
    every = Model.preset(recording.model).moe_layers / recording.layers
    return float(f"{step.total * every:.3g}")
