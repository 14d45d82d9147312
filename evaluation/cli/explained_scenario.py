"""The scenario that `podlab explain` prices: of a suite, with changes, or of options alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.replay.scenario import Scenario

#: Length of a window where neither a scenario nor --window says: steps of a trace, and seconds of
#: a workload, the interval of xDeepServe (arXiv:2508.02520).
WINDOW_STEPS, WINDOW_S = 8, 60.0

#: What cuts a workload into windows, and holds for it alone.
NO_CUT: dict[str, Any] = {"windows": None, "change_window": None}
#: What cuts a trace into steps, and holds for it alone.
NO_STEPS: dict[str, Any] = {"consecutive_tokens": None, "steps": None, "layers": None}


def check(changes: dict[str, Any]) -> None:
    """Check options by the rules for the keys of a suite.

    Raises
    ------
    ValueError
        Naming the key, if a value is not allowed, or both trace and workload are given.
    """
    from evaluation.replay.scenario_keys import CHECKS

    for name, value in changes.items():
        if problem := CHECKS[name](value):
            raise ValueError(f"{name} = {value!r}: {problem}")
    if "trace" in changes and "workload" in changes:
        raise ValueError(f"TRACE {changes['trace']} and --workload {changes['workload']}: give one")


def of_suite(suite: str, scenario: str | None, changes: dict[str, Any]) -> "Scenario":
    """Return the scenario of a suite, with the changes that options make.

    Parameters
    ----------
    suite
        Bundled suite, or a ``.toml`` file.
    scenario
        Its id; ``None``: the first.
    changes
        Keys of :class:`evaluation.replay.scenario.Scenario` and their values.

    Raises
    ------
    ValueError
        If there is no such suite or scenario, or a change has no effect.
    """
    from evaluation.kinds import suite_file

    base = suite_file.first_of(suite_file.load(suite), scenario)
    if "trace" in changes:
        return _with_trace(base, changes)
    if "workload" in changes:
        length = {"window_steps": 0, "window_s": base.window_s or WINDOW_S}
        base = dataclasses.replace(base, **{**NO_STEPS, **NO_CUT, **length, "trace": ()})
    elif "window_steps" in changes and len(base.workload) == 1:
        # Windows are counted anew. The second of two workloads begins after as many as before.
        base = dataclasses.replace(base, **NO_CUT)
    return _changed(base, changes)


def _with_trace(base: "Scenario", changes: dict[str, Any]) -> "Scenario":
    """Return a scenario with another trace; its machine stays."""
    import traces

    name = changes["trace"]
    whole_steps = getattr(traces.open(name, "routing"), "kind", "routing") == "routing"
    kept: dict[str, Any] = {"consecutive_tokens": None if whole_steps else base.consecutive_tokens}
    if base.workload:
        kept |= {**NO_CUT, "workload": (), "window_s": None}
        kept["window_steps"] = base.window_steps or WINDOW_STEPS
    return dataclasses.replace(base, **{**kept, **changes, "trace": (name,)})


def of_options(changes: dict[str, Any], placements: Sequence[str]) -> "Scenario":
    """Return a scenario from options alone; placement files fill what the options leave out.

    Parameters
    ----------
    changes
        Keys of :class:`evaluation.replay.scenario.Scenario`, a trace or a workload among them.
    placements
        Placement files, or solvers.

    Raises
    ------
    ValueError
        If a number of ranks or slots is missing, or the model of a workload.
    """
    from evaluation.replay.scenario import Scenario

    if "trace" in changes:
        import traces

        trace = changes["trace"]
        own = {"id": trace, "model": traces.open(trace, "routing").model}
        ranks, slots = _ranks_and_slots(changes, placements)
        sizes = {"num_ranks": ranks, "slots_per_rank": slots, "window_steps": WINDOW_STEPS}
        return Scenario(**{**own, **sizes, **changes, "trace": (trace,)})
    ranks, slots = _ranks_and_slots(changes, placements)
    if "model" not in changes:
        raise ValueError("which model is the workload of? give --model, or a --scenario of --suite")
    base = Scenario(changes["workload"], (), changes["model"], ranks, slots, 0, window_s=WINDOW_S)
    return _changed(base, changes)


def _changed(base: "Scenario", changes: dict[str, Any]) -> "Scenario":
    """Return a scenario with changes; a workload among them becomes one of a tuple."""
    changes = dict(changes)
    if "workload" in changes:
        changes["workload"] = (changes["workload"],)
    workload = changes.get("workload", base.workload)
    if workload and "phase" in changes:
        raise ValueError(f"--phase is for traces; each step of {', '.join(workload)} has its own")
    if "window_steps" in changes:
        changes["window_s"] = None
    return dataclasses.replace(base, **changes)


def _ranks_and_slots(changes: dict[str, Any], placements: Sequence[str]) -> tuple[int, int]:
    """Return ranks and slots per rank that options or placement files state."""
    from evaluation.files.placement_file import names_placement_file, read_placement

    files = [name for name in placements if names_placement_file(name)]
    ranks = changes.get("num_ranks") or _ranks_of(files)
    if ranks is None:
        raise ValueError("how many ranks are there? give --ranks, or a --scenario of --suite")
    own_slots = [slots for _, slots in map(solver_and_slots, placements) if slots is not None]
    if "slots_per_rank" not in changes and not files and not own_slots:
        raise ValueError("how many slots has a rank? give --slots, or a --scenario of --suite")
    slots = changes.get("slots_per_rank") or max(own_slots, default=0)
    return ranks, slots or read_placement(files[0], ranks).slots_per_rank


def _ranks_of(files: Sequence[str]) -> int | None:
    """Return the number of ranks from the first file that has it."""
    from evaluation.files.placement_file import read_slot_map

    numbers = (read_slot_map(Path(name)).num_ranks for name in files)
    return next((ranks for ranks in numbers if ranks is not None), None)


def solver_and_slots(name: str) -> tuple[str, int | None]:
    """Return the name of a solver, and its slots per rank where NAME@SLOTS gives them."""
    spec, _, slots = name.rpartition("@")
    return (spec, int(slots)) if spec and slots.isdecimal() else (name, None)
