"""A task executor: DP groups that step together, in prefill, in decode or in both."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import simpy

from evaluation.serving.engine.assigner import Assigner
from evaluation.serving.engine.chunk import Chunk
from evaluation.serving.engine.decode import DecodeSide, LostRequests
from evaluation.serving.engine.decode_batch import DecodeBatch
from evaluation.serving.engine.events import (
    CapacityFreed,
    Event,
    PromptFinished,
    RequestFinished,
    RequestPreempted,
    TransferRequested,
)
from evaluation.serving.engine.executor_setup import ExecutorSetup
from evaluation.serving.engine.kv_memory import KvMemory
from evaluation.serving.engine.prefill import PrefillSide
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.sample_log import ExecutorState
from evaluation.serving.engine.step_totals import StepTotals
from evaluation.serving.pricing.work import Cost, Work
from schedulers.views import Workers


@dataclass(frozen=True, eq=False)
class RunningStep:
    """A step under way; it is void if ``epoch`` of the executor has risen meanwhile."""

    start_s: float
    work: Work
    cost: Cost
    chunks: list[Chunk]
    epoch: int


class TaskExecutor:
    """One engine: its DP groups wait for each other in every layer of every step.

    It never calls the rest of the system. Methods that change what others have to do return events,
    and :class:`evaluation.serving.engine.system.System` handles them.

    Parameters
    ----------
    env
        Event time.
    number
        Its index among the executors of the system.
    setup
        Size, price of steps and schedulers.
    requests
        State of every request.

    Attributes
    ----------
    up
        [groups] whether a DP group takes requests.
    kv_share
        [groups] share of the ports that carry a group's keys and values which works.
    kv_from_s
        Time before which no transfer from or to the executor starts.
    halted, dead
        Whether it is halted because of a fault, and whether it will never return.
    epoch
        Number of times that a step under way was lost.
    busy, idle_since_s
        Whether it steps, and since when it has not.
    ready
        By DP group, requests whose prompt was computed here and that generate here next.
    """

    def __init__(
        self, env: simpy.Environment, number: int, setup: ExecutorSetup, requests: RequestState
    ) -> None:
        shape, schedulers = setup.shape, setup.schedulers
        self.env, self.number, self.shape, self.price = env, number, shape, setup.price
        self.requests, self.telemetry_s = requests, schedulers.telemetry_s
        self.up = np.ones(shape.groups, dtype=bool)
        batch = DecodeBatch(shape, setup.random)
        self.memory = KvMemory(shape.kv_capacity, shape.block_tokens, batch.held)
        late_s = schedulers.telemetry_s
        to_prefill = Assigner(schedulers.prefill, self.prefill_workers, late_s, decode=False)
        to_decode = Assigner(schedulers.decode, self.decode_workers, late_s, decode=True)
        self.prefill = PrefillSide(
            requests, self.memory, to_prefill, schedulers.batch, shape.step_tokens
        )
        self.decode = DecodeSide(requests, self.memory, to_decode, batch)
        self.ready: list[list[int]] = [[] for _ in range(shape.groups)]
        self.totals = StepTotals()
        self.busy = self.halted = self.dead = False
        self.kv_share, self.kv_from_s = np.ones(shape.groups), 0.0
        self.idle_since_s, self.epoch = 0.0, 0
        self._wake = env.event()

    def kv_dies(self, group: int) -> float:
        """Dies whose ports carry a group's keys and values; broken links make them count less."""
        return float(self.shape.dies_per_group * self.kv_share[group])

    def prefill_workers(self) -> Workers:
        """Return the DP groups as a prefill router sees them."""
        return self.prefill.workers(self.up)

    def decode_workers(self) -> Workers:
        """Return the DP groups as a decode router sees them."""
        return self.decode.workers(self.up, self.prefill.waiting_tokens)

    def join_prefill(self, request: int) -> None:
        """Take in a request whose prompt is to be computed."""
        self.prefill.join(request, self.env.now)
        self.wake()

    def join_decode(self, request: int) -> list[TransferRequested]:
        """Take in a request that generates here; a group with memory for it fetches its cache."""
        return self.decode.join(request, self.env.now)

    def release_prompt(self, request: int, group: int) -> None:
        """Free the memory of a prompt whose keys and values have been fetched."""
        self.prefill.release(request, group)
        self.wake()

    def receive_cache(self, request: int, group: int) -> None:
        """Let a request run whose keys and values have arrived."""
        self.decode.arrive(request, group)
        self._start_decode(request, group)
        self.wake()

    def report(self) -> list[TransferRequested]:
        """Report anew to the routers, which may have held requests because of an older report."""
        for side in (self.prefill, self.decode):
            side.assigner.telemetry.expire()
        transfers = self.decode.assign(self.env.now)
        self.wake()
        return transfers

    def wake(self) -> None:
        """Go on stepping, if it was idle."""
        if not self._wake.triggered:
            self._wake.succeed()

    def halt(self) -> None:
        """Stop stepping, as when a die has failed; the step under way is lost."""
        self.halted = True
        self.epoch += 1

    def resume(self) -> None:
        """Step again."""
        self.halted = False
        self.wake()

    @property
    def has_work(self) -> bool:
        """Whether there are sequences to run or prompts to compute."""
        return bool(self.decode.batch.count.any() or self.prefill.queued)

    def begin_step(self) -> RunningStep | None:
        """Begin a step and return it, or ``None`` if there is nothing to do."""
        chunks = [] if self.halted else self._chunks()
        if not chunks and (self.halted or not self.decode.batch.count.any()):
            if self.busy:
                self.busy, self.idle_since_s = False, self.env.now
            return None
        self.busy = True
        self.decode.begin_step()
        work = self._work(chunks)
        return RunningStep(self.env.now, work, self.price(work), chunks, self.epoch)

    def idle(self) -> simpy.Event:
        """Return the event that the executor is woken up."""
        self._wake = self.env.event()
        return self._wake

    def _chunks(self) -> list[Chunk]:
        if self.shape.role == "decode":
            return []
        self.prefill.assign(self.env.now)
        return self.prefill.plan(self.env.now, self.decode.batch.count * (1 + self.shape.drafts))

    def _work(self, chunks: list[Chunk]) -> Work:
        batch = self.decode.batch
        tokens, context = np.zeros(len(batch.count)), np.zeros(len(batch.count))
        of_condition = self.requests.conditions.of_batch(batch)
        for chunk in chunks:
            tokens[chunk.group] += chunk.tokens
            context[chunk.group] += chunk.context
        self.requests.conditions.add_chunks(of_condition, chunks)
        running, contexts = batch.count.astype(np.float64), batch.context_sum.astype(np.float64)
        return Work(tokens, context, running, contexts, of_condition, self.env.now)

    def end_step(self, step: RunningStep) -> Iterator[Event]:
        """End a step: finish requests and prompts, preempt, and give free memory away.

        Every event must be handled before the next one is requested. A preempted request is
        routed at once, by routers that see the memory as it is before the next one is preempted.
        """
        ended: list[tuple[int, int]] = []
        emitted = 0
        if step.work.sequences.any():
            ended, emitted = self.decode.end_step(self.env.now)
        for request, group in ended:
            self.requests.finish(request, self.env.now)
            self.decode.leave(request, group)
            yield RequestFinished(request)
        prompts = [chunk for chunk in step.chunks if self.prefill.compute(chunk)]
        for chunk in prompts:
            yield from self._finish_prompt(chunk.request, chunk.group)
        freed = bool(ended or prompts)
        for event in self._preempt_overflow():
            freed = True
            yield event
        if freed:
            yield from self._use_free_capacity()
        self.totals.add(step.work, step.cost, emitted + len(prompts))

    def _finish_prompt(self, request: int, group: int) -> Iterator[Event]:
        """Finish a prompt, whose token may be the last one of its request."""
        now_s = self.env.now
        self.requests.finish_prompt(request, self.number, group, now_s)
        if self.requests.left(request) == 0:
            self.prefill.release(request, group)
            self.requests.finish(request, now_s)
            yield RequestFinished(request)
        elif self.shape.role == "both":
            self.ready[group].append(request)
        else:
            yield PromptFinished(request)

    def _preempt_overflow(self) -> Iterator[RequestPreempted]:
        """Preempt the youngest sequences of groups whose cache no longer fits.

        Prompts and caches on their way keep what they have reserved. So the last sequence, too, is
        preempted where they hold the rest. A sequence that has the group to itself stays: any
        request fits alone, or the scenario is refused.
        """
        memory, count = self.memory, self.decode.batch.count
        for group in np.flatnonzero(memory.used > memory.capacity).tolist():
            self.prefill.trim_prefixes(group)
            shared = memory.prompts[group] + memory.arriving[group] > 0
            while memory.free(group) < 0 and count[group] > (0 if shared else 1):
                yield RequestPreempted(self.decode.preempt_youngest(group))

    def _use_free_capacity(self) -> Iterator[Event]:
        """Let waiting requests have what others have left: own groups first, then routers."""
        for group in np.flatnonzero(self.decode.waiting).tolist():
            yield from self.decode.take(group)
        yield from self.decode.assign(self.env.now)
        if self.shape.role == "both":
            self._start_ready()
        yield CapacityFreed()

    def _start_ready(self) -> None:
        """Let requests whose prompt was computed here generate, where batches have places."""
        batch = self.decode.batch
        for group, waits in enumerate(self.ready):
            while waits and batch.count[group] < batch.limit:
                request = waits.pop(0)
                self.prefill.release(request, group)
                self.decode.expect(request, group)
                self._start_decode(request, group)

    def _start_decode(self, request: int, group: int) -> None:
        self.requests.start_decode(request, self.number, group, self.env.now)
        self.decode.start(request, group)

    def fail_group(self, group: int) -> LostRequests:
        """Empty a DP group whose cache is lost; return its requests."""
        prompts = self.prefill.fail_group(group)
        recompute, reroute = self.decode.fail_group(group)
        ready, self.ready[group] = self.ready[group], []
        return LostRequests(prompts + recompute + ready, reroute)

    def drain(self) -> LostRequests:
        """Return the requests that have no DP group yet, and forget them."""
        return LostRequests(self.prefill.drain_pool(), self.decode.drain_pending())

    def take_sample(self) -> tuple[ExecutorState, StepTotals]:
        """Return the state now, and the totals since the last sample; totals start again at 0."""
        decode, totals, self.totals = self.decode, self.totals, StepTotals()
        waiting = len(decode.pending) + int(decode.waiting.sum())
        state = ExecutorState(
            waiting=waiting + self.prefill.queued + sum(map(len, self.ready)),
            running=int(decode.batch.count.sum()),
            kv_used=int(self.memory.used.sum()),
            kv_capacity=int(self.memory.capacity.sum()),
        )
        return state, totals
