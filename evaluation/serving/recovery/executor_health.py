"""In what condition a task executor is: dies, links and speeds, and the price that follows."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import cut_dies, fabric_left, port_share
from evaluation.serving.faults.fault import Fault, rank_speed
from evaluation.serving.faults.shrink import Survivors, missing_experts, shrunk
from evaluation.serving.faults.weight_reload import Held, load_s
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.pricing.surviving_price import SurvivingPrice
from evaluation.serving.pricing.work import Price
from lb import Placement

#: A placement over the dies left and DP groups left, to the price of steps.
Reprice = Callable[[Placement, int], PlacedPrice]


class _Running(NamedTuple):
    """How an executor runs: a price, the dies that it is built over, what they hold."""

    price: PlacedPrice
    dies: tuple[int, ...]
    held: Held
    survivors: Survivors | None = None


class Condition:
    """What faults have made of a task executor, several of them at one time perhaps.

    Parameters
    ----------
    executor
        As it runs; prices that know no placement are left alone.
    dies
        It, as faults see it.
    missing
        Whether it goes on without the experts that are lost, or places all of them anew.
    kv_plane
        Name of the network of ``dies`` that carries keys and values.
    reprice
        Makes the price of fewer dies.

    Attributes
    ----------
    gone
        Lost dies whose loss has been noticed: their DP groups are away.
    back_s
        By die, when what has failed is repaired.
    down
        Faults for which all its DP groups are away, as it starts anew.
    broken, seen
        Links and switches that are broken, and those of them that are known to be.
    slow, known_slow
        Slow dies, and those that solvers are told of.
    stood_still_s
        Seconds in which it could not step.
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
        self.gone: frozenset[int] = frozenset()
        self.back_s: dict[int, float] = {}
        self.down: set[int] = set()
        self.broken: list[Fault] = []
        self.seen: list[Fault] = []
        self.slow: list[Fault] = []
        self.known_slow: list[Fault] = []
        self.stood_still_s = self._held_since_s = 0.0
        self._holds: set[int] = set()
        self._shrunk: dict[frozenset[int], _Running] = {}
        self._prices: list[PlacedPrice] = []
        if isinstance(self._whole, PlacedPrice):
            self._prices.append(self._whole)

    def hold(self, key: int, *, undone: bool = True) -> None:
        """Let it stand still for a fault; the step under way is ``undone``, or ends first."""
        if not self._holds:
            self._held_since_s = self.executor.env.now
        self._holds.add(key)
        if undone:
            self.executor.halt()
        else:
            self.executor.halted = True

    def release(self, key: int) -> None:
        """Let it step again, unless it stands still for other faults too."""
        if key in self._holds:
            self._holds.remove(key)
            if not self._holds:
                self.stood_still_s += self.executor.env.now - self._held_since_s
                self.executor.resume()

    def still_s(self) -> float:
        """Return the seconds in which it could not step, until now."""
        now_s = self.executor.env.now
        return self.stood_still_s + (now_s - self._held_since_s if self._holds else 0.0)

    def lose(self, dies: tuple[int, ...]) -> None:
        """Go on without some dies."""
        placed_on = self.dies.placed_on
        lost = self.dies.lost_dies | set(dies)
        self.dies = dataclasses.replace(self.dies, lost_dies=lost, placed_on=placed_on)

    def as_planned(self) -> ExecutorDies:
        """Return the dies with the experts that they hold now, rebalanced or shrunk."""
        running, dies = self._running(self.dies.lost_dies), self.dies
        if running is None or not set(dies.ranks) <= set(running.held.dies):
            return dataclasses.replace(dies, placement=None, placed_on=dies.ranks)
        held = running.held
        return dataclasses.replace(dies, placement=held.placement, placed_on=held.dies)

    def replaced(self, *, all_dies: bool) -> None:
        """Be on links that work, after a restart elsewhere; on ``all_dies`` that it had, or not."""
        self.broken, self.seen = [], []
        if all_dies:
            self.dies = dataclasses.replace(self.dies, lost_dies=frozenset())
            self.gone = frozenset()
            self._shrunk.clear()

    def coming(self) -> tuple[int, ...]:
        """Return the lost dies that are repaired by now."""
        now_s = self.executor.env.now
        return tuple(
            die for die in sorted(self.dies.lost_dies) if self.back_s.get(die, 0.0) <= now_s
        )

    def take_back(self, dies: tuple[int, ...]) -> None:
        """Have dies again, which hold their weights."""
        self.dies = dataclasses.replace(self.dies, lost_dies=self.dies.lost_dies - set(dies))
        self.gone -= set(dies)
        if not self.dies.lost_dies:
            self._shrunk.clear()  # placements change until the next loss

    def load_s(self, dies: tuple[int, ...]) -> float:
        """Return how long it takes to load the weights of dies that come back."""
        before, after = (
            self._running(self.dies.lost_dies - frozenset(back)) for back in ((), dies)
        )
        if before is None or after is None:
            return 0.0
        attention = self.dies.attention_dies or self.dies.dies
        rate = after.price.collectives.send_bytes_per_s()
        return load_s(before.held, after.held, dies, attention, after.price.operators, rate)

    def renew(self) -> None:
        """Make DP groups, ports and price what the condition asks for."""
        executor, dies = self.executor, self.dies
        executor.up[:] = not self.down
        executor.up[list(dies.groups_on(self.gone))] = False
        kv = dies.planes.get(self.kv_plane)
        faults = [fault for fault in self.seen if dies.network(fault.plane) is kv]
        if kv is not None:
            share = port_share(kv, faults) if faults else np.ones(dies.dies)
            for group in range(len(executor.up)):
                executor.kv_share[group] = share[list(dies.dies_of_group(group))].mean()
        running = self._running(dies.lost_dies)
        if running is not None:
            executor.price = self._priced(running)

    def _priced(self, running: _Running) -> Price:
        """Tell a price of experts, network and speeds; return what the executor is to ask."""
        dies, price = self.dies, running.price
        if running.survivors is not None or price.degraded:
            price.go_on_with(running.survivors)
            price.comm_slowdown = 1.0  # a migration that was under way stands still
        self._connect(running)
        built = list(running.dies)
        speeds = (rank_speed(faults, dies)[built] for faults in (self.slow, self.known_slow))
        price.run_at(*speeds)
        if price is self._whole or not dies.colocated:
            return price
        groups = np.ones(dies.groups, dtype=bool)
        groups[list(dies.groups_on(dies.lost_dies))] = False
        return SurvivingPrice(price, groups)

    def _connect(self, running: _Running) -> None:
        """Tell a price of the links that are left.

        Dies that are cut off while it starts anew are no matter: it steps again on links that work.
        """
        dies, fabric = self.dies, self.dies.fabric
        if fabric is None:
            return
        faults = [fault for fault in self.seen if dies.network(fault.plane) is fabric]
        kept = [die for die in running.dies if die not in dies.lost_dies]
        away = [die for die in range(dies.dies) if die not in kept]
        if set(cut_dies(fabric, faults)) - set(away):
            if not self._holds:
                raise RuntimeError(
                    f"{dies.name} steps with dies that are cut off; this is a defect of podlab"
                )
            return
        ranks = np.array([running.dies.index(die) for die in kept])
        share = port_share(fabric, faults) if faults else np.ones(dies.dies)
        left = fabric_left(fabric, faults, away)
        running.price.use_network(left, ranks, share[list(running.dies)])

    def _running(self, lost: frozenset[int]) -> _Running | None:
        """Return how it runs without some dies; ``None`` if its price knows no placement."""
        whole, dies = self._whole, self.dies
        if not isinstance(whole, PlacedPrice):
            return None
        every, ranks = tuple(range(dies.dies)), dies.built_ranks
        held = Held(whole.placement, ranks, lost & frozenset(ranks))
        if not held.lost:
            return _Running(whole, every, held)
        if self._missing:
            left = missing_experts(whole.placement, [ranks.index(die) for die in held.lost])
            return _Running(whole, every, held, left)
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
        placement = shrunk(whole.placement, whole.seen + 1, gone)
        left = dies.groups - len(dies.groups_on(lost)) if dies.colocated else dies.groups
        price = self._reprice(placement, left)
        self._prices.append(price)
        kept = tuple(die for die in ranks if die not in away)
        built = kept if dies.colocated else (*range(dies.attention_dies or 0), *kept)
        return _Running(price, built, Held(placement, kept))

    @property
    def choices(self) -> tuple[int, int]:
        """Expert choices of all its steps, and those of experts that were missing."""
        lost = sum(price.experts.lost_choices for price in self._prices)
        return sum(price.experts.choices for price in self._prices), lost
