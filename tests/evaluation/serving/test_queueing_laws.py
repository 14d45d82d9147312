"""In degenerate deployments the simulation keeps the laws of queues."""

import math

import numpy as np
import pytest

from schedulers.views import HOLD
from tests.evaluation.serving.small import Linear, Part, Small, poisson

#: A prompt at a time, 1 ms a token.
SERVER = Part("prefill", Linear(0.0, 1e-3))


def first_idle(requests, workers):
    """Give one request to an idle worker and hold the others: one queue for all workers."""
    answer = np.full(len(requests), HOLD, dtype=np.int64)
    idle = np.flatnonzero(workers.running + workers.waiting == 0)
    answer[: len(idle)] = idle[: len(answer)]
    return answer


def mean_and_error(values, batches=20):
    """Return the mean of a steady series and its standard error, by batch means."""
    rows = values[: len(values) // batches * batches].reshape(batches, -1).mean(axis=1)
    return rows.mean(), rows.std(ddof=1) / math.sqrt(batches)


def erlang_c(servers, offered):
    """Return the chance of waiting at so many servers under an offered load in erlang."""
    terms = [offered**k / math.factorial(k) for k in range(servers + 1)]
    last = terms[-1] * servers / (servers - offered)
    return last / (sum(terms[:-1]) + last)


def exponential(servers, rho, count=8000, seed=1):
    """Return requests whose prompts take 1 s on average at 1 ms a token, and their executors."""
    tokens = np.random.default_rng([seed, 2]).exponential(1000, count)
    trace = poisson(servers * rho, count, seed, prompt=np.ceil(tokens).astype(np.int64))
    return trace, Part("prefill", Linear(0.0, 1e-3), count=servers)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.8])
def test_one_server_with_constant_steps_is_m_d_1(rho):
    """The mean wait is rho D / 2 (1 - rho), Pollaczek and Khinchine, within 3 standard errors."""
    waited = Small(poisson(rho, 20_000, 0), Part("prefill", Linear(1.0))).run().waited_s[500:]
    mean, error = mean_and_error(waited)
    assert error < 0.15 * mean
    assert abs(mean - rho / (2 * (1 - rho))) < 3 * error


def test_one_server_with_geometric_prompts_is_m_g_1():
    """The second moment counts: rate E[S^2] / 2 (1 - rho), within 3 standard errors."""
    prompt = np.random.default_rng(2).geometric(0.01, 20_000)
    small = Small(poisson(6.0, len(prompt), 2, prompt=prompt), SERVER).run()
    service = 1e-3 * prompt
    rate = len(prompt) / small.log.arrival_s[-1]
    expected = rate * np.mean(service**2) / (2 * (1 - rate * service.mean()))
    mean, error = mean_and_error(small.waited_s)
    assert error < 0.15 * mean
    assert abs(mean - expected) < 3 * error


@pytest.mark.parametrize("servers", [1, 3])
def test_one_queue_for_servers_of_exponential_prompts_is_m_m_c(servers):
    """Mean wait and chance of waiting are those of Erlang's C, within 3 standard errors."""
    rho = 0.7
    trace, part = exponential(servers, rho)
    waited = Small(trace, part, first=first_idle).run().waited_s[500:]
    chance = erlang_c(servers, servers * rho)
    for values, expected in (
        (waited, chance / (servers * (1 - rho))),
        ((waited > 1e-9).astype(float), chance),
    ):
        mean, error = mean_and_error(values)
        assert error < 0.15 * mean
        assert abs(mean - expected) < 3 * error


def test_least_loaded_is_between_one_queue_and_queues_apart():
    """Waits lie above those of one queue for all, and below those of c queues at random."""
    rho = 0.7
    trace, part = exponential(3, rho)
    mean, error = mean_and_error(Small(trace, part).run().waited_s[500:])
    assert mean > erlang_c(3, 3 * rho) / (3 * (1 - rho)) - 3 * error
    assert mean < rho / (1 - rho) - 3 * error


def test_littles_law_of_prefill_and_decode():
    """Requests there on average are the rate times the mean time there, within 3 %."""
    random = np.random.default_rng(2)
    count = 1500
    trace = poisson(1.0, count, 4, output=random.integers(2, 30, count))
    parts = Part("prefill", Linear(0.7)), Part("decode", Linear(0.5, 0, 0.01))
    small = Small(trace, *parts, sample_s=0.173).run()
    log, length_s = small.log, small.env.now
    for executor, column, stay_s in (
        (0, "waiting", log.first_token_s - log.arrival_s),
        (1, "running", log.finish_s - small.requests.entered_s),
    ):
        there = small.samples.of(executor)[column].mean()
        assert there > 1
        assert there == pytest.approx(count / length_s * stay_s.mean(), rel=0.03)


@pytest.mark.parametrize("servers", [2, 4])
def test_more_servers_wait_less_than_one(servers):
    """Servers at the same load each wait less than one alone would."""
    alone = Small(poisson(0.7, 4000, 4), Part("prefill", Linear(1.0))).run()
    many = Part("prefill", Linear(1.0), count=servers)
    together = Small(poisson(0.7 * servers, 4000, 4), many).run()
    assert together.waited_s.mean() < alone.waited_s.mean()
