"""Schedulers: routers, batch policies and rebalance policies."""

from lb.registry import Registry

#: Routers of the job executor: which task executor serves a request.
JOB = Registry(
    "job router",
    {
        "least-loaded": "schedulers.job.least_loaded:least_loaded",
        "pd-aware": "schedulers.job.pd_aware:PDAware",
        "prefix-aware": "schedulers.job.prefix_aware:PrefixAware",
        "random": "schedulers.job.random:Random",
        "round-robin": "schedulers.job.round_robin:round_robin",
    },
    "podlab.job_routers",
)

#: Routers of a prefill task executor: which DP group computes a prompt.
PREFILL = Registry(
    "prefill router",
    {
        "cache-aware": "schedulers.prefill.cache_aware:CacheAware",
        "collaborative": "schedulers.prefill.collaborative:Collaborative",
        "two-level": "schedulers.prefill.two_level:two_level",
    },
    "podlab.prefill_routers",
)

#: Routers of a decode task executor: which DP group generates a request's tokens.
DECODE = Registry(
    "decode router",
    {
        "assignment": "schedulers.decode.assignment:Assignment",
        "balance": "schedulers.decode.balance:Balance",
        "balance-ahead": "schedulers.decode.balance_ahead:BalanceAhead",
        "expert-locality": "schedulers.decode.expert_locality:ExpertLocality",
        "least-kv": "schedulers.decode.least_kv:least_kv",
        "least-requests": "schedulers.decode.least_requests:least_requests",
        "mask-least-kv": "schedulers.decode.mask_least_kv:mask_least_kv",
        "power-of-two": "schedulers.decode.power_of_two:PowerOfTwo",
        "round-robin": "schedulers.job.round_robin:round_robin",
    },
    "podlab.decode_routers",
)

BATCH = Registry(
    "batch policy",
    {
        "chunked": "schedulers.batch.chunked:chunked",
        "fcfs": "schedulers.batch.fcfs:fcfs",
        "shortest-first": "schedulers.batch.shortest_first:ShortestFirst",
    },
    "podlab.batch_policies",
)

REBALANCE = Registry(
    "rebalance policy",
    {
        "forecast-gain": "schedulers.rebalance:ForecastGain",
        "interval": "schedulers.rebalance:Interval",
        "never": "schedulers.rebalance:never",
        "threshold": "schedulers.rebalance:Threshold",
    },
    "podlab.rebalance",
)

make_job_router = JOB.make
make_prefill_router = PREFILL.make
make_decode_router = DECODE.make
make_batch_policy = BATCH.make
make_rebalance = REBALANCE.make
available_rebalance = REBALANCE.available

__all__ = [
    "BATCH",
    "DECODE",
    "JOB",
    "PREFILL",
    "REBALANCE",
    "available_rebalance",
    "make_batch_policy",
    "make_decode_router",
    "make_job_router",
    "make_prefill_router",
    "make_rebalance",
]
