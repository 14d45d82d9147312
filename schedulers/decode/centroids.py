"""Expert-affinity centroid of each decode worker: balanced K-means of expert-affinity features."""

import numpy as np

from schedulers.views import Floats, Ints

#: Rounds after which K-means stops where it has not settled: ours; a dozen settle it as a rule.
ROUNDS = 100


def centroids(signatures: Floats, workers: int, seed: int = 0) -> Floats:
    """Return one unit centroid a worker, each the middle of equally many signatures.

    Balanced K-means by cosine, as ELDR does offline (arXiv:2607.00466): every round assigns all
    signatures at once by the Hungarian method, so that groups differ by at most one in size. The
    start, k-means++ (Arthur and Vassilvitskii, SODA 2007), and the stop, once nothing moves or
    after ``ROUNDS``, are ours. A round takes time in the cube of the number of signatures: a
    thousand or two are enough and bearable.

    Parameters
    ----------
    signatures
        [signatures, features] unit vectors, of past requests.
    workers
        How many groups.
    seed
        At least 0; the start follows from it.

    Returns
    -------
    Floats
        [workers, features], the parameter ``centroids`` of
        :class:`schedulers.decode.expert_locality.ExpertLocality`.

    Raises
    ------
    ValueError
        If there are fewer signatures than workers, or a value that is not finite.
    ImportError
        If SciPy is not installed.
    """
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError("balanced K-means needs scipy: pip install 'podlab[ilp]'") from error
    points = np.asarray(signatures, dtype=np.float64)
    _check(points, workers, seed)
    middle = _spread_out(points, workers, np.random.default_rng(seed))
    group = np.full(len(points), -1)
    for _ in range(ROUNDS):
        # Step 1: assign all signatures to places at once.
        similarity, owner = _places(points @ middle.T)
        _, place = linear_sum_assignment(similarity, maximize=True)
        moved = owner[place[: len(points)]]
        if np.array_equal(moved, group):
            break
        group = moved
        # Step 2: each centroid becomes the middle of its group, of unit length again.
        total = np.zeros_like(middle)
        np.add.at(total, group, points)
        middle = _unit(total)
    return middle


def _places(similarity: Floats) -> tuple[Floats, Ints]:
    """Return a square matrix of signatures by places, and the worker of each place.

    Every worker has n // workers places, and one more where these do not take all: rows of no
    signature then fill the places of this last kind that stay empty, and no others.
    """
    count, workers = similarity.shape
    every, extra = divmod(count, workers)
    owner = np.repeat(np.arange(workers), every)
    if not extra:
        return similarity[:, owner], owner
    owner = np.concatenate([owner, np.arange(workers)])
    # Cosines of all signatures together differ by at most 2 * count, so that no row of nobody ever
    # takes a place that must be filled.
    nobody = np.full((workers - extra, len(owner)), -4.0 * count)
    nobody[:, every * workers :] = 0.0
    return np.vstack([similarity[:, owner], nobody]), owner


def _spread_out(points: Floats, workers: int, random: np.random.Generator) -> Floats:
    chosen = [int(random.integers(len(points)))]
    distance = np.full(len(points), np.inf)
    while len(chosen) < workers:
        # k-means++: the next centre is drawn in proportion to the squared distance from the nearest
        # one.
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        distance[chosen] = 0.0
        left = np.setdiff1d(np.arange(len(points)), chosen)
        chance = distance[left] if distance.any() else np.ones(len(left))
        chosen.append(int(random.choice(left, p=chance / chance.sum())))
    return _unit(points[chosen])


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)


def _check(points: Floats, workers: int, seed: int) -> None:
    if points.ndim != 2 or not 1 <= workers <= len(points):
        raise ValueError(
            f"signatures of shape {points.shape} for {workers} workers; give [signatures, "
            "features] with 1 <= workers <= signatures"
        )
    if not np.isfinite(points).all():
        raise ValueError("a signature has a value that is not finite; leave such requests out")
    if seed < 0:
        raise ValueError(f"seed = {seed} < 0; give a seed of at least 0")
