"""The inner loop of routing: the experts that a token takes, by its scores."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel, part


@part
def _larger(
    scores: NDArray[np.float64], out: NDArray[np.int64], held: int, begin: int, end: int
) -> int:
    """Let places ``begin`` to ``end`` into the ``held`` best in ``out``; return how many these are.

    The best comes first; of equal scores the earlier place does.
    """
    capacity = len(out)
    # The worst of the best: most places fail this one comparison.
    least = scores[out[held - 1]] if held == capacity else -np.inf
    for place in range(begin, end):
        score = scores[place]
        if held == capacity and score <= least:
            continue
        # Insertion; where all are held, the worst falls out.
        at = held if held < capacity else held - 1
        while at > 0 and scores[out[at - 1]] < score:
            out[at] = out[at - 1]
            at -= 1
        out[at] = place
        held = min(held + 1, capacity)
        least = scores[out[held - 1]]
    return held


@part
def choose(
    scores: NDArray[np.float64], groups: int, groups_kept: int, out: NDArray[np.int64]
) -> None:
    """Fill ``out`` [top_k] with the experts that group-limited routing takes.

    A group is worth the sum of its two best scores; experts of groups that are not among the
    ``groups_kept`` best are left out (DeepSeek-V3, arXiv:2412.19437, and its published model code).
    """
    if groups_kept == groups:
        _larger(scores, out, 0, 0, len(scores))
        return
    # Step 1: what each group is worth.
    size = len(scores) // groups
    worth = np.empty(groups)
    best = np.empty(min(2, size), np.int64)
    for group in range(groups):
        _larger(scores, best, 0, group * size, (group + 1) * size)
        worth[group] = 0.0
        for n in range(len(best)):
            worth[group] += scores[best[n]]
    # Step 2: the groups that are kept.
    kept = np.empty(groups_kept, np.int64)
    _larger(worth, kept, 0, 0, groups)
    kept.sort()  # by id, so that of equal scores the lower id goes first
    # Step 3: the best experts of these groups together.
    held = 0
    for n in range(groups_kept):
        begin = kept[n] * size
        held = _larger(scores, out, held, begin, begin + size)


@kernel
def choose_all(
    scores: NDArray[np.float64], groups: int, groups_kept: int, out: NDArray[np.int64]
) -> None:
    """Run :func:`choose` on every row of ``scores`` [tokens, experts]."""
    for token in range(len(scores)):
        choose(scores[token], groups, groups_kept, out[token])
