"""Filters of tokens: what decides by which law a token of a request is routed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace

#: Bounds of a length or a position: from, and below.
Bounds = tuple[float, float]


@dataclass(frozen=True)
class TokenFilter:
    """Which tokens share a law of routing. A field that is left out lets every token pass.

    Parameters
    ----------
    domain
        Name of the request's domain.
    phase
        "prefill" or "decode".
    prompt_tokens, output_tokens
        Lengths of the request: from, and below.
    position
        Tokens of the request before this one, prompt included: from, and below.

    Raises
    ------
    ValueError
        If the phase is another, or bounds hold no number.
    """

    domain: str | None = None
    phase: str | None = None
    prompt_tokens: Bounds | None = None
    output_tokens: Bounds | None = None
    position: Bounds | None = None

    def __post_init__(self) -> None:
        if self.phase not in (None, "prefill", "decode"):
            raise ValueError(f"phase = {self.phase!r} is not one of prefill, decode, None")
        for name in ("prompt_tokens", "output_tokens", "position"):
            bounds = getattr(self, name)
            if bounds is not None and not (len(bounds) == 2 and bounds[0] < bounds[1]):
                raise ValueError(f"{name} = {bounds}; give (from, below) with from < below")

    def matches(self, requests: RequestTrace, phase: str) -> NDArray[np.bool_]:
        """Return [requests] whether tokens of this phase match, whatever their position."""
        if self.phase not in (None, phase):
            return np.zeros(requests.num_requests, dtype=bool)
        match = np.ones(requests.num_requests, dtype=bool)
        if self.domain is not None:
            match &= domain_mask(requests, self.domain)
        for name in ("prompt_tokens", "output_tokens"):
            bounds = getattr(self, name)
            if bounds is not None:
                column = getattr(requests, name)
                match &= (column >= bounds[0]) & (column < bounds[1])
        return match


def domain_mask(requests: RequestTrace, name: str) -> NDArray[np.bool_]:
    """Return [requests] whether a request is of the domain ``name``; without domains, none is."""
    if requests.domain is None or name not in requests.domain_names:
        return np.zeros(requests.num_requests, dtype=bool)
    mask: NDArray[np.bool_] = requests.domain == requests.domain_names.index(name)
    return mask


def position_edges(conditions: Sequence[TokenFilter]) -> tuple[float, ...]:
    """Return the positions, rising and above 0, at which a token may change its condition."""
    edges = {edge for condition in conditions for edge in condition.position or ()}
    return tuple(sorted(edge for edge in edges if 0 < edge < np.inf))


def first_match(
    conditions: Sequence[TokenFilter], requests: RequestTrace, phase: str
) -> NDArray[np.int32]:
    """Return the first condition that matches, [requests, stretches between position edges].

    Raises
    ------
    ValueError
        If tokens of a request match none.
    """
    starts = (0.0, *position_edges(conditions))
    table = np.full((requests.num_requests, len(starts)), -1, dtype=np.int32)
    for number, condition in enumerate(conditions):
        match = condition.matches(requests, phase)
        for stretch, start in enumerate(starts):
            low, below = condition.position or (0, np.inf)
            if low <= start < below:
                table[match & (table[:, stretch] < 0), stretch] = number
    if (table < 0).any():
        row, stretch = np.argwhere(table < 0)[0]
        name = None if requests.domain is None else requests.domain_names[requests.domain[row]]
        raise ValueError(
            f"{phase} tokens of request {row} (domain {name!r}, {requests.prompt_tokens[row]} "
            f"prompt and {requests.output_tokens[row]} output tokens, from position "
            f"{starts[stretch]:g} on) match none of {len(conditions)} conditions; add one that "
            "does, such as TokenFilter(), or name the domains: traces.domain_shares.with_domains"
        )
    return table
