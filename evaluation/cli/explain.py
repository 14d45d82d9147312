"""The command that explains the difference between two placements."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import refuse

if TYPE_CHECKING:
    import lb
    from evaluation.analysis.train_judge_split import Observed
    from evaluation.replay.scenario import Scenario

#: Steps of the first window where neither a scenario nor --window says.
WINDOW_STEPS = 8
WIDTH = 120


def explain(
    before: Annotated[
        str,
        typer.Argument(
            help="Placement file, or a solver fitted on the first window; NAME@4: 4 slots per rank."
        ),
    ],
    after: Annotated[
        str, typer.Argument(help="Another; a solver is told that BEFORE is in place.")
    ],
    trace: Annotated[
        str | None, typer.Argument(help="A bundled trace or a file. [default: the scenario's]")
    ] = None,
    suite: Annotated[str, typer.Option(help="A bundled suite, or a .toml file.")] = "default",
    scenario: Annotated[
        str | None, typer.Option(help="Scenario that says what else is not given.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Preset. [default: the trace's]")] = None,
    device: Annotated[str | None, typer.Option(help="Preset.")] = None,
    fabric: Annotated[str | None, typer.Option(help="Preset.")] = None,
    library: Annotated[str | None, typer.Option(help="Preset of collectives.")] = None,
    ranks: Annotated[int | None, typer.Option(help="EP size. [default: what a .json says]")] = None,
    slots: Annotated[
        int | None, typer.Option(help="Slots a rank, for solvers. [default: those of a file]")
    ] = None,
    window: Annotated[
        int | None, typer.Option(help=f"Steps of the first window. [default: {WINDOW_STEPS}]")
    ] = None,
    step_tokens: Annotated[
        int | None, typer.Option(help="Tokens a step, for traces recorded token by token.")
    ] = None,
    phase: Annotated[str | None, typer.Option(help="decode or prefill.")] = None,
    kv_tokens: Annotated[float | None, typer.Option(help="Context of each token.")] = None,
    dispatcher: Annotated[str | None, typer.Option(help="Who splits over replicas.")] = None,
    steps: Annotated[int, typer.Option(help="Judge so many steps after the window at most.")] = 64,
    top: Annotated[int, typer.Option(min=1, help="Rows of each table.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of solvers that draw lots.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which layers, ranks, links and experts make a step faster or slower.

    Without TRACE, a scenario of --suite is taken. With it, --scenario says what options do not, or
    else the trace names the model and --ranks the machine's size.
    """
    import lb
    from evaluation.analysis import explain_data
    from evaluation.analysis.explain import explain as compare
    from evaluation.analysis.train_judge_split import observe

    stated = {
        **{"model": model, "device": device, "fabric": fabric, "library": library},
        **{"num_ranks": ranks, "slots_per_rank": slots, "window_steps": window},
        **{"step_tokens": step_tokens, "phase": phase, "kv_tokens": kv_tokens},
        **{"dispatcher": dispatcher, "trace": trace},
    }
    given = {name: value for name, value in stated.items() if value is not None}
    try:
        _check(given)
        if scenario is not None or trace is None:
            taken = _of_suite(suite, scenario, given)
        else:
            taken = _of_trace(given, [before, after])
        taken.check()
        recorded = taken.load_trace()
        taken.check_trace(recorded)
        observed = observe(recorded, taken.window_steps, steps)
        first = _placement(before, taken, observed, seed, None)
        second = _placement(after, taken, observed, seed, first)
        executor = taken.executor()
        nodes = executor.collectives.fabric.ranks_per_node
        split = lb.configured(taken.dispatcher, nodes)
        told = compare(executor, first, second, observed, split)
    except (ValueError, OSError) as error:
        refuse(error)
    report = explain_data.report(told, executor.collectives.fabric, before, after, top)
    report["scenario"] = dataclasses.asdict(taken)
    _print(report, as_json)


