"""What a replay comes to: the numbers of one row of the leaderboard."""

from typing import Any

import numpy as np

from evaluation.replay.replay import Deployment, Replayed
from evaluation.step.executor import StepExecutor


def summary(replayed: Replayed, executor: StepExecutor, deployment: Deployment) -> dict[str, Any]:
    """Return the scores of a replay; every one depends on trace, solver and seed alone.

    Returns
    -------
    dict
        ``balancedness_fitted`` on the last window that the solver saw, ``balancedness_next`` on the
        window after, ``worst_layer_next``; ``balancedness_seconds_next``, mean over maximum rank
        of the experts' seconds, step by step; ``gap_to_bound`` and ``gap_to_bound_next``
        (bound minus balancedness, means); ``slots_changed`` (fraction, a rebalance);
        ``moved_bytes``; ``step_s`` (mean); ``wait_fraction`` (of step time, mean rank);
        ``migration_s`` (total); ``tokens_per_s_per_chip`` and ``efficiency`` (time under perfect
        balance over time taken), both with migration.
    """
    steps = float(np.sum(replayed.step_s))
    migration = float(np.sum(replayed.migration_s))
    engine_steps = len(replayed.step_s) * deployment.hold_steps
    chips = deployment.num_ranks / executor.operators.device.dies_per_chip
    following = np.stack(replayed.following)
    # without a single rebalance there is nothing fitted, and the start-up placement is judged
    fitted = np.stack(replayed.fitted or replayed.following)
    bound = np.stack(replayed.fitted_bound or replayed.following_bound)
    return {
        "balancedness_fitted": float(fitted.mean()),
        "balancedness_next": float(following.mean()),
        "balancedness_seconds_next": float(np.mean(replayed.expert_balance)),
        "worst_layer_next": float(following.mean(axis=0).min()),
        "gap_to_bound": float((bound - fitted).mean()),
        "gap_to_bound_next": float((np.stack(replayed.following_bound) - following).mean()),
        "slots_changed": sum(replayed.moves) / replayed.slots if replayed.slots else 0.0,
        "moved_bytes": sum(replayed.moves) * executor.expert_bytes,
        "step_s": steps / engine_steps,
        "wait_fraction": float(np.sum(replayed.wait_s)) / steps,
        "migration_s": migration,
        "tokens_per_s_per_chip": sum(replayed.tokens) / (steps + migration) / chips,
        "efficiency": float(np.sum(replayed.ideal_s)) / (steps + migration),
    }


def by_layer(replayed: Replayed) -> dict[str, list[float]]:
    """Return the scores that make sense layer by layer, means over windows."""
    fitted = np.stack(replayed.fitted or replayed.following)
    return {
        "balancedness_fitted": fitted.mean(axis=0).tolist(),
        "balancedness_next": np.stack(replayed.following).mean(axis=0).tolist(),
        "bound_next": np.stack(replayed.following_bound).mean(axis=0).tolist(),
    }


def by_window(replayed: Replayed) -> dict[str, list[float]]:
    """Return a number for each scored window, from which intervals and plots are made.

    Returns
    -------
    dict
        ``balancedness_fitted`` (of the placement in use, on the window that it was fitted to; on
        the window itself before the first rebalance), ``balancedness_next``, ``ideal_s``,
        ``step_s``, ``migration_s``, and ``slots_changed`` as a fraction of all slots.
    """
    count = len(replayed.following)
    following = [float(one.mean()) for one in replayed.following]
    slots = replayed.slots / max(1, len(replayed.moves))
    migration, changed, fitted = [0.0] * count, [0.0] * count, list(following)
    for number, window in enumerate(replayed.rebalanced):
        migration[window] = replayed.migration_s[number]
        changed[window] = replayed.moves[number] / slots
        fitted[window:] = [float(replayed.fitted[number].mean())] * (count - window)
    return {
        "balancedness_fitted": fitted,
        "balancedness_next": following,
        "ideal_s": np.reshape(replayed.ideal_s, (count, -1)).sum(axis=1).tolist(),
        "step_s": np.reshape(replayed.step_s, (count, -1)).sum(axis=1).tolist(),
        "migration_s": migration,
        "slots_changed": changed,
    }
