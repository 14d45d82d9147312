"""The parent's side of a program's process: start, call under limits, and end it."""

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
from evaluation.candidates.sandbox.environment import environment, isolation_command
from evaluation.candidates.sandbox.limits import MEBIBYTE, Limits
from evaluation.candidates.sandbox.output import ProgramOutput
from evaluation.candidates.sandbox.process_group import count_members, kill
from evaluation.candidates.sandbox.program_error import ProgramError

#: Seconds between two checks of the number of processes, and whether the program is alive.
CHECK_INTERVAL_S = 0.1


class ProgramProcess:
    """A program in its own process.

    Parameters
    ----------
    path, name
        The user's file and the callable in it.
    seed
        Random seed of a class that takes one.
    limits
        Limits of the process.

    Raises
    ------
    TimeoutError, ProgramError, RuntimeError
        If the program cannot be loaded within its limits. The message names the reason.
    """

    def __init__(self, path: Path, name: str, seed: int, limits: Limits) -> None:
        self.limits = limits
        self.calls = 0
        self._next_check = time.monotonic() + CHECK_INTERVAL_S
        folder = tempfile.mkdtemp(prefix="podlab-program-")
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        arguments = {
            "path": str(path.resolve()),
            "name": name,
            "seed": seed,
            "limits": asdict(limits),
            "requests": requests,
            "answers": answers,
        }
        try:
            self._popen = _start(arguments, folder, limits)
        finally:
            # Only the child holds its ends of the pipes, so that its death closes them.
            os.close(requests)
            os.close(answers)
        assert self._popen.stdout is not None
        self.output = ProgramOutput(self._popen.stdout.fileno(), limits.output_bytes)
        os.set_blocking(self._requests, False)
        _widen(self._requests)
        _widen(self._answers)
        pipes = (self._requests, self._answers)
        # A finalizer and no __del__: it also runs at interpreter exit, and only once.
        self.close = weakref.finalize(self, _end, self._popen, pipes, folder)
        try:
            raw = self._reply([], wire.READY, wire.MAX_TEXT_BYTES, limits.start_s, "loading")
            self.about: dict[str, Any] = json.loads(raw)
        except (ValueError, RecursionError) as error:
            self.close()
            raise RuntimeError(f"the program did not start: {error}") from None

    def ask(self, payload: bytes, most: int, seconds: float) -> bytes:
        """Return the answer to a problem.

        Parameters
        ----------
        payload
            The problem.
        most
            Size of the largest answer that is read, bytes.
        seconds
            Wall time limit.

        Raises
        ------
        TimeoutError
            If there is no answer within the limit. The process is ended.
        Infeasible
            If the answer is no placement of the problem.
        ProgramError
            If the program raised an exception.
        RuntimeError
            If the process died or broke another limit.
        """
        self.calls += 1
        # A program could write an answer to the pipe in advance, to save time on the clock.
        if select.select([self._answers], [], [], 0)[0]:
            raise self._ended(RuntimeError, "it answered before it was asked")
        request = [wire.header(wire.ASK, self.calls, len(payload)), payload]
        return self._reply(request, wire.ANSWER, most, seconds, "the call")

    def _reply(
        self, request: list[bytes], kind: int, most: int, seconds: float, task: str
    ) -> bytes:
        """Send a request and return the payload of its reply."""
        deadline = time.monotonic() + seconds
        late = f"{task} took longer than {seconds:g} s"
        raw = self._exchange(request, wire.HEADER.size, deadline, late)
        try:
            frame = wire.parse_header(raw)
        except ValueError as error:
            raise self._ended(RuntimeError, str(error)) from None
        is_text = frame.kind in (wire.FAILURE, wire.INFEASIBLE)
        bound = wire.MAX_TEXT_BYTES if is_text else most
        # Kind, call and length are checked first: nothing is read that was not asked for.
        if not (is_text or frame.kind == kind) or frame.call != self.calls:
            raise self._ended(RuntimeError, "it answered what it was not asked")
        if frame.length > bound:
            text = f"it answered with {frame.length} bytes; {bound} are allowed"
            raise self._ended(RuntimeError, text)
        payload = self._exchange([], frame.length, deadline, late)
        if frame.kind == wire.INFEASIBLE:
            raise lb.Infeasible(wire.unpack_text(payload))
        if frame.kind == wire.FAILURE:
            raise ProgramError(self._hint(wire.unpack_text(payload)))
        return payload

    def _exchange(self, request: list[bytes], size: int, deadline: float, late: str) -> bytes:
        """Write a request and read ``size`` bytes, and enforce the limits meanwhile.

        Requests, answers and output are polled together. A program that prints while it is sent a
        problem would otherwise block on a full pipe, and this process, too.
        """
        rest, answer = [memoryview(part) for part in request], bytearray()
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not self.output.closed:
            poll.register(self.output.pipe, select.POLLIN)
        if rest:
            poll.register(self._requests, select.POLLOUT)
        while rest or len(answer) < size:
            now = time.monotonic()
            if now >= deadline:
                raise self._ended(TimeoutError, f"{late}; it was ended")
            if now >= self._next_check:
                self._next_check = now + CHECK_INTERVAL_S
                self._check_processes()
            events = dict(poll.poll(1e3 * min(CHECK_INTERVAL_S, deadline - now)))
            if self.output.pipe in events and self.output.read():
                poll.unregister(self.output.pipe)
            if self.output.exceeds_limit:
                limit = self.limits.output_bytes
                raise self._ended(RuntimeError, f"it wrote more than {limit} bytes of output")
            if self._requests in events:
                rest = self._written(rest)
                if not rest:
                    poll.unregister(self._requests)
            if self._answers in events:
                chunk = os.read(self._answers, min(size - len(answer), MEBIBYTE))
                if not chunk:
                    raise self._died()
                answer += chunk
        return bytes(answer)

    def _written(self, rest: list[memoryview]) -> list[memoryview]:
        """Write as much of ``rest`` as the pipe takes, and return what is left."""
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

    def _check_processes(self) -> None:
        """Raise if the program started too many processes, or has exited.

        A child of the program may hold the pipe open after the program itself has exited.
        """
        exited = self._popen.poll() is not None
        if exited and not select.select([self._answers], [], [], 0)[0]:
            raise self._died()
        count = count_members(self._popen.pid, self.limits.processes + 2)
        if count > self.limits.processes + 1:
            text = f"it started more than {self.limits.processes} processes"
            raise self._ended(RuntimeError, text)

    def _died(self) -> Exception:
        """Return the error of a process that has closed its pipes."""
        try:
            status = self._popen.wait(1.0)
        except subprocess.TimeoutExpired:
            return self._ended(RuntimeError, "it closed its pipes without an answer")
        if status < 0:
            names = {int(item): f" ({item.name})" for item in signal.Signals}
            text = f"it was killed by signal {-status}{names.get(-status, '')}"
            return self._ended(RuntimeError, text)
        return self._ended(RuntimeError, f"it exited with status {status}")

    def _ended(self, kind: Callable[[str], Exception], text: str) -> Exception:
        """End the process and return an error with the reason and the last output."""
        kill(self._popen)
        self.output.read_rest()
        self.close()
        last = self.output.last
        return kind(f"{text}; last output: {last}" if last else text)

    def _hint(self, text: str) -> str:
        if text.startswith("MemoryError"):
            return f"{text} (it may use {self.limits.memory_bytes // MEBIBYTE} MiB)"
        return text


def _start(arguments: dict[str, Any], folder: str, limits: Limits) -> "subprocess.Popen[bytes]":
    """Start the child process in an empty folder, with its ends of the two pipes."""
    isolation = isolation_command() if limits.isolate else ()
    child = (sys.executable, "-m", "evaluation.candidates.sandbox.child", json.dumps(arguments))
    return subprocess.Popen(
        [*isolation, *child],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(arguments["requests"], arguments["answers"]),
        start_new_session=True,  # its process group can be killed without this process
    )


def _widen(pipe: int) -> None:
    """Enlarge a pipe to hold a whole problem, if the system can: fewer switches, more speed."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(pipe, F_SETPIPE_SZ, MEBIBYTE)


def _end(popen: "subprocess.Popen[bytes]", pipes: tuple[int, int], folder: str) -> None:
    """Kill the process and remove its pipes and its folder."""
    kill(popen)
    for pipe in pipes:
        os.close(pipe)
    if popen.stdout is not None:
        popen.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)
