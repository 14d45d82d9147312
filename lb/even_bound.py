"""Upper bounds on balancedness when replicas share the tokens of their expert evenly."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.bounds import balancedness_bound, descending_shares
from lb.checked import checked_amounts, checked_integer
from lb.copy_into import copy_into
from lb.kernel import kernel

# constants of ours: they decide how much is proved and how long it takes, never whether it holds
_PRECISION = 1e-7  # relative, of the peak that the search by halves ends with
_CHOICES = 12  # thresholds, and tolls, at most
_ROUNDS = 30  # of one attempt to weigh the rules against each other
_LEARNING_RATE = 0.3  # per rank by which a rule is broken
_WORK = 5_000_000  # multiplications and additions spent on a peak, a few ms
_LARGEST_TABLE = 4_000_000  # numbers; without an attempt beyond
_ROUNDING = 1e-12
_NEVER = 1e6  # value of a weight that no rank can carry
_REFUTED, _OPEN, _KEPT = 0, 1, 2


def even_bound(load: ArrayLike, num_ranks: int, slots_per_rank: int) -> NDArray[np.float64]:
    """Upper bound on the balancedness of any placement with the ``even`` dispatcher.

    Each of the c replicas of an expert weighs load / c, wherever it is. The bound starts from
    :func:`lb.bounds.balancedness_bound` and tries to refute higher peaks. A rule gives each weight
    a value such that no rank whose weights keep within the peak M has more than a stated value in
    its w slots:

    * for a threshold s <= M / 2: 1 for a weight above M - s, beside which only weights below s
      fit; 0 for those; and 1 / min(w, floor(M / s)) in between, of which that many fit: at most 1;
    * the same with weight / M in between: at most 1;
    * for a toll t <= M / w: weight - t, if that is negative; weight - (M - (w - 1) * t), if that is
      positive; else 0: at most 0, since all w slots of a rank pay w * t together.

    Whatever the numbers of replicas, as long as they fill the slots, the values of all replicas
    add up to at most the number of ranks times the stated value; and so it is for any weighted sum
    of rules. If the numbers of replicas that are best for the weighted sum (found exactly, expert
    by expert) break it, no placement keeps the peak. Weights are learned by Hedge (Freund and
    Schapire 1997), and where that does not suffice, every number of replicas of the heaviest expert
    is refuted separately, then of the next.

    The value rules are dual feasible functions, as used for bin packing; derived here.

    Parameters
    ----------
    load
        [layers, experts] tokens.
    num_ranks, slots_per_rank
        As in :class:`lb.Problem`. Two replicas on one rank are allowed for.

    Returns
    -------
    ndarray
        [layers] in (0, 1], at most :func:`lb.bounds.balancedness_bound`.

    Raises
    ------
    ValueError
        If the load is not finite and non-negative, or the experts do not fit the slots.

    Examples
    --------
    An uneven split could balance these perfectly:

    >>> even_bound([[600, 560, 120, 120, 20, 10, 10, 10]], num_ranks=8, slots_per_rank=2).round(4)
    array([0.9216])
    """
    bound = balancedness_bound(load, num_ranks, slots_per_rank)
    amounts = checked_amounts(load, "load", ("layers", "experts"))
    ranks = checked_integer(num_ranks, "num_ranks", at_least=1)
    width = checked_integer(slots_per_rank, "slots_per_rank", at_least=1)
    numbers = amounts.shape[1] * (ranks * width - amounts.shape[1] + 1)
    if width > 1 and 3 * _CHOICES * numbers <= _LARGEST_TABLE:
        _tighten_layers(descending_shares(amounts), ranks, width, bound)
    return bound


@kernel
def _tighten_layers(
    descending: NDArray[np.float64], ranks: int, width: int, bound: NDArray[np.float64]
) -> None:
    for layer in range(bound.size):
        load = descending[layer]
        mean = load.sum() / ranks
        if mean == 0.0:
            continue
        # Step 1: start at the peak that holds for any split. If the rules do not refute a peak just
        # above it, that bound stays.
        level = mean / bound[layer]
        above = level * (1 + _PRECISION)
        if not _peak_refuted(load, ranks, width, above):
            continue
        # Step 2: search by halves. `level` is a refuted peak at all times, so that whatever the
        # rules fail to refute costs tightness and never validity.
        level, high = above, load.sum()
        while high > level * (1 + _PRECISION):
            middle = (level + high) / 2
            if _peak_refuted(load, ranks, width, middle):
                level = middle
            else:
                high = middle
        bound[layer] = mean / level


@kernel
def _peak_refuted(load: NDArray[np.float64], ranks: int, width: int, peak: float) -> bool:
    """Return whether all numbers of replicas break a weighted sum of rules, as far as tried."""
    experts = load.size
    spare = ranks * width - experts
    thresholds = _thresholds(load, spare + 1, peak)
    tolls = _tolls(load, width, peak)
    value = _values(load, width, spare + 1, peak, thresholds, tolls)
    # What the values of all ranks add up to at most: 1 a rank for thresholds, 0 for tolls.
    limit = np.zeros(len(value))
    limit[: 2 * thresholds.size] = ranks
    fixed = np.full(experts, -1)  # extra replicas of the experts that are tried one by one
    # Depth first over numbers of replicas: an open verdict fixes one more expert, the heaviest
    # first; a refuted one tries its next number.
    depth = 0
    work = _WORK
    while work > 0:
        verdict, rounds = _weigh_rules(value, limit, spare, fixed)
        # Weighted sums over all rules, and the dynamic program over the extra replicas.
        work -= rounds * experts * (spare + 1) * (len(value) + (spare + 1) // 2)
        # Numbers of replicas that keep all rules cannot be refuted by any weights.
        if verdict == _KEPT or (verdict == _OPEN and depth == experts):
            return False
        if verdict == _OPEN:
            fixed[depth] = 0
            depth += 1
            continue
        # All numbers of this expert are refuted: back to the expert before.
        while depth > 0 and fixed[depth - 1] == spare:
            depth -= 1
            fixed[depth] = -1
        if depth == 0:
            return True
        fixed[depth - 1] += 1
    return False


@kernel
def _weigh_rules(
    value: NDArray[np.float64],
    limit: NDArray[np.float64],
    spare: int,
    fixed: NDArray[np.int64],
) -> tuple[int, int]:
    """Look for weights that refute; return the verdict and the rounds it took.

    ``value`` is [rules, experts, extra replicas], of all replicas of the expert together.
    """
    rules, experts, numbers = value.shape
    weight = np.full(rules, 1.0 / rules)
    broken_by = np.zeros(rules)
    weighted = np.empty((experts, numbers))
    extra = np.empty(experts, np.int64)
    best_extra = np.empty((experts, spare + 1), np.int64)
    for turn in range(_ROUNDS):
        # Step 1: the numbers of replicas whose weighted value is least. If even they break the
        # weighted limit, all numbers do.
        weighted[:] = 0.0
        for rule in range(rules):
            weighted += weight[rule] * value[rule]
        least = _least_value(weighted, spare, fixed, best_extra, extra)
        if least > (weight * limit).sum() + 1e-9:
            return _REFUTED, turn + 1
        # Step 2: by how much these numbers break each single rule.
        worst = -np.inf
        for rule in range(rules):
            excess = -limit[rule]
            for expert in range(experts):
                excess += value[rule, expert, extra[expert]]
            worst = max(worst, excess)
            # Clipped, so that no single rule takes all the weight in one round.
            broken_by[rule] += min(max(excess, -2.0), 2.0)
        if worst <= 1e-9:
            return _KEPT, turn + 1
        # Step 3: Hedge gives weight to rules that were broken; less the largest, so that exp stays
        # finite.
        weight = np.exp(_LEARNING_RATE * (broken_by - broken_by.max()))
        weight /= weight.sum()
    return _OPEN, _ROUNDS


@kernel
def _least_value(
    weighted: NDArray[np.float64],
    spare: int,
    fixed: NDArray[np.int64],
    best_extra: NDArray[np.int64],
    extra: NDArray[np.int64],
) -> float:
    """Spread ``spare`` extra replicas so that values add up to the least; fill ``extra``."""
    experts = len(weighted)
    least = np.full(spare + 1, np.inf)  # by the extra replicas that the experts so far have
    # Dynamic program: experts one after another, each with `number` of the spent extra replicas.
    least[0] = 0.0
    following = np.empty(spare + 1)
    for expert in range(experts):
        lowest = max(fixed[expert], 0)
        for spent in range(spare + 1):
            highest = spent if fixed[expert] < 0 else min(spent, lowest)
            following[spent] = np.inf
            best_extra[expert, spent] = lowest
            for number in range(lowest, highest + 1):
                total = least[spent - number] + weighted[expert, number]
                if total < following[spent]:
                    following[spent] = total
                    best_extra[expert, spent] = number
        copy_into(least, following)
    if np.isfinite(least[spare]):
        # Walk back from the last expert to find who got how many.
        left = spare
        for expert in range(experts - 1, -1, -1):
            extra[expert] = best_extra[expert, left]
            left -= extra[expert]
    return float(least[spare])


@kernel
def _values(
    load: NDArray[np.float64],
    width: int,
    numbers: int,
    peak: float,
    thresholds: NDArray[np.float64],
    tolls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what all replicas count by each rule; rounding only ever makes it less."""
    slack = _ROUNDING * peak
    count = thresholds.size
    value = np.empty((2 * count + tolls.size, load.size, numbers))
    for expert in range(load.size):
        for extra in range(numbers):
            one = load[expert] / (extra + 1)
            if one > peak + slack:
                value[:, expert, extra] = _NEVER
                continue
            for place in range(count):
                least = thresholds[place]
                some, share = 0.0, 0.0
                if one > peak - least + slack:
                    some, share = 1.0, 1.0
                elif one >= least + slack:
                    # Rounded up where in doubt: a larger number of weights makes the value smaller.
                    some = 1 / min(width, int(peak / least + 1e-9))
                    share = one / peak
                value[2 * place, expert, extra] = some * (extra + 1)
                value[2 * place + 1, expert, extra] = share * (extra + 1)
            for place in range(tolls.size):
                reach = peak - (width - 1) * tolls[place]
                over = min(one - tolls[place], 0.0) + max(one - reach - slack, 0.0)
                value[2 * count + place, expert, extra] = over / peak * (extra + 1)
    return value


@kernel
def _thresholds(load: NDArray[np.float64], most: int, peak: float) -> NDArray[np.float64]:
    """Return half the peak, and what just does not fit beside replicas of the heaviest experts."""
    found = np.empty(_CHOICES)
    found[0] = peak / 2
    count = 1
    for amount in load:
        # Below so many copies each one is above the peak.
        fewest = max(1, int(np.ceil(amount / peak - 1e-9)))
        for copies in range(fewest, min(fewest + 2, most) + 1):
            one = amount / copies
            if peak / 2 < one <= peak and count < _CHOICES:
                # s is just above peak - weight, so that this weight counts as 1 by the rule for s.
                found[count] = min(peak - one * (1 - 1e-9), peak / 2)
                count += 1
    return np.unique(found[:count])


@kernel
def _tolls(load: NDArray[np.float64], width: int, peak: float) -> NDArray[np.float64]:
    """Return loads of cold experts, evenly spaced among those that all slots could pay."""
    payable = load[(load > 0) & (load * width <= peak)]
    different = np.unique(payable)
    return different[:: max(1, -(-different.size // _CHOICES))]
