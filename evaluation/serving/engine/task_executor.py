"""A task executor: DP groups that step together, in prefill, in decode or in both."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import simpy
from numpy.typing import NDArray

from evaluation.serving.engine.decode import DecodeSide
from evaluation.serving.engine.decode_batch import DecodeBatch
from evaluation.serving.engine.expert_affinity import Signatures
from evaluation.serving.engine.log import RequestLog, StepLog
from evaluation.serving.engine.prefill import UNLIMITED, Chunk, PrefillSide
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.step_totals import Totals
from evaluation.serving.engine.telemetry import Board
from evaluation.serving.pricing.work import Cost, Price, Work
from schedulers.protocols import BatchPolicy, Router
from schedulers.views import Requests, Workers

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """What a task executor is made of.

    Parameters
    ----------
    name
        "prefill-0" …
    role
        "prefill", "decode" or "both".
    groups, dies_per_group
        DP groups, and the dies of each, those that hold attention.
    kv_capacity
        Tokens of key-value cache of one DP group.
    block_tokens
        Tokens of one block of it.
    step_tokens
        Most tokens that one DP group computes in a step.
    batch_limit
        Most sequences that one DP group runs in decode.
    drafts, acceptance
        As in :class:`evaluation.serving.engine.decode_batch.DecodeBatch`.
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


class Surroundings(Protocol):
    """What a task executor tells the rest of the system."""

    def prompt_done(self, executor: "TaskExecutor", request: int, group: int) -> None:
        """Take over a request whose prompt is computed and that generates elsewhere."""
        ...

    def receive(self, executor: "TaskExecutor", request: int, group: int) -> None:
        """Send the keys and values of a request to a group of this executor."""
        ...

    def finished(self, request: int) -> None:
        """Note that a request has its last token."""
        ...

    def again(self, request: int) -> None:
        """Route a request anew, whose keys and values are lost."""
        ...

    def room(self) -> None:
        """Retry what no executor had room for."""
        ...

    def before_step(self, executor: "TaskExecutor", now_s: float) -> float:
        """Return seconds that the step loop stands still first, for a migration say."""
        ...


