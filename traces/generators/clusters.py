"""Group similar windows of a recording: k-means on the square roots of their shares."""

import numpy as np
from numpy.typing import NDArray

from traces.header import checked_integer

#: A domain more must explain this share of what varies beyond chance. An assumption of ours.
WORTH = 0.25
MOST_DOMAINS = 12
#: So few frames may each be a domain of its own.
FEW_FRAMES = 8


def domains_of(
    chance: NDArray[np.float64], tokens: NDArray[np.float64], wanted: int | None, seed: int
) -> NDArray[np.int64]:
    """Return the domain of every frame, numbered in order of appearance.

    Square roots of shares vary by chance alike everywhere (Hellinger), whatever the popularity.
    The number of domains grows as long as one more explains a quarter of what varies beyond
    the drawing of tokens, up to 12 and not beyond a third of the frames. Of up to 8
    frames each may be its own: too few to tell a domain from what varies within one.

    Parameters
    ----------
    chance
        [frames, layers, experts] of a token.
    tokens
        [frames] of each frame.
    wanted
        Domains; found if None.
    seed
        Of the first centres.
    """
    frames = len(chance)
    points = np.sqrt(chance.reshape(frames, -1))
    if wanted is not None:
        if not 1 <= checked_integer(wanted, "domains") <= frames:
            raise ValueError(f"domains = {wanted} is outside 1 <= domains <= {frames} frames")
        return _in_order(_k_means(points, wanted, seed)[0])
    # the variance of the root of a share is a quarter of (1 - share) / tokens
    by_chance = ((1 - chance).sum(axis=(1, 2)) / (4 * tokens)).sum()
    few = frames <= FEW_FRAMES
    most = frames if few else min(MOST_DOMAINS, max(2, frames // 3))
    label, left = _k_means(points, 1, seed)
    # Each fitted centre takes one degree of freedom from what the frames vary by chance.
    beyond = left - by_chance * (1 - 1 / frames)
    for number in range(2, most + 1):
        # What is left is about what drawing brings: nothing more to split.
        if left <= 1.5 * by_chance:
            break
        finer, left_then = _k_means(points, number, seed)
        beyond_then = max(left_then - by_chance * (1 - number / frames), 0.0)
        if not few and beyond_then > (1 - WORTH) * beyond:
            break
        label, left, beyond = finer, left_then, beyond_then
    return _in_order(label)


def _k_means(
    points: NDArray[np.float64], number: int, seed: int
) -> tuple[NDArray[np.int64], float]:
    """Return labels [points] and the squared distance left; the best of eight starts."""
    # Distances need inner products alone, and frames are far fewer than cells of a frame.
    squares = (points**2).sum(axis=1)
    products = points @ points.T
    best: tuple[NDArray[np.int64], float] | None = None
    for start in range(1 if number == 1 else 8):
        label = _settled(products, squares, number, np.random.default_rng([seed, start]))
        left = _left(products, squares, label)
        # Better by more than rounding, so that of equal starts the first stays.
        if best is None or left < best[1] - 1e-12:
            best = label, left
    assert best is not None
    return best


def _settled(
    products: NDArray[np.float64],
    squares: NDArray[np.float64],
    number: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Run Lloyd's steps from k-means++ centres; only inner products are needed."""
    points = len(products)
    chosen = [int(generator.integers(points))]
    while len(chosen) < number:
        # k-means++: the next centre is drawn in proportion to the squared distance from the nearest
        # one.
        apart = squares[:, None] + squares[chosen][None] - 2 * products[:, chosen]
        nearest = np.maximum(apart.min(axis=1), 0)
        nearest[chosen] = 0
        total = nearest.sum()
        fallback = [n for n in range(points) if n not in chosen]
        chosen.append(
            int(generator.choice(points, p=nearest / total)) if total > 0 else fallback[0]
        )
    label = np.argmin(squares[chosen][None] - 2 * products[:, chosen], axis=1)
    for n, point in enumerate(chosen):
        label[point] = n
    for _ in range(100):
        # Inner products of points with centres, then squared lengths of the centres: together the
        # squared distance, but for the point's own length.
        belongs = (label[:, None] == np.arange(number)).astype(np.float64)
        size = np.maximum(belongs.sum(axis=0), 1)
        mean = products @ belongs / size
        norm = np.einsum("pk,pk->k", belongs, mean) / size
        apart = norm - 2 * mean
        # An empty cluster takes nobody.
        apart[:, belongs.sum(axis=0) == 0] = np.inf
        moved = np.argmin(apart, axis=1)
        if (moved == label).all():
            break
        label = moved
    return label


def _left(
    products: NDArray[np.float64], squares: NDArray[np.float64], label: NDArray[np.int64]
) -> float:
    left = float(squares.sum())
    # What is left within a cluster: its squared lengths less those of its sum, over its size.
    for one in np.unique(label):
        inside = np.flatnonzero(label == one)
        left -= float(products[np.ix_(inside, inside)].sum()) / len(inside)
    return left


def _in_order(label: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, found = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[found]
