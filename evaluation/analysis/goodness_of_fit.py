"""Goodness of fit of a routing law: statistics and balancer results against the recording's."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import lb
from traces import RoutingTrace, StoredTrace, TokenTrace, generators
from traces.generators import Law, Row, compare
from traces.stepping import num_tokens

#: Balancers that place both loads, each with one redundant slot per rank.
SOLVERS = ("eplb", "greedy")
RANKS = 16
#: Most windows that the balancers place; more windows take long and change little.
MOST_WINDOWS = 64
#: Tokens up to which a recording of tokens is compared token by token.
MOST_TOKENS = 2**16


def goodness_of_fit(recorded: Any, law: Law, window_steps: int, ranks: int = RANKS) -> list[Row]:
    """Make as many steps of the law as the recording has, and compare the two.

    Parameters
    ----------
    recorded
        A trace in steps, in memory or on disk.
    law
        Fitted to it.
    window_steps
        Steps of a window.
    ranks
        EP size for next-window balancedness, left out where it does not divide the experts.

    Returns
    -------
    list of Row
        Of :func:`traces.generators.compare`, and ``next window, <solver>``: the mean balancedness
        on each window of what the solver placed for the one before, met within 0.02.
    """
    more: dict[str, Callable[[NDArray[np.int64]], float]] = {}
    if law.experts % ranks == 0:
        more = {f"next window, {solver}": _balance(solver, ranks) for solver in SOLVERS}
    return compare(_in_memory(recorded), _generated(recorded, law), window_steps, more)


def render(rows: list[Row], console: Console) -> None:
    """Print both side by side, and how many statistics are met."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("statistic", no_wrap=True)
    for heading in ("recorded", "generated", "apart", "allowed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        apart = row.generated - row.recorded
        numbers = (f"{row.recorded:.3f}", f"{row.generated:.3f}", f"{apart:+.3f}")
        table.add_row(row.name, *numbers, f"{row.tolerance:.3f}", "met" if row.met else "NOT MET")
    console.print(table)
    met = sum(row.met for row in rows)
    console.print(f"{met} of {len(rows)} statistics of the recording are met", highlight=False)


def _balance(solver: str, ranks: int) -> Callable[[NDArray[np.int64]], float]:
    def on_next(windows: NDArray[np.int64]) -> float:
        windows = windows[: MOST_WINDOWS + 1]
        slots = windows.shape[2] // ranks + 1
        balancedness = [
            lb.solve(lb.Problem(before, ranks, slots), solver=solver).balancedness(after).mean()
            for before, after in itertools.pairwise(windows)
        ]
        return float(np.mean(balancedness))

    return on_next


def _in_memory(recorded: Any) -> Any:
    """Return tokens in memory, if they are few enough to be compared as such."""
    tokens = num_tokens(recorded)
    small = tokens is not None and tokens <= MOST_TOKENS
    return recorded.load() if small and isinstance(recorded, StoredTrace) else recorded


def _generated(recorded: Any, law: Law) -> RoutingTrace | TokenTrace:
    tokens = num_tokens(recorded)
    if tokens is None or tokens > MOST_TOKENS:
        return generators.trace(law, recorded.num_steps)
    (piece,) = generators.tokens(law, recorded.num_steps, block_steps=recorded.num_steps)
    return piece
