"""Single steps of several executors, for a simulation that forms its own steps."""

from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from traces.workload.routing_model import RoutingModel, RoutingSampler

if TYPE_CHECKING:  # they compile kernels, and importing this module shall not load numba
    from traces.workload.running_counts import RunningCounts
    from traces.workload.token_tables import TokenTables

#: Tokens of a step up to which they are drawn one by one, which is faster for so few.
SINGLE_TOKENS = 640


@runtime_checkable
class ChanceSampler(RoutingSampler, Protocol):
    """A sampler whose tokens choose experts with chances that depend on their condition alone."""

    @property
    def top_k(self) -> int:
        """Experts that a token chooses."""
        ...

    def chances(self, interval: int, /) -> NDArray[np.float64]:
        """Return [layers, conditions, experts] chances in an interval, which never falls."""
        ...


class StepRouting:
    """A routing from which several executors draw their steps, as time goes forward for all.

    Tokens of a step are drawn independently of each other, also those of one request and recorded
    ones. Requests that are alike within themselves are conditions of their own, see
    :class:`traces.workload.SequenceKinds`.

    Parameters
    ----------
    model
        The routing.
    """

    def __init__(self, model: RoutingModel) -> None:
        self.model = model
        self._sampler = model.sampler()
        self._interval = -1
        self._law: _Law | None = None

    def draws(self) -> "StepDraws":
        """Return what draws the steps of one executor."""
        return StepDraws(self)

    def interval(self, time_s: float) -> int:
        """Return the number of the stretch of time within which the routing stands still.

        Raises
        ------
        ValueError
            If an interval after it was reached before.
        """
        interval = int(self._sampler.interval(np.array([time_s]))[0])
        if interval < self._interval:
            raise ValueError(
                f"time_s = {time_s:g} lies before an interval that was reached; time goes forward"
            )
        if interval > self._interval:
            self._interval, self._law = interval, None
        return interval

    def law(self, time_s: float) -> "_Law | None":
        """Return the chances of a time; ``None`` where the sampler draws without any."""
        interval = self.interval(time_s)
        if self._law is None and isinstance(self._sampler, ChanceSampler):
            self._law = _Law(self._sampler.chances(interval), self._sampler.top_k)
        return self._law

    def sampled(
        self, tokens: NDArray[np.int64], time_s: float, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return [layers, experts] counts of a step as the sampler draws them."""
        counts: NDArray[np.int32] = self._sampler.draw(tokens[None], self.interval(time_s), random)[
            0
        ]
        return counts


class _Law:
    """Chances of one interval, and what executors share to draw from them."""

    def __init__(self, chance: NDArray[np.float64], top_k: int) -> None:
        self.chance, self.top_k = chance, top_k

    @cached_property
    def tables(self) -> "TokenTables":
        from traces.workload.token_tables import TokenTables

        return TokenTables(self.chance, self.top_k, np.random.default_rng(0))


class StepDraws:
    """Draws the steps of one executor, each with its own tokens of every condition.

    The law is that of :class:`traces.workload.routing_model.RoutingSampler`, with means and
    variances of independent tokens and exact totals. Steps of few tokens are drawn token by token.
    For others the sums over their tokens are kept from step to step, since most tokens of a step
    are of requests that had one in the step before.

    Parameters
    ----------
    routing
        The routing, shared with other executors.
    """

    def __init__(self, routing: StepRouting) -> None:
        self._routing = routing
        self._running: RunningCounts | None = None

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self._routing.model.num_layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self._routing.model.num_experts

    @property
    def num_conditions(self) -> int:
        """Conditions of the routing."""
        return self._routing.model.num_conditions

    def __call__(
        self, tokens: NDArray[np.int64], time_s: float, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return the counts of a step.

        Parameters
        ----------
        tokens
            [conditions] tokens of the step.
        time_s
            When it begins; no executor draws a step of an earlier interval afterwards.
        random
            Generator.

        Returns
        -------
        ndarray
            [layers, experts], each layer adding up to ``top_k`` times the tokens.

        Raises
        ------
        ValueError
            If there are other conditions, negative tokens, or too many copies of tokens.
        """
        if tokens.shape != (self.num_conditions,):
            raise ValueError(
                f"tokens has shape {tokens.shape}; give [{self.num_conditions}], one for each "
                "condition of the routing"
            )
        law = self._routing.law(time_s)
        if law is None:
            return self._routing.sampled(tokens, time_s, random)
        whole = int(tokens.sum())
        if tokens.min() < 0 or whole * law.top_k >= 2**31:
            raise ValueError(
                f"tokens from {tokens.min()} up, {whole} in all, break 0 <= tokens and tokens x "
                f"top_k = {law.top_k} < 2**31; give the tokens of one step"
            )
        if whole <= SINGLE_TOKENS:
            return law.tables.draw(tokens, random)
        if self._running is None or self._running.chance is not law.chance:
            from traces.workload.running_counts import RunningCounts

            self._running = RunningCounts(law.chance, law.top_k)
        return self._running.draw(tokens, random)
