"""A workload as a TOML file."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import traces
from traces.workload.batching import ContinuousBatching
from traces.workload.draws import drawn
from traces.workload.engine_workload import EngineWorkload
from traces.workload.recording_workload import RecordingWorkload
from traces.workload.request_tables import Locate, requests_of
from traces.workload.routing_tables import routing_of
from traces.workload.tables import checked_table, made, needed
from traces.workload.workload import Workload

KEYS = ("seed", "start_s", "requests", "routing", "batching", "recording")


def load(path: str | Path, draw: int = 0) -> EngineWorkload:
    """Read a workload from a TOML file; docs/workloads.md explains the keys.

    Names of traces and laws that are files are looked for beside it.

    Parameters
    ----------
    path
        Of the file.
    draw
        Number of an independent repetition, see :func:`traces.workload.draws.drawn`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, if it holds no workload.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")

    def locate(name: str) -> str | Path:
        beside = path.parent / name
        return beside if beside.is_file() else name

    try:
        return workload_of(drawn(tomllib.loads(text), draw), locate)
    except ValueError as error:  # TOMLDecodeError is such
        raise ValueError(f"{path}: {error}") from None


def workload_of(value: Any, locate: Locate = str) -> EngineWorkload:
    """Return the workload of a table, as :func:`load` reads it.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value is out of its range.
    """
    table = checked_table(value, "the workload", KEYS)
    if "recording" in table:
        return _recording(table, locate)
    known = [field.name for field in fields(ContinuousBatching)]
    batching = checked_table(needed(table, "batching", "the workload"), "batching", known)
    given = {
        "requests": requests_of(needed(table, "requests", "the workload"), locate),
        "routing": routing_of(needed(table, "routing", "the workload"), locate),
        "batching": made(ContinuousBatching, batching, "batching"),
    }
    given |= {key: table[key] for key in ("seed", "start_s") if key in table}
    workload: EngineWorkload = made(Workload, given, "the workload")
    return workload


def _recording(table: dict[str, Any], locate: Locate) -> EngineWorkload:
    for key in table:
        if key not in ("recording", "seed"):
            raise ValueError(f"{key} has no effect beside recording; leave it out")
    entry = checked_table(table["recording"], "recording", ("trace", "step_s"))
    trace = traces.load(locate(needed(entry, "trace", "recording")), "routing")
    if isinstance(trace, traces.TokenTrace):
        raise ValueError(f"recording: {trace!r} has no engine steps; compose it: routing.recorded")
    has_times = trace.time_s is not None
    step_s = entry.get("step_s") if has_times else needed(entry, "step_s", "recording")
    given = {"recording": trace, "time_s": step_s}
    workload: EngineWorkload = made(
        RecordingWorkload, given | {"seed": table.get("seed", 0)}, "recording"
    )
    return workload
