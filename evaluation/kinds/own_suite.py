"""A suite on a user's own recordings, written as files that can be edited."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import traces
from evaluation.kinds import suite_file
from evaluation.kinds.suite import Suite
from hardware import Model
from hardware.preset import available

#: Windows of a recording of engine steps.
RECORDED_WINDOWS = 12
#: Recorded steps from which a file is replayed as the steps of an engine. Of fewer the totals
#: count: windows of less than 500 steps would make a rebalance dearer than it is.
ENGINE_STEPS = 500 * RECORDED_WINDOWS
#: Windows of a change, and how many of them come before it.
WINDOWS, CHANGE = 10, 4
#: Seconds of a step of a recording that has no times: decode of some 96 tokens a die.
STEP_S = 0.06
#: Settings of composed steps are those of the bundled workloads r1-decode-ep32, r1-prefill-ep32.
DECODE_SEQUENCES, OUTPUT_TOKENS, DECODE_KV = 96, 800, 1400
PREFILL_TOKENS, PREFILL_STEP_S, PROMPT_TOKENS, PREFILL_KV = 8192, 2.5, 2000, 1000


@dataclass(frozen=True)
class OwnRecording:
    """A file of the user, and what its workload is made of.

    Parameters
    ----------
    name
        Stem of the file.
    path
        Of the file.
    kind
        "recording": steps of an engine. "recorded": tokens, walked sequence by sequence.
        "conditions": totals, whose shares are the chances of tokens.
    phase, model, experts, top_k, steps, has_times
        As the trace has them.
    """

    name: str
    path: Path
    kind: str
    phase: str
    model: str
    experts: int
    top_k: int
    steps: int
    has_times: bool


def own_suite(
    folder: Path,
    files: Sequence[str],
    ranks: int = 32,
    slots: int | None = None,
    model: str | None = None,
) -> Suite:
    """Write a suite on recordings and its workloads into a folder, and return it.

    Every recording is judged in a steady state. From each recording to the next one there is a
    change of mixture.

    Parameters
    ----------
    folder
        Where ``suite.toml`` and a workload for each recording are written.
    files
        Traces of any format that podlab reads.
    ranks, slots
        Of the EP group; by default one slot a rank more than experts need.
    model
        Preset; by default the one that the recordings name.

    Raises
    ------
    ValueError
        If a file is no routing trace, no preset has its model, or slots do not divide over ranks.
    """
    recordings = _alike([_read(file) for file in files])
    first = recordings[0]
    names = [one.name for one in recordings]
    if len(set(names)) < len(names):
        raise ValueError(f"--trace: the files {', '.join(names)} share a name; rename one")
    slots_per_rank = math.ceil(first.experts / ranks) + 1 if slots is None else slots // ranks
    if slots is not None and slots % ranks:
        raise ValueError(f"--slots {slots} do not divide over --ranks {ranks}")
    group = {
        "model": model or _model(first),
        "num_ranks": ranks,
        "slots_per_rank": slots_per_rank,
        "history_windows": 8,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for one in recordings:
        (folder / f"{one.name}.toml").write_text(_workload(one, ranks), encoding="utf-8")
    scenarios = [_steady(one, folder) for one in recordings]
    scenarios += [_change(one, other, folder) for one, other in pairwise(recordings)]
    head = f'# Written by podlab bench --trace.\nid = "own-v1"\nseeds = {_seeds(recordings)}\n'
    tables = [_table("[[scenario]]", scenario | group) for scenario in scenarios]
    path = folder / "suite.toml"
    path.write_text("\n".join([head, *tables]), encoding="utf-8")
    return suite_file.load(path)


def _read(file: str) -> OwnRecording:
    trace: Any = traces.load(file, "routing")
    is_tokens = isinstance(trace, traces.TokenTrace)
    steps = 0 if is_tokens else int(trace.num_steps)
    kind = "recorded" if is_tokens else "recording" if steps >= ENGINE_STEPS else "conditions"
    path = Path(file).resolve() if Path(file).is_file() else Path(file)
    return OwnRecording(
        Path(file).stem,
        path,
        kind,
        trace.phase,
        trace.model,
        trace.num_experts,
        trace.top_k,
        steps,
        getattr(trace, "time_s", None) is not None,
    )


def _alike(recordings: list[OwnRecording]) -> list[OwnRecording]:
    """Return recordings of one kind: where kinds differ, counts of all of them are totals."""
    if len({one.kind for one in recordings}) == 1:
        return recordings
    return [replace(one, kind="conditions") for one in recordings]


def _model(recording: OwnRecording) -> str:
    names = available("models")
    if recording.model in names:
        return recording.model
    alike = [
        name
        for name in names
        if (Model.preset(name).experts, Model.preset(name).top_k)
        == (recording.experts, recording.top_k)
    ]
    raise ValueError(
        f"{recording.path} was recorded on {recording.model!r}, which is no preset; give --model, "
        f"such as {', '.join(alike) or 'a .toml file of your own'}"
    )


def _seeds(recordings: list[OwnRecording]) -> list[int]:
    """Return one seed for a recording of engine steps, and three for what is composed."""
    return [0] if recordings[0].kind == "recording" else [0, 1, 2]


def _window(recording: OwnRecording, windows: int) -> dict[str, Any]:
    if recording.kind == "recording":
        return {"window_steps": max(1, recording.steps // windows)}
    return {"window_s": 60.0, "windows": WINDOWS}


def _attention(recording: OwnRecording) -> dict[str, Any]:
    if recording.phase == "prefill":
        return {"phase": "prefill", "kv_tokens": PREFILL_KV}
    return {"kv_tokens": DECODE_KV}


def _steady(recording: OwnRecording, folder: Path) -> dict[str, Any]:
    return {
        "id": f"steady-{recording.name}",
        "workload": str(folder / f"{recording.name}.toml"),
        **_window(recording, RECORDED_WINDOWS),
        **_attention(recording),
    }


def _change(before: OwnRecording, after: OwnRecording, folder: Path) -> dict[str, Any]:
    window = _window(after, WINDOWS - CHANGE)
    if after.kind == "recording":
        least = min(before.steps // CHANGE, after.steps // (WINDOWS - CHANGE))
        window = {"window_steps": max(1, least), "windows": WINDOWS}
    return {
        "id": f"{before.name}-to-{after.name}",
        "workload": [str(folder / f"{one.name}.toml") for one in (before, after)],
        "change_window": CHANGE,
        **window,
        **_attention(after),
    }


def _workload(recording: OwnRecording, ranks: int) -> str:
    trace = str(recording.path)
    if recording.kind == "recording":
        times = {} if recording.has_times else {"step_s": STEP_S}
        return _table("[recording]", {"trace": trace, **times})
    is_prefill = recording.phase == "prefill"
    if is_prefill:
        start_s, per_request = 30.0, PROMPT_TOKENS
        tokens_per_s = PREFILL_TOKENS * ranks / PREFILL_STEP_S
        batching: dict[str, Any] = {
            "stage": "prefill",
            "sequences": 128 * ranks,
            "prefill_tokens": PREFILL_TOKENS * ranks,
            "prefill_step_s": PREFILL_STEP_S,
        }
    else:
        start_s, per_request = 300.0, OUTPUT_TOKENS
        tokens_per_s = DECODE_SEQUENCES * ranks / STEP_S
        batching = {"sequences": DECODE_SEQUENCES * ranks, "step_s": STEP_S}
    rate = round(0.95 * tokens_per_s / per_request, 1)
    requests: dict[str, Any] = {
        "count": round(rate * (start_s + 1.1 * 60 * WINDOWS)),
        "arrivals.rate": rate,
        "lengths.prompt_mean": PROMPT_TOKENS if is_prefill else 1000,
        "lengths.output_mean": OUTPUT_TOKENS,
        "domain": recording.name,
    }
    routing = (
        _table("[routing.recorded]", {json.dumps(recording.name): trace})
        if recording.kind == "recorded"
        else '[routing]\nsequence_correlation = 0.055 # docs/generating.md, "Requests are alike"\n'
        "sequence_kinds = 8\n\n" + _table("[[routing.conditions]]", {"trace": trace})
    )
    return "\n".join(
        [
            f"start_s = {start_s}\n",
            _table("[batching]", batching),
            _table("[requests]", requests),
            routing,
        ]
    )


def _table(heading: str, values: dict[str, Any]) -> str:
    # JSON writes strings, numbers and lists as TOML does
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([heading, *lines, ""])
