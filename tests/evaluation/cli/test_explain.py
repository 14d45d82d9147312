"""`podlab explain`, as a user types it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import lb
import traces
from evaluation.cli.app import app
from evaluation.files.placement_file import write_placement
from evaluation.files.placements.formats import FORMATS

RUNNER = CliRunner()
TOY = ["dsv2lite-intent", "--step-tokens", "256"]
MACHINE = ["--ranks", "16", "--slots", "5"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory, workload_files):
    """A suite of two scenarios: recorded domains, and a workload that changes."""
    path = tmp_path_factory.mktemp("suite") / "own.toml"
    path.write_text(
        f"""
id = "own-v1"
[[scenario]]
id = "recorded"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
history_windows = 2
[[scenario]]
id = "served"
workload = {list(workload_files)}
model = "deepseek-v3"
num_ranks = 32
slots_per_rank = 9
window_s = 10.0
windows = 6
sampled_steps = 4
change_window = 2
history_windows = 8
[[scenario]]
id = "alone"
workload = "{workload_files[0]}"
model = "deepseek-v3"
num_ranks = 32
slots_per_rank = 9
window_s = 10.0
windows = 6
change_window = 1
history_windows = 8
"""
    )
    return str(path)


def _json(*call):
    result = RUNNER.invoke(app, ["explain", *call, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_two_solvers_on_a_scenario(suite):
    """The window and a verdict first, then tables of at most two rows."""
    call = ["contiguous", "greedy", "--suite", suite, "--top", "2"]
    result = RUNNER.invoke(app, ["explain", *call])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("recorded, window 5; solvers see windows 3 to 4.")
    assert "greedy (after) takes" in result.stdout
    assert "pays" in result.stdout
    for title in ("Layers that differ most", "Ranks:", "Experts:", "Fullest links"):
        assert title in result.stdout
    assert len(result.stdout.splitlines()) < 40


def test_a_workload_is_explained_after_its_change(suite):
    """The sample stands for the whole window, and solvers have seen the mixture before it."""
    call = ["contiguous", "greedy", "--suite", suite, "--scenario", "served"]
    report = _json(*call)
    assert report["window"].items() >= {"number": 2, "seen": 2, "change": 2}.items()
    assert report["steps"] == 4
    assert 80 < report["engine_steps"] <= 100
    assert report["moe_layers"] == 2
    result = RUNNER.invoke(app, ["explain", *call])
    first = " ".join(result.stdout.split())
    assert "served, window 2, the first after the change of mixture; solvers see windows 0" in first
    assert "engine steps of 2 layers, of which 4 steps are priced" in first
    steady = _json(*call, "--at", "5")
    assert steady["window"].items() >= {"number": 5, "seen": 5}.items()
    assert steady["window"]["load_change"] < report["window"]["load_change"]
    assert steady["step_s"] != report["step_s"]
    assert _json(*call, "--seed", "1")["step_s"] != report["step_s"]


def test_steps_and_windows_of_a_workload_may_be_changed(suite):
    """More steps are sampled; windows of 50 engine steps end sooner."""
    call = ["contiguous", "greedy", "--suite", suite, "--scenario", "served"]
    assert _json(*call, "--steps", "7")["steps"] == 7
    shorter = _json(*call, "--window", "50")
    assert shorter["engine_steps"] == 50
    assert shorter["scenario"]["window_s"] is None
    assert shorter["window"]["change"] == 2


def test_other_windows_of_one_workload_are_all_that_it_has(suite):
    """The number of windows, and that of the change, were those of another length."""
    call = ["contiguous", "greedy", "--suite", suite, "--scenario", "alone", "--window", "300"]
    report = _json(*call)
    assert report["engine_steps"] == 300
    assert report["window"].items() >= {"number": 2, "seen": 2, "change": None}.items()


def test_a_workload_without_a_scenario(workload_files):
    """On a machine of options, in windows of 50 steps, its last one."""
    machine = ["--model", "deepseek-v3", "--ranks", "32", "--slots", "9"]
    call = ["contiguous", "greedy", "--workload", workload_files[0], *machine]
    report = _json(*call, "--window", "250")
    assert report["scenario"]["workload"] == [workload_files[0]]
    assert (report["engine_steps"], report["window"]["number"]) == (250, 3)


def test_a_workload_in_place_of_a_scenarios_traffic(suite, workload_files):
    """The machine stays. Windows are as long as those of the scenario's workload, and all count."""
    call = ["contiguous", "greedy", "--suite", suite, "--workload", workload_files[1]]
    report = _json(*call, "--scenario", "served")
    assert report["scenario"]["window_s"] == 10.0
    assert report["window"]["change"] is None
    assert report["window"]["number"] > 5
    recorded = ["--scenario", "recorded", "--model", "deepseek-v3", "--slots", "17"]
    report = _json(*call, *recorded, "--window", "200")
    assert report["scenario"]["num_ranks"] == 16
    assert report["scenario"]["trace"] == []


