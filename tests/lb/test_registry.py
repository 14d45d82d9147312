"""Registries: names, suggestions, parameters, extension."""

import importlib.metadata

import pytest

import lb
from lb.registry import Registry


def mine(problem):
    """Answer like the start-up layout."""
    return lb.solve(problem, "contiguous")


@pytest.fixture
def registry():
    """Return a registry of its own, so that no test leaves a name behind."""
    return Registry("solver", {"greedy": "lb.solvers.greedy:Greedy"}, "podlab.nothing")


def test_first_solvers_are_there():
    """Built-in implementations are registered."""
    assert {"contiguous", "eplb", "greedy", "random"} <= set(lb.available())
    assert {"even", "optimal"} <= set(lb.available_dispatchers())


def test_unknown_name_suggests_the_nearest():
    """A typo is answered with what was meant, never with a fallback."""
    with pytest.raises(ValueError, match="unknown solver 'gredy': did you mean 'greedy'"):
        lb.make("gredy")


def test_unknown_parameter_names_the_known_ones():
    """A parameter without effect is refused."""
    with pytest.raises(ValueError, match="no parameter 'sead'; it takes seed"):
        lb.make("random", sead=3)
    with pytest.raises(ValueError, match="plain function without parameters"):
        lb.make("contiguous", seed=3)


def test_parameters_are_stored():
    """The constructor only stores."""
    assert lb.make("random", seed=3).seed == 3


def test_register_function_and_decorator(registry):
    """Both ways give a name."""
    registry.register("mine", mine)
    assert registry.make("mine") is mine
    assert registry.register("decorated")(mine) is mine
    assert registry.available() == ["decorated", "greedy", "mine"]


def test_register_refuses_a_taken_name(registry):
    """A name means one thing; the same thing twice is no clash."""
    registry.register("mine", mine)
    registry.register("mine", mine)
    with pytest.raises(ValueError, match="'greedy' is already registered"):
        registry.register("greedy", mine)
    with pytest.raises(ValueError, match="give a callable"):
        registry.register("number", 3)


def test_entry_points_add_names(monkeypatch):
    """An installed distribution brings its solvers, and replaces none of ours."""
    points = [
        importlib.metadata.EntryPoint("theirs", "tests.lb.test_registry:mine", "podlab.x"),
        importlib.metadata.EntryPoint("greedy", "tests.lb.test_registry:mine", "podlab.x"),
    ]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
    registry = Registry("solver", {"greedy": "lb.solvers.greedy:Greedy"}, "podlab.x")
    assert registry.available() == ["greedy", "theirs"]
    assert registry.make("theirs").__name__ == "mine"
    assert type(registry.make("greedy")).__name__ == "Greedy"
