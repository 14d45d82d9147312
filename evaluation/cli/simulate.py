"""`podlab simulate`: serve a request trace in simulated time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.serving.engine.step_log import StepLog
    from evaluation.serving.results.result import Result
    from evaluation.serving.scenario.scenario import ServingScenario

#: Endings of the files that options write.
ENDINGS = {
    "--out": (".csv", ".parquet"),
    "--samples": (".csv", ".parquet"),
    "--report": (".html",),
    "--timeline": (".json",),
    "--faults": (".toml",),
}

Until = Annotated[
    float | None, typer.Option(help="Stop at this simulated second. [default: at the end]")
]
Out = Annotated[Path | None, typer.Option(help="Write a row for every request (.csv or .parquet).")]
Samples = Annotated[
    Path | None, typer.Option(help="Write executor states over time (.csv or .parquet).")
]
Report = Annotated[
    Path | None, typer.Option(help="Write a page with plots that opens offline (.html).")
]
Timeline = Annotated[
    Path | None, typer.Option(help="Write steps and transfers for ui.perfetto.dev (.json).")
]
Faults = Annotated[
    Path | None, typer.Option(help="Write the simulated faults, random ones too (.toml).")
]
Between = Annotated[str, typer.Option(help="Simulated seconds that the timeline shows: from,to.")]


def simulate(
    scenario: options.ServingScenario = "azure-4p1d",
    until: Until = None,
    seed: options.Seed = 0,
    requests: options.Requests = None,
    out: Out = None,
    samples: Samples = None,
    report: Report = None,
    timeline: Timeline = None,
    faults: Faults = None,
    between: Between = "0,10",
    as_json: options.AsJson = False,
) -> None:
    """Simulate serving and print TTFT, TPOT, goodput and the state of every executor."""
    files = {
        **{"--out": out, "--samples": samples, "--report": report},
        **{"--timeline": timeline, "--faults": faults},
    }
    with usage_errors():
        for option, path in files.items():
            check_output(path, ENDINGS[option], option)
        steps = None if timeline is None else _step_log(between)
        serving = _scenario(scenario, requests)
        if until is not None and not until > 0:
            raise ValueError(f"--until {until} <= 0; give some seconds")
        result = _with_progress(serving, until, seed, steps)
        _write(result, files)
    if as_json:
        print(json.dumps(result.summary))
        return
    from evaluation.serving.results.view import print_summary

    print_summary(result, table_console())


def _scenario(name: str, requests: int | None) -> "ServingScenario":
    import dataclasses

    from evaluation.serving.scenario.scenario import read

    scenario = read(name)
    return scenario if requests is None else dataclasses.replace(scenario, requests=requests)


def _step_log(text: str) -> "StepLog":
    from evaluation.serving.engine.step_log import StepLog

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
        task = bar.add_task("generating the routing", total=None)

        def show(now_s: float, finished: int, total: int) -> None:
            bar.update(
                task, description=f"{now_s:,.0f} s simulated", completed=finished, total=total
            )

        return run(scenario, until_s=until, seed=seed, steps=steps, on_progress=show)


def _write(result: "Result", paths: dict[str, Path | None]) -> None:
    """Write the files that options name."""
    from evaluation.serving.results import files

    if out := paths["--out"]:
        files.write_requests(result.log, out)
    if samples := paths["--samples"]:
        files.write_samples(result.samples, samples)
    if faults := paths["--faults"]:
        files.write_faults(result.faults, faults)
    if report := paths["--report"]:
        from evaluation.report.serving_page import write_report

        write_report(result, report)
    if timeline := paths["--timeline"]:
        _write_timeline(result, timeline)


def _write_timeline(result: "Result", path: Path) -> None:
    from evaluation.serving.results.fault_timeline import of_faults
    from evaluation.serving.results.timeline import of_serving
    from evaluation.step import timeline as chrome

    if result.steps is None:
        return
    events = of_serving(result.steps, result.executors, result.samples)
    events += of_faults(result.failures, result.executors, result.steps)
    chrome.write(events, path)
