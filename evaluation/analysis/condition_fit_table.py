"""A law of loads and its recordings as tables in a terminal."""

from rich.console import Console
from rich.table import Table

from evaluation.analysis.condition_fit import ConditionFit, ConditionPair
from traces.generators.loads import Modes

#: Pairs that are printed; of more, the nearest and the farthest.
SHOWN = 16
NEAREST = 4


def render(found: Modes, fit: ConditionFit, console: Console) -> None:
    """Print how much the directions carry, the conditions, and how far apart they are."""
    console.print(_directions(found), highlight=False, soft_wrap=True)
    console.print()
    console.print(_conditions(fit))
    console.print()
    pairs = sorted(fit.pairs, key=lambda pair: pair.distance.total_variation)
    if len(pairs) > SHOWN:
        left_out = len(pairs) - SHOWN
        pairs = [*pairs[:NEAREST], *pairs[NEAREST - SHOWN :]]
        note = f"The {NEAREST} nearest and {SHOWN - NEAREST} farthest pairs; --json prints "
        console.print(f"{note}{left_out} more.", highlight=False)
    console.print(_pairs(pairs, fit))
    console.print(_summary(fit), highlight=False, soft_wrap=True)


def _directions(found: Modes) -> str:
    number = len(found.directions)
    each = ", ".join(f"{100 * share:.1f}" for share in found.variance_share[:number])
    text = (
        f"{len(found.names)} recordings differ along {number} direction{'s' * (number > 1)} that "
        f"carr{'y' if number > 1 else 'ies'} {100 * found.explained:.1f} % of the variance of "
        f"their log loads: {each} %."
    )
    if len(found.names) == 2:
        text += " Two recordings always do: give more to see along how few."
    if found.by_chance > 0.05:
        text += f" The drawing of tokens explains {100 * found.by_chance:.0f} % of it."
    return text


def _conditions(fit: ConditionFit) -> Table:
    directions = len(fit.conditions[0].coefficients)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\ncondition", no_wrap=True)
    headings = [
        "tokens",
        "SD of\nlog load",
        "hottest\n÷ mean",
        "balance\nas planned",
        "law\nmisses",
    ]
    headings += [f"direc-\ntion {number + 1}" for number in range(directions)]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in fit.conditions:
        table.add_row(
            one.name,
            f"{one.tokens:,}",
            f"{one.deviation:.3f}",
            f"{one.hottest:.2f}",
            f"{fit.own[one.name]:.3f}",
            f"{one.missed:.4f}",
            *(f"{coefficient:+.3f}" for coefficient in one.coefficients),
        )
    return table


def _pairs(pairs: list[ConditionPair], fit: ConditionFit) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for heading in ("plan for", "serve"):
        table.add_column(heading, no_wrap=True)
    served = f"balance EP{fit.num_ranks} × {fit.slots_per_rank}"
    for heading in ("TV", "corr.", "SD", "top 16", served, "by the law"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in pairs:
        apart = pair.distance
        table.add_row(
            pair.plan,
            pair.serve,
            f"{apart.total_variation:.3f}",
            f"{apart.correlation:.3f}",
            f"{apart.log_ratio_deviation:.3f}",
            f"{apart.top_shared:.2f}",
            f"{pair.recorded:.3f}",
            f"{pair.by_law:.3f}",
        )
    return table


def _summary(fit: ConditionFit) -> str:
    worst = min(fit.pairs, key=lambda pair: pair.recorded)
    apart = max(abs(pair.recorded - pair.by_law) for pair in fit.pairs)
    return (
        "TV, and what the law misses: part of the load that would have to move. SD: of the log "
        f"ratio of loads.\nBalance: mean ÷ maximum rank load, {fit.solver}, even shares.\n"
        f"A placement keeps {min(fit.own.values()):.3f} or more on the recording that it was made "
        f"from, and {worst.recorded:.3f} when planned for {worst.plan} and serving {worst.serve}. "
        f"The law meets all of this within {apart:.3f}."
    )
