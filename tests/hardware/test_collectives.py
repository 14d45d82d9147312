"""Dispatch and combine against the published rows."""

import numpy as np
import pytest

from hardware import Collectives, Fabric, Library, Model

FABRIC, MODEL = Fabric.preset("cloudmatrix384", 32), Model.preset("deepseek-v3")
COLLECTIVES = Collectives(FABRIC, MODEL, Library.preset("cann-ep"))


def _even(tokens: int) -> np.ndarray:
    """Token copies each of 32 ranks receives when every rank has ``tokens`` tokens."""
    return np.full(32, tokens * 8.0)


def test_message_formats_are_the_published_ones() -> None:
    """7.5 KB out and 14 KB back at hidden 7168 (arXiv:2506.12708v2)."""
    assert COLLECTIVES.dispatch_bytes == 7.5 * 1024
    assert COLLECTIVES.combine_bytes == 14 * 1024


def test_128_tokens_at_ep32_are_near_the_published_row() -> None:
    """133 and 146 µs published; three rows decided two rates each, so 5 % is allowed."""
    assert COLLECTIVES.dispatch_s(_even(128)) == pytest.approx(133e-6, rel=0.05)
    assert COLLECTIVES.combine_s(_even(128)) == pytest.approx(146e-6, rel=0.05)


def test_an_empty_exchange_pays_its_setup() -> None:
    """Counts are broadcast and awaited even when there is nothing to send."""
    setup = COLLECTIVES.library.dispatch["setup_s"]
    assert COLLECTIVES.dispatch_s(_even(0)) == setup
    assert COLLECTIVES.combine_s(_even(0)) == setup


def test_balance_is_never_slower_than_a_hot_rank() -> None:
    """The same copies, half of them on one rank, take longer; layers are priced one by one."""
    hot = np.full(32, 32 * 1024 / 62)
    hot[5] = 16 * 1024
    seconds = COLLECTIVES.dispatch_s(np.stack([_even(128), hot]))
    assert seconds[1] > seconds[0]
    combined = COLLECTIVES.combine_s(np.stack([_even(128), hot]))
    assert combined[1] > combined[0]


def test_weights_are_sent_at_the_measured_write_rate() -> None:
    """135 GB/s between servers (arXiv:2506.12708v2, Table 1)."""
    assert COLLECTIVES.send_bytes_per_s() == pytest.approx(135e9, rel=0.01)
