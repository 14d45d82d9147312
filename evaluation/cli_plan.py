"""The command that searches deployments."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.refuse import refuse

if TYPE_CHECKING:
    from evaluation.serving.plan import Candidate
    from evaluation.serving.scenario import ServingScenario


def plan(
    scenario: Annotated[
        str, typer.Argument(help="A bundled serving scenario, or a .toml file.")
    ] = "azure-busy",
    prefill: Annotated[str, typer.Option(help="Numbers of prefill executors.")] = "1,2,4",
    decode_dies: Annotated[str, typer.Option(help="Dies of the decode executor.")] = "32,64",
    batch_limit: Annotated[str, typer.Option(help="Sequences of a decode DP group.")] = "30,60",
    redundant: Annotated[str, typer.Option(help="Redundant experts a die of decode.")] = "1",
    dies: Annotated[
        int | None, typer.Option(min=1, help="Most dies. [default: those of the scenario]")
    ] = None,
    requests: Annotated[int, typer.Option(min=1, help="The first so many alone.")] = 1000,
    rate: Annotated[float, typer.Option(help="Arrivals so many times as fast.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the deployment with the highest goodput per chip under the SLO."""
    from evaluation.axes import axis
    from evaluation.serving import plan as planner
    from evaluation.serving.scenario import read
    from hardware import Device, Model

    try:
        if not 0 < rate < float("inf"):
            raise ValueError(f"--rate {rate} breaks 0 < rate < infinity")
        base = read(scenario)
        given = dataclasses.replace(base, requests=requests, rate_factor=base.rate_factor * rate)
        axes = planner.Axes(
            tuple(axis(prefill, "prefill", int, at_least=1)),
            tuple(axis(decode_dies, "decode-dies", int, at_least=1)),
            tuple(axis(batch_limit, "batch-limit", int, at_least=1)),
            tuple(axis(redundant, "redundant", int, at_least=0)),
        )
        experts = Model.preset(base.model).experts
        todo = list(planner.candidates(given, axes, dies or base.dies, experts))
        if not todo:
            raise ValueError(f"no combination fits {dies or base.dies} dies; give more by --dies")
        found = _search(todo, Device.preset(base.device).dies_per_chip, seed)
    except (ValueError, OSError) as error:
        refuse(error)
    if as_json:
        print(json.dumps([dataclasses.asdict(one) for one in found]))
    else:
        _print(found, given)
    if not any(one.scores for one in found):
        raise typer.Exit(1)


def _search(todo: "list[ServingScenario]", dies_per_chip: int, seed: int) -> "list[Candidate]":
    from evaluation.progress import progress
    from evaluation.serving.plan import search

    with progress() as bar:
        task = bar.add_task("simulating deployments", total=len(todo))
        return search(todo, dies_per_chip, seed, lambda candidate: bar.update(task, advance=1))


def _print(found: "list[Candidate]", scenario: "ServingScenario") -> None:
    from rich.console import Console
    from rich.table import Table

    from evaluation.serving.plan import frontier

    best = frontier(found)
    table = Table(
        title=f"{scenario.name}: TTFT <= {scenario.ttft_s:g} s, TPOT <= {scenario.tpot_s:g} s",
        title_justify="left",
        box=None,
    )
    for heading in ("prefill", "decode\ndies", "batch", "slots", "chips", "tok/s\n/chip"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("keep the\nSLO", "TTFT p99\ns", "TPOT p99\nms", "best"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, one in enumerate(found):
        if one.scores:
            scores = one.scores
            shape = (one.prefill, one.decode_dies, one.batch_limit, one.slots_per_rank)
            table.add_row(
                *map(str, shape),
                f"{one.chips:g}",
                f"{scores['goodput']:.1f}",
                f"{scores['share']:.1%}",
                f"{scores['ttft_p99_s']:.2f}",
                f"{1e3 * scores['tpot_p99_s']:.1f}",
                "*" if number in best else "",
            )
    Console().print(table)
    for one in found:
        if one.reason:
            print(f"cannot be: {one.prefill} prefill, {one.decode_dies} decode dies: {one.reason}")
