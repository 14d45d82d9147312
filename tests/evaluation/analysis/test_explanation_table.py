"""What an explanation says in words."""

import pytest

from evaluation.analysis.explanation_table import heading, verdict

PHASE = {"before": 1e-3, "after": 1e-3, "difference": 0.0}
REPORT = {
    "before": "old",
    "after": "new",
    "steps": 4,
    "engine_steps": 4.0,
    "scenario": {"id": "mine"},
    "window": {"number": 4, "seen": 4, "change": 4, "load_change": 0.21},
    "moe_layers": 2,
    "step_s": {
        **{"before": 2e-3, "after": 1.5e-3, "difference": -5e-4},
        **{"change": -0.25, "faster_steps": 3},
    },
    "phases_s": {"attention": PHASE, "experts": {**PHASE, "difference": -5e-4}},
    "migration": {"experts": 7, "bytes": 3e8, "seconds": 0.05, "break_even_steps": 100.0},
}


def test_a_gain_that_pays():
    """How much, when, by what, and at what price; phases without difference are left out."""
    assert verdict(REPORT) == (
        "new (after) takes 25.0% less time a step than old (before): 2,000.0 µs -> 1,500.0 µs, "
        "mean of 4 steps of 2 layers (3 steps faster). By phase: experts -500.0 µs a step. "
        "Moving 7 expert weights (0.30 GB, 50.0 ms of standstill) pays after 100 steps."
    )


@pytest.mark.parametrize(
    ("migration", "words"),
    [
        ({"break_even_steps": None}, "never pays."),
        ({"experts": 0, "break_even_steps": 0.0}, "No expert weights move."),
    ],
)
def test_what_the_way_costs(migration, words):
    """Never, or nothing."""
    report = {**REPORT, "migration": {**REPORT["migration"], **migration}}
    assert verdict(report).endswith(words)


def test_a_sample_says_what_it_stands_for():
    """Four priced steps of a window of a thousand; a gain in less than a step."""
    migration = {**REPORT["migration"], "break_even_steps": 0.1}
    words = verdict({**REPORT, "engine_steps": 1000.0, "migration": migration})
    assert "mean of 1,000 engine steps of 2 layers, of which 4 steps are priced (3 steps" in words
    assert words.endswith("pays within a step.")
    alone = {**REPORT["step_s"], "faster_steps": 1}
    words = verdict({**REPORT, "steps": 1, "engine_steps": 50.0, "step_s": alone})
    assert "mean of 50 engine steps of 2 layers, of which 1 step is priced (1 step faster)" in words


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({}, "mine, window 4, the first after the change of mixture; solvers see windows 0 to 3."),
        ({"number": 5, "seen": 5}, "mine, window 5; solvers see windows 0 to 4."),
        ({"seen": 1, "change": None}, "mine, window 4; solvers see window 3."),
    ],
)
def test_the_window_is_named_first(window, words):
    """With what solvers see, and how far popularity has moved since."""
    line = heading({**REPORT, "window": {**REPORT["window"], **window}})
    assert line.startswith(words)
    assert "differs by 21.0% of the tokens from window" in line
