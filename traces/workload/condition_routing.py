"""Routing by condition, from recorded counts or chances of each condition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from traces.header import check_header
from traces.requests import RequestTrace
from traces.routing import RoutingTrace
from traces.workload.chance_sampler import (
    ALL_ALIKE,
    StillSampler,
    by_layer,
    conditions_with_kinds,
)
from traces.workload.sequence_kinds import SequenceKinds
from traces.workload.token_filter import TokenFilter, position_edges


@dataclass(frozen=True, eq=False)
class ConditionRouting:
    """A law of routing that stands still: the chance of each expert, by condition.

    Parameters
    ----------
    chances
        Which tokens to [layers, experts] chances that they choose an expert, each layer adding up
        to ``top_k``. The first filter that a token passes decides.
    top_k
        Experts that a token chooses in a layer.
    model
        Name of the model.
    kinds
        How sequences of one condition differ; by default they do not.
    judged
        Chances in windows that are judged, under the same filters; those of ``chances`` by default.
        With them :meth:`traces.workload.Workload.split` keeps two parts of a recording apart, so
        that no step of it makes both what is planned from and what is judged.

    Raises
    ------
    ValueError
        If there are no conditions, shapes differ, chances are outside 0 to 1 or add up to
        something else than ``top_k``, or ``judged`` has other filters.
    """

    chances: Mapping[TokenFilter, NDArray[np.float64]]
    top_k: int
    model: str = "generated"
    kinds: SequenceKinds = ALL_ALIKE
    judged: Mapping[TokenFilter, NDArray[np.float64]] | None = None

    def __post_init__(self) -> None:
        if not self.chances:
            raise ValueError("chances is empty; give one condition or more, such as TokenFilter()")
        self._check(self.chances)
        if self.judged is not None:
            if list(self.judged) != list(self.chances):
                raise ValueError("judged has other filters than chances; give the same, in order")
            self._check(self.judged)
        check_header(self.model, self.top_k, self._shape[1], "unknown")

    def _check(self, chances: Mapping[TokenFilter, NDArray[np.float64]]) -> None:
        arrays = [np.asarray(chance, np.float64) for chance in chances.values()]
        shape = self._shape
        for condition, chance in zip(chances, arrays, strict=True):
            if chance.ndim != 2 or chance.shape != shape:
                raise ValueError(
                    f"chances of {condition} have shape {chance.shape}, the first {shape}; give "
                    "[layers, experts] of one model"
                )
            if not (chance.min() >= 0 and chance.max() <= 1 + 1e-9):
                raise ValueError(
                    f"chances of {condition} are from {chance.min():g} to {chance.max():g}, "
                    "outside 0 <= chance <= 1"
                )
            if not np.allclose(chance.sum(axis=1), self.top_k, rtol=1e-6):
                raise ValueError(
                    f"chances of {condition} add up to {chance.sum(axis=1)[0]:g} in layer 0, not "
                    f"to top_k = {self.top_k} in every layer"
                )

    @staticmethod
    def from_traces(
        traces_by_condition: Mapping[TokenFilter, RoutingTrace],
        kinds: SequenceKinds = ALL_ALIKE,
        judged: Mapping[TokenFilter, RoutingTrace] | None = None,
    ) -> "ConditionRouting":
        """Return the routing in which each condition has the shares of its recorded counts.

        Parameters
        ----------
        traces_by_condition
            Recordings, of which all steps are added up.
        kinds
            As in the class.
        judged
            Recordings of conditions that have others where they are judged.

        Raises
        ------
        ValueError
            If the recordings are of several shapes, a layer has no counts, or an expert has more
            than one in ``top_k`` of them.
        """
        if not traces_by_condition:
            raise ValueError("traces_by_condition is empty; give a recording for each condition")
        first = next(iter(traces_by_condition.values()))
        chances = _chances(traces_by_condition, first.top_k)
        others = _chances(judged, first.top_k) if judged else {}
        if unknown := set(others) - set(chances):
            raise ValueError(f"judged has {unknown.pop()}, which is no condition; leave it out")
        return ConditionRouting(
            chances, first.top_k, first.model, kinds, chances | others if others else None
        )

    def of_judged(self) -> "ConditionRouting":
        """Return the routing of the windows that are judged."""
        return self if self.judged is None else replace(self, chances=self.judged, judged=None)

    @property
    def _shape(self) -> tuple[int, ...]:
        return np.shape(next(iter(self.chances.values())))

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self._shape[0]

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self._shape[1]

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Domains that a condition names."""
        named = (condition.domain for condition in self.chances)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def num_conditions(self) -> int:
        """Conditions, kinds of sequences apart."""
        return len(self.chances) * self.kinds.count

    @property
    def position_edges(self) -> tuple[float, ...]:
        """Positions at which the condition of a token may change."""
        return position_edges(tuple(self.chances))

    def conditions(
        self, requests: RequestTrace, phase: str, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return conditions, as :class:`traces.workload.routing_model.RoutingModel` says."""
        return conditions_with_kinds(tuple(self.chances), self.kinds, requests, phase, random)

    def sampler(self) -> StillSampler:
        """Return a sampler; all of them are one."""
        return self._sampler

    @cached_property
    def _sampler(self) -> StillSampler:
        chance = np.stack([np.asarray(chance, np.float64) for chance in self.chances.values()])
        return StillSampler(by_layer(self.kinds.chances(chance, self.top_k)), self.top_k)


def _chances(
    recordings: Mapping[TokenFilter, RoutingTrace], top_k: int
) -> dict[TokenFilter, NDArray[np.float64]]:
    chances = {}
    for condition, trace in recordings.items():
        total = trace.counts.sum(axis=0, dtype=np.int64)
        whole = total.sum(axis=1, keepdims=True)
        if trace.top_k != top_k or whole.min() == 0:
            raise ValueError(
                f"the recording of {condition} has top_k = {trace.top_k} and a layer with "
                f"{whole.min()} counts; give top_k = {top_k} and counts in every layer"
            )
        chances[condition] = total * top_k / whole
    return chances
