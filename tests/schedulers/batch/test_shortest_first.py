"""Short prompts first; waiting makes a prompt shorter."""

from schedulers.batch.shortest_first import ShortestFirst
from schedulers.testing.instances import queue


def test_short_prompts_overtake():
    """Without ageing, by length alone; the last is cut to the free tokens."""
    policy = ShortestFirst(aging_tokens_per_s=0)
    assert policy(queue([900, 300, 200]), 1_000).tolist() == [500, 300, 200]
    assert policy(queue([900, 300, 200], decoding=600), 1_000).tolist() == [0, 200, 200]


def test_waiting_makes_up_for_length():
    """Two seconds more of waiting are worth 600 tokens at 300 a second, and 598 at 299."""
    left = queue([800, 900, 200])  # they waited 3, 2 and 1 s
    assert ShortestFirst(299.0)(left, 200).tolist() == [0, 0, 200]
    assert ShortestFirst(301.0)(left, 200).tolist() == [200, 0, 0]


def test_equally_short_ones_keep_their_order():
    """The older of two goes first."""
    assert ShortestFirst(0.0)(queue([50, 50]), 50).tolist() == [50, 0]
