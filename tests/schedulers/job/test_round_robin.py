"""Workers in turn."""

from dataclasses import replace

import numpy as np

from schedulers.job.round_robin import round_robin
from schedulers.testing.instances import asked, idle


def test_turn_goes_on_from_what_was_routed():
    """The counter is the caller's; one call of six equals six calls of one."""
    together = round_robin(asked([9] * 6), replace(idle(4), routed=3))
    apart = [round_robin(asked([9]), replace(idle(4), routed=3 + n))[0] for n in range(6)]
    assert together.tolist() == apart == [3, 0, 1, 2, 3, 0]


def test_workers_behind_a_closed_one_get_no_double_share():
    """With one of four down, the three others get a third each."""
    workers = replace(idle(4), up=np.array([True, False, True, True]))
    answer = round_robin(asked([9] * 12), workers)
    assert np.bincount(answer).tolist() == [4, 0, 4, 4]
