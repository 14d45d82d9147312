"""Small request streams and routings for tests of workloads."""

import numpy as np

import traces
from traces import RequestTrace
from traces.arrivals import PoissonArrivals
from traces.generators import Law
from traces.lengths import LogNormalLengths
from traces.workload import LawRouting, RecordedRouting

TASKS = ("intent", "summary", "translation")


def poisson(count=400, rate=20.0, domains=(), seed=3):
    """Requests at random with prompts of 60 and answers of 40 tokens on average."""
    times = PoissonArrivals(rate, seed)(count)
    columns = LogNormalLengths(60, 40, seed=seed + 1)(count)
    if not domains:
        return RequestTrace(times, *columns)
    domain = np.random.default_rng(seed).integers(len(domains), size=count)
    return RequestTrace(times, *columns, domain=domain, domain_names=domains)


def concurrent(count, output, domains=("intent",), prompt=1):
    """Requests that all begin at once, their domains one after another."""
    domain = np.arange(count) % len(domains)
    lengths = (np.full(count, prompt), np.full(count, output))
    return RequestTrace(np.zeros(count), *lengths, domain=domain, domain_names=tuple(domains))


def small_law(**changes):
    """Routing of a law of 3 layers by 16 experts, top-2."""
    return LawRouting(Law(**{"layers": 3, "experts": 16, "top_k": 2, "skew": 0.7} | changes))


def recorded(tasks=TASKS):
    """The bundled tokens of DeepSeek-V2-Lite."""
    return RecordedRouting({task: traces.load(f"dsv2lite-{task}") for task in tasks})
