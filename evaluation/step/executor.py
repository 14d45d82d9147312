"""Price one step of colocated expert parallelism, layer by layer, with exact barriers."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.step.step_time import StepTime
from hardware import Collectives, Operators
from hardware.faults import Jitter
from lb import Placement
from lb.dispatch import slot_share

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StepExecutor:
    """Price steps of colocated expert parallelism: every rank runs attention and experts.

    Parameters
    ----------
    operators, collectives
        Prices of a layer on a die, and of the two all-to-alls on the fabric.
    kv_tokens
        Tokens of context that each token attends to, on average.
    phase
        "decode" or "prefill".
    drafts
        Draft tokens of multi-token prediction. A sequence computes 1 + ``drafts`` tokens per step,
        which share one read of its KV cache. ``step_tokens`` counts all of them.
    jitter
        Stragglers and noise; ``None``: every kernel takes its nominal time.
    """

    operators: Operators
    collectives: Collectives
    kv_tokens: float = 2048.0
    phase: str = "decode"
    drafts: int = 0
    jitter: Jitter | None = None

    def in_phase(self, phase: str) -> "StepExecutor":
        """Return the executor of steps of a phase; an empty one leaves the phase as it is."""
        return replace(self, phase=phase) if phase and phase != self.phase else self

    def step(
        self,
        placement: Placement,
        counts: ArrayLike,
        share: ArrayLike | None = None,
        step_tokens: int | None = None,
        *,
        sources: ArrayLike | None = None,
        number: int = 0,
    ) -> StepTime:
        """Price one step.

        Parameters
        ----------
        placement
            Placement of the experts on the ranks of the fabric.
        counts
            [layers, experts] token copies.
        share
            [layers, slots] from a dispatcher, or [layers, ranks, slots] from a dispatcher that
            distinguishes source ranks. ``None``: replicas get equal shares.
        step_tokens
            Tokens of the step, spread evenly over the ranks for attention. Default: the token
            copies of the heaviest layer over the model's ``top_k``.
        sources
            [layers, ranks, experts] token copies by source rank; they add up to ``counts``.
            ``None``: spread evenly. With ``sources``, or with a share by source, the price of the
            two all-to-alls depends on the bytes of each pair of ranks.
        number
            Number of the step. It seeds the jitter.

        Raises
        ------
        ValueError
            If the placement has other ranks than the fabric, or shapes differ.
        """
        self._check_ranks(placement)
        ranks = placement.num_ranks
        load = np.asarray(counts, dtype=np.float64)
        by_source = None if share is None or np.ndim(share) < 3 else np.asarray(share)
        if by_source is not None:
            if sources is None:
                sources = np.repeat(load[:, None] / ranks, ranks, axis=1)
            # Computing needs only the total of each slot; the pairs matter for the all-to-alls.
            share = slot_share(placement, by_source, sources)
        rank_tokens = placement.rank_load(load, share)  # checks shapes
        split = placement.even_share if share is None else np.asarray(share)
        tokens = self._tokens(load, step_tokens)
        attention, experts, _ = self._compute_s(placement, load, split, tokens)
        if self.jitter is not None:
            # One generator per step: attention draws first, then experts.
            generator = self.jitter.generator(number)
            attention = self.jitter.apply(attention, generator)
            experts = self.jitter.apply(experts, generator)
        if sources is None:
            # Sources are spread evenly: the load of the ranks alone gives the price.
            dispatch = self.collectives.dispatch_s(rank_tokens)
            return StepTime(attention, dispatch, experts, self.collectives.combine_s(rank_tokens))
        pair_split = split[:, None, :] if by_source is None else by_source
        copies = self._copies(placement, load, pair_split, np.asarray(sources, dtype=np.float64))
        exchange = [self.collectives.exchange_s(copies, name) for name in ("dispatch", "combine")]
        return StepTime(attention, exchange[0], experts, exchange[1])

    def steps(
        self,
        placement: Placement,
        counts: ArrayLike,
        share: ArrayLike | None,
        step_tokens: ArrayLike,
        *,
        first: int = 0,
    ) -> StepTime:
        """Price several steps under one placement, tokens starting evenly spread over the ranks.

        The same as :meth:`step` of each of them, and many times faster: layers are priced apart,
        so that the layers of all steps are priced at once.

        Parameters
        ----------
        placement
            Placement of the experts on the ranks of the fabric.
        counts
            [steps, layers, experts] token copies.
        share
            [layers, slots] of all steps, or [steps, layers, slots]. ``None``: replicas get equal
            shares.
        step_tokens
            [steps] tokens of each step.
        first
            Number of the first step. It seeds the jitter.

        Returns
        -------
        StepTime
            With a leading axis of steps.

        Raises
        ------
        ValueError
            If the placement has other ranks than the fabric, or shapes differ.
        """
        self._check_ranks(placement)
        load = np.asarray(counts, dtype=np.float64)
        split = placement.even_share if share is None else np.asarray(share, dtype=np.float64)
        slots = placement.physical_to_logical.shape
        tokens = np.asarray(step_tokens, dtype=np.float64)
        if (
            load.ndim != 3
            or load.shape[1:] != placement.replica_count.shape
            or split.shape not in (slots, (len(load), *slots))
            or tokens.shape != load.shape[:1]
        ):
            raise ValueError(
                f"counts, share and step_tokens have shapes {load.shape}, {split.shape} and "
                f"{tokens.shape}; give [steps, *{placement.replica_count.shape}], [steps, "
                f"*{slots}] or {slots}, and [steps]"
            )
        attention, experts, rank_tokens = self._compute_s(placement, load, split, tokens)
        if self.jitter is not None:
            # One generator per step: attention draws first, then experts.
            attention = attention.copy()
            for step in range(len(load)):
                generator = self.jitter.generator(first + step)
                attention[step] = self.jitter.apply(attention[step], generator)
                experts[step] = self.jitter.apply(experts[step], generator)
        return StepTime(
            attention,
            self.collectives.dispatch_s(rank_tokens),
            experts,
            self.collectives.combine_s(rank_tokens),
        )

    def ideal(
        self, counts: ArrayLike, num_ranks: int, step_tokens: ArrayLike | None = None
    ) -> StepTime:
        """Price the same step under perfect balance: every rank does an equal part.

        The work of every expert is done once, without the extra weight reads of replicas, and
        divides evenly over the ranks. No placement and no dispatcher takes less time.

        Parameters
        ----------
        counts
            [layers, experts] token copies, or [steps, layers, experts].
        num_ranks
            Ranks of the EP group.
        step_tokens
            Tokens of the step, or [steps]; by default as in :meth:`step`.
        """
        load = np.asarray(counts, dtype=np.float64)
        shape = (*load.shape[:-1], num_ranks)
        even_tokens = np.broadcast_to(load.sum(axis=-1, keepdims=True) / num_ranks, shape)
        memory = self.operators.expert_memory_s(load).sum(axis=-1, keepdims=True)
        compute = self.operators.expert_compute_s(load).sum(axis=-1, keepdims=True)
        # Each expert once, no replicas: so many slots a rank.
        slots = load.shape[-1] / num_ranks
        even_s = self.operators.grouped_s(memory / num_ranks, compute / num_ranks, slots)
        attention = self._attention_s(self._tokens(load, step_tokens) / num_ranks)
        return StepTime(
            rank_attention=np.broadcast_to(attention[..., None, None], shape),
            dispatch=self.collectives.dispatch_s(even_tokens),
            rank_experts=np.broadcast_to(even_s, shape),
            combine=self.collectives.combine_s(even_tokens),
        )

    def migration_s(self, moves: NDArray[np.int64], bytes_per_s: float) -> float:
        """Return the seconds until every rank has its new weights. The engine is paused meanwhile.

        Parameters
        ----------
        moves
            [layers, ranks] experts that each rank receives.
        bytes_per_s
            Rate at which one rank receives. Ranks receive at the same time, so that the rank with
            the most experts decides.
        """
        return float(moves.sum(axis=0).max() * self.expert_bytes / bytes_per_s)

    @property
    def expert_bytes(self) -> float:
        """Bytes of one expert's weights in one layer."""
        return self.operators.model.expert_bytes(self.operators.bytes_per_weight)

    def _check_ranks(self, placement: Placement) -> None:
        ranks = self.collectives.fabric.num_ranks
        if placement.num_ranks != ranks:
            raise ValueError(
                f"the placement has {placement.num_ranks} ranks, the fabric {ranks}; "
                "build the fabric with num_ranks of the placement"
            )

    def _compute_s(
        self, placement: Placement, load: Array, split: Array, tokens: Array
    ) -> tuple[Array, Array, Array]:
        """Return seconds of attention and of experts and token copies, [..., layers, ranks]."""
        ranks = placement.num_ranks
        slots = placement.physical_to_logical
        indices = slots.reshape(*[1] * (load.ndim - 2), *slots.shape)
        slot_tokens = np.take_along_axis(load, indices, axis=-1) * split
        slot_tokens = slot_tokens.reshape(*load.shape[:-1], ranks, -1)
        attention = self._attention(tokens, ranks)[..., None, :]
        attention = np.broadcast_to(attention, (*load.shape[:-1], ranks))
        # Slot after slot, as Placement.rank_load adds them up.
        rank_tokens = np.add.accumulate(slot_tokens, axis=-1)[..., -1]
        return attention, self.operators.experts_s(slot_tokens), rank_tokens

    def _tokens(self, load: Array, step_tokens: ArrayLike | None) -> Array:
        """Return the tokens of each step, [...]."""
        if step_tokens is not None:
            return np.asarray(step_tokens, dtype=np.float64)
        heaviest = load.sum(axis=-1).max(axis=-1)
        return np.asarray(np.ceil(heaviest / self.operators.model.top_k))

    def _attention(self, tokens: Array, ranks: int) -> Array:
        """Return [..., ranks] seconds of attention; tokens are whole: some ranks have one more."""
        tokens_per_rank, remainder = np.divmod(tokens.astype(np.int64), ranks)
        fewer_s, more_s = self._attention_s(np.stack([tokens_per_rank, tokens_per_rank + 1.0]))
        has_more = np.arange(ranks) < remainder[..., None]
        rank_s: Array = np.where(has_more, more_s[..., None], fewer_s[..., None])
        return rank_s

    def _attention_s(self, tokens: ArrayLike) -> Array:
        return self.operators.attention_s(tokens, self.kv_tokens, self.phase, 1.0 + self.drafts)

    def _copies(self, placement: Placement, load: Array, split: Array, sources: Array) -> Array:
        """Return token copies [layers, source, rank]; ``split`` is [layers, source or 1, slots]."""
        ranks = placement.num_ranks
        if sources.shape != (len(load), ranks, load.shape[1]):
            raise ValueError(
                f"sources has shape {sources.shape}; give [{len(load)} layers, {ranks} ranks, "
                f"{load.shape[1]} experts]"
            )
        if not np.allclose(sources.sum(axis=1), load):
            raise ValueError("sources do not add up to counts over the ranks; give all the tokens")
        slot_copies = np.take_along_axis(sources, placement.physical_to_logical[:, None, :], axis=2)
        # Slots are in the order of their ranks: group them by rank and add up.
        grouped = (slot_copies * split).reshape(len(load), ranks, ranks, -1)
        copies: Array = grouped.sum(axis=3)
        return copies
