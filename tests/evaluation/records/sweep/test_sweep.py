"""Sweeps keep every record once, whatever becomes of the processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluation.records import record_file, sweep
from tests.evaluation.records.sweep.toys import Toy


def _records(folder):
    return {one["solver"]: one for one in record_file.read_all(folder)}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_records_come_in_the_order_of_the_tasks(tmp_path, jobs):
    """The order is that of the tasks, each is written once, and each is told of once."""
    told = []
    todo = [Toy(name, tmp_path) for name in ("a", "bb", "ccc")]
    found = sweep.run(todo, tmp_path / "out", jobs, on_record=lambda one, reused: told.append(one))
    assert [one["solver"] for one in found] == ["a", "bb", "ccc"]
    assert sorted(one["solver"] for one in told) == ["a", "bb", "ccc"]
    assert _records(tmp_path / "out") == {one["solver"]: one for one in found}
    assert all(one.times() == 1 for one in todo)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("killed SIGKILL", "its process was killed by SIGKILL (out of memory, perhaps)"),
        ("killed SIGSEGV", "its process was killed by SIGSEGV"),
        ("exits 9", "its process left with exit code 9"),
        ("exits 0", "its process left with exit code 0"),
        ("hangs", "it ran longer than the time limit of 0.3 s"),
    ],
)
def test_a_lost_task_costs_itself_alone(tmp_path, act, reason):
    """It is tried again, then recorded as failed with the reason; all others have records."""
    told = []
    todo = [Toy("a", tmp_path), Toy("bad", tmp_path, (act,)), Toy("c", tmp_path)]
    limit = 0.3 if act == "hangs" else None
    sweep.run(
        todo,
        tmp_path / "out",
        2,
        time_limit_s=limit,
        on_lost=lambda task, why: told.append((task.name, why)),
    )
    found = _records(tmp_path / "out")
    assert {name: one["status"] for name, one in found.items()} == {
        "a": "ok",
        "bad": "failed",
        "c": "ok",
    }
    assert found["bad"]["reason"] == f"{reason}; tried 2 times"
    assert found["bad"]["lost"] == [reason, reason]
    assert told == [("bad", reason)]
    assert [one.times() for one in todo] == [1, 2, 1]


def test_a_task_lost_once_succeeds_in_a_fresh_process(tmp_path):
    """Its record says what happened on the way."""
    toy = Toy("a", tmp_path, ("killed SIGABRT", "ends"))
    [record] = sweep.run([toy], tmp_path / "out", 2)
    assert record["status"] == "ok"
    assert record["lost"] == ["its process was killed by SIGABRT"]


@pytest.mark.parametrize(("retries", "said"), [(0, "tried once"), (2, "tried 3 times")])
def test_retries_are_counted(tmp_path, retries, said):
    """None means once; two mean three times."""
    toy = Toy("a", tmp_path, ("exits 1",))
    [record] = sweep.run([toy], tmp_path / "out", 2, retries=retries)
    assert record["reason"].endswith(said)
    assert toy.times() == retries + 1


def test_finished_records_are_taken_up_and_failed_ones_are_not(tmp_path):
    """A second sweep runs what is missing or failed; a fresh one everything."""
    todo = [Toy("a", tmp_path), Toy("b", tmp_path, ("exits 1", "ends"))]
    sweep.run(todo, tmp_path / "out", 2, retries=0)
    reused = []
    sweep.run(todo, tmp_path / "out", 2, on_record=lambda one, old: reused.append(old))
    assert [one.times() for one in todo] == [1, 2]
    assert sorted(reused) == [False, True]
    sweep.run(todo, tmp_path / "out", 2, fresh=True)
    assert [one.times() for one in todo] == [2, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_ends_the_sweep(tmp_path, jobs):
    """An error of the task itself is the caller's to see; finished records are kept."""
    todo = [Toy("a", tmp_path), Toy("bad", tmp_path, (f"until {tmp_path / 'go'}", "raises"))]
    (tmp_path / "go").touch()
    sweep.run(todo, tmp_path / "out", jobs)
    with pytest.raises(ValueError, match="bad raises"):
        sweep.run(todo, tmp_path / "out", jobs, fresh=True)
    assert "a" in _records(tmp_path / "out")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jobs": 0}, "jobs = 0 < 1"),
        ({"retries": -1}, "retries = -1 < 0"),
        ({"time_limit_s": 0.0}, "time_limit_s = 0.0; give seconds > 0"),
        ({"time_limit_s": float("nan")}, "time_limit_s = nan"),
    ],
)
def test_numbers_that_cannot_be_are_refused(tmp_path, given, message):
    """Before anything runs."""
    toy = Toy("a", tmp_path)
    with pytest.raises(ValueError, match=message):
        sweep.run([toy], tmp_path / "out", **given)
    assert toy.times() == 0


def test_cores_are_shared_among_the_processes(tmp_path, monkeypatch):
    """Jobs times threads is at most the cores; what the environment says is left alone."""
    monkeypatch.setattr(sweep, "_cores", lambda: 8)
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    [record] = sweep.run([Toy("a", tmp_path)], tmp_path / "out", 3)
    assert record["threads"] == "2"
    assert "NUMBA_NUM_THREADS" not in os.environ
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    [record] = sweep.run([Toy("a", tmp_path)], tmp_path / "out", 3, fresh=True)
    assert record["threads"] == "5"


SWEEP = """
import sys
from pathlib import Path
from evaluation.records import sweep
from tests.evaluation.records.sweep.toys import Toy
if __name__ == "__main__":
    marks = Path(sys.argv[1])
    todo = [Toy("a", marks), Toy("slow", marks, ("hangs", "ends")), Toy("c", marks)]
    sweep.run(todo, marks / "out", int(sys.argv[2]))
"""


def _gone(pid):
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def _wait(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_end_from_outside_keeps_what_is_finished(tmp_path, end):
    """An interrupt, or a kill: the record is whole, no worker stays, and the next sweep goes on."""
    (tmp_path / "script.py").write_text(SWEEP)
    root = Path(__file__).parents[4]
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path), "2"],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,
    )
    slow, record = tmp_path / "slow.0", tmp_path / "out" / "toys" / "c.json"
    _wait(lambda: slow.exists() and slow.read_text() and record.exists())
    process.send_signal(end)
    assert process.wait(timeout=30) != 0
    _wait(lambda: _gone(int(slow.read_text())))
    assert json.loads(record.read_text())["status"] == "ok"
    todo = [Toy("a", tmp_path), Toy("slow", tmp_path, ("hangs", "ends")), Toy("c", tmp_path)]
    found = sweep.run(todo, tmp_path / "out")
    assert [one["status"] for one in found] == ["ok"] * 3
    assert [one.times() for one in todo] == [1, 2, 1]
