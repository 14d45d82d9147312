"""`podlab compete`: score a solver or an entry by the rules of the balancing competition."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import options
from evaluation.cli.usage_error import usage_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evaluation.candidates.competition_protocol import Rebalance
    from evaluation.kinds.competition import protocol
    from lb.engines.competition import Competitor

    #: Called with a number of iterations; returns the first ones.
    Counts = Callable[[int], Iterable[NDArray[np.int32]]]

#: Iterations of generated counts.
ITERATIONS = 4096

#: Options for generated counts only, and for a solver that Competitor wraps.
GENERATED = ("layers", "experts", "tokens", "rho")
WRAPPED = ("solver", "answer_layers", "least_gain", "drift")


Trace = Annotated[
    Path | None,
    typer.Option(
        help="Counts [iterations, layers, experts], a .npy file of integers. [default: generated]"
    ),
]
Iterations = Annotated[
    int | None,
    typer.Option(
        help=f"Number of iterations; the first ones of a file. [default: {ITERATIONS}, or the "
        "whole file]"
    ),
]
Layers = Annotated[int, typer.Option(help="MoE layers, if generated.")]
Experts = Annotated[int, typer.Option(help="Experts per layer, if generated.")]
Tokens = Annotated[int, typer.Option(help="Mean tokens per layer and iteration, if generated.")]
Rho = Annotated[
    float, typer.Option(help="Correlation of log loads between iterations, if generated.")
]
Entry = Annotated[
    str | None,
    typer.Option(
        help="Your own entry instead of a solver: path/to/file.py:name, a function "
        "rebalance(hotness, n_device, n_red_expert) or a class that has it."
    ),
]
Window = Annotated[int, typer.Option(help="Number of past iterations that the entry sees.")]
Every = Annotated[int, typer.Option(help="Fewest iterations between two calls.")]
AnswerLayers = Annotated[int, typer.Option(help="Layers that one answer of the solver changes.")]
LeastGain = Annotated[
    float, typer.Option(help="Least decrease of maximum / mean rank load for a move.")
]
Drift = Annotated[float, typer.Option(help="Assumed change of log loads per iteration.")]
Charge = Annotated[
    str, typer.Option(help="Round wall time in iterations down or up, or charge a fixed number.")
]


def compete(
    context: typer.Context,
    ranks: Annotated[int, options.RANKS] = 32,
    slots: Annotated[int, typer.Option(help="Slots per layer on each rank.")] = 9,
    trace: Trace = None,
    iterations: Iterations = None,
    layers: Layers = 58,
    experts: Experts = 256,
    tokens: Tokens = 65_536,
    rho: Rho = 0.9997,
    seed: options.Seed = 0,
    solver: options.Solver = "incremental",
    entry: Entry = None,
    window: Window = 16,
    every: Every = 1,
    answer_layers: AnswerLayers = 4,
    least_gain: LeastGain = 0.0055,
    drift: Drift = 0.0245,
    charge: Charge = "down",
    as_json: options.AsJson = False,
) -> None:
    """Play the balancing competition and print the score."""
    from dataclasses import replace
    from functools import partial

    from evaluation.cli.progress import progress
    from evaluation.kinds.competition import protocol
    from evaluation.kinds.competition.drifting_counts import drifting_counts

    with usage_errors():
        _check_effect("trace", GENERATED, context)
        _check_effect("entry", WRAPPED, context)
        baseline = partial(
            protocol.baseline, num_ranks=ranks, slots_per_rank=slots, charge=_charge(charge)
        )
        play = partial(
            protocol.play,
            num_ranks=ranks,
            slots_per_rank=slots,
            charge=_charge(charge),
            window=window,
            every=every,
        )
        generated = partial(
            drifting_counts, layers=layers, experts=experts, rho=rho, tokens=tokens, seed=seed
        )
        counts, length = _counts(trace, iterations, generated)
        baseline(counts(2))  # compiles the kernels, and finds errors before the long runs
        rebalance: Rebalance
        if entry is not None:
            rebalance = _entry(entry, seed)
        else:
            wrapped = _wrapped(solver, seed, (answer_layers, least_gain, drift))
            play(replace(wrapped), counts(2))  # a copy, since an entry keeps state
            rebalance = wrapped
        with progress() as bar:
            run = play(rebalance, bar.track(counts(length), length, description="entry"))
            base = baseline(bar.track(counts(length), length, description="baseline"))
    _print(run, base, as_json)


def _entry(spec: str, seed: int) -> "Rebalance":
    """Return an entry. It may keep state, so that no call compiles it before the run."""
    from evaluation.candidates.competition_entry import EntryCandidate

    return EntryCandidate(spec, seed).make()


def _wrapped(spec: str, seed: int, settings: tuple[int, float, float]) -> "Competitor":
    """Return a solver behind the interface of an entry."""
    from evaluation.candidates.candidate import Candidate
    from lb.engines.competition import Competitor

    return Competitor(Candidate(spec, seed).make(), {}, *settings)


def _check_effect(option: str, others: tuple[str, ...], context: typer.Context) -> None:
    """Raise ValueError if the user gave an option that another one makes ineffective."""
    if context.params[option] is None:
        return
    for other in others:
        source = context.get_parameter_source(other)
        if source is not None and source.name != "DEFAULT":
            option_text = f"--{other.replace('_', '-')} {context.params[other]}"
            raise ValueError(f"{option_text} has no effect with --{option}; leave one of them out")


def _counts(
    trace: Path | None, iterations: int | None, generated: "Counts"
) -> "tuple[Counts, int]":
    """Return the counts to play on, and the number of iterations."""
    from evaluation.kinds.competition.counts_file import recorded_counts

    if trace is None:
        return generated, ITERATIONS if iterations is None else iterations
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


def _print(run: "protocol.CompetitionRun", base: "protocol.CompetitionRun", as_json: bool) -> None:
    from evaluation.kinds.competition import protocol

    score = protocol.score(run, base)
    if as_json:
        runs = {"entry": _row(run), "baseline": _row(base)}
        print(json.dumps({"score": score, **runs}, indent=1, allow_nan=False))
        return
    print(f"score {score:.1f}")
    headings = (
        f"{'total s':>9}{'imbalance':>11}{'moves':>11}{'calls':>7}{'charged':>9}{'ms/call':>9}"
    )
    print(f"{'':10}{headings}")
    for name, row in (("entry", _row(run)), ("baseline", _row(base))):
        print(
            f"{name:10}{row['total_s']:9.2f}{row['imbalance']:11.4f}{row['moves']:11,}"
            f"{row['calls']:7,}{row['charged']:9,}{row['call_ms']:9.2f}"
        )


def _row(run: "protocol.CompetitionRun") -> dict[str, float]:
    return {
        "total_s": run.total_s,
        "imbalance": float(run.imbalance.mean()),
        "moves": run.moves,
        "calls": run.calls,
        "charged": run.charged,
        "call_ms": 1e3 * run.wall_s / max(1, run.calls),
    }
