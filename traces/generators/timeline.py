"""Logits and domain shares of a law over time, as intervals in which they are constant."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.generators.base_logits import base_logits
from traces.generators.law import Law
from traces.generators.popularity import along_layers

# one stream of random numbers for each purpose, so that turning one on leaves the others as
# they are
BASE, DRIFT, MIX, SHIFT, BURST, KIND, COUNTS, DOMAINS, TOKENS, NOISE, PROBABILITIES = range(11)


def stream(law: Law, purpose: int, number: int = 0) -> np.random.Generator:
    """Return the generator of one purpose, in the interval ``number``."""
    return np.random.default_rng([law.seed, purpose, number])


def key(law: Law, purpose: int) -> np.uint64:
    """Return the key of a stream of counted random bits."""
    return np.uint64(stream(law, purpose).integers(2**64, dtype=np.uint64))


@dataclass
class LawInterval:
    """Steps ``start`` up to ``stop``, within which nothing drifts.

    Parameters
    ----------
    start, stop
        Steps of the trace.
    place
        [layers, experts] whose base logits each expert has by now.
    drift
        [layers, experts] standard normal state of each expert's drift; None where nothing drifts.
    mix
        [domains] shares of the tokens, adding up to 1.
    kind
        [stop - start] 0 for a decode step, 1 for a prefill step.
    """

    start: int
    stop: int
    place: NDArray[np.int64]
    drift: NDArray[np.float64] | None
    mix: NDArray[np.float64]
    kind: NDArray[np.int64]


def intervals(law: Law, stop: int) -> Iterator[LawInterval]:
    """Yield the intervals from the beginning up to step ``stop``; the last one is whole."""
    shape = (law.layers, law.experts)
    # Drift has a standard deviation of 1 here; each expert's own comes in later.
    drift = _wandering(law, DRIFT, shape, float(law.drift_sigma > 0), law.drift_steps)
    mixing = _wandering(law, MIX, (1, law.domains), law.mix_sigma, law.mix_steps)
    places = _places(law)
    bursts = _bursts(law)
    for number, start in enumerate(range(0, stop, law.update_steps)):
        log_mix = np.zeros(law.domains) + next(bursts)
        wandered = next(mixing)
        if wandered is not None:
            log_mix += wandered[0]
        # Less the largest, so that exp stays in range.
        mix = _scheduled(law, start) * np.exp(log_mix - log_mix.max())
        drawn = stream(law, KIND, number).random(law.update_steps)
        kind = (drawn < law.prefill_share).astype(np.int64)
        end = start + law.update_steps
        yield LawInterval(start, end, next(places), next(drift), mix / mix.sum(), kind)


def base(law: Law) -> NDArray[np.float64]:
    """Return the base logits [domains, layers, experts]."""
    return base_logits(law, stream(law, BASE))


def _wandering(
    law: Law, purpose: int, shape: tuple[int, int], sigma: float, relaxation: float
) -> Iterator[NDArray[np.float64] | None]:
    """Yield a stationary Ornstein–Uhlenbeck process, exactly, interval by interval."""
    # Correlation from one interval to the next.
    kept = np.exp(-law.update_steps / relaxation)
    state: NDArray[np.float64] | None = None
    number = 0
    while True:
        if sigma:
            fresh = stream(law, purpose, number).standard_normal(shape)
            fresh = sigma * along_layers(fresh, law.layer_correlation)
            state = fresh if state is None else kept * state + np.sqrt(1 - kept**2) * fresh
        yield state
        number += 1


def _places(law: Law) -> Iterator[NDArray[np.int64]]:
    """Yield whose base logits every expert has, changed at each abrupt shift."""
    place = np.tile(np.arange(law.experts), (law.layers, 1))
    moving = round(law.shift_share * law.experts)
    number = 0
    while True:
        yield place
        number += 1
        if not law.shift_every:
            continue
        generator = stream(law, SHIFT, number)
        for _ in range(generator.poisson(law.update_steps / law.shift_every)):
            # A copy: earlier intervals hold the old one.
            place = place.copy()
            for layer in range(law.layers):
                among = generator.permutation(law.experts)[:moving]
                place[layer, among] = place[layer, generator.permutation(among)]


def _bursts(law: Law) -> Iterator[NDArray[np.float64]]:
    """Yield what bursts add to the log shares [domains]."""
    running: list[tuple[float, int]] = []
    number = 0
    while True:
        begin = number * law.update_steps
        if law.burst_every:
            generator = stream(law, BURST, number)
            for _ in range(generator.poisson(law.update_steps / law.burst_every)):
                length = generator.exponential(law.burst_steps)
                running.append((begin + length, int(generator.integers(law.domains))))
            running = [burst for burst in running if burst[0] > begin]
        added = np.zeros(law.domains)
        for domain in {domain for _, domain in running}:  # two bursts of one domain are one
            added[domain] = np.log(law.burst_factor)
        yield added
        number += 1


def _scheduled(law: Law, step: int) -> NDArray[np.float64]:
    """Return the shares that schedule or mix give at ``step``, not yet adding up to 1."""
    if law.schedule is None:
        return np.ones(law.domains) if law.mix is None else np.array(law.mix, np.float64)
    left = step % sum(steps for steps, _ in law.schedule)
    for steps, mix in law.schedule:
        if left < steps:
            return np.array(mix, np.float64)
        left -= steps
    raise AssertionError("a step lies within one round of the schedule")
