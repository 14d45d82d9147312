"""The command line as a user meets it: runs, resumes, fails and refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import hardware.preset
import traces
from evaluation.candidates.candidate import Candidate
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import SuiteTask, tasks
from evaluation.replay.scenario import Scenario

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
def podlab(tmp_path):
    """Return a function that runs the command in a folder of its own."""
    (tmp_path / "tiny.toml").write_text(SUITE)

    def run(*arguments):
        command = [sys.executable, "-m", "evaluation", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def scores(folder):
    """Return (solver, scenario) -> scores of all records below a folder."""
    found = [json.loads(path.read_text()) for path in folder.rglob("*.json")]
    return {(one["solver"], one["scenario"]["id"]): one.get("scores") for one in found}


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


def test_second_run_takes_records_up(podlab):
    """What is finished is not run again, unless asked."""
    call = ("bench", "--suite", "tiny.toml", "--solver", "greedy")
    assert "reused" not in podlab(*call).stderr
    assert "2 reused from earlier runs" in podlab(*call).stderr
    assert "reused" not in podlab(*call, "--fresh").stderr


def test_changed_inputs_are_run_again(podlab, tmp_path):
    """A record is taken up only while the user's trace and preset are what they were."""
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

    def given(share):
        (tmp_path / "tiny.toml").write_text(
            SUITE.replace(
                "[[scenario]]", f"[parameters.incremental]\nshare = {share}\n[[scenario]]", 1
            )
        )
        return podlab(*call)

    assert "reused" not in given(0.25).stderr
    path = next((tmp_path / "podlab-records").rglob("ep16--incremental*.json"))
    assert json.loads(path.read_text())["parameters"]["share"] == 0.25
    assert "2 reused" in given(0.25).stderr
    assert "reused" not in given(0.5).stderr


def test_own_function_joins_the_leaderboard(podlab, tmp_path):
    """A user's file runs beside the registered solvers; its failure costs its own row only."""
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


def test_check_lists_what_fails(podlab, tmp_path):
    """A solver that does not conform exits with 1 and the failed claims."""
    (tmp_path / "own.py").write_text("def bad(problem):\n    return None\n")
    check = podlab("check", "own.py:bad")
    assert check.returncode == 1
    assert "check_feasible failed" in check.stderr


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
        (("--until-separated",), "scenarios of recorded traffic"),
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
    """A trace that is not there is named with the nearest."""
    (tmp_path / "bad.toml").write_text(SUITE.replace("olmoe-domains", "olmo-domain"))
    done = podlab("bench", "--suite", "bad.toml")
    assert done.returncode == 2
    assert "unknown trace 'olmo-domain': did you mean 'olmoe-domains'" in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt_keeps_what_is_finished(podlab, tmp_path, jobs):
    """Ctrl-C leaves the finished records; the same command goes on from there."""
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
    said = "its process exited with code 9"
    assert len(re.findall(rf"ep\d\d--dies--even--\S+: {said}; trying again", done.stderr)) == 2
    failed = rf"failed: dies on (ep16, ep32|ep32, ep16): {said}; tried 2 times"
    assert re.search(failed, done.stdout)
    assert re.search(r"^ *\d+ +greedy ", done.stdout, re.MULTILINE)
    done = podlab("bench", *call[:-1])
    assert done.returncode == 0
    assert "dies on ep16, ep32: RuntimeError: it exited with status 9" in done.stdout


def test_a_strangers_file_is_ranked_by_one_command(podlab, tmp_path):
    """No name is needed beside the file; limits that bound nothing are refused."""
    (tmp_path / "stranger.py").write_text(
        "import numpy as np\n"
        "def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):\n"
        "    return np.tile(np.arange(num_replicas) % weight.shape[1], (len(weight), 1))\n"
    )
    command = ["bench", "--suite", "tiny.toml", "--solver", "greedy", "--solver", "stranger.py"]
    done = podlab(*command)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ *\d+ +stranger ", done.stdout, re.MULTILINE)
    done = podlab(*command, "--time-limit", "0")
    assert done.returncode == 2
    assert done.stderr == "podlab: --time-limit 0 is not a finite number > 0; give one\n"


def test_list_shows_what_is_registered(podlab):
    """Solvers, traces and presets in one view."""
    shown = podlab("list").stdout
    for name in ("eplb", "even", "default", "dsv2lite-intent", "cloudmatrix384", "deepseek-v3"):
        assert name in shown


