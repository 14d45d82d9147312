"""Noise of every rank and layer, drawn from a table, and barriers that wait for the slowest."""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.faults import Jitter
from lb.kernel import inlined, kernel

Array = NDArray[np.float64]

#: Equally likely values that the noise of a rank takes: four draws of 16 bits from one word.
VALUES = 2**16


class Noise:
    """The noise of :class:`hardware.faults.Jitter`, fast enough for a simulation's inner loop.

    A factor takes 65,536 equally likely values, the mid-quantiles of the same log-normal law
    scaled to a mean of exactly 1: its tail ends at 4.3 standard deviations, which the slowest of
    288 ranks exceeds once in 350 layers. Words are SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).

    Parameters
    ----------
    jitter
        Law; its ``rank_speed`` is left to the caller. ``None``: no noise.
    seed
        Random seed, combined with the seed of the jitter.
    """

    def __init__(self, jitter: Jitter | None, seed: int) -> None:
        self.sigma = 0.0 if jitter is None else jitter.sigma
        self.stall = np.array([0.0, 0.0])
        if jitter is not None and jitter.stall_probability:
            self.stall[:] = jitter.stall_probability, jitter.stall_s
        first = np.random.SeedSequence([seed, 0 if jitter is None else jitter.seed])
        self.state = first.generate_state(1, np.uint64).astype(np.uint64)
        self.factor = _factors(self.sigma)

    def barriers(self, seconds: Array, group: NDArray[np.int64], speed: Array, out: Array) -> None:
        """Fill [2, layers] ``out``: seconds of the slowest rank, and of the mean one.

        Parameters
        ----------
        seconds
            [layers or 1, groups] seconds without noise; one layer is used for all.
        group
            [ranks] group that each rank belongs to.
        speed
            [ranks] relative speed.
        """
        if self.sigma or self.stall[0]:
            _noisy(seconds, group, speed, self.factor, self.stall, self.state, out)
        else:
            _calm(seconds, group, speed, out)


def speeds(rank_speed: ArrayLike | None, ranks: int) -> Array:
    """Return [ranks] relative speeds, checked; ``None`` or none at all: every rank at 1.

    Raises
    ------
    ValueError
        Unless there are ``ranks`` speeds, all positive and finite.
    """
    speed = (
        np.ones(ranks)
        if rank_speed is None or np.size(rank_speed) == 0
        else np.array(rank_speed, float)
    )
    if speed.shape != (ranks,):
        raise ValueError(f"rank_speed has shape {speed.shape}; give [{ranks} ranks]")
    if not ((speed > 0) & np.isfinite(speed)).all():
        worst = int(np.argmin((speed > 0) & np.isfinite(speed)))
        raise ValueError(f"rank_speed of rank {worst} is {speed[worst]}; it must be > 0 and finite")
    return speed


def _factors(sigma: float) -> NDArray[np.float32]:
    if not sigma:
        return np.ones(1, dtype=np.float32)
    quantile = NormalDist().inv_cdf
    half = np.array([quantile((n + 0.5) / VALUES) for n in range(VALUES // 2)])
    factor = np.exp(sigma * np.concatenate([half, -half[::-1]]))
    scaled: NDArray[np.float32] = (factor / factor.mean()).astype(np.float32)
    return scaled


@inlined
def _word(state: NDArray[np.uint64]) -> np.uint64:
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    word = state[0]
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.uint64 = word ^ (word >> np.uint64(31))
    return mixed


@kernel
def _calm(seconds: Array, group: NDArray[np.int64], speed: Array, out: Array) -> None:
    layers, ranks = out.shape[1], len(group)
    for layer in range(len(seconds)):
        slowest = 0.0
        whole = 0.0
        for rank in range(ranks):
            taken = seconds[layer, group[rank]] / speed[rank]
            slowest = max(slowest, taken)
            whole += taken
        out[0, layer] = slowest
        out[1, layer] = whole / ranks
    for layer in range(len(seconds), layers):
        out[0, layer] = out[0, 0]
        out[1, layer] = out[1, 0]


@kernel
def _noisy(
    seconds: Array,
    group: NDArray[np.int64],
    speed: Array,
    factor: NDArray[np.float32],
    stall: Array,
    state: NDArray[np.uint64],
    out: Array,
) -> None:
    layers, ranks = out.shape[1], len(group)
    still = len(factor) == 1
    nominal = np.empty(ranks)
    for layer in range(layers):
        if layer < len(seconds):
            for rank in range(ranks):
                nominal[rank] = seconds[layer, group[rank]] / speed[rank]
        slowest = 0.0
        whole = 0.0
        bits = np.uint64(0)
        for rank in range(ranks):
            taken = nominal[rank]
            if not still:
                # one word of 64 bits serves four ranks with 16 bits each
                if rank % 4 == 0:
                    bits = _word(state)
                taken *= factor[np.int64(bits & np.uint64(0xFFFF))]
                bits >>= np.uint64(16)
            # a stall has a word of its own: its 53 high bits are a uniform number in [0, 1)
            if stall[0] > 0.0 and np.float64(_word(state) >> np.uint64(11)) * 2.0**-53 < stall[0]:
                taken += stall[1]
            slowest = max(slowest, taken)
            whole += taken
        out[0, layer] = slowest
        out[1, layer] = whole / ranks
