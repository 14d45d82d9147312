"""Any open worker, by lot."""

from dataclasses import replace

import numpy as np

from schedulers.job.random import Random
from schedulers.testing.instances import asked, idle


def test_open_workers_are_drawn_alike():
    """Four open workers of five get a quarter of 4,000 requests each, within 4 deviations."""
    workers = replace(idle(5, limit=4_000, capacity=10**6), up=np.arange(5) != 2)
    drawn = np.bincount(Random()(asked([1] * 4_000), workers), minlength=5)
    assert drawn[2] == 0
    assert (abs(np.delete(drawn, 2) - 1_000) < 4 * np.sqrt(4_000 * 3 / 16)).all()


def test_draws_depend_on_seed_and_count():
    """Calls one after another draw anew, and so does another seed."""
    count = 40

    def draws(seed):
        return [Random(seed)(asked([1]), replace(idle(9), routed=n))[0] for n in range(count)]

    assert draws(0) == draws(0)
    assert draws(0) != draws(1)
    assert len(set(draws(0))) > 4
