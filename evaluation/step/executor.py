"""Price one step of colocated expert parallelism, layer by layer, with exact barriers."""

from dataclasses import dataclass

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
        attention, experts = self._compute_s(placement, load, split, step_tokens, number)
        if sources is None:
            # Sources are spread evenly: the load of the ranks alone gives the price.
            dispatch = self.collectives.dispatch_s(rank_tokens)
            return StepTime(attention, dispatch, experts, self.collectives.combine_s(rank_tokens))
        pair_split = split[:, None, :] if by_source is None else by_source
        copies = self._copies(placement, load, pair_split, np.asarray(sources, dtype=np.float64))
        exchange = [self.collectives.exchange_s(copies, name) for name in ("dispatch", "combine")]
        return StepTime(attention, exchange[0], experts, exchange[1])

    def ideal(self, counts: ArrayLike, num_ranks: int, step_tokens: int | None = None) -> StepTime:
        """Price the same step under perfect balance: every rank does an equal part.

        The work of every expert is done once, without the extra weight reads of replicas, and
        divides evenly over the ranks. No placement and no dispatcher takes less time.
        """
        load = np.asarray(counts, dtype=np.float64)
        shape = (len(load), num_ranks)
        even_tokens = np.broadcast_to(load.sum(axis=1, keepdims=True) / num_ranks, shape)
        memory = self.operators.expert_memory_s(load).sum(axis=1, keepdims=True)
        compute = self.operators.expert_compute_s(load).sum(axis=1, keepdims=True)
        even_s = self.operators.grouped_s(memory / num_ranks, compute / num_ranks)
        tokens = self._tokens(load, step_tokens) / num_ranks
        return StepTime(
            rank_attention=np.full(shape, self._attention_s(tokens)),
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
        self,
        placement: Placement,
        load: Array,
        split: Array,
        step_tokens: int | None,
        number: int,
    ) -> tuple[Array, Array]:
        """Return [layers, ranks] seconds of attention and of experts, with jitter."""
        layers, ranks = len(load), placement.num_ranks
        slot_tokens = np.take_along_axis(load, placement.physical_to_logical, axis=1) * split
        experts = self.operators.experts_s(slot_tokens.reshape(layers, ranks, -1))
        attention = self._attention(self._tokens(load, step_tokens), ranks)
        attention = np.broadcast_to(attention, (layers, ranks))
        if self.jitter is None:
            return attention, experts
        # One generator per step: attention draws first, then experts.
        generator = self.jitter.generator(number)
        attention = self.jitter.apply(attention, generator)
        return attention, self.jitter.apply(experts, generator)

    def _tokens(self, load: Array, step_tokens: int | None) -> float:
        if step_tokens is not None:
            return float(step_tokens)
        return float(np.ceil(load.sum(axis=1).max() / self.operators.model.top_k))

    def _attention(self, tokens: float, ranks: int) -> Array:
        """Return [ranks] seconds of attention; tokens are whole, so some ranks have one more."""
        tokens_per_rank, remainder = divmod(int(tokens), ranks)
        fewer_s, more_s = self._attention_s(np.array([tokens_per_rank, tokens_per_rank + 1.0]))
        rank_s: Array = np.where(np.arange(ranks) < remainder, more_s, fewer_s)
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
