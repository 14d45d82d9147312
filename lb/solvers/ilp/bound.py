"""Lower bound on the time of the most loaded rank, for any placement."""

import numpy as np

from lb.bounds import balancedness_bound
from lb.problem import Problem
from lb.solvers.ilp.layer import Layer


def peak_bound(problem: Problem, layer: Layer, index: int) -> float:
    """Return a lower bound on the largest rank time of a layer, in the layer's own unit.

    The largest of three arguments:

    * all ranks together compute at least the total work. Where an expert costs more than its
      tokens, the work depends on the copies; ``copies * cost(load / copies)`` is convex in them,
      so that spending each spare slot where it adds least gives the least total;
    * some replica is at least as large as when every spare slot goes to the largest one, and sits
      on a rank that is no faster than the fastest;
    * for equal ranks that count tokens, :func:`lb.bounds.balancedness_bound`.
    """
    total = _least_total(layer)
    level = max(total / layer.speed.sum(), _least_replica(layer))
    if problem.expert_cost is None and layer.speed.min() == 1.0:
        load = problem.planned_load[index : index + 1]
        share = balancedness_bound(load, problem.num_ranks, problem.slots_per_rank)[0]
        level = max(level, total / layer.ranks / share)
    return level


def _least_total(layer: Layer) -> float:
    copies = np.arange(layer.cost.shape[1])
    # What each further copy adds to the work. These rise along each row, so that the smallest of
    # all are a choice of copies that exists.
    work = layer.cost * copies
    added = np.diff(work[:, 1:], axis=1)
    rising = np.maximum.accumulate(added, axis=1).ravel()  # convex but for rounding
    return float(work[:, 1].sum() + np.sort(rising)[: layer.spare].sum())


def _least_replica(layer: Layer) -> float:
    """Return the largest replica when the spare slots are spent in the best way.

    Columns fall along each row, so the ``spare`` largest entries are the replicas that are split
    away, and the next one is what is left; an expert on every rank cannot be split further.
    """
    final = float(layer.cost[:, -1].max())
    entries = np.sort(layer.cost[:, 1:-1].ravel())[::-1]
    return max(final, float(entries[layer.spare])) if entries.size > layer.spare else final
