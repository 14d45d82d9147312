"""The command that prints when replicas pay."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli.usage_error import refuse
from evaluation.files.output_path import check_output

if TYPE_CHECKING:
    from evaluation.analysis.break_even_grid import Cell, Grid, Setting

WIDTH = 110


def when(
    skew: Annotated[str, typer.Option(help="Skews of popularity.")] = "0,0.25,0.5,0.75,1",
    batch: Annotated[str, typer.Option(help="Tokens a rank and step.")] = "8,32,128",
    ranks: Annotated[str, typer.Option(help="EP sizes.")] = "32,64,128",
    redundant: Annotated[str, typer.Option(help="Redundant slots a rank.")] = "1,2",
    bandwidth: Annotated[str, typer.Option(help="Factors on links and library.")] = "1,0.5",
    law: Annotated[str, typer.Option(help="zipf (skew: exponent) or lognormal (sigma).")] = "zipf",
    drift: Annotated[
        float, typer.Option(help="Of log-popularity before the judged steps, 0 to 1.")
    ] = 0.0,
    solver: Annotated[str, typer.Option(help="Who places, with and without replicas.")] = "greedy",
    dispatcher: Annotated[str, typer.Option(help="Who splits over replicas.")] = "even",
    against: Annotated[
        str, typer.Option(help="rearranged, or contiguous, both without replicas.")
    ] = "rearranged",
    model: Annotated[str, typer.Option(help="Preset.")] = "deepseek-v3",
    device: Annotated[str, typer.Option(help="Preset.")] = "ascend-910c-die",
    fabric: Annotated[str, typer.Option(help="Preset.")] = "cloudmatrix384",
    library: Annotated[str, typer.Option(help="Preset of collectives.")] = "cann-ep",
    kv_tokens: Annotated[float, typer.Option(help="Context of each token.")] = 2048.0,
    memory_bound: Annotated[
        bool, typer.Option("--memory-bound", help="Batches shrink to what fits; time of a token.")
    ] = False,
    window: Annotated[int, typer.Option(help="Steps that are fitted on.")] = 64,
    steps: Annotated[int, typer.Option(help="Steps that judge.")] = 16,
    layers: Annotated[int, typer.Option(help="Layers of independent popularity.")] = 16,
    seed: Annotated[int, typer.Option(help="Of popularity and tokens.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="Write the cells into this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a map of when replicas pay: skew × batch × EP size × redundancy × bandwidth."""
    from evaluation.analysis import break_even_view as view
    from evaluation.analysis.break_even_grid import BOUNDS, Grid, Setting
    from evaluation.analysis.popularity import MOST_SKEW
    from evaluation.cli.grid_values import axis

    try:
        if against not in view.AGAINST:
            raise ValueError(f"--against {against}: give one of {', '.join(view.AGAINST)}")
        grid = Grid(
            axis(skew, "skew", float, at_least=BOUNDS["skew"], at_most=MOST_SKEW),
            axis(batch, "batch", int, at_least=BOUNDS["batch"]),
            axis(ranks, "ranks", int, at_least=BOUNDS["ranks"]),
            axis(redundant, "redundant", int, at_least=BOUNDS["redundant"]),
            axis(bandwidth, "bandwidth", float, at_least=BOUNDS["bandwidth"]),
        )
        setting = Setting(
            *(model, device, fabric, library, kv_tokens, law, drift, solver, dispatcher),
            *(window, steps, layers, memory_bound, seed),
        )
        if csv is not None:
            check_output(csv, option="--csv")
        cells = _with_progress(grid, setting)
        if csv is not None:
            view.write_csv(cells, csv)
    except (ValueError, OSError) as error:
        refuse(error)
    _print(cells, grid, setting, against, as_json)


def _with_progress(grid: "Grid", setting: "Setting") -> "list[Cell]":
    from evaluation.analysis.break_even import price
    from evaluation.cli.progress import progress

    with progress() as shown:
        bar = shown.add_task("pricing", total=len(grid))
        return price(grid, setting, lambda _: shown.advance(bar))


def _print(
    cells: "list[Cell]", grid: "Grid", setting: "Setting", against: str, as_json: bool
) -> None:
    from rich.console import Console

    from evaluation.analysis import break_even_view as view

    if as_json:
        report = {
            "setting": dataclasses.asdict(setting),
            "grid": dataclasses.asdict(grid),
            "against": against,
            "slot": view.slot_cost(setting),
            "cells": view.rows(cells),
            "break_even": view.break_evens(cells, grid, against),
        }
        print(json.dumps(report, indent=1, allow_nan=False))
        return
    console = Console()
    wide = console.width if console.is_terminal else max(console.width, WIDTH)
    view.render(cells, grid, setting, against, Console(width=wide))
