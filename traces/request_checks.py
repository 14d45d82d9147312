"""Checks of the columns of a :class:`traces.RequestTrace`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import check_range, checked_integer, whole_numbers

AXES = ("requests",)
#: Below this, float64 tells times two microseconds apart; it is 272 years.
LATEST_S = 2.0**33


def checked_times(values: ArrayLike) -> NDArray[np.float64]:
    """Return seconds that are numbers, within bounds and in order.

    Raises
    ------
    ValueError
        Naming the request that is not.
    """
    try:
        times = np.asarray(values)
    except ValueError:
        raise ValueError("arrival_s is ragged; give one number a request") from None
    if times.ndim != 1:
        raise ValueError(f"arrival_s has shape {times.shape}; give [requests]")
    if times.size == 0:
        raise ValueError("arrival_s is empty; a trace has requests")
    if times.dtype.kind not in "fiu":
        raise ValueError(f"arrival_s has dtype {times.dtype}; give seconds as numbers")
    times = times.astype(np.float64) + 0.0  # minus zero is zero, in the hash too
    right = (times >= 0) & (times < LATEST_S)
    if not right.all():
        row = int(np.argmin(right))
        raise ValueError(
            f"arrival_s at request {row} is {times[row]}, outside 0 <= arrival_s < 2**33; count "
            "seconds from the start of the trace"
        )
    falls = np.diff(times) < 0
    if falls.any():
        row = int(np.argmax(falls)) + 1
        raise ValueError(
            f"arrival_s falls from {times[row - 1]} to {times[row]} at request {row}; sort the "
            "requests by time"
        )
    return times


def check_positive(**values: float) -> None:
    """Raise ValueError, naming the first, unless all are positive and finite."""
    for name, value in values.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} = {value} is outside 0 < {name} < infinity")


def check_count(value: int, name: str) -> None:
    """Raise ValueError unless ``value`` is a whole number and at least 1."""
    if checked_integer(value, name) < 1:
        raise ValueError(f"{name} = {value} < 1; ask for at least one")


def per_request(values: ArrayLike, name: str, requests: int) -> NDArray[Any]:
    """Return whole numbers, one a request.

    Raises
    ------
    ValueError
        If they are not, or not as many.
    """
    column = whole_numbers(values, name, AXES)
    if len(column) != requests:
        raise ValueError(
            f"{name} has {len(column)} entries for {requests} requests; give one a request"
        )
    return column


def checked_session(values: ArrayLike, requests: int) -> NDArray[Any]:
    """Return session numbers, -1 for none; errors as ValueError."""
    session = per_request(values, "session", requests)
    wrong = (session < -1) | (session >= 2**62)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"session at request {row} is {session[row]}, outside -1 <= session < 2**62; number "
            "sessions from 0, and give -1 for none"
        )
    return session


def checked_names(names: Any, with_domain: bool) -> tuple[str, ...]:
    """Return distinct names of domains, some where requests have one; errors as ValueError."""
    found = tuple(names)
    if not all(isinstance(name, str) and name for name in found) or len(set(found)) < len(found):
        raise ValueError(f"domain_names = {found}; give distinct non-empty names")
    if with_domain != bool(found):
        raise ValueError(
            f"domain is {'given' if with_domain else 'not given'} and there are {len(found)} "
            "domain_names; give both or neither"
        )
    return found


def checked_prefixes(
    hashes: Any, blocks: Any, block_tokens: Any, prompt_tokens: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return hashes [blocks], blocks of each request [requests] and the tokens of one block.

    Raises
    ------
    ValueError
        If one of the three is lacking or out of its range, or a request has more blocks than its
        prompt fills.
    """
    if hashes is None or blocks is None or block_tokens is None:
        raise ValueError(
            "prefix_hashes, prefix_blocks and block_tokens go together; give all or none"
        )
    size = checked_integer(block_tokens, "block_tokens")
    if not 1 <= size < 2**31:
        raise ValueError(
            f"block_tokens = {size} is outside 1 <= block_tokens < 2**31; give the tokens of one"
        )
    ids = whole_numbers(hashes, "prefix_hashes", ("blocks",))
    check_range(ids, "prefix_hashes", ("blocks",), 2**62, "number the blocks from 0")
    counts = per_request(blocks, "prefix_blocks", len(prompt_tokens))
    check_range(counts, "prefix_blocks", AXES, 2**31, "count the blocks of each prompt")
    if counts.sum() != len(ids):
        raise ValueError(
            f"prefix_blocks add up to {counts.sum()} for {len(ids)} prefix_hashes; give one hash "
            "a block"
        )
    most = -(-prompt_tokens.astype(np.int64) // size)
    if (counts > most).any():
        row = int(np.argmax(counts > most))
        raise ValueError(
            f"request {row} has {counts[row]} blocks of {size} tokens > {most[row]}, which hold "
            f"its {prompt_tokens[row]} prompt tokens; correct block_tokens"
        )
    return ids, counts, size
