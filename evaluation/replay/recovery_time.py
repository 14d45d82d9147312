"""How a balancer takes a change of the mixture: how far it falls, and how soon it is back."""

import numpy as np

#: A window has recovered if its efficiency is within this part of the steady level.
TOLERANCE = 0.01
#: The last windows, whose efficiency is the steady level.
STEADY_WINDOWS = 3


def shift_scores(
    ideal_s: list[float], taken_s: list[float], change: int
) -> dict[str, float | None]:
    """Return how the scored windows took a change of the mixture.

    Parameters
    ----------
    ideal_s, taken_s
        Of each scored window: seconds under perfect balance, and seconds taken with migration.
    change
        Number of the first scored window after the change.

    Returns
    -------
    dict
        ``shift_efficiency``: of that window. ``recovery_windows``: windows from the change until
        the first one whose efficiency is at least (1 - 0.01) times the steady level, that of the
        last three windows together. 0: no window was lost.

    Raises
    ------
    ValueError
        Unless windows before the change and more than three after it are scored.
    """
    count = len(ideal_s)
    if not 0 < change < count - STEADY_WINDOWS:
        raise ValueError(
            f"the change comes before scored window {change} of {count}; it must come after the "
            f"first and leave more than {STEADY_WINDOWS}: set change_window or windows"
        )
    ideal, taken = np.asarray(ideal_s), np.asarray(taken_s)
    efficiency = ideal[change:] / taken[change:]
    level = ideal[-STEADY_WINDOWS:].sum() / taken[-STEADY_WINDOWS:].sum()
    recovered = np.flatnonzero(efficiency >= (1 - TOLERANCE) * level)
    return {
        "shift_efficiency": float(efficiency[0]),
        "recovery_windows": float(recovered[0]),
    }
