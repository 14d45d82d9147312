"""The prefix cache of one DP group."""

from evaluation.serving.engine.prefix_cache import PrefixCache


def test_match_counts_leading_blocks_only():
    """A block that is here counts only if all blocks before it are here too."""
    cache = PrefixCache()
    cache.keep([1, 2, 3], 10)
    assert cache.match([1, 2, 9, 3]) == 2
    assert cache.match([9, 2, 3]) == 0
    assert cache.match([1, 2, 3, 4]) == 3
    assert cache.match([]) == 0


def test_match_does_not_refresh():
    """Looking alone keeps no block longer."""
    cache = PrefixCache()
    cache.keep([1], 2)
    cache.keep([2], 2)
    cache.match([1])
    cache.keep([3], 2)
    assert cache.match([1]) == 0
    assert cache.match([2]) == cache.match([3]) == 1


def test_keep_refreshes():
    """Blocks that are used again outlive those that are not."""
    cache = PrefixCache()
    cache.keep([1], 2)
    cache.keep([2], 2)
    cache.keep([1], 2)
    cache.keep([3], 2)
    assert cache.match([2]) == 0
    assert cache.match([1]) == cache.match([3]) == 1


def test_the_end_of_a_prompt_goes_first():
    """Of a prompt with more blocks than the capacity the first ones stay."""
    cache = PrefixCache()
    cache.keep([1, 2, 3, 4], 2)
    assert len(cache) == 2
    assert cache.match([1, 2, 3, 4]) == 2


def test_trim_to_zero_or_less():
    """A capacity of zero, or below zero, leaves no block."""
    cache = PrefixCache()
    cache.keep([1, 2], 2)
    cache.trim(-1)
    assert len(cache) == 0
    cache.keep([1, 2], 0)
    assert len(cache) == 0


def test_clear_forgets_all():
    """A cleared cache matches nothing."""
    cache = PrefixCache()
    cache.keep([1, 2], 2)
    cache.clear()
    assert (len(cache), cache.match([1, 2])) == (0, 0)
