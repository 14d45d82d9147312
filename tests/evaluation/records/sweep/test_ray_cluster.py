"""A sweep on a Ray cluster gives the records of this machine, even if nodes die."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import hardware.preset
import traces
from evaluation.candidates.candidate import Candidate
from evaluation.kinds.task import SuiteTask
from evaluation.records import record_file, source_hash, sweep
from evaluation.records.sweep import bootstrap, payload, ray_cluster
from evaluation.records.sweep.bootstrap import Manifest
from evaluation.replay.scenario import Scenario
from tests.evaluation.records.sweep.toys import Toy

#: Fields that differ between runs and machines.
MEASURED = ("wall", "date", "host", "cost")


@pytest.fixture
def own_files(tmp_path, monkeypatch):
    """Tasks on user files: a solver and a preset in the folder, a trace outside of it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("own.py").write_text(
        "import lb\ndef mine(problem):\n    return lb.solve(problem, 'eplb')\n"
    )
    device = hardware.preset.FOLDER / "devices" / "ascend-910c-die.toml"
    Path("own.toml").write_text(device.read_text())
    outside = str(tmp_path / "own.parquet")
    traces.save(traces.load("olmoe-domains"), outside)
    scenario = Scenario("x", (outside,), "olmoe-1b-7b", 16, 5, 1, device="own.toml")
    return [
        SuiteTask("s-v1", "solver", scenario, Candidate(spec, seed=1))
        for spec in ("own.py:mine", "random")
    ]


def _scores(records):
    """Return records without measured fields."""
    return [
        {key: value for key, value in record.items() if key not in MEASURED} for record in records
    ]


def test_records_are_those_of_one_process_and_of_several(cluster, tmp_path, own_files):
    """Records are equal to the last digit, except times, dates and hosts."""
    alone = sweep.run(own_files, tmp_path / "1")
    assert [record["status"] for record in alone] == ["ok"] * 2
    assert _scores(sweep.run(own_files, tmp_path / "2", 2)) == _scores(alone)
    records = sweep.run(own_files, tmp_path / "ray", ray=cluster.address)
    assert _scores(records) == _scores(alone)
    kept = list(record_file.read_all(tmp_path / "ray"))
    assert sorted(record["solver"] for record in kept) == ["mine", "random"]


def test_files_travel_to_nodes_that_lack_them(cluster, tmp_path, own_files, monkeypatch):
    """A node without the caller's folder gets the files; records keep the caller's names."""
    create_manifest = ray_cluster.RayCluster._create_manifest
    elsewhere = str(tmp_path / "nowhere")
    monkeypatch.setattr(
        ray_cluster.RayCluster,
        "_create_manifest",
        lambda self: replace(create_manifest(self), folder=elsewhere),
    )
    records = sweep.run(own_files, tmp_path / "ray", ray=cluster.address)
    assert _scores(records) == _scores(sweep.run(own_files, tmp_path / "1"))
    brought = Path(os.environ["TMPDIR"]) / f"podlab-{os.getuid()}"
    [copy] = brought.glob("files-*/own.toml")
    assert sorted(str(path.relative_to(copy.parent)) for path in copy.parent.rglob("own.*")) == [
        f"outside/{_digits(tmp_path / 'own.parquet')}/own.parquet",
        "own.py",
        "own.toml",
    ]


