"""A suite on a user's own recordings, written as files that can be edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.kinds import suite_file
from evaluation.kinds.own.read import read
from evaluation.kinds.own.recording import OwnRecording
from evaluation.kinds.own.setup import OwnSetup
from evaluation.kinds.own.span import changes, spanning
from evaluation.kinds.own.traffic import (
    WINDOWS,
    Traffic,
    sampled_layers,
    table,
    traffic_of,
    workload_text,
)
from evaluation.kinds.own.window import WINDOW_S, window_of
from evaluation.kinds.suite import Suite
from hardware import Model

#: Windows in a steady state, the observed first one included.
STEADY_WINDOWS = 8
#: Window in which another condition begins.
CHANGE = 4
#: Repetitions of what is composed. A recording of steps has one.
SEEDS = (0, 1, 2, 3, 4)
#: As in the suites steady and shift: solvers that take seconds a call run when they are asked for.
SOLVERS = (
    "affinity",
    "auto",
    "contiguous",
    "eplb",
    "greedy",
    "incremental",
    "local-search",
    "random",
    "xdeepserve",
)
STEADY = "steady-"


@dataclass(frozen=True)
class OwnSuite:
    """A suite, and what it was made of.

    Parameters
    ----------
    suite
        Scenarios "steady-NAME" of each replayed recording, and "NAME-to-NAME" of each change.
    recordings
        All of them.
    replayed
        Those that are replayed.
    traffic
        Of each replayed recording.
    changes
        Which recording gives way to which.
    setup
        The deployment.
    """

    suite: Suite
    recordings: tuple[OwnRecording, ...]
    replayed: tuple[OwnRecording, ...]
    traffic: tuple[Traffic | None, ...]
    changes: tuple[tuple[OwnRecording, OwnRecording], ...]
    setup: OwnSetup

    @property
    def layer_factor(self) -> float:
        """MoE layers of the model for each layer that is replayed."""
        first = self.replayed[0]
        return Model.preset(first.model).moe_layers / sampled_layers(first)

    @property
    def is_one_draw(self) -> bool:
        """Whether the traffic is that of the recording alone, without repetitions."""
        return len(self.suite.seeds) == 1


def own_suite(folder: Path, files: Sequence[str], setup: OwnSetup | None = None) -> OwnSuite:
    """Write a suite on recordings and its workloads into a folder, and return it.

    Recordings are conditions of one model. Each is judged in a steady state, in which the next
    window has the same condition, and in changes from one to another.

    Parameters
    ----------
    folder
        Where ``suite.toml``, and trace and workload of each recording, are written.
    files
        Traces of podlab, files of other tools, traces of conditions, or workloads (``.toml``).
    setup
        The deployment.

    Raises
    ------
    ValueError, OSError
        If a file holds no routing, recordings are of different models, no preset has their model,
        or slots do not divide over ranks.
    """
    setup = setup or OwnSetup()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    recordings = read(files, folder, setup)
    replayed = recordings if setup.every_condition else spanning(recordings)
    traffic = [None if one.kind == "workload" else traffic_of(one, setup) for one in replayed]
    for one, numbers in zip(replayed, traffic, strict=True):
        if numbers is not None:
            _workload(one, folder).write_text(workload_text(one, setup, numbers), encoding="utf-8")
    pairs = changes(replayed)
    scenarios = _scenarios(replayed, pairs, traffic, setup, folder)
    seeds = (0,) if replayed[0].kind == "steps" else SEEDS
    head = {"id": "own-v2", "seeds": list(seeds), "solvers": list(SOLVERS)}
    tables = [table("# Written by podlab bench --trace.", head)]
    tables += [table("[[scenario]]", scenario) for scenario in scenarios]
    path = folder / "suite.toml"
    path.write_text("\n".join(tables), encoding="utf-8")
    return OwnSuite(
        suite_file.load(path),
        tuple(recordings),
        tuple(replayed),
        tuple(traffic),
        tuple(pairs),
        setup,
    )


def _workload(recording: OwnRecording, folder: Path) -> Path:
    return recording.path if recording.kind == "workload" else folder / f"{recording.name}.toml"


def _scenarios(
    replayed: Sequence[OwnRecording],
    pairs: Sequence[tuple[OwnRecording, OwnRecording]],
    traffic: Sequence[Traffic | None],
    setup: OwnSetup,
    folder: Path,
) -> list[dict[str, Any]]:
    of = dict(zip((one.name for one in replayed), traffic, strict=True))
    first = replayed[0]
    group = {
        "model": first.model,
        "device": setup.device,
        "fabric": setup.fabric,
        "num_ranks": setup.num_ranks,
        "slots_per_rank": setup.slots_per_rank(first.experts),
        "dispatcher": setup.dispatcher,
        "history_windows": 8,
    }

    def one(id: str, parts: Sequence[OwnRecording], window: dict[str, Any]) -> dict[str, Any]:
        last, numbers = parts[-1], of[parts[-1].name]
        attention = {} if numbers is None else {"kv_tokens": numbers.kv_tokens}
        return {
            "id": id,
            "workload": [str(_workload(part, folder)) for part in parts],
            **group,
            **window,
            **attention,
            "phase": last.phase,
        }

    found = [one(f"{STEADY}{each.name}", [each], _window(each, setup)) for each in replayed]
    for before, after in pairs:
        window = _change_window(before, after, setup)
        found.append(one(f"{before.name}-to-{after.name}", [before, after], window))
    return found


def _window(recording: OwnRecording, setup: OwnSetup) -> dict[str, Any]:
    if recording.kind == "steps":
        return window_of(recording, setup)
    windows = {} if recording.kind == "workload" else {"windows": STEADY_WINDOWS}
    return {**_length(setup), **windows}


def _length(setup: OwnSetup) -> dict[str, Any]:
    if setup.window_steps is not None:
        return {"window_steps": setup.window_steps}
    return {"window_s": setup.window_s or WINDOW_S}


def _change_window(before: OwnRecording, after: OwnRecording, setup: OwnSetup) -> dict[str, Any]:
    """Return windows of which the first four are of one condition, and the others of another."""
    if after.kind != "steps":
        return {**_length(setup), "windows": WINDOWS, "change_window": CHANGE}
    lengths = [window_of(one, setup) for one in (before, after)]
    if "window_steps" in lengths[0] and "window_steps" in lengths[1]:
        length = min(one["window_steps"] for one in lengths)
        numbers = [one.steps // length for one in (before, after)]
        window: dict[str, Any] = {"window_steps": length}
    else:
        window = lengths[0] if "window_s" in lengths[0] else lengths[1]
        numbers = [int(one.duration_s // window["window_s"]) for one in (before, after)]
    change = min(CHANGE, numbers[0])
    return {**window, "change_window": change, "windows": change + min(6, numbers[1])}
