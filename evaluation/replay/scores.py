"""Scores of a replay: the numbers of one leaderboard row."""

from typing import Any

import numpy as np

from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.replay_log import ReplayLog
from evaluation.step.executor import StepExecutor


def summary(log: ReplayLog, executor: StepExecutor, deployment: ExpertDeployment) -> dict[str, Any]:
    """Return the scores of a replay. They depend on trace, solver and seed alone.

    Returns
    -------
    dict
        Balancedness: ``balancedness_fitted`` on the last window that the solver saw,
        ``balancedness_next`` on the window after it, and ``worst_layer_next``.
        ``balancedness_seconds_next`` is mean over maximum rank of the experts' seconds, per step.
        ``gap_to_bound`` and ``gap_to_bound_next`` are the means of bound minus balancedness.

        Moves: ``slots_changed`` (fraction per rebalance), ``moved_bytes`` and ``migration_s``
        (totals), and ``migration_fraction`` of the time taken.

        Time: ``step_s`` (mean), ``wait_fraction`` (wait of the mean rank over step time),
        ``tokens_per_s_per_chip`` and ``efficiency`` (time under perfect balance over time taken),
        the last two with migration.
    """
    steps = float(np.sum(log.step_s))
    migration = float(np.sum(log.migration_s))
    engine_steps = float(np.sum(log.engine_steps))
    chips = deployment.num_ranks / executor.operators.device.dies_per_chip
    following = np.stack(log.following)
    # Without a rebalance no placement was fitted, and the start-up placement is judged.
    fitted = np.stack(log.fitted or log.following)
    bound = np.stack(log.fitted_bound or log.following_bound)
    return {
        "balancedness_fitted": float(fitted.mean()),
        "balancedness_next": float(following.mean()),
        "balancedness_seconds_next": float(
            np.average(log.expert_balance, weights=log.engine_steps)
        ),
        "worst_layer_next": float(following.mean(axis=0).min()),
        "gap_to_bound": float((bound - fitted).mean()),
        "gap_to_bound_next": float((np.stack(log.following_bound) - following).mean()),
        "slots_changed": sum(log.moves) / log.slots if log.slots else 0.0,
        "moved_bytes": sum(log.moves) * executor.expert_bytes,
        "step_s": steps / engine_steps,
        "wait_fraction": float(np.sum(log.wait_s)) / steps,
        "migration_s": migration,
        "migration_fraction": migration / (steps + migration),
        "tokens_per_s_per_chip": sum(log.tokens) / (steps + migration) / chips,
        "efficiency": float(np.sum(log.ideal_s)) / (steps + migration),
    }


def by_layer(log: ReplayLog) -> dict[str, list[float]]:
    """Return the scores of each layer, as means over windows."""
    fitted = np.stack(log.fitted or log.following)
    return {
        "balancedness_fitted": fitted.mean(axis=0).tolist(),
        "balancedness_next": np.stack(log.following).mean(axis=0).tolist(),
        "bound_next": np.stack(log.following_bound).mean(axis=0).tolist(),
    }


def by_window(log: ReplayLog) -> dict[str, list[float]]:
    """Return the numbers of each scored window, for intervals and plots.

    Returns
    -------
    dict
        ``balancedness_fitted``: of the placement in use, on the window that it was fitted to, or on
        the window itself before the first rebalance. ``balancedness_next``, ``ideal_s``,
        ``step_s``, ``migration_s``. ``slots_changed``: fraction of all slots.
    """
    count = len(log.following)
    following = [float(balance.mean()) for balance in log.following]
    slots = log.slots / max(1, len(log.moves))
    migration, changed, fitted = [0.0] * count, [0.0] * count, list(following)
    for number, window in enumerate(log.rebalanced):
        migration[window] = log.migration_s[number]
        changed[window] = log.moves[number] / slots
        fitted[window:] = [float(log.fitted[number].mean())] * (count - window)
    return {
        "balancedness_fitted": fitted,
        "balancedness_next": following,
        "ideal_s": log.window_sums(log.ideal_s),
        "step_s": log.window_sums(log.step_s),
        "migration_s": migration,
        "slots_changed": changed,
    }