def _check(given: dict[str, Any]) -> None:
    """Hold options against the rules of a suite's keys."""
    from evaluation.replay.scenario import CHECKS

    for name, value in given.items():
        if said := CHECKS[name](value):
            raise ValueError(f"{name} = {value!r}: {said}")


def _of_suite(suite: str, scenario: str | None, given: dict[str, Any]) -> "Scenario":
    """Return the scenario, options going before what it says."""
    import traces
    from evaluation.kinds import suite as suites

    base = suites.first_of(suites.load(suite), scenario)
    if "trace" not in given:
        return dataclasses.replace(base, **given)
    whole_steps = getattr(traces.open(given["trace"], "routing"), "kind", "routing") == "routing"
    kept = {"step_tokens": None if whole_steps else base.step_tokens}
    return dataclasses.replace(base, **{**kept, **given, "trace": (given["trace"],)})


def _of_trace(given: dict[str, Any], names: list[str]) -> "Scenario":
    """Return a scenario of options alone; the files say what the options leave out."""
    import traces
    from evaluation.files.placement_file import names_placement_file, read_placement
    from evaluation.replay.scenario import Scenario

    recorded = traces.open(given["trace"], "routing")
    files = [name for name in names if names_placement_file(name)]
    ranks = given.get("num_ranks") or _stated_ranks(files)
    if ranks is None:
        raise ValueError("how many ranks are there? give --ranks, or a --scenario of --suite")
    own = [slots for _, slots in map(_solver, names) if slots is not None]
    if "slots_per_rank" not in given and not files and not own:
        raise ValueError("how many slots has a rank? give --slots, or a --scenario of --suite")
    slots = given.get("slots_per_rank") or max(own, default=0)
    slots = slots or read_placement(files[0], ranks).slots_per_rank
    defaults = {
        **{"id": "options", "model": recorded.model},
        **{"num_ranks": ranks, "slots_per_rank": slots, "window_steps": WINDOW_STEPS},
    }
    return Scenario(**{**defaults, **given, "trace": (given["trace"],)})


def _stated_ranks(files: list[str]) -> int | None:
    """Return the ranks that the first of the files to state them states."""
    from evaluation.files.placement_file import read_slot_map

    stated = (read_slot_map(Path(name)).num_ranks for name in files)
    return next((ranks for ranks in stated if ranks is not None), None)


def _solver(name: str) -> tuple[str, int | None]:
    """Return a solver's own name, and its slots a rank where NAME@SLOTS says them."""
    spec, _, slots = name.rpartition("@")
    return (spec, int(slots)) if spec and slots.isdecimal() else (name, None)


def _placement(
    name: str,
    scenario: "Scenario",
    observed: "Observed",
    seed: int,
    current: "lb.Placement | None",
) -> "lb.Placement":
    """Read a placement, or let a solver give one for the first window."""
    import lb
    from evaluation.candidates.candidate import Candidate
    from evaluation.files.placement_file import names_placement_file, read_placement

    if names_placement_file(name):
        return read_placement(name, scenario.num_ranks)
    spec, slots = _solver(name)
    solver = Candidate(spec, seed).make()
    deployment = scenario.deployment(scenario.executor())
    problem = lb.Problem(
        observed.seen[None],
        deployment.num_ranks,
        deployment.slots_per_rank if slots is None else slots,
        ranks_per_node=deployment.ranks_per_node,
        expert_groups=deployment.expert_groups,
        dispatcher=scenario.dispatcher,
    )
    fits = current is not None and current.physical_to_logical.shape[1] == problem.num_slots
    return lb.solve(problem.replace(current=current) if fits else problem, solver)


def _print(report: dict[str, Any], as_json: bool) -> None:
    from rich.console import Console

    from evaluation.analysis import explain_view

    if as_json:
        print(json.dumps(report, indent=1))
        return
    console = Console()
    wide = console.width if console.is_terminal else max(console.width, WIDTH)
    explain_view.render(report, Console(width=wide))
