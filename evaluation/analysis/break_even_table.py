"""The break-even map in the terminal: heat tables."""

import math
from collections import Counter
from itertools import product

from rich.console import Console
from rich.table import Table

from evaluation.analysis.break_even import break_even_skew
from evaluation.analysis.break_even_grid import BreakEvenCell, BreakEvenGrid, BreakEvenSetting
from evaluation.analysis.break_even_report import cells_along, slot_cost

#: Changes at which the colour of a cell is full.
FULL_GAIN, FULL_COST = 0.3, 0.1
AGAINST = {
    "rearranged": "the solver's best without replicas",
    "contiguous": "experts in the order of their ids",
}


def render(
    cells: list[BreakEvenCell],
    grid: BreakEvenGrid,
    setting: BreakEvenSetting,
    against: str,
    console: Console,
) -> None:
    """Print what a slot costs, one heat table for each redundancy and bandwidth, and the count."""
    cost = slot_cost(setting)
    unit = "a token" if setting.memory_bound else "a step"
    heading = (
        f"{setting.model} on {setting.device}, {setting.fabric}, {setting.library}; "
        f"{_popularity(setting)}; {setting.solver}, {setting.dispatcher}. Change of "
        f"the time of {unit} that replicas make against {AGAINST[against]}: minus pays.\n"
        f"One redundant slot a rank holds {cost['bytes'] / 1e9:.2f} GB, {cost['memory']:.1%} of "
        f"its memory: {cost['kv_tokens']:,.0f} tokens of KV cache, {cost['sequences']:.1f} "
        f"sequences of {setting.kv_tokens:g}."
    )
    console.print(heading, highlight=False, markup=False)
    for redundant, bandwidth in product(grid.redundant, reversed(grid.bandwidth)):
        slots = f"{redundant} redundant slot{'s' if redundant > 1 else ''} a rank"
        links = "" if bandwidth == 1 else f", links and library {bandwidth:g} times as fast"
        console.print(f"\n{slots}{links}", style="italic", highlight=False)
        table = _heat(cells, grid, redundant, bandwidth, against)
        if not setting.workload:
            # one workload is one popularity: no row says where replicas begin to pay
            _add_break_even(table, cells, grid, redundant, bandwidth, against)
        console.print(table)
    console.print(f"\n{_summary(cells)}", highlight=False, markup=False)


def _popularity(setting: BreakEvenSetting) -> str:
    if not setting.workload:
        return f"{setting.law} popularity, drift {setting.drift:g}"
    return (
        f"popularity of {setting.workload} in window {setting.at} of {setting.window_s:g} s, "
        f"placements for window {setting.at - 1}"
    )


def _heat(
    cells: list[BreakEvenCell], grid: BreakEvenGrid, redundant: int, bandwidth: float, against: str
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\nskew", justify="right", no_wrap=True)
    columns = _columns(cells, grid, redundant, bandwidth)
    for column in columns:
        heading = f"EP{column[0].ranks}\nbatch {column[0].batch}"
        table.add_column(heading, justify="right", no_wrap=True)
    for row, skew in enumerate(grid.skew):
        table.add_row(f"{skew:.3g}", *(_cell(column[row], against) for column in columns))
    return table


def _columns(
    cells: list[BreakEvenCell], grid: BreakEvenGrid, redundant: int, bandwidth: float
) -> list[list[BreakEvenCell]]:
    return [
        cells_along(cells, batch, ranks, redundant, bandwidth)
        for ranks, batch in product(grid.ranks, grid.batch)
    ]


def _add_break_even(
    table: Table,
    cells: list[BreakEvenCell],
    grid: BreakEvenGrid,
    redundant: int,
    bandwidth: float,
    against: str,
) -> None:
    columns = _columns(cells, grid, redundant, bandwidth)
    points = (break_even_skew(column, against) for column in columns)
    words = (
        "never" if point is None else f"<= {point:g}" if point == grid.skew[0] else f"{point:.2f}"
        for point in points
    )
    table.add_row("pays from", *words, style="bold")


def _cell(cell: BreakEvenCell, against: str) -> str:
    change = cell.change(against)
    if not math.isfinite(change):
        return "no memory"
    part = min(1.0, -change / FULL_GAIN if change < 0 else change / FULL_COST)
    fade = round(255 * (1 - 0.7 * part))
    colour = f"rgb({fade},255,{fade})" if change < 0 else f"rgb(255,{fade},{fade})"
    marks = "" if cell.fits else f" ({cell.batch_with})" if cell.batch_with < cell.batch else "†"
    return f"[black on {colour}]{change:+.1%}{marks}[/]"


def _summary(cells: list[BreakEvenCell]) -> str:
    verdicts = Counter(cell.verdict for cell in cells)
    words = (
        f"Against rearranging alone, replicas pay in {verdicts['pays']} of {len(cells)} cells and "
        f"cost in {verdicts['costs']}; {verdicts['even']} are within two standard errors of 0."
    )
    shrunk = sum(cell.batch_with < cell.batch for cell in cells)
    if shrunk:
        words += f" In {shrunk}, memory allows only the batch in parentheses with replicas."
    missing = sum(not cell.fits for cell in cells) - shrunk
    if missing:
        words += f" † {missing} batches do not fit in memory with the slots."
    return words
