"""How balanced a placement could be at best, whatever the placement and the dispatcher."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts, checked_integer
from lb.kernel import kernel


def balancedness_bound(load: ArrayLike, num_ranks: int, slots_per_rank: int) -> NDArray[np.float64]:
    """Upper bound on the balancedness of any placement, however tokens are split over replicas.

    The peak rank load is at least the largest of

    * the mean rank load;
    * the level M to which the slots suffice: a slot takes at most M tokens, so expert e needs
      ceil(load_e / M) slots, and all experts together have ``num_ranks * slots_per_rank``;
    * what the ranks that hold a replica of the h hottest experts must carry: if those experts have
      n slots on b ranks, the other ``b * slots_per_rank - n`` slots there are filled too, and no
      more of them can be spared from load than there are redundant slots left. Minimised over n
      and b, for every h.

    All three are arguments of counting, derived here; none assumes an even split or forbids two
    copies on one rank.

    Parameters
    ----------
    load
        [layers, experts] tokens.
    num_ranks, slots_per_rank
        As in :class:`lb.Problem`.

    Returns
    -------
    ndarray
        [layers] in (0, 1]; 1 for a layer without load.

    Raises
    ------
    ValueError
        If the load is not finite and non-negative, or the experts do not fit the slots.

    Examples
    --------
    One spare slot halves the only load; without one, the hottest expert has a companion:

    >>> balancedness_bound([[1, 0, 0]], num_ranks=4, slots_per_rank=1)
    array([0.5])
    >>> balancedness_bound([[10, 1, 1, 1, 1, 1]], num_ranks=3, slots_per_rank=2).round(3)
    array([0.455])
    """
    amounts = checked_amounts(load, "load", ("layers", "experts"))
    ranks = checked_integer(num_ranks, "num_ranks", at_least=1)
    width = checked_integer(slots_per_rank, "slots_per_rank", at_least=1)
    experts = amounts.shape[1]
    if ranks * width < experts:
        raise ValueError(
            f"{ranks} ranks x {width} slots = {ranks * width} slots < {experts} experts; "
            f"give slots_per_rank >= {-(-experts // ranks)}"
        )
    largest = amounts.max(axis=1, keepdims=True)
    # shares of the largest load keep any scale in range; a layer without load stays zero
    scaled = np.divide(amounts, largest, out=np.zeros_like(amounts), where=largest > 0)
    descending = -np.sort(-scaled, axis=1)
    bound = np.empty(len(amounts))
    _bound_layers(descending, ranks, width, bound)
    return bound


@kernel
def _bound_layers(
    descending: NDArray[np.float64], ranks: int, width: int, bound: NDArray[np.float64]
) -> None:
    for layer in range(bound.size):
        load = descending[layer]
        mean = load.sum() / ranks
        if mean == 0.0:
            bound[layer] = 1.0
            continue
        peak = max(mean, _slot_level(load, ranks, width), _heavy_ranks_level(load, ranks, width))
        bound[layer] = mean / peak


@kernel
def _slot_level(descending: NDArray[np.float64], ranks: int, width: int) -> float:
    """Return the largest load per replica when the spare slots are spent in the best way.

    Giving each spare slot to the largest load per replica is optimal for the maximum.
    """
    replicas = np.ones(descending.size)
    per_replica = descending.copy()
    for _ in range(ranks * width - descending.size):
        hottest = np.argmax(per_replica)
        if replicas[hottest] == ranks:
            break
        replicas[hottest] += 1
        per_replica[hottest] = descending[hottest] / replicas[hottest]
    return float(per_replica.max())


@kernel
def _heavy_ranks_level(descending: NDArray[np.float64], ranks: int, width: int) -> float:
    """Return what some rank with one of the h hottest experts must carry, for the worst h."""
    experts = descending.size
    spare = ranks * width - experts
    lightest = np.zeros(experts + 1)  # lightest[k]: load of the k coldest experts
    for k in range(experts):
        lightest[k + 1] = lightest[k] + descending[experts - 1 - k]
    level = 0.0
    heavy_load = 0.0
    for heavy in range(1, experts + 1):
        heavy_load += descending[heavy - 1]
        best = np.inf
        for slots in range(heavy, heavy + spare + 1):
            spared = spare - (slots - heavy)
            for on_ranks in range(-(-slots // width), min(slots, ranks) + 1):
                filled = min(max(on_ranks * width - slots - spared, 0), experts - heavy)
                best = min(best, (heavy_load + lightest[filled]) / on_ranks)
        level = max(level, best)
    return level
