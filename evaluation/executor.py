"""From rank loads to seconds: one step, layer by layer, with exact barriers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import Collectives, Operators
from lb import Placement

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step, by layer and phase.

    Two barriers a layer: dispatch waits for the slowest attention, combine for the slowest
    experts (xDeepServe section 2 of the restated facts; arXiv:2508.02520, Fig. 10).

    Parameters
    ----------
    attention, dispatch, experts, combine
        [layers] seconds; attention and experts are those of the slowest rank.
    attention_wait, expert_wait
        [layers, ranks] seconds that each rank waits at the barrier.
    """

    attention: Array
    dispatch: Array
    experts: Array
    combine: Array
    attention_wait: Array
    expert_wait: Array

    @property
    def layers(self) -> Array:
        """[layers] seconds."""
        return self.attention + self.dispatch + self.experts + self.combine

    @property
    def total(self) -> float:
        """Seconds of the step, over the MoE layers that the trace has."""
        return float(self.layers.sum())


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
    """

    operators: Operators
    collectives: Collectives
    kv_tokens: float = 2048.0
    phase: str = "decode"

    def step(
        self,
        placement: Placement,
        counts: ArrayLike,
        share: ArrayLike | None = None,
        step_tokens: int | None = None,
    ) -> StepTime:
        """Price one step.

        Parameters
        ----------
        placement
            Where the experts are; its ranks are the fabric's.
        counts
            [layers, experts] token copies.
        share
            [layers, slots] from a dispatcher; ``None`` splits evenly.
        step_tokens
            Tokens of the step, spread evenly over the ranks for attention; by default the copies
            of the fullest layer over the model's ``top_k``.

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
        rank_tokens = placement.rank_load(load, share)
        split = placement.even_share if share is None else np.asarray(share)
        slot_tokens = np.take_along_axis(load, placement.physical_to_logical, axis=1) * split
        slot_s = self.operators.expert_s(slot_tokens)
        rank_s = slot_s.reshape(len(load), ranks, -1).sum(axis=2)
        attention = self._attention(self._tokens(load, step_tokens), ranks)
        return self._timed(np.tile(attention, (len(load), 1)), rank_tokens, rank_s)

    def ideal(self, counts: ArrayLike, num_ranks: int, step_tokens: int | None = None) -> StepTime:
        """Price the same step under perfect balance: no rank does more than its equal part.

        Every expert's work is done once, without the extra weight reads of replicas, and divides
        evenly over the ranks. No placement and no dispatcher takes less time.
        """
        load = np.asarray(counts, dtype=np.float64)
        even_tokens = np.repeat(load.sum(axis=1, keepdims=True) / num_ranks, num_ranks, axis=1)
        even_s = self.operators.expert_s(load).sum(axis=1, keepdims=True) / num_ranks
        tokens = self._tokens(load, step_tokens) / num_ranks
        attention = self.operators.attention_s(tokens, self.kv_tokens, self.phase)
        layers_ranks = (len(load), num_ranks)
        return self._timed(
            np.full(layers_ranks, attention), even_tokens, np.broadcast_to(even_s, layers_ranks)
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
        on_rank = np.full(ranks, float(whole))
        on_rank[:more] += 1
        return self.operators.attention_s(on_rank, self.kv_tokens, self.phase)

    def _timed(self, attention: Array, rank_tokens: Array, rank_s: Array) -> StepTime:
        slowest_attention = attention.max(axis=1)
        slowest_experts = rank_s.max(axis=1)
        return StepTime(
            attention=slowest_attention,
            dispatch=self.collectives.dispatch_s(rank_tokens),
            experts=slowest_experts + self.operators.device.launch_s,
            combine=self.collectives.combine_s(rank_tokens),
            attention_wait=slowest_attention[:, None] - attention,
            expert_wait=slowest_experts[:, None] - rank_s,
        )
