"""Rankings of schedulers as tables and JSON."""

import pytest
from rich.console import Console
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.kinds.recovery import RECOVERY
from evaluation.kinds.scheduler.scheduler import SCHEDULER
from evaluation.leaderboard import table


def record(name, goodput, scenario="a", seed=0, **other):
    """Return the record of one run."""
    columns = (*SCHEDULER.display.columns, *RECOVERY.display.columns)
    scores = {column.key: 1.0 for column in columns} | {"goodput": goodput}
    return {
        "kind": "serving",
        "suite": "toy-v1",
        "stage": "job",
        "solver": name,
        "reference": "plain",
        "scenario": {"id": scenario},
        "seed": seed,
        "status": "ok",
        "scores": scores,
    } | other


def runs(name, *goodputs, **other):
    """Return the records of one scheduler, a seed each."""
    return [record(name, one, seed=seed, **other) for seed, one in enumerate(goodputs)]


def shown(records, kind=SCHEDULER):
    """Return whether anything was ranked, and the lines."""
    console = Console(width=table.WIDTH, record=True, quiet=False)
    with console.capture() as capture:
        ranked = table.render(kind.leaderboard(kind.ranking(records)), "title", console)
    return ranked, capture.get().splitlines()


def test_the_best_is_first_with_rank_ratio_and_interval():
    """Rows are in order of rank; one scenario alone shows goodput and latencies."""
    ranked, lines = shown([*runs("plain", 1.0, 2.0), *runs("new", 2.0, 4.1)])
    assert ranked
    assert "TTFT ms" in " ".join(lines)
    rows = [line.split() for line in lines if "plain" in line or "new" in line]
    assert rows[0][:4] == ["job", "1", "new", "2.025"]
    assert rows[1][:4] == ["2", "plain", "1.000", "reference"]
    # Ratios 2 and 2.05; the mean of their logarithms is 0.7055, its standard error half their
    # difference, 0.0123, and Student's t of one degree of freedom 12.71.
    assert rows[0][4:7] == ["1.731", "to", "2.369"]
    assert not any("…" in line for line in lines)


def test_stages_are_in_the_order_of_a_request():
    """Whatever the order of the records; a stage that is not known comes last."""
    records = [
        record(name, 1.0, seed=seed, stage=stage)
        for stage in ("novel", "decode", "job")
        for name in ("plain", "new")
        for seed in (0, 1)
    ]
    assert list(SCHEDULER.ranking(records).rankings) == ["job", "decode", "novel"]


def test_several_scenarios_show_what_can_be_averaged():
    """Latencies of different scenarios have no common mean; shares have."""
    result = [*runs("plain", 1.0, 2.0), *runs("plain", 1.0, 2.0, scenario="b")]
    _, lines = shown(result)
    text = " ".join(lines)
    assert "SLO" in text
    assert "TTFT" not in text
    assert "scenarios" in text


def test_what_is_not_ranked_is_below_with_the_reason():
    """A score of None neither crashes nor hides a scheduler."""
    bad = runs("bad", 1.0, 1.0)
    bad[1]["scores"]["tpot_p99_s"] = None
    ranked, lines = shown([*runs("plain", 1.0, 2.0), *bad])
    assert ranked
    assert lines[-1] == ("not ranked: job bad: no request has a time per output token (a, seed 1)")


def test_a_mean_that_is_not_known_is_a_dash():
    """Other scores may lack."""
    plain = runs("plain", 1.0, 2.0)
    plain[0]["scores"]["dp_imbalance"] = None
    _, lines = shown(plain)
    assert any(line.split()[-2] == "–" for line in lines if "plain" in line)


def test_faults_have_columns_of_their_own():
    """Lost work and the time to recover are shown."""
    ranked, lines = shown(runs("plain", 1.0, 2.0, kind="faults"), RECOVERY)
    assert ranked
    assert "to recover" in " ".join(lines)


def test_nothing_ranked_is_said():
    """Without a goodput there is no table, but a reason."""
    ranked, lines = shown(runs("plain", 0.0, 0.0))
    assert not ranked
    assert lines == ["not ranked: job plain: no request kept the SLO (a, seed 0, and 1 more)"]


SUITE = """
id = "tiny-v1"
kind = "serving"
seeds = [0, 1]
budget_s = 9.0
reference = { batch = "fcfs" }
"""
SCENARIO = """
[[scenario]]
id = "%s"
serving = "azure-busy"
stages = ["batch"]
requests = %d
"""


@pytest.fixture
def suite(tmp_path):
    """A suite of two scenarios of a few requests."""
    path = tmp_path / "tiny.toml"
    path.write_text(SUITE + SCENARIO % ("five", 5) + SCENARIO % ("ten", 10))
    return path


def test_bench_prints_a_table_for_each_scenario_too(suite, tmp_path):
    """By scenario there are latencies, and then the ranking over all."""
    options = ["--suite", str(suite), "--out", str(tmp_path / "records"), "--by-scenario"]
    answer = CliRunner().invoke(app, ["bench", *options])
    assert answer.exit_code == 0, answer.output
    first, second, whole = answer.stdout.split("tiny-v1 · ")[1:]
    assert first.startswith("five")
    assert second.startswith("ten")
    assert whole.startswith("mean of 2 scenarios, best goodput × reference first, stage by stage")
    assert "TTFT" in first
    assert "TTFT" not in whole
    assert all("shortest-first" in part for part in (first, second, whole))


def test_bench_refuses_solvers(suite, tmp_path):
    """A suite of schedulers says who competes."""
    options = ["--suite", str(suite), "--out", str(tmp_path), "--solver", "greedy"]
    answer = CliRunner().invoke(app, ["bench", *options])
    assert answer.exit_code == 2
    assert "leave --solver" in answer.output