def _digits(path):
    """Return the first digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_losses_have_the_reasons_of_this_machine(cluster, tmp_path):
    """Signals and time limits are named as on one machine; the other tasks go on."""
    todo = [
        Toy("a", tmp_path),
        Toy("dies", tmp_path, ("killed SIGSEGV",)),
        Toy("hangs", tmp_path, ("hangs",)),
        Toy("again", tmp_path, ("exits 3", "ends")),
    ]
    records = sweep.run(todo, tmp_path / "out", ray=cluster.address, time_limit_s=0.5)
    assert [record.get("reason") for record in records] == [
        None,
        "its process was killed by SIGSEGV; tried 2 times",
        "it ran longer than the time limit of 0.5 s; tried 2 times",
        None,
    ]
    assert records[3]["lost"] == ["its process exited with code 3"]


def test_what_a_task_raises_goes_through(cluster, tmp_path):
    """The caller sees the exception of the task, not one of Ray."""
    with pytest.raises(ValueError, match=r"^bad raises$"):
        sweep.run([Toy("bad", tmp_path, ("raises",))], tmp_path / "out", ray=cluster.address)


def test_code_travels_to_nodes_that_lack_it(cluster, tmp_path):
    """A node unpacks and imports the caller's version of podlab, and runs the task in it."""
    import ray

    changed = tmp_path / "changed"
    with zipfile.ZipFile(io.BytesIO(payload.code())) as archive:
        archive.extractall(changed)
    (changed / "lb" / "one_more.py").touch()
    program = "from evaluation.records.source_hash import *; print(code_hash(), score_hash())"
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, cwd=changed, capture_output=True, text=True, check=True).stdout
    code_hash, score_hash = output.split()
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w") as archive:
        for path in changed.rglob("*.*"):
            archive.write(path, path.relative_to(changed))
    ray.init(cluster.address, log_to_driver=False, logging_level="error")
    try:
        code = ray.put(archived.getvalue())
        manifest = Manifest(source_hash.PACKAGES, code_hash, code, str(tmp_path), {}, None)
        ray.cloudpickle.register_pickle_by_value(bootstrap)
        attempt = ray.remote(max_retries=0)(bootstrap.attempt)
        task = pickle.dumps(Toy("a", tmp_path))
        record = ray.get(attempt.remote(manifest, task))
    finally:
        ray.cloudpickle.unregister_pickle_by_value(bootstrap)
        ray.shutdown()
    assert record["source_hash"] == score_hash != source_hash.score_hash()


def test_a_node_that_dies_loses_and_doubles_no_record(cluster, tmp_path):
    """Tasks of a dead node run again on another one; each record is written and reported once."""
    go = tmp_path / "go"
    todo = [Toy(f"t{number}", tmp_path, (f"until {go}",)) for number in range(6)]
    reported, lost = [], []

    def kill():
        while len(list(tmp_path.glob("t*.0"))) < 2:  # one runs on each node
            time.sleep(0.02)
        cluster.remove_node(cluster.worker_nodes.copy().pop(), allow_graceful=False)
        go.touch()

    killer = threading.Thread(target=kill)
    killer.start()
    records = sweep.run(
        todo,
        tmp_path / "out",
        ray=cluster.address,
        on_record=lambda record, reused: reported.append(record["solver"]),
        on_lost=lambda task, reason: lost.append((task.name, reason)),
    )
    killer.join()
    names = [task.name for task in todo]
    assert [(record["solver"], record["status"]) for record in records] == [
        (name, "ok") for name in names
    ]
    assert sorted(reported) == names
    assert sorted(path.stem for path in (tmp_path / "out").rglob("*.json")) == names
    [(name, reason)] = lost
    assert reason.startswith("its Ray worker or node died")
    assert [record["solver"] for record in records if record.get("lost") == [reason]] == [name]
    assert [task.times() for task in todo] == [1 + (task.name == name) for task in todo]


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("127.0.0.1:1", ConnectionError, "no Ray cluster answers at 127.0.0.1:1"),
        ("127.0.0.1:99999", ConnectionError, "no Ray cluster answers at 127.0.0.1:99999"),
        ("somewhere", ValueError, "Ray address 'somewhere'; give HOST:PORT, auto or local"),
    ],
)
def test_an_address_without_a_cluster_is_refused_at_once(tmp_path, address, kind, message):
    """The error comes before any task runs."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'podlab[ray]'")
    toy = Toy("a", tmp_path)
    with pytest.raises(kind, match=message):
        sweep.run([toy], tmp_path / "out", ray=address)
    assert toy.times() == 0


def test_without_ray_one_line_says_what_to_install(tmp_path, monkeypatch):
    """The error names the extra to install, and no task runs."""
    monkeypatch.setitem(sys.modules, "ray", None)
    toy = Toy("a", tmp_path)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[ray\]'"):
        sweep.run([toy], tmp_path / "out", ray="local")
    assert toy.times() == 0
