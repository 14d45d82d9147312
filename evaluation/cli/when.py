"""`podlab when`: where redundant experts pay."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting

#: Values of what a law has, where the options do not say and no workload is given.
SKEWS, LAW, DRIFT, LAYERS = "0,0.25,0.5,0.75,1", "zipf", 0.0, 16

Workload = Annotated[
    str | None,
    typer.Option(help="Popularity of this workload, bundled or a .toml file, instead of a law's."),
]
At = Annotated[
    int | None,
    typer.Option(
        "--at",
        help="Window of the workload to judge, from 1; placements are for the one before. "
        "[default: 1]",
    ),
]
WindowS = Annotated[
    float | None, typer.Option(help="Seconds of a window of the workload. [default: 60]")
]
Skew = Annotated[str | None, typer.Option(help=f"Skews of expert popularity. [default: {SKEWS}]")]
Batch = Annotated[str, typer.Option(help="Tokens per rank per step.")]
Ranks = Annotated[str, typer.Option(help="Sizes of the EP group, in ranks.")]
Redundant = Annotated[str, typer.Option(help="Redundant slots per rank.")]
Bandwidth = Annotated[
    str, typer.Option(help="Factors on the bandwidth of links and communication library.")
]
Law = Annotated[
    str | None,
    typer.Option(
        help="Law of popularity: zipf (skew: its exponent) or lognormal (skew: its sigma). "
        f"[default: {LAW}]"
    ),
]
Drift = Annotated[
    float | None,
    typer.Option(
        help=f"How far expert popularity drifts before evaluation (0 to 1). [default: {DRIFT:g}]"
    ),
]
Layers = Annotated[
    int | None,
    typer.Option(help=f"Number of layers, with independent popularity. [default: {LAYERS}]"),
]
Against = Annotated[str, typer.Option(help="Baseline without replicas: rearranged or contiguous.")]
MemoryBound = Annotated[
    bool,
    typer.Option(
        "--memory-bound", help="Shrink batches to what fits in memory, and compare time per token."
    ),
]


def when(
    skew: Skew = None,
    batch: Batch = "8,32,128",
    ranks: Ranks = "32,64,128",
    redundant: Redundant = "1,2",
    bandwidth: Bandwidth = "1,0.5",
    law: Law = None,
    drift: Drift = None,
    workload: Workload = None,
    window_s: WindowS = None,
    at: At = None,
    solver: Annotated[str, typer.Option(help="Solver used for both placements.")] = "greedy",
    dispatcher: options.Dispatcher = "even",
    against: Against = "rearranged",
    model: Annotated[str, options.MODEL] = "deepseek-v3",
    device: Annotated[str, options.DEVICE] = "ascend-910c-die",
    fabric: Annotated[str, options.FABRIC] = "cloudmatrix384",
    library: Annotated[str, options.LIBRARY] = "cann-ep",
    kv_tokens: Annotated[float, options.KV_TOKENS] = 2048.0,
    memory_bound: MemoryBound = False,
    window: Annotated[
        int, typer.Option(help="Number of steps that placements are fitted on.")
    ] = 64,
    steps: Annotated[int, typer.Option(help="Number of evaluation steps.")] = 16,
    layers: Layers = None,
    seed: options.Seed = 0,
    csv: Annotated[Path | None, typer.Option(help="Write the grid to this .csv file.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Print where replicas pay: skew × batch × EP size × redundancy × bandwidth.

    Expert popularity follows a law, or is that of two windows of a workload.
    """
    from evaluation.analysis.break_even_grid import BreakEvenSetting
    from evaluation.analysis.break_even_report import write_csv
    from evaluation.analysis.break_even_table import AGAINST

    with usage_errors():
        if against not in AGAINST:
            raise ValueError(f"--against {against}: give one of {', '.join(AGAINST)}")
        of_law = {"skew": skew, "law": law, "drift": drift, "layers": layers}
        of_workload = {"window_s": window_s, "at": at}
        if workload is None:
            _refuse(of_workload, "is for a workload; give --workload, too")
            defaults: dict[str, Any] = {"skew": SKEWS, "law": LAW, "drift": DRIFT, "layers": LAYERS}
            popularity: dict[str, Any] = {
                name: defaults[name] if value is None else value for name, value in of_law.items()
            }
        else:
            _refuse(of_law, "is for a law; leave it out beside --workload")
            popularity = _of_workload(workload, of_workload, model, seed)
        grid = _grid(popularity.pop("skew"), batch, ranks, redundant, bandwidth)
        setting = BreakEvenSetting(
            model=model,
            device=device,
            fabric=fabric,
            library=library,
            kv_tokens=kv_tokens,
            solver=solver,
            dispatcher=dispatcher,
            window_steps=window,
            steps=steps,
            memory_bound=memory_bound,
            seed=seed,
            **popularity,
        )
        check_output(csv, (".csv",), "--csv")
        cells = _with_progress(grid, setting)
        if csv is not None:
            write_csv(cells, csv)
    _print(cells, grid, setting, against, as_json)


