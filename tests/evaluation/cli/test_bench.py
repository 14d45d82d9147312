"""`podlab bench` as a user meets it: it runs, resumes, fails and refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hardware.preset
import traces

SOLVERS = ["auto", "contiguous", "eplb", "greedy", "random"]
SUITE = f"""
id = "tiny-v1"
solvers = {json.dumps(SOLVERS)}
[[scenario]]
id = "ep16"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
[[scenario]]
id = "ep32"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 32
slots_per_rank = 3
window_steps = 1
"""


@pytest.fixture
def podlab(podlab, tmp_path):
    """Return the command, in a folder that has the suite ``tiny.toml``."""
    (tmp_path / "tiny.toml").write_text(SUITE)
    return podlab


def scores(folder):
    """Return (solver, scenario) -> scores of all records below a folder."""
    result = [json.loads(path.read_text()) for path in folder.rglob("*.json")]
    return {(one["solver"], one["scenario"]["id"]): one.get("scores") for one in result}


def test_two_runs_and_two_processes_give_equal_scores(podlab, tmp_path):
    """One seed, one result: again, and in parallel."""
    runs = (("a", "1"), ("b", "1"), ("c", "2"))
    for out, jobs in runs:
        done = podlab("bench", "--suite", "tiny.toml", "--out", out, "--jobs", jobs)
        assert done.returncode == 0, done.stderr
        assert "greedy" in done.stdout
    one, two, three = (scores(tmp_path / out) for out, _ in runs)
    assert len(one) == 2 * len(SOLVERS)
    assert one == two == three


def test_record_has_what_it_takes_to_reproduce_it(podlab, tmp_path):
    """Schema, version, commit, solver, parameters, scenario, trace hash, seed, host, times."""
    podlab("bench", "--suite", "tiny.toml", "--solver", "random", "--seed", "3")
    path = next((tmp_path / "podlab-records").rglob("ep16--random*.json"))
    record = json.loads(path.read_text())
    assert record["schema"] == 2
    assert record["solver"] == "random"
    assert record["parameters"] == {"seed": 3}
    assert record["trace_hash"] == traces.open("olmoe-domains").content_hash
    assert {"podlab", "commit", "source_hash", "host", "seed", "wall", "date"} <= set(record)
    assert len(record["layers"]["balancedness_next"]) == 3


def test_second_run_reuses_records(podlab):
    """What is finished is not run again, unless asked."""
    call = ("bench", "--suite", "tiny.toml", "--solver", "greedy")
    assert "reused" not in podlab(*call).stderr
    assert "2 reused from earlier runs" in podlab(*call).stderr
    assert "reused" not in podlab(*call, "--fresh").stderr


def test_changed_inputs_are_run_again(podlab, tmp_path):
    """A record is reused only while the user's trace and preset are unchanged."""
    trace = traces.load("olmoe-domains")
    traces.save(trace, tmp_path / "own.parquet")
    preset = Path(hardware.preset.FOLDER / "devices" / "ascend-910c-die.toml").read_text()
    (tmp_path / "own.toml").write_text(preset)
    text = SUITE.replace("olmoe-domains", "own.parquet")
    text = text.replace("window_steps = 1", 'window_steps = 1\ndevice = "own.toml"')
    (tmp_path / "tiny.toml").write_text(text)
    call = ("bench", "--suite", "tiny.toml", "--solver", "contiguous")
    assert "reused" not in podlab(*call).stderr
    assert "2 reused" in podlab(*call).stderr
    (tmp_path / "own.toml").write_text(preset.replace("cores = 24", "cores = 23"))
    assert "reused" not in podlab(*call).stderr
    traces.save(trace.slice(1), tmp_path / "own.parquet")
    assert "reused" not in podlab(*call).stderr


def test_parameters_of_a_suite_reach_the_record(podlab, tmp_path):
    """They are in the record, and other ones are run again."""
    call = ("bench", "--suite", "tiny.toml", "--solver", "incremental")

    def bench_with(share):
        (tmp_path / "tiny.toml").write_text(
            SUITE.replace(
                "[[scenario]]", f"[parameters.incremental]\nshare = {share}\n[[scenario]]", 1
            )
        )
        return podlab(*call)

    assert "reused" not in bench_with(0.25).stderr
    path = next((tmp_path / "podlab-records").rglob("ep16--incremental*.json"))
    assert json.loads(path.read_text())["parameters"]["share"] == 0.25
    assert "2 reused" in bench_with(0.25).stderr
    assert "reused" not in bench_with(0.5).stderr


