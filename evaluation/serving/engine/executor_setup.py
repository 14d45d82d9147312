"""What a task executor starts with: its size, the price of its steps, and its schedulers."""

from dataclasses import dataclass

import numpy as np

from evaluation.serving.pricing.work import Price
from schedulers.protocols import BatchPolicy, Router


@dataclass(frozen=True)
class ExecutorShape:
    """Size of a task executor.

    Parameters
    ----------
    name
        "prefill-0" …
    role
        "prefill", "decode" or "both".
    groups, dies_per_group
        Number of DP groups, and dies of each, counting those that compute attention.
    kv_capacity
        Tokens of key-value cache of one DP group.
    block_tokens
        Tokens of one block of the cache.
    step_tokens
        Most prompt tokens that one DP group computes in a step.
    batch_limit
        Most sequences that one DP group runs in decode.
    drafts, acceptance
        Draft tokens of a sequence in a step, and the chance that each is accepted; see
        :class:`evaluation.serving.engine.decode_batch.DecodeBatch`.
    """

    name: str
    role: str
    groups: int
    dies_per_group: float
    kv_capacity: int
    block_tokens: int
    step_tokens: int
    batch_limit: int
    drafts: int
    acceptance: float


@dataclass(frozen=True)
class GroupSchedulers:
    """Schedulers inside a task executor.

    Parameters
    ----------
    prefill, decode
        Routers that choose the DP group of a prompt, and of a request that generates.
    batch
        Chooses the prompt tokens of a step.
    telemetry_s
        Seconds between the reports that the routers see.
    """

    prefill: Router
    decode: Router
    batch: BatchPolicy
    telemetry_s: float = 0.0


@dataclass(frozen=True)
class ExecutorSetup:
    """What a task executor starts with.

    Parameters
    ----------
    shape
        Its size.
    price
        Returns the cost of a step.
    schedulers
        Of its DP groups.
    random
        Generator that draws which draft tokens are accepted.
    """

    shape: ExecutorShape
    price: Price
    schedulers: GroupSchedulers
    random: np.random.Generator
