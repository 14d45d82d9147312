"""`podlab bench`: run a suite and print its leaderboard."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.candidates.candidate import Candidate
    from evaluation.candidates.sandbox.limits import Limits
    from evaluation.kinds.competition.competition import CompetitionTask
    from evaluation.kinds.fit import FitTask
    from evaluation.kinds.solver import Task
    from evaluation.kinds.suite import Suite
    from evaluation.records.sweep import Task as Swept

INTERRUPTED = 130
#: Kind of a suite to what its table is ranked by.
BEST = {
    "solver": "efficiency",
    "fit": "balance fitted",
    "forecast": "balance with even",
    "competition": "score",
}


def bench(
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="A registered name, or path/to/file.py:name (the name may be left out of a file "
            "with one known entry). Names choose who runs; a file runs beside the chosen ones. "
            "Repeat for several. [default: all registered]"
        ),
    ] = None,
    forecaster: Annotated[
        list[str] | None,
        typer.Option(
            help="The same of forecasters, in a suite that compares these. [default: all "
            "registered]"
        ),
    ] = None,
    suite: Annotated[str, typer.Option(help="A bundled suite, or a .toml file.")] = "default",
    out: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("podlab-records"),
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes; solve times are fairest with 1.")
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="One seed, of solvers that draw lots and of generated traces. [default: the "
            "suite's]",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Run again what is already recorded.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Run on a Ray cluster: one started here, or that of the address (auto: the one "
            "this machine belongs to).",
        ),
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, help="Tries again of a task whose process or machine died.")
    ] = 1,
    task_limit: Annotated[
        float | None, typer.Option(help="Seconds that one task may take. [default: any]")
    ] = None,
    by_scenario: Annotated[bool, typer.Option(help="One table for each scenario too.")] = False,
    svg: Annotated[
        Path | None,
        typer.Option(help="Draw scores with their intervals into this .html, .svg or .png file."),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option(help="Run solvers from files in processes of their own.")
    ] = True,
    time_limit: Annotated[
        float, typer.Option(help="Seconds for one answer of a solver from a file.")
    ] = 10.0,
    memory_limit: Annotated[
        float, typer.Option(help="MiB of memory for a solver from a file.")
    ] = 4096.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rankings as JSON instead of tables.")
    ] = False,
) -> None:
    """Replay the suite's traces through solvers, or forecasters, and print the leaderboard."""
    from evaluation.candidates.sandbox.limits import from_options
    from evaluation.kinds import suite as suites
    from evaluation.leaderboard import rank
    from evaluation.leaderboard.measures import MEASURES
    from evaluation.report import page

    how = {
        "jobs": jobs,
        "fresh": fresh,
        "ray": ray,
        "retries": retries,
        "time_limit_s": task_limit,
    }
    started = time.monotonic()
    try:
        if as_json and (svg or by_scenario):
            raise ValueError("--json prints no tables; leave --svg and --by-scenario out")
        if svg is not None:
            page.check(svg, "--svg")
        if suites.is_serving(suite):
            if solver or forecaster:
                raise ValueError(
                    "a serving suite runs all schedulers; leave --solver and --forecaster out"
                )
            _bench_serving(suite, out, seed or 0, by_scenario, svg, as_json, how)
            return
        chosen_suite = suites.load(suite)
        if seed is not None:
            chosen_suite = replace(chosen_suite, seeds=(seed,))
        for scenario in chosen_suite.scenarios:
            scenario.check()
        limits = from_options(time_limit, memory_limit) if sandbox else None
        todo = _tasks(chosen_suite, solver or [], forecaster or [], limits)
        _make_folder(out)
    except (ValueError, OSError, ImportError) as error:
        usage_error(error)
    found, interrupted = _run(todo, out, how)
    if as_json:
        result = rank(found, MEASURES[chosen_suite.kind], _wanted(chosen_suite))
        print(json.dumps(result.as_dict(), indent=1))
        ranked = bool(result.rows)
    else:
        ranked = _print(chosen_suite, found, by_scenario, svg)
    _say_kept(found, len(todo), out)
    _say_time(chosen_suite, found, time.monotonic() - started)
    _leave(ranked, interrupted)