def test_without_the_laboratory_one_line_says_what_to_install():
    """The script needs the extra and names it."""
    code = (
        "import sys, importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'typer' else real(name, *a); "
        "from evaluation.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'podlab[lab]'" in done.stderr


def test_help_loads_nothing_heavy():
    """`podlab --help` answers without numpy, numba, pyarrow or networkx."""
    code = (
        "import sys; sys.argv = ['podlab', '--help']\n"
        "from evaluation.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('numpy', 'numba', 'pyarrow', 'networkx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_a_change_of_a_parameter_is_another_record(tmp_path):
    """So are another objective, forecaster and dispatcher; the same task has the same file."""
    scenario = Scenario("x", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)

    def path(one=scenario, **params):
        return SuiteTask(
            "s", "solver", one, Candidate("incremental", 0, tuple(params.items()))
        ).path(tmp_path)

    changed = [
        path(share=0.25),
        path(share=0.5),
        path(replace(scenario, objective="seconds")),
        path(replace(scenario, forecaster="mean")),
        path(replace(scenario, dispatcher="optimal")),
    ]
    assert path() == path()
    assert path(share=0.5) == changed[1]
    assert len({path(), *changed}) == 6


def test_two_of_one_name_are_refused(podlab, tmp_path):
    """The leaderboard could not tell them apart, and would show neither."""
    for file in ("one.py", "two.py"):
        (tmp_path / file).write_text("def mine(problem):\n    return None\n")
    done = podlab(
        "bench", "--suite", "tiny.toml", "--solver", "one.py:mine", "--solver", "two.py:mine"
    )
    assert done.returncode == 2
    assert "one.py:mine and two.py:mine are both called 'mine'" in done.stderr
    assert "Traceback" not in done.stderr


def test_seeds_multiply_what_they_change():
    """Everyone on a drawn trace, those that draw lots on a recorded one, the others once."""
    recorded = Scenario("r", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)
    drawn = Scenario("d", ("ar1-drift",), "deepseek-v3", 32, 9, 1)
    who = [Candidate("greedy"), Candidate("random")]
    suite = Suite("s", (recorded, drawn), seeds=(4, 7))
    found = [(one.scenario.id, one.candidate.name, one.candidate.seed) for one in tasks(suite, who)]
    assert found == [
        ("r", "greedy", 4),
        ("r", "random", 4),
        ("r", "random", 7),
        ("d", "greedy", 4),
        ("d", "random", 4),
        ("d", "greedy", 7),
        ("d", "random", 7),
    ]


def test_a_drawn_trace_goes_by_the_seed():
    """The record says which trace it was; the same seed gives the same."""
    scenario = Scenario("d", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=3, layers=2)
    found = [
        SuiteTask("s", "solver", scenario, Candidate("greedy", seed)).run() for seed in (1, 2, 1)
    ]
    assert [one["trace_seed"] for one in found] == [1, 2, 1]
    assert found[0]["trace_hash"] == found[2]["trace_hash"] != found[1]["trace_hash"]
    assert found[0]["scores"] == found[2]["scores"] != found[1]["scores"]
    assert found[0]["cost"]["ratio"] > 0


def test_json_has_what_the_table_has(podlab, tmp_path):
    """Rows with intervals and ranks, failures with reasons, groups; on stdout and nothing else."""
    (tmp_path / "own.py").write_text("def bad(problem):\n    raise RuntimeError('no')\n")
    call = ("bench", "--suite", "tiny.toml", "--solver", "own.py:bad", "--json")
    done = podlab(*call)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["suite"], found["kind"], found["measure"]) == ("tiny-v1", "solver", "efficiency")
    assert {row["name"] for row in found["rows"]} == set(SOLVERS)
    ranks = [row["rank"] for row in found["rows"]]
    assert ranks == sorted(ranks)
    for row in found["rows"]:
        assert row["interval"][0] <= row["score"] <= row["interval"][1]
        assert row["cost_ratio"] > 0
    assert {(one["name"], one["reason"]) for one in found["failures"]} == {
        ("bad", "RuntimeError: no")
    }
    assert {one["scenario"] for one in found["groups"]} == {"ep16", "ep32"}
    assert podlab(*call, "--by-scenario").returncode == 2


def test_a_suite_of_matrices_runs_and_says_when_it_takes_too_long(podlab, tmp_path):
    """The budget is of the suite; what is taken up again is not measured by it."""
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
