"""A plan on the screen, as JSON, and as CSV."""

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.serving.plan.outcome import VERDICTS, DeploymentOutcome, frontier, nearest
from evaluation.serving.plan.span import ArrivalSpan
from evaluation.serving.results.view import part, seconds
from evaluation.serving.scenario.deployment import executor_tables

#: Number of deployments listed for each verdict but the first, unless all are requested.
LISTED = 5
SCORES = ("goodput", "share", "ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s")
#: Headings of the table, line by line.
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


def as_dict(
    outcomes: Sequence[DeploymentOutcome], span: ArrivalSpan, share: float
) -> dict[str, Any]:
    """Return a plan for JSON: the span, the best, the nearest, and all outcomes."""
    rows = [
        row(outcome, number in frontier(outcomes), span) for number, outcome in enumerate(outcomes)
    ]
    held = bool(outcomes) and outcomes[0].holds(share)
    near = None if held else nearest(outcomes, span.scenario)
    return {
        "scenario": span.scenario.name,
        "slo": {"ttft_s": span.scenario.ttft_s, "tpot_s": span.scenario.tpot_s},
        "share": share,
        "warm_up_s": span.warm_up_s,
        "span_s": span.span_s,
        "requests": span.trace.num_requests,
        "warnings": list(span.warnings),
        "best": rows[0] if held else None,
        "nearest": None if near is None else rows[list(outcomes).index(near)],
        "candidates": rows,
    }


def row(outcome: DeploymentOutcome, on_frontier: bool, span: ArrivalSpan) -> dict[str, Any]:
    """Return an outcome as one flat row; unknown values are None."""
    prefill, _ = executor_tables(span.scenario)
    bound = outcome.bound
    most = None if bound is None or bound.goodput == float("inf") else bound.goodput
    return {
        **dataclasses.asdict(outcome.deployment),
        "prefill_dies": outcome.deployment.prefill * prefill.dies,
        "expert_dies": outcome.deployment.expert_dies,
        "chips": outcome.chips,
        "verdict": outcome.verdict,
        "frontier": on_frontier,
        **{name: outcome.scores.get(name) for name in SCORES},
        "most_goodput": most,
        "most_share": None if bound is None else bound.share,
        "reason": outcome.reason,
    }


def as_csv(outcomes: Sequence[DeploymentOutcome], span: ArrivalSpan) -> str:
    """Return a line for every outcome, with the headings of :func:`row`."""
    best = frontier(outcomes)
    rows = [row(outcome, number in best, span) for number, outcome in enumerate(outcomes)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def print_plan(
    outcomes: Sequence[DeploymentOutcome],
    span: ArrivalSpan,
    share: float,
    console: Console,
    all_rows: bool,
) -> None:
    """Print the frontier or every outcome, why deployments were left out, and the best.

    Parameters
    ----------
    outcomes
        Outcomes of :func:`evaluation.serving.plan.search.search_deployments`.
    span
        Requests of the simulations.
    share
        Share of the requests that must keep the SLO.
    console
        Where to print.
    all_rows
        Whether to list all simulated deployments, and all that were left out.
    """
    scenario, best = span.scenario, frontier(outcomes)
    scored = "all at once" if span.span_s is None else f"{span.span_s:.1f} s of arrivals"
    _print_line(
        console,
        f"{scenario.name}: TTFT <= {seconds(scenario.ttft_s)}, TPOT <= {seconds(scenario.tpot_s)}; "
        f"{span.measured.sum():,} requests scored, {scored} after {span.warm_up_s:.1f} s.",
    )
    count = Counter(outcome.verdict for outcome in outcomes)
    verdicts = ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS if count[verdict])
    _print_line(console, f"{len(outcomes)} deployments: {verdicts}.\n")
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for number, outcome in enumerate(outcomes):
        if outcome.scores and (all_rows or number in best):
            table.add_row(*_cells(outcome, span, number in best and all_rows))
    if table.row_count:
        console.print(table)
    _print_discarded(outcomes, span, console, all_rows)
    _print_best(outcomes, span, share, console)


def _cells(outcome: DeploymentOutcome, span: ArrivalSpan, marked: bool) -> list[str]:
    prefill, _ = executor_tables(span.scenario)
    ttft, tpot = outcome.scores["ttft_p99_s"], outcome.scores["tpot_p99_s"]
    return [
        f"{outcome.deployment.prefill} × {prefill.dies}",
        _decode_cell(outcome),
        f"{outcome.deployment.batch_limit}",
        f"{outcome.deployment.redundant}",
        f"{outcome.chips:g}",
        f"{outcome.goodput:.1f}",
        part(outcome.share),
        seconds(ttft),
        seconds(tpot),
        "*" if marked else "",
    ]


def _decode_cell(outcome: DeploymentOutcome) -> str:
    """Return decode dies, or domains × attention dies of each + expert dies."""
    deployment = outcome.deployment
    if not deployment.domains:
        return f"{deployment.decode_dies}"
    each = deployment.attention_dies // deployment.domains
    return f"{deployment.domains} × {each} + {deployment.expert_dies}"


def _print_discarded(
    outcomes: Sequence[DeploymentOutcome], span: ArrivalSpan, console: Console, all_rows: bool
) -> None:
    for verdict in VERDICTS[1:]:
        with_verdict = [outcome for outcome in outcomes if outcome.verdict == verdict]
        shown = with_verdict if all_rows else with_verdict[:LISTED]
        if shown:
            _print_line(console, f"\n{verdict}:")
        for outcome in shown:
            _print_line(
                console, f"  {outcome.deployment.describe(span.scenario)}: {outcome.reason}"
            )
        if len(shown) < len(with_verdict):
            _print_line(
                console, f"  … and {len(with_verdict) - len(shown)} more; --all or --out lists them"
            )


def _print_best(
    outcomes: Sequence[DeploymentOutcome], span: ArrivalSpan, share: float, console: Console
) -> None:
    scenario = span.scenario
    if outcomes and outcomes[0].holds(share):
        best = outcomes[0]
        _print_line(
            console,
            f"\nbest: {best.deployment.describe(scenario)}: {best.goodput:.1f} tokens/s per chip "
            f"on {best.chips:g} chips, {part(best.share)} keep the SLO",
        )
        return
    near = nearest(outcomes, scenario)
    if near is None:
        _print_line(console, "\nno deployment can be built; the reasons are above")
        return
    _print_line(console, f"\nno deployment keeps the SLO for {share:.0%} of the requests")
    ttft, tpot = near.scores["ttft_p99_s"], near.scores["tpot_p99_s"]
    _print_line(
        console,
        f"nearest: {near.deployment.describe(scenario)}: {part(near.share)} keep it; p99 of "
        f"TTFT {_known(ttft)}, of TPOT {_known(tpot)}",
    )


def _known(value: float | None) -> str:
    return "unknown" if value is None else seconds(value)


def _print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
