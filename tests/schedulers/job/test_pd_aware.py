"""Prefill and predicted decode work, then the prefix."""

from dataclasses import replace

import numpy as np

from schedulers.job.pd_aware import PDAware
from schedulers.testing.instances import asked, idle

# worker 0 waits for 4,000 prompt tokens, worker 1 has 2,000 tokens to generate
WORKERS = replace(
    idle(2),
    waiting_tokens=np.array([4_000, 0]),
    kv_used=np.array([4_000, 500]),
    kv_reserved=np.array([4_000, 2_500]),
)


def _router(prompt, output, **params):
    return PDAware(seconds_per_prompt_token=prompt, seconds_per_output_token=output, **params)


def test_prices_decide_between_prefill_and_decode():
    """The same workers: what costs more is avoided."""
    assert _router(1.0, 1.0, balanced_within_s=0)(asked([10]), WORKERS).tolist() == [1]
    assert _router(1.0, 3.0, balanced_within_s=0)(asked([10]), WORKERS).tolist() == [0]


def test_the_prefix_is_followed_where_balanced():
    """Seconds of work apart at most the threshold: the longest match; else the least work."""
    request = asked([1_000], cached_tokens=np.array([[900, 0]]))
    workers = replace(idle(2), waiting_tokens=np.array([2_000, 0]))
    assert _router(0.001, 0, balanced_within_s=2.0)(request, workers).tolist() == [0]
    assert _router(0.001, 0, balanced_within_s=1.9)(request, workers).tolist() == [1]


def test_where_unbalanced_the_hit_counts_as_work_saved():
    """A cache hit outweighs a backlog shorter than what it saves."""
    workers = replace(idle(2), waiting_tokens=np.array([500, 0]))
    for hit, chosen in ((501, 0), (499, 1)):
        request = asked([1_000], cached_tokens=np.array([[hit, 0]]))
        assert _router(1.0, 0, balanced_within_s=0)(request, workers).tolist() == [chosen]


def test_outputs_count_in_whole_buckets():
    """129 predicted tokens weigh as 256 in buckets of 128, and as 129 in buckets of 1."""
    router = _router(0.0, 1.0, balanced_within_s=0, bucket_tokens=128)
    workers = replace(idle(2), kv_reserved=np.array([200, 0]))
    # 256 > 200, so that the next goes to the other worker; 129 < 200, so that it does not
    assert router(asked([1, 1], outputs=129), workers).tolist() == [1, 0]
    fine = replace(router, bucket_tokens=1)
    assert fine(asked([1, 1], outputs=129), workers).tolist() == [1, 1]
