"""The traffic of a scenario: a trace that is replayed as it is, or a workload in engine time."""

from collections.abc import Hashable, Iterable
from typing import Any, Protocol

from evaluation.replay.replay_window import ReplayWindow, trace_replay_windows
from evaluation.replay.scenario import Scenario
from evaluation.replay.workload_windows import WindowCut, WorkloadWindows, workload_windows


class Traffic(Protocol):
    """Windows of a replay, and what identifies them."""

    @property
    def content_hash(self) -> str:
        """SHA-256 of all counts."""
        ...

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        ...

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        ...


def traffic_key(scenario: Scenario, seed: int) -> Hashable:
    """Return what two scenarios and seeds have in common if they have the same traffic."""
    if scenario.workload:
        return _workload_key(scenario, seed)
    drawn = (scenario.consecutive_tokens, scenario.steps, scenario.layers)
    return scenario.trace, scenario.trace_seed(seed), *drawn


def traffic_of(scenario: Scenario, seed: int) -> Traffic:
    """Return the traffic of a scenario, cached; drawn traffic is another one for each seed."""
    if not scenario.workload:
        trace: Traffic = scenario.load_trace(seed)
        return trace
    return workload_windows(*_workload_key(scenario, seed))


def _workload_key(
    scenario: Scenario, seed: int
) -> tuple[tuple[str, ...], int, WindowCut, int | None]:
    cut = WindowCut(
        scenario.window_steps or None, scenario.window_s, scenario.sampled_steps, scenario.windows
    )
    return scenario.workload, scenario.trace_seed(seed) or 0, cut, scenario.change_window


def windows_of(traffic: Any, scenario: Scenario) -> Iterable[ReplayWindow]:
    """Return the windows of a scenario's traffic, in order of time."""
    if isinstance(traffic, WorkloadWindows):
        return traffic.windows
    return trace_replay_windows(traffic, scenario.window_steps)
