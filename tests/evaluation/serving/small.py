"""A serving system without hardware: steps cost what a test says."""

from dataclasses import dataclass

import numpy as np
import simpy

from evaluation.serving.engine.executor_setup import (
    ExecutorSetup,
    ExecutorShape,
    GroupSchedulers,
)
from evaluation.serving.engine.kv_transfer import KvNetwork, Ports
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.router_stage import DecodeStage, PrefillStage
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.engine.system import ServingCluster, System
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.engine.token_conditions import all_alike
from evaluation.serving.pricing.work import Cost
from evaluation.serving.results.conservation import check
from schedulers.batch.fcfs import fcfs
from schedulers.decode.mask_least_kv import mask_least_kv
from schedulers.job.least_loaded import least_loaded
from schedulers.prefill.two_level import two_level
from traces import RequestTrace

#: Tokens of cache that no test fills.
PLENTY = 10**12


@dataclass(frozen=True)
class Linear:
    """Seconds of a step: some, and more by prompt token and by sequence in decode."""

    step_s: float = 1.0
    prompt_token_s: float = 0.0
    sequence_s: float = 0.0

    def __call__(self, work):
        """Return the cost of a step, of which nothing is attention, experts or communication."""
        prompts, sequences = work.prefill_tokens.max(), work.sequences.max()
        total = self.step_s + self.prompt_token_s * prompts + self.sequence_s * sequences
        return Cost(float(total), 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """Some task executors of a role; with ``step_tokens`` of 1, prompts are computed one by one."""

    role: str
    price: Linear = Linear()
    count: int = 1
    groups: int = 1
    kv_capacity: int = PLENTY
    block_tokens: int = 1
    step_tokens: int = 1
    batch_limit: int = 64
    drafts: int = 0
    acceptance: float = 0.0

    def shape(self, copy):
        """Return the shape of one of them, with one die for each DP group."""
        return ExecutorShape(
            f"{self.role}-{copy}",
            self.role,
            self.groups,
            1.0,
            self.kv_capacity,
            self.block_tokens,
            self.step_tokens,
            self.batch_limit,
            self.drafts,
            self.acceptance,
        )


class Small:
    """A system that plays a trace.

    Parameters
    ----------
    trace
        The requests.
    parts
        Task executors.
    first, second
        Job routers of prompts and of generation.
    prefill, decode, policy
        Routers of DP groups and batch policy.
    telemetry_s
        Age of what routers see.
    cache_s
        Seconds that the cache of a token takes to transfer.
    sample_s
        Between samples.
    seed
        Of accepted drafts.
    """

    def __init__(
        self,
        trace,
        *parts,
        first=least_loaded,
        second=mask_least_kv,
        prefill=two_level,
        decode=mask_least_kv,
        policy=fcfs,
        telemetry_s=0.0,
        cache_s=0.0,
        sample_s=None,
        seed=0,
    ):
        self.env = env = simpy.Environment()
        self.requests = RequestState(trace, trace.output_tokens.astype(np.int64), all_alike(trace))
        self.log, self.steps = self.requests.log, StepLog(0.0, np.inf)
        schedulers = GroupSchedulers(prefill, decode, policy, telemetry_s)
        self.executors = []
        for part in parts:
            for copy in range(part.count):
                number = len(self.executors)
                random = np.random.default_rng([seed, number, 1])
                setup = ExecutorSetup(part.shape(copy), part.price, schedulers, random)
                self.executors.append(TaskExecutor(env, number, setup, self.requests))
        prompts = [one for one in self.executors if one.shape.role != "decode"]
        answers = [one for one in self.executors if one.shape.role != "prefill"]
        cluster = ServingCluster(
            self.executors,
            PrefillStage(prompts, first, self.requests, telemetry_s),
            DecodeStage(answers, second, self.requests, telemetry_s),
            KvNetwork(Ports(1.0, 0.0), lambda tokens: cache_s * tokens),
        )
        self.system = System(env, self.requests, cluster, self.steps)
        self.samples = SampleLog([one.shape.name for one in self.executors])
        self.sample_s = sample_s
        if sample_s is not None:
            env.process(self._sample())

    def _sample(self):
        while True:
            yield self.env.timeout(self.sample_s)
            self.system.sample(self.samples)

    def run(self, until_s=None):
        """Play on, by default to the last token, and check that nothing is lost; return self."""
        if until_s is not None:
            self.env.run(until_s)
            return self
        self.env.run(self.system.all_finished)
        self.system.sample(self.samples)
        check(self.log, self.env.now, 0)
        return self

    @property
    def ttft_s(self):
        """[requests] seconds from arrival to the first token."""
        return self.log.first_token_s - self.log.arrival_s

    @property
    def waited_s(self):
        """[requests] seconds from arrival to the first step of the prompt."""
        return self.log.prefill_start_s - self.log.arrival_s


def poisson(rate, count, seed, prompt=None, output=None):
    """Return requests that arrive at random; prompts and answers are of 1 token unless given."""
    arrival_s = np.cumsum(np.random.default_rng([seed, 9]).exponential(1 / rate, count))
    one = np.ones(count, dtype=np.int64)
    lengths = (one if tokens is None else tokens for tokens in (prompt, output))
    return RequestTrace(arrival_s, *lengths)
