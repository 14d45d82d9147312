"""Experts of a step: drawn, split over replicas, priced and counted."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.expert_load import ExpertLoad
from evaluation.serving.pricing.expert_price import coefficients, expert_seconds
from evaluation.serving.pricing.work import Work
from hardware import Operators
from lb import Placement
from lb.dispatch import slot_share
from lb.protocols import Dispatcher

Array = NDArray[np.float64]


class ExpertPricer:
    """Draws the experts of a step and prices every rank's part of them.

    Parameters
    ----------
    operators
        What experts cost; where ``shared_local`` is False, the last experts of the placement are
        the model's shared ones, and every token passes them.
    placement
        Where the experts are.
    load
        Draws the routed ones.
    dispatcher
        Splits tokens over replicas; ``None``: evenly. By source, its shares count for tokens that
        are spread evenly over the ranks.
    seed
        Of the draws.

    Attributes
    ----------
    seconds, rank_tokens
        [layers, ranks] of the last call of :meth:`price`.
    tokens
        [2, layers] token copies of the fullest rank then, and of the mean one.
    seen
        [layers, experts] token copies drawn.
    lost_choices
        Of all token copies drawn, those of experts that were missing then.

    Raises
    ------
    ValueError
        If the load does not fit the placement.
    """

    def __init__(
        self,
        operators: Operators,
        placement: Placement,
        load: ExpertLoad,
        dispatcher: Dispatcher | None,
        seed: int,
    ) -> None:
        model = operators.model
        shared = 0 if operators.shared_local else model.shared_experts
        shape = (load.num_layers, load.num_experts + shared)
        if (placement.num_layers, placement.num_experts) != shape:
            raise ValueError(
                f"{placement!r} is not for a load of {load.num_layers} layers and "
                f"{load.num_experts} experts with {shared} shared ones on ranks of their own; "
                f"place {shape[1]} experts in {shape[0]} layers"
            )
        if load.num_layers > model.moe_layers:
            raise ValueError(
                f"the load has {load.num_layers} layers, {model.name} has only "
                f"{model.moe_layers} with experts; give the recording of this model"
            )
        self._price = coefficients(operators)
        self._load, self._dispatcher = load, dispatcher
        self._random = np.random.default_rng([seed, 1])
        self._shared = shared
        self._placement = placement
        self._share, self._fixed = placement.even_share, False
        shape = (placement.num_layers, placement.num_ranks)
        self.seconds, self.rank_tokens = np.empty(shape), np.empty(shape)
        self.tokens = np.empty((2, placement.num_layers))
        self.seen = np.zeros((placement.num_layers, placement.num_experts), dtype=np.int64)
        self._taken = self.lost_choices = 0
        self._missing: NDArray[np.bool_] | None = None

    @property
    def placement(self) -> Placement:
        """Where the experts are."""
        return self._placement

    @placement.setter
    def placement(self, placement: Placement) -> None:
        old = self._placement
        shape = (old.num_layers, old.num_experts, old.num_ranks)
        if (placement.num_layers, placement.num_experts, placement.num_ranks) != shape:
            raise ValueError(
                f"{placement!r} cannot follow {old!r}: layers, experts and ranks must be the same"
            )
        self._placement = placement
        self._share, self._fixed = placement.even_share, False

    def fix_share(self, share: Array | None) -> None:
        """Split by ``share`` [layers, slots] instead of the dispatcher; ``None``: as before."""
        self._fixed = share is not None
        self._share = self._placement.even_share if share is None else share

    def run_without(self, missing: NDArray[np.bool_] | None) -> None:
        """Count what is drawn of ``missing`` experts [layers, experts] from now on; None: of none.

        What they would cost is a matter of :meth:`fix_share`.
        """
        self._missing = missing

    @property
    def choices(self) -> int:
        """Token copies drawn since the beginning."""
        return self._taken + int(self.seen.sum())

    def take_seen(self) -> NDArray[np.int64]:
        """Return :attr:`seen` and start again at 0."""
        self._taken += int(self.seen.sum())
        seen, self.seen = self.seen, np.zeros_like(self.seen)
        return seen

    def draw(self, work: Work) -> NDArray[np.int32]:
        """Return [layers, experts] token copies of a step, shared experts among them; counted.

        Raises
        ------
        ValueError
            If the work has other conditions than the load.
        """
        tokens = work.condition_tokens
        if len(tokens) != self._load.num_conditions:
            raise ValueError(
                f"condition_tokens has {len(tokens)} entries for {self._load.num_conditions} "
                "conditions of the routing; give one for each"
            )
        counts = self._load(tokens, work.time_s, self._random)
        if self._shared:
            passing = np.full((len(counts), self._shared), tokens.sum())
            counts = np.concatenate([counts, passing.astype(np.int32)], axis=1)
        self.seen += counts
        if self._missing is not None:
            self.lost_choices += int(counts[self._missing].sum())
        return counts

    def split(self, counts: NDArray[np.int32]) -> Array:
        """Return [layers, slots] the dispatcher's shares of a step."""
        if self._dispatcher is None or self._fixed:
            return self._share
        placement = self._placement
        return slot_share(placement, self._dispatcher(placement, counts.astype(np.float64)))

    def price(self, counts: NDArray[np.int32], share: Array, scale: float = 1.0) -> None:
        """Fill :attr:`seconds`, :attr:`rank_tokens` and :attr:`tokens`, counts times ``scale``."""
        expert_seconds(
            counts,
            scale,
            self._placement.physical_to_logical.view(np.uint64),
            share,
            self._price,
            self.seconds,
            self.rank_tokens,
            self.tokens,
        )
