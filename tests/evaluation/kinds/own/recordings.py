"""Recordings for the tests of suites on own recordings."""

import numpy as np

from traces import RoutingTrace, save

#: Shares of 256 experts in two layers, far apart.
RANDOM = np.random.default_rng(0)
FIRST, SECOND = RANDOM.dirichlet(np.full(256, 2.0), (2, 2))


def counts(share, steps, tokens, seed=0):
    """Return [steps, layers, experts] counts of whole tokens."""
    random = np.random.default_rng(seed)
    return np.stack([random.multinomial(tokens * 8, share) for _ in range(steps)]).astype(np.int32)


def saved(folder, name, array, phase="decode", model="deepseek-v3", time_s=None):
    """Save counts as a trace of podlab, and return its path."""
    path = folder / f"{name}.parquet"
    save(RoutingTrace(array, model, 8, phase, time_s=time_s), path)
    return str(path)
