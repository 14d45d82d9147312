"""Statistics of traces as tables: one column for each trace."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from traces.statistics import Summary
from traces.statistics.summary import describe

#: Columns that the tables need, so that no line wraps that a program may read.
WIDTH = 160
#: Columns of the table by layer.
BY_LAYER = {
    "hottest": "hottest",
    "hottest_step": "in a step",
    "top_share": "top fifth",
    "gini": "Gini",
    "entropy": "entropy",
    "drift": "drift",
    "drift_by_chance": "by chance",
    "persistence_1": "persists",
    "coactivation": "pairs",
    "coupling": "coupling",
}


def render(
    summaries: Mapping[str, Summary], against: str | None, by_layer: bool, console: Console
) -> None:
    """Print a line about each trace, the statistics side by side, and those of layers if asked.

    Parameters
    ----------
    summaries
        Summaries by the names of their traces.
    against
        Name of the trace that differences are taken from.
    by_layer
        Whether to print a table for each trace too.
    console
        Where to print; at least ``WIDTH`` columns wide.
    """
    for name, summary in summaries.items():
        console.print(f"{name}: {describe_trace(summary)}", highlight=False, markup=False)
    note = window_note(summaries)
    if note:
        console.print(note, highlight=False, markup=False)
    console.print()
    console.print(_overall(summaries, against))
    for name, summary in summaries.items():
        if summary.strongest:
            console.print(f"\n{name}: {_pairs(summary)}", highlight=False, markup=False)
    if by_layer:
        for name, summary in summaries.items():
            console.print(f"\n{name}", style="italic", highlight=False, markup=False)
            console.print(_layers(summary))


def statistics_table(
    summaries: Mapping[str, Summary],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return headings and rows: a row for each statistic, its meaning in the last column."""
    rows = tuple(
        (name, *(_number(_value(summary, name)) for summary in summaries.values()), describe(name))
        for name in _statistics(summaries)
    )
    return ("statistic", *summaries, "meaning"), rows


def describe_trace(summary: Summary) -> str:
    """Return one line with the shape, steps and windows of a trace."""
    low, mean, high = summary.step_tokens
    each = f"{mean:,.0f}" if low == high else f"{mean:,.0f} ({low:,.0f} to {high:,.0f})"
    cut = "" if summary.step_tokens_given is None else ", cut so here (--step-tokens)"
    window = "one step" if summary.window_steps == 1 else f"{summary.window_steps:,} steps"
    return (
        f"{summary.model}, {summary.phase}, {summary.layers} layers of {summary.experts} experts, "
        f"top-{summary.top_k}; {summary.steps:,} steps of {each} tokens{cut}; "
        f"{summary.windows:,} windows of {window}"
    )


def window_note(summaries: Mapping[str, Summary]) -> str:
    """Return a warning if windows differ by over 10 % in tokens, else an empty text."""
    sizes = [summary.window_steps * summary.step_tokens[1] for summary in summaries.values()]
    if max(sizes) <= 1.1 * min(sizes):
        return ""
    tokens = ", ".join(f"{size:,.0f}" for size in sizes)
    return (
        f"Windows of {tokens} tokens: drift and correlations depend on that. Compare drift with "
        "drift_by_chance, or give --window-steps."
    )


def _overall(summaries: Mapping[str, Summary], against: str | None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("mean of layers", no_wrap=True)
    others = [name for name in summaries if name != against]
    for name in others:
        table.add_column(name, justify="right", overflow="fold")
        if against is not None:
            table.add_column("differs by", justify="right", no_wrap=True)
    if against is not None:
        table.add_column(against, justify="right", overflow="fold")
    table.add_column("what it is", no_wrap=True, overflow="ellipsis")
    for statistic in _statistics(summaries):
        cells = []
        for name in others:
            value = _value(summaries[name], statistic)
            cells.append(_number(value))
            if against is not None:
                cells.append(_number(value - _value(summaries[against], statistic), "+"))
        if against is not None:
            cells.append(_number(_value(summaries[against], statistic)))
        table.add_row(statistic, *cells, describe(statistic))
    return table


def _statistics(summaries: Mapping[str, Summary]) -> list[str]:
    """Return the names of all statistics that any of the traces has."""
    return list(dict.fromkeys(name for summary in summaries.values() for name in summary.overall))


def _value(summary: Summary, statistic: str) -> float:
    return summary.overall.get(statistic, float("nan"))


def _pairs(summary: Summary) -> str:
    named = (
        f"layer {layer}: {first} and {second} {lift:.1f} times"
        for layer, first, second, lift in summary.strongest
    )
    return (
        f"chosen together more often than by chance, of {summary.pair_tokens:,} tokens: "
        f"{'; '.join(named)}"
    )


def _layers(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("layer", justify="right")
    names = [name for name in BY_LAYER if name in summary.statistics]
    for name in names:
        table.add_column(BY_LAYER[name], justify="right", no_wrap=True)
    for row in summary.rows:
        table.add_row(str(row["layer"]), *(_number(row[name]) for name in names))
    return table


def _number(value: float, sign: str = "") -> str:
    return "–" if value != value else f"{value:{sign}.3f}"
