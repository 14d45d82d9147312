"""Loads of a simulation are those of the workload: in mean, by phase and domain, as it shifts."""

import dataclasses

import numpy as np
import pytest

import lb
import traces
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.serving.scenario.scenario import read
from evaluation.serving.simulate import simulate
from traces import RoutingTrace
from traces.workload import load
from traces.workload.step_draws import StepDraws

#: Requests that are mail before the 20th second and code after it, and where their counts come
#: from: the first half of the experts is for mail, and of each half the first for prompts.
WORKLOAD = """
batching = { sequences = 64, stage = "both", step_s = 0.02 }
[requests]
count = 400
arrivals.rate = 10.0
lengths = { prompt_mean = 300, output_mean = 60, output_sigma = 0.001 }
schedule = [{ shares = { mail = 1 } }, { start_s = 20.0, shares = { code = 1 } }]
[routing]
conditions = [
  { trace = "mail-prompts.parquet", domain = "mail", phase = "prefill", prompt_tokens = [0, 300] },
  { trace = "mail-long.parquet", domain = "mail", phase = "prefill" },
  { trace = "mail-answers.parquet", domain = "mail", phase = "decode" },
  { trace = "code-prompts.parquet", domain = "code", phase = "prefill" },
  { trace = "code-answers.parquet", domain = "code", phase = "decode" },
]
"""
SCENARIO = """
name = "mail, then code"
workload = "mail.toml"
model = "deepseek-v2-lite"
[[executor]]
role = "prefill"
dies = 8
slots_per_rank = 9
[[executor]]
role = "decode"
dies = 8
slots_per_rank = 9
batch_limit = 8
"""
QUARTERS = {
    "mail-prompts": range(16),
    "mail-long": range(8, 16),
    "mail-answers": range(16, 32),
    "code-prompts": range(32, 48),
    "code-answers": range(48, 64),
}
LAYERS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with workload and scenario."""
    folder = tmp_path_factory.mktemp("scenario")
    random = np.random.default_rng(0)
    for name, experts in QUARTERS.items():
        counts = np.zeros((1, LAYERS, 64), dtype=np.int64)
        counts[0][:, list(experts)] = random.integers(500, 700, (LAYERS, len(experts)))
        traces.save(RoutingTrace(counts, "toy", 6), folder / f"{name}.parquet")
    (folder / "mail.toml").write_text(WORKLOAD)
    (folder / "scenario.toml").write_text(SCENARIO)
    return folder


@pytest.fixture
def drawn(monkeypatch):
    """Counts of the steps that executors drew: number of the executor to [(second, counts)]."""
    steps = {}
    draw = StepDraws.__call__

    def spy(self, tokens, time_s, random):
        counts = draw(self, tokens, time_s, random)
        steps.setdefault(id(self), []).append((time_s, counts))
        return counts

    monkeypatch.setattr(StepDraws, "__call__", spy)
    return steps


def share(counts, experts):
    """Return the part of [layers, experts] counts that some experts have."""
    return counts[:, list(experts)].sum() / counts.sum()


def test_means_are_those_of_the_composed_workload(folder, drawn):
    """By executor and expert; of 10^5 to 10^6 draws, z-scores below 5."""
    result = simulate(read(folder / "scenario.toml"))
    assert result.log.finished.all()
    simulated = [sum(counts.astype(int) for _, counts in steps) for steps in drawn.values()]
    composed = np.zeros((2, LAYERS, 64))
    for steps in load(folder / "mail.toml").steps():
        for phase in (0, 1):
            composed[phase] += steps.counts[steps.phase == phase].sum(axis=0)
    for own, reference, phase in zip(simulated, composed, ("prompt", "output"), strict=True):
        tokens = own.sum() / LAYERS / 6
        asked = getattr(result.log, f"{phase}_tokens")
        # the first token of an answer is that of prefill
        assert tokens == (asked - (phase == "output")).sum()
        p = reference / reference.sum(axis=1, keepdims=True)
        used = p > 0
        assert (own[~used] == 0).all()
        number = 6 * tokens
        # both are drawn
        variance = number * p * (1 + number / reference.sum(axis=1)[0])
        z = (own - number * p)[used] / np.sqrt(variance[used])
        assert np.abs(z).max() < 5
        # choices of one token exclude each other: 6 of 8 or 16 experts make the variance smaller
        assert 0.2 < z.var() < 1.2


def test_phases_and_domains_have_their_own_experts(folder, drawn):
    """Prefill and decode executors see other loads, and both other ones once requests change."""
    simulate(read(folder / "scenario.toml"))
    prefill, decode = drawn.values()
    early, late = (
        [sum(counts for at, counts in steps if when(at)) for steps in (prefill, decode)]
        for when in (lambda at: at < 20.0, lambda at: at > 26.0)
    )
    assert share(early[0], range(16)) == 1.0
    assert share(early[1], range(16, 32)) == 1.0
    assert share(late[0], range(32, 48)) == 1.0
    assert share(late[1], range(48, 64)) == 1.0


def test_rebalancing_sees_what_ran_and_serves_what_comes(folder, monkeypatch):
    """Loads that a solver is given are of requests that ran; a shift makes its placement wait."""
    problems = []
    solve = lb.solve

    def spy(problem, solver, **others):
        problems.append(problem.load.sum(axis=0))
        return solve(problem, solver, **others)

    scenario = dataclasses.replace(
        read(folder / "scenario.toml"),
        rebalance=RebalanceTable(window_s=5.0, history_windows=1, mode="stop-the-world"),
    )
    monkeypatch.setattr("evaluation.serving.recovery.rebalancing.lb.solve", spy)
    result = simulate(scenario)
    assert result.summary["rebalancing"]["rebalances"] > 8
    planned = problems[2:]  # the first two are placements at the start
    mail = np.array([share(load, range(32)) for load in planned])
    assert (mail[:2] == 1.0).all()
    assert (mail[-2:] == 0.0).all()
    assert ((mail > 0) & (mail < 1)).any()


def test_placements_at_the_start_know_all_domains_and_no_sequence(folder, monkeypatch):
    """They are solved for equal parts of every domain, whatever comes first, by phase."""
    problems = []
    solve = lb.solve

    def spy(problem, solver, **others):
        problems.append(problem.load.sum(axis=0))
        return solve(problem, solver, **others)

    monkeypatch.setattr("evaluation.serving.assembly.pricing.lb.solve", spy)
    simulate(dataclasses.replace(read(folder / "scenario.toml"), requests=3))
    prefill, decode = problems
    assert share(prefill, range(16)) == pytest.approx(0.5, abs=0.001)
    assert share(prefill, range(32, 48)) == pytest.approx(0.5, abs=0.001)
    assert share(decode, range(16, 32)) == pytest.approx(0.5, abs=0.001)


def test_seeds_are_repetitions_of_the_workload(folder):
    """Another seed has other requests, the same one the same."""
    scenario = dataclasses.replace(read(folder / "scenario.toml"), requests=20)
    logs = [simulate(scenario, seed=seed).log for seed in (0, 0, 1)]
    np.testing.assert_array_equal(logs[0].finish_s, logs[1].finish_s)
    assert (logs[0].arrival_s != logs[2].arrival_s).any()


def test_a_recording_of_steps_has_no_requests(folder):
    """The message says what kind of workload has some."""
    (folder / "steps.toml").write_text('[recording]\ntrace = "mail-long.parquet"\nstep_s = 0.1\n')
    scenario = dataclasses.replace(
        read(folder / "scenario.toml"), workload=str(folder / "steps.toml")
    )
    with pytest.raises(ValueError, match=r"no requests; name a workload with \[requests\]"):
        simulate(scenario)