def test_a_trace_in_place_of_a_workload(suite):
    """The machine stays, and the windows are those of a bare trace."""
    call = ["eplb", "greedy", *TOY, "--model", "deepseek-v2-lite", "--kv-tokens", "512"]
    report = _json(*call, "--suite", suite, "--scenario", "served")
    assert report["scenario"]["num_ranks"] == 32
    assert report["scenario"]["workload"] == []
    assert (report["steps"], report["engine_steps"]) == (8, 8)


def test_steps_of_a_trace_are_thinned():
    """Two of eight, evenly spaced, stand for all."""
    report = _json("contiguous", "greedy", *TOY, *MACHINE, "--steps", "2")
    assert (report["steps"], report["engine_steps"]) == (2, 8)


def test_json_adds_up():
    """Phases to the step, ranks to the expert phase."""
    report = _json("contiguous", "greedy", *TOY, *MACHINE, "--top", "2000")
    step = report["step_s"]
    phases = sum(one["difference"] for one in report["phases_s"].values())
    assert phases == pytest.approx(step["difference"])
    assert step["after"] - step["before"] == pytest.approx(step["difference"])
    experts = report["phases_s"]["experts"]["difference"]
    for kind in ("ranks", "experts"):
        assert sum(one["difference_s"] for one in report[kind]) == pytest.approx(experts)
    assert sum(one["difference_s"] for one in report["layers"]) == pytest.approx(step["difference"])
    hot = report["layers"][0]["before"]
    assert hot["load_to_mean"] > 1
    assert [one["share"] for one in hot["experts"]] == sorted(
        (one["share"] for one in hot["experts"]), reverse=True
    )


def test_files_say_ranks_and_slots(tmp_path):
    """JSON names the ranks; the result is that of the solver that wrote it."""
    by_name = _json("contiguous", "greedy", *TOY, *MACHINE, "--at", "1")
    trace = traces.load("dsv2lite-intent").split(256).counts()
    problem = lb.Problem(trace.windows(8)[0], 16, 5)
    for name, solver in (("a.json", "contiguous"), ("b.npy", "greedy")):
        placement = lb.solve(problem, solver)
        if name.endswith(".npy"):
            np.save(tmp_path / name, placement.physical_to_logical)
        else:
            table = placement.physical_to_logical.tolist()
            (tmp_path / name).write_text(
                json.dumps({"physical_to_logical": table, "num_ranks": 16})
            )
    by_file = _json(str(tmp_path / "a.json"), str(tmp_path / "b.npy"), *TOY, "--at", "1")
    assert by_file["step_s"] == by_name["step_s"]
    assert by_file["scenario"]["slots_per_rank"] == 5


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_file_that_solve_writes_is_explained(tmp_path, form):
    """A placement file gives the same as the solver that made it, in every format."""
    path = tmp_path / f"greedy{FORMATS[form].endings[0]}"
    trace = traces.load("dsv2lite-intent").split(256).counts()
    placement = lb.solve(lb.Problem(trace.windows(8)[0], 16, 5), "greedy")
    write_placement(placement, path, FORMATS[form])
    call = [str(path), "greedy@5", *TOY, "--ranks", "16", "--at", "1", "--steps", "4"]
    assert _json(*call)["step_s"]["difference"] == 0


def test_a_placement_against_itself():
    """No difference, no move, no table."""
    result = RUNNER.invoke(app, ["explain", "greedy", "greedy", *TOY, *MACHINE])
    assert "takes just as long" in result.stdout
    assert "No expert weights move" in result.stdout
    assert "Layers" not in result.stdout
    assert _json("greedy", "greedy", *TOY, *MACHINE)["migration"]["break_even_steps"] is None


def test_a_scenario_says_what_options_do_not(suite):
    """Its trace is replaced, its machine kept; --window cuts its own trace anew."""
    call = ["--suite", suite, "--scenario", "recorded", "--model", "deepseek-v2-lite"]
    report = _json("eplb", "greedy", *TOY, *call)
    assert report["scenario"]["num_ranks"] == 16
    assert report["scenario"]["trace"] == ["dsv2lite-intent"]
    report = _json("eplb", "greedy", "olmoe-domains", "--suite", suite, "--scenario", "recorded")
    assert report["steps"] == 1
    assert report["window"]["number"] == 5
    report = _json("eplb", "greedy", *call[:4], "--window", "2")
    assert (report["steps"], report["window"]["number"]) == (2, 2)


def test_a_solver_may_have_slots_of_its_own():
    """Without and with one redundant slot a rank."""
    report = _json("greedy@4", "greedy@5", *TOY, "--ranks", "16")
    whole = _json("greedy", "greedy@5", *TOY, "--ranks", "16", "--slots", "4")
    assert report["step_s"] == whole["step_s"]
    assert report["step_s"]["difference"] != 0


