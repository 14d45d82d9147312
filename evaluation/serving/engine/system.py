"""The serving system in event time: it moves every request from arrival to its last token.

The way of a request, where prompts and answers have executors of their own: it arrives, the prefill
stage chooses an executor, and the steps of that one compute the prompt (``PromptFinished``). The
decode stage chooses another executor. Once a DP group of it has memory (``TransferRequested``), the
keys and values are sent there, and its steps generate up to the last token (``RequestFinished``).
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from evaluation.serving.engine.events import (
    CapacityFreed,
    Event,
    PromptFinished,
    RequestFinished,
    RequestPreempted,
    TransferRequested,
)
from evaluation.serving.engine.kv_transfer import KvNetwork, KvTransfer
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.router_stage import DecodeStage, PrefillStage
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.engine.task_executor import RunningStep, TaskExecutor

Process = Generator[simpy.Event, Any, None]
#: Called before every step with the executor and the time; returns seconds of pause.
StepHook = Callable[[TaskExecutor, float], float]


@dataclass(frozen=True)
class ServingCluster:
    """Task executors, and how requests get to them.

    Parameters
    ----------
    executors
        All task executors, in the order of their numbers.
    prefill_stage, decode_stage
        Choose the executor that computes a prompt, and the one that generates.
    network
        Carries keys and values between them.
    """

    executors: Sequence[TaskExecutor]
    prefill_stage: PrefillStage
    decode_stage: DecodeStage
    network: KvNetwork


class System:
    """Moves requests between task executors; loses none and counts none twice.

    Only this class hands a request to an executor. Executors return events, which it handles in the
    order in which they are raised.

    Parameters
    ----------
    env
        Event time.
    requests
        State of every request.
    cluster
        Task executors and routers.
    steps
        Keeps steps and transfers of a time range, for the timeline; ``None``: keeps none.

    Attributes
    ----------
    hooks
        Called before every step of an executor that has work, as for a migration of weights.
    in_transfer
        Transfers under way, including void ones.
    arrived_count, finished_count
        Requests that have arrived, and that have finished.
    all_finished
        Event that the last request has finished.
    """

    def __init__(
        self,
        env: simpy.Environment,
        requests: RequestState,
        cluster: ServingCluster,
        steps: StepLog | None = None,
    ) -> None:
        self.env, self.requests, self.steps = env, requests, steps
        self.executors, self.network = cluster.executors, cluster.network
        self.prefill_stage = cluster.prefill_stage
        self.decode_stage = cluster.decode_stage
        self.hooks: list[StepHook] = []
        self.in_transfer = self.arrived_count = self.finished_count = 0
        self.all_finished = env.event()
        for executor in self.executors:
            env.process(self._run_steps(executor))
        env.process(self._arrive())
        telemetry_s = max(executor.telemetry_s for executor in self.executors)
        if telemetry_s > 0:
            env.process(self._report(telemetry_s))

    def _arrive(self) -> Process:
        for request, at_s in enumerate(self.requests.trace.arrival_s.tolist()):
            if at_s > self.env.now:
                yield self.env.timeout(at_s - self.env.now)
            self.arrived_count += 1
            self.requests.join_queue(request, self.env.now)
            self._route_prompt(request)

    def _report(self, telemetry_s: float) -> Process:
        """Retry whatever waits when reports are due, as routers may hold it on an older report."""
        while True:
            yield self.env.timeout(telemetry_s)
            self.prefill_stage.assigner.telemetry.expire()
            self.decode_stage.assigner.telemetry.expire()
            self.retry_waiting()
            for executor in self.executors:
                self._handle(executor, executor.report())

    def _run_steps(self, executor: TaskExecutor) -> Process:
        while True:
            pause_s = self._before_step(executor) if executor.has_work else 0.0
            if pause_s > 0:
                yield self.env.timeout(pause_s)
            step = executor.begin_step()
            if step is None:
                yield executor.idle()
                continue
            yield self.env.timeout(step.cost.total)
            if executor.epoch == step.epoch:  # else a fault has undone the step
                self._handle(executor, executor.end_step(step))
                self._log_step(executor, step)

    def _before_step(self, executor: TaskExecutor) -> float:
        """Call all hooks; return the seconds that the executor pauses for them."""
        return sum(hook(executor, self.env.now) for hook in self.hooks)

    def _log_step(self, executor: TaskExecutor, step: RunningStep) -> None:
        if self.steps is not None:
            prompt_tokens = int(step.work.prefill_tokens.sum())
            sequences = int(step.work.sequences.sum())
            self.steps.add(executor.number, step.start_s, step.cost, prompt_tokens, sequences)

    def _handle(self, executor: TaskExecutor, events: Iterable[Event]) -> None:
        """Handle the events of an executor, each before the next one is raised."""
        for event in events:
            match event:
                case RequestFinished():
                    self._count_finished()
                case PromptFinished(request):
                    self.requests.join_queue(request, self.env.now)
                    self._route_decode(request)
                case TransferRequested(request, group):
                    self._start_transfer(request, executor, group)
                case RequestPreempted(request):
                    self._requeue(request)
                case CapacityFreed():
                    self.retry_waiting()

    def _count_finished(self) -> None:
        self.finished_count += 1
        if self.finished_count == len(self.requests):
            self.all_finished.succeed()

    def _route_prompt(self, request: int) -> None:
        executor = self.prefill_stage.route(request, self.env.now)
        if executor is not None:
            executor.join_prefill(request)

    def _route_decode(self, request: int) -> None:
        executor = self.decode_stage.route(request, self.env.now)
        if executor is not None:
            self._handle(executor, executor.join_decode(request))

    def _requeue(self, request: int) -> None:
        """Route a request anew whose keys and values are lost."""
        self.requests.requeue(request, self.env.now)
        self._route_prompt(request)

    def retry_waiting(self) -> None:
        """Route requests that routers have held, as there may be free capacity now."""
        for request, executor in self.prefill_stage.retry(self.env.now):
            executor.join_prefill(request)
        for request, executor in self.decode_stage.retry(self.env.now):
            self._handle(executor, executor.join_decode(request))

    def retry_assignment(self, executor: TaskExecutor) -> None:
        """Ask the decode router of an executor about the requests that it holds.

        DP groups that come back have free capacity. If nothing runs, no step will end and say so.
        """
        self._handle(executor, executor.decode.assign(self.env.now))

    def _start_transfer(self, request: int, target: TaskExecutor, group: int) -> None:
        """Send the keys and values of a request to a DP group that has reserved memory for it."""
        requests, env = self.requests, self.env
        source = self.executors[int(requests.holder[request])]
        origin, attempt = int(requests.group[request]), int(requests.attempt[request])
        transfer = KvTransfer(request, attempt, source, origin, target, group)
        start_s, end_s = self.network.send(transfer, env.now, int(requests.need[request]))
        requests.start_transfer(request, end_s - start_s)
        self.in_transfer += 1
        if self.steps is not None:
            self.steps.add_transfer(request, source.number, target.number, start_s, end_s)
        arrival = env.timeout(end_s - env.now)
        arrival.callbacks.append(lambda _: self._end_transfer(transfer))

    def _end_transfer(self, transfer: KvTransfer) -> None:
        self.in_transfer -= 1
        if self.requests.attempt[transfer.request] != transfer.attempt:
            return  # one of its ends failed meanwhile, and the request has started over
        transfer.source.release_prompt(transfer.request, transfer.source_group)
        transfer.target.receive_cache(transfer.request, transfer.target_group)
        self.retry_waiting()

    def fail_groups(self, groups: Sequence[tuple[TaskExecutor, int]]) -> None:
        """Empty DP groups that have failed, and route anew all that they held or waited for.

        Requests on their way to such a group, whose cache is safe elsewhere, only choose again
        where they generate. All others are computed again.
        """
        held = self.requests.held_by({(executor.number, group) for executor, group in groups})
        lost = [executor.fail_group(group) for executor, group in groups]
        for executor in dict.fromkeys(executor for executor, _ in groups):
            if not executor.up.any():
                lost.append(executor.drain())
        self.decode_stage.withdraw(held)
        for request in held:
            for executor in self.executors:
                executor.decode.withdraw(request)
        recompute = dict.fromkeys(request for part in lost for request in part.recompute)
        recompute |= dict.fromkeys(held)
        reroute = dict.fromkeys(request for part in lost for request in part.reroute)
        for request in recompute:
            self._requeue(request)
        for request in reroute:
            if request not in recompute:
                self.requests.cancel_transfer(request)
                self._route_decode(request)

    def sample(self, samples: SampleLog) -> None:
        """Add a sample of every executor."""
        for executor in self.executors:
            samples.add(self.env.now, executor.number, *executor.take_sample())

    @property
    def stuck(self) -> bool:
        """Whether requests are left although nothing will ever happen again."""
        now_s = self.env.now
        idle = not any(
            executor.busy
            or (executor.halted and not executor.dead)
            or now_s <= executor.idle_since_s + executor.telemetry_s
            for executor in self.executors
        )
        return idle and self.arrived_count == len(self.requests) and not self.in_transfer
