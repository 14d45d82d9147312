"""Small requests and workers for tests of decode routers."""

import numpy as np

from schedulers.views import Requests, Workers


def requests(prompts, outputs=None, *, waited_s=None, signature=None):
    """Requests of these prompts, 10 output tokens each unless told."""
    count = len(prompts)
    return Requests(
        number=np.arange(count, dtype=np.int64),
        waited_s=np.zeros(count) if waited_s is None else np.array(waited_s, dtype=np.float64),
        prompt_tokens=np.array(prompts, dtype=np.int64),
        output_tokens=np.array([10] * count if outputs is None else outputs, dtype=np.int64),
        signature=None if signature is None else np.array(signature, dtype=np.float64),
    )


def workers(kv_used, *, running=None, limit=100, reserved=None, capacity=10**6, **others):
    """Workers that hold these tokens, one running request each unless told, all of them up."""
    count = len(kv_used)
    used = np.array(kv_used, dtype=np.int64)
    running = np.ones(count, dtype=np.int64) if running is None else np.array(running, np.int64)
    up = others.pop("up", [True] * count)
    expert_load = others.pop("expert_load", None)
    return Workers(
        running=running,
        waiting=np.zeros(count, dtype=np.int64),
        request_limit=np.broadcast_to(np.array(limit, dtype=np.int64), count).copy(),
        waiting_tokens=np.zeros(count, dtype=np.int64),
        kv_used=used,
        kv_reserved=used + 10 * running if reserved is None else np.array(reserved, np.int64),
        kv_capacity=np.broadcast_to(np.array(capacity, dtype=np.int64), count).copy(),
        up=np.array(up, dtype=np.bool_),
        expert_load=None if expert_load is None else np.array(expert_load, dtype=np.float64),
        **others,
    )
