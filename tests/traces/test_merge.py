"""Merging and following: order, sessions, prefixes, domains."""

import numpy as np
import pytest

import traces
from tests.traces.test_requests import trace
from traces import RequestTrace, follow, merge


def test_merged_requests_are_in_order_of_arrival():
    """Equal times keep the order of the parts."""
    one = RequestTrace([0.0, 2.0], [1, 2], [1, 2])
    two = RequestTrace([0.0, 1.0], [3, 4], [3, 4])
    whole = merge([one, two])
    np.testing.assert_array_equal(whole.arrival_s, [0.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(whole.prompt_tokens, [1, 3, 4, 2])
    np.testing.assert_array_equal(whole.output_tokens, [1, 3, 4, 2])
    assert list(whole.columns) == ["arrival_s", "prompt_tokens", "output_tokens"]


def test_sessions_and_prefixes_stay_apart():
    """Numbers of the second part go on from those of the first."""
    whole = merge([trace(), trace()])
    np.testing.assert_array_equal(whole.session, [4, 9, -1, -1, 4, 9])
    np.testing.assert_array_equal(whole.prefix_blocks, [2, 2, 0, 0, 3, 3])
    np.testing.assert_array_equal(whole.prefix_hashes, [0, 1, 4, 5, 0, 2, 3, 4, 6, 7])
    assert whole.provenance == {"0 origin": "test", "1 origin": "test"}


def test_shared_prefixes_keep_their_ids():
    """Two halves of one recording make the whole again."""
    halves = [trace().slice(0, 2), trace().slice(2)]
    whole = merge([part.in_domain("x") for part in halves], share_prefixes=True)
    np.testing.assert_array_equal(whole.prefix_hashes, trace().prefix_hashes)


def test_domains_meet_by_name():
    """A name that both parts have is one domain."""
    one = RequestTrace([0.0], [1], [1]).in_domain("chat")
    whole = merge([trace(), one])
    assert whole.domain_names == ("code", "chat")
    np.testing.assert_array_equal(whole.domain, [1, 1, 0, 1])


def test_parts_without_sessions_or_prefixes():
    """Their requests are outside any session, and share nothing that is known."""
    bare = RequestTrace([1.0], [1], [1]).in_domain("law")
    whole = merge([bare, trace()])
    np.testing.assert_array_equal(whole.session, [4, -1, -1, 4])
    np.testing.assert_array_equal(whole.prefix_blocks, [2, 0, 0, 3])


def test_parts_that_do_not_go_together():
    """What differs is named, with how to fix it."""
    with pytest.raises(ValueError, match="merge got no traces"):
        merge([])
    with pytest.raises(ValueError, match=r"some parts have domains.*in_domain\(name\)"):
        merge([trace(), RequestTrace([0.0], [1], [1])])
    with pytest.raises(ValueError, match=r"block_tokens of the parts are \[50, 60\]"):
        merge(
            [trace(), trace(block_tokens=60, prefix_blocks=[2, 0, 2], prefix_hashes=[0, 1, 0, 2])]
        )


def test_following_counts_from_the_last_arrival():
    """The pause comes between."""
    whole = follow([trace(), trace(), trace()], pause_s=1.0)
    np.testing.assert_array_equal(whole.arrival_s, [0.0, 0.5, 2.0, 3.0, 3.5, 5.0, 6.0, 6.5, 8.0])
    with pytest.raises(ValueError, match=r"pause_s = -1\.0"):
        follow([trace()], -1.0)


def test_concat_follows():
    """traces.concat accepts all traces; kinds do not mix."""
    joined = traces.concat([trace(), trace()])
    assert joined.content_hash == follow([trace(), trace()]).content_hash
    routing = traces.RoutingTrace([[[1, 2]]], "toy", 1)
    for mixed in ([routing, trace()], [trace(), routing]):
        with pytest.raises(ValueError, match="trace 1 has kind"):
            traces.concat(mixed)
