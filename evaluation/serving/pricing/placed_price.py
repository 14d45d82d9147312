"""A price of steps whose placement, network and speeds may change."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.faults.shrink import Survivors
from evaluation.serving.pricing.experts import ExpertPricer
from evaluation.serving.pricing.work import Cost, Work
from hardware import Collectives, Fabric, Operators
from lb import Placement


class PlacedPrice:
    """What colocated and disaggregated prices share: placement, load seen, fabric.

    Attributes
    ----------
    comm_slowdown
        Factor on the data part of communication, at least 1, while other traffic competes on the
        fabric; may be set while running.
    known_speed
        [ranks] relative speeds that a solver knows; ``None``: the actual ones.
    degraded
        Whether it goes on without some ranks, so that no new placement can be requested.
    """

    operators: Operators
    collectives: Collectives
    experts: ExpertPricer
    known_speed: NDArray[np.float64] | None = None
    degraded: bool = False
    _comm_slowdown: float

    def __call__(self, work: Work, /) -> Cost:
        """Return what a step costs."""
        raise NotImplementedError

    def go_on_with(self, survivors: Survivors | None) -> None:
        """Compute only the experts that are left from now on; ``None``: all of them again.

        Choices of missing experts are not computed; they are counted by ``experts``.
        """
        self.degraded = survivors is not None
        self.experts.fix_share(None if survivors is None else survivors.share)
        self.experts.run_without(None if survivors is None else survivors.missing)

    def use_network(
        self, fabric: Fabric, kept: NDArray[np.int64], port_share: NDArray[np.float64]
    ) -> None:
        """Price communication on a fabric that has lost links or switches, or has them again.

        Parameters
        ----------
        fabric
            Remaining fabric, over the dies that are left.
        kept
            These dies, of those that the price was built with, ascending.
        port_share
            [dies] part of its rate that each die keeps, of all dies that the price was built with;
            see :func:`evaluation.serving.faults.fabric_faults.port_share`.
        """
        raise NotImplementedError

    def run_at(self, speed: NDArray[np.float64], known: NDArray[np.float64]) -> None:
        """Let dies run at relative speeds [dies], on top of their own; solvers know ``known``."""
        raise NotImplementedError

    @property
    def placement(self) -> Placement:
        """Where the experts are; a new one must have the same layers, experts and ranks."""
        return self.experts.placement

    @placement.setter
    def placement(self, placement: Placement) -> None:
        self.experts.placement = placement

    @property
    def seen(self) -> NDArray[np.int64]:
        """[layers, experts] token copies drawn since the last :meth:`take_seen`."""
        return self.experts.seen

    def take_seen(self) -> NDArray[np.int64]:
        """Return :attr:`seen` and start again at 0."""
        return self.experts.take_seen()

    @property
    def comm_slowdown(self) -> float:
        """Factor on the data part of communication, at least 1."""
        return self._comm_slowdown

    @comm_slowdown.setter
    def comm_slowdown(self, factor: float) -> None:
        if not 1 <= factor < np.inf:
            raise ValueError(f"comm_slowdown = {factor} breaks 1 <= comm_slowdown < infinity")
        self._comm_slowdown = factor

    @property
    def expert_bytes(self) -> float:
        """Bytes of one expert's weights in one layer."""
        return self.operators.model.expert_bytes(self.operators.bytes_per_weight)
