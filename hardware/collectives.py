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

    Each takes ``setup + max(slowest rank at its engine's rate, fabric)``: vector cores move a
    rank's bytes at a rate below the links', and the links are shared. Source tokens are taken as
    spread evenly over the ranks.

    Parameters
    ----------
    fabric
        Where the ranks are; its figures hold ``collective_setup_s``, ``dispatch_bytes_per_s`` and
        ``combine_bytes_per_s``.
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
        return self._exchange_s(
            rank_tokens * float(self.dispatch_bytes), "dispatch_bytes_per_s", inbound=True
        )

    def combine_s(self, rank_tokens: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of combine: every rank's experts send their [..., ranks] token copies back."""
        return self._exchange_s(
            rank_tokens * float(self.combine_bytes), "combine_bytes_per_s", inbound=False
        )

    def _exchange_s(
        self, rank_bytes: NDArray[np.float64], rate: str, *, inbound: bool
    ) -> NDArray[np.float64]:
        figures = self.fabric.figures
        engine = rank_bytes.max(axis=-1) / figures.get(rate, np.inf)
        links = self.fabric.even_exchange(rank_bytes, inbound=inbound)
        seconds: NDArray[np.float64] = np.maximum(engine, links)
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
