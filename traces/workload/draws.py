"""Draws of a workload: independent repetitions of what its file describes."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def drawn(table: Mapping[str, Any], draw: int) -> dict[str, Any]:
    """Return the table of a workload with the seeds of its ``draw``-th repetition.

    Every repetition has other requests (times, lengths, domains), other choices of experts, another
    sample of steps, and another sample of layers where the file asks for one. The law itself stays:
    it is the model. Repetition 0 has the seeds of the file.

    Parameters
    ----------
    table
        As :func:`traces.workload.load` reads it.
    draw
        Number of the repetition.

    Raises
    ------
    ValueError
        If ``draw`` is negative.
    """
    if draw < 0:
        raise ValueError(f"draw = {draw} < 0; give 0 for the file's own seeds, or more")
    table = dict(table)
    if draw == 0:
        return table
    requests = table.get("requests")
    if isinstance(requests, list):
        table["requests"] = [_reseeded(stream, draw) for stream in requests]
    elif isinstance(requests, Mapping):
        table["requests"] = _reseeded(requests, draw)
    routing = table.get("routing")
    if isinstance(routing, Mapping) and ("loads" in routing or "layers" in routing):
        table["routing"] = _reseeded(routing, draw)
    return _reseeded(table, draw)


def _reseeded(table: Any, draw: int) -> Any:
    if not isinstance(table, Mapping):
        return table  # reading it will say what is wrong
    seed = table.get("seed", 0)
    if not isinstance(seed, int) or seed < 0:
        return table
    sequence = np.random.SeedSequence([seed, draw])
    return {**table, "seed": int(sequence.generate_state(1)[0])}
