"""The summary of a serving simulation for the terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.serving.results import fault_table
from evaluation.serving.results.result import Result

LATENCIES = {
    "ttft_s": "time to first token",
    "second_token_s": "time to second token",
    "tpot_s": "time per output token",
    "end_to_end_s": "end to end",
}
#: Headings of the columns, line by line.
EXECUTOR_HEADINGS = (
    ("task", "executor"),
    ("waiting", "mean"),
    ("", "max"),
    ("running", "mean"),
    ("", "max"),
    ("KV use", "mean"),
    ("", "max"),
    ("", "busy"),
    ("barrier", "idle"),
    ("DP load", "max/mean"),
    ("", "steps"),
)
POINTS = ("mean", "p50", "p90", "p95", "p99")
LATENCY_HEADINGS = (("latency",), ("requests",), *((point,) for point in POINTS))
NOTHING = "–"


def print_summary(result: Result, console: Console) -> None:
    """Print counts, latencies, rates and executors of a simulation, with their units."""
    summary = result.summary
    console.print(headline(result), highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print(_table(LATENCY_HEADINGS, latency_rows(summary)))
    console.print()
    for line in rates(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()
    console.print(_table(EXECUTOR_HEADINGS, executor_rows(summary["executors"])))
    if summary.get("faults"):
        console.print()
        console.print(_table(fault_table.HEADINGS, fault_table.rows(summary["faults"])))


def headline(result: Result) -> str:
    """Return a sentence with the scenario, its simulated time and the counts of its requests."""
    summary, count = result.summary, result.summary["requests"]
    words = (
        f"{result.name}: {summary['until_s']:,.1f} s of simulated time in {result.wall_s:,.1f} s, "
        f"{summary['chips']:g} chips. {count['arrived']:,} requests arrived, "
        f"{count['finished']:,} finished, {count['in_flight']:,} in flight"
    )
    if count["preempted"]:
        words += (
            f"; {count['preempted']:,} were preempted, {count['recomputed_tokens']:,} tokens "
            "computed again"
        )
    if summary["warm_up_s"]:
        words += (
            f". Measured: {count['measured']:,} requests, from {summary['warm_up_s']:,.1f} s on"
        )
    return f"{words}."


def rates(result: Result) -> list[str]:
    """Return one line each for throughput, goodput, rebalancing and faults."""
    throughput, good = result.summary["throughput"], result.summary["goodput"]
    throughput_line = (
        f"throughput {figures(throughput['output_tokens_per_s_per_chip'])} output tokens/s per "
        f"chip, {figures(throughput['output_tokens_per_s'])} in all; "
        f"{figures(throughput['requests_per_s'])} requests/s"
    )
    limits = [
        f"{name} <= {seconds(limit)}"
        for name, limit in (("TTFT", result.slo.ttft_s), ("TPOT", result.slo.tpot_s))
        if math.isfinite(limit)
    ]
    span = "the simulation" if good["span"] == "simulation" else "arrivals"
    goodput_line = (
        f"goodput    {figures(good['output_tokens_per_s_per_chip'])} output tokens/s per chip, "
        f"{figures(good['output_tokens_per_s'])} in all; {figures(good['requests_per_s'])} "
        f"requests/s over {seconds(good['span_s'])} of {span}; {good['share']:.1%} of the "
        f"{result.summary['requests']['measured']:,} requests keep "
    )
    lines = [
        throughput_line,
        goodput_line + (" and ".join(limits) or "the SLO, which has no limit"),
    ]
    if "rebalancing" in result.summary:
        totals = result.summary["rebalancing"]
        lines.append(
            f"rebalanced {totals['rebalances']:,} times; {totals['moved_bytes'] / 1e9:,.1f} GB of "
            f"weights moved, {seconds(totals['paused_s'])} of pauses"
        )
    faults = result.summary.get("faults")
    return [*lines, fault_table.in_words(faults)] if faults else lines


def seconds(value: float | None) -> str:
    """Return seconds as text with a suitable unit; a dash for None."""
    if value is None:
        return NOTHING
    if value >= 100:
        return f"{value:,.0f} s"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-3 or value == 0 else f"{value * 1e6:.1f} µs"


def figures(value: float | None) -> str:
    """Return a number with three significant figures, or as a whole number from 100 on."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def latency_rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each latency: its label, number of requests, mean and percentiles."""
    return [
        [label, f"{summary[name]['count']:,}", *(seconds(summary[name][point]) for point in POINTS)]
        for name, label in LATENCIES.items()
    ]


def executor_rows(executors: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each task executor, with cells as in :data:`EXECUTOR_HEADINGS`."""
    rows = []
    for name, numbers in executors.items():
        states = [
            part(numbers[state][point]) if state == "kv_use" else figures(numbers[state][point])
            for state in ("waiting", "running", "kv_use")
            for point in ("mean", "max")
        ]
        imbalance = numbers["dp_imbalance"]
        ratio = NOTHING if imbalance is None else f"{imbalance:.2f}"
        balance = [part(numbers["busy"]), part(numbers["barrier_idle"]), ratio]
        rows.append([name, *states, *balance, f"{numbers['steps']:,}"])
    return rows


def part(value: float | None) -> str:
    """Return a fraction as a percentage; a dash for None."""
    return NOTHING if value is None else f"{value:.1%}"


def _table(headings: Sequence[tuple[str, ...]], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\n".join(headings[0]), no_wrap=True, min_width=10)
    for heading in headings[1:]:
        table.add_column("\n".join(heading), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
