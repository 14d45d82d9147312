"""The balancing competition: a layer is loaded per iteration, and moves and computing have a price.

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

#: Seconds of computing that cost an entry one iteration; set by the protocol.
ITERATION_S = 0.08

#: Seconds that perfectly balanced ranks take for the whole run; set by the protocol.
BALANCED_RUN_S = 60.0

#: Seconds for one changed slot: bytes of an expert over bytes per second; set by the protocol.
MOVE_S = 88_080_384 / 900e9

#: Iterations between two rebalances of the baseline, and iterations that it sees; set by the
#: protocol.
BASELINE_ITERATIONS = 1024


@dataclass(frozen=True, eq=False)
class CompetitionRun:
    """Measurements of one run.

    Parameters
    ----------
    imbalance
        [iterations] maximum over mean rank load, mean over the layers.
    moves
        Number of slots whose expert changed, over the whole run.
    calls, charged
        Number of calls of the entry, and the iterations that all calls were charged.
    wall_s
        Measured seconds of the calls.
    moved
        [iterations] number of slots whose expert changed before each iteration.
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
    """Return the iterations that wall time costs, where an unfinished iteration is free."""
    return math.floor(seconds / ITERATION_S)


def rounded_up(seconds: float) -> int:
    """Return the iterations that wall time costs, where any part of an iteration counts as one."""
    return math.ceil(seconds / ITERATION_S)


def score(entry: CompetitionRun, baseline: CompetitionRun) -> float:
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
) -> CompetitionRun:
    """Run an entry over a trace.

    The entry is called before an iteration if no answer is being computed or loaded, and ``every``
    iterations have passed since the last call. The first call follows the first iteration. Its
    answer is ready after the iterations that its time is charged. Then one layer of it is loaded
    before each iteration, in the order of the answer.

    Parameters
    ----------
    rebalance
        The entry.
    hotness
        [iterations, layers, experts] counts, or an iterable of [layers, experts]; only the last
        ``window`` of them are kept.
    num_ranks, slots_per_rank
        Ranks, and slots of a layer on each. At the start, slots hold experts 0, 1, 2 …, and
        then again from 0.
    window
        Number of last iterations that the entry is shown; fewer at the start.
    every
        Fewest iterations from one call to the next.
    charge
        From seconds of computing to iterations: :func:`rounded_down`, :func:`rounded_up`, or a
        function that returns a constant, which makes the run reproducible.

    Raises
    ------
    ValueError
        If the trace is empty or changes its shape, or an answer is illegal: another shape, an
        expert missing, a layer that does not exist or is named twice.
    """
    state = _RunState(
        rebalance,
        checked_integer(num_ranks, "num_ranks", at_least=1),
        checked_integer(slots_per_rank, "slots_per_rank", at_least=1),
        checked_integer(every, "every", at_least=1),
        charge,
        deque(maxlen=checked_integer(window, "window", at_least=1)),
    )
    for counts in hotness:
        state.run_iteration(np.asarray(counts))
    return state.result()


@dataclass
class _RunState:
    """State of one run between iterations.

    Parameters
    ----------
    rebalance, ranks, slots_per_rank, every, charge
        As in :func:`play`.
    past
        Counts of the last iterations, as many as the entry is shown.
    layers_to_load
        Layers of the last answer that are not loaded yet, in the order of the answer.
    next_call, answer_ready
        Iterations before which the entry is not called again, and no layer is loaded.
    """

    rebalance: Rebalance
    ranks: int
    slots_per_rank: int
    every: int
    charge: Callable[[float], int]
    past: deque[NDArray[Any]]
    placement: lb.Placement | None = None
    answer: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    layers_to_load: deque[int] = field(default_factory=deque)
    next_call: int = 1
    answer_ready: int = 0
    imbalance: list[float] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    calls: int = 0
    charged: int = 0
    wall_s: float = 0.0

    def run_iteration(self, counts: NDArray[Any]) -> None:
        """Call the entry if it is due, load a layer if one is ready, and measure the imbalance."""
        iteration = len(self.imbalance)
        placement = self.placement
        if placement is None:
            placement = _start(counts, self.ranks, self.slots_per_rank)
        due = max(self.next_call, self.answer_ready)
        if not self.layers_to_load and iteration >= due:
            self._call(placement, iteration)
        moves = 0
        if self.layers_to_load and iteration >= self.answer_ready:
            placement, moves = self._load(placement, self.layers_to_load.popleft())
        self.moved.append(moves)
        self.imbalance.append(float((1 / placement.balancedness(counts)).mean()))
        self.past.append(counts)
        self.placement = placement

    def _call(self, placement: lb.Placement, iteration: int) -> None:
        """Ask the entry for a placement, and charge its wall time."""
        redundant = self.ranks * self.slots_per_rank - placement.num_experts
        started = time.perf_counter()
        answer = self.rebalance(np.stack(self.past), self.ranks, redundant)
        seconds = time.perf_counter() - started
        cost = checked_integer(self.charge(seconds), "charge(seconds)", at_least=0)
        self.answer, order = checked_answer(answer, placement)
        self.layers_to_load.extend(order)
        self.next_call, self.answer_ready = iteration + self.every, iteration + cost
        self.wall_s += seconds
        self.calls += 1
        self.charged += cost

    def _load(self, placement: lb.Placement, layer: int) -> tuple[lb.Placement, int]:
        """Return the placement with one layer of the answer, and the slots that changed."""
        slots = placement.physical_to_logical.copy()
        moves = int((slots[layer] != self.answer[layer]).sum())
        slots[layer] = self.answer[layer]
        return lb.Placement(slots, self.ranks), moves

    def result(self) -> CompetitionRun:
        """Return the measurements of the whole run."""
        if not self.imbalance:
            raise ValueError("the trace has 0 iterations < 1; give at least one")
        return CompetitionRun(
            np.array(self.imbalance),
            sum(self.moved),
            self.calls,
            self.charged,
            self.wall_s,
            np.array(self.moved),
        )


def baseline(
    hotness: Iterable[NDArray[Any]],
    num_ranks: int,
    slots_per_rank: int,
    charge: Callable[[float], int] = rounded_down,
) -> CompetitionRun:
    """Run DeepSeek's EPLB every 1,024 iterations on the counts of the last 1,024.

    Parameters and errors as of :func:`play`. Most changed layers are loaded first.
    """
    span = BASELINE_ITERATIONS
    return play(_eplb(), hotness, num_ranks, slots_per_rank, window=span, every=span, charge=charge)


def _start(counts: NDArray[Any], ranks: int, width: int) -> lb.Placement:
    problem = lb.Problem(counts, ranks, width)  # refuses an impossible shape
    row = start_up_row(problem.num_experts, problem.num_slots)
    return lb.Placement(np.tile(row, (problem.num_layers, 1)), ranks)


def _eplb() -> Rebalance:
    loaded: list[NDArray[Any]] = []  # its last answer, which is loaded before it is called again

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
