"""Upper bounds on balancedness that hold for any placement and any dispatcher."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts, checked_integer
from lb.kernel import kernel

_PRECISION = 1e-10  # relative, of the peak that the search by halves ends with
_ROUNDING = 1e-11  # what sums of loads may be off, in units of the largest
_TOLLS = 256  # tried at least, where experts are fewer


def balancedness_bound(load: ArrayLike, num_ranks: int, slots_per_rank: int) -> NDArray[np.float64]:
    """Upper bound on the balancedness of any placement, however tokens are split over replicas.

    The peak rank load is at least the largest of

    * the mean rank load;
    * the level to which the slots suffice: a slot takes at most M tokens, so expert e needs
      ceil(load_e / M) of the ``num_ranks * slots_per_rank`` slots;
    * what the ranks that hold a copy of the h heaviest experts must carry, for every h: b ranks
      leave ``(num_ranks - b) * slots_per_rank`` slots to experts that live elsewhere too, so all
      others live on the b ranks alone. Minimised over b;
    * the level to which the spare slots suffice once heavy experts and the cold ones that fill up
      their ranks are counted together: see :func:`_spare_slots_fall_short`.

    All four are arguments of counting, derived here; none assumes an even split, or forbids two
    copies on one rank or a copy that gets no tokens.

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
    One spare slot halves the only load; without one, the heaviest expert has a companion:

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
    descending = descending_shares(amounts)
    bound = np.empty(len(amounts))
    _bound_layers(descending, ranks, width, bound)
    return bound


