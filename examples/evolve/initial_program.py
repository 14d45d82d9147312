"""Where a search begins: a copy for the hottest experts, then the lightest rank for each replica.

What lies between the marks may be changed; name and arguments of ``rebalance_experts`` stay.
"""

# EVOLVE-BLOCK-START
import numpy as np


def replicate(load, num_slots):
    """Return the copies of each expert [experts]: one more for whoever has most tokens a copy."""
    copies = np.ones(len(load), dtype=int)
    for _ in range(num_slots - len(load)):
        copies[np.argmax(load / copies)] += 1
    return copies


def pack(load, copies, num_gpus):
    """Return the expert of each slot [slots]: heaviest replica first, to the lightest rank."""
    replicas = np.repeat(np.arange(len(load)), copies)
    weight = load[replicas] / copies[replicas]
    width = len(replicas) // num_gpus
    ranks, busy, used = np.empty((num_gpus, width), dtype=int), np.zeros(num_gpus), [0] * num_gpus
    for replica in np.argsort(-weight, kind="stable"):
        rank = min((one for one in range(num_gpus) if used[one] < width), key=lambda one: busy[one])
        ranks[rank, used[rank]] = replicas[replica]
        busy[rank] += weight[replica]
        used[rank] += 1
    return ranks.ravel()


def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    """Return the expert of each slot [layers, num_replicas] for tokens [layers, experts]."""
    return np.stack(
        [pack(load, replicate(load, num_replicas), num_gpus) for load in np.asarray(weight, float)]
    )


# EVOLVE-BLOCK-END
