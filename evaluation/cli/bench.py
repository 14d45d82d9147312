"""`podlab bench`: run a suite and print its leaderboard."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options, own_options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_error

if TYPE_CHECKING:
    from evaluation.kinds.kind import Kind
    from evaluation.kinds.suite import Suite
    from evaluation.kinds.task import SuiteTask

INTERRUPTED = 130


def bench(
    suite: options.Suite = "default",
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Registered solver, or path/to/file.py:name (a file with a single known entry "
            "needs no name). Names replace the suite's own solvers; files run in addition. Repeat "
            "for several. [default: those of the suite]"
        ),
    ] = None,
    forecaster: Annotated[
        list[str] | None,
        typer.Option(help="The same for forecasters, in a suite that compares them."),
    ] = None,
    trace: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge on your own recording instead of a suite: a trace, a file of another tool, "
            "or a workload (.toml). Repeat for several conditions: they are judged one by one, and "
            "where one gives way to another."
        ),
    ] = None,
    ranks: own_options.Ranks = None,
    slots: own_options.Slots = None,
    model: own_options.Model = None,
    top_k: own_options.TopK = None,
    phase: own_options.Phase = None,
    device: own_options.Device = None,
    fabric: own_options.Fabric = None,
    dispatcher: own_options.Dispatcher = None,
    window_steps: own_options.WindowSteps = None,
    window_s: own_options.WindowS = None,
    tokens_per_rank: own_options.TokensPerRank = None,
    every_condition: own_options.EveryCondition = False,
    out: Annotated[Path, typer.Option(help="Folder for the records.")] = Path("podlab-records"),
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of worker processes; 1 gives the fairest times. [default: one a core]",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Random seed, instead of the suite's; in a suite of schedulers it is added to "
            "each of the suite's.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Run again what is already recorded.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Run on a Ray cluster: a new local one, or the one at this address (auto: the one "
            "that this machine belongs to).",
        ),
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, help="Retries of a task whose process or machine died.")
    ] = 1,
    task_limit: Annotated[
        float | None, typer.Option(help="Time limit of a task, in seconds. [default: none]")
    ] = None,
    until_separated: Annotated[
        bool,
        typer.Option(
            "--until-separated",
            help="Run more repetitions, with the next seeds, until all candidates that differ by "
            "0.5 % of step time or more are separated. Only for suites of generated traffic.",
        ),
    ] = False,
    budget_s: Annotated[
        float | None,
        typer.Option(min=0, help="Time budget of --until-separated, in seconds. [default: 600]"),
    ] = None,
    by_scenario: Annotated[
        bool, typer.Option(help="Also print a table for each scenario.")
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option(help="Draw scores with their intervals into this .html, .svg or .png file."),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option(help="Run solvers from files in processes of their own.")
    ] = True,
    time_limit: options.TimeLimit = 10.0,
    memory_limit: options.MemoryLimit = 4096.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the ranking as JSON instead of tables.")
    ] = False,
) -> None:
    """Run every candidate of a suite and print the leaderboard."""
    from evaluation.candidates.sandbox.limits import from_options
    from evaluation.cli.separation_rounds import BUDGET_S, run_rounds
    from evaluation.cli.shown_sweep import run_shown
    from evaluation.kinds import named
    from evaluation.kinds.more_repetitions import check_repeatable, without_failed
    from evaluation.records.sweep import usable_cores
    from evaluation.report import plot_page

    started = time.monotonic()
    try:
        if as_json and (svg or by_scenario):
            raise ValueError("--json prints no tables; leave --svg and --by-scenario out")
        if svg is not None:
            plot_page.check(svg, "--svg")
        if budget_s is not None and not until_separated:
            raise ValueError("--budget-s is of --until-separated; give both or neither")
        own = own_options.own_suite_of(
            suite,
            trace,
            out,
            num_ranks=ranks,
            slots=slots,
            model=model,
            top_k=top_k,
            phase=phase,
            device=device,
            fabric=fabric,
            dispatcher=dispatcher,
            window_steps=window_steps,
            window_s=window_s,
            tokens_per_rank=tokens_per_rank,
            every_condition=every_condition or None,
        )
        loaded = _load_suite(suite if own is None else str(out / "own" / "suite.toml"), seed)
        if until_separated:
            check_repeatable(loaded)
        kind = named(loaded.kind)
        limits = from_options(time_limit, memory_limit) if sandbox else None
        by_option = {"solver": solver, "forecaster": forecaster}
        suite_tasks = _tasks(loaded, kind, by_option, limits)
        _make_folder(out)
    except (ValueError, OSError, ImportError) as error:
        usage_error(error)
    jobs = jobs or usable_cores()
    sweep_options = {
        "jobs": jobs,
        "fresh": fresh,
        "ray": ray,
        "retries": retries,
        "time_limit_s": task_limit,
    }

    def run_round(
        suite: "Suite", earlier: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], bool]:
        tasks = without_failed(_tasks(suite, kind, by_option, limits), earlier)
        return run_shown(tasks, kind, out, sweep_options)

    if until_separated:
        budget_s = BUDGET_S if budget_s is None else budget_s
        records, interrupted = run_rounds(loaded, kind, run_round, budget_s, jobs)
    else:
        records, interrupted = run_shown(suite_tasks, kind, out, sweep_options)
    if as_json:
        ranking = kind.ranking(records, kind.wanted(loaded))
        said = {} if own is None else {"verdict": own_options.verdict_of(own, records)}
        print(json.dumps(ranking.as_dict() | said, indent=1))
        ranked = bool(ranking.rows)
    else:
        ranked = _print(loaded, kind, records, by_scenario, svg)
        if own is not None and ranked and not interrupted:
            own_options.print_verdict(own, records)
    _count_records(records, max(len(suite_tasks), len(records)), out)
    if not until_separated:
        _warn_of_budget(loaded, records, time.monotonic() - started)
    _exit(ranked, interrupted)


def _load_suite(name: str, seed: int | None) -> "Suite":
    """Return the suite, with its scenarios checked and the seeds that are asked for."""
    from evaluation.kinds import named, suite_file

    suite = suite_file.load(name)
    for scenario in suite.scenarios:
        scenario.check()
    if seed is None:
        return suite
    return replace(suite, seeds=named(suite.kind).reseeded(suite, seed))


def _tasks(
    suite: "Suite", kind: "Kind", by_option: dict[str, list[str] | None], limits: Any
) -> "list[SuiteTask]":
    """Return the tasks of a suite.

    Raises
    ------
    ValueError
        If candidates are named by the option of another kind, or one of them is wrong.
    """
    from evaluation.kinds.suite_candidates import suite_candidates
    from evaluation.kinds.task import tasks

    for option, names in by_option.items():
        if names and option != kind.option:
            instead = f"name them by --{kind.option}" if kind.option else f"leave --{option} out"
            raise ValueError(f"suite {suite.id} compares {kind.display.noun}s; {instead}")
    return tasks(suite, suite_candidates(suite, by_option.get(kind.option) or [], limits))


def _make_folder(out: Path) -> None:
    """Make the folder of the records, so that an error appears before the first run."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)


