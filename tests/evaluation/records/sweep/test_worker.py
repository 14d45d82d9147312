"""A worker process says what came of a task, and takes what it started along."""

import os
import pickle
import time
from pathlib import Path

import pytest

from evaluation.records.sweep.task import Lost
from evaluation.records.sweep.worker import Worker, attempt
from tests.evaluation.records.sweep.toys import Toy


class Unpicklable(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Raises(Toy):
    """A task that raises what cannot travel."""

    def run(self):
        """Raise it."""
        raise Unpicklable("one", "two")


class Where(Toy):
    """A task that says where it runs."""

    def run(self):
        """Return the folder."""
        return {"folder": os.getcwd()}


@pytest.fixture
def worker():
    """A worker without a time limit."""
    made = Worker()
    yield made
    made.kill()


def test_one_process_runs_one_task_after_another(worker, tmp_path):
    """Starting is paid for once."""
    for name in ("a", "b"):
        assert attempt(worker, pickle.dumps(Toy(name, tmp_path)))["solver"] == name
    assert (tmp_path / "a.0").read_text() == (tmp_path / "b.0").read_text() != str(os.getpid())


def test_an_error_that_cannot_travel_is_told_in_words(worker, tmp_path):
    """Its kind and text arrive."""
    with pytest.raises(RuntimeError, match="Unpicklable: one and two"):
        attempt(worker, pickle.dumps(Raises("a", tmp_path)))


def test_it_runs_in_the_folder_of_the_moment(tmp_path, monkeypatch):
    """Relative paths mean what they mean to the caller."""
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    try:
        assert attempt(worker, pickle.dumps(Where("a", tmp_path)))["folder"] == str(tmp_path)
    finally:
        worker.kill()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_children_of_a_task_end_with_it(tmp_path):
    """A solver's own processes do not outlive the time limit."""
    worker = Worker(time_limit_s=1.0)
    lost = attempt(worker, pickle.dumps(Toy("a", tmp_path, ("spawns",))))
    assert lost == Lost("it ran longer than the time limit of 1 s")
    child = Path("/proc") / (tmp_path / "child").read_text() / "status"
    deadline = time.monotonic() + 30
    while child.exists() and "\nState:\tZ" not in child.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_that_died_idle_is_a_loss_not_a_hang(worker, tmp_path):
    """A task handed to it comes back as lost."""
    attempt(worker, pickle.dumps(Toy("a", tmp_path)))
    os.kill(int((tmp_path / "a.0").read_text()), 9)
    lost = attempt(worker, pickle.dumps(Toy("b", tmp_path)))
    assert lost == Lost("its process was killed by SIGKILL (out of memory, perhaps)")
