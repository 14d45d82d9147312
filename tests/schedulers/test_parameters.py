"""Parameters of routers and batch policies are checked when they are asked."""

import pytest

import schedulers
from schedulers.testing import QUEUES, SITUATIONS


@pytest.mark.parametrize(
    ("make", "name", "params", "message"),
    [
        (schedulers.make_job_router, "random", {"seed": -1}, "seed = -1 < 0"),
        (schedulers.make_job_router, "prefix-aware", {"balanced_within": -1}, "balanced_within"),
        (schedulers.make_job_router, "pd-aware", {"bucket_tokens": 0}, "bucket_tokens = 0 < 1"),
        (schedulers.make_job_router, "pd-aware", {"balanced_within_s": "1"}, "not a finite number"),
        (schedulers.make_prefill_router, "cache-aware", {"long_workers": 0}, "long_workers = 0"),
        (schedulers.make_prefill_router, "collaborative", {"step_tokens": 0}, "step_tokens = 0"),
        (schedulers.make_prefill_router, "collaborative", {"seconds_per_pair": -1}, "per_pair"),
        (schedulers.make_batch_policy, "shortest-first", {"aging_tokens_per_s": -1}, "aging"),
    ],
)
def test_bad_parameters_are_refused(make, name, params, message):
    """A ValueError names the parameter and the bound, when the scheduler is asked."""
    source = QUEUES["many"] if make is schedulers.make_batch_policy else SITUATIONS["busy"]
    with pytest.raises(ValueError, match=message):
        make(name, **params)(*source())
