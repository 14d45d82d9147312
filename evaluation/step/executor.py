"""From rank loads to seconds: one step, layer by layer, with exact barriers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.step.steptime import StepTime
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
        What a layer costs on a die, and what the two all-to-alls cost on the fabric.
    kv_tokens
        Tokens of context that each token attends to, on average.
    phase
        "decode" or "prefill".
    drafts
        Draft tokens of multi-token prediction: a sequence computes 1 + ``drafts`` tokens a step,
        which read its cache together. ``step_tokens`` counts all of them.
    jitter
        Stragglers and noise; ``None`` for none.
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
            Where the experts are; its ranks are the fabric's.
        counts
            [layers, experts] token copies.
        share
            [layers, slots] from a dispatcher, or [layers, ranks, slots] from one that tells source
            ranks apart; ``None`` splits evenly.
        step_tokens
            Tokens of the step, spread evenly over the ranks for attention; by default the copies
            of the fullest layer over the model's ``top_k``.
        sources
            [layers, ranks, experts] token copies by the rank their token is on; they add up to
            ``counts``. ``None``: spread evenly. Given, or with a share by source, the two
            all-to-alls are priced by who sends to whom.
        number
            Number of the step, which seeds its jitter.

        Raises
        ------
        ValueError
            If the ranks are not the fabric's, or shapes differ.
        """
        ranks = placement.num_ranks
        if ranks != self.collectives.fabric.num_ranks:
            raise ValueError(
                f"the placement has {ranks} ranks, the fabric {self.collectives.fabric.num_ranks}; "
                "build the fabric with num_ranks of the placement"
            )
        load = np.asarray(counts, dtype=np.float64)
        by_source = None if share is None or np.ndim(share) < 3 else np.asarray(share)
        if by_source is not None:
            if sources is None:
                sources = np.repeat(load[:, None] / ranks, ranks, axis=1)
            share = slot_share(placement, by_source, sources)
        rank_tokens = placement.rank_load(load, share)
        split = placement.even_share if share is None else np.asarray(share)
        slot_tokens = np.take_along_axis(load, placement.physical_to_logical, axis=1) * split
        rank_s = self.operators.experts_s(slot_tokens.reshape(len(load), ranks, -1))
        attention = self._attention(self._tokens(load, step_tokens), ranks)
        attention = np.broadcast_to(attention, (len(load), ranks))
        if self.jitter is not None:
            generator = self.jitter.generator(number)
            attention = self.jitter.apply(attention, generator)
            rank_s = self.jitter.apply(rank_s, generator)
        if sources is None:
            dispatch = self.collectives.dispatch_s(rank_tokens)
            return StepTime(attention, dispatch, rank_s, self.collectives.combine_s(rank_tokens))
        sent = split[:, None, :] if by_source is None else by_source
        copies = self._copies(placement, load, sent, np.asarray(sources, dtype=np.float64))
        exchange = [self.collectives.exchange_s(copies, name) for name in ("dispatch", "combine")]
        return StepTime(attention, exchange[0], rank_s, exchange[1])

    def ideal(self, counts: ArrayLike, num_ranks: int, step_tokens: int | None = None) -> StepTime:
        """Price the same step under perfect balance: no rank does more than its equal part.

        Every expert's work is done once, without the extra weight reads of replicas, and divides
        evenly over the ranks. No placement and no dispatcher takes less time.
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
        """Seconds until every rank has its new weights, the step loop standing still meanwhile.

        Parameters
        ----------
        moves
            [layers, ranks] experts that each rank receives.
        bytes_per_s
            Rate at which one rank receives; ranks receive at the same time.
        """
        return float(moves.sum(axis=0).max() * self.expert_bytes / bytes_per_s)

    @property
    def expert_bytes(self) -> float:
        """Bytes of one expert's weights in one layer."""
        return self.operators.model.expert_bytes(self.operators.bytes_per_weight)

    def _tokens(self, load: Array, step_tokens: int | None) -> float:
        if step_tokens is not None:
            return float(step_tokens)
        return float(np.ceil(load.sum(axis=1).max() / self.operators.model.top_k))

    def _attention(self, tokens: float, ranks: int) -> Array:
        """[ranks] seconds of attention; whole tokens, so some ranks have one more."""
        whole, more = divmod(int(tokens), ranks)
        few, many = self._attention_s(np.array([whole, whole + 1.0]))
        on_rank: Array = np.where(np.arange(ranks) < more, many, few)
        return on_rank

    def _attention_s(self, tokens: ArrayLike) -> Array:
        return self.operators.attention_s(tokens, self.kv_tokens, self.phase, 1.0 + self.drafts)

    def _copies(self, placement: Placement, load: Array, split: Array, sources: Array) -> Array:
        """[layers, source, rank] token copies; ``split`` [layers, source or 1, slots]."""
        ranks = placement.num_ranks
        if sources.shape != (len(load), ranks, load.shape[1]):
            raise ValueError(
                f"sources has shape {sources.shape}; give [{len(load)} layers, {ranks} ranks, "
                f"{load.shape[1]} experts]"
            )
        if not np.allclose(sources.sum(axis=1), load):
            raise ValueError("sources do not add up to counts over the ranks; give all the tokens")
        slots = np.take_along_axis(sources, placement.physical_to_logical[:, None, :], axis=2)
        weighted = slots * split
        copies: Array = weighted.reshape(len(load), ranks, ranks, -1).sum(axis=3)
        return copies
