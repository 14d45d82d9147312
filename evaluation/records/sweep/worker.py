"""A worker process, which runs one task after another."""

import contextlib
import math
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait

from evaluation.records import record_file
from evaluation.records.sweep.task import LostTask, Record, SweepTask

#: Numbers of threads that numeric libraries read when they are loaded.
THREADS = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
#: Seconds between checks whether a worker is alive. If a child of the worker holds the pipe open,
#: the pipe does not show its death.
CHECK_INTERVAL_S = 1.0
#: Seconds in which an idle worker must exit by itself.
EXIT_TIMEOUT_S = 5.0


class Worker:
    """A spawned process in the current folder, for one task at a time.

    It leads a process group: processes that a task starts are killed with it, and an interrupt from
    the terminal reaches only the caller. It ends when its parent ends.

    Parameters
    ----------
    threads
        Threads of each numeric library, unless the environment sets their number.
    time_limit_s
        Time limit of a task in seconds, from when the process has read it.
    """

    def __init__(self, threads: int = 1, time_limit_s: float | None = None) -> None:
        context = get_context("spawn")
        self.connection, worker_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(worker_end, os.getcwd()))
        self._limit_s = math.inf if time_limit_s is None else time_limit_s
        self._deadline = math.inf
        with _environment(dict.fromkeys(THREADS, str(threads))):
            self._process.start()
        worker_end.close()  # only the worker holds it now, so that its death closes the pipe

    def send(self, task: bytes) -> None:
        """Send a pickled task."""
        self._deadline = math.inf
        with contextlib.suppress(OSError):  # the worker is dead: outcome() reports it
            self.connection.send_bytes(task)

    @property
    def wait_s(self) -> float:
        """Seconds after which to call :meth:`outcome` again, even without a message."""
        return min(CHECK_INTERVAL_S, max(0.0, self._deadline - time.monotonic()))

    def outcome(self) -> Record | LostTask | None:
        """Return the outcome of the task; None while it runs. After a loss the process is dead.

        An exception that the task raised is raised here.
        """
        alive = self._process.is_alive()
        try:
            while self.connection.poll():
                kind, content = self.connection.recv()
                if kind == "record":
                    return content  # type: ignore[no-any-return]
                if kind == "raised":
                    raise content
                # "began": the worker has read the task, and its time limit starts.
                self._deadline = time.monotonic() + self._limit_s
        except (EOFError, ConnectionError):
            alive = False
        if time.monotonic() >= self._deadline:
            self.kill()
            return LostTask(f"it ran longer than the time limit of {self._limit_s:g} s")
        if alive:
            return None
        self._process.join(EXIT_TIMEOUT_S)
        code = self._process.exitcode
        self.kill()
        return LostTask(_death(code))

    def kill(self) -> None:
        """Kill the process and all processes that it started."""
        assert self._process.pid is not None
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self.connection.close()

    def stop(self) -> None:
        """Let an idle process exit; kill it if it does not."""
        self.connection.close()
        self._process.join(EXIT_TIMEOUT_S)
        self.kill()


def attempt(worker: Worker, task: bytes) -> Record | LostTask:
    """Send a task and wait for its outcome."""
    worker.send(task)
    while (outcome := worker.outcome()) is None:
        wait([worker.connection], worker.wait_s)
    return outcome


def _death(code: int | None) -> str:
    """Return the reason that an exit code stands for."""
    if code is None or code >= 0:
        return f"its process exited with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = " (out of memory, perhaps)" if code == -signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}"


@contextlib.contextmanager
def _environment(defaults: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that are not set yet, for processes that start meanwhile."""
    missing = [name for name in defaults if name not in os.environ]
    os.environ.update((name, defaults[name]) for name in missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _serve(connection: Connection, folder: str) -> None:
    """Run tasks until the other end is closed."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles an interrupt
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(folder)
    record_file.provenance()  # hashes the code once, before the first time limit starts
    while True:
        try:
            pickled = connection.recv_bytes()
        except EOFError:
            return
        try:
            task: SweepTask = pickle.loads(pickled)
            connection.send(("began", None))
            record = task.run()
        except Exception as error:
            connection.send(("raised", _sendable(error)))
        else:
            connection.send(("record", record))


def _end_with_parent() -> None:
    """Kill the process group when the parent has ended, however it ended."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.killpg(0, signal.SIGKILL)


def _sendable(error: Exception) -> Exception:
    """Return the error if it can be pickled, or else a RuntimeError with the same text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # pickling runs code of the exception, which may raise anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
