"""The command that plays the balancing competition."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli.usage_error import refuse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evaluation.kinds.competition import protocol

    #: The first so many iterations of a trace.
    Counts = Callable[[int], Iterable[NDArray[np.int32]]]

#: Iterations of generated counts.
ITERATIONS = 4096

#: What goes with generated counts only, and with a solver that Competitor wraps.
GENERATED = ("layers", "experts", "tokens", "rho")
WRAPPED = ("solver", "answer_layers", "least_gain", "drift")


def compete(
    context: typer.Context,
    ranks: Annotated[int, typer.Option(help="Ranks of the EP group.")] = 32,
    slots: Annotated[int, typer.Option(help="Slots of a layer on each rank.")] = 9,
    trace: Annotated[
        Path | None,
        typer.Option(
            help="Counts [iterations, layers, experts], a .npy file of integers. [default: "
            "generated]"
        ),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            help=f"Of the trace; the first ones of a file. [default: {ITERATIONS}, or all of the "
            "file]"
        ),
    ] = None,
    layers: Annotated[int, typer.Option(help="MoE layers, if generated.")] = 58,
    experts: Annotated[int, typer.Option(help="Experts of a layer, if generated.")] = 256,
    tokens: Annotated[
        int, typer.Option(help="Mean of a layer's counts in an iteration, if generated.")
    ] = 65_536,
    rho: Annotated[
        float, typer.Option(help="Correlation of log loads an iteration, if generated.")
    ] = 0.9997,
    seed: Annotated[int, typer.Option(help="Of generated counts, and of who draws lots.")] = 0,
    solver: Annotated[
        str, typer.Option(help="A registered name, or path/to/file.py:name.")
    ] = "incremental",
    entry: Annotated[
        str | None,
        typer.Option(
            help="Your own entry instead of a solver: path/to/file.py:name, a function "
            "rebalance(hotness, n_device, n_red_expert) or a class of such."
        ),
    ] = None,
    window: Annotated[int, typer.Option(help="Iterations that the entry is shown.")] = 16,
    every: Annotated[int, typer.Option(help="Iterations between two calls, at least.")] = 1,
    answer_layers: Annotated[
        int, typer.Option(help="Layers that one answer of the solver changes.")
    ] = 4,
    least_gain: Annotated[
        float, typer.Option(help="What a move must take off maximum / mean rank load.")
    ] = 0.0055,
    drift: Annotated[
        float, typer.Option(help="Assumed change of log loads an iteration.")
    ] = 0.0245,
    charge: Annotated[
        str, typer.Option(help="Wall time in iterations rounded down or up, or a fixed number.")
    ] = "down",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play the balancing competition and print the score."""
    from dataclasses import replace
    from functools import partial

    from evaluation.candidates.candidate import Candidate
    from evaluation.candidates.competition_entry import EntryCandidate
    from evaluation.cli.progress import progress
    from evaluation.kinds.competition import protocol
    from evaluation.kinds.competition.drifting_counts import drifting_counts
    from lb.engines.competition import Competitor

    try:
        _refuse_beside("trace", GENERATED, context)
        _refuse_beside("entry", WRAPPED, context)
        charged = _charge(charge)
        play = partial(
            protocol.play,
            num_ranks=ranks,
            slots_per_rank=slots,
            window=window,
            every=every,
            charge=charged,
        )
        baseline = partial(protocol.baseline, num_ranks=ranks, slots_per_rank=slots, charge=charged)
        drawn = partial(
            drifting_counts, layers=layers, experts=experts, rho=rho, tokens=tokens, seed=seed
        )
        counts, length = _counts(trace, iterations, drawn)
        baseline(counts(2))  # compiles the kernels, and says what is wrong before the long runs
        rebalance: protocol.Rebalance
        if entry is not None:
            rebalance = EntryCandidate(entry, seed).make()  # may remember, so it does not practise
        else:
            found = Candidate(solver, seed).make()
            rebalance = Competitor(found, {}, answer_layers, least_gain, drift)
            play(replace(rebalance), counts(2))
        with progress() as shown:
            played = play(rebalance, shown.track(counts(length), length, description="entry"))
            base = baseline(shown.track(counts(length), length, description="baseline"))
    except (ValueError, OSError, ImportError) as error:
        refuse(error)
    _print(played, base, as_json)


def _refuse_beside(option: str, others: tuple[str, ...], context: typer.Context) -> None:
    """Refuse options that would be ignored."""
    if context.params[option] is None:
        return
    for other in others:
        source = context.get_parameter_source(other)
        if source is not None and source.name != "DEFAULT":
            given = f"--{other.replace('_', '-')} {context.params[other]}"
            raise ValueError(f"{given} has no effect beside --{option}; leave one of them out")


def _counts(trace: Path | None, iterations: int | None, drawn: "Counts") -> "tuple[Counts, int]":
    """Return the counts to play on, and how many iterations of them."""
    from evaluation.kinds.competition.counts_file import recorded_counts

    if trace is None:
        return drawn, ITERATIONS if iterations is None else iterations
    recorded = recorded_counts(trace, iterations)
    return lambda length: recorded[:length], len(recorded)


def _charge(charge: str) -> Callable[[float], int]:
    from evaluation.kinds.competition import protocol

    if charge == "down":
        return protocol.rounded_down
    if charge == "up":
        return protocol.rounded_up
    if not charge.isdecimal():
        raise ValueError(f"--charge {charge}: give down, up or a number of iterations >= 0")
    return lambda _: int(charge)


def _print(played: "protocol.Played", base: "protocol.Played", as_json: bool) -> None:
    from evaluation.kinds.competition import protocol

    reached = protocol.score(played, base)
    if as_json:
        runs = {"entry": _row(played), "baseline": _row(base)}
        print(json.dumps({"score": reached, **runs}, indent=1, allow_nan=False))
        return
    print(f"score {reached:.1f}")
    heads = f"{'total s':>9}{'imbalance':>11}{'moves':>11}{'calls':>7}{'charged':>9}{'ms/call':>9}"
    print(f"{'':10}{heads}")
    for name, one in (("entry", played), ("baseline", base)):
        row = _row(one)
        print(
            f"{name:10}{row['total_s']:9.2f}{row['imbalance']:11.4f}{row['moves']:11,}"
            f"{row['calls']:7,}{row['charged']:9,}{row['call_ms']:9.2f}"
        )


def _row(played: "protocol.Played") -> dict[str, float]:
    return {
        "total_s": played.total_s,
        "imbalance": float(played.imbalance.mean()),
        "moves": played.moves,
        "calls": played.calls,
        "charged": played.charged,
        "call_ms": 1e3 * played.wall_s / max(1, played.calls),
    }
