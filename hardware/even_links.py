"""The busiest link where every rank's bytes go in equal parts to, or come from, all ranks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EvenLinks:
    """Seconds per byte of those links that can be the busiest.

    A link that takes no longer than another one, whichever rank the bytes are of, is never the
    only busiest, and is left out. Most of the others carry the bytes of one rank alone, and need
    no matrix product: products of this size make BLAS libraries start threads that cost more than
    the product.

    Parameters
    ----------
    own
        [ranks] seconds per byte of the slowest link that carries bytes of this rank alone.
    shared
        [links, ranks] seconds per byte of links that carry bytes of several ranks.
    """

    own: Array
    shared: Array

    @classmethod
    def of_operator(cls, seconds_per_byte: Array) -> "EvenLinks":
        """Return the links that matter among all, [links, ranks] seconds per byte of each rank."""
        alone = (seconds_per_byte > 0).sum(axis=1) == 1
        own = seconds_per_byte[alone].max(axis=0, initial=0.0)
        shared = np.unique(seconds_per_byte[~alone], axis=0)
        kept = [row for row in range(len(shared)) if not _is_below_another(shared, row)]
        return cls(own, np.ascontiguousarray(shared[kept]))

    def busiest_s(self, rank_bytes: Array) -> Array:
        """Return the seconds of the busiest link, [...], for [..., ranks] bytes >= 0."""
        alone = (rank_bytes * self.own).max(axis=-1)
        together = (rank_bytes @ self.shared.T).max(axis=-1, initial=0.0)
        busiest: Array = np.maximum(alone, together)
        return busiest


def _is_below_another(rows: Array, row: int) -> bool:
    """Return whether a row is nowhere above some other one; equal rows must not occur."""
    above = (rows >= rows[row]).all(axis=1)
    return int(above.sum()) > 1
