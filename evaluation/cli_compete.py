"""The command that plays the balancing competition."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.refuse import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from evaluation import competition


def compete(
    ranks: Annotated[int, typer.Option(help="Ranks of the EP group.")] = 32,
    slots: Annotated[int, typer.Option(help="Slots of a layer on each rank.")] = 9,
    iterations: Annotated[int, typer.Option(help="Of the trace.")] = 4096,
    layers: Annotated[int, typer.Option(help="MoE layers.")] = 58,
    experts: Annotated[int, typer.Option(help="Experts of a layer.")] = 256,
    tokens: Annotated[int, typer.Option(help="Mean of a layer's counts in an iteration.")] = 65_536,
    rho: Annotated[float, typer.Option(help="Correlation of log loads an iteration.")] = 0.9997,
    seed: Annotated[int, typer.Option(help="Of the trace, and of solvers that draw lots.")] = 0,
    solver: Annotated[
        str, typer.Option(help="A registered name, or path/to/file.py:name.")
    ] = "incremental",
    window: Annotated[int, typer.Option(help="Iterations that the entry is shown.")] = 16,
    every: Annotated[int, typer.Option(help="Iterations between two calls, at least.")] = 1,
    answer_layers: Annotated[int, typer.Option(help="Layers that one answer changes.")] = 1,
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
    """Play the balancing competition on generated counts and print the score."""
    from evaluation import competition
    from evaluation.candidates import Candidate
    from evaluation.competition_trace import drifting_counts
    from lb.engines.competition import Competitor

    try:
        charged = _charge(charge)
        found = Candidate(solver, seed).make()

        def entry() -> Competitor:
            return Competitor(found, layers=answer_layers, least_gain=least_gain, drift=drift)

        def trace(length: int) -> "Iterator[NDArray[np.int32]]":
            return drifting_counts(length, layers, experts, rho=rho, tokens=tokens, seed=seed)

        competition.play(entry(), trace(2), ranks, slots)  # compiles the kernels
        competition.baseline(trace(2), ranks, slots)
        base = competition.baseline(trace(iterations), ranks, slots, charged)
        played = competition.play(
            entry(), trace(iterations), ranks, slots, window=window, every=every, charge=charged
        )
    except (ValueError, OSError, ImportError) as error:
        refuse(error)
    _print(played, base, as_json)


def _charge(charge: str) -> Callable[[float], int]:
    from evaluation import competition

    if charge == "down":
        return competition.rounded_down
    if charge == "up":
        return competition.rounded_up
    if not charge.isdecimal():
        raise ValueError(f"--charge {charge}: give down, up or a number of iterations >= 0")
    return lambda _: int(charge)


def _print(played: "competition.Played", base: "competition.Played", as_json: bool) -> None:
    from evaluation import competition

    reached = competition.score(played, base)
    if as_json:
        runs = {"entry": _row(played), "baseline": _row(base)}
        print(json.dumps({"score": reached, **runs}, indent=1, allow_nan=False))
        return
    print(f"score {reached:.1f}")
    heads = f"{'total s':>9}{'imbalance':>11}{'moves':>9}{'calls':>7}{'charged':>9}{'ms/call':>9}"
    print(f"{'':10}{heads}")
    for name, one in (("entry", played), ("baseline", base)):
        row = _row(one)
        print(
            f"{name:10}{row['total_s']:9.2f}{row['imbalance']:11.4f}{row['moves']:9,}"
            f"{row['calls']:7,}{row['charged']:9,}{row['call_ms']:9.2f}"
        )


def _row(played: "competition.Played") -> dict[str, float]:
    return {
        "total_s": played.total_s,
        "imbalance": float(played.imbalance.mean()),
        "moves": played.moves,
        "calls": played.calls,
        "charged": played.charged,
        "call_ms": 1e3 * played.wall_s / max(1, played.calls),
    }
