"""Commands about the machine model: validate, calibrate, timeline."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli.usage_error import refuse
from traces.atomic_file import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.replay.scenario import Scenario


def validate(
    family: Annotated[
        list[str] | None, typer.Option(help="Only this family of anchors; repeat for several.")
    ] = None,
    anchors: Annotated[
        list[Path] | None, typer.Option(help="Your own anchors (TOML) instead of the bundled.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every row of long tables.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold the machine model against published figures."""
    from rich.console import Console

    from evaluation.validation import anchors as published
    from evaluation.validation import validate as model

    try:
        chosen = published.load(anchors)
        known = list(dict.fromkeys(anchor.family for anchor in chosen))
        if unknown := set(family or []) - set(known):
            raise ValueError(f"unknown family {sorted(unknown)}; there are {', '.join(known)}")
        wanted = [one for one in chosen if not family or one.family in family]
        results = _with_progress(wanted)
    except (ValueError, OSError) as error:
        refuse(error)
    if as_json:
        print(json.dumps(model.report(results), indent=1))
        return
    console = Console()
    wide = console.width if console.is_terminal else max(console.width, 120)
    model.render(results, Console(width=wide), every=every or bool(family))


def _with_progress(wanted: "Sequence[Any]") -> "list[Any]":
    from evaluation.cli.progress import progress
    from evaluation.validation import validate as model

    with progress() as shown:
        bar = shown.add_task("predicting", total=len(wanted))
        return model.validate(wanted, lambda _: shown.advance(bar))


def calibrate(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Bundled tables, or .csv files of kernel timings.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Device preset whose peaks count. [default: measured peaks]")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the result.")] = "own",
    keep: Annotated[
        list[str] | None, typer.Option(help="Constants to leave as the device has them.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Time the kernels here, with torch.")
    ] = False,
    on: Annotated[str, typer.Option(help="Torch device to measure on.")] = "auto",
    full: Annotated[bool, typer.Option(help="Measure the full sweep, not the quick one.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the preset here. [default: print it]")
    ] = None,
) -> None:
    """Fit a device's kernel constants to timings, yours or published, and write a preset."""
    from dataclasses import replace

    from hardware import Device, Kernels
    from hardware import calibrate as fitting
    from hardware import table as csv_tables

    try:
        if bool(tables) == measure:
            raise ValueError("give tables to fit, or --measure to time kernels here")
        rows: list[dict[str, Any]] = []
        for one in tables or []:
            rows += csv_tables.read_rows(csv_tables.find(one))
        source = ", ".join(tables or ["measured here"])
        figures: dict[str, Any] = {}
        if measure:
            rows, figures = _measured(on, full, out)
        base = Device.preset(device) if device else None
        if base is None and not measure:
            raise ValueError("--device is missing: published tables need the peaks they refer to")
        start = replace(Kernels.preset("hopper"), graph_saving_s=0.0)  # torch launches each kernel
        of = base or fitting.own_device(name, figures, rows, start)
        kernels = fitting.fit(of, rows, name, source, keep or [])
        if measure:
            csv = str(out.with_suffix(".csv").resolve()) if out else ""
            text = fitting.device_toml(replace(of, name=name, kernels=kernels, measured=csv))
        else:
            text = fitting.to_toml(kernels)
        _deliver(text, out)
    except (ValueError, OSError, ImportError) as error:
        refuse(error)
    for operator, errors in kernels.residuals.items():
        figures_text = f"median {errors['median']:.1%}, worst {errors['worst']:.1%}"
        print(f"{operator:20}{errors['rows']:5} rows, {figures_text}", file=sys.stderr)