class TaskExecutor:
    """One engine: its DP groups wait for each other in every layer of every step.

    Parameters
    ----------
    env
        Event time.
    number, shape
        Which, and of what.
    price
        What its steps cost.
    routers
        Of prefill and of decode DP groups.
    policy
        Batch policy of prompts.
    live, log, steps
        State and record of every request; steps of a time range, or ``None``.
    telemetry_s
        Seconds between the reports that its routers see.
    domains
        How many domains requests come from.
    around
        The rest of the system.
    seed
        Of accepted drafts.
    features
        Returns the signatures of requests, or ``None``.
    """

    def __init__(
        self,
        env: simpy.Environment,
        number: int,
        shape: Shape,
        price: Price,
        routers: tuple[Router, Router],
        policy: BatchPolicy,
        live: Live,
        log: RequestLog,
        steps: StepLog | None,
        telemetry_s: float,
        domains: int,
        around: Surroundings,
        seed: int,
        features: Signatures | None = None,
    ) -> None:
        self.env, self.number, self.shape, self.price = env, number, shape, price
        self.live, self.log, self.steps, self.around = live, log, steps, around
        self.features = features
        groups = shape.groups
        width = 0 if features is None else features.features
        self.expert_load = np.zeros((groups, width))
        self.up = np.ones(groups, dtype=bool)
        self.capacity: Ints = np.full(groups, shape.kv_capacity, dtype=np.int64)
        self.decoding_domains: Ints = np.zeros(domains, dtype=np.int64)
        random = np.random.default_rng([seed, number, 1])
        batch = DecodeBatch(
            groups,
            shape.batch_limit,
            shape.drafts,
            shape.acceptance,
            shape.block_tokens,
            random,
        )
        self.prefill = PrefillSide(
            groups, routers[0], policy, shape.step_tokens, self.free, live, log, shape.block_tokens
        )
        self.decode = DecodeSide(batch, routers[1], self.free, self._receive, live, self._view)
        self.ready: list[list[int]] = [[] for _ in range(groups)]
        self.boards = (
            Board(self.prefill_workers, telemetry_s),
            Board(self.decode_workers, telemetry_s),
        )
        self.totals = Totals()
        self.busy = self.halted = self.dead = False
        self.kv_share, self.kv_from_s = np.ones(groups), 0.0
        self.telemetry_s, self.idle_since_s = telemetry_s, 0.0
        self.epoch = 0
        self._wake = env.event()
        env.process(self._run())

    @property
    def batch(self) -> DecodeBatch:
        """The running sequences."""
        return self.decode.batch

    def kv_dies(self, group: int) -> float:
        """Dies whose ports carry a group's keys and values; broken links make them count less."""
        return float(self.shape.dies_per_group * self.kv_share[group])

    @property
    def kv_used(self) -> Ints:
        """[groups] tokens of cache that requests hold or that are on the way."""
        return self.prefill.held + self.batch.held + self.decode.arriving_held

    def free(self, group: int) -> int:
        """Tokens of cache that a group has free."""
        used = self.prefill.held[group] + self.batch.held[group]
        return int(self.capacity[group] - used - self.decode.arriving_held[group])

    def prefill_workers(self) -> Workers:
        """Return the DP groups as a prefill router sees them."""
        side, used = self.prefill, self.kv_used
        limit = np.full(len(used), UNLIMITED, dtype=np.int64)
        return Workers(
            side.running,
            side.waiting,
            limit,
            side.waiting_tokens,
            used,
            np.maximum(used, side.expected + self.batch.held),
            self.capacity,
            self.up,
        )

    def decode_workers(self) -> Workers:
        """Return the DP groups as a decode router sees them."""
        side, used = self.decode, self.kv_used
        return Workers(
            self.batch.count,
            side.waiting,
            np.full(len(used), self.batch.limit, dtype=np.int64),
            self.prefill.waiting_tokens,
            used,
            np.maximum(used, side.expected),
            self.capacity,
            self.up,
            None if self.features is None else self.expert_load,
        )

    def join_prefill(self, request: int) -> None:
        """Take in a request whose prompt is to be computed."""
        self.prefill.join(request, self.env.now, self.boards[0])
        self.wake()

    def join_decode(self, request: int) -> None:
        """Take in a request that generates here; its cache is fetched once a group has room."""
        self.decode.join(request, self.env.now, self.boards[1])

    def arrived(self, request: int, group: int) -> None:
        """Let a request run whose cache has arrived."""
        self.decode.enter(request, group, self.env.now)
        self._entered(request, group)
        self.wake()

    def wake(self) -> None:
        """Go on stepping, if it stood still."""
        if not self._wake.triggered:
            self._wake.succeed()

    def reported(self) -> None:
        """Ask the routers again, which may have held requests on the word of an older report."""
        for board in self.boards:
            board.expire()
        self.decode.assign(self.env.now, self.boards[1])
        self.wake()

    def halt(self) -> None:
        """Stop stepping, as when a die has failed; the step under way comes to nothing."""
        self.halted = True
        self.epoch += 1

    def resume(self) -> None:
        """Step again."""
        self.halted = False
        self.wake()

    def lose(self, group: int) -> tuple[list[int], list[int]]:
        """Empty a group whose cache is lost.

        Returns
        -------
        lost, later
            Requests to compute anew, and those whose cache is still where it was computed.
        """
        prompts = self.prefill.drop(group)
        ran, later = self.decode.drop(group)
        for request in ran:
            self.decoding_domains[self.live.domain[request]] -= 1
        self.expert_load[group] = 0.0
        ready, self.ready[group] = self.ready[group], []
        return prompts + ran + ready, later

    def withdraw(self, request: int) -> None:
        """Forget a request that waits to generate here, wherever it waits."""
        side = self.decode
        if request in side.pending:
            side.pending.remove(request)
            return
        for group, waits in enumerate(side.deferred):
            if request in waits:
                waits.remove(request)
            elif request in side.inbound[group]:
                side.arrived(request, group)
            else:
                continue
            side.leave(request, group)
            return

    def _run(self) -> Generator[simpy.Event, Any, None]:
        while True:
            pause = self.around.before_step(self, self.env.now) if self._has_work() else 0.0
            if pause > 0:
                yield self.env.timeout(pause)
            chunks = [] if self.halted else self._chunks()
            if not chunks and (self.halted or not self.batch.count.any()):
                if self.busy:
                    self.busy, self.idle_since_s = False, self.env.now
                self._wake = self.env.event()
                yield self._wake
                continue
            self.busy = True
            self.decode.begin()
            work = self._work(chunks)
            cost, epoch, start = self.price(work), self.epoch, self.env.now
            yield self.env.timeout(cost.total)
            if self.epoch == epoch:
                self._end(work, cost, chunks, start)

    def _has_work(self) -> bool:
        return bool(self.batch.count.any() or self.prefill.queued)

    def _chunks(self) -> list[Chunk]:
        if self.shape.role == "decode":
            return []
        self.prefill.assign(self.env.now, self.boards[0])
        return self.prefill.plan(self.env.now, self.batch.count * (1 + self.shape.drafts))

    def _work(self, chunks: list[Chunk]) -> Work:
        batch = self.batch
        tokens, context = np.zeros(len(batch.count)), np.zeros(len(batch.count))
        domains = self.decoding_domains * (1.0 + self.shape.drafts)
        for chunk in chunks:
            tokens[chunk.group] += chunk.tokens
            context[chunk.group] += chunk.context
            domains[self.live.domain[chunk.request]] += chunk.tokens
        running, contexts = batch.count.astype(np.float64), batch.context_sum.astype(np.float64)
        return Work(tokens, context, running, contexts, domains.astype(np.float64))

    def _end(self, work: Work, cost: Cost, chunks: list[Chunk], start_s: float) -> None:
        """Book what a step has done, at its end."""
        emitted, freed = 0, False
        if work.sequences.any():
            ended, emitted = self.batch.step()
            self._second_tokens()
            for request, group in ended.tolist():
                self._finished(request, group)
            freed = len(ended) > 0
        for chunk in chunks:
            if self.prefill.computed(chunk):
                emitted += 1
                self._prompt_done(chunk.request, chunk.group)
                freed = True
        freed = self._spill() or freed
        if freed:
            self._use_room()
        self.totals.add(work, cost, emitted)
        if self.steps is not None:
            sequences = int(work.sequences.sum())
            prompt_tokens = int(work.prefill_tokens.sum())
            self.steps.add(self.number, start_s, cost, prompt_tokens, sequences)

    def _second_tokens(self) -> None:
        fresh, second = self.decode.first_step, self.log.second_token_s
        for request in fresh:
            if np.isnan(second[request]):
                second[request] = self.env.now
        fresh.clear()

    def _finished(self, request: int, group: int) -> None:
        self.live.generated[request] = self.live.trace.output_tokens[request]
        self.decode.leave(request, group)
        self._left(request)
        self.around.finished(request)

    def _prompt_done(self, request: int, group: int) -> None:
        """Note a token: the first at the end of a prompt, the next at that of a recompute."""
        live, log = self.live, self.log
        live.generated[request] += 1
        if np.isnan(log.first_token_s[request]):
            log.first_token_s[request] = self.env.now
            log.prefill_executor[request], log.prefill_group[request] = self.number, group
        elif np.isnan(log.second_token_s[request]):
            log.second_token_s[request] = self.env.now
        if live.left(request) == 0:
            self.prefill.release(request, group)
            self.around.finished(request)
            return
        live.holder[request], live.group[request] = self.number, group
        if self.shape.role == "both":
            self.ready[group].append(request)
        else:
            self.around.prompt_done(self, request, group)

    def _spill(self) -> bool:
        """Send away the youngest sequences of groups whose cache no longer fits.

        Prompts and caches on their way keep what they have reserved, so that the last sequence,
        too, goes where others hold the rest. One that has the group to itself stays: any request
        fits alone, or the scenario is refused.
        """
        over, found = self.kv_used > self.capacity, False
        if not over.any():
            return False
        for group in np.flatnonzero(over).tolist():
            cache = self.prefill.caches[group]
            cache.trim(0)
            shared = self.prefill.held[group] + self.decode.arriving_held[group] > 0
            while self.free(group) < 0 and self.batch.count[group] > (0 if shared else 1):
                request = self.decode.youngest(group)
                self.preempt(request, group)
                found = True
        return found

    def preempt(self, request: int, group: int) -> None:
        """Take a running sequence out; all that it has read and generated is computed again."""
        left = self.batch.remove(request, group)
        self.live.generated[request] = self.live.trace.output_tokens[request] - left
        self.decode.leave(request, group)
        self._left(request)
        self.log.preemptions[request] += 1
        if request in self.decode.fresh:
            self.decode.fresh.remove(request)
        self.around.again(request)

    def _use_room(self) -> None:
        for group in np.flatnonzero(self.decode.waiting).tolist():
            self.decode.take(group)
        self.decode.assign(self.env.now, self.boards[1])
        if self.shape.role == "both":
            self._start_ready()
        self.around.room()

    def _start_ready(self) -> None:
        """Let prompts that were computed here generate, where their groups have places."""
        for group, waits in enumerate(self.ready):
            while waits and self.batch.count[group] < self.batch.limit:
                request = waits.pop(0)
                need = int(self.live.need[request])
                self.prefill.release(request, group)
                self.decode.expected[group] += need + self.live.predicted[request]
                self.decode.start(request, group, self.env.now)
                self._entered(request, group)

    def _entered(self, request: int, group: int) -> None:
        self.decoding_domains[self.live.domain[request]] += 1
        self.log.decode_executor[request], self.log.decode_group[request] = self.number, group
        self.live.holder[request], self.live.group[request] = self.number, group
        if self.features is not None:
            self.expert_load[group] += self.features(np.array([request]))[0]

    def _left(self, request: int) -> None:
        if self.features is not None:
            self.expert_load[self.live.group[request]] -= self.features(np.array([request]))[0]
        self.decoding_domains[self.live.domain[request]] -= 1
        self.live.holder[request] = self.live.group[request] = -1

    def _receive(self, request: int, group: int) -> None:
        self.around.receive(self, request, group)

    def _view(self, requests: list[int], now_s: float) -> Requests:
        signature = None if self.features is None else self.features(np.array(requests))
        return self.live.view(requests, now_s, signature=signature)
