"""The service level objective (SLO) of requests."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.request_log import RequestLog


@dataclass(frozen=True)
class Slo:
    """Largest latencies that keep the SLO; infinity means no limit.

    Parameters
    ----------
    ttft_s
        Seconds to the first token.
    tpot_s
        Seconds for each further token, on average over the request.

    Raises
    ------
    ValueError
        If a limit is not above 0.
    """

    ttft_s: float = float("inf")
    tpot_s: float = float("inf")

    def __post_init__(self) -> None:
        for name in ("ttft_s", "tpot_s"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} = {getattr(self, name)} breaks {name} > 0; give a limit above 0"
                )

    def kept(self, log: RequestLog) -> NDArray[np.bool_]:
        """Return [requests] whether it finished and kept both limits."""
        # An answer of one token has no TPOT, and keeps that limit.
        keeps_tpot = (tpot_s(log) <= self.tpot_s) | (log.output_tokens < 2)
        kept: NDArray[Any] = log.finished & (ttft_s(log) <= self.ttft_s) & keeps_tpot
        return kept


def ttft_s(log: RequestLog) -> NDArray[np.float64]:
    """Return [requests] seconds from arrival to the first token; nan without one."""
    return log.first_token_s - log.arrival_s


def tpot_s(log: RequestLog) -> NDArray[np.float64]:
    """Return [requests] seconds per token after the first; nan if unfinished or one token."""
    gaps = np.where(log.output_tokens > 1, log.output_tokens - 1.0, np.nan)
    return (log.finish_s - log.first_token_s) / gaps
