"""The price of a step of colocated expert parallelism, fast enough to simulate hours."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.attention_table import AttentionTable
from evaluation.serving.pricing.exchange import ExchangePrice
from evaluation.serving.pricing.expert_load import ExpertLoad
from evaluation.serving.pricing.experts import ExpertPricer
from evaluation.serving.pricing.noise import Noise, speeds
from evaluation.serving.pricing.options import DEFAULT_OPTIONS, PriceOptions
from evaluation.serving.pricing.placed_price import PlacedPrice
from evaluation.serving.pricing.work import Cost, Work
from evaluation.step.executor import StepExecutor
from hardware import Fabric
from lb import Placement

Array = NDArray[np.float64]


class ColocatedPrice(PlacedPrice):
    """Prices steps in which every rank runs attention and experts.

    The same as :meth:`StepExecutor.step <evaluation.step.executor.StepExecutor.step>` and
    :func:`evaluation.step.engine_step.engine_step` where DP groups are alike, with groups that are
    not: the slowest decides every barrier. The routing's MoE layers stand for all of the model's.
    Draft layers cost as a mean MoE layer, in steps with decode. The output head runs over the most
    query tokens of a die, and one token more if the step has prompts (an assumption: prompts need
    logits of their last token alone).

    Parameters
    ----------
    executor
        Operators, collectives, drafts and jitter; its ``kv_tokens`` and ``phase`` are not used.
    placement
        Where the experts are. Where shared experts have ranks of their own
        (``shared_local`` is False), they are its last experts and every token passes them.
    load
        Draws the experts of a step.
    groups
        DP groups; each spans ranks / groups dies, consecutive ones, that divide its tokens and
        context evenly, and add up their attention outputs in every layer (assumptions).
    options
        Where ``drafts_s`` is ``None``, each draft layer costs a MoE layer and an output head.

    Attributes
    ----------
    rank_speed
        [ranks] relative speeds; may be set while running, ``None`` for all at 1.
    comm_slowdown
        What the data part of dispatch and combine takes longer, at least 1, while other traffic
        competes on the fabric; may be set while running.
    seen
        [layers, experts] int64 token copies drawn since the last :meth:`take_seen`.

    Raises
    ------
    ValueError
        If placement, load, fabric and groups do not fit each other.
    """

    def __init__(
        self,
        executor: StepExecutor,
        placement: Placement,
        load: ExpertLoad,
        groups: int,
        options: PriceOptions = DEFAULT_OPTIONS,
    ) -> None:
        ranks = placement.num_ranks
        if ranks != executor.collectives.fabric.num_ranks:
            raise ValueError(
                f"the placement has {ranks} ranks, the fabric "
                f"{executor.collectives.fabric.num_ranks}; build the fabric with as many"
            )
        if groups < 1 or ranks % groups:
            raise ValueError(f"groups = {groups} must be at least 1 and divide {ranks} ranks")
        self.operators = executor.operators
        self.collectives = executor.collectives
        self.drafts, self.groups = executor.drafts, groups
        self.host_s, self.drafts_s = options.host_s, options.drafts_s
        self.attention = AttentionTable(
            self.operators, executor.drafts, ranks // groups, executor.collectives
        )
        self.experts = ExpertPricer(
            self.operators, placement, load, options.dispatcher, options.seed
        )
        self._noise = Noise(executor.jitter, options.seed)
        self._group = np.repeat(np.arange(groups), ranks // groups)
        self._rank = np.arange(ranks)
        self._barrier = np.empty((2, 2, placement.num_layers))
        self._exchange = ExchangePrice(self.collectives)
        self._whole_network, self._kept = self._exchange, self._rank
        self.rank_speed = None if executor.jitter is None else executor.jitter.rank_speed
        self._own_speed = self._speed
        self.comm_slowdown = 1.0

    def fix_share(self, share: Array | None) -> None:
        """Split tokens over replicas by ``share`` [layers, slots] from now on.

        For slots that are disabled while their weights change; ``None``: as the dispatcher does.
        """
        self.experts.fix_share(share)

    def use_network(self, fabric: Fabric, kept: NDArray[np.int64], port_share: Array) -> None:
        """Price dispatch and combine between the ranks ``kept``, on the fabric that these have."""
        self._kept = kept
        if fabric is self.collectives.fabric:
            self._exchange = self._whole_network
        else:
            self._exchange = ExchangePrice(replace(self.collectives, fabric=fabric))

    def run_at(self, speed: Array, known: Array) -> None:
        """Let ranks run at relative speeds; see :class:`PlacedPrice`."""
        self.rank_speed = self._own_speed * speed
        self.known_speed = self._own_speed * known

    @property
    def rank_speed(self) -> Array:
        """[ranks] relative speeds."""
        return self._speed

    @rank_speed.setter
    def rank_speed(self, speed: Array | tuple[float, ...] | None) -> None:
        self._speed = speeds(speed, self.placement.num_ranks)
        self._slowest = self._speed.reshape(self.groups, -1).min(axis=1)

    def __call__(self, work: Work, /) -> Cost:
        """Return what a step costs; a step without tokens costs the host's gap.

        Raises
        ------
        ValueError
            If the work has other groups or domains, or a number that is negative or not finite.
        """
        if len(work.sequences) != self.groups:
            raise ValueError(f"the work has {len(work.sequences)} groups, the price {self.groups}")
        moe, dense, queries = self.attention(work)
        prompts = bool(work.prefill_tokens.any())
        if not (queries or prompts):
            return Cost(self.host_s, 0.0, 0.0, 0.0, 0.0, 0.0)
        counts = self.experts.draw(work)
        self.experts.price(counts, self.experts.split(counts))
        attention, experts = self._barrier
        self._noise.barriers(moe[None], self._group, self._speed, attention)
        self._noise.barriers(self.experts.seconds, self._rank, self._speed, experts)
        tokens, rank_tokens = self.experts.tokens, self.experts.rank_tokens
        if len(self._kept) < len(self._rank):
            rank_tokens = np.ascontiguousarray(rank_tokens[:, self._kept])
            tokens = np.stack([rank_tokens.max(axis=1), rank_tokens.mean(axis=1)])
        communication = self._exchange(tokens, rank_tokens, self.comm_slowdown)
        model = self.operators.model
        drafts = self.drafts if queries and self.drafts_s is None else 0
        layers = model.moe_layers + drafts
        dense_s = dense / self._slowest
        # sums, as ndarray.mean takes as long as a kernel
        attention_s, experts_s = layers * (self._barrier.sum(axis=2) / self._barrier.shape[2])
        attention_s += model.dense_layers * np.array([dense_s.max(), dense_s.sum() / self.groups])
        communication *= layers
        head = self.attention.head_s(queries + prompts) * (1 + drafts)
        total = attention_s[0] + experts_s[0] + communication + head + self.host_s
        if queries and self.drafts_s is not None:
            total += self.drafts_s
        return Cost(*map(float, (total, *attention_s, *experts_s, communication)))
