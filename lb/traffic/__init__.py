"""Traffic between nodes: how to measure it, and the search that lowers it.

Examples
--------
>>> import lb
>>> placement = lb.Placement([[0, 1, 1, 2]], num_ranks=2)
>>> source_load = [[[4, 0, 0], [0, 6, 2]]]  # [layers, ranks, experts]
>>> lb.traffic.cross_node_tokens(placement, source_load, ranks_per_node=1)
array([3.])
"""

from lb.traffic.measure import coactivation, cross_node_tokens, node_copies

__all__ = ["coactivation", "cross_node_tokens", "node_copies"]
