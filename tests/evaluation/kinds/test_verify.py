"""Records are run again, and each gets a verdict."""

from dataclasses import replace

import pytest

from evaluation.candidates.sandbox import Limits
from evaluation.kinds import suite_file
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import SuiteTask, tasks
from evaluation.kinds.verify import verify
from evaluation.records import record_file
from evaluation.records.submission.pack import pack
from evaluation.records.submission.unpack import unpack


@pytest.fixture
def verdicts(made, records, tmp_path):
    """Return a function that edits the records of a solver, packs them and verifies them."""
    folder, edit = records

    def run(solver="greedy", change=lambda record: None, **options):
        edit(solver, change)
        pack(folder, tmp_path / "a.zip", [made[1]])
        result = verify(unpack(tmp_path / "a.zip"), **options)
        return {
            verdict.record.split("--")[1]: (verdict.outcome, verdict.reason) for verdict in result
        }

    return run


def test_honest_records_reproduce_exactly(verdicts):
    """A registered solver, and one from a file in the sandbox."""
    assert verdicts() == {"greedy": ("exact", ""), "third_party": ("exact", "")}


def test_a_polished_score_differs(verdicts):
    """The score is named with both values; the other record is not touched by it."""

    def polish(record):
        record["scores"]["efficiency"] += 0.001

    result = verdicts("third_party", polish)
    assert result["greedy"] == ("exact", "")
    outcome, reason = result["third_party"]
    assert outcome == "differs"
    assert reason.startswith("efficiency is 0.")


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1 + 1e-9, "within tolerance"), (1 + 1e-3, "differs")]
)
def test_rounding_is_tolerated_and_no_more(verdicts, factor, outcome):
    """Other builds of numpy add up in another order."""

    def scale(record):
        record["scores"]["efficiency"] *= factor

    assert verdicts("greedy", scale)["greedy"][0] == outcome


def _set(**changes):
    return lambda record: record.update(changes)


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        (_set(trace_hash="0"), "not checked", "trace_hash is"),
        (_set(suite="mine-v1"), "not checked", "no bundled suite has the id 'mine-v1'"),
        (_set(kind="fit"), "not checked", "is of kind solver here"),
        (_set(kind=["solver"]), "not checked", "kind = ['solver'] is not one of"),
        (_set(anytime={}), "not checked", "points of anytime curves"),
        (_set(solver="mine"), "not checked", "'mine' is not registered here"),
        (_set(seed=-1), "not checked", "with seed -1 is not a candidate"),
        (_set(solver_file="x"), "not checked", "is not in the submission"),
        (_set(status="failed"), "differs", "it is ok here (with scores), and 'failed' there"),
        (_set(scores={}), "differs", "its scores are not"),
        (_set(scores=None), "differs", "its scores are not"),
        (
            lambda record: record["scenario"].update(trace=["/etc/passwd"]),
            "not checked",
            "has no such scenario here",
        ),
        (lambda record: record["scores"].update(efficiency=10**400), "differs", "efficiency is"),
        (lambda record: record["scores"].update(efficiency=None), "differs", "efficiency is"),
    ],
)
def test_a_wrong_record_has_a_reason(change, outcome, reason, verdicts, made, monkeypatch):
    """No record makes the check itself fail, nor read what it names."""
    monkeypatch.setattr("evaluation.records.submission.pack._solvers", _packed_alone(made[1]))
    result = verdicts("greedy", change)["greedy"]
    assert result[0] == outcome
    assert reason in result[1]


def _packed_alone(file):
    import hashlib

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return lambda used, paths: {f"solvers/{digest[:12]}/{file.name}": file.read_bytes()}


def test_a_solver_that_hangs_costs_its_own_record(made, verdicts):
    """Time limits hold for those who check too."""
    result = verdicts(limits=Limits(call_s=1e-4))
    assert result["greedy"] == ("exact", "")
    assert result["third_party"][0] == "differs"
    assert "it is failed here (TimeoutError: the call took longer" in result["third_party"][1]


def test_a_sample_is_drawn_by_its_seed(verdicts):
    """Equal seeds draw equally; some seed draws each."""
    drawn = {tuple(verdicts(sample=1, seed=seed)) for seed in range(6)}
    assert drawn == {("greedy",), ("third_party",)}
    assert verdicts(sample=1, seed=3) == verdicts(sample=1, seed=3)
    with pytest.raises(ValueError, match="sample = 0 < 1"):
        verdicts(sample=0)
    with pytest.raises(ValueError, match="tolerance = -1 is not"):
        verdicts(tolerance=-1)


@pytest.mark.parametrize(
    ("name", "scenario", "candidate"),
    [("forecast", "olmoe-changing-domains", "last"), ("serving", "azure-saturated", "chunked")],
)
def test_records_of_other_kinds_are_run_again(name, scenario, candidate, tmp_path, monkeypatch):
    """A forecaster and a scheduler, found in the bundled suite by scenario, name and seed."""
    whole = suite_file.load(name)
    (chosen,) = (one for one in whole.scenarios if one.id == scenario)
    todo = tasks(replace(whole, scenarios=(chosen,), seeds=(0,)), suite_candidates(whole))
    (task,) = (one for one in todo if one.candidate.name == candidate)
    record = {**task.failed("not run here"), "status": "ok", "scores": {"share": 0.5}}
    monkeypatch.setattr(SuiteTask, "run", lambda again: record if again == task else {})
    record_file.write(record, task.path(tmp_path / "records"))
    pack(tmp_path / "records", tmp_path / "a.zip", [])
    (verdict,) = verify(unpack(tmp_path / "a.zip"))
    assert (verdict.outcome, verdict.reason) == ("exact", "")
