"""Deployments are searched for goodput per chip."""

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.serving.plan import Axes, Candidate, candidates, frontier, search
from evaluation.serving.scenario import read


@pytest.fixture
def busy():
    """The hurried scenario with 20 requests."""
    return dataclasses.replace(read("azure-busy"), requests=20)


def test_all_combinations_within_the_dies(busy):
    """Two of four combinations take at most 64 dies, and every expert has a slot."""
    found = list(candidates(busy, Axes((1, 2), (32,), (30, 60), (1,)), 64, 256))
    assert [one.executor[0].count for one in found] == [1, 1]
    assert all(one.executor[1].slots_per_rank * 32 >= 256 for one in found)


def test_the_best_is_first_and_the_impossible_last(busy):
    """More chips for the same few requests are worth less a chip; too few dies have no memory."""
    todo = list(candidates(busy, Axes((1, 2), (8, 32), (60,), (1,)), 200, 256))
    found = search(todo, 2)
    goodput = [one.scores["goodput"] for one in found if one.scores]
    assert goodput == sorted(goodput, reverse=True)
    assert len(goodput) == 2
    assert all("GB" in one.reason for one in found[2:])


def test_frontier():
    """A candidate that another beats in both is not on it."""

    def one(goodput, share):
        return Candidate(1, 32, 60, 9, 32.0, {"goodput": goodput, "share": share})

    assert frontier([one(2, 0.5), one(1, 0.9), one(1, 0.4)]) == {0, 1}


def test_other_deployments_are_refused(busy):
    """A plan needs prefill and decode."""
    both = dataclasses.replace(busy, executor=(dataclasses.replace(busy.executor[1], role="both"),))
    with pytest.raises(ValueError, match="one of role"):
        list(candidates(both, Axes((1,), (32,), (60,), (1,)), 200, 256))


def test_command():
    """Podlab plan prints every candidate."""
    options = ["--prefill", "1", "--decode-dies", "32", "--requests", "20", "--json"]
    answer = CliRunner().invoke(app, ["plan", "azure-busy", *options])
    assert len(json.loads(answer.stdout)) == 2
    assert CliRunner().invoke(app, ["plan", "azure-busy", "--dies", "3"]).exit_code == 2