def _exit(ranked: bool, interrupted: bool) -> None:
    """Exit with the status for an interrupt, or for nothing ranked."""
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if not ranked:
        raise typer.Exit(1)


def _print(
    suite: "Suite",
    kind: "Kind",
    records: list[dict[str, Any]],
    by_scenario: bool,
    svg: Path | None,
) -> bool:
    from evaluation.leaderboard import table
    from evaluation.report import leaderboard_picture

    console = table_console(table.WIDTH, keep_terminal=True)
    if by_scenario:
        for name in suite.scenario_ids:
            of_scenario = [record for record in records if record["scenario"]["id"] == name]
            board = kind.leaderboard(kind.ranking(of_scenario))
            table.render(board, f"{suite.id} · {name}", console)
            console.print()
    ranking = kind.ranking(records, kind.wanted(suite))
    board = kind.leaderboard(ranking)
    stages = f", {board.variant} by {board.variant}" if board.ranked_by_variant else ""
    means = f"mean of {len(suite.scenario_ids)} scenarios"
    title = f"podlab · {suite.id} · {means}, best {kind.display.primary.title} first{stages}"
    ranked = table.render(board, title, console)
    if svg is not None:
        leaderboard_picture.write(ranking, svg, title)
    return ranked


def _warn_of_budget(suite: "Suite", records: list[dict[str, Any]], elapsed_s: float) -> None:
    """Print on standard error if a whole run took longer than the suite should."""
    all_new = not any(record["reused"] for record in records)
    if suite.budget_s is not None and all_new and elapsed_s > suite.budget_s:
        print(
            f"took {elapsed_s:.0f} s, more than the {suite.budget_s:g} s that {suite.id} should "
            "take with its usual candidates on two free cores",
            file=sys.stderr,
        )


def _count_records(records: list[dict[str, Any]], total: int, out: Path) -> None:
    """Print on standard error how many records there are, and how many are from earlier runs."""
    reused = sum(record["reused"] for record in records)
    notes = [f"{len(records)} of {total} records in {out}"]
    notes += [f"{reused} reused from earlier runs (use --fresh to run them again)"] * (reused > 0)
    notes += ["interrupted; run the same command again to resume"] * (len(records) < total)
    print("; ".join(notes), file=sys.stderr)
