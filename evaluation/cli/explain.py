"""`podlab explain`: why one placement takes longer than another."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors

if TYPE_CHECKING:
    import lb
    from evaluation.replay.judged_window import JudgedWindow
    from evaluation.replay.scenario import Scenario
    from evaluation.step.executor import StepExecutor

#: Steps of a window of a trace where neither a scenario nor --window says.
WINDOW_STEPS = 8
#: Steps of a trace's window that are priced where --steps does not say.
MOST_STEPS = 64

Before = Annotated[
    str,
    typer.Argument(
        help="Placement file, or a solver that sees the windows before; NAME@4: 4 slots per rank."
    ),
]
After = Annotated[
    str, typer.Argument(help="The other placement. A solver gets BEFORE as its current placement.")
]
Trace = Annotated[
    str | None, typer.Argument(help="Trace file or name. [default: the scenario's traffic]")
]
ScenarioName = Annotated[
    str | None, typer.Option(help="Scenario of the suite; other options override its values.")
]
Ranks = Annotated[
    int | None, typer.Option(help="Ranks of the EP group. [default: stated by a file]")
]
Slots = Annotated[
    int | None, typer.Option(help="Slots per rank, for solvers. [default: those of a file]")
]
Window = Annotated[
    int | None,
    typer.Option(
        help=f"Steps of a window. [default: the scenario's, {WINDOW_STEPS} of a bare trace]"
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Steps of the window to price: sampled ones of a workload, evenly spaced ones of a "
        f"trace. [default: the scenario's sample; at most {MOST_STEPS} of a trace]",
    ),
]
Top = Annotated[int, typer.Option(min=1, help="Rows of each table.")]


def explain(
    before: Before,
    after: After,
    trace: Trace = None,
    suite: options.Suite = "default",
    scenario: ScenarioName = None,
    model: Annotated[str | None, options.MODEL] = None,
    device: Annotated[str | None, options.DEVICE] = None,
    fabric: Annotated[str | None, options.FABRIC] = None,
    library: Annotated[str | None, options.LIBRARY] = None,
    ranks: Ranks = None,
    slots: Slots = None,
    window: Window = None,
    step_tokens: options.StepTokens = None,
    phase: Annotated[str | None, typer.Option(help="decode or prefill.")] = None,
    kv_tokens: Annotated[float | None, options.KV_TOKENS] = None,
    dispatcher: Annotated[str | None, options.DISPATCHER] = None,
    at: options.At = None,
    steps: Steps = None,
    top: Top = 5,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Explain which layers, ranks, links and experts make a step faster or slower.

    Without TRACE, the first scenario of --suite is used, or the one that --scenario names. With
    TRACE alone, the trace names the model, and --ranks gives the size of the machine. One window
    is priced, --at; solvers see those before it, as in a suite.
    """
    values = {
        **{"model": model, "device": device, "fabric": fabric, "library": library},
        **{"num_ranks": ranks, "slots_per_rank": slots, "window_steps": window},
        **{"step_tokens": step_tokens, "phase": phase, "kv_tokens": kv_tokens},
        **{"dispatcher": dispatcher, "trace": trace},
    }
    changes = {name: value for name, value in values.items() if value is not None}
    with usage_errors():
        _check(changes)
        if scenario is not None or trace is None:
            replayed = _of_suite(suite, scenario, changes)
        else:
            replayed = _of_trace(changes, [before, after])
        report = _explain(replayed, (before, after), seed, at, steps, top)
    _print(report, as_json)


def _explain(
    scenario: "Scenario",
    names: tuple[str, str],
    seed: int,
    at: int | None,
    steps: int | None,
    top: int,
) -> dict[str, Any]:
    """Return the report on two placements on a window of a scenario."""
    import lb
    from evaluation.analysis import explanation_report
    from evaluation.analysis.explanation import explain as explanation_of

    scenario.check()
    judged = _window(scenario, seed, at, steps)
    executor = scenario.executor()
    before = _placement(names[0], scenario, judged, executor, seed, None)
    after = _placement(names[1], scenario, judged, executor, seed, before)
    fabric = executor.collectives.fabric
    dispatcher = lb.configured(scenario.dispatcher, fabric.ranks_per_node)
    explanation = explanation_of(
        executor, before, after, judged.window, dispatcher, scenario.migration_bytes_per_s
    )
    report = explanation_report.report(explanation, fabric, *names, top)
    window = explanation_report.window(judged, scenario)
    return {"window": window, **report, "scenario": dataclasses.asdict(scenario)}


def _window(scenario: "Scenario", seed: int, at: int | None, steps: int | None) -> "JudgedWindow":
    """Return the window that is judged, with as many priced steps as --steps says."""
    from evaluation.replay.judged_window import judged_window, thinned

    if scenario.workload:
        if steps is not None:
            scenario = dataclasses.replace(scenario, sampled_steps=steps)
        return judged_window(scenario, seed, at)
    judged = judged_window(scenario, seed, at)
    window = thinned(judged.window, MOST_STEPS if steps is None else steps)
    return dataclasses.replace(judged, window=window)


