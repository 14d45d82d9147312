"""A sweep writes every record once, even if processes die."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluation.records import record_file, sweep
from evaluation.records.sweep import runner
from tests.evaluation.records.sweep.toys import Toy


def _records(folder):
    return {record["solver"]: record for record in record_file.read_all(folder)}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_records_come_in_the_order_of_the_tasks(tmp_path, jobs):
    """Records come in the order of the tasks; each is written and reported once."""
    reported = []
    todo = [Toy(name, tmp_path) for name in ("a", "bb", "ccc")]
    records = sweep.run(
        todo, tmp_path / "out", jobs, on_record=lambda record, reused: reported.append(record)
    )
    assert [record["solver"] for record in records] == ["a", "bb", "ccc"]
    assert sorted(record["solver"] for record in reported) == ["a", "bb", "ccc"]
    assert _records(tmp_path / "out") == {record["solver"]: record for record in records}
    assert all(task.times() == 1 for task in todo)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("killed SIGKILL", "its process was killed by SIGKILL (out of memory, perhaps)"),
        ("killed SIGSEGV", "its process was killed by SIGSEGV"),
        ("exits 9", "its process exited with code 9"),
        ("exits 0", "its process exited with code 0"),
        ("hangs", "it ran longer than the time limit of 0.3 s"),
    ],
)
def test_a_lost_task_does_not_affect_others(tmp_path, act, reason):
    """A lost task is tried again, then recorded as failed with its reason; all others succeed."""
    reported = []
    todo = [Toy("a", tmp_path), Toy("bad", tmp_path, (act,)), Toy("c", tmp_path)]
    limit = 0.3 if act == "hangs" else None
    sweep.run(
        todo,
        tmp_path / "out",
        2,
        time_limit_s=limit,
        on_lost=lambda task, why: reported.append((task.name, why)),
    )
    records = _records(tmp_path / "out")
    assert {name: record["status"] for name, record in records.items()} == {
        "a": "ok",
        "bad": "failed",
        "c": "ok",
    }
    assert records["bad"]["reason"] == f"{reason}; tried 2 times"
    assert records["bad"]["lost"] == [reason, reason]
    assert reported == [("bad", reason)]
    assert [task.times() for task in todo] == [1, 2, 1]


def test_a_task_lost_once_succeeds_in_a_fresh_process(tmp_path):
    """A task that succeeds after a loss has the reason of the loss in its record."""
    toy = Toy("a", tmp_path, ("killed SIGABRT", "ends"))
    [record] = sweep.run([toy], tmp_path / "out", 2)
    assert record["status"] == "ok"
    assert record["lost"] == ["its process was killed by SIGABRT"]


@pytest.mark.parametrize(("retries", "ending"), [(0, "tried once"), (2, "tried 3 times")])
def test_retries_are_counted(tmp_path, retries, ending):
    """Without retries a task is tried once; with two, three times."""
    toy = Toy("a", tmp_path, ("exits 1",))
    [record] = sweep.run([toy], tmp_path / "out", 2, retries=retries)
    assert record["reason"].endswith(ending)
    assert toy.times() == retries + 1


def test_successful_records_are_reused_and_failed_ones_are_not(tmp_path):
    """A second sweep runs missing and failed tasks only; a fresh one runs all."""
    todo = [Toy("a", tmp_path), Toy("b", tmp_path, ("exits 1", "ends"))]
    sweep.run(todo, tmp_path / "out", 2, retries=0)
    reused = []
    sweep.run(todo, tmp_path / "out", 2, on_record=lambda record, old: reused.append(old))
    assert [task.times() for task in todo] == [1, 2]
    assert sorted(reused) == [False, True]
    sweep.run(todo, tmp_path / "out", 2, fresh=True)
    assert [task.times() for task in todo] == [2, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_ends_the_sweep(tmp_path, jobs):
    """An exception of the task itself reaches the caller; finished records are kept."""
    todo = [Toy("a", tmp_path), Toy("bad", tmp_path, (f"until {tmp_path / 'go'}", "raises"))]
    (tmp_path / "go").touch()
    sweep.run(todo, tmp_path / "out", jobs)
    with pytest.raises(ValueError, match="bad raises"):
        sweep.run(todo, tmp_path / "out", jobs, fresh=True)
    assert "a" in _records(tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs = 0 < 1"),
        ({"retries": -1}, "retries = -1 < 0"),
        ({"time_limit_s": 0.0}, "time_limit_s = 0.0; give seconds > 0"),
        ({"time_limit_s": float("nan")}, "time_limit_s = nan"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, message):
    """The error comes before any task runs."""
    toy = Toy("a", tmp_path)
    with pytest.raises(ValueError, match=message):
        sweep.run([toy], tmp_path / "out", **options)
    assert toy.times() == 0


def test_cores_are_shared_among_the_processes(tmp_path, monkeypatch):
    """Three workers on eight cores have two threads each; the environment takes precedence."""
    monkeypatch.setattr(runner, "usable_cores", lambda: 8)
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
    """After an interrupt or a kill, records are whole, no worker is left, and a sweep resumes."""
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
    records = sweep.run(todo, tmp_path / "out")
    assert [record["status"] for record in records] == ["ok"] * 3
    assert [task.times() for task in todo] == [1, 2, 1]


@pytest.mark.parametrize("limit", [None, 60.0])
def test_preparations_run_once_and_leave_no_record(tmp_path, limit):
    """What is prepared is reported, runs once, and is no record; a lost one changes nothing."""
    prepared = []
    # with a time limit, one worker process runs them one after another, and may die
    acts = ("ends",) if limit is None else ("killed SIGKILL",)
    preparations = [Toy("first", tmp_path, acts), Toy("second", tmp_path)]
    records = sweep.run(
        [Toy("a", tmp_path)],
        tmp_path / "out",
        1,
        time_limit_s=limit,
        preparations=preparations,
        on_prepared=lambda preparation: prepared.append(preparation.name),
    )
    assert [record["solver"] for record in records] == ["a"]
    assert prepared == ["first", "second"]
    assert [task.times() for task in preparations] == [1, 1]
    assert list(_records(tmp_path / "out")) == ["a"]
