"""Prefixes that prompts share with earlier prompts."""

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace


def repeated_blocks(trace: RequestTrace) -> NDArray[np.int64]:
    """Return the leading blocks of each prompt that an earlier request had, [requests].

    These are the hits of a prefix cache that forgets nothing; the last block of a prompt counts
    even if it is not full.

    Raises
    ------
    ValueError
        If the trace has no prefix hashes.
    """
    if trace.prefix_hashes is None or trace.prefix_blocks is None:
        raise ValueError("the trace has no prefix_hashes; shared prefixes are not known")
    blocks = trace.prefix_blocks
    row = np.repeat(np.arange(trace.num_requests), blocks)
    # The row that first had each block.
    _, first, which = np.unique(trace.prefix_hashes, return_index=True, return_inverse=True)
    place = np.arange(len(row)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    found = blocks.copy()
    new = row[first][which] == row  # nobody before had this block
    np.minimum.at(found, row[new], place[new])
    return found
