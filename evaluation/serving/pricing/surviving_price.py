"""The price of an executor that goes on with some of its DP groups."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.work import Cost, Price, Work


class SurvivingPrice:
    """Prices the work of the DP groups that are left.

    Parameters
    ----------
    price
        Built for as many groups as are left.
    kept
        [groups] whether a group is left.
    """

    def __init__(self, price: Price, kept: NDArray[np.bool_]) -> None:
        self.price, self.kept = price, kept.copy()

    def __call__(self, work: Work, /) -> Cost:
        """Return what a step of the groups left costs."""
        kept = self.kept
        return self.price(
            Work(
                work.prefill_tokens[kept],
                work.prefill_context[kept],
                work.sequences[kept],
                work.decode_context[kept],
                work.condition_tokens,
                work.time_s,
            )
        )
