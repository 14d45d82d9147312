"""What the stream of a workload is made by: an engine, and a source of expert counts."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traces.workload.composition import Composition
from traces.workload.engine_steps import EngineSteps, ModelShape
from traces.workload.outline import CHUNK
from traces.workload.pools import POOLS
from traces.workload.recorded_routing import RecordedRouting
from traces.workload.stream_parts import StreamParts
from traces.workload.token_source import TokenSource

if TYPE_CHECKING:
    from traces.workload.composer import Composer

#: Purposes of generators.
STEPS, WINDOWS, SAMPLE = 1, 2, 3


def engine_at_start(workload: StreamParts) -> "Composer":
    """Return an engine that has composed all steps before ``start_s``."""
    from traces.workload.composer import Composer

    composer = Composer(workload.requests, workload.batching)
    while composer.take(CHUNK, workload.start_s) is not None:
        pass
    return composer


def token_source(workload: StreamParts, purpose: int) -> TokenSource:
    """Return what routes the tokens of a workload, from its first step on."""
    from traces.workload.drawn_tokens import DrawnTokens
    from traces.workload.walked_tokens import WalkedTokens

    routing, requests, batching = workload.routing, workload.requests, workload.batching
    seeds = seeds_of(workload, purpose)
    if isinstance(routing, RecordedRouting):
        return WalkedTokens(routing, requests, batching, seeds, workload.pool, workload.seed)
    return DrawnTokens(routing, requests, batching, seeds)


def seeds_of(workload: StreamParts, purpose: int) -> list[int]:
    """Return the seeds of a generator; two pools differ in all random numbers."""
    return [workload.seed, POOLS.index(workload.pool), purpose]


def engine_steps(
    shape: ModelShape,
    composition: Composition,
    chosen: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> EngineSteps:
    """Return the ``chosen`` steps of a composition, whose counts are ``counts``."""
    return EngineSteps(
        shape.model,
        shape.top_k,
        composition.first + chosen,
        composition.time_s[chosen],
        composition.phase[chosen],
        composition.tokens[chosen],
        composition.sequences[chosen],
        counts,
    )
