"""`podlab bench`: run a suite and print its leaderboard."""

import json
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.refuse import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.bench import Task
    from evaluation.candidates import Candidate
    from evaluation.fitting import FitTask
    from evaluation.serving.ranking import ServingTask
    from evaluation.suite import Suite

INTERRUPTED = 130
#: Kind of a suite to what its table is ranked by.
BEST = {"solver": "efficiency", "fit": "balance fitted", "forecast": "balance with even"}


def bench(
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="A registered name, or path/to/file.py:name. Names choose who runs; a file runs "
            "beside the chosen ones. Repeat for several. [default: all registered]"
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
    by_scenario: Annotated[bool, typer.Option(help="One table for each scenario too.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Also draw the table into this file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the standings as JSON instead of tables.")
    ] = False,
) -> None:
    """Replay the suite's traces through solvers, or forecasters, and print the leaderboard."""
    from evaluation import suite as suites
    from evaluation.standing import standing

    started = time.monotonic()
    try:
        if as_json and (svg or by_scenario):
            raise ValueError("--json prints no tables; leave --svg and --by-scenario out")
        if suites.is_serving(suite):
            if as_json:
                raise ValueError(f"suite {suite} ranks schedulers, and has no --json yet")
            if solver or forecaster or by_scenario:
                raise ValueError("a serving suite runs all schedulers; leave the other options out")
            _bench_serving(suite, out, jobs, seed or 0, fresh, svg)
            return
        chosen_suite = suites.load(suite)
        if seed is not None:
            chosen_suite = replace(chosen_suite, seeds=(seed,))
        for scenario in chosen_suite.scenarios:
            scenario.check()
        todo = _tasks(chosen_suite, solver or [], forecaster or [])
        _make_folder(out)
    except (ValueError, OSError) as error:
        refuse(error)
    found, interrupted = _run(todo, out, jobs, fresh)
    if as_json:
        result = standing(found, _wanted(chosen_suite))
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
    suite: str, out: Path, jobs: int, seed: int, fresh: bool, svg: Path | None
) -> None:
    """Rank schedulers instead of solvers."""
    from rich.console import Console

    from evaluation import leaderboard
    from evaluation import suite as suites
    from evaluation.serving import ranking, ranking_table

    chosen = suites.load_serving(suite)
    _make_folder(out)
    todo = ranking.tasks(chosen, seed)
    found, interrupted = _run(todo, out, jobs, fresh)
    console = Console(record=svg is not None, width=leaderboard.WIDTH)
    title = f"podlab · {chosen.id} · mean of {len(chosen.scenarios)} scenarios, stage by stage"
    runs = Counter((record["stage"], record["solver"]) for record in found)
    wanted = len(chosen.scenarios)
    complete = [one for one in found if runs[one["stage"], one["solver"]] == wanted]
    ranked = ranking_table.render(complete, title, console)
    if svg is not None:
        leaderboard.draw(console, svg)
    _say_kept(found, len(todo), out)
    _leave(ranked, interrupted)


def _tasks(
    suite: "Suite", solvers: list[str], forecasters: list[str]
) -> "Sequence[Task | FitTask]":
    """Return a task for each scenario and each of what the suite compares."""
    from evaluation import bench as runner
    from evaluation import fitting, forecasting
    from evaluation.candidates import Candidate, ForecasterCandidate

    if suite.kind == "forecast":
        if solvers:
            raise ValueError(f"suite {suite.id} compares forecasters; name them by --forecaster")
        return forecasting.tasks(suite, _candidates(ForecasterCandidate, forecasters))
    if forecasters:
        raise ValueError(f"suite {suite.id} compares solvers; name them by --solver")
    candidates = _candidates(Candidate, solvers, suite)
    if suite.kind == "fit":
        return fitting.tasks(suite, candidates)
    return runner.tasks(suite, candidates)


def _candidates(
    kind: "type[Candidate]", specs: list[str], suite: "Suite | None" = None
) -> "list[Candidate]":
    """Return who was asked for, else who the suite names, else all; with the suite's parameters."""

    def candidate(spec: str) -> "Candidate":
        given = suite.parameters.get(spec, {}) if suite else {}
        return kind(spec, 0, tuple(sorted(given.items())))

    asked = [candidate(spec) for spec in dict.fromkeys(specs)]
    names = [one for one in asked if one.path is None]
    files = [one for one in asked if one.path is not None]
    for one in asked:
        one.make()  # a wrong name or file is said before anything runs
    usual = (suite.solvers if suite else ()) or kind.registry.available()
    return (names or [candidate(name) for name in usual]) + files


def _run(
    todo: "Sequence[Task | FitTask | ServingTask]", out: Path, jobs: int, fresh: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Run under a progress bar; an interrupt keeps what is finished."""
    from concurrent.futures import BrokenExecutor

    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    from evaluation import sweep
    from evaluation.progress import progress

    found: list[dict[str, Any]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with progress(*columns, TimeElapsedColumn()) as shown:
        bar = shown.add_task("replaying", total=len(todo))

        def on_record(record: dict[str, Any], reused: bool) -> None:
            found.append({**record, "reused": reused})
            shown.update(bar, advance=1, description=f"replayed {_name(record)}")

        try:
            sweep.run(todo, out, jobs, fresh=fresh, on_record=on_record)
        except KeyboardInterrupt:
            return found, True
        except BrokenExecutor:
            kept = f"{len(found)} of {len(todo)} records are kept in {out}"
            refuse(ValueError(f"a worker died, out of memory perhaps; {kept}; try --jobs 1"))
        except (ValueError, OSError) as error:
            refuse(error)
    return found, False


def _print(
    suite: "Suite",
    found: list[dict[str, Any]],
    by_scenario: bool,
    svg: Path | None,
) -> bool:
    from rich.console import Console

    from evaluation import forecast_table, leaderboard

    render = forecast_table.render if suite.kind == "forecast" else leaderboard.render
    best = BEST[suite.kind]
    console = Console(record=svg is not None)
    if not console.is_terminal and console.width < leaderboard.WIDTH:
        console = Console(record=svg is not None, width=leaderboard.WIDTH)
    if by_scenario:
        for name in suite.scenario_ids:
            mine = [record for record in found if record["scenario"]["id"] == name]
            render(mine, f"{suite.id} · {name}", console)
            console.print()
    count = len(suite.scenario_ids)
    title = f"podlab · {suite.id} · mean of {count} scenarios, best {best} first"
    ranked = render(found, title, console, _wanted(suite))
    if svg is not None:
        leaderboard.draw(console, svg)
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
