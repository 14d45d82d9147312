"""In degenerate deployments the simulation keeps the laws of queues."""

import math

import numpy as np
import pytest
import simpy

import schedulers
from evaluation.serving.job_executor import Stage
from evaluation.serving.live import Live
from evaluation.serving.log import RequestLog
from evaluation.serving.system import System
from evaluation.serving.task_executor import Shape, TaskExecutor
from evaluation.serving.transfer import Ports
from evaluation.serving.work import Cost
from traces import RequestTrace

#: Seconds of one prompt token.
TOKEN_S = 0.001


def _price(work):
    """Prompts cost their tokens, decode a hundredth of a second a step, and nothing else."""
    seconds = TOKEN_S * float(work.prefill_tokens.max()) + 0.01 * bool(work.sequences.any())
    return Cost(seconds, seconds, seconds, 0.0, 0.0, 0.0)


def _whole(queue, step_tokens):
    """Compute the oldest prompt alone and whole."""
    tokens = np.zeros(len(queue), dtype=np.int64)
    tokens[:1] = queue.left_tokens[:1]
    return tokens


def _serve(trace, servers=1, kv_tokens=10**9, limit=10**4, role="both", telemetry_s=0.0):
    """Serve a trace on executors of one DP group each; role "both" needs no transfer."""
    env = simpy.Environment()
    live = Live(trace, trace.output_tokens.astype(np.int64))
    log = RequestLog(trace)
    system = System(env, live, log, Ports(1e9, 0.001), lambda tokens: 1e6 * tokens)
    routers = schedulers.make_prefill_router("two-level"), schedulers.make_decode_router("least-kv")
    roles = ["both"] * servers if role == "both" else ["prefill"] * servers + ["decode"]
    executors = []
    for number, own in enumerate(roles):
        shape = Shape(f"{own}-{number}", own, 1, 1, kv_tokens, 1, 10**9, limit, 0, 1.0)
        executors.append(
            TaskExecutor(
                *(env, number, shape, _price, routers, _whole, live, log, None, telemetry_s),
                *(1, system, 0),
            )
        )
    first = [one for one in executors if one.shape.role != "decode"]
    second = [one for one in executors if one.shape.role != "prefill"]
    router = schedulers.make_job_router("least-loaded")
    system.connect(
        executors,
        Stage(first, router, live, telemetry_s, TaskExecutor.join_prefill, decode=False),
        Stage(second, router, live, telemetry_s, TaskExecutor.join_decode, decode=True),
    )
    env.run(system.all_finished)
    return log, system


def _poisson(rate, count, seed, prompts):
    random = np.random.default_rng(seed)
    arrival = random.exponential(1 / rate, count).cumsum()
    return RequestTrace(arrival, prompts(random, count), np.ones(count, dtype=np.int64))


def _always(tokens):
    return lambda random, count: np.full(count, tokens)


def _batch_error(values, batches=20):
    """Standard error of the mean of a correlated series, by batch means."""
    means = [part.mean() for part in np.array_split(values, batches)]
    return np.std(means, ddof=1) / math.sqrt(batches)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_md1_waiting_time(load):
    """Prompts alike and Poisson arrivals wait ρ s / 2 (1 − ρ) on average (Pollaczek, Khinchine)."""
    log, _ = _serve(_poisson(load / 0.1, 20_000, 1, _always(100)))
    waited = log.prefill_start_s - log.arrival_s
    expected = load * 0.1 / (2 * (1 - load))
    assert abs(waited.mean() - expected) < 3.5 * _batch_error(waited)


def test_mg1_waiting_time():
    """With geometric prompts the second moment counts: λ E[S²] / 2 (1 − ρ)."""
    log, _ = _serve(_poisson(6.0, 20_000, 2, lambda random, count: random.geometric(0.01, count)))
    service = log.prompt_tokens * TOKEN_S
    rate = len(log) / log.arrival_s[-1]
    expected = rate * np.mean(service**2) / (2 * (1 - rate * service.mean()))
    waited = log.prefill_start_s - log.arrival_s
    assert abs(waited.mean() - expected) < 3.5 * _batch_error(waited)


def test_littles_law():
    """Mean requests in the system are the arrival rate times the mean time in it."""
    log, _ = _serve(_poisson(7.0, 4_000, 3, _always(100)))
    end = log.finish_s.max()
    times = np.sort(np.concatenate([log.arrival_s, log.finish_s]))
    present = np.searchsorted(np.sort(log.arrival_s), times, "right")
    present = present - np.searchsorted(np.sort(log.finish_s), times, "right")
    area = float((present[:-1] * np.diff(times)).sum())
    rate = len(log) / end
    assert area / end == pytest.approx(rate * (log.finish_s - log.arrival_s).mean(), rel=1e-9)


@pytest.mark.parametrize("servers", [2, 4])
def test_more_servers_wait_less_than_one(servers):
    """Servers at the same load each wait less than one alone would."""
    one = _serve(_poisson(7.0, 4_000, 4, _always(100)))[0]
    many = _serve(_poisson(7.0 * servers, 4_000, 4, _always(100)), servers)[0]
    waits = [(log.prefill_start_s - log.arrival_s).mean() for log in (one, many)]
    assert waits[1] < waits[0]


def test_waiting_grows_with_load():
    """The same requests, arriving faster, wait longer."""
    trace = _poisson(5.0, 3_000, 5, _always(100))
    waits = []
    for factor in (0.5, 1.0, 1.5):
        log = _serve(trace.rescale(factor))[0]
        waits.append((log.first_token_s - log.arrival_s).mean())
    assert waits[0] < waits[1] < waits[2]


def _answers(count, seed=6):
    random = np.random.default_rng(seed)
    arrival = random.exponential(0.05, count).cumsum()
    return RequestTrace(arrival, random.integers(5, 40, count), random.integers(1, 30, count))


@pytest.mark.parametrize("role", ["both", "apart"])
@pytest.mark.parametrize("kv_tokens", [80, 10_000])
def test_nothing_is_lost_where_cache_is_short(role, kv_tokens):
    """With cache for one request or for all, everyone gets all tokens once, and cache is free."""
    log, system = _serve(_answers(200), kv_tokens=kv_tokens, role=role)
    assert log.finished.all()
    assert (system.live.generated == log.output_tokens).all()
    for executor in system.executors:
        assert executor.kv_used.sum() == 0
        assert executor.decoding_domains.sum() == 0
        assert executor.prefill.waiting_tokens.sum() == executor.decode.expected.sum() == 0


def test_preemption_recomputes():
    """Sequences that outgrow the cache start over, and finish."""
    trace = RequestTrace(np.zeros(3), np.full(3, 10), np.full(3, 60))
    log, _ = _serve(trace, kv_tokens=100)
    assert log.finished.all()
    assert log.preemptions.sum() > 0
    assert log.recomputed_tokens.sum() > 0


def test_deferred_receive_holds_the_prompt():
    """Where decode has room for one, the next prompt is sent when that one has finished."""
    trace = RequestTrace(np.zeros(2), np.full(2, 50), np.full(2, 10))
    log, _ = _serve(trace, kv_tokens=110, limit=1, role="apart")
    first, second = np.sort(log.finish_s)
    assert second - first > 9 * 0.01
    assert log.transfers_s == pytest.approx(np.full(2, 0.001 + 50e6 / 1e9))


def test_stale_reports_still_serve_all():
    """Old telemetry changes who serves, not whether."""
    log, _ = _serve(_answers(200), servers=3, role="apart", telemetry_s=2.0)
    assert log.finished.all()
