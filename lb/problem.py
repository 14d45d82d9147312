"""A balancing problem: the observed load, the available slots, and the constraints."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_amounts, checked_integer
from lb.infeasible import Infeasible
from lb.placement import Placement

#: Optional fields that bind a solver: one that ignores them answers another question.
BINDING_FIELDS = ("max_moves", "rank_speed")


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """Input of a solver. It checks itself, so that a solver never sees an infeasible problem.

    Parameters
    ----------
    load
        [windows, layers, experts] tokens, oldest window first; [layers, experts] is one window.
    num_ranks
        Ranks (dies or GPUs) in the EP group.
    slots_per_rank
        Expert weights that one rank can hold in one layer. All slots together hold every expert
        at least once, and no rank needs two copies of one expert:
        experts / num_ranks <= slots_per_rank <= experts.
    ranks_per_node
        Ranks that share a fast local network; divides ``num_ranks``. ``None``: one node.
    expert_groups
        Groups of group-limited routing (DeepSeek-V3: 8); divides the experts.
    current
        What is loaded now.
    max_moves
        Expert weights that ranks may receive, over all layers; needs ``current``.
    rank_speed
        [ranks] relative speed, all positive.
    coactivation
        [layers, experts, experts] tokens that chose both.
    source_load
        [layers, ranks, experts] tokens by the rank they start on.
    rank_distance
        [ranks, ranks] seconds per byte from one rank to another.
    forecast
        [layers, experts] load to plan for, in the unit of one window; see :attr:`planned_load`.
    dispatcher
        Name of the dispatcher that will split tokens over replicas. Advice: a solver may plan for
        another one.
    expert_cost
        [points, 2] tokens that one replica computes in a window, and the seconds they take: rising
        and convex, from 0 tokens on, linear in between and beyond the last point. A memory-bound
        expert costs the same for 1 token or 60. ``None``: tokens themselves are the cost. Advice:
        a solver may plan for tokens.
    move_price
        What one expert that a rank receives costs, in the unit of the objective (tokens, or seconds
        with ``expert_cost``, on the most loaded rank, added up over the layers): bytes of an expert
        times price per byte. Needs ``current``. Advice, as ``dispatcher`` is.

    Raises
    ------
    ValueError
        With the inequality that fails and the value that breaks it.

    Examples
    --------
    >>> Problem([[9, 1, 1, 1]], num_ranks=2, slots_per_rank=3)
    Problem(1 window, 1 layer, 4 experts, 6 slots on 2 ranks)
    >>> Problem([[9, 1, 1, 1]], num_ranks=2, slots_per_rank=1)
    Traceback (most recent call last):
    ...
    ValueError: 2 ranks x 1 slots = 2 slots < 4 experts; give slots_per_rank >= 2
    """

    load: NDArray[Any]
    num_ranks: int
    slots_per_rank: int
    ranks_per_node: int | None = None
    expert_groups: int = 1
    current: Placement | None = None
    max_moves: int | None = None
    rank_speed: NDArray[np.float64] | None = None
    coactivation: NDArray[np.float64] | None = None
    source_load: NDArray[np.float64] | None = None
    rank_distance: NDArray[np.float64] | None = None
    forecast: NDArray[np.float64] | None = None
    dispatcher: str = "even"
    expert_cost: NDArray[np.float64] | None = None
    move_price: float | None = None

    def __post_init__(self) -> None:
        self._store("load", _windows(self.load))
        for name in ("num_ranks", "slots_per_rank", "expert_groups"):
            self._store(name, checked_integer(getattr(self, name), name, at_least=1))
        self._check_slots()
        self._check_nodes_and_groups()
        self._check_current_and_moves()
        self._check_optional_arrays()
        self._check_advice()

    @property
    def num_windows(self) -> int:
        """Windows of observed load."""
        return self.load.shape[0]

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.load.shape[1]

    @property
    def num_experts(self) -> int:
        """Logical experts of one layer."""
        return self.load.shape[2]

    @property
    def num_slots(self) -> int:
        """Slots of one layer, over all ranks."""
        return self.num_ranks * self.slots_per_rank

    @property
    def num_nodes(self) -> int:
        """Nodes that the ranks fill."""
        return 1 if self.ranks_per_node is None else self.num_ranks // self.ranks_per_node

    @cached_property
    def total_load(self) -> NDArray[np.float64]:
        """[layers, experts] tokens over all windows."""
        total: NDArray[np.float64] = self.load.sum(axis=0)
        total.flags.writeable = False
        return total

    @cached_property
    def planned_load(self) -> NDArray[np.float64]:
        """[layers, experts] tokens of one window to plan for: the forecast, else the mean."""
        if self.forecast is not None:
            return self.forecast
        mean: NDArray[np.float64] = self.load.mean(axis=0)
        mean.flags.writeable = False
        return mean

    @property
    def objective(self) -> str:
        """What is minimised on the most loaded rank: "tokens", or "seconds" with expert_cost."""
        return "tokens" if self.expert_cost is None else "seconds"

    @property
    def demands(self) -> frozenset[str]:
        """Names of the stated fields that a solver must honour or refuse."""
        return frozenset(name for name in BINDING_FIELDS if getattr(self, name) is not None)

    def replace(self, **changes: Any) -> "Problem":
        """Return a checked copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def check(self, placement: Any) -> Placement:
        """Return ``placement`` if it answers this problem.

        Raises
        ------
        Infeasible
            A ValueError, if it is no :class:`Placement`, has another shape, or moves more than
            ``max_moves``.
        """
        if not isinstance(placement, Placement):
            raise Infeasible(
                f"the answer is a {type(placement).__name__}; a solver returns "
                "lb.Placement(physical_to_logical, num_ranks)"
            )
        asked = (self.num_layers, self.num_experts, self.num_slots, self.num_ranks)
        given = (
            placement.num_layers,
            placement.num_experts,
            placement.num_slots,
            placement.num_ranks,
        )
        if asked != given:
            parts = zip(("layers", "experts", "slots", "ranks"), given, asked, strict=True)
            wrong = "; ".join(
                f"{got} {name} for {want}" for name, got, want in parts if got != want
            )
            raise Infeasible(f"the placement does not answer the problem: {wrong}")
        if self.max_moves is not None and self.current is not None:
            moves = int(placement.moves_from(self.current).sum())
            if moves > self.max_moves:
                raise Infeasible(
                    f"the placement moves {moves} experts > max_moves = {self.max_moves}"
                )
        return placement

    def _store(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_slots(self) -> None:
        experts, ranks, slots = self.num_experts, self.num_ranks, self.slots_per_rank
        if ranks * slots < experts:
            raise ValueError(
                f"{ranks} ranks x {slots} slots = {ranks * slots} slots < {experts} experts; "
                f"give slots_per_rank >= {-(-experts // ranks)}"
            )
        if slots > experts:
            raise ValueError(
                f"{ranks} ranks x {slots} slots = {ranks * slots} slots > {experts} experts x "
                f"{ranks} ranks: a rank would hold one expert twice; "
                f"give slots_per_rank <= {experts}"
            )

    def _check_nodes_and_groups(self) -> None:
        if self.ranks_per_node is not None:
            width = checked_integer(self.ranks_per_node, "ranks_per_node", at_least=1)
            self._store("ranks_per_node", width)
            _check_divides("ranks_per_node", width, "num_ranks", self.num_ranks)
        _check_divides(
            "expert_groups", self.expert_groups, "the number of experts", self.num_experts
        )

    def _check_current_and_moves(self) -> None:
        if self.current is not None:
            try:
                # Without the budget, or the check would count moves from the placement to itself.
                free = dataclasses.replace(self, current=None, max_moves=None, move_price=None)
                free.check(self.current)
            except ValueError as error:
                raise ValueError(f"current: {error}") from None
        if self.max_moves is not None:
            self._store("max_moves", checked_integer(self.max_moves, "max_moves", at_least=0))
            if self.current is None:
                raise ValueError(
                    f"max_moves = {self.max_moves} counts moves from the current placement; "
                    "give current as well"
                )

    def _check_optional_arrays(self) -> None:
        layers, experts, ranks = self.num_layers, self.num_experts, self.num_ranks
        shapes = {
            "rank_speed": {"ranks": ranks},
            "coactivation": {"layers": layers, "experts": experts, "other experts": experts},
            "source_load": {"layers": layers, "ranks": ranks, "experts": experts},
            "rank_distance": {"ranks": ranks, "other ranks": ranks},
            "forecast": {"layers": layers, "experts": experts},
        }
        for name, axes in shapes.items():
            if getattr(self, name) is None:
                continue
            array = checked_amounts(getattr(self, name), name, tuple(axes))
            if array.shape != tuple(axes.values()):
                wanted = ", ".join(f"{size} {axis}" for axis, size in axes.items())
                raise ValueError(f"{name} has shape {array.shape}; this problem needs [{wanted}]")
            self._store(name, array)
        if self.rank_speed is not None and self.rank_speed.min() <= 0:
            slowest = int(self.rank_speed.argmin())
            raise ValueError(f"rank_speed at rank {slowest} is 0; every rank needs a speed > 0")

    def _check_advice(self) -> None:
        if not isinstance(self.dispatcher, str) or not self.dispatcher:
            raise ValueError(f"dispatcher = {self.dispatcher!r} is not the name of a dispatcher")
        if self.expert_cost is not None:
            self._store("expert_cost", _convex(self.expert_cost))
        if self.move_price is not None:
            price = checked_amounts([self.move_price], "move_price", ("entries",))
            self._store("move_price", float(price[0]))
            if self.current is None:
                raise ValueError(
                    f"move_price = {self.move_price:g} prices moves from the current placement; "
                    "give current as well"
                )

    def __repr__(self) -> str:
        def count(number: int, noun: str) -> str:
            return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

        return (
            f"Problem({count(self.num_windows, 'window')}, {count(self.num_layers, 'layer')}, "
            f"{count(self.num_experts, 'expert')}, {count(self.num_slots, 'slot')} on "
            f"{count(self.num_ranks, 'rank')})"
        )

    def __reduce__(self) -> tuple[Callable[..., "Problem"], tuple[Any, ...]]:
        # numpy forgets the read-only flag when it pickles; the constructor sets it again
        return Problem, tuple(getattr(self, field.name) for field in dataclasses.fields(self))


def _windows(load: Any) -> NDArray[np.float64]:
    """Return the load as [windows, layers, experts], with a total that can be added up."""
    try:
        dimensions = np.ndim(load)
    except ValueError:
        dimensions = 3  # ragged: checked_amounts says so in words
    if dimensions == 2:
        amounts = checked_amounts(load, "load", ("layers", "experts"))[None]
    else:
        amounts = checked_amounts(load, "load", ("windows", "layers", "experts"))
    with np.errstate(over="ignore"):
        finite = np.isfinite(amounts.sum())
    if not finite:
        raise ValueError(
            f"load adds up to infinity (largest entry {amounts.max():g}); scale it down"
        )
    return amounts


def _convex(cost: Any) -> NDArray[np.float64]:
    """Return an expert cost [points, 2] that starts at 0 tokens, rises and is convex."""
    points = checked_amounts(cost, "expert_cost", ("points", "columns"))
    if points.shape[0] < 2 or points.shape[1] != 2:
        raise ValueError(
            f"expert_cost has shape {points.shape}; give at least 2 points of [tokens, seconds]"
        )
    tokens, seconds = points.T
    if tokens[0] != 0 or (np.diff(tokens) <= 0).any():
        raise ValueError(
            f"expert_cost has tokens {tokens[:4].tolist()}…; they must start at 0 and rise"
        )
    slope = np.diff(seconds) / np.diff(tokens)
    slack = 1e-9 * slope.max()
    if slope[0] < 0 or (np.diff(slope) < -slack).any():
        at = int(np.argmax(np.diff(slope, prepend=0.0) < -slack))
        raise ValueError(
            f"expert_cost falls or bends down after {tokens[at]:g} tokens; seconds must rise, "
            "each token costing at least as much as the one before"
        )
    return points


def _check_divides(name: str, divisor: int, whole_name: str, whole: int) -> None:
    if whole % divisor:
        raise ValueError(
            f"{name} = {divisor} does not divide {whole_name} = {whole} "
            f"({whole % divisor} left over); give a divisor of {whole}"
        )
