"""deepseek-ai/EPLB: a drop-in for its ``rebalance_experts``."""

from dataclasses import dataclass
from typing import Any

from lb.engines.planner import Planner, three_maps


@dataclass(frozen=True)
class Rebalance(Planner):
    """A callable with the arguments and the answer of deepseek-ai/EPLB's ``rebalance_experts``.

    Parameters as in :class:`lb.engines.planner.Planner`.

    Examples
    --------
    >>> import numpy as np
    >>> rebalance_experts = Rebalance(solver="eplb")
    >>> slots, slots_of, replicas = rebalance_experts(np.array([[90, 30, 20, 10]]), 6, 1, 1, 2)
    >>> replicas
    array([[3, 1, 1, 1]])
    """

    def __call__(
        self, weight: Any, num_replicas: int, num_groups: int, num_nodes: int, num_gpus: int
    ) -> tuple[Any, Any, Any]:
        """Place the experts of every layer.

        Parameters
        ----------
        weight
            [layers, experts] tokens, numpy array or torch tensor.
        num_replicas
            Slots of a layer over all ranks; a multiple of ``num_gpus``.
        num_groups, num_nodes
            Expert groups and nodes. Where the groups divide evenly over the nodes, a solver that
            keeps groups on nodes does so; elsewhere they are left out.
        num_gpus
            Ranks.

        Returns
        -------
        tuple
            phy2log [layers, num_replicas] expert of each slot, log2phy [layers, experts, X] slots
            of each expert, padded with -1 (X is the largest number of replicas), logcnt
            [layers, experts] replicas. int64; tensors on the device of ``weight`` if it is one.

        Raises
        ------
        ValueError
            If the slots do not divide over the ranks or do not hold the experts, or a load is
            negative or not finite. The original asserts, or goes on with NaN.
        """
        return three_maps(self.plan(weight, num_replicas, num_gpus, num_groups, num_nodes), weight)


#: The drop-in with the default solver.
rebalance_experts = Rebalance()
