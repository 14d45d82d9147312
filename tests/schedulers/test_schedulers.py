"""Every registered router and batch policy conforms."""

import importlib.util

import pytest

import schedulers
from schedulers.testing import parametrize_with_batch_checks, parametrize_with_router_checks

#: Decode routers that are not written yet: only those may lack a module.
PENDING = {name for name in schedulers.DECODE.available() if name != "round-robin"}


def _written(name: str) -> bool:
    """Say whether the module of a decode router exists, for those that may lack it."""
    module = f"schedulers.decode.{name.replace('-', '_')}"
    return name not in PENDING or importlib.util.find_spec(module) is not None


def _routers():
    """Yield id and router of all three levels."""
    for level, registry in (
        ("job", schedulers.JOB),
        ("prefill", schedulers.PREFILL),
        ("decode", schedulers.DECODE),
    ):
        for name in registry.available():
            if level != "decode" or _written(name):
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
    from schedulers.testing.instances import QUEUES, SITUATIONS

    source = QUEUES["many"] if make is schedulers.make_batch_policy else SITUATIONS["busy"]
    with pytest.raises(ValueError, match=message):
        make(name, **params)(*source())
