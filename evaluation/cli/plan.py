"""The command that searches deployments."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import refuse

if TYPE_CHECKING:
    from evaluation.serving.plan.outcome import DeploymentOutcome
    from evaluation.serving.plan.search_settings import SearchSettings
    from evaluation.serving.plan.span import ArrivalSpan
    from evaluation.serving.scenario.deployment import ServingDeployment

#: Of axes; numbers between commas.
Axis = str | None


def plan(
    scenario: Annotated[
        str, typer.Argument(help="A bundled serving scenario, or a .toml file.")
    ] = "azure-busy",
    prefill: Annotated[Axis, typer.Option(help="Numbers of prefill executors.")] = None,
    decode_dies: Annotated[
        Axis, typer.Option(help="Dies of a decode executor, attention beside experts.")
    ] = None,
    attention_dies: Annotated[
        Axis, typer.Option(help="Or attention apart: its dies, in all domains.")
    ] = None,
    expert_dies: Annotated[Axis, typer.Option(help="And dies of experts.")] = None,
    domains: Annotated[Axis, typer.Option(help="And DP domains of attention.")] = None,
    batch_limit: Annotated[Axis, typer.Option(help="Sequences of a decode DP group.")] = None,
    redundant: Annotated[Axis, typer.Option(help="Redundant experts an expert die.")] = None,
    dies: Annotated[
        int | None, typer.Option(min=1, help="Most dies. [default: those of the scenario]")
    ] = None,
    span: Annotated[
        float | None,
        typer.Option(help="Seconds of arrivals that are scored. [default: 60, or 4 requests long]"),
    ] = None,
    warm_up: Annotated[
        float | None,
        typer.Option(help="Seconds of arrivals before these. [default: 2 requests long]"),
    ] = None,
    requests: Annotated[
        int | None, typer.Option(min=1, help="The first so many instead of a span.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Arrivals so many times as fast.")] = 1.0,
    share: Annotated[float, typer.Option(help="Of requests that have to keep the SLO.")] = 0.9,
    margin: Annotated[
        float, typer.Option(help="Of the screening; what is below the best by less is played.")
    ] = 0.1,
    screening: Annotated[
        bool, typer.Option(help="Leave out what can neither hold nor win by its prices.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; they change only the time.")] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every deployment, not the frontier alone.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write a row for every one (.csv).")] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the best as a scenario for simulate (.toml).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the deployment with the highest goodput per chip under the SLO.

    Axes that are not given are those of the scenario's [plan] table, or derived from its dies.
    """
    from concurrent.futures.process import BrokenProcessPool

    from evaluation.serving.plan.search_settings import SearchSettings

    flags = {
        "prefill": prefill,
        "decode_dies": decode_dies,
        "attention_dies": attention_dies,
        "expert_dies": expert_dies,
        "domains": domains,
        "batch_limit": batch_limit,
        "redundant": redundant,
    }
    try:
        _check_files(out, write)
        found, played = _searched(
            scenario,
            _given(flags, dies),
            (rate, span, warm_up, requests),
            SearchSettings(share, margin, screening, seed, jobs),
        )
        if out is not None:
            _write_rows(found, played, out)
        if write is not None and found[0].holds(share):
            _write_best(scenario, found[0], played, write)
    except BrokenProcessPool:
        refuse(ValueError("a worker died, out of memory perhaps; try fewer --jobs"))
    except (ValueError, OSError) as error:
        refuse(error)
    _show(found, played, share, as_json, everything, write)
    if not found[0].holds(share):
        raise typer.Exit(1)


def _check_files(out: Path | None, write: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    for path, suffix in ((out, ".csv"), (write, ".toml")):
        if path is None:
            continue
        if path.suffix != suffix:
            raise ValueError(f"{path}: give a name that ends in {suffix}")
        if not path.absolute().parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.absolute().parent}")


def _given(flags: dict[str, Axis], dies: int | None) -> dict[str, Any]:
    from evaluation.cli.grid_values import axis

    given: dict[str, Any] = {}
    for name, text in flags.items():
        if text is not None:
            least = 0 if name == "redundant" else 1
            given[name] = axis(text, name.replace("_", "-"), int, at_least=least)
    return given if dies is None else {**given, "dies": dies}


def _searched(
    name: str,
    flags: dict[str, Any],
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
    hurried = dataclasses.replace(base, rate_factor=base.rate_factor * rate)
    deployments = axes(hurried, {**find_table(name), **flags}).deployments(hurried)
    span = plan_span(hurried, span_s, warm_up_s, requests, search.seed)
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

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        return search_deployments(span, deployments, search, show)


def _write_rows(found: "list[DeploymentOutcome]", span: "ArrivalSpan", path: Path) -> None:
    from evaluation.serving.plan.view import as_csv
    from evaluation.serving.scenario.write import write

    write(as_csv(found, span), path)


def _write_best(name: str, best: "DeploymentOutcome", span: "ArrivalSpan", path: Path) -> None:
    from evaluation.serving.scenario.scenario import FOLDER
    from evaluation.serving.scenario.write import planned, write
    from hardware.preset import find_file

    source = find_file("serving scenario", FOLDER, name)
    said = (
        f"{best.deployment.describe(span.scenario)}: found by podlab plan, with the requests and\n"
        "the warm-up that it was played with. To serve them all, leave these two out."
    )
    write(planned(source, best.deployment.serve(span.scenario), said), path)


def _show(
    found: "list[DeploymentOutcome]",
    span: "ArrivalSpan",
    share: float,
    as_json: bool,
    everything: bool,
    write: Path | None,
) -> None:
    from rich.console import Console

    from evaluation.serving.plan.view import as_dict, print_plan

    if as_json:
        print(json.dumps(as_dict(found, span, share), allow_nan=False))
        return
    print_plan(found, span, share, Console(), everything)
    if write is not None:
        holds = found[0].holds(share)
        print(f"written: {write}" if holds else f"not written, as none holds: {write}")