def _make_folder(out: Path) -> None:
    """Make the folder of the records: said now, not after the first run."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)


def _leave(ranked: bool, interrupted: bool) -> None:
    """Leave with a status that says so if the run was interrupted, or nothing was ranked."""
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if not ranked:
        raise typer.Exit(1)


def _bench_serving(
    suite: str,
    out: Path,
    seed: int,
    by_scenario: bool,
    svg: Path | None,
    as_json: bool,
    how: dict[str, Any],
) -> None:
    """Rank schedulers, or recoveries, instead of solvers."""
    from rich.console import Console

    from evaluation.kinds import scheduler
    from evaluation.kinds import suite as suites
    from evaluation.leaderboard import scheduler_table
    from evaluation.leaderboard.measures import MEASURES
    from evaluation.leaderboard.stages import suite_as_dict
    from evaluation.report import leaderboard_picture

    chosen = suites.load_serving(suite)
    _make_folder(out)
    todo = scheduler.tasks(chosen, seed)
    found, interrupted = _run(todo, out, how)
    if as_json:
        stages = suite_as_dict(found, MEASURES[chosen.kind])["stages"]
        print(json.dumps({"suite": chosen.id, "stages": stages}, indent=1))
        _say_kept(found, len(todo), out)
        _leave(any(stage["rows"] for stage in stages.values()), interrupted)
        return
    console = Console(width=scheduler_table.WIDTH)
    if by_scenario:
        for name in chosen.scenarios:
            mine = [record for record in found if record["scenario"]["id"] == name]
            scheduler_table.render(mine, f"{chosen.id} · {name}", console)
            console.print()
    title = f"podlab · {chosen.id} · {len(chosen.seeds)} seeds, stage by stage"
    ranked = scheduler_table.render(found, title, console)
    if svg is not None:
        leaderboard_picture.write(found, svg, title)
    _say_kept(found, len(todo), out)
    _leave(ranked, interrupted)


def _tasks(
    suite: "Suite", solvers: list[str], forecasters: list[str], limits: "Limits | None"
) -> "Sequence[Task | FitTask | CompetitionTask]":
    """Return a task for each scenario and each of what the suite compares."""
    from evaluation.candidates.candidate import Candidate, ForecasterCandidate
    from evaluation.kinds import fit, forecast
    from evaluation.kinds import solver as runner
    from evaluation.kinds.competition import competition

    if suite.kind == "forecast":
        if solvers:
            raise ValueError(f"suite {suite.id} compares forecasters; name them by --forecaster")
        return forecast.tasks(suite, _candidates(ForecasterCandidate, forecasters))
    if forecasters:
        raise ValueError(f"suite {suite.id} compares solvers; name them by --solver")
    candidates = _candidates(Candidate, solvers, suite, limits)
    if suite.kind == "fit":
        return fit.tasks(suite, candidates)
    if suite.kind == "competition":
        return competition.tasks(suite, candidates)
    return runner.tasks(suite, candidates)


def _candidates(
    kind: "type[Candidate]",
    specs: list[str],
    suite: "Suite | None" = None,
    limits: "Limits | None" = None,
) -> "list[Candidate]":
    """Return who was asked for, else who the suite names, else all; with the suite's parameters."""

    def candidate(spec: str) -> "Candidate":
        given = suite.parameters.get(spec, {}) if suite else {}
        return kind(spec, 0, tuple(sorted(given.items())), limits)

    asked = [candidate(spec) for spec in dict.fromkeys(specs)]
    names = [one for one in asked if one.path is None]
    files = [one for one in asked if one.path is not None]
    for one in asked:
        one.make()  # a wrong name or file is said before anything runs
    usual = (suite.solvers if suite else ()) or kind.registry.available()
    return (names or [candidate(name) for name in usual]) + files


def _run(
    todo: "Sequence[Swept]", out: Path, how: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Run under a progress bar; an interrupt keeps what is finished."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    from evaluation.cli.progress import progress
    from evaluation.records import sweep

    found: list[dict[str, Any]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with progress(*columns, TimeElapsedColumn()) as shown:
        bar = shown.add_task("replaying", total=len(todo))

        def on_record(record: dict[str, Any], reused: bool) -> None:
            found.append({**record, "reused": reused})
            shown.update(bar, advance=1, description=f"replayed {_name(record)}")

        def on_lost(task: "Swept", reason: str) -> None:
            text = f"{task.path(out).stem}: {reason}; trying again"
            shown.console.print(text, markup=False, highlight=False, soft_wrap=True)

        try:
            sweep.run(todo, out, **how, on_record=on_record, on_lost=on_lost)
        except KeyboardInterrupt:
            return found, True
        except (ImportError, ValueError, OSError) as error:
            usage_error(error)
    return found, False


def _print(
    suite: "Suite",
    found: list[dict[str, Any]],
    by_scenario: bool,
    svg: Path | None,
) -> bool:
    from rich.console import Console

    from evaluation.leaderboard import forecast_table, table
    from evaluation.report import leaderboard_picture

    render = forecast_table.render if suite.kind == "forecast" else table.render
    best = BEST[suite.kind]
    console = Console()
    if not console.is_terminal and console.width < table.WIDTH:
        console = Console(width=table.WIDTH)
    if by_scenario:
        for name in suite.scenario_ids:
            mine = [record for record in found if record["scenario"]["id"] == name]
            render(mine, f"{suite.id} · {name}", console)
            console.print()
    count = len(suite.scenario_ids)
    title = f"podlab · {suite.id} · mean of {count} scenarios, best {best} first"
    ranked = render(found, title, console, _wanted(suite))
    if svg is not None:
        leaderboard_picture.write(found, svg, title, _wanted(suite))
    return ranked


def _wanted(suite: "Suite") -> set[tuple[str, str]]:
    """Return (scenario, dispatcher) in which one must have run, so that means compare."""
    forecasts = suite.kind == "forecast"
    return {(one.id, "" if forecasts else one.dispatcher) for one in suite.scenarios}


def _say_time(suite: "Suite", found: list[dict[str, Any]], elapsed_s: float) -> None:
    """Say on standard error if a whole run took longer than the suite should."""
    whole = not any(record["reused"] for record in found)
    if suite.budget_s is not None and whole and elapsed_s > suite.budget_s:
        print(
            f"took {elapsed_s:.0f} s, more than the {suite.budget_s:g} s that {suite.id} should "
            "take with its usual solvers on two free cores (--jobs 2)",
            file=sys.stderr,
        )


def _say_kept(found: list[dict[str, Any]], total: int, out: Path) -> None:
    """Say on standard error which records there are, and which come from earlier runs."""
    reused = sum(record["reused"] for record in found)
    notes = [f"{len(found)} of {total} records in {out}"]
    notes += [f"{reused} taken up from earlier runs (--fresh runs them again)"] if reused else []
    notes += ["interrupted: the same command goes on from here"] if len(found) < total else []
    print("; ".join(notes), file=sys.stderr)


def _name(record: dict[str, Any]) -> str:
    """Return who a record is about: a solver or a forecaster."""
    return str(record["forecaster" if record.get("kind") == "forecast" else "solver"])
