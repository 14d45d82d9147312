"""The trace of a scenario: bundled or generated parts, joined and cut into steps."""

import dataclasses
from functools import lru_cache
from typing import Any

import traces


# A sweep runs all solvers on one trace before it goes to the next: a few entries are enough.
@lru_cache(maxsize=4)
def load_trace(
    names: tuple[str, ...],
    consecutive_tokens: int | None = None,
    seed: int | None = None,
    steps: int | None = None,
    layers: int | None = None,
) -> Any:
    """Return a routing trace in steps.

    Parameters
    ----------
    names
        Bundled names or paths of traces, joined one after another.
    consecutive_tokens
        Tokens of one step, for traces that were recorded token by token.
    seed
        Random seed of a generated trace; ``None`` for a recorded one.
    steps
        Steps of a generated trace; ``None``: its default.
    layers
        Number of first layers to keep; ``None``: all.

    Raises
    ------
    ValueError
        If ``consecutive_tokens`` is missing for tokens or given for counts, or ``layers`` is
        too large.
    """
    if len(names) == 1 and consecutive_tokens is None and seed is None and layers is None:
        # Opened and not loaded: a recording may be larger than memory.
        return traces.open(names[0], "routing")
    parts: list[Any] = [_part(name, seed, steps) for name in names]
    whole: Any = traces.concat(parts)
    if isinstance(whole, traces.RoutingTrace):
        if consecutive_tokens is not None:
            raise ValueError(f"{names} are counts of whole steps; leave out consecutive_tokens")
    elif consecutive_tokens is None:
        raise ValueError(
            f"{names} were recorded token by token, in no steps; compose engine steps with a "
            "workload (docs/workloads.md; podlab bench --trace FILE writes one), or cut steps of "
            "consecutive tokens: consecutive_tokens in a suite, --step-tokens of a command"
        )
    else:
        whole = whole.split(consecutive_tokens).counts()
    return whole if layers is None else _first_layers(whole, layers)


def _part(name: str, seed: int | None, steps: int | None) -> Any:
    if seed is None:
        return traces.load(name, "routing")
    return traces.generate(name, seed=seed, steps=steps)


def _first_layers(trace: traces.RoutingTrace, layers: int) -> traces.RoutingTrace:
    if layers > trace.num_layers:
        raise ValueError(f"layers = {layers} > {trace.num_layers}, the layers of the trace")
    return dataclasses.replace(trace, counts=trace.counts[:, :layers])
