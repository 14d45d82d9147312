"""Sessions: prompts that grow, blocks that are shared, times that wait for answers."""

import numpy as np
import pytest

from traces.arrivals import PoissonArrivals
from traces.lengths import LogNormalLengths
from traces.prefixes import repeated_blocks
from traces.sessions import Sessions

ARRIVALS = PoissonArrivals(1.0)
LENGTHS = LogNormalLengths(200, 100)


def fixed(said, answered):
    """A law of length that is always the same."""
    return lambda count: (np.full(count, said), np.full(count, answered))


def test_a_session_by_hand():
    """Two turns over a system prompt, block by block."""
    law = Sessions(
        lambda count: np.zeros(count), fixed(30, 20), turns=2.0, system_tokens=100, block_tokens=16
    )
    trace = law(40)
    session = int(np.argmax(np.bincount(trace.session) == 2))
    first, second = np.flatnonzero(trace.session == session)
    assert trace.prompt_tokens[first] == 130
    assert trace.prompt_tokens[second] == 180  # what was said and answered, and 30 more
    one, two = trace.prefix(first), trace.prefix(second)
    assert len(one) == 9  # 8 full blocks and 2 tokens
    assert len(two) == 12
    np.testing.assert_array_equal(one[:8], two[:8])
    assert one[8] not in two
    np.testing.assert_array_equal(one[:6], np.arange(6))  # the system prompt's, for all
    assert trace.arrival_s[second] >= trace.arrival_s[first] + 20 * 0.05


def test_other_sessions_share_the_system_prompt_alone():
    """Its full blocks are common, everything else is one session's."""
    law = Sessions(ARRIVALS, LENGTHS, system_tokens=1000, block_tokens=64)
    trace = law(200)
    row = np.repeat(np.arange(trace.num_requests), trace.prefix_blocks)
    common = trace.prefix_hashes < 1000 // 64
    assert (np.bincount(row[common]) == 1000 // 64).all()
    owners = {}
    for block, owner in zip(trace.prefix_hashes[~common], trace.session[row[~common]], strict=True):
        assert owners.setdefault(int(block), owner) == owner


def test_several_system_prompts():
    """Every session has one of them, about equally often."""
    law = Sessions(ARRIVALS, LENGTHS, system_tokens=640, system_prompts=4, block_tokens=64)
    trace = law(2000)
    first = trace.prefix_hashes[np.cumsum(trace.prefix_blocks) - trace.prefix_blocks]
    assert set(first) == {0, 10, 20, 30}
    kinds = {int(owner): int(block) for owner, block in zip(trace.session, first, strict=True)}
    counts = np.bincount(np.array(list(kinds.values())) // 10)
    assert (np.abs(counts - 500) < 5 * 500**0.5).all()


def test_turns_and_pauses_on_average():
    """Geometric turns; a turn comes after the answer and an exponential pause."""
    law = Sessions(ARRIVALS, LENGTHS, turns=5.0, think_s=12.0, longest=10**9, seed=1)
    trace = law(20_000)
    turns = np.bincount(trace.session)
    assert turns.mean() == pytest.approx(5.0, rel=0.03)
    assert turns.var() == pytest.approx(20.0, rel=0.1)
    order = np.lexsort((trace.arrival_s, trace.session))
    session, times = trace.session[order], trace.arrival_s[order]
    same = session[1:] == session[:-1]
    answer_s = trace.output_tokens[order][:-1] * 0.05
    pauses = (np.diff(times) - answer_s)[same]
    assert pauses.min() > -1e-6
    assert pauses.mean() == pytest.approx(12.0, rel=0.02)
    assert pauses.std() == pytest.approx(12.0, rel=0.02)


def test_prompts_grow_and_end_at_the_longest():
    """Every prompt holds the one before and its answer; none passes the bound."""
    trace = Sessions(ARRIVALS, LENGTHS, turns=20.0, longest=2000)(300)
    assert (trace.prompt_tokens + trace.output_tokens).max() <= 2000
    for session in range(300):
        rows = np.flatnonzero(trace.session == session)
        context = (trace.prompt_tokens + trace.output_tokens)[rows]
        assert (trace.prompt_tokens[rows][1:] > context[:-1]).all()


def test_longer_sessions_repeat_more():
    """The hits of a cache grow with the turns; a single turn without system prompt has none."""
    shares = []
    for turns in (1.0, 3.0, 9.0):
        trace = Sessions(ARRIVALS, LENGTHS, turns=turns, block_tokens=32)(500)
        shares.append(repeated_blocks(trace).sum() / trace.prefix_blocks.sum())
    assert shares[0] == 0.0
    assert 0.3 < shares[1] < shares[2]


def test_seeds_decide():
    """Equal seeds give equal sessions, others others."""
    assert (
        Sessions(ARRIVALS, LENGTHS)(30).content_hash == Sessions(ARRIVALS, LENGTHS)(30).content_hash
    )
    other = Sessions(ARRIVALS, LENGTHS, seed=1)(30)
    assert other.content_hash != Sessions(ARRIVALS, LENGTHS)(30).content_hash


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"turns": 0.5}, r"turns = 0\.5 is outside 1 <= turns"),
        ({"think_s": 0.0}, r"think_s = 0\.0 is outside 0 < think_s"),
        ({"token_s": -0.1}, r"token_s = -0\.1 is outside 0 <= token_s"),
        ({"system_tokens": -1}, "system_tokens = -1 < 0"),
        ({"system_prompts": 0}, "system_prompts = 0 < 1"),
        ({"block_tokens": 0}, "block_tokens = 0 < 1"),
        ({"longest": 20}, r"session 0 begins with \d+ tokens > longest = 20; raise longest"),
    ],
)
def test_wrong_parameters_are_refused(changes, text):
    """By the call; the constructor only stores."""
    with pytest.raises(ValueError, match=text):
        Sessions(ARRIVALS, LENGTHS, **changes)(5)
    with pytest.raises(ValueError, match="sessions = 0 < 1"):
        Sessions(ARRIVALS, LENGTHS)(0)
