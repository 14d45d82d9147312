"""A law of routing whose domains are conditions of a law of loads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from traces.generators.law import Law
from traces.generators.loads.law import Conditions, LoadLaw


def routing_law(
    loads: LoadLaw,
    conditions: Sequence[Conditions],
    *,
    requests: int | None = None,
    request_steps: float = 1000.0,
    sample: int = 0,
    **fields: Any,
) -> Law:
    """Return the routing law whose domains choose experts as the conditions say.

    From it :mod:`traces.generators` draws counts and tokens, step by step. Give ``mix`` for tokens
    of all conditions at the same time, or ``schedule`` for one after another.

    Parameters
    ----------
    loads
        The law of loads.
    conditions
        A domain each: a condition, its name, or a mixture.
    requests
        Requests that run at a time. Their tokens are alike, so that loads wander around those of
        the law while some end and others begin: ``drift_sigma`` and ``steadiness`` follow from
        ``loads.sequence_correlation``. None: loads stand still.
    request_steps
        Steps that a request stays, the output tokens of a decode.
    sample
        Sample of requests, as for :meth:`LoadLaw.share`.
    fields
        Of :class:`traces.generators.Law`, such as ``step_tokens``, ``mix``, ``schedule``, ``seed``.

    Raises
    ------
    ValueError
        If there are no conditions, the law of loads knows one not, or a field is out of its range.
    """
    from traces.generators.inclusion import logits_of

    if not conditions:
        raise ValueError("no conditions are given; give at least one, such as decode_in1000out1000")
    chance = np.stack([loads.chance(condition, sample) for condition in conditions])
    logits = np.clip(logits_of(chance).round(4), -100, 100)
    wandering: dict[str, Any] = {}
    if requests is not None:
        if requests < 1:
            raise ValueError(f"requests = {requests} < 1; give those that run at a time, or None")
        mean = loads.top_k / loads.num_experts
        # the variance of a chance c is c (1 - c) r / N, so that its deviation relative to c falls
        # as the root of c does: steadiness 0.5
        relative = loads.sequence_correlation / requests * (1 - mean) / mean
        wandering = {
            "drift_sigma": round(float(np.sqrt(np.log1p(relative))), 5),
            "drift_steps": float(request_steps),
            "steadiness": 0.5,
        }
    return Law(
        loads.num_layers,
        loads.num_experts,
        loads.top_k,
        **{"model": loads.model, "logits": logits, "domains": len(logits), **wandering, **fields},
    )
