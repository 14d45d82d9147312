"""The serving system in event time: arrivals, transfers, and who takes over from whom."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
import simpy

from evaluation.serving.engine.job_executor import Stage
from evaluation.serving.engine.kv_transfer import Ports
from evaluation.serving.engine.log import RequestLog, SampleLog, StepLog
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.step_totals import Totals
from evaluation.serving.engine.task_executor import TaskExecutor

#: Asked before every step: executor, now, to seconds of pause.
StepHook = Callable[[TaskExecutor, float], float]


class System:
    """Routes requests from arrival to last token; loses none and counts none twice.

    Parameters
    ----------
    env
        Event time.
    live, log
        State and record of every request.
    ports
        Of the plane that carries keys and values.
    cache_bytes
        Returns the bytes of keys and values of so many tokens.
    steps
        Keeps steps and transfers of a time range, for the timeline; ``None``: none.
    """

    def __init__(
        self,
        env: simpy.Environment,
        live: Live,
        log: RequestLog,
        ports: Ports,
        cache_bytes: Callable[[float], float],
        steps: StepLog | None = None,
    ) -> None:
        self.env, self.live, self.log, self.ports = env, live, log, ports
        self.cache_bytes, self.steps = cache_bytes, steps
        self.executors: Sequence[TaskExecutor] = ()
        self.hooks: list[StepHook] = []
        self.in_transfer = self.arrivals_seen = self.finished_count = 0
        self.all_finished = env.event()

    def connect(self, executors: Sequence[TaskExecutor], first: Stage, second: Stage) -> None:
        """Add the task executors and the job executor's two choices; requests then arrive."""
        self.executors, self.first, self.second = executors, first, second
        self.env.process(self._arrive())
        telemetry_s = max(one.telemetry_s for one in executors)
        if telemetry_s > 0:
            self.env.process(self._report(telemetry_s))

    def _report(self, telemetry_s: float) -> Generator[simpy.Event, Any, None]:
        """Ask for what is held whenever reports are due, else it waits though there is room."""
        while True:
            yield self.env.timeout(telemetry_s)
            self.first.board.expire()
            self.second.board.expire()
            self.room()
            for executor in self.executors:
                executor.reported()

    def _arrive(self) -> Generator[simpy.Event, Any, None]:
        for request, at_s in enumerate(self.live.trace.arrival_s.tolist()):
            if at_s > self.env.now:
                yield self.env.timeout(at_s - self.env.now)
            self.arrivals_seen += 1
            self.live.joined_s[request] = self.env.now
            self.first.route(request, self.env.now)

    def prompt_done(self, executor: TaskExecutor, request: int, group: int) -> None:
        """Choose who generates; the prompt's cache is held until it has been fetched."""
        self.live.joined_s[request] = self.env.now
        self.second.route(request, self.env.now)

    def receive(self, executor: TaskExecutor, request: int, group: int) -> None:
        """Send a request's keys and values to the group that has room for them."""
        live, env = self.live, self.env
        source = self.executors[int(live.holder[request])]
        origin = int(live.group[request])
        size = self.cache_bytes(float(live.need[request]))
        dies = source.kv_dies(origin), executor.kv_dies(group)
        ends = (source.number, origin), (executor.number, group)
        first_s = max(env.now, source.kv_from_s, executor.kv_from_s)
        start, end = self.ports.send(first_s, *ends, dies, size)
        self.in_transfer += 1
        self.log.transfers_s[request] += end - start
        if self.steps is not None:
            self.steps.add_transfer(request, source.number, executor.number, start, end)
        attempt = int(live.attempt[request])
        done = env.timeout(end - env.now)
        done.callbacks.append(
            lambda _: self._received(source, origin, executor, request, group, attempt)
        )

    def _received(
        self,
        source: TaskExecutor,
        origin: int,
        target: TaskExecutor,
        request: int,
        group: int,
        attempt: int,
    ) -> None:
        self.in_transfer -= 1
        if self.live.attempt[request] != attempt:
            return  # one of its ends failed meanwhile, and it has started over
        source.prefill.release(request, origin)
        source.wake()
        target.arrived(request, group)
        self.room()

    def finished(self, request: int) -> None:
        """Note the last token of a request."""
        if not np.isnan(self.log.finish_s[request]):
            raise RuntimeError(f"request {request} finished twice; this is a defect of podlab")
        self.log.finish_s[request] = self.env.now
        self.live.holder[request] = self.live.group[request] = -1
        self.finished_count += 1
        if self.finished_count == self.live.trace.num_requests:
            self.all_finished.succeed()

    def again(self, request: int) -> None:
        """Route a request anew that has lost its keys and values."""
        lost = int(self.live.done[request])
        if lost == self.live.need[request]:  # it generated too, and its last token is in no cache
            lost = int(self.live.trace.prompt_tokens[request] + self.live.generated[request]) - 1
        self.log.recomputed_tokens[request] += lost
        self.live.start_over(request)
        self.live.joined_s[request] = self.env.now
        self.first.route(request, self.env.now)

    def lose(self, groups: Sequence[tuple[TaskExecutor, int]]) -> None:
        """Take DP groups away that have failed: route anew all that they held or waited for.

        Requests on their way to such a group, whose cache is safe elsewhere, only choose again who
        generates them; all others are computed again.
        """
        gone = {(one.number, group) for one, group in groups}
        live = self.live
        held = [
            request
            for request in np.flatnonzero(live.holder >= 0).tolist()
            if (int(live.holder[request]), int(live.group[request])) in gone
        ]
        anew, again = [], []
        for one, group in groups:
            lost, later = one.lose(group)
            anew += lost
            again += later
        for one in {one.number: one for one, _ in groups}.values():
            if not one.up.any():
                anew, one.prefill.pool = anew + one.prefill.pool, []
                again, one.decode.pending = again + one.decode.pending, []
        self.second.backlog = [one for one in self.second.backlog if one not in set(held)]
        for request in held:
            for executor in self.executors:
                executor.withdraw(request)
        lost_requests = list(dict.fromkeys(anew + held))
        for request in lost_requests:
            self.again(request)
        for request in [one for one in dict.fromkeys(again) if one not in set(lost_requests)]:
            live.attempt[request] += 1  # what is under way for it goes nowhere
            self.second.route(request, self.env.now)

    def room(self) -> None:
        """Retry what was held for want of room."""
        if self.first.backlog:
            self.first.retry(self.env.now)
        if self.second.backlog:
            self.second.retry(self.env.now)

    def before_step(self, executor: TaskExecutor, now_s: float) -> float:
        """Ask everybody who wants to know of the coming step; return the pauses together."""
        return sum(hook(executor, now_s) for hook in self.hooks)

    def sample(self, samples: SampleLog) -> None:
        """Write down what all executors do."""
        for executor in self.executors:
            decode, prefill = executor.decode, executor.prefill
            early = len(decode.pending) + int(decode.waiting.sum())
            ready = sum(map(len, executor.ready))
            totals, executor.totals = executor.totals, Totals()
            samples.add(
                self.env.now,
                executor.number,
                early + prefill.queued + ready,
                int(executor.batch.count.sum()),
                int(executor.kv_used.sum()),
                int(executor.capacity.sum()),
                **vars(totals),
            )

    @property
    def stuck(self) -> bool:
        """Whether requests are left and nothing will ever happen again."""
        now_s = self.env.now
        idle = not any(
            one.busy or (one.halted and not one.dead) or now_s <= one.idle_since_s + one.telemetry_s
            for one in self.executors
        )
        arrived = self.arrivals_seen == self.live.trace.num_requests
        return idle and arrived and not self.in_transfer
