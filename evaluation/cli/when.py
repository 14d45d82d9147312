"""`podlab when`: where redundant experts pay."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import options
from evaluation.cli.tables import table_console
from evaluation.cli.usage_error import usage_errors
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting

Skew = Annotated[str, typer.Option(help="Skews of expert popularity.")]
Batch = Annotated[str, typer.Option(help="Tokens per rank per step.")]
Ranks = Annotated[str, typer.Option(help="Sizes of the EP group, in ranks.")]
Redundant = Annotated[str, typer.Option(help="Redundant slots per rank.")]
Bandwidth = Annotated[
    str, typer.Option(help="Factors on the bandwidth of links and communication library.")
]
Law = Annotated[
    str,
    typer.Option(
        help="Law of popularity: zipf (skew: its exponent) or lognormal (skew: its sigma)."
    ),
]
Drift = Annotated[
    float, typer.Option(help="How far expert popularity drifts before evaluation (0 to 1).")
]
Against = Annotated[str, typer.Option(help="Baseline without replicas: rearranged or contiguous.")]
MemoryBound = Annotated[
    bool,
    typer.Option(
        "--memory-bound", help="Shrink batches to what fits in memory, and compare time per token."
    ),
]


def when(
    skew: Skew = "0,0.25,0.5,0.75,1",
    batch: Batch = "8,32,128",
    ranks: Ranks = "32,64,128",
    redundant: Redundant = "1,2",
    bandwidth: Bandwidth = "1,0.5",
    law: Law = "zipf",
    drift: Drift = 0.0,
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
    layers: Annotated[
        int, typer.Option(help="Number of layers, with independent popularity.")
    ] = 16,
    seed: options.Seed = 0,
    csv: Annotated[Path | None, typer.Option(help="Write the grid to this .csv file.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Print where replicas pay: skew × batch × EP size × redundancy × bandwidth."""
    from evaluation.analysis.break_even_grid import BreakEvenSetting
    from evaluation.analysis.break_even_report import write_csv
    from evaluation.analysis.break_even_table import AGAINST

    with usage_errors():
        if against not in AGAINST:
            raise ValueError(f"--against {against}: give one of {', '.join(AGAINST)}")
        grid = _grid(skew, batch, ranks, redundant, bandwidth)
        setting = BreakEvenSetting(
            *(model, device, fabric, library, kv_tokens, law, drift, solver, dispatcher),
            *(window, steps, layers, memory_bound, seed),
        )
        check_output(csv, (".csv",), "--csv")
        cells = _with_progress(grid, setting)
        if csv is not None:
            write_csv(cells, csv)
    _print(cells, grid, setting, against, as_json)


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
            "setting": dataclasses.asdict(setting),
            "grid": dataclasses.asdict(grid),
            "against": against,
            "slot": break_even_report.slot_cost(setting),
            "cells": break_even_report.rows(cells),
            "break_even": break_even_report.break_evens(cells, grid, against),
        }
        print(json.dumps(report, indent=1, allow_nan=False))
        return
    break_even_table.render(cells, grid, setting, against, table_console())
