"""The balancing competition as a suite: records, and a leaderboard of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from evaluation import leaderboard
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox import Limits
from evaluation.kinds import suite_file
from evaluation.kinds.competition import competition as competing
from evaluation.kinds.competition import protocol
from evaluation.kinds.competition.scenario import CompetitionScenario
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import SuiteTask, tasks
from lb.engines.competition import Competitor

SMALL = CompetitionScenario("small", 4, 3, iterations=1100, layers=1, experts=8, tokens=4000)
ENTRY = """
from lb.engines.competition import Competitor
rebalance = Competitor()
"""


@pytest.fixture
def entry(tmp_path):
    """Write an entry of a user's own."""
    path = tmp_path / "entry.py"
    path.write_text(ENTRY)
    return path


def record_of(spec, **options):
    """Return the record of one candidate on the small scenario."""
    return SuiteTask("tiny-v1", "competition", SMALL, Candidate(spec, **options)).run()


def test_scores_are_those_of_the_protocol():
    """A record says what playing by hand says, and its parts add up."""
    record = record_of("incremental")
    played = SMALL.run(Competitor("incremental"), 0)
    base = SMALL.baseline(0)
    assert record["status"] == "ok"
    assert record["scores"]["score"] == protocol.score(played, base)
    assert record["scores"]["moves"] == played.moves == played.moved.sum()
    windows = record["windows"]
    assert len(windows["taken_s"]) == competing.PARTS
    assert sum(windows["taken_s"]) == pytest.approx(played.total_s)
    assert sum(windows["baseline_s"]) == pytest.approx(base.total_s)
    assert json.loads(json.dumps(record)) == record


def test_an_own_entry_plays_in_person(entry):
    """In the sandbox and in this process it does what our solver does with the same parameters."""
    ours = record_of("incremental")["scores"]
    boxed = record_of(str(entry), limits=Limits())
    assert boxed["sandboxed"] is True
    assert boxed["scores"] == ours
    assert record_of(str(entry))["scores"] == ours


def test_a_failure_costs_its_own_record(tmp_path):
    """The record has the reason, and an illegal answer is infeasible, not failed."""
    path = tmp_path / "entry.py"
    path.write_text("def rebalance(hotness, n_device, n_red_expert): return 1\n")
    record = record_of(str(path), limits=Limits())
    assert record["status"] == "infeasible"
    assert record["reason"].startswith("the answer is a int; give (change, layers, table, aux)")
    path.write_text("def rebalance(*_): raise KeyError(3)\n")
    record = record_of(str(path), limits=Limits())
    assert (record["status"], record["reason"]) == ("failed", "KeyError: 3")


def test_everyone_meets_every_seed_and_is_ranked():
    """Rows are ranked by the score, a ratio of sums over sizes and seeds."""
    tiny = Suite("tiny-v1", (SMALL,), "competition", seeds=(0, 1))
    todo = tasks(tiny, [Candidate("greedy"), Candidate("incremental")])
    assert [(one.candidate.spec, one.candidate.seed) for one in todo] == [
        ("greedy", 0),
        ("incremental", 0),
        ("greedy", 1),
        ("incremental", 1),
    ]
    result = leaderboard.rank((one.run() for one in todo), competing.COMPETITION.measure)
    assert result.measure == "score"
    assert [row.name for row in result.rows] == sorted(
        ("greedy", "incremental"), key=lambda name: -_score(result, name)
    )
    mean = result.rows[0].scores["score"]
    assert result.rows[0].score == pytest.approx(mean, rel=0.01)


def _score(found, name):
    return next(row.scores["score"] for row in found.rows if row.name == name)


def test_other_counts_are_another_trace():
    """What draws the counts, and their seed, are in the hash; who plays is not."""
    assert SMALL.trace_hash(0) == replace(SMALL, charge=0, window=4).trace_hash(0)
    other = {SMALL.trace_hash(0), SMALL.trace_hash(1), replace(SMALL, rho=0.9).trace_hash(0)}
    assert len(other | {replace(SMALL, iterations=9).trace_hash(0)}) == 4
    first = [next(iter(SMALL.counts(seed))) for seed in (0, 1)]
    assert (first[0] != first[1]).any()
    assert np.shape(first[0]) == (1, 8)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rho = 1.5", "scenario 'x': rho = 1.5"),
        ("slots_per_rank = 1", "slots < 8 experts"),
        ("iterations = 0", "scenario 'x'"),
        ("trace = 'x'", "scenario 'x'"),
    ],
)
def test_wrong_scenarios_are_named(line, message, tmp_path):
    """When the suite is read, or checked before anything runs."""
    values = {"num_ranks": 4, "slots_per_rank": 3, "iterations": 9, "experts": 8}
    key, _, value = line.partition(" = ")
    lines = [f"{name} = {number}" for name, number in (values | {key: value}).items()]
    path = tmp_path / "own.toml"
    head = 'id = "own-v1"\nkind = "competition"\n[[scenario]]\nid = "x"\n'
    path.write_text(head + "\n".join(lines))
    with pytest.raises(ValueError, match=message):
        suite_file.load(path).scenarios[0].check()
