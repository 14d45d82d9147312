"""Summarise a trace in one pass over its steps, and one over its tokens."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from traces.header import checked_integer
from traces.routing import RoutingTrace
from traces.statistics import pairs, skew
from traces.statistics.drift import Drift, log_loads
from traces.statistics.known import correlation, known_ratio
from traces.statistics.summary import Summary
from traces.stepping import AnyTrace, has_steps, in_steps, num_steps, num_tokens, parts
from traces.store import StoredTrace
from traces.tokens import TokenTrace

Array = NDArray[np.float64]

#: Windows, unless steps of a window are given.
WINDOWS = 32
#: Steps that tokens in none are cut into, unless tokens of a step are given.
STEPS = 32
#: Windows apart at which loads are compared.
LAGS = (1, 2, 4, 8)
#: Tokens, evenly spaced, that pairs of experts are counted in.
PAIR_TOKENS = 2**16
EP_SIZES = (8, 16, 32, 64)
BINS = 64
BLOCK_COUNTS = 2**18
NAMED_PAIRS = 5


def summarise(
    trace: AnyTrace,
    window_steps: int | None = None,
    step_tokens: int | None = None,
    lags: tuple[int, ...] = LAGS,
    ep_sizes: tuple[int, ...] = EP_SIZES,
) -> Summary:
    """Measure a routing trace; a stored one is read chunk by chunk.

    Memory is a few times [layers, experts] for each lag, 64 of it for the timeline, and
    [layers, experts, experts] twice for tokens.

    Parameters
    ----------
    trace
        Counts, or tokens.
    window_steps
        Steps of a window; by default as many as make about 32 windows.
    step_tokens
        Tokens of a step, for tokens in none; by default a 32nd of them.
    lags
        Windows apart at which log loads are correlated, rising; those that the trace is too short
        for are NaN.
    ep_sizes
        EP sizes of the contiguous layout; those that do not divide the experts are left out.

    Raises
    ------
    ValueError
        If ``step_tokens`` does not go with the trace, not 1 <= window_steps <= steps, or a lag is
        below 1 or not above the one before.
    """
    if not has_steps(trace) and step_tokens is None:
        step_tokens = max(1, (num_tokens(trace) or 0) // STEPS)
    steps = num_steps(trace, step_tokens)
    window_steps = _checked_window(window_steps, steps)
    if any(later <= before for before, later in itertools.pairwise((0, *lags))):
        raise ValueError(f"lags = {lags}: give whole numbers of windows, at least 1 and rising")
    ranks = tuple(size for size in ep_sizes if trace.num_experts % size == 0)
    drift = Drift(trace.num_layers, trace.num_experts, trace.top_k, lags)
    windows = steps // window_steps
    # The timeline has few bins, however long the trace.
    bin_windows = -(-windows // BINS)
    timeline = np.zeros(
        (-(-windows // bin_windows), trace.num_layers, trace.num_experts), np.float32
    )
    within = _Steps(trace.num_layers, ranks)
    load = np.zeros((trace.num_layers, trace.num_experts))
    for number, window in enumerate(_windows(in_steps(trace, step_tokens), window_steps, within)):
        load += window
        if number < windows:  # the steps after the last whole window come as one more
            drift.add(window)
            timeline[number // bin_windows] += window
    statistics = {
        **_skew(load, within),
        "drift": drift.distance,
        "drift_by_chance": drift.distance_by_chance,
        **_named("persistence_", lags, drift.persistence),
        **_named("autocorrelation_", lags, drift.autocorrelation),
        "next_layer": _next_layer(load),
    }
    pair_tokens, of_pairs, strongest = _pairs(trace)
    balance = _named("balancedness_ep", ranks, within.balancedness)
    return Summary(
        "routing" if num_tokens(trace) is None else "token",
        trace.model,
        trace.phase,
        trace.top_k,
        steps,
        window_steps,
        windows,
        (within.fewest, within.tokens / steps, within.most),
        step_tokens,
        pair_tokens,
        {**statistics, **of_pairs, **balance},
        strongest,
        load,
        timeline,
        bin_windows,
    )


def _checked_window(window_steps: int | None, steps: int) -> int:
    if window_steps is None:
        return max(1, steps // WINDOWS)
    if not 1 <= checked_integer(window_steps, "window_steps") <= steps:
        raise ValueError(
            f"window_steps = {window_steps} is outside 1 <= window_steps <= {steps} steps"
        )
    return window_steps


class _Steps:
    """What is measured within each step: tokens, heaviest expert, contiguous balancedness."""

    def __init__(self, layers: int, ranks: tuple[int, ...]) -> None:
        self._ranks = ranks
        self._hottest = np.zeros(layers)
        self._balance = np.zeros((len(ranks), layers))
        self._loaded = np.zeros(layers)
        self.tokens, self.fewest, self.most = 0.0, float("inf"), 0.0

    def add(self, block: RoutingTrace) -> None:
        assert block.step_tokens is not None
        self.tokens += float(block.step_tokens.sum())
        self.fewest = min(self.fewest, float(block.step_tokens.min()))
        self.most = max(self.most, float(block.step_tokens.max()))
        steps = max(1, BLOCK_COUNTS // block.counts[0].size)  # a trace in memory is one block
        for start in range(0, block.num_steps, steps):
            self._add(skew.shares(block.counts[start : start + steps]))

    def _add(self, share: Array) -> None:
        self._loaded += (~np.isnan(share[:, :, 0])).sum(axis=0)
        self._hottest += np.nan_to_num(skew.hottest(share)).sum(axis=0)
        for number, size in enumerate(self._ranks):
            balance = skew.contiguous_balancedness(share, size)
            self._balance[number] += np.nan_to_num(balance).sum(axis=0)

    @property
    def hottest(self) -> Array:
        return known_ratio(self._hottest, self._loaded)

    @property
    def balancedness(self) -> Array:
        return known_ratio(self._balance, self._loaded)


def _windows(blocks: Iterator[RoutingTrace], window_steps: int, within: _Steps) -> Iterator[Array]:
    """Yield the load of each window, [layers, experts], and of what is left over at the end."""
    held: Array | None = None
    filled = 0
    for block in blocks:
        within.add(block)
        start = 0
        while start < block.num_steps:
            stop = min(block.num_steps, start + window_steps - filled)
            part = block.counts[start:stop].sum(axis=0, dtype=np.int64).astype(np.float64)
            held = part if held is None else held + part
            filled, start = filled + stop - start, stop
            if filled == window_steps:
                yield held
                held, filled = None, 0
    if held is not None:
        yield held


def _skew(load: Array, within: _Steps) -> dict[str, Array]:
    return {
        "hottest": skew.hottest(load),
        "hottest_step": within.hottest,
        "top_share": skew.top_share(load),
        "above_mean": skew.above_mean(load),
        "gini": skew.gini(load),
        "variation": skew.variation(load),
        "entropy": skew.entropy(load),
    }


def _named(stem: str, numbers: tuple[int, ...], values: Array) -> dict[str, Array]:
    return {f"{stem}{number}": row for number, row in zip(numbers, values, strict=True)}


def _next_layer(load: Array) -> Array:
    logarithm = log_loads(load)
    return np.append(correlation(logarithm[:-1], logarithm[1:]), np.nan)


def _pairs(
    trace: AnyTrace,
) -> tuple[int, dict[str, Array], tuple[tuple[int, int, int, float], ...]]:
    """Return tokens looked at, statistics of pairs, and the strongest pairs."""
    tokens = num_tokens(trace)
    if tokens is None:
        return 0, {}, ()
    assert isinstance(trace, TokenTrace | StoredTrace)
    layers = trace.num_layers
    counted = pairs.Pairs(layers, trace.num_experts)
    every, start = -(-tokens // PAIR_TOKENS), 0
    for part in parts(trace):
        # Evenly spaced over all parts: each part continues the spacing of the one before.
        counted.add(part.experts[-start % every :: every])
        start += part.num_tokens
    found = np.full((4, layers), np.nan)
    strongest = []
    for layer in range(layers):
        together = counted.together(layer)
        expected = pairs.expected_together(together)
        found[0, layer] = pairs.excess(together, expected)
        found[1, layer] = pairs.excess_by_chance(expected, trace.top_k)
        best = pairs.strongest(together, expected)
        strongest += [(layer, *best)] if best else []
        if layer + 1 < layers:
            onward = counted.onward(layer)
            expected = pairs.expected_onward(onward)
            found[2, layer] = pairs.excess(onward, expected)
            found[3, layer] = pairs.excess_by_chance(expected, trace.top_k)
    names = ("coactivation", "coactivation_by_chance", "coupling", "coupling_by_chance")
    strongest.sort(key=lambda pair: -pair[3])
    used = -(-tokens // every)
    return used, dict(zip(names, found, strict=True)), tuple(strongest[:NAMED_PAIRS])