def _check(changes: dict[str, Any]) -> None:
    """Check options by the rules for the keys of a suite."""
    from evaluation.replay.scenario_keys import CHECKS

    for name, value in changes.items():
        if problem := CHECKS[name](value):
            raise ValueError(f"{name} = {value!r}: {problem}")


def _of_suite(suite: str, scenario: str | None, changes: dict[str, Any]) -> "Scenario":
    """Return the scenario of a suite, with the changes that options make."""
    import traces
    from evaluation.kinds import suite_file

    base = suite_file.first_of(suite_file.load(suite), scenario)
    if "window_steps" in changes:
        base = _in_steps(base)
    if "trace" not in changes:
        if base.workload and "phase" in changes:
            raise ValueError(
                f"--phase is for traces; each step of {', '.join(base.workload)} has its own"
            )
        return dataclasses.replace(base, **changes)
    whole_steps = getattr(traces.open(changes["trace"], "routing"), "kind", "routing") == "routing"
    kept: dict[str, Any] = {"step_tokens": None if whole_steps else base.step_tokens}
    if base.workload:
        # the machine stays; what cuts a workload into windows goes with it
        kept |= {"workload": (), "window_s": None, "windows": None, "change_window": None}
        kept["window_steps"] = base.window_steps or WINDOW_STEPS
    return dataclasses.replace(base, **{**kept, **changes, "trace": (changes["trace"],)})


def _in_steps(scenario: "Scenario") -> "Scenario":
    """Return a scenario whose windows are counted in steps, for another length of them.

    The number of windows, and the one in which the mixture changes, hold for the old length. The
    second of two workloads still begins after as many windows.
    """
    in_steps = dataclasses.replace(scenario, window_s=None)
    if len(scenario.workload) > 1:
        return in_steps
    return dataclasses.replace(in_steps, windows=None, change_window=None)


def _of_trace(options: dict[str, Any], names: list[str]) -> "Scenario":
    """Return a scenario from options alone; placement files fill what the options leave out."""
    import traces
    from evaluation.files.placement_file import names_placement_file, read_placement
    from evaluation.replay.scenario import Scenario

    trace = traces.open(options["trace"], "routing")
    files = [name for name in names if names_placement_file(name)]
    ranks = options.get("num_ranks") or _ranks_of(files)
    if ranks is None:
        raise ValueError("how many ranks are there? give --ranks, or a --scenario of --suite")
    own_slots = [slots for _, slots in map(_solver, names) if slots is not None]
    if "slots_per_rank" not in options and not files and not own_slots:
        raise ValueError("how many slots has a rank? give --slots, or a --scenario of --suite")
    slots = options.get("slots_per_rank") or max(own_slots, default=0)
    slots = slots or read_placement(files[0], ranks).slots_per_rank
    defaults = {
        **{"id": options["trace"], "model": trace.model},
        **{"num_ranks": ranks, "slots_per_rank": slots, "window_steps": WINDOW_STEPS},
    }
    return Scenario(**{**defaults, **options, "trace": (options["trace"],)})


def _ranks_of(files: list[str]) -> int | None:
    """Return the number of ranks from the first file that has it."""
    from evaluation.files.placement_file import read_slot_map

    numbers = (read_slot_map(Path(name)).num_ranks for name in files)
    return next((ranks for ranks in numbers if ranks is not None), None)


def _solver(name: str) -> tuple[str, int | None]:
    """Return the name of a solver, and its slots per rank where NAME@SLOTS gives them."""
    spec, _, slots = name.rpartition("@")
    return (spec, int(slots)) if spec and slots.isdecimal() else (name, None)


def _placement(
    name: str,
    scenario: "Scenario",
    judged: "JudgedWindow",
    executor: "StepExecutor",
    seed: int,
    current: "lb.Placement | None",
) -> "lb.Placement":
    """Return the placement of a file, or that of a solver for the windows before."""
    from evaluation.analysis.fitted_placement import fitted_placement
    from evaluation.candidates.candidate import Candidate
    from evaluation.files.placement_file import names_placement_file, read_placement

    if names_placement_file(name):
        return read_placement(name, scenario.num_ranks)
    spec, slots = _solver(name)
    solver = Candidate(spec, seed).make()
    deployment = scenario.deployment(executor)
    if slots is not None:
        deployment = dataclasses.replace(deployment, slots_per_rank=slots)
    return fitted_placement(solver, judged, deployment, executor, current)


def _print(report: dict[str, Any], as_json: bool) -> None:
    from evaluation.analysis import explanation_table

    if as_json:
        print(json.dumps(report, indent=1))
        return
    explanation_table.render(report, table_console())