def test_the_way_back_never_pays():
    """A worse placement says so."""
    result = RUNNER.invoke(app, ["explain", "greedy", "contiguous", *TOY, *MACHINE])
    assert "more time a step" in result.stdout
    assert "never pays" in result.stdout


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["greedy", "gredy", *TOY, *MACHINE], "did you mean"),
        (
            ["none.pt", "greedy@5", *TOY, *MACHINE],
            "none.pt: no placement format has this ending; the formats are",
        ),
        (
            ["here/none", "greedy@5", *TOY, *MACHINE],
            "here/none: no placement format has this ending",
        ),
        (["none.npy", "greedy", *TOY, *MACHINE], "none.npy: there is no such placement file"),
        (["greedy", "none.json", *TOY], "none.json: there is no such placement file"),
        (["greedy", "eplb", "dsv2lite-intend"], "unknown trace 'dsv2lite-intend': did you mean"),
        (["greedy", "eplb", "dsv2lite-intent"], "give --ranks"),
        (["greedy", "eplb", "dsv2lite-intent", "--ranks", "16"], "give --slots"),
        (["greedy", "eplb", "dsv2lite-intent", *MACHINE], "not in steps"),
        (["greedy@3", "eplb", *TOY, *MACHINE], "give slots_per_rank >= 4"),
        (["greedy@0", "eplb", *TOY, *MACHINE], "slots_per_rank = 0 < 1"),
        (["greedy@x", "eplb", *TOY, *MACHINE], "'greedy@x'"),
        (["greedy", "eplb", *TOY, "--ranks", "16", "--slots", "3"], "give slots_per_rank >= 4"),
        (["greedy", "eplb", *TOY, *MACHINE, "--window", "32"], "has 1 windows < 2, one observed"),
        (
            ["greedy", "eplb", *TOY, *MACHINE, "--at", "0"],
            "window = 0 < 1; window 0 is only observed",
        ),
        (
            ["greedy", "eplb", *TOY, *MACHINE, "--at", "4"],
            "window = 4 breaks window <= 3, the last",
        ),
        (["greedy", "eplb", *TOY, *MACHINE, "--window", "0"], "window_steps = 0"),
        (["greedy", "eplb", *TOY, *MACHINE, "--kv-tokens", "nan"], "kv_tokens = nan"),
        (["greedy", "eplb", *TOY, *MACHINE, "--phase", "both"], "phase = 'both'"),
        (["greedy", "eplb", *TOY, *MACHINE, "--dispatcher", "evn"], "did you mean 'even'?"),
        (["greedy", "eplb", *TOY, *MACHINE, "--device", "h101"], "did you mean"),
        (["greedy", "eplb", *TOY, *MACHINE, "--model", "olmoe-1b-7b"], "has top_k = 6"),
        (["greedy", "eplb", "--scenario", "moon"], "has no scenario 'moon'"),
        (["greedy", "eplb", *TOY, *MACHINE, "--workload", "x"], "--workload x: give one"),
        (["greedy", "eplb", "--workload", "x"], "give --ranks"),
        (["greedy", "eplb", "--workload", "x", *MACHINE], "which model is the workload of?"),
        (
            ["greedy", "eplb", "--workload", "r1-decode-ep23", *MACHINE, "--model", "deepseek-v3"],
            "did you mean 'r1-decode-ep32'",
        ),
        (["greedy", "eplb", "--suite", "defalt"], "did you mean"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(call, message):
    """Exit code 2, and the line names what is wrong."""
    result = RUNNER.invoke(app, ["explain", *call])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("podlab: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--phase", "prefill"], "--phase is for traces"),
        (["--step-tokens", "64"], "(--step-tokens) is for traces"),
        (["--at", "6"], "window = 6 breaks window <= 5, the last"),
        (["--window", "500"], "has 1 windows < 4"),
        (["--model", "olmoe-1b-7b"], "experts = 256, the model olmoe-1b-7b has 64"),
    ],
)
def test_what_does_not_go_with_a_workload_is_refused(suite, call, message):
    """In one line, too."""
    base = ["explain", "greedy", "eplb", "--suite", suite, "--scenario", "served"]
    result = RUNNER.invoke(app, [*base, *call])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("shape", "top", "message"),
    [
        ((3, 80), 64, "AFTER has 3 layers, the traffic 26"),
        ((26, 80), 80, "AFTER has 80 experts, the traffic 64"),
        ((26, 70), 64, "over 16 ranks"),
    ],
)
def test_files_of_another_deployment_are_refused(tmp_path, shape, top, message):
    """Layers and experts are the trace's, slots divide over the ranks."""
    table = np.broadcast_to(np.arange(shape[1]) % top, shape)
    np.save(tmp_path / "map.npy", table)
    call = ["explain", "greedy", str(tmp_path / "map.npy"), *TOY, *MACHINE]
    result = RUNNER.invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr


def test_pickled_files_are_refused(tmp_path):
    """An object array never loads."""
    np.save(tmp_path / "map.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    result = RUNNER.invoke(app, ["explain", "greedy", str(tmp_path / "map.npy"), *TOY, *MACHINE])
    assert result.exit_code == 2
    assert "allow_pickle" in result.stderr
