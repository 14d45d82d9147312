"""The health of a task executor: its dies, links and speeds, and the price that follows."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import cut_dies, port_share, remaining_fabric
from evaluation.serving.faults.rank_speed import rank_speed
from evaluation.serving.faults.shrink import Survivors, missing_experts, shrunk_placement
from evaluation.serving.faults.weight_reload import HeldExperts, reload_s
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.pricing.surviving_price import SurvivingPrice
from evaluation.serving.pricing.work import Price
from lb import Placement

if TYPE_CHECKING:
    from evaluation.serving.faults.fault import Fault

#: From a placement over the dies left, and the DP groups left, to the price of steps.
Reprice = Callable[[Placement, int], PlacedPrice]


class _Running(NamedTuple):
    """How an executor runs: its price, the dies that this is built over, and what they hold."""

    price: PlacedPrice
    dies: tuple[int, ...]
    held: HeldExperts
    survivors: Survivors | None = None


class ExecutorHealth:
    """What faults have done to a task executor until now; several may hold at the same time.

    The fault injector changes the attributes, then calls :meth:`update_executor`.

    Parameters
    ----------
    executor
        The executor while nothing has failed. A price without a placement is left alone.
    dies
        Its dies, as faults see them.
    missing
        Whether it goes on without lost experts; else it places all of them anew.
    kv_plane
        Name of the network of ``dies`` that carries keys and values.
    reprice
        Makes the price of fewer dies.

    Attributes
    ----------
    known_lost
        Lost dies whose loss is detected: their DP groups are away.
    repaired_s
        By die, when the last fault that hit it is repaired.
    restarting
        Faults for which it restarts, all its DP groups being away.
    broken, known_broken
        Faults of links and switches that hold now, and the detected ones among them.
    slow, known_slow
        Faults that slow dies now, and the ones among them that solvers know.
    """

    def __init__(
        self,
        executor: TaskExecutor,
        dies: ExecutorDies,
        missing: bool,
        kv_plane: str,
        reprice: Reprice,
    ) -> None:
        self.executor, self.dies, self.kv_plane = executor, dies, kv_plane
        self._missing, self._reprice = missing, reprice
        self._whole = executor.price
        self.known_lost: frozenset[int] = frozenset()
        self.repaired_s: dict[int, float] = {}
        self.restarting: set[int] = set()
        self.broken: list[Fault] = []
        self.known_broken: list[Fault] = []
        self.slow: list[Fault] = []
        self.known_slow: list[Fault] = []
        self._past_downtime_s = self._stopped_since_s = 0.0
        self._stopped_by: set[int] = set()
        self._shrunk: dict[frozenset[int], _Running] = {}
        self._prices: list[PlacedPrice] = []
        if isinstance(self._whole, PlacedPrice):
            self._prices.append(self._whole)

    def stop(self, key: int, *, undone: bool = True) -> None:
        """Stop for a fault; the step under way is ``undone``, or ends first."""
        if not self._stopped_by:
            self._stopped_since_s = self.executor.env.now
        self._stopped_by.add(key)
        if undone:
            self.executor.halt()
        else:
            self.executor.halted = True

    def resume(self, key: int) -> None:
        """Step again, unless another fault still stops it."""
        if key in self._stopped_by:
            self._stopped_by.remove(key)
            if not self._stopped_by:
                self._past_downtime_s += self.executor.env.now - self._stopped_since_s
                self.executor.resume()

    def downtime_s(self) -> float:
        """Return the seconds in which it could not step, until now."""
        now_s = self.executor.env.now
        stopped_s = now_s - self._stopped_since_s if self._stopped_by else 0.0
        return self._past_downtime_s + stopped_s

    def lose_dies(self, dies: tuple[int, ...]) -> None:
        """Go on without some dies."""
        placed_on = self.dies.placed_on
        lost = self.dies.lost_dies | set(dies)
        self.dies = dataclasses.replace(self.dies, lost_dies=lost, placed_on=placed_on)

    def dies_as_placed(self) -> ExecutorDies:
        """Return the dies with the experts that they hold now, rebalanced or shrunk."""
        running, dies = self._running(self.dies.lost_dies), self.dies
        if running is None or not set(dies.ranks) <= set(running.held.dies):
            return dataclasses.replace(dies, placement=None, placed_on=dies.ranks)
        held = running.held
        return dataclasses.replace(dies, placement=held.placement, placed_on=held.dies)

    def replace_hardware(self, *, all_dies: bool) -> None:
        """Use links that work, after a restart elsewhere; with ``all_dies``, whole again."""
        self.broken, self.known_broken = [], []
        if all_dies:
            self.dies = dataclasses.replace(self.dies, lost_dies=frozenset())
            self.known_lost = frozenset()
            self._shrunk.clear()

    def repaired_dies(self) -> tuple[int, ...]:
        """Return the lost dies that are repaired by now."""
        now_s = self.executor.env.now
        return tuple(
            die for die in sorted(self.dies.lost_dies) if self.repaired_s.get(die, 0.0) <= now_s
        )

    def return_dies(self, dies: tuple[int, ...]) -> None:
        """Use dies again that hold their weights."""
        self.dies = dataclasses.replace(self.dies, lost_dies=self.dies.lost_dies - set(dies))
        self.known_lost -= set(dies)
        if not self.dies.lost_dies:
            self._shrunk.clear()  # placements change until the next loss

    def reload_s(self, dies: tuple[int, ...]) -> float:
        """Return how long dies that come back take to load their weights."""
        before, after = (
            self._running(self.dies.lost_dies - frozenset(back)) for back in ((), dies)
        )
        if before is None or after is None:
            return 0.0
        attention = self.dies.attention_dies or self.dies.dies
        rate = after.price.collectives.send_bytes_per_s()
        return reload_s(before.held, after.held, dies, attention, after.price.operators, rate)

    def update_executor(self) -> None:
        """Set DP groups, ports and price of the executor to what the health implies."""
        executor, dies = self.executor, self.dies
        executor.up[:] = not self.restarting
        executor.up[list(dies.groups_on(self.known_lost))] = False
        kv = dies.planes.get(self.kv_plane)
        faults = [fault for fault in self.known_broken if dies.network(fault.plane) is kv]
        if kv is not None:
            share = port_share(kv, faults) if faults else np.ones(dies.dies)
            for group in range(len(executor.up)):
                executor.kv_share[group] = share[list(dies.dies_of_group(group))].mean()
        running = self._running(dies.lost_dies)
        if running is not None:
            executor.price = self._priced(running)

    def _priced(self, running: _Running) -> Price:
        """Set experts, network and speeds of a price; return the price for the executor."""
        dies, price = self.dies, running.price
        if running.survivors is not None or price.degraded:
            price.go_on_with(running.survivors)
            price.comm_slowdown = 1.0  # a migration that was under way pauses
        self._set_network(running)
        built = list(running.dies)
        speeds = (rank_speed(faults, dies)[built] for faults in (self.slow, self.known_slow))
        price.run_at(*speeds)
        if price is self._whole or not dies.colocated:
            return price
        groups = np.ones(dies.groups, dtype=bool)
        groups[list(dies.groups_on(dies.lost_dies))] = False
        return SurvivingPrice(price, groups)

    def _set_network(self, running: _Running) -> None:
        """Price communication on the links that are left.

        Dies that are cut off during a restart do not matter: it steps again on links that work.
        """
        dies, fabric = self.dies, self.dies.fabric
        if fabric is None:
            return
        faults = [fault for fault in self.known_broken if dies.network(fault.plane) is fabric]
        kept = [die for die in running.dies if die not in dies.lost_dies]
        away = [die for die in range(dies.dies) if die not in kept]
        if set(cut_dies(fabric, faults)) - set(away):
            if not self._stopped_by:
                raise RuntimeError(
                    f"{dies.name} steps with dies that are cut off; this is a defect of podlab"
                )
            return
        ranks = np.array([running.dies.index(die) for die in kept])
        share = port_share(fabric, faults) if faults else np.ones(dies.dies)
        remaining = remaining_fabric(fabric, faults, away)
        running.price.use_network(remaining, ranks, share[list(running.dies)])

    def _running(self, lost: frozenset[int]) -> _Running | None:
        """Return how it runs without some dies; ``None`` if its price knows no placement."""
        whole, dies = self._whole, self.dies
        if not isinstance(whole, PlacedPrice):
            return None
        every, ranks = tuple(range(dies.dies)), dies.built_ranks
        held = HeldExperts(whole.placement, ranks, lost & frozenset(ranks))
        if not held.lost:
            return _Running(whole, every, held)
        if self._missing:
            left = missing_experts(whole.placement, [ranks.index(die) for die in held.lost])
            return _Running(whole, every, held, left)
        # By lost dies: the same loss is asked about several times, and placing takes a solver.
        if lost not in self._shrunk:
            self._shrunk[lost] = self._shrink(whole, lost)
        return self._shrunk[lost]

    def _shrink(self, whole: PlacedPrice, lost: frozenset[int]) -> _Running:
        """Place every expert on the dies that are left: colocated, those of whole DP groups."""
        dies = self.dies
        away = set(lost)
        if dies.colocated:
            away.update(*(dies.dies_of_group(group) for group in dies.groups_on(lost)))
        ranks = dies.built_ranks
        gone = [ranks.index(die) for die in sorted(away) if die in ranks]
        # plus one: a load of zeros, before the first step, gives a solver nothing to balance
        placement = shrunk_placement(whole.placement, whole.seen + 1, gone)
        left = dies.groups - len(dies.groups_on(lost)) if dies.colocated else dies.groups
        price = self._reprice(placement, left)
        self._prices.append(price)
        kept = tuple(die for die in ranks if die not in away)
        built = kept if dies.colocated else (*range(dies.attention_dies or 0), *kept)
        return _Running(price, built, HeldExperts(placement, kept))

    @property
    def choices(self) -> tuple[int, int]:
        """Expert choices of all its steps, and those of experts that were missing."""
        lost = sum(price.experts.lost_choices for price in self._prices)
        return sum(price.experts.choices for price in self._prices), lost
