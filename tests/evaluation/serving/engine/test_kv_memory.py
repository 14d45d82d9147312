"""Memory for keys and values adds up, and requests reserve whole blocks."""

import numpy as np
import pytest

from evaluation.serving.engine.kv_memory import KvMemory, whole_blocks


@pytest.mark.parametrize(("tokens", "held"), [(0, 0), (1, 4), (4, 4), (5, 8)])
def test_whole_blocks(tokens, held):
    """A block is held whole as soon as it has one token."""
    assert whole_blocks(tokens, 4) == held


def test_a_request_reserves_memory_for_its_next_token():
    """Three tokens and the next one fill a block of 4; four tokens and the next one need two."""
    memory = KvMemory(100, 4, np.zeros(1, dtype=np.int64))
    assert [memory.blocks(need) for need in (3, 4)] == [4, 8]


def test_used_and_free_add_up_to_the_capacity():
    """Prompts, running sequences and caches on their way all take memory of their group."""
    running = np.zeros(2, dtype=np.int64)
    memory = KvMemory(100, 4, running)
    memory.prompts[0], memory.arriving[0], running[1] = 40, 8, 104
    assert memory.used.tolist() == [48, 104]
    assert [memory.free(group) for group in (0, 1)] == [52, -4]
