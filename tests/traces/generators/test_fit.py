"""Fitted laws are like what they were fitted to, bundled recordings among it."""

import functools
import itertools

import numpy as np
import pytest

import lb
import traces
from traces import generators
from traces.generators import Law, compare, fit

DOMAINS = ("dsv2lite-intent", "dsv2lite-summary", "dsv2lite-translation")


@functools.cache
def recorded(name):
    """Return a bundled trace in the steps of the default suite, or all domains in a row."""
    if name == "olmoe-domains":
        return traces.load(name)
    parts = [traces.load(one) for one in (DOMAINS if name == "all" else (name,))]
    return traces.concat(parts).split(256).counts()


def next_balance(trace, solver, window_steps):
    """Return balancedness on next windows on 16 ranks of 5 slots, mean of windows and layers."""
    found = []
    windows = trace.windows(window_steps)
    for before, after in itertools.pairwise(windows):
        placement = lb.solve(lb.Problem(before[None], 16, 5), solver)
        found.append(placement.balancedness(after).mean())
    return float(np.mean(found))


def generated_balance(name, solver, window_steps, seeds):
    """Return the same of as many steps of the fitted law, mean over seeds."""
    trace, law = recorded(name), fit(recorded(name))
    return np.mean(
        [
            next_balance(
                generators.trace(law.replace(seed=seed), trace.num_steps), solver, window_steps
            )
            for seed in range(seeds)
        ]
    )


@pytest.mark.parametrize("solver", ["eplb", "greedy"])
@pytest.mark.parametrize(
    ("name", "window_steps", "seeds"), [("all", 8, 6), ("olmoe-domains", 1, 40)]
)
def test_next_window_balance_of_the_suite_is_met(name, window_steps, seeds, solver):
    """The traces and windows of the default suite: within 0.02 of the recorded balancedness.

    The balancedness of three layers in six windows varies by 0.017 from seed to seed, so that
    many seeds are needed to know what the law gives.
    """
    found = generated_balance(name, solver, window_steps, seeds)
    assert found == pytest.approx(next_balance(recorded(name), solver, window_steps), abs=0.02)


@pytest.mark.parametrize("solver", ["eplb", "greedy"])
@pytest.mark.parametrize("name", DOMAINS)
def test_next_window_balance_of_single_domains_is_met(name, solver):
    """Within 0.02, the recorded windows beginning at any step: four of them at step 0 are few."""
    trace = recorded(name)
    meant = np.mean([next_balance(trace.slice(start), solver, 8) for start in range(8)])
    assert generated_balance(name, solver, 8, 6) == pytest.approx(meant, abs=0.02)


def test_the_domains_of_a_concatenation_are_found():
    """Three, each as long as it was recorded."""
    law = fit(recorded("all"))
    assert law.schedule == ((32, (1, 0, 0)), (33, (0, 1, 0)), (32, (0, 0, 1)))
    assert (law.model, law.trace_phase, law.step_tokens) == ("deepseek-v2-lite", "prefill", 256)


def test_a_law_is_found_again():
    """Popularity, tokens of both kinds of steps, noise and drift."""
    law = Law(
        6,
        32,
        4,
        step_tokens=400,
        prefill_tokens=4000,
        prefill_share=0.25,
        skew=0.6,
        drift_sigma=0.2,
        drift_steps=8.0,
        noise=0.15,
        update_steps=1,
    )
    found = fit(generators.trace(law, 500))
    assert (found.step_tokens, found.prefill_tokens) == (400, 4000)
    assert found.prefill_share == pytest.approx(0.25, abs=0.05)
    assert found.domains == 1
    assert found.drift_sigma == pytest.approx(0.2, rel=0.2)
    assert found.noise == pytest.approx(0.15, rel=0.2)
    rows = compare(generators.trace(law, 500), generators.trace(found.replace(seed=3), 500))
    assert {row.name for row in rows if not row.met} == set()


def test_skew_entropy_and_drift_of_a_recording_are_met():
    """And co-activation is not: tokens of a law choose experts on their own."""
    tokens = traces.concat([traces.load(name) for name in DOMAINS]).split(256)
    (like,) = generators.tokens(fit(tokens), 97, block_steps=97)
    rows = {row.name: row for row in compare(tokens, like)}
    missed = {"co-activation", "layer dependence"}
    assert {name for name, row in rows.items() if not row.met} == missed
    assert rows["co-activation"].generated < rows["co-activation"].recorded


def test_fitting_twice_is_the_same():
    """Equal seeds give equal laws."""
    trace = recorded("dsv2lite-translation")
    assert fit(trace) == fit(trace)


def test_experts_that_nobody_chose_stay_rare():
    """Their logits are finite."""
    counts = np.zeros((4, 1, 3), int)
    counts[:, :, 0] = 100
    assert (
        generators.trace(fit(traces.RoutingTrace(counts, "toy", 1)), 50).counts[..., 1:].sum() < 30
    )


def test_too_short_a_trace_is_refused():
    """One window says nothing about time."""
    with pytest.raises(ValueError, match="give at least two"):
        fit(recorded("olmoe-domains").slice(0, 1))
    with pytest.raises(ValueError, match="domains = 7 is outside"):
        fit(recorded("olmoe-domains"), domains=7)
