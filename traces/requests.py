"""Request traces: arrival times, prompt and output lengths, shared prefixes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import check_range, checked_provenance, frozen, hash_of
from traces.request_checks import (
    AXES,
    checked_names,
    checked_prefixes,
    checked_session,
    checked_times,
    per_request,
)

#: Column to what it is kept as, in memory and in the store.
DTYPES: dict[str, type] = {
    "arrival_s": np.float64,
    "prompt_tokens": np.int64,
    "output_tokens": np.int64,
    "session": np.int64,
    "domain": np.int32,
    "prefix_blocks": np.int64,
    "prefix_hashes": np.int64,
}


@dataclass(frozen=True, eq=False, repr=False)
class RequestTrace:
    """Requests in order of arrival, one entry of every column for each.

    Parameters
    ----------
    arrival_s
        [requests] seconds since the trace began, never falling.
    prompt_tokens, output_tokens
        [requests] tokens read and generated; 0 where a recording says so, see :meth:`served`.
    session
        [requests] number of the conversation, -1 for a request outside any.
    domain
        [requests] index into ``domain_names``.
    domain_names
        Names of the domains, which those of a :class:`traces.DomainRouting` meet.
    prefix_hashes
        [blocks] an id for every block of every prompt, the requests one after another. Two
        prompts with the same id have the same tokens up to the end of that block.
    prefix_blocks
        [requests] how many of ``prefix_hashes`` are each request's; 0 where nothing is known.
    block_tokens
        Tokens of a block; the last one of a prompt may be shorter.
    provenance
        Text by key: origin, licence, notes.

    Raises
    ------
    ValueError
        If a column has another length than ``arrival_s``, a time falls, is negative or no number,
        or another value is out of its range; the request is named, counted from 0.

    Examples
    --------
    >>> RequestTrace([0.0, 0.5, 2.0], [100, 7, 90], [12, 3, 40])
    RequestTrace(3 requests in 2 s: 65.7 prompt, 18.3 output tokens on average)
    """

    arrival_s: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    session: NDArray[np.int64] | None = None
    domain: NDArray[np.int32] | None = None
    domain_names: tuple[str, ...] = ()
    prefix_hashes: NDArray[np.int64] | None = None
    prefix_blocks: NDArray[np.int64] | None = None
    block_tokens: int | None = None
    provenance: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        columns = {"arrival_s": checked_times(self.arrival_s)}
        count = len(columns["arrival_s"])
        for name in ("prompt_tokens", "output_tokens"):
            columns[name] = per_request(getattr(self, name), name, count)
            check_range(columns[name], name, AXES, 2**31, "give the tokens of each request")
        if self.session is not None:
            columns["session"] = checked_session(self.session, count)
        names = checked_names(self.domain_names, self.domain is not None)
        if self.domain is not None:
            columns["domain"] = per_request(self.domain, "domain", count)
            hint = "it counts the domain_names from 0"
            check_range(columns["domain"], "domain", AXES, len(names), hint)
        prefixes = (self.prefix_hashes, self.prefix_blocks, self.block_tokens)
        if any(part is not None for part in prefixes):
            hashes, blocks, size = checked_prefixes(*prefixes, columns["prompt_tokens"])
            columns |= {"prefix_hashes": hashes, "prefix_blocks": blocks}
            object.__setattr__(self, "block_tokens", size)
        for name, column in columns.items():
            object.__setattr__(self, name, frozen(column, DTYPES[name]))
        object.__setattr__(self, "domain_names", names)
        object.__setattr__(self, "provenance", checked_provenance(self.provenance))

    @property
    def num_requests(self) -> int:
        """Requests."""
        return len(self.arrival_s)

    @property
    def duration_s(self) -> float:
        """Seconds from the first arrival to the last."""
        return float(self.arrival_s[-1] - self.arrival_s[0])

    @property
    def rate(self) -> float:
        """Requests a second: the gaps between arrivals, over the time they take.

        Raises
        ------
        ValueError
            If all requests arrive at once.
        """
        if self.duration_s == 0:
            raise ValueError(f"{self.num_requests} requests arrive at once; there is no rate")
        return (self.num_requests - 1) / self.duration_s

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of header and columns; provenance is left out."""
        return hash_of(self.header, self.columns)

    @property
    def header(self) -> dict[str, Any]:
        """What the store writes about the whole trace."""
        return {
            "kind": "request",
            "block_tokens": self.block_tokens,
            "domain_names": list(self.domain_names),
        }

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """What the store writes, the optional columns only where present."""
        found = {name: getattr(self, name) for name in DTYPES}
        return {name: column for name, column in found.items() if column is not None}

    def prefix(self, request: int) -> NDArray[np.int64]:
        """Return the ids of one request's blocks, [blocks of it].

        Raises
        ------
        ValueError
            If the trace has no prefix hashes.
        """
        if self.prefix_hashes is None or self.prefix_blocks is None:
            raise ValueError("the trace has no prefix_hashes; shared prefixes are not known")
        end = int(self.prefix_blocks[: request + 1].sum())
        return self.prefix_hashes[end - int(self.prefix_blocks[request]) : end]

    def take(self, rows: ArrayLike) -> "RequestTrace":
        """Return the requests of ``rows``, rising indices or a mask [requests]."""
        chosen = np.arange(self.num_requests)[np.asarray(rows)]
        columns = {n: c[chosen] for n, c in self.columns.items() if n != "prefix_hashes"}
        if self.prefix_hashes is not None and self.prefix_blocks is not None:
            columns["prefix_hashes"] = self.prefix_hashes[blocks_of(self.prefix_blocks, chosen)]
        return replace(self, **columns)

    def slice(self, start: int, stop: int | None = None) -> "RequestTrace":
        """Return requests ``start`` up to ``stop``, as Python slices do; times stay."""
        return self.take(np.arange(self.num_requests)[start:stop])

    def between(self, start_s: float, end_s: float) -> "RequestTrace":
        """Return the requests with start_s <= arrival < end_s, their times from ``start_s`` on.

        Raises
        ------
        ValueError
            If there are none.
        """
        first, last = np.searchsorted(self.arrival_s, [start_s, end_s])
        if last <= first:
            raise ValueError(
                f"no request arrives in {start_s} <= arrival_s < {end_s}; they arrive from "
                f"{self.arrival_s[0]} to {self.arrival_s[-1]}"
            )
        part = self.slice(int(first), int(last))
        return replace(part, arrival_s=part.arrival_s - start_s)

    def served(self) -> "RequestTrace":
        """Leave out requests without a prompt or an answer, as BurstGPT records failures."""
        return self.take((self.prompt_tokens > 0) & (self.output_tokens > 0))

    def rescale(self, factor: float) -> "RequestTrace":
        """Return the same requests at ``factor`` times the rate: times are divided by it.

        Raises
        ------
        ValueError
            Unless 0 < factor < infinity.
        """
        if not 0 < factor < np.inf:
            raise ValueError(f"factor = {factor} is outside 0 < factor < infinity; it scales rates")
        return replace(self, arrival_s=self.arrival_s / factor)

    def in_domain(self, name: str) -> "RequestTrace":
        """Return the same requests, all of the one domain ``name``."""
        domain = np.zeros(self.num_requests, dtype=np.int32)
        return replace(self, domain=domain, domain_names=(name,))

    def load(self) -> "RequestTrace":
        """Return the whole trace, as a stored one does: here, itself."""
        return self

    def __repr__(self) -> str:
        parts = []
        if self.session is not None:
            parts.append(f"{len(np.unique(self.session[self.session >= 0]))} sessions")
        if self.domain_names:
            parts.append(f"domains {', '.join(self.domain_names)}")
        if self.block_tokens is not None:
            parts.append(f"prefix blocks of {self.block_tokens}")
        return (
            f"RequestTrace({self.num_requests} requests in {self.duration_s:.6g} s: "
            f"{self.prompt_tokens.mean():.1f} prompt, {self.output_tokens.mean():.1f} output "
            f"tokens on average{''.join(f', {part}' for part in parts)})"
        )

    def __reduce__(self) -> tuple[Callable[..., "RequestTrace"], tuple[Any, ...]]:
        # numpy forgets the read-only flag when it pickles; the constructor sets it again
        fields = (self.arrival_s, self.prompt_tokens, self.output_tokens, self.session)
        prefixes = (self.prefix_hashes, self.prefix_blocks, self.block_tokens)
        named = (self.domain, self.domain_names)
        return RequestTrace, (*fields, *named, *prefixes, dict(self.provenance or {}))


def blocks_of(prefix_blocks: NDArray[np.int64], rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return where the blocks of the requests ``rows`` are among all, [blocks of them]."""
    # Where the blocks of each request begin, and the place within it.
    starts = (np.cumsum(prefix_blocks) - prefix_blocks)[rows]
    length = prefix_blocks[rows]
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return np.repeat(starts, length) + within
