"""A process that runs one task after another, and may be lost without a loss to anyone else."""

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
from evaluation.records.sweep.task import Lost, Record, Task

#: What the numeric libraries of a process read when they are loaded.
THREADS = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
#: Seconds within which the death of a process is seen even if a child of its own holds its pipe.
LOOK_S = 1.0
#: Seconds that an idle process is given to leave by itself.
LEAVE_S = 5.0


class Worker:
    """A process of its own, spawned, in the present folder, for one task at a time.

    It is the head of a process group: what its task starts is ended with it, and an interrupt from
    the terminal reaches the caller alone. It ends when its parent does.

    Parameters
    ----------
    threads
        Of each numeric library in it, unless the environment says how many.
    time_limit_s
        Seconds that a task may take, counted from when the process has read it.
    """

    def __init__(self, threads: int = 1, time_limit_s: float | None = None) -> None:
        context = get_context("spawn")
        self.connection, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, os.getcwd()))
        self._limit_s = math.inf if time_limit_s is None else time_limit_s
        self._deadline = math.inf
        with _environment(dict.fromkeys(THREADS, str(threads))):
            self._process.start()
        far.close()

    def give(self, task: bytes) -> None:
        """Hand over a pickled task."""
        self._deadline = math.inf
        with contextlib.suppress(OSError):  # already dead: its outcome says so
            self.connection.send_bytes(task)

    @property
    def patience_s(self) -> float:
        """Seconds after which :meth:`outcome` is worth a look even if nothing was said."""
        return min(LOOK_S, max(0.0, self._deadline - time.monotonic()))

    def outcome(self) -> Record | Lost | None:
        """Return what came of the task; None while it runs. After a loss the process is gone.

        Whatever the task raised is raised here.
        """
        alive = self._process.is_alive()
        try:
            while self.connection.poll():
                kind, content = self.connection.recv()
                if kind == "record":
                    return content  # type: ignore[no-any-return]
                if kind == "raised":
                    raise content
                self._deadline = time.monotonic() + self._limit_s
        except (EOFError, ConnectionError):
            alive = False
        if time.monotonic() >= self._deadline:
            self.kill()
            return Lost(f"it ran longer than the time limit of {self._limit_s:g} s")
        if alive:
            return None
        self._process.join(LEAVE_S)
        code = self._process.exitcode
        self.kill()
        return Lost(_death(code))

    def kill(self) -> None:
        """End the process and all that it started."""
        assert self._process.pid is not None
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self.connection.close()

    def leave(self) -> None:
        """Let an idle process end by itself, and see to it that it does."""
        self.connection.close()
        self._process.join(LEAVE_S)
        self.kill()


def attempt(worker: Worker, task: bytes) -> Record | Lost:
    """Hand over a task and wait for what comes of it."""
    worker.give(task)
    while (found := worker.outcome()) is None:
        wait([worker.connection], worker.patience_s)
    return found


def _death(code: int | None) -> str:
    """Return what an exit code says, in words."""
    if code is None or code >= 0:
        return f"its process left with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = " (out of memory, perhaps)" if code == -signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}"


@contextlib.contextmanager
def _environment(usual: Mapping[str, str]) -> Iterator[None]:
    """Let processes that start meanwhile find variables that are not set otherwise."""
    missing = [name for name in usual if name not in os.environ]
    os.environ.update((name, usual[name]) for name in missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _serve(connection: Connection, folder: str) -> None:
    """Run tasks until the other end is closed."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(folder)
    record_file.provenance()  # hashes podlab's code once, before a time limit runs
    while True:
        try:
            pickled = connection.recv_bytes()
        except EOFError:
            return
        try:
            task: Task = pickle.loads(pickled)
            connection.send(("began", None))
            record = task.run()
        except Exception as error:
            connection.send(("raised", _sendable(error)))
        else:
            connection.send(("record", record))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.killpg(0, signal.SIGKILL)


def _sendable(error: Exception) -> Exception:
    """Return the error if it survives a pickle, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an exception's own code may raise anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
