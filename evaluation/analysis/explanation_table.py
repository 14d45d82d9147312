"""An explanation in the terminal: the verdict in words, then short tables."""

from typing import Any

from rich.console import Console
from rich.table import Table

MICRO = 1e6


def heading(report: dict[str, Any]) -> str:
    """Return which window was judged, and how its load differs from what solvers saw."""
    window = report["window"]
    number, seen, change = window["number"], window["seen"], window["change"]
    place = "" if change is None or number != change else ", the first after the change of mixture"
    before = f"window {number - 1}" if seen == 1 else f"windows {number - seen} to {number - 1}"
    return (
        f"{report['scenario']['id']}, window {number}{place}; solvers see {before}. The popularity "
        f"of experts differs by {window['load_change']:.1%} of the tokens from window {number - 1}."
    )


def verdict(report: dict[str, Any]) -> str:
    """Return the result in three sentences."""
    step, migration = report["step_s"], report["migration"]
    named = f"{report['after']} (after)", f"{report['before']} (before)"
    if step["difference"] == 0:
        first = f"{named[0]} takes just as long a step as {named[1]}: {_us(step['before'])}"
    else:
        how = "less" if step["difference"] < 0 else "more"
        first = (
            f"{named[0]} takes {abs(step['change']):.1%} {how} time a step than {named[1]}: "
            f"{_us(step['before'])} -> {_us(step['after'])}"
        )
    phases = [
        f"{phase} {_signed(seconds['difference'])}"
        for phase, seconds in report["phases_s"].items()
        if seconds["difference"] != 0
    ]
    second = f" By phase: {', '.join(phases)} µs a step." if phases else ""
    return (
        f"{first}, mean of {_steps(report)} ({_counted(step['faster_steps'])} faster).{second} "
        f"{_migration(migration)}"
    )


def _steps(report: dict[str, Any]) -> str:
    priced, steps, layers = report["steps"], report["engine_steps"], report["moe_layers"]
    if priced == steps:
        return f"{_counted(priced)} of {layers} layers"
    are = "is" if priced == 1 else "are"
    return f"{steps:,.0f} engine steps of {layers} layers, of which {_counted(priced)} {are} priced"


def _counted(steps: int) -> str:
    return f"{steps} step" if steps == 1 else f"{steps} steps"


def _migration(migration: dict[str, Any]) -> str:
    if not migration["experts"]:
        return "No expert weights move."
    steps = migration["break_even_steps"]
    if steps is None:
        pays = "never pays"
    else:
        pays = f"pays after {steps:,.0f} steps" if steps >= 1 else "pays within a step"
    return (
        f"Moving {migration['experts']:,} expert weights ({migration['bytes'] / 1e9:.2f} GB, "
        f"{migration['seconds'] * 1e3:.1f} ms of standstill) {pays}."
    )


def render(report: dict[str, Any], console: Console) -> None:
    """Print the verdict and the tables."""
    console.print(heading(report), highlight=False, markup=False)
    console.print(verdict(report), highlight=False, markup=False)
    for table in (_layers(report), _ranks(report), _experts(report), _links(report)):
        if table.row_count:
            # Rich wraps a title at the width of the table, so the title is a line of its own.
            console.print(f"\n{table.caption}", style="italic", highlight=False)
            table.caption = None
            console.print(table)


def _table(title: str, *headings: str) -> Table:
    table = Table(caption=title, box=None, pad_edge=False, padding=(0, 1))
    for heading in headings:
        words = heading.endswith((" on it", "link"))
        table.add_column(heading, justify="left" if words else "right", no_wrap=not words)
    return table


def _layers(report: dict[str, Any]) -> Table:
    title = "Layers that differ most: µs a step, the rank waited for most, its load over the mean"
    table = _table(
        title,
        "layer",
        "µs",
        *("dispatch", "experts", "combine"),
        *("rank", "load", "heaviest on it", "-> rank", "load", "heaviest on it"),
    )
    for layer in report["layers"]:
        phases = [_signed(layer["phases_s"][phase]) for phase in ("dispatch", "experts", "combine")]
        ranks = [cell for side in ("before", "after") for cell in _slowest_rank(layer[side])]
        table.add_row(str(layer["layer"]), _signed(layer["difference_s"]), *phases, *ranks)
    return table


def _slowest_rank(side: dict[str, Any]) -> tuple[str, str, str]:
    experts = []
    for expert in side["experts"]:
        copies = f" ×{expert['replicas']}" if expert["replicas"] > 1 else ""
        experts.append(f"e{expert['expert']}{copies} {expert['share']:.0%}")
    return str(side["rank"]), f"{side['load_to_mean']:.2f}", ", ".join(experts)


def _ranks(report: dict[str, Any]) -> Table:
    title = "Ranks: µs a step in which combine waits for their experts, all layers"
    headings = ("rank", "before", "after", "difference", "tokens", "-> tokens", "receives")
    table = _table(title, *headings)
    for rank in report["ranks"]:
        table.add_row(
            str(rank["rank"]),
            *(f"{rank[side] * MICRO:.1f}" for side in ("before_s", "after_s")),
            _signed(rank["difference_s"]),
            *(f"{rank[side]:,.0f}" for side in ("tokens_before", "tokens_after")),
            str(rank["receives"]),
        )
    return table


def _experts(report: dict[str, Any]) -> Table:
    title = "Experts: µs of the wait attributed to each, and what its new place alone would change"
    headings = ("layer", "expert", "tokens", "replicas", "before", "after", "difference", "alone")
    table = _table(title, *headings)
    for expert in report["experts"]:
        table.add_row(
            str(expert["layer"]),
            str(expert["expert"]),
            f"{expert['tokens']:.1f}",
            f"{expert['replicas_before']} -> {expert['replicas_after']}",
            f"{expert['before_s'] * MICRO:.1f}",
            f"{expert['after_s'] * MICRO:.1f}",
            _signed(expert["difference_s"]),
            _signed(-expert["marginal_s"]),
        )
    return table


def _links(report: dict[str, Any]) -> Table:
    title = "Fullest links: µs busy a step, all layers; how often links decide, not the ranks' pull"
    table = _table(title, "phase", "decide", "before: link", "µs", "decide", "after: link", "µs")
    for phase, sides in report["links"].items():
        if sides["before"] == sides["after"]:
            continue
        both = [sides[side]["busiest"] for side in ("before", "after")]
        decide = [f"{sides[side]['links_decide']:.0%}" for side in ("before", "after")]
        for row in range(max(map(len, both))):
            first = row == 0
            cells = [phase if first else ""]
            for busiest, share in zip(both, decide, strict=True):
                cells += [share if first else "", *_link(busiest, row)]
            table.add_row(*cells)
    return table


def _link(busiest: list[dict[str, Any]], row: int) -> tuple[str, str]:
    if row >= len(busiest):
        return "", ""
    link = busiest[row]
    others = f" and {link['others_alike']} alike" if link["others_alike"] else ""
    return " -> ".join(link["link"]) + others, f"{link['busy_s'] * MICRO:.1f}"


def _us(seconds: float) -> str:
    return f"{seconds * MICRO:,.1f} µs"


def _signed(seconds: float) -> str:
    return f"{seconds * MICRO:+,.1f}"
