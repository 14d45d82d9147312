"""The examples in docs/serving.md run."""

import importlib
import re
from pathlib import Path

import pytest

import schedulers
import schedulers.testing
from evaluation.serving.plan.axes import axes, read_table
from evaluation.serving.scenario.scenario import read

TEXT = (Path(__file__).parent.parent / "docs" / "serving.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_scenario_is_read(tmp_path):
    """The example of a scenario passes its checks."""
    path = tmp_path / "mine.toml"
    path.write_text(_blocks("toml")[0].replace("requests = …, …", "requests = 1"))
    assert read(path).rebalance.policy == "threshold"


def test_the_scenario_of_a_workload_is_read(tmp_path):
    """The example names a workload file that lies beside it."""
    (tmp_path / "day.toml").touch()
    path = tmp_path / "mine.toml"
    path.write_text(_blocks("toml")[1])
    assert read(path).workload == str(tmp_path / "day.toml")


def test_the_axes_of_a_plan_are_read(tmp_path):
    """The example of a [plan] table gives both kinds of decode, within its dies."""
    path = tmp_path / "mine.toml"
    path.write_text(_blocks("toml")[2])
    scenario = read("azure-busy")
    found = axes(scenario, read_table(path)).deployments(scenario)
    assert {one.domains for one in found} == {0, 1, 2}
    assert max(one.dies(scenario) for one in found) <= 160


def test_the_scheduler_runs_and_has_15_lines(monkeypatch, tmp_path):
    """The router of the page is registered, and a simulation uses it."""
    monkeypatch.setattr(schedulers.DECODE, "_targets", dict(schedulers.DECODE._targets))
    router, use = _blocks("python")
    assert sum(bool(line.strip()) for line in router.splitlines()) <= 16
    (tmp_path / "my_router.py").write_text(router)
    monkeypatch.syspath_prepend(tmp_path)
    schedulers.testing.check_router(importlib.import_module("my_router").shortest_queue)
    scope: dict[str, object] = {}
    exec(use, scope)
    assert scope["result"].log.finished.all()


@pytest.mark.parametrize(
    "registry", [schedulers.JOB, schedulers.PREFILL, schedulers.DECODE, schedulers.BATCH]
)
def test_every_scheduler_is_named(registry):
    """The table names every scheduler that is registered."""
    assert all(f"`{name}`" in TEXT for name in registry.available() if name != "shortest-queue")