def descending_shares(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each layer's loads, heaviest first, as shares of the largest.

    Shares keep any scale in range; a layer without load stays zero.
    """
    largest = amounts.max(axis=1, keepdims=True)
    scaled = np.divide(amounts, largest, out=np.zeros_like(amounts), where=largest > 0)
    descending: NDArray[np.float64] = -np.sort(-scaled, axis=1)
    return descending


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
        bound[layer] = mean / _spare_slot_level(load, ranks, width, peak)


@kernel
def _slot_level(descending: NDArray[np.float64], ranks: int, width: int) -> float:
    """Return the largest load per replica when the spare slots are spent in the best way.

    Giving each spare slot to the largest load per replica is optimal for the maximum.
    """
    replicas = np.ones(descending.size)
    per_replica = descending.copy()
    for _ in range(ranks * width - descending.size):
        heaviest = np.argmax(per_replica)
        # On every rank its share is at most the mean rank load, which is a bound of its own.
        if replicas[heaviest] == ranks:
            break
        replicas[heaviest] += 1
        per_replica[heaviest] = descending[heaviest] / replicas[heaviest]
    return float(per_replica.max())


@kernel
def _heavy_ranks_level(descending: NDArray[np.float64], ranks: int, width: int) -> float:
    """Return what some rank with one of the h heaviest experts must carry, for the worst h.

    The other ranks have slots for ``(ranks - b) * width`` experts, so at least
    ``b * width - spare`` experts have all their copies on the b ranks, the h heaviest among them.
    Those have at most ``h + spare`` slots, so b is no more.
    """
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
        for on_ranks in range(-(-heavy // width), min(heavy + spare, ranks) + 1):
            # The b ranks carry the h heaviest and so many others alone. With the coldest ones in
            # this place, the mean over the b ranks is a lower bound on the heaviest of them.
            others = min(max(on_ranks * width - spare - heavy, 0), experts - heavy)
            best = min(best, (heavy_load + lightest[others]) / on_ranks)
        level = max(level, best)
    return level


@kernel
def _spare_slot_level(
    descending: NDArray[np.float64], ranks: int, width: int, level: float
) -> float:
    """Return the highest level found, from ``level`` on, for which the spare slots fall short.

    A level counts only with its own proof, so that a search that misses a higher one is sound.
    The tolls that are tried are the loads of the coldest experts, between which the proof changes
    little, and some in between where experts are few.
    """
    experts = descending.size
    if width == 1:
        return level  # nothing shares a rank, and the slot level is exact
    spare = ranks * width - experts
    total = descending.sum()
    remainder = np.empty(experts)
    steps = max(1, _TOLLS // experts)
    for cold in range(experts - 1, 0, -1):
        gap = descending[cold - 1] - descending[cold]
        for step in range(steps if gap > 0 else 1):
            toll = descending[cold] + gap * step / steps
            # Tolls rise from here on, and the proof needs toll * width <= peak.
            if toll * width > level:
                return level
            above = level * (1 + _PRECISION)
            if not _spare_slots_fall_short(descending, spare, width, above, toll, remainder):
                continue
            # Proved just above the level: search by halves how far up the proof holds.
            level, high = above, total
            while high > level * (1 + _PRECISION):
                middle = (level + high) / 2
                if _spare_slots_fall_short(descending, spare, width, middle, toll, remainder):
                    level = middle
                else:
                    high = middle
    return level


@kernel
def _spare_slots_fall_short(
    descending: NDArray[np.float64],
    spare: int,
    width: int,
    peak: float,
    toll: float,
    remainder: NDArray[np.float64],
) -> bool:
    """Return whether no placement keeps all ranks within ``peak``, as far as this proof goes.

    Join ranks that hold copies of one expert. Each cluster of b ranks that arises keeps the whole
    load of its experts, and has u spare slots: ``b * width`` less one for each of its experts. An
    expert with c copies joins at most c ranks, so b <= u + 1. Let every expert pay a toll t, with
    ``t * width <= peak`` and ``reach = peak - (width - 1) * t``. The loads l of a cluster obey

        sum(l - t) <= b * peak - t * (b * width - u) <= (u + 1) * reach - t.

    Call an expert heavy if l > reach, and write l = n * reach + r with whole n >= 1 and
    0 < r <= reach. A cluster whose heavy experts have n in sum N takes N spare slots at least, or
    s > 0 fewer. In the latter case, as l - t < 0 for cold experts alone,

        sum over heavy (r - t) + t + (s - 1) * reach <= sum over cold (t - l).

    Over all clusters the spare slots saved must reach the sum of n less ``spare``. Each further
    saving costs least as a cluster of its own, which takes a heavy expert of its own: in sum at
    least t a saving, and r - t for as many experts of the smallest r, or for all with r < t where
    these are more; and ``reach`` a saving beyond the number of heavy experts. If that is more than
    all cold experts give together, each of them in one cluster, the peak cannot be kept.
    """
    reach = peak - (width - 1) * toll
    heavy = 0
    savings = -spare
    while heavy < descending.size and descending[heavy] > reach:
        # a load just above a multiple of the reach, by rounding perhaps, is taken for the multiple
        whole = int(np.ceil(descending[heavy] / reach - _ROUNDING)) - 1
        left = descending[heavy] - whole * reach
        # Kept by falling size, which few change: loads fall.
        place = heavy
        while place and remainder[place - 1] < left:
            remainder[place] = remainder[place - 1]
            place -= 1
        remainder[place] = left
        savings += whole
        heavy += 1
    # There are enough spare slots without any saving.
    if savings <= 0:
        return False
    # What the savings cost: the toll each, or the reach beyond one for each heavy expert.
    price = savings * toll + max(savings - heavy, 0) * (reach - toll)
    # And r - t of a heavy expert for each saving, the least ones first; those below 0 all count.
    for counted in range(heavy):
        least = remainder[heavy - 1 - counted]
        if counted >= savings and least >= toll:
            break
        price += least - toll
    # What the cold experts can give for it.
    given = 0.0
    cold = descending.size - 1
    while cold >= 0 and descending[cold] < toll:
        given += toll - descending[cold]
        cold -= 1
    # Rounding counts against the proof.
    return bool(price > given + _ROUNDING * descending[0])
