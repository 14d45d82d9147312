"""`podlab explain`: why one placement takes longer than another."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import explained_scenario, options
from evaluation.cli.explained_scenario import WINDOW_S, WINDOW_STEPS
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors

if TYPE_CHECKING:
    import lb
    from evaluation.replay.judged_window import JudgedWindow
    from evaluation.replay.scenario import Scenario
    from evaluation.step.executor import StepExecutor

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
Workload = Annotated[
    str | None,
    typer.Option(help="Workload, bundled or a .toml file. [default: the scenario's traffic]"),
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
        help="Steps of a window. [default: the scenario's; of a bare trace "
        f"{WINDOW_STEPS}, of a bare workload {WINDOW_S:g} s]"
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
    workload: Workload = None,
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

    Traffic and machine are those of the first scenario of --suite, or of the one that --scenario
    names. TRACE or --workload alone is on a machine of --ranks; a workload needs --model, too. One
    window is priced, --at; solvers see those before it, as in a suite.
    """
    values = {
        **{"model": model, "device": device, "fabric": fabric, "library": library},
        **{"num_ranks": ranks, "slots_per_rank": slots, "window_steps": window},
        **{"consecutive_tokens": step_tokens, "phase": phase, "kv_tokens": kv_tokens},
        **{"dispatcher": dispatcher, "trace": trace, "workload": workload},
    }
    changes = {name: value for name, value in values.items() if value is not None}
    with usage_errors():
        explained_scenario.check(changes)
        if scenario is not None or (trace is None and workload is None):
            replayed = explained_scenario.of_suite(suite, scenario, changes)
        else:
            replayed = explained_scenario.of_options(changes, (before, after))
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
        executor,
        before,
        after,
        judged.window,
        dispatcher,
        scenario.migration_bytes_per_s,
        scenario.migration_pause_s,
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
    spec, slots = explained_scenario.solver_and_slots(name)
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
