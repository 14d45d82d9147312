"""Memory for keys and values of the DP groups of a task executor."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class KvMemory:
    """Tokens of key-value cache that requests hold in each DP group, in whole blocks.

    Parameters
    ----------
    capacity
        Tokens that one DP group holds at most.
    block_tokens
        Tokens of one block.
    running
        [groups] tokens of running sequences; the decode batch keeps this array up to date.

    Attributes
    ----------
    prompts
        [groups] tokens of prompts under way, and of computed ones that wait to be fetched.
    arriving
        [groups] tokens reserved for caches that are on their way to the group.
    """

    def __init__(self, capacity: int, block_tokens: int, running: Ints) -> None:
        groups = len(running)
        self.block_tokens, self.running = block_tokens, running
        self.capacity: Ints = np.full(groups, capacity, dtype=np.int64)
        self.prompts: Ints = np.zeros(groups, dtype=np.int64)
        self.arriving: Ints = np.zeros(groups, dtype=np.int64)

    @property
    def used(self) -> Ints:
        """[groups] tokens that requests hold or have reserved."""
        return self.prompts + self.running + self.arriving

    def free(self, group: int) -> int:
        """Return the tokens that a group has free; negative if its sequences have outgrown it."""
        used = self.prompts[group] + self.running[group] + self.arriving[group]
        return int(self.capacity[group] - used)

    def blocks(self, need: int) -> int:
        """Return the tokens that a request reserves that needs ``need`` tokens to decode.

        There is one token more, so that its next one finds memory.
        """
        return whole_blocks(need + 1, self.block_tokens)


def whole_blocks(tokens: int, block_tokens: int) -> int:
    """Return the tokens of the blocks that hold ``tokens``."""
    return -(-tokens // block_tokens) * block_tokens
