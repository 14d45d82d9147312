"""Windows made by hand."""

import numpy as np

from evaluation.replay.replay_window import ReplayWindow


def made_window(counts, tokens, weight=None, phases=()):
    """Return a window whose steps are all priced, each standing for itself or for ``weight``."""
    counts = np.asarray(counts)
    load = counts.sum(axis=0, dtype=np.int64)
    weight = np.ones(len(counts)) if weight is None else np.asarray(weight, dtype=float)
    return ReplayWindow(load, load, counts, np.asarray(tokens), weight, len(counts), phases)
