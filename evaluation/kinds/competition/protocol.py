"""The balancing competition: one layer an iteration, every changed slot and every second priced.

The protocol as we read it, and which of its choices are ours, is in docs/competition.md.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.competition_protocol import Rebalance, checked_answer
from lb.checked import checked_integer
from lb.engines.planner import start_up_row

#: Seconds of computing that cost an entry one iteration; of the protocol.
ITERATION_S = 0.08

#: Seconds that perfectly balanced ranks take for the whole run; of the protocol.
BALANCED_RUN_S = 60.0

#: Seconds for one changed slot: bytes of an expert over bytes a second; of the protocol.
MOVE_S = 88_080_384 / 900e9

#: Iterations between the rebalances of the baseline, and those that it sees; of the protocol.
BASELINE_ITERATIONS = 1024


@dataclass(frozen=True, eq=False)
class Played:
    """What became of one run.

    Parameters
    ----------
    imbalance
        [iterations] maximum over mean rank load, mean over the layers.
    moves
        Slots whose expert changed, over the whole run.
    calls, charged
        How often the entry was asked, and the iterations that this was charged in all.
    wall_s
        Seconds that its answers took, measured.
    moved
        [iterations] slots whose expert changed before each.
    """

    imbalance: NDArray[np.float64]
    moves: int
    calls: int
    charged: int
    wall_s: float
    moved: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def total_s(self) -> float:
        """Seconds of the run: 60 for balanced ranks, times the mean imbalance, and the moves."""
        return BALANCED_RUN_S * float(self.imbalance.mean()) + self.moves * MOVE_S


def rounded_down(seconds: float) -> int:
    """Return the iterations that wall time costs, where an unfinished one is free."""
    return math.floor(seconds / ITERATION_S)


def rounded_up(seconds: float) -> int:
    """Return the iterations that wall time costs, where any part of one counts whole."""
    return math.ceil(seconds / ITERATION_S)


def score(entry: Played, baseline: Played) -> float:
    """Return 100 times the seconds of the baseline over those of the entry.

    Raises
    ------
    ValueError
        If the runs differ in length.
    """
    if entry.imbalance.size != baseline.imbalance.size:
        raise ValueError(
            f"the entry ran {entry.imbalance.size} iterations and the baseline "
            f"{baseline.imbalance.size}; let both run the same trace"
        )
    return 100 * baseline.total_s / entry.total_s


def play(
    rebalance: Rebalance,
    hotness: Iterable[NDArray[Any]],
    num_ranks: int,
    slots_per_rank: int,
    *,
    window: int = 16,
    every: int = 1,
    charge: Callable[[float], int] = rounded_down,
) -> Played:
    """Run an entry over a trace.

    Before each iteration, if no answer is being computed or applied and ``every`` iterations have
    passed since the last call, the entry is asked; the first time after the first iteration. Its
    answer is there after as many iterations as its time is charged, and one layer of it is then
    loaded before each iteration, in its order.

    Parameters
    ----------
    rebalance
        The entry.
    hotness
        [iterations, layers, experts] counts, or an iterable of [layers, experts]; only the last
        ``window`` of them are kept.
    num_ranks, slots_per_rank
        Ranks, and slots of a layer on each. At the start, slots hold experts 0, 1, 2 … and over
        again.
    window
        Iterations, the last ones, that the entry is shown; fewer at the start.
    every
        Iterations from one call to the next, at least.
    charge
        Iterations for so many seconds of computing: :func:`rounded_down`, :func:`rounded_up`, or a
        function that returns a constant, which makes the run reproducible.

    Raises
    ------
    ValueError
        If the trace is empty or changes its shape, or an answer is illegal: another shape, an
        expert missing, a layer that does not exist or is named twice.
    """
    ranks = checked_integer(num_ranks, "num_ranks", at_least=1)
    width = checked_integer(slots_per_rank, "slots_per_rank", at_least=1)
    every = checked_integer(every, "every", at_least=1)
    seen: deque[NDArray[Any]] = deque(maxlen=checked_integer(window, "window", at_least=1))
    imbalance: list[float] = []
    moved: list[int] = []
    placement, wanted = None, np.empty((0, 0), dtype=np.int64)
    waiting: deque[int] = deque()  # layers of the answer that are still to be loaded
    calls = charged = 0
    due, ready, wall_s = 1, 0, 0.0
    for iteration, counts in enumerate(hotness):
        if placement is None:
            placement = _start(np.asarray(counts), ranks, width)
        elif not waiting and iteration >= max(due, ready):
            redundant = ranks * width - placement.num_experts
            started = time.perf_counter()
            answer = rebalance(np.stack(seen), ranks, redundant)
            seconds = time.perf_counter() - started
            cost = checked_integer(charge(seconds), "charge(seconds)", at_least=0)
            wanted, order = checked_answer(answer, placement)
            waiting.extend(order)
            due, ready = iteration + every, iteration + cost
            wall_s, calls, charged = wall_s + seconds, calls + 1, charged + cost
        moved.append(0)
        if waiting and iteration >= ready:
            layer = waiting.popleft()
            slots = placement.physical_to_logical.copy()
            moved[-1] = int((slots[layer] != wanted[layer]).sum())
            slots[layer] = wanted[layer]
            placement = lb.Placement(slots, ranks)
        imbalance.append(float((1 / placement.balancedness(counts)).mean()))
        seen.append(np.asarray(counts))
    if not imbalance:
        raise ValueError("the trace has 0 iterations < 1; give at least one")
    return Played(np.array(imbalance), sum(moved), calls, charged, wall_s, np.array(moved))


def baseline(
    hotness: Iterable[NDArray[Any]],
    num_ranks: int,
    slots_per_rank: int,
    charge: Callable[[float], int] = rounded_down,
) -> Played:
    """Run DeepSeek's EPLB every 1,024 iterations on the counts of the last 1,024.

    Parameters and errors as of :func:`play`. Most changed layers are loaded first.
    """
    span = BASELINE_ITERATIONS
    return play(_eplb(), hotness, num_ranks, slots_per_rank, window=span, every=span, charge=charge)


def _start(counts: NDArray[Any], ranks: int, width: int) -> lb.Placement:
    problem = lb.Problem(counts, ranks, width)  # says what is wrong with the shape
    row = start_up_row(problem.num_experts, problem.num_slots)
    return lb.Placement(np.tile(row, (problem.num_layers, 1)), ranks)


def _eplb() -> Rebalance:
    loaded: list[NDArray[Any]] = []  # what it answered last, which is loaded when it is asked again

    def rebalance(
        hotness: NDArray[np.int32], n_device: int, n_red_expert: int
    ) -> tuple[bool, NDArray[np.int64], NDArray[np.int64], None]:
        layers, experts = hotness.shape[1:]
        slots = experts + n_red_expert
        problem = lb.Problem(hotness.sum(axis=0), n_device, slots // n_device)
        table = lb.solve(problem, "eplb").physical_to_logical
        before = loaded.pop() if loaded else np.tile(start_up_row(experts, slots), (layers, 1))
        loaded.append(table)
        order = np.argsort(-(table != before).sum(axis=1), kind="stable")
        return True, order, table.reshape(layers, n_device, -1), None

    return rebalance
