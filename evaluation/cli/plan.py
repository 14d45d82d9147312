"""`podlab plan`: search deployments for the highest goodput per chip."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_error
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.serving.plan.outcome import DeploymentOutcome
    from evaluation.serving.plan.search_settings import SearchSettings
    from evaluation.serving.plan.span import ArrivalSpan
    from evaluation.serving.scenario.deployment import ServingDeployment

# Values of an axis: numbers between commas.
Prefill = Annotated[str | None, typer.Option(help="Numbers of prefill executors.")]
DecodeDies = Annotated[
    str | None, typer.Option(help="Dies per decode executor, with attention and experts together.")
]
AttentionDies = Annotated[
    str | None, typer.Option(help="Dies for attention over all domains, if separate from experts.")
]
ExpertDies = Annotated[str | None, typer.Option(help="Dies for experts, if separate.")]
Domains = Annotated[str | None, typer.Option(help="DP domains of attention, if separate.")]
BatchLimit = Annotated[str | None, typer.Option(help="Most sequences per decode DP group.")]
Redundant = Annotated[str | None, typer.Option(help="Redundant experts per expert die.")]

Dies = Annotated[
    int | None, typer.Option(min=1, help="Most dies in all. [default: those of the scenario]")
]
ScoredSpan = Annotated[
    float | None,
    typer.Option(help="Seconds of arrivals to score. [default: 60, or 4 request durations]"),
]
WarmUp = Annotated[
    float | None,
    typer.Option(help="Seconds of arrivals before the span. [default: 2 request durations]"),
]
Requests = Annotated[
    int | None, typer.Option(min=1, help="Use only the first N requests (overrides --span).")
]
Share = Annotated[float, typer.Option(help="Share of requests that must meet the SLO.")]
Margin = Annotated[float, typer.Option(help="Relative slack when pruning deployments.")]
Screening = Annotated[
    bool, typer.Option(help="Prune deployments that by their prices cannot meet the SLO or win.")
]
All = Annotated[
    bool, typer.Option("--all", help="Print every deployment, not only the Pareto frontier.")
]
Out = Annotated[Path | None, typer.Option(help="Write a row for every deployment (.csv).")]
Write = Annotated[
    Path | None, typer.Option(help="Write the best as a scenario for podlab simulate (.toml).")
]


def plan(
    scenario: options.ServingScenario = "azure-busy",
    prefill: Prefill = None,
    decode_dies: DecodeDies = None,
    attention_dies: AttentionDies = None,
    expert_dies: ExpertDies = None,
    domains: Domains = None,
    batch_limit: BatchLimit = None,
    redundant: Redundant = None,
    dies: Dies = None,
    span: ScoredSpan = None,
    warm_up: WarmUp = None,
    requests: Requests = None,
    rate: Annotated[float, typer.Option(help="Factor on the arrival rate.")] = 1.0,
    share: Share = 0.9,
    margin: Margin = 0.1,
    screening: Screening = True,
    seed: options.Seed = 0,
    jobs: options.Jobs = 1,
    all_rows: All = False,
    out: Out = None,
    write: Write = None,
    as_json: options.AsJson = False,
) -> None:
    """Find the deployment with the highest goodput per chip under the SLO.

    The [plan] table of the scenario gives the axes that options do not; without it they are derived
    from the scenario's dies.
    """
    from concurrent.futures.process import BrokenProcessPool

    from evaluation.serving.plan.search_settings import SearchSettings

    axes = {
        **{"prefill": prefill, "decode_dies": decode_dies, "attention_dies": attention_dies},
        **{"expert_dies": expert_dies, "domains": domains, "batch_limit": batch_limit},
        "redundant": redundant,
    }
    try:
        check_output(out, (".csv",), "--out")
        check_output(write, (".toml",), "--write")
        search = SearchSettings(share, margin, screening, seed, jobs)
        arrivals = (rate, span, warm_up, requests)
        candidates, scored = _search(scenario, _axis_values(axes, dies), arrivals, search)
        _write_files(scenario, candidates, scored, share, out, write)
    except BrokenProcessPool:
        usage_error(ValueError("a worker died, out of memory perhaps; try fewer --jobs"))
    except (ValueError, OSError) as error:
        usage_error(error)
    _show(candidates, scored, share, as_json, all_rows, write)
    if not candidates[0].holds(share):
        raise typer.Exit(1)


def _axis_values(axes: dict[str, str | None], dies: int | None) -> dict[str, Any]:
    """Return the values of the axes that options give, and the most dies."""
    from evaluation.cli.grid_values import grid_values

    values: dict[str, Any] = {} if dies is None else {"dies": dies}
    for name, text in axes.items():
        if text is not None:
            least = 0 if name == "redundant" else 1
            values[name] = grid_values(text, name.replace("_", "-"), int, at_least=least)
    return values


def _write_files(
    name: str,
    candidates: "list[DeploymentOutcome]",
    span: "ArrivalSpan",
    share: float,
    out: Path | None,
    write: Path | None,
) -> None:
    """Write the table of all deployments, and the best as a scenario if it meets the SLO."""
    from evaluation.serving.plan.view import as_csv
    from traces.atomic_file import atomic_write

    if out is not None:
        with atomic_write(out, "w") as file:
            file.write(as_csv(candidates, span))
    if write is not None and candidates[0].holds(share):
        text = _best_scenario(name, candidates[0], span)
        with atomic_write(write, "w") as file:
            file.write(text)


def _best_scenario(name: str, best: "DeploymentOutcome", span: "ArrivalSpan") -> str:
    """Return the scenario of the best deployment as TOML."""
    from evaluation.serving.scenario.scenario import FOLDER
    from evaluation.serving.scenario.write import planned
    from hardware.preset import find_file

    source = find_file("serving scenario", FOLDER, name)
    comment = (
        f"{best.deployment.describe(span.scenario)}: found by podlab plan, with the requests and\n"
        "the warm-up that it was simulated with. To serve all requests, remove these two."
    )
    return planned(source, best.deployment.serve(span.scenario), comment)


def _search(
    name: str,
    axis_values: dict[str, Any],
    arrivals: tuple[float, float | None, float | None, int | None],
    search: "SearchSettings",
) -> "tuple[list[DeploymentOutcome], ArrivalSpan]":
    import dataclasses

    from evaluation.serving.plan.axes import axes, find_table
    from evaluation.serving.plan.span import plan_span
    from evaluation.serving.scenario.scenario import read

    rate, span_s, warm_up_s, requests = arrivals
    if not 0 < rate < float("inf"):
        raise ValueError(f"--rate {rate} breaks 0 < rate < infinity")
    base = read(name)
    scaled = dataclasses.replace(base, rate_factor=base.rate_factor * rate)
    deployments = axes(scaled, {**find_table(name), **axis_values}).deployments(scaled)
    span = plan_span(scaled, span_s, warm_up_s, requests, search.seed)
    for warning in span.warnings:
        print(f"podlab: warning: {warning}", file=sys.stderr)
    return _with_progress(search, span, deployments), span


def _with_progress(
    search: "SearchSettings", span: "ArrivalSpan", deployments: "list[ServingDeployment]"
) -> "list[DeploymentOutcome]":
    from evaluation.cli.progress import progress
    from evaluation.serving.plan.search import search_deployments

    with progress() as bar:
        task = bar.add_task("screening deployments", total=len(deployments))

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        return search_deployments(span, deployments, search, show)


def _show(
    candidates: "list[DeploymentOutcome]",
    span: "ArrivalSpan",
    share: float,
    as_json: bool,
    all_rows: bool,
    write: Path | None,
) -> None:
    from evaluation.serving.plan.view import as_dict, print_plan

    if as_json:
        print(json.dumps(as_dict(candidates, span, share), allow_nan=False))
        return
    print_plan(candidates, span, share, table_console(), all_rows)
    if write is not None:
        holds = candidates[0].holds(share)
        print(
            f"written: {write}"
            if holds
            else f"not written, because no deployment meets the SLO: {write}"
        )