def _refuse(options: dict[str, Any], why: str) -> None:
    """Raise ValueError if one of these options is given."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"--{name.replace('_', '-')} {value} {why}")


def _of_workload(name: str, options: dict[str, Any], model: str, seed: int) -> dict[str, Any]:
    """Return the setting of a workload, and its measured skew as the text of an axis."""
    from evaluation.analysis.break_even_grid import BreakEvenSetting
    from evaluation.analysis.workload_popularity import workload_popularity

    given = {key: value for key, value in options.items() if value is not None}
    checked = BreakEvenSetting(model=model, workload=name, seed=seed, **given)
    measured = workload_popularity(name, model, checked.window_s, checked.at, seed)
    fields = {"workload": name, "window_s": checked.window_s, "at": checked.at}
    return {**fields, "layers": measured.num_layers, "skew": f"{max(0.0, measured.skew):.4f}"}


def _grid(skew: str, batch: str, ranks: str, redundant: str, bandwidth: str) -> "BreakEvenGrid":
    from evaluation.analysis.break_even_grid import BOUNDS, BreakEvenGrid
    from evaluation.analysis.popularity import MOST_SKEW
    from evaluation.cli.grid_values import grid_values

    return BreakEvenGrid(
        grid_values(skew, "skew", float, at_least=BOUNDS["skew"], at_most=MOST_SKEW),
        grid_values(batch, "batch", int, at_least=BOUNDS["batch"]),
        grid_values(ranks, "ranks", int, at_least=BOUNDS["ranks"]),
        grid_values(redundant, "redundant", int, at_least=BOUNDS["redundant"]),
        grid_values(bandwidth, "bandwidth", float, at_least=BOUNDS["bandwidth"]),
    )


def _with_progress(grid: "BreakEvenGrid", setting: "BreakEvenSetting") -> "list[BreakEvenCell]":
    from evaluation.analysis.break_even import price
    from evaluation.cli.progress import progress

    with progress() as bar:
        task = bar.add_task("pricing", total=len(grid))
        return price(grid, setting, lambda _: bar.advance(task))


def _effective(setting: "BreakEvenSetting") -> dict[str, Any]:
    """Return the setting without what has no effect: that of laws, or that of workloads."""
    unused = ("law", "drift") if setting.workload else ("workload", "window_s", "at")
    fields = dataclasses.asdict(setting)
    return {name: value for name, value in fields.items() if name not in unused}


def _print(
    cells: "list[BreakEvenCell]",
    grid: "BreakEvenGrid",
    setting: "BreakEvenSetting",
    against: str,
    as_json: bool,
) -> None:
    from evaluation.analysis import break_even_report, break_even_table

    if as_json:
        report = {
            "setting": _effective(setting),
            "grid": dataclasses.asdict(grid),
            "against": against,
            "slot": break_even_report.slot_cost(setting),
            "cells": break_even_report.rows(cells),
            "break_even": []
            if setting.workload
            else break_even_report.break_evens(cells, grid, against),
        }
        print(json.dumps(report, indent=1, allow_nan=False))
        return
    break_even_table.render(cells, grid, setting, against, table_console())
