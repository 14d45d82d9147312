"""The longest cached prefix while load is balanced."""

from dataclasses import replace

import numpy as np
import pytest

from schedulers.job.prefix_aware import PrefixAware
from schedulers.testing.instances import asked, idle

REQUEST = asked([1_000], cached_tokens=np.array([[100, 800, 800]]))


@pytest.mark.parametrize(("extra", "chosen"), [(10_000, 1), (10_001, 0)])
def test_the_cache_is_followed_up_to_the_threshold(extra, chosen):
    """A difference of a tenth of the cache is balanced, one token more is not."""
    workers = replace(idle(3), kv_reserved=np.array([0, extra, extra]))
    assert PrefixAware(balanced_within=0.1)(REQUEST, workers).tolist() == [chosen]


def test_equal_matches_go_by_load():
    """Of two workers with the same prefix the less loaded one serves."""
    workers = replace(idle(3), kv_reserved=np.array([0, 900, 800]))
    assert PrefixAware()(REQUEST, workers).tolist() == [2]


def test_closed_workers_neither_match_nor_unbalance():
    """Neither the prefix nor the load of a worker that is down matters."""
    hits = asked([1_000], cached_tokens=np.array([[100, 50, 900]]))
    down = np.array([True, True, False])
    workers = replace(idle(3), up=down, kv_reserved=np.array([9_000, 0, 90_000]))
    assert PrefixAware()(hits, workers).tolist() == [0]
