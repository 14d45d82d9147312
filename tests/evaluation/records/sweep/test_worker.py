"""A worker process returns the outcome of a task, and its child processes end with it."""

import os
import pickle
import time
from pathlib import Path

import pytest

from evaluation.records.sweep.task import LostTask
from evaluation.records.sweep.worker import Worker, attempt
from tests.evaluation.records.sweep.toys import Toy


class Unpicklable(Exception):
    """An exception that pickle cannot rebuild from its arguments."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class Raises(Toy):
    """A task that raises an exception that cannot be pickled."""

    def run(self):
        """Raise the exception."""
        raise Unpicklable("one", "two")


class Where(Toy):
    """A task that returns its working folder."""

    def run(self):
        """Return the folder."""
        return {"folder": os.getcwd()}


@pytest.fixture
def worker():
    """A worker without a time limit."""
    process = Worker()
    yield process
    process.kill()


def test_one_process_runs_one_task_after_another(worker, tmp_path):
    """Two tasks run in one process, which is not the caller's."""
    for name in ("a", "b"):
        assert attempt(worker, pickle.dumps(Toy(name, tmp_path)))["solver"] == name
    assert (tmp_path / "a.0").read_text() == (tmp_path / "b.0").read_text() != str(os.getpid())


def test_an_error_that_cannot_be_pickled_keeps_its_text(worker, tmp_path):
    """Type and text of the error arrive."""
    with pytest.raises(RuntimeError, match="Unpicklable: one and two"):
        attempt(worker, pickle.dumps(Raises("a", tmp_path)))


def test_a_worker_runs_in_the_current_folder(tmp_path, monkeypatch):
    """Relative paths mean the same as for the caller."""
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    try:
        assert attempt(worker, pickle.dumps(Where("a", tmp_path)))["folder"] == str(tmp_path)
    finally:
        worker.kill()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_children_of_a_task_end_with_it(tmp_path):
    """Processes that a task started end with its time limit."""
    worker = Worker(time_limit_s=1.0)
    lost = attempt(worker, pickle.dumps(Toy("a", tmp_path, ("spawns",))))
    assert lost == LostTask("it ran longer than the time limit of 1 s")
    child = Path("/proc") / (tmp_path / "child").read_text() / "status"
    deadline = time.monotonic() + 30
    while child.exists() and "\nState:\tZ" not in child.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_died_idle_loses_its_next_task(worker, tmp_path):
    """A task that is sent to a dead worker is lost, and does not hang."""
    attempt(worker, pickle.dumps(Toy("a", tmp_path)))
    os.kill(int((tmp_path / "a.0").read_text()), 9)
    lost = attempt(worker, pickle.dumps(Toy("b", tmp_path)))
    assert lost == LostTask("its process was killed by SIGKILL (out of memory, perhaps)")
