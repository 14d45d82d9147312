"""The parent's side of a program's process: start it, ask it under limits, end it, say why."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lb
from evaluation.candidates.sandbox import wire
from evaluation.candidates.sandbox.environment import apart, environment
from evaluation.candidates.sandbox.limits import MEBIBYTE, Limits
from evaluation.candidates.sandbox.output import Output
from evaluation.candidates.sandbox.process_group import kill, members
from evaluation.candidates.sandbox.program_error import Raised

#: Seconds between two looks at how many processes there are, and at whether it lives.
LOOK_S = 0.1


class Process:
    """A program in a process of its own.

    Parameters
    ----------
    path, name
        The user's file and the callable in it.
    seed
        Given to a class that takes one.
    limits
        What it may use.

    Raises
    ------
    TimeoutError, Raised, RuntimeError
        If it is not loaded within its limits, with the reason in words.
    """

    def __init__(self, path: Path, name: str, seed: int, limits: Limits) -> None:
        self.limits = limits
        self.calls = 0
        self._look_at = time.monotonic() + LOOK_S
        folder = tempfile.mkdtemp(prefix="podlab-program-")
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        said = {
            "path": str(path.resolve()),
            "name": name,
            "seed": seed,
            "limits": asdict(limits),
            "requests": requests,
            "answers": answers,
        }
        command = [sys.executable, "-m", "evaluation.candidates.sandbox.child", json.dumps(said)]
        try:
            self._popen = subprocess.Popen(
                [*(apart() if limits.isolate else ()), *command],
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(requests, answers),
                start_new_session=True,
            )
        finally:
            os.close(requests)
            os.close(answers)
        assert self._popen.stdout is not None
        self.output = Output(self._popen.stdout.fileno(), limits.output_bytes)
        os.set_blocking(self._requests, False)
        _widen(self._requests)
        _widen(self._answers)
        pipes = (self._requests, self._answers)
        self.close = weakref.finalize(self, _end, self._popen, pipes, folder)
        try:
            raw = self._reply([], wire.READY, wire.MOST_WORDS, limits.start_s, "loading")
            self.about: dict[str, Any] = json.loads(raw)
        except (ValueError, RecursionError) as error:
            self.close()
            raise RuntimeError(f"the program did not start as one: {error}") from None

    def ask(self, payload: bytes, most: int, seconds: float) -> bytes:
        """Return the answer to a problem.

        Parameters
        ----------
        payload
            The problem.
        most
            Bytes of the largest answer that is read.
        seconds
            Wall time until the answer must be there.

        Raises
        ------
        TimeoutError
            If it is not. The process is ended.
        Infeasible
            If it is no answer to the problem.
        Raised
            If the program raised an exception.
        RuntimeError
            If it died or broke another limit.
        """
        self.calls += 1
        if select.select([self._answers], [], [], 0)[0]:
            raise self._ended(RuntimeError, "it answered before it was asked")
        request = [wire.header(wire.ASK, self.calls, len(payload)), payload]
        return self._reply(request, wire.ANSWER, most, seconds, "the call")

    def _reply(
        self, request: list[bytes], kind: int, most: int, seconds: float, what: str
    ) -> bytes:
        """Send a request, and return the payload of the reply to it."""
        deadline = time.monotonic() + seconds
        late = f"{what} took longer than {seconds:g} s"
        raw = self._exchange(request, wire.HEADER.size, deadline, late)
        try:
            frame = wire.parse_header(raw)
        except ValueError as error:
            raise self._ended(RuntimeError, str(error)) from None
        words = frame.kind in (wire.FAILURE, wire.INFEASIBLE)
        bound = wire.MOST_WORDS if words else most
        if not (words or frame.kind == kind) or frame.call != self.calls:
            raise self._ended(RuntimeError, "it answered what it was not asked")
        if frame.length > bound:
            text = f"it answered with {frame.length} bytes, and {bound} are the most"
            raise self._ended(RuntimeError, text)
        payload = self._exchange([], frame.length, deadline, late)
        if frame.kind == wire.INFEASIBLE:
            raise lb.Infeasible(wire.unpack_words(payload))
        if frame.kind == wire.FAILURE:
            raise Raised(self._hint(wire.unpack_words(payload)))
        return payload

    def _exchange(self, request: list[bytes], size: int, deadline: float, late: str) -> bytes:
        """Write a request and read exactly so many bytes, while output and limits are watched."""
        rest, found = [memoryview(part) for part in request], bytearray()
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not self.output.closed:
            poll.register(self.output.pipe, select.POLLIN)
        if rest:
            poll.register(self._requests, select.POLLOUT)
        while rest or len(found) < size:
            now = time.monotonic()
            if now >= deadline:
                raise self._ended(TimeoutError, f"{late}; it was ended")
            if now >= self._look_at:
                self._look_at = now + LOOK_S
                self._look()
            events = dict(poll.poll(1e3 * min(LOOK_S, deadline - now)))
            if self.output.pipe in events and self.output.read():
                poll.unregister(self.output.pipe)
            if self.output.flooded:
                most = self.limits.output_bytes
                raise self._ended(RuntimeError, f"it wrote more than {most} bytes of output")
            if self._requests in events:
                rest = self._written(rest)
                if not rest:
                    poll.unregister(self._requests)
            if self._answers in events:
                got = os.read(self._answers, min(size - len(found), MEBIBYTE))
                if not got:
                    raise self._died()
                found += got
        return bytes(found)

    def _written(self, rest: list[memoryview]) -> list[memoryview]:
        try:
            sent = os.writev(self._requests, rest)
        except BlockingIOError:
            return rest
        except BrokenPipeError:
            raise self._died() from None
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if rest:
            rest[0] = rest[0][sent:]
        return rest

    def _look(self) -> None:
        """End what starts too many processes, or has left while a child holds its pipes."""
        left = self._popen.poll() is not None
        if left and not select.select([self._answers], [], [], 0)[0]:
            raise self._died()
        count = members(self._popen.pid, self.limits.processes + 2)
        if count > self.limits.processes + 1:
            text = f"it started more than {self.limits.processes} processes"
            raise self._ended(RuntimeError, text)

    def _died(self) -> Exception:
        """Return why a process that has closed its pipes is gone."""
        try:
            status = self._popen.wait(1.0)
        except subprocess.TimeoutExpired:
            return self._ended(RuntimeError, "it closed its pipes without an answer")
        if status < 0:
            names = {int(one): f" ({one.name})" for one in signal.Signals}
            text = f"it was killed by signal {-status}{names.get(-status, '')}"
            return self._ended(RuntimeError, text)
        return self._ended(RuntimeError, f"it ended itself with exit status {status}")

    def _ended(self, kind: Callable[[str], Exception], text: str) -> Exception:
        """End the process, and return the error that says why, with what it wrote last."""
        kill(self._popen)
        self.output.rest()
        self.close()
        last = self.output.last
        return kind(f"{text}; its last words: {last}" if last else text)

    def _hint(self, text: str) -> str:
        if text.startswith("MemoryError"):
            return f"{text} (it may use {self.limits.memory_bytes // MEBIBYTE} MiB)"
        return text


def _widen(pipe: int) -> None:
    """Let a pipe hold a whole problem where the system can; it is faster then, nothing else."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(pipe, F_SETPIPE_SZ, MEBIBYTE)


def _end(popen: "subprocess.Popen[bytes]", pipes: tuple[int, int], folder: str) -> None:
    kill(popen)
    for pipe in pipes:
        os.close(pipe)
    if popen.stdout is not None:
        popen.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)
