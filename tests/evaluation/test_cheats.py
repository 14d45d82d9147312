"""No cheat is scored: it is below the table with its reason, and what tampers gains nothing."""

import io
from dataclasses import dataclass, field
from typing import Any

import pytest
from rich.console import Console

from evaluation.candidates.candidate import Candidate
from evaluation.kinds.fit.scenario import FitScenario
from evaluation.kinds.solver import SOLVER
from evaluation.kinds.task import SuiteTask
from evaluation.leaderboard import table
from evaluation.replay.scenario import Scenario
from tests.evaluation.cheats import CHEATS, IN_VAIN

SCENARIO = Scenario(
    "toy", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=5, layers=2, history_windows=4
)
MATRIX = FitScenario("toy", "deepseek-v3", "zipf", 32, 9, layers=2)


@dataclass(frozen=True)
class Present(Candidate):
    """A candidate that is at hand and need not be read from a file."""

    solver: Any = field(default=None, compare=False)

    @property
    def file_hash(self):
        """No file."""
        return None

    @property
    def is_seeded(self):
        """A function has no seed."""
        return False

    def make(self):
        """Return it."""
        return self.solver


def present(solver):
    """Return a function as a candidate."""
    return Present(solver.__name__, solver=solver)


def replayed(solver):
    """Return its record in a replay."""
    return SuiteTask("toy-v1", "solver", SCENARIO, present(solver)).run()


def fitted(solver):
    """Return its record on a matrix."""
    return SuiteTask("toy-v1", "fit", MATRIX, present(solver)).run()


@pytest.fixture(scope="module")
def greedy():
    """Return the record of an honest solver."""
    return SuiteTask("toy-v1", "solver", SCENARIO, Candidate("greedy")).run()


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda one: one.__name__)
def test_a_cheat_is_below_the_table(cheat, greedy):
    """With its reason, without a score, and whoever is honest stays ranked."""
    record = replayed(cheat)
    assert record["status"] in ("failed", "infeasible")
    assert record["reason"]
    assert not {"scores", "windows", "layers", "cost"} & set(record)
    ranking = SOLVER.ranking([record, greedy])
    assert [row.name for row in ranking.rows] == ["greedy"]
    assert [one["name"] for one in ranking.rankings[""].failures] == [cheat.__name__]
    out = io.StringIO()
    table.render(SOLVER.leaderboard(ranking), "title", Console(file=out, width=table.WIDTH))
    ranked, _, below = out.getvalue().partition(f"{record['status']}: {cheat.__name__} on toy: ")
    assert below
    assert cheat.__name__ not in ranked


@pytest.mark.parametrize(
    "cheat",
    [one for one in CHEATS if one.__name__ != "changes_its_mind"],
    ids=lambda one: one.__name__,
)
def test_a_cheat_fits_no_matrix_either(cheat):
    """The suite of static matrices has the same door."""
    record = fitted(cheat)
    assert record["status"] in ("failed", "infeasible")
    assert not {"scores", "windows", "layers", "cost"} & set(record)


@pytest.mark.parametrize("cheat", IN_VAIN, ids=lambda one: one.__name__)
def test_tampering_gains_nothing(cheat, greedy):
    """A valid map scores what the map is worth."""
    record = replayed(cheat)
    assert record["status"] == "ok"
    assert record["scores"] == greedy["scores"]
    assert record["windows"] == greedy["windows"]
    honest = SuiteTask("toy-v1", "fit", MATRIX, Candidate("greedy")).run()
    assert fitted(cheat)["scores"] == honest["scores"]


def test_an_invalid_map_is_infeasible_and_an_error_a_failure():
    """The table tells the two apart."""
    by_name = {
        one.__name__: replayed(one) for one in CHEATS if one.__name__ in ("all_zero", "raises")
    }
    assert by_name["all_zero"]["status"] == "infeasible"
    assert (
        "places no copy" in by_name["all_zero"]["reason"]
        or "experts for" in (by_name["all_zero"]["reason"])
    )
    assert by_name["raises"] == {
        **by_name["raises"],
        "status": "failed",
        "reason": "RuntimeError: out of ideas",
    }
