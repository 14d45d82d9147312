"""Measure how fast DomainRouting draws steps, and how near chunks come to single tokens.

Prints steps a second, many or one a call (least time of five), and the goodness of fit by size of
step: the variance of a load over that of the multinomial law (mean and deviation over often chosen
experts), and the load of the heaviest expert over the mean.
"""

import time

import numpy as np

import traces
from traces import DomainRouting, RoutingTrace


def main() -> None:
    """Measure a law of 58 layers by 256 experts, and a recorded one."""
    recorded = traces.load("dsv2lite-intent", "routing")
    for name, trace in (("ar1-drift", traces.load("ar1-drift", "routing")), ("intent", recorded)):
        for pooled in (False, True):
            start = time.perf_counter()
            routing = DomainRouting({"a": trace, "b": trace}, pooled)
            routing.draw([[1, 1]], np.random.default_rng(0))
            seconds = time.perf_counter() - start
            print(f"{name}, {'pooled' if pooled else 'exact'}: {seconds:.2f} s to begin with")
            for tokens in (64, 1024, 34_560):
                many, one = _speed(routing, tokens, False), _speed(routing, tokens, True)
                print(f"  {tokens} tokens: {many:.0f} steps/s, one a call {one:.0f}", end="; ")
                single = DomainRouting({"a": trace}, pooled)
                steps = 2000 if pooled else min(2000, 3_000_000 // tokens)
                print(_goodness_of_fit(single.counts([[tokens]] * steps, seed=1), tokens))


def _speed(routing: DomainRouting, tokens: int, one_a_call: bool) -> float:
    """Return steps a second, of two domains with shares at random."""
    random = np.random.default_rng(0)
    steps = 500 if routing.pooled else max(4, min(500, 500_000 // tokens))
    first = random.integers(0, tokens + 1, steps)
    mix = np.stack([first, tokens - first], axis=1)
    calls = np.split(mix, steps) if one_a_call else [mix]
    least = np.inf
    for _ in range(5):
        start = time.perf_counter()
        for call in calls:
            routing.draw(call, random)
        least = min(least, time.perf_counter() - start)
    return steps / least


def _goodness_of_fit(drawn: RoutingTrace, tokens: int) -> str:
    counts = drawn.counts
    share = counts.mean(axis=0) / tokens
    often = share > 0.01
    ratio = counts.var(axis=0)[often] / (tokens * share * (1 - share))[often]
    hottest = (counts.max(axis=2) / counts.mean(axis=2)).mean()
    return f"variance {ratio.mean():.3f} ± {ratio.std():.3f}, hottest {hottest:.3f} x mean"


if __name__ == "__main__":
    main()
