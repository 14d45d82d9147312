"""Decode router: requests that use the same experts go to the same worker."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedulers.decode.mask_least_kv import mask_least_kv
from schedulers.in_order import in_order, lowest
from schedulers.views import Assigning, Floats, Ints, Requests, Workers


@dataclass(frozen=True, eq=False)
class ExpertLocality:
    """Least loaded of the workers that serve the experts of a request (ELDR, arXiv:2607.00466).

    A step loads every distinct expert that its batch touches, so alike requests are cheaper
    together. Of the open workers those count whose cosine similarity with the request's signature
    is within ``band`` of the best one's; of these the one of the lowest key-value usage,
    reservations counted, gets it.

    With ``centroids`` a worker is compared by its centroid, as in the paper. Without, by the
    signatures of the requests that it has, and one without any lies within every band, since it
    has no experts to clash with: both ours. So is the load, ``kv_reserved``, and that without
    signatures (or with neither centroids nor ``expert_load``) it answers as
    :func:`~schedulers.decode.mask_least_kv.mask_least_kv` does.

    Parameters
    ----------
    band
        Cosine similarity that a worker may be behind the best, 0 <= band <= 2; 2 takes any.
    centroids
        [workers, features], from :func:`schedulers.decode.centroids.centroids` or as nested
        tuples; need not be of unit length. ``None``: the requests that workers have now.
    """

    band: float = 0.05
    centroids: tuple[tuple[float, ...], ...] | Floats | None = None

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If the band is out of its range, centroids do not fit workers and signatures, or any of
            them is not finite.
        """
        if not 0 <= self.band <= 2:
            raise ValueError(f"band = {self.band}; 0 <= band <= 2 must hold")
        signature = requests.signature
        fixed = self.centroids is not None
        places = np.array(self.centroids, np.float64) if fixed else workers.expert_load
        if signature is None or places is None:
            return mask_least_kv(requests, workers)
        wanted = (len(workers), signature.shape[1])
        if places.shape != wanted:
            raise ValueError(
                f"{'centroids' if fixed else 'expert_load'} of shape {places.shape} for workers "
                f"and features {wanted}; give one row a worker and one column a feature"
            )
        if not np.isfinite(signature).all() or not np.isfinite(places).all():
            raise ValueError(
                "a signature, centroid or expert_load is not finite; leave signature out "
                "(None) where it is unknown"
            )
        similarities = _Similarities(places, signature, grows=not fixed)

        def rule(index: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
            similarity = similarities.of(index)
            # The band is relative to the best open worker: a closed one must not exclude all
            # others.
            best = similarity.max(where=open_ones, initial=-np.inf)
            worker = lowest(totals.kv_reserved, open_ones & (similarity >= best - self.band))
            similarities.add(index, worker)
            return worker

        return in_order(requests, workers, rule)


class _Similarities:
    """Cosine similarities of workers and requests, updated as requests are assigned."""

    def __init__(self, places: Floats, signature: Floats, grows: bool) -> None:
        self._signature = signature
        self._grows = grows
        # A cosine needs only products and lengths. When signature s joins place p, both follow:
        # |p + s|² = |p|² + 2 p·s + |s|², and (p + s)·t = p·t + s·t for every other signature t.
        self._products = places @ signature.T
        self._squared = np.einsum("ij,ij->i", places, places)

    def of(self, index: int) -> Floats:
        """[workers] cosine with a signature; 1 for an idle worker without a centroid."""
        length = np.sqrt(self._squared)
        empty = length == 0
        cosine = self._products[:, index] / np.where(empty, 1.0, length)
        # An empty worker has no experts to clash with; an empty centroid fits nobody.
        cosine[empty] = 1.0 if self._grows else 0.0
        return cosine

    def add(self, index: int, worker: int) -> None:
        """Count a signature into a growing place."""
        if self._grows:
            signature = self._signature[index]
            self._squared[worker] += 2 * self._products[worker, index] + signature @ signature
            self._products[worker] += self._signature @ signature
