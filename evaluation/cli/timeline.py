"""`podlab timeline`: one step as a file that a trace viewer opens."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    import lb
    from evaluation.replay.judged_window import JudgedWindow
    from evaluation.replay.scenario import Scenario

VIEWER = "https://ui.perfetto.dev"


def timeline(
    scenario: Annotated[
        str | None, typer.Argument(help="Scenario of the suite. [default: its first]")
    ] = None,
    suite: options.Suite = "default",
    solver: Annotated[
        str, typer.Option(help="Registered solver that places the experts.")
    ] = "eplb",
    at: options.At = None,
    step: Annotated[
        int, typer.Option(min=0, help="Priced step of the window: a workload's are a sample.")
    ] = 0,
    seed: options.Seed = 0,
    plan: Annotated[str, typer.Option(help="serial, two-stream or communication.")] = "serial",
    micro_batches: Annotated[int, typer.Option(min=1, help="Micro-batches of the step.")] = 1,
    layers: Annotated[int, typer.Option(min=1, help="Number of layers to draw.")] = 8,
    disaggregated: Annotated[
        bool, typer.Option("--disaggregated", help="Draw xDeepServe's 768 dies instead.")
    ] = False,
    out: Annotated[Path, typer.Option(help="File to write (.json).")] = Path("step.json"),
) -> None:
    """Write a step as a timeline for ui.perfetto.dev: ranks, streams, waits, arrows.

    The step is one of window --at; the solver places experts for the windows before it.

    With --disaggregated: three domains of attention dies that share A2E, experts and E2A.
    """
    with usage_errors():
        check_output(out, (".json",))
        if disaggregated:
            summary = _write_disaggregated(out)
        else:
            replayed = _scenario(suite, scenario)
            where = seed, at, step
            summary = _write_step(replayed, solver, where, (plan, micro_batches), layers, out)
    print(f"{out}: {summary}; open it in {VIEWER}")


def _scenario(suite: str, name: str | None) -> "Scenario":
    from evaluation.kinds import suite_file

    scenario = suite_file.first_of(suite_file.load(suite), name)
    scenario.check()
    return scenario


def _write_step(
    scenario: "Scenario",
    solver: str,
    where: tuple[int, int | None, int],
    overlap: tuple[str, int],
    layers: int,
    out: Path,
) -> str:
    """Write a step of a scenario, and return its summary; ``where`` is seed, window and step."""
    from evaluation.candidates.candidate import Candidate
    from evaluation.replay.judged_window import judged_window
    from evaluation.step import timeline as chrome
    from evaluation.step.engine_step import overlap_schedule

    (seed, at, step), (_, micro_batches) = where, overlap
    judged = judged_window(scenario, seed, at)
    steps = len(judged.window.counts)
    if step >= steps:
        raise ValueError(
            f"step = {step} breaks step < {steps}, the priced steps of window {judged.number}"
        )
    price = _price(scenario, judged, Candidate(solver, seed).make(), step, micro_batches, layers)
    interference = scenario.executor().operators.device.kernels.interference
    schedule = overlap_schedule(price, *overlap, interference)
    chrome.write(chrome.of_step(price, schedule), out)
    return (
        f"{scenario.id}, window {judged.number}, step {step} of {steps}; {len(price.dispatch)} "
        f"layers, {price.rank_attention.shape[1]} ranks, {schedule.total * 1e6:.0f} µs"
    )


def _write_disaggregated(out: Path) -> str:
    """Write the step of the published disaggregated deployment, and return its summary."""
    from evaluation.step import timeline as chrome
    from evaluation.validation import anchors, predictions

    (conditions,) = (
        anchor.conditions for anchor in anchors.load() if anchor.id == "xds-disaggregated-step"
    )
    schedule = predictions.disaggregated_deployment(conditions).run(conditions["tokens"])
    chrome.write(chrome.of_schedule(schedule), out)
    busy = ", ".join(f"{stream} {share:.0%}" for stream, share in schedule.busy().items())
    return f"{schedule.total * 1e3:.1f} ms; busy: {busy}"


def _price(
    scenario: "Scenario",
    judged: "JudgedWindow",
    solver: "lb.Solver",
    step: int,
    micro_batches: int,
    layers: int,
) -> Any:
    """Return the price of one micro-batch, under the placement that the windows before give."""
    import numpy as np

    import lb
    from evaluation.analysis.fitted_placement import fitted_placement

    window = judged.window
    executor = scenario.executor()
    deployment = scenario.deployment(executor)
    placement = fitted_placement(solver, judged, deployment, executor)
    # only the first layers are drawn
    rows = placement.physical_to_logical[:layers]
    placement = lb.Placement(rows, placement.num_ranks)
    load = np.ceil(window.counts[step][:layers] / micro_batches)
    dispatcher = lb.configured(scenario.dispatcher, deployment.ranks_per_node)
    share = dispatcher(placement, load)
    tokens = -(-int(window.tokens[step]) // micro_batches)
    priced = executor.in_phase(window.phases[step] if window.phases else "")
    return priced.step(placement, load, share, tokens, number=step)
