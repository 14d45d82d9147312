"""Dispatch and combine, the two all-to-alls of a MoE layer, and sending weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.fabric import Fabric
from hardware.model import Model

#: Scales that travel with an INT8 token: 7.5 KB for 7 KB of hidden state (arXiv:2506.12708v2).
SCALE_BYTES = 512


@dataclass(frozen=True)
class Collectives:
    """Pull-based dispatch and combine in the manner of XCCL (xDeepServe section 3.2).

    Counts are broadcast first, and every rank waits for all of them: the setup. Then each rank
    pulls, at the rate that its vector cores reach, and all share the links: the longer of the two
    counts. Source tokens are taken as spread evenly over the ranks, so a rank pulls from its own
    server the part that its server is of all ranks.

    In dispatch a hot rank pulls more than others. In combine every rank pulls the results of its
    own tokens, so a hot rank delays the others by what must leave it over its links.

    Parameters
    ----------
    fabric
        Where the ranks are; its figures hold ``collective_setup_s`` and, for ``dispatch`` and
        ``combine``, ``…_within_bytes_per_s`` and ``…_between_bytes_per_s``. Without them the links
        alone decide.
    model
        Whose hidden states travel.
    """

    fabric: Fabric
    model: Model

    @property
    def dispatch_bytes(self) -> int:
        """Bytes of one dispatched token copy: INT8 and its scales."""
        return self.model.hidden + SCALE_BYTES

    @property
    def combine_bytes(self) -> int:
        """Bytes of one combined token copy: BF16."""
        return 2 * self.model.hidden

    def dispatch_s(self, rank_tokens: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of dispatch.

        Parameters
        ----------
        rank_tokens
            [..., ranks] token copies that each rank's experts receive.

        Returns
        -------
        ndarray
            [...] seconds; setup alone where there is nothing to send.
        """
        arriving = rank_tokens * float(self.dispatch_bytes)
        links = self.fabric.even_exchange(arriving, inbound=True)
        return self._pulled_s(arriving.max(axis=-1), links, "dispatch")

    def combine_s(self, rank_tokens: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of combine: the experts' results, [..., ranks] token copies, go back."""
        leaving = rank_tokens * float(self.combine_bytes)
        links = self.fabric.even_exchange(leaving, inbound=False)
        return self._pulled_s(leaving.mean(axis=-1), links, "combine")

    def _pulled_s(
        self, pulled_bytes: NDArray[np.float64], links_s: NDArray[np.float64], name: str
    ) -> NDArray[np.float64]:
        figures, ranks = self.fabric.figures, self.fabric.num_ranks
        within = min(figures.get("dies_per_node", ranks), ranks) / ranks
        seconds_per_byte = within / figures.get(f"{name}_within_bytes_per_s", np.inf)
        seconds_per_byte += (1 - within) / figures.get(f"{name}_between_bytes_per_s", np.inf)
        seconds: NDArray[np.float64] = np.maximum(pulled_bytes * seconds_per_byte, links_s)
        return seconds + figures.get("collective_setup_s", 0.0)

    def send_bytes_per_s(self) -> float:
        """Rate at which one rank writes weights to another: its own links, at write efficiency."""
        first = self.fabric.ranks[0]
        own = [
            link["bandwidth"]
            for _, target, link in self.fabric.graph.out_edges(first, data=True)
            if target not in self.fabric.ranks
        ]
        return sum(own) * self.fabric.figures.get("write_efficiency", 1.0)
