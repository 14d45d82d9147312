"""Estimate a law from a recording."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.generators.clusters import domains_of
from traces.generators.frames import Frames, frames_of
from traces.generators.law import Law
from traces.header import checked_integer
from traces.tokens import TokenTrace


def fit(
    trace: Any,
    *,
    domains: int | None = None,
    token_kinds: int = 1,
    frame_steps: int | None = None,
    seed: int = 0,
) -> Law:
    """Return the law whose traces are like ``trace``.

    The recording is cut into frames, these are sorted into domains by k-means, and each domain's
    logits are those whose expected shares are the mean shares of its frames. Domains follow each
    other in the recorded order, for ever. How shares vary within a domain, beyond the drawing of
    tokens, becomes noise and drift. Nothing is assumed of how popularity is distributed. Groups
    and bias cannot be told from choices; the probabilities that they cause are in the logits.

    Tokens of one kind choose their experts on their own, which those of a recording do not: some
    experts go together. With ``token_kinds`` each domain is a mixture of kinds, which the law has
    as domains of its own that mix.

    Parameters
    ----------
    trace
        In memory or on disk, in steps; a token trace is split first.
    domains
        How many; found by default (:func:`traces.generators.clusters.domains_of`).
    token_kinds
        Kinds of tokens of all domains together; more than 1 takes a token trace in memory.
    frame_steps
        Steps of a frame; by default as few as make at most 512 frames.
    seed
        Random seed of the law and of the clustering.

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
    kinds = [_one_kind(frames, label, one) for one in range(int(label.max()) + 1)]
    if checked_integer(token_kinds, "token_kinds") != 1:
        kinds = _token_kinds(trace, frames, label, token_kinds, seed)
    sensitive = np.stack([np.tensordot(kind.share, kind.sensitive, axes=1) for kind in kinds])
    found = variation(chance, frames.tokens, label, sensitive)
    # The noise of a frame is the mean of that of its steps.
    per_step = found.noise * np.sqrt(frames.steps)
    return Law(
        chance.shape[1],
        chance.shape[2],
        frames.top_k,
        model=frames.model,
        phase=frames.phase,
        **_sizes(frames.step_tokens),
        **_domains(kinds, label, frames.steps),
        drift_sigma=round(found.drift_sigma, 4),
        drift_steps=round(found.drift_frames * frames.steps, 2),
        # No more than the law allows.
        noise=round(min(float(per_step), 0.8), 4),
        steadiness=found.steadiness,
        layer_variation=np.round(found.layer_variation, 3),
        update_steps=frames.steps,
        seed=seed,
    )


@dataclass
class _Kinds:
    """Kinds of tokens of one domain: probabilities [kinds, layers, experts] and shares [kinds]."""

    chance: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def sensitive(self) -> NDArray[np.float64]:
        """How much a chance grows with the logarithm of a weight."""
        from traces.generators.moments import elasticity

        return self.chance * elasticity(self.chance)


def _one_kind(frames: Frames, label: NDArray[np.int64], domain: int) -> _Kinds:
    """Return the mean chances of a domain; half a token is added where none chose an expert."""
    counts = np.maximum(frames.counts[label == domain].sum(axis=0).astype(np.float64), 0.5)
    whole = counts.sum(axis=1, keepdims=True) / frames.top_k
    # no chance is 1: the logit would be infinite
    chance = np.minimum(counts / whole, 1 - 0.5 / np.maximum(whole, 1))
    return _Kinds(chance[None], np.ones(1))


def _token_kinds(
    trace: Any, frames: Frames, label: NDArray[np.int64], number: int, seed: int
) -> list[_Kinds]:
    """Return the kinds of each domain, as many as it has of the tokens."""
    from traces.generators.token_kinds import kinds_of

    if number < 1:
        raise ValueError(f"token_kinds = {number} < 1; give at least 1")
    if not isinstance(trace, TokenTrace) or trace.step is None:
        raise ValueError(f"token_kinds = {number} takes a token trace in steps, in memory")
    frame = np.searchsorted(frames.first, trace.step, side="right") - 1
    # Idle frames are left out: tokens may lie between frames.
    inside = trace.step < frames.first[frame] + frames.steps
    kinds = []
    for domain in range(int(label.max()) + 1):
        experts = trace.experts[inside & (label[frame] == domain)]
        many = max(1, round(number * len(experts) / int(inside.sum())))
        chance, share = kinds_of(experts, trace.num_experts, many, seed)
        kinds.append(_Kinds(np.clip(chance, 1e-6, 1 - 1e-3), share))
    return kinds


def _domains(kinds: list[_Kinds], label: NDArray[np.int64], steps: int) -> dict[str, Any]:
    """Return the domains of a law: the kinds of all, and stretches in recorded order."""
    from traces.generators.inclusion import logits_of

    logits = np.concatenate([logits_of(kind.chance) for kind in kinds])
    logits = np.clip(np.round(logits, 4), -100, 100)
    fields: dict[str, Any] = {"logits": logits, "domains": len(logits)}
    sizes = [len(kind.share) for kind in kinds]
    ends = np.cumsum(sizes)
    mixes = np.zeros((len(kinds), len(logits)))
    for mix, kind, end in zip(mixes, kinds, ends, strict=True):
        mix[end - len(kind.share) : end] = np.round(kind.share, 6)
    shares = [tuple(map(float, mix)) for mix in mixes]
    if len(kinds) > 1:
        fields["schedule"] = tuple(
            (len(list(same)) * steps, shares[one])
            for one, same in itertools.groupby(label.tolist())
        )
    elif len(logits) > 1:
        fields["mix"] = shares[0]
    return fields


def _sizes(step_tokens: NDArray[np.int64]) -> dict[str, Any]:
    """Return tokens of decode and prefill steps: two kinds where they differ fourfold."""
    busy = step_tokens[step_tokens > 0]
    # The geometric middle tells sizes apart by their ratio.
    middle = np.sqrt(float(busy.min()) * float(busy.max()))
    many = busy > middle
    if busy.max() < 4 * busy.min() or not many.any():
        return {"step_tokens": round(float(busy.mean()))}
    return {
        "step_tokens": round(float(busy[~many].mean())),
        "prefill_tokens": round(float(busy[many].mean())),
        "prefill_share": round(float(many.mean()), 4),
    }
