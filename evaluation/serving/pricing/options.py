"""Options of the price of a step, besides model, hardware, placement and load."""

from dataclasses import dataclass

import numpy as np

from evaluation.step.engine_step import HOST_S
from lb.protocols import Dispatcher


@dataclass(frozen=True, eq=False)
class PriceOptions:
    """Options that colocated and disaggregated prices share.

    Parameters
    ----------
    dispatcher
        Splits tokens over replicas; ``None``: evenly, which is fastest.
    host_s
        Gap between steps.
    drafts_s
        Time that draft layers with their heads and sampling add to a step with decode; ``None``:
        as the price derives it.
    seed
        Random seed of expert load and jitter.

    Raises
    ------
    ValueError
        If a time is negative or not finite.
    """

    dispatcher: Dispatcher | None = None
    host_s: float = HOST_S
    drafts_s: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.host_s < np.inf:
            raise ValueError(f"host_s = {self.host_s} breaks 0 <= host_s < infinity")
        if self.drafts_s is not None and not 0 <= self.drafts_s < np.inf:
            raise ValueError(f"drafts_s = {self.drafts_s} breaks 0 <= drafts_s < infinity")


DEFAULT_OPTIONS = PriceOptions()
