"""Blocks of prompts that a DP group keeps after their requests have left."""

from collections import OrderedDict
from collections.abc import Sequence


class PrefixCache:
    """Least recently used blocks of one DP group, in memory that no request needs.

    Requests that use a cached block count it as theirs as well, so that what is shared between
    running requests is counted twice: an assumption, on the safe side.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many blocks are kept."""
        return len(self._blocks)

    def match(self, prefix: Sequence[int]) -> int:
        """Return how many leading blocks of ``prefix`` are here; this alone keeps none longer."""
        for number, block in enumerate(prefix):
            if block not in self._blocks:
                return number
        return len(prefix)

    def keep(self, prefix: Sequence[int], room: int) -> None:
        """Keep the blocks of ``prefix`` as the latest ones, of all blocks at most ``room``."""
        for block in reversed(prefix):  # the first blocks, which more prompts share, go last
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        self.trim(room)

    def trim(self, room: int) -> None:
        """Forget the longest unused blocks beyond ``room``."""
        while len(self._blocks) > max(room, 0):
            self._blocks.popitem(last=False)

    def clear(self) -> None:
        """Forget all, as when a die has failed."""
        self._blocks.clear()