def test_own_function_joins_the_leaderboard(podlab, tmp_path):
    """A user's file runs with the registered solvers; its failure costs its own row only."""
    (tmp_path / "own.py").write_text(
        "import lb\n"
        "def mine(problem):\n    return lb.solve(problem, 'contiguous')\n"
        "def bad(problem):\n    raise RuntimeError('out of ideas')\n"
        "def wrong(problem):\n    return problem.load\n"
        "def leaves(problem):\n    raise SystemExit(3)\n"
    )
    specs = [f"own.py:{name}" for name in ("mine", "bad", "wrong", "leaves")]
    options = [part for spec in specs for part in ("--solver", spec)]
    done = podlab("bench", "--suite", "tiny.toml", *options)
    assert done.returncode == 0
    assert re.search(r"^ *\d+ +mine ", done.stdout, re.MULTILINE)
    assert re.search(r"^ *\d+ +eplb ", done.stdout, re.MULTILINE)
    assert "failed: bad on ep16, ep32: RuntimeError: out of ideas" in done.stdout
    assert "wrong on ep16, ep32: the answer is a ndarray" in done.stdout
    assert "failed: leaves on ep16, ep32: SystemExit: 3" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--solver", "gredy"), "unknown solver 'gredy': did you mean 'greedy'"),
        (("--solver", "none.py:x"), "there is no file none.py"),
        (("--suite", "defalt"), "unknown suite 'defalt': did you mean 'default'"),
        (("--suite", "none.toml"), "there is no such suite file"),
        (("--out", "tiny.toml"), "is a file; give a folder"),
        (("--jobs", "0"), "greater than or equal to 1"),
        (("--seed", "-1"), "greater than or equal to 0"),
        (("--retries", "-1"), "greater than or equal to 0"),
        (("--task-limit", "0"), "time_limit_s = 0.0; give seconds > 0"),
        (("--slover", "greedy"), "No such option"),
        (("--until-separated", "--suite", "tiny.toml"), "scenarios of recorded traffic"),
        (("--budget-s", "5"), "--budget-s is of --until-separated"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(podlab, arguments, message):
    """Before anything runs, with exit code 2 and no traceback."""
    done = podlab("bench", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_trace_in_a_suite_is_refused(podlab, tmp_path):
    """An unknown trace is named with the nearest one."""
    (tmp_path / "bad.toml").write_text(SUITE.replace("olmoe-domains", "olmo-domain"))
    done = podlab("bench", "--suite", "bad.toml")
    assert done.returncode == 2
    assert "unknown trace 'olmo-domain': did you mean 'olmoe-domains'" in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt_keeps_what_is_finished(podlab, tmp_path, jobs):
    """Ctrl-C leaves the finished records; the same command resumes."""
    (tmp_path / "slow.py").write_text(
        "import time, lb, pathlib\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "def slow(problem):\n"
        "    (here / 'started').touch()\n"
        "    if not (here / 'hurry').exists():\n        time.sleep(60)\n"
        "    return lb.solve(problem, 'contiguous')\n"
    )
    call = ("bench", "--suite", "tiny.toml", "--solver", "greedy", "--solver", "slow.py:slow")
    call = (*call, "--task-limit", "100")
    command = [sys.executable, "-m", "evaluation", *call, "--jobs", jobs]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    folder = tmp_path / "podlab-records"
    while not (tmp_path / "started").exists() or not list(folder.rglob("*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    kept = len(list(folder.rglob("*.json")))
    assert 1 <= kept <= 2
    assert "run the same command again to resume" in errors
    (tmp_path / "hurry").touch()
    done = podlab(*call)
    assert done.returncode == 0
    assert f"{kept} reused from earlier runs" in done.stderr
    assert len(scores(tmp_path / "podlab-records")) == 4


def test_a_worker_that_dies_costs_its_own_row(podlab, tmp_path):
    """A solver that takes its process down is tried again, and fails; the others are ranked."""
    (tmp_path / "own.py").write_text("import os\ndef dies(problem):\n    os._exit(9)\n")
    call = ("--suite", "tiny.toml", "--solver", "greedy", "--solver", "own.py:dies", "--no-sandbox")
    done = podlab("bench", *call, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    result = "its process exited with code 9"
    assert len(re.findall(rf"ep\d\d--dies--even--\S+: {result}; trying again", done.stderr)) == 2
    failed = rf"failed: dies on (ep16, ep32|ep32, ep16): {result}; tried 2 times"
    assert re.search(failed, done.stdout)
    assert re.search(r"^ *\d+ +greedy ", done.stdout, re.MULTILINE)
    done = podlab("bench", *call[:-1])
    assert done.returncode == 0
    assert "dies on ep16, ep32: RuntimeError: it exited with status 9" in done.stdout


def test_a_third_party_file_is_ranked_by_one_command(podlab, tmp_path):
    """The file needs no name in it; a limit of 0 is refused."""
    (tmp_path / "third_party.py").write_text(
        "import numpy as np\n"
        "def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):\n"
        "    return np.tile(np.arange(num_replicas) % weight.shape[1], (len(weight), 1))\n"
    )
    command = ["bench", "--suite", "tiny.toml", "--solver", "greedy", "--solver", "third_party.py"]
    done = podlab(*command)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ *\d+ +third_party ", done.stdout, re.MULTILINE)
    done = podlab(*command, "--time-limit", "0")
    assert done.returncode == 2
    assert done.stderr == "podlab: --time-limit 0 is not a finite number > 0; give one\n"


def test_two_of_one_name_are_refused(podlab, tmp_path):
    """The leaderboard could not distinguish them, and would show neither."""
    for file in ("one.py", "two.py"):
        (tmp_path / file).write_text("def mine(problem):\n    return None\n")
    done = podlab(
        "bench", "--suite", "tiny.toml", "--solver", "one.py:mine", "--solver", "two.py:mine"
    )
    assert done.returncode == 2
    assert "one.py:mine and two.py:mine are both called 'mine'" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_has_what_the_table_has(podlab, tmp_path):
    """Rows with intervals and ranks, failures with reasons, groups; on stdout and nothing else."""
    (tmp_path / "own.py").write_text("def bad(problem):\n    raise RuntimeError('no')\n")
    call = ("bench", "--suite", "tiny.toml", "--solver", "own.py:bad", "--json")
    done = podlab(*call)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["suite"], result["kind"], result["measure"]) == (
        "tiny-v1",
        "solver",
        "efficiency",
    )
    assert {row["name"] for row in result["rows"]} == set(SOLVERS)
    ranks = [row["rank"] for row in result["rows"]]
    assert ranks == sorted(ranks)
    for row in result["rows"]:
        assert row["interval"][0] <= row["score"] <= row["interval"][1]
        assert row["cost_ratio"] > 0
    assert {(one["name"], one["reason"]) for one in result["failures"]} == {
        ("bad", "RuntimeError: no")
    }
    assert {one["scenario"] for one in result["groups"]} == {"ep16", "ep32"}
    assert podlab(*call, "--by-scenario").returncode == 2


def test_a_suite_of_matrices_runs_and_says_when_it_takes_too_long(podlab, tmp_path):
    """The budget is of the suite; reused records do not count against it."""
    (tmp_path / "fit.toml").write_text(
        'id = "small-v1"\nkind = "fit"\nbudget_s = 1e-3\nsolvers = ["eplb", "greedy"]\n'
        '[[scenario]]\nid = "v3"\nmodel = "deepseek-v3"\nlaw = "zipf"\nlayers = 2\n'
        "num_ranks = 32\nslots_per_rank = 9\n"
    )
    done = podlab("bench", "--suite", "fit.toml")
    assert done.returncode == 0, done.stderr
    assert "best balance fitted first" in done.stdout
    assert "more than the 0.001 s that small-v1 should take" in done.stderr
    assert "more than" not in podlab("bench", "--suite", "fit.toml").stderr
