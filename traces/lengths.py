"""Length distributions: tokens of prompts and answers.

Each is called with a number of requests and returns prompt tokens and output tokens, [requests]
each.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.header import checked_integer
from traces.request_checks import check_count
from traces.requests import RequestTrace

#: Number of requests to their prompt and output tokens, [requests] each.
Lengths = Callable[[int], tuple[NDArray[np.int64], NDArray[np.int64]]]
#: Tokens that a request cannot have; see RequestTrace.
TOO_LONG = 2**31
#: Of wider laws the mean of any sample says nothing.
WIDEST = 4.0


@dataclass(frozen=True)
class LogNormalLengths:
    """Prompts and answers with normal logarithms, independent of each other.

    Drawn anew where a length rounds to 0 or is above ``longest``; the means are those of what is
    left. A log-normal is the usual fit to lengths of prompts (an assumption of ours for a given
    service: compare :class:`EmpiricalLengths`).

    Parameters
    ----------
    prompt_mean, output_mean
        Tokens on average.
    prompt_sigma, output_sigma
        Standard deviations of the logarithms, before the cut.
    prompt_longest, output_longest
        Most tokens.
    seed
        Of the generator.
    """

    prompt_mean: float
    output_mean: float
    prompt_sigma: float = 1.0
    output_sigma: float = 1.0
    prompt_longest: int = TOO_LONG - 1
    output_longest: int = TOO_LONG - 1
    seed: int = 0

    def __call__(self, requests: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return prompt and output tokens.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or no such law has this mean below its longest.
        """
        check_count(requests, "requests")
        random = np.random.default_rng(self.seed)
        return (
            _drawn("prompt", self.prompt_mean, self.prompt_sigma, self.prompt_longest)(
                random, requests
            ),
            _drawn("output", self.output_mean, self.output_sigma, self.output_longest)(
                random, requests
            ),
        )


def xdeepserve_lengths(seed: int = 0) -> LogNormalLengths:
    """Return the lengths of xDeepServe's production: 13K in, 2.1K out, prompts up to 64K.

    The means and the end of the tail are the paper's (arXiv:2508.02520); it names no law. Ours is
    log-normal, with the deviation that puts 1 % of an uncut law of this mean above 64K, the same
    for answers, which go up to 32K.
    """
    return LogNormalLengths(13_000, 2_100, 0.85, 0.85, 65_536, 32_768, seed)


@dataclass(frozen=True)
class EmpiricalLengths:
    """Lengths of a recording, requests drawn from it with replacement.

    Prompt and answer stay together, and so does what they have to do with each other.

    Parameters
    ----------
    trace
        The recording.
    seed
        Of the generator.
    """

    trace: RequestTrace
    seed: int = 0

    def __call__(self, requests: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return prompt and output tokens.

        Raises
        ------
        ValueError
            If ``requests`` is not positive.
        """
        check_count(requests, "requests")
        rows = np.random.default_rng(self.seed).integers(self.trace.num_requests, size=requests)
        return self.trace.prompt_tokens[rows], self.trace.output_tokens[rows]


def _drawn(
    name: str, mean: float, sigma: float, longest: int
) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    """Return what draws lengths of one kind."""
    if not 0 < sigma <= WIDEST:
        raise ValueError(f"{name}_sigma = {sigma} is outside 0 < {name}_sigma <= {WIDEST}")
    if not 1 <= checked_integer(longest, f"{name}_longest") < TOO_LONG:
        raise ValueError(f"{name}_longest = {longest} is outside 1 <= {name}_longest < 2**31")
    center = _center(name, mean, sigma, longest)

    def draw(random: np.random.Generator, requests: int) -> NDArray[np.int64]:
        lengths = np.zeros(requests)
        wrong = np.arange(requests)
        while wrong.size:
            lengths[wrong] = np.rint(np.exp(random.normal(center, sigma, wrong.size)))
            wrong = wrong[(lengths[wrong] < 1) | (lengths[wrong] > longest)]
        return lengths.astype(np.int64)

    return draw


def _center(name: str, mean: float, sigma: float, longest: int) -> float:
    """Return the mean of the logarithms for which the cut law has ``mean``, by bisection."""
    lowest, highest = math.log(0.5), math.log(longest + 0.5)  # what rounds to 1 .. longest

    def kept(center: float, moment: int) -> float:
        # how much lies between the ends, of the law itself or of its first moment, which is the
        # same law moved by sigma**2 (Johnson, Kotz, Balakrishnan, Continuous Univariate
        # Distributions, 1994, chapter 14)
        upper, lower = (
            math.erf((end - center - moment * sigma**2) / (sigma * math.sqrt(2)))
            for end in (highest, lowest)
        )
        return (upper - lower) / 2

    def cut_mean(center: float) -> float:
        return math.exp(center + sigma**2 / 2) * kept(center, 1) / kept(center, 0)

    # beyond these hardly 1 % of the law would be left
    low, high = lowest - 2.32 * sigma, highest + 2.32 * sigma
    if not cut_mean(low) < mean < cut_mean(high):
        raise ValueError(
            f"{name}_mean = {mean} is outside {cut_mean(low):.6g} < {name}_mean < "
            f"{cut_mean(high):.6g}, which {name}_sigma = {sigma} reaches up to {longest} tokens"
        )
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if cut_mean(middle) < mean else (low, middle)
    return low