def _measured(on: str, full: bool, out: Path | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Time kernels under a counter, and keep the rows beside the preset."""
    from hardware import measure, table

    sweep = measure.Sweep.full() if full else measure.Sweep.quick()
    done = 0

    def on_row(row: dict[str, Any]) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done} timings, last {row['operator']:20}", end="", file=sys.stderr)

    taken = measure.measure(on, sweep, on_row)
    print(f"\r{len(taken.rows)} timings, {len(taken.skipped)} skipped", file=sys.stderr)
    if out is not None:
        table.write_rows(taken.rows, out.with_suffix(".csv"))
    return taken.rows, measure.device_figures(on)


def _deliver(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
        return
    with atomic_write(out, "w") as file:
        file.write(text)


def timeline(
    scenario: Annotated[
        str | None, typer.Argument(help="Scenario of the suite. [default: its first]")
    ] = None,
    suite: Annotated[str, typer.Option(help="A bundled suite, or a .toml file.")] = "default",
    solver: Annotated[str, typer.Option(help="Who places the experts.")] = "eplb",
    step: Annotated[int, typer.Option(min=0, help="Step after the first window.")] = 0,
    plan: Annotated[str, typer.Option(help="serial, two-stream or communication.")] = "serial",
    micro_batches: Annotated[int, typer.Option(min=1, help="Micro-batches of the step.")] = 1,
    layers: Annotated[int, typer.Option(min=1, help="Layers to draw.")] = 8,
    disaggregated: Annotated[
        bool, typer.Option("--disaggregated", help="Draw xDeepServe's 768 dies instead.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The file.")] = Path("step.json"),
) -> None:
    """Write a step as a timeline that ui.perfetto.dev opens: ranks, streams, waits, arrows.

    With --disaggregated: three domains of attention dies that share A2E, experts and E2A.
    """
    if disaggregated:
        _pipeline(out)
        return
    from evaluation.kinds import suite as suites
    from evaluation.kinds.suite import first_of
    from evaluation.step import timeline as chrome
    from evaluation.step.engine_step import overlapped

    try:
        chosen = first_of(suites.load(suite), scenario)
        chosen.check()
        taken = _priced(chosen, solver, step, micro_batches, layers)
        ran = overlapped(taken, plan, micro_batches)
        events = chrome.of_step(taken, ran)
        chrome.write(events, out)
    except (ValueError, OSError) as error:
        refuse(error)
    ranks = taken.rank_attention.shape[1]
    what = f"{len(taken.dispatch)} layers, {ranks} ranks, {ran.total * 1e6:.0f} µs"
    print(f"{out}: {what}; open it in https://ui.perfetto.dev")


def _pipeline(out: Path) -> None:
    """Draw the step of the published disaggregated deployment."""
    from evaluation.step import timeline as chrome
    from evaluation.validation import anchors, predictions

    try:
        (given,) = (one.conditions for one in anchors.load() if one.id == "xds-disaggregated-step")
        ran = predictions.machine(given).run(given["tokens"])
        chrome.write(chrome.of_schedule(ran), out)
    except (ValueError, OSError) as error:
        refuse(error)
    busy = ", ".join(f"{stream} {share:.0%}" for stream, share in ran.busy().items())
    print(f"{out}: {ran.total * 1e3:.1f} ms; busy: {busy}; open it in https://ui.perfetto.dev")


def _priced(scenario: "Scenario", solver: str, step: int, micro_batches: int, layers: int) -> Any:
    """One micro-batch of a step under the placement that the first window gives."""
    import numpy as np

    import lb
    from evaluation.replay.replay import window_at

    trace = scenario.load_trace()
    scenario.check_trace(trace)
    executor = scenario.executor()
    deployment = scenario.deployment(executor)
    seen, counts, tokens = window_at(trace, deployment.window_steps, step)
    problem = lb.Problem(
        seen[None],
        deployment.num_ranks,
        deployment.slots_per_rank,
        ranks_per_node=deployment.ranks_per_node,
        expert_groups=deployment.expert_groups,
    )
    placement = lb.solve(problem, solver)
    keep = slice(0, layers)
    short = lb.Placement(placement.physical_to_logical[keep], placement.num_ranks)
    load = np.ceil(counts[keep] / micro_batches)
    split = lb.configured(scenario.dispatcher, deployment.ranks_per_node)
    share = split(short, load)
    return executor.step(short, load, share, -(-tokens // micro_batches), number=step)
