"""Rebalancing while a task executor serves: when the solver runs, and how weights move."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
import schedulers
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.recovery.migration import (
    Migration,
    WeightTransfer,
    make_migration,
    masked_share,
)
from evaluation.serving.scenario import named_scheduler
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from lb import Placement


@dataclass
class _Progress:
    """Progress of one task executor: its window, its history and its migration."""

    began_s: float = 0.0
    windows_seen: int = 0
    history: list[NDArray[np.int64]] = field(default_factory=list)
    migration: Migration | None = None
    last_s: float = 0.0


class Rebalancing:
    """Rebalances task executors that are priced colocated; called before every step of one.

    Parameters
    ----------
    table
        When and how it rebalances.
    send_bytes_per_s
        Rate at which one rank receives weights.

    Attributes
    ----------
    rebalances
        Times that the solver ran, over all executors.
    moved_bytes, paused_s
        Bytes of weights that ranks received, and seconds that executors paused for it, until now.
    """

    def __init__(self, table: RebalanceTable, send_bytes_per_s: float) -> None:
        self.table, self.send_bytes_per_s = table, send_bytes_per_s
        self.policy = named_scheduler.make(schedulers.REBALANCE, table.policy)
        self.solver = lb.make(table.solver)
        self.rebalances = 0
        self.moved_bytes = 0.0
        self.paused_s = 0.0
        self._states: dict[int, _Progress] = {}

    def __call__(self, executor: TaskExecutor, now_s: float) -> float:
        """Count a window, ask the policy, or move weights on; return the pause in seconds."""
        price = executor.price
        if not isinstance(price, ColocatedPrice) or price.degraded:
            return 0.0
        state = self._states.setdefault(executor.number, _Progress(now_s, last_s=now_s))
        if state.migration is None and now_s - state.began_s >= self.table.window_s:
            self._window(price, state, now_s)
        step_s, state.last_s = max(now_s - state.last_s, 1e-6), now_s
        if state.migration is None:
            return 0.0
        effect = state.migration.advance(now_s, step_s)
        _apply(price, effect.placement, effect.enabled)
        price.comm_slowdown = effect.slowdown
        self.moved_bytes += float(effect.received.sum())
        if effect.done:
            state.migration, state.began_s = None, now_s
            price.take_seen()
            price.comm_slowdown = 1.0
        self.paused_s += effect.pause_s
        return float(effect.pause_s)

    def summary(self) -> dict[str, float]:
        """Return the figures until now."""
        return {
            "rebalances": self.rebalances,
            "moved_bytes": self.moved_bytes,
            "paused_s": self.paused_s,
        }

    def _window(self, price: ColocatedPrice, state: _Progress, now_s: float) -> None:
        state.history = [*state.history, price.take_seen()][-self.table.history_windows :]
        state.windows_seen += 1
        state.began_s = now_s
        load, before = np.stack(state.history), price.placement
        if not load.any() or not self.policy(state.windows_seen, load, before):
            return
        speed = price.rank_speed if price.known_speed is None else price.known_speed
        problem = lb.Problem(
            load,
            before.num_ranks,
            before.slots_per_rank,
            current=before,
            # stragglers get less load; lb.solve refuses solvers that cannot do this
            rank_speed=speed if np.ptp(speed) > 0 else None,
        )
        after = lb.solve(problem, self.solver)
        self.rebalances += 1
        transfer = WeightTransfer(before, after, price.expert_bytes, self.send_bytes_per_s, now_s)
        state.migration = make_migration(self.table.mode, transfer)


def _apply(price: ColocatedPrice, placement: Placement, enabled: Any) -> None:
    """Let a price use a placement, some of whose slots may be disabled."""
    if price.placement is not placement:
        price.placement = placement
    share = None if enabled is None else masked_share(placement, placement.even_share, enabled)
    price.fix_share(share)
