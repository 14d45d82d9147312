"""A plan on the screen, as JSON, and as CSV."""

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.serving.plan.outcome import VERDICTS, Candidate, frontier, nearest
from evaluation.serving.plan.span import Span
from evaluation.serving.results.view import part, seconds
from evaluation.serving.scenario.deployment import executors

#: Of those not played, for each verdict, unless all are asked for.
LISTED = 5
SCORES = ("goodput", "share", "ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s")
#: Of tables, line by line.
HEADINGS = (
    "prefill\ndies",
    "decode, or at-\ntention + expert",
    "batch",
    "redun-\ndant",
    "chips",
    "tok/s\n/chip",
    "keep\nSLO",
    "TTFT\np99",
    "TPOT\np99",
    "",
)


def as_dict(found: Sequence[Candidate], span: Span, share: float) -> dict[str, Any]:
    """Return a plan for JSON: how it was played, the best, the nearest, and all candidates."""
    rows = [row(one, number in frontier(found), span) for number, one in enumerate(found)]
    held = bool(found) and found[0].holds(share)
    near = None if held else nearest(found, span.scenario)
    return {
        "scenario": span.scenario.name,
        "slo": {"ttft_s": span.scenario.ttft_s, "tpot_s": span.scenario.tpot_s},
        "share": share,
        "warm_up_s": span.warm_up_s,
        "span_s": span.span_s,
        "requests": span.trace.num_requests,
        "warnings": list(span.warnings),
        "best": rows[0] if held else None,
        "nearest": None if near is None else rows[list(found).index(near)],
        "candidates": rows,
    }


def row(one: Candidate, on_frontier: bool, span: Span) -> dict[str, Any]:
    """Return a candidate as one flat row; what is not known is None."""
    prefill, _ = executors(span.scenario)
    bound = one.bound
    most = None if bound is None or bound.goodput == float("inf") else bound.goodput
    return {
        **dataclasses.asdict(one.deployment),
        "prefill_dies": one.deployment.prefill * prefill.dies,
        "expert_dies": one.deployment.expert_dies,
        "chips": one.chips,
        "verdict": one.verdict,
        "frontier": on_frontier,
        **{name: one.scores.get(name) for name in SCORES},
        "most_goodput": most,
        "most_share": None if bound is None else bound.share,
        "reason": one.reason,
    }


def as_csv(found: Sequence[Candidate], span: Span) -> str:
    """Return a line for every candidate, with the headings of :func:`row`."""
    best = frontier(found)
    rows = [row(one, number in best, span) for number, one in enumerate(found)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def print_plan(
    found: Sequence[Candidate], span: Span, share: float, console: Console, everything: bool
) -> None:
    """Print the frontier, or all that was played; who was not, and why; and the best.

    Parameters
    ----------
    found
        Of :class:`evaluation.serving.plan.search.Search`.
    span
        What they were played with.
    share
        From which a deployment holds.
    console
        Where.
    everything
        Whether to list all that were played, and all that were not.
    """
    scenario, best = span.scenario, frontier(found)
    scored = "all at once" if span.span_s is None else f"{span.span_s:.1f} s of arrivals"
    _say(
        console,
        f"{scenario.name}: TTFT <= {seconds(scenario.ttft_s)}, TPOT <= {seconds(scenario.tpot_s)}; "
        f"{span.measured.sum():,} requests scored, {scored} after {span.warm_up_s:.1f} s.",
    )
    count = Counter(one.verdict for one in found)
    said = ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS if count[verdict])
    _say(console, f"{len(found)} deployments: {said}.\n")
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for number, one in enumerate(found):
        if one.scores and (everything or number in best):
            table.add_row(*_cells(one, span, number in best and everything))
    if table.row_count:
        console.print(table)
    _print_discarded(found, span, console, everything)
    _print_best(found, span, share, console)


def _cells(one: Candidate, span: Span, marked: bool) -> list[str]:
    prefill, _ = executors(span.scenario)
    ttft, tpot = one.scores["ttft_p99_s"], one.scores["tpot_p99_s"]
    return [
        f"{one.deployment.prefill} × {prefill.dies}",
        _decode_cell(one),
        f"{one.deployment.batch_limit}",
        f"{one.deployment.redundant}",
        f"{one.chips:g}",
        f"{one.goodput:.1f}",
        part(one.share),
        seconds(ttft),
        seconds(tpot),
        "*" if marked else "",
    ]


def _decode_cell(one: Candidate) -> str:
    """Return decode dies, or domains × attention dies of each + expert dies."""
    deployment = one.deployment
    if not deployment.domains:
        return f"{deployment.decode_dies}"
    each = deployment.attention_dies // deployment.domains
    return f"{deployment.domains} × {each} + {deployment.expert_dies}"


def _print_discarded(
    found: Sequence[Candidate], span: Span, console: Console, everything: bool
) -> None:
    for verdict in VERDICTS[1:]:
        which = [one for one in found if one.verdict == verdict]
        shown = which if everything else which[:LISTED]
        if shown:
            _say(console, f"\n{verdict}:")
        for one in shown:
            _say(console, f"  {one.deployment.describe(span.scenario)}: {one.reason}")
        if len(shown) < len(which):
            _say(console, f"  … and {len(which) - len(shown)} more; --all or --out lists them")


def _print_best(found: Sequence[Candidate], span: Span, share: float, console: Console) -> None:
    scenario = span.scenario
    if found and found[0].holds(share):
        best = found[0]
        _say(
            console,
            f"\nbest: {best.deployment.describe(scenario)}: {best.goodput:.1f} tokens/s per chip "
            f"on {best.chips:g} chips, {part(best.share)} keep the SLO",
        )
        return
    near = nearest(found, scenario)
    if near is None:
        _say(console, "\nnone holds: none of them can be; the reasons are above")
        return
    _say(console, f"\nnone holds: none keeps the SLO of {share:.0%} of the requests")
    ttft, tpot = near.scores["ttft_p99_s"], near.scores["tpot_p99_s"]
    _say(
        console,
        f"nearest: {near.deployment.describe(scenario)}: {part(near.share)} keep it; p99 of "
        f"TTFT {_known(ttft)}, of TPOT {_known(tpot)}",
    )


def _known(value: float | None) -> str:
    return "unknown" if value is None else seconds(value)


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
