"""Estimate a law from a recording, to make as much more of it as wanted."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.generators.clusters import domains_of
from traces.generators.frames import Frames, frames_of
from traces.generators.law import Law
from traces.header import checked_integer


def fit(
    trace: Any, *, domains: int | None = None, frame_steps: int | None = None, seed: int = 0
) -> Law:
    """Return the law whose traces are like ``trace``.

    The recording is cut into frames, these are sorted into domains by k-means, and each domain's
    logits are those whose expected shares are the mean shares of its frames. Domains follow each
    other in the recorded order, for ever. How shares vary within a domain, beyond the drawing of
    tokens, becomes noise and drift. Nothing is assumed of how popularity is distributed. Groups
    and bias cannot be told from choices; the chances that they bring about are in the logits.

    Parameters
    ----------
    trace
        In memory or on disk, in steps; a token trace is split first.
    domains
        How many; found by default (:func:`traces.generators.clusters.domains_of`).
    frame_steps
        Steps of a frame; by default as few as make at most 512 frames.
    seed
        Of the law, and of the first centres of k-means.

    Returns
    -------
    Law
        With measured logits, rounded to 4 decimals.

    Raises
    ------
    ValueError
        If the trace has fewer than two frames, or fewer frames than domains.
    """
    from traces.generators.variation import variation

    checked_integer(seed, "seed")
    frames = frames_of(trace, frame_steps)
    chance = frames.chance
    label = domains_of(chance, frames.tokens.astype(np.float64), domains, seed)
    found = variation(chance, frames.tokens, label)
    number = int(label.max()) + 1
    per_step = found.noise * np.sqrt(frames.steps)
    return Law(
        chance.shape[1],
        chance.shape[2],
        frames.top_k,
        model=frames.model,
        phase=frames.phase,
        **_sizes(frames.step_tokens),
        logits=_logits(frames, label),
        domains=number,
        schedule=_schedule(label, frames.steps) if number > 1 else None,
        drift_sigma=round(found.drift_sigma, 4),
        drift_steps=round(found.drift_frames * frames.steps, 2),
        noise=round(min(float(per_step), 0.8), 4),
        steadiness=found.steadiness,
        layer_variation=np.round(found.layer_variation, 3),
        update_steps=frames.steps,
        seed=seed,
    )


def _sizes(step_tokens: NDArray[np.int64]) -> dict[str, Any]:
    """Return tokens of decode and prefill steps: two kinds where they differ fourfold."""
    busy = step_tokens[step_tokens > 0]
    middle = np.sqrt(float(busy.min()) * float(busy.max()))
    many = busy > middle
    if busy.max() < 4 * busy.min() or not many.any():
        return {"step_tokens": round(float(busy.mean()))}
    return {
        "step_tokens": round(float(busy[~many].mean())),
        "prefill_tokens": round(float(busy[many].mean())),
        "prefill_share": round(float(many.mean()), 4),
    }


def _logits(frames: Frames, label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return [domains, layers, experts]; half a token is added where none chose an expert."""
    from traces.generators.inclusion import logits_of

    rows = []
    for one in range(int(label.max()) + 1):
        counts = frames.counts[label == one].sum(axis=0).astype(np.float64)
        counts = np.maximum(counts, 0.5)
        whole = counts.sum(axis=1, keepdims=True) / frames.top_k
        # no chance is 1: the logit would be infinite
        rows.append(logits_of(np.minimum(counts / whole, 1 - 0.5 / np.maximum(whole, 1))))
    return np.clip(np.round(np.stack(rows), 4), -100, 100)


def _schedule(label: NDArray[np.int64], steps: int) -> tuple[tuple[int, tuple[float, ...]], ...]:
    """Return the stretches of one domain each, in recorded order."""
    shares = np.eye(int(label.max()) + 1)
    return tuple(
        (len(list(same)) * steps, tuple(map(float, shares[one])))
        for one, same in itertools.groupby(map(int, label))
    )
