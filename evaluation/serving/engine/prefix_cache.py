"""Prefix cache of a DP group: blocks of prompts that stay after their requests have left."""

from collections import OrderedDict
from collections.abc import Sequence


class PrefixCache:
    """Blocks of one DP group in memory that no request needs; the least recently used go first.

    A request that uses a cached block reserves memory for it as well. So a block that running
    requests share is counted more than once: an assumption, on the safe side.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many blocks are kept."""
        return len(self._blocks)

    def match(self, prefix: Sequence[int]) -> int:
        """Return how many leading blocks of ``prefix`` are cached; this does not count as a use."""
        for number, block in enumerate(prefix):
            if block not in self._blocks:
                return number
        return len(prefix)

    def keep(self, prefix: Sequence[int], capacity: int) -> None:
        """Keep the blocks of ``prefix`` as the latest ones, and at most ``capacity`` blocks."""
        # More prompts share the first blocks, so these count as used last and stay longest.
        for block in reversed(prefix):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        self.trim(capacity)

    def trim(self, capacity: int) -> None:
        """Forget the least recently used blocks until ``capacity`` blocks are left."""
        while len(self._blocks) > max(capacity, 0):
            self._blocks.popitem(last=False)

    def clear(self) -> None:
        """Forget all blocks, as when a die has failed."""
        self._blocks.clear()
