"""The command that serves a request trace in simulated time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli.usage_error import refuse
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.serving.engine.log import StepLog
    from evaluation.serving.results.result import Result
    from evaluation.serving.scenario.scenario import ServingScenario

#: Endings of files with rows.
ROWS = (".csv", ".parquet")


def simulate(
    scenario: Annotated[
        str, typer.Argument(help="A bundled serving scenario, or a .toml file.")
    ] = "azure-4p1d",
    until: Annotated[
        float | None, typer.Option(help="Stop at this simulated second. [default: at the end]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    requests: Annotated[
        int | None, typer.Option(min=1, help="The first so many requests alone.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a row for every request: .csv or .parquet.")
    ] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Write executors over time: .csv or .parquet.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with plots (.html), readable offline.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(help="Write steps and transfers for Perfetto (.json).")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Write the faults played, drawn ones too, to a .toml.")
    ] = None,
    between: Annotated[str, typer.Option(help="Seconds of the timeline, from,to.")] = "0,10",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Simulate serving: what schedulers and deployments do to TTFT, TPOT and goodput."""
    import dataclasses

    from evaluation.serving.scenario.scenario import read

    try:
        tables = (".csv", ".parquet")
        for option, path, endings in (
            ("--out", out, tables),
            ("--samples", samples, tables),
            ("--report", report, (".html",)),
            ("--timeline", timeline, (".json",)),
            ("--faults", faults, (".toml",)),
        ):
            if path is not None:
                check_output(path, endings, option)
        steps = None if timeline is None else _range(between)
        chosen = read(scenario)
        if requests is not None:
            chosen = dataclasses.replace(chosen, requests=requests)
        if until is not None and not until > 0:
            raise ValueError(f"--until {until} <= 0; give some seconds")
        result = _with_progress(chosen, until, seed, steps)
        _write(result, out, samples, report, timeline, faults)
    except (ValueError, OSError) as error:
        refuse(error)
    if as_json:
        print(json.dumps(result.summary))
        return
    from rich.console import Console

    from evaluation.serving.results.view import print_summary

    print_summary(result, Console())


def _range(text: str) -> "StepLog":
    from evaluation.serving.engine.log import StepLog

    try:
        start, end = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"--between {text}: give two numbers of seconds, 0,10 say") from None
    return StepLog(start, end)


def _with_progress(
    scenario: "ServingScenario", until: float | None, seed: int, steps: "StepLog | None"
) -> "Result":
    from evaluation.cli.progress import progress
    from evaluation.serving.simulate import simulate as run

    with progress() as bar:
        task = bar.add_task("drawing the routing", total=None)

        def show(now_s: float, finished: int, total: int) -> None:
            bar.update(
                task, description=f"{now_s:,.0f} s simulated", completed=finished, total=total
            )

        return run(scenario, until_s=until, seed=seed, steps=steps, on_progress=show)


def _write(
    result: "Result",
    out: Path | None,
    samples: Path | None,
    report: Path | None,
    timeline: Path | None,
    faults: Path | None,
) -> None:
    from evaluation.serving.results import files

    if out is not None:
        files.write_requests(result.log, out)
    if samples is not None:
        files.write_samples(result.samples, samples)
    if faults is not None:
        files.write_faults(result.faults, faults)
    if report is not None:
        from evaluation.report.serving_page import write_report

        write_report(result, report)
    if timeline is not None and result.steps is not None:
        from evaluation.serving.results.fault_timeline import of_faults
        from evaluation.serving.results.timeline import of_serving
        from evaluation.step import timeline as chrome

        events = of_serving(result.steps, result.executors, result.samples)
        events += of_faults(result.failures, result.executors, result.steps)
        chrome.write(events, timeline)
