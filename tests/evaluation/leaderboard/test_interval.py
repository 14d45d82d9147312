"""95 % intervals hold the truth in 92 to 98 of 100 draws, for few repetitions too."""

import numpy as np
import pytest

from evaluation.kinds.solver import SOLVER
from evaluation.leaderboard.interval import intervals
from evaluation.leaderboard.observations import gather, value
from evaluation.leaderboard.scatter import scatters
from tests.evaluation.leaderboard import generated
from tests.evaluation.leaderboard.made import record

EFFICIENCY = SOLVER.measure
#: Repetitions to the draws of a test of coverage. The share of intervals that hold the truth
#: scatters by √(0.95 · 0.05 / draws): 0.005 of 2,000 and 0.01 of 500. Over 10,000 draws it is
#: 0.935 to 0.956.
DRAWS = {3: 2000, 5: 2000, 10: 2000, 30: 500}


def ends(rows, *, follow=True):
    """Return the ends of the intervals of rows, [rows] each."""
    score = np.array([value(row) for row in rows])
    return intervals(score, *scatters(rows, follow=follow))


def runs(*records):
    """Return the observations of one row."""
    return gather([(one, EFFICIENCY.parts(one)) for one in records], EFFICIENCY.identity)


def width(*rows, follow=True):
    """Return the widths of the intervals of rows."""
    low, high = ends(rows, follow=follow)
    return high - low


@pytest.mark.parametrize("law", ["normal", "skewed"])
@pytest.mark.parametrize("repetitions", DRAWS)
@pytest.mark.parametrize("shared", [False, True], ids=["apart", "shared"])
def test_intervals_hold_the_truth(law, repetitions, shared):
    """The score is a mean of ratios of sums over scenarios, whose repetitions last unequally long.

    Every row is a draw of its own. "shared": all scenarios of a draw have the same luck with a
    seed, as where one stream of requests goes through several deployments.
    """
    random = np.random.default_rng([16, repetitions])
    draws, scenarios = DRAWS[repetitions], 3
    luck = generated.standard(random, (draws, 1 if shared else scenarios, repetitions), law)
    taken = np.exp(0.2 * random.standard_normal((draws, scenarios, repetitions)))
    truth = np.array([0.6, 0.8, 0.9])
    low, high = ends(generated.rows(truth[:, None] + 0.02 * luck, taken))
    assert 0.92 <= np.mean((low <= truth.mean()) & (truth.mean() <= high)) <= 0.98


def test_scenarios_with_seeds_of_their_own_have_more_freedom():
    """Four scenarios of three repetitions: t has 8 degrees of freedom, and 2 if seeds are shared.

    The variance is the same, so that the widths are as Student's t: 2.306 and 4.303.
    """
    luck = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, -1.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    # Sums over scenarios by seed are (0, 1, -1), whose square is 2; that of the scenarios is 8.
    own, together = (
        width(*generated.rows(0.5 + 0.01 * luck[None], np.ones((1, 4, 3)), seeds))
        for seeds in ([(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)], None)
    )
    assert own[0] / together[0] == pytest.approx(2.306 / 4.303 * np.sqrt(8 / 2), rel=1e-3)


#: How much scenarios scatter: two unlike ones, four alike, four of which one decides.
SPREADS = {"two": (1, 3), "alike": (1, 1, 1, 1), "unequal": (0.3, 0.5, 1, 3)}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("law", ["normal", "skewed"])
@pytest.mark.parametrize("repetitions", [2, 3, 5, 8])
def test_coverage_of_scenarios_with_seeds_of_their_own(law, repetitions, spread):
    """Welch and Satterthwaite's degrees of freedom hold, however unequally scenarios scatter.

    From two repetitions they are estimated too low, so that intervals are wider than need be.
    """
    random = np.random.default_rng([17, repetitions])
    size = np.array(SPREADS[spread])[:, None]
    draws, count = 1000, len(size)
    luck = size * generated.standard(random, (draws, count, repetitions), law)
    taken = np.exp(0.2 * random.standard_normal((draws, count, repetitions)))
    seeds = np.arange(count * repetitions).reshape(count, repetitions).tolist()
    low, high = ends(generated.rows(0.8 + 0.01 * luck, taken, seeds))
    held = np.mean((low <= 0.8) & (high >= 0.8))
    chance = 2 * np.sqrt(0.95 * 0.05 / draws)
    assert 0.92 - chance <= held <= (0.98 if repetitions > 2 else 1)


def test_records_of_one_shared_stream_are_read_as_they_were():
    """The same values under equal seeds are one source of n - 1 degrees of freedom.

    Records of earlier versions have the seed as ``trace_seed`` in every scenario.
    """
    random = np.random.default_rng(18)
    values = 0.5 + 0.1 * random.random((2, 3))

    def row(*seeds):
        return runs(
            *(
                record("a", value, name, seed=n, trace_seed=seed, trace_hash=f"{name} {seed}")
                for name, own, of_scenario in zip(("one", "two"), values, seeds, strict=True)
                for n, (value, seed) in enumerate(zip(own, of_scenario, strict=True))
            )
        )

    together, apart = row(range(3), range(3)), row(range(3), range(3, 6))
    error = values.mean(axis=0).std(ddof=1) / np.sqrt(3)
    assert width(together)[0] == pytest.approx(2 * 4.303 * error, rel=1e-3)
    variances = values.var(axis=1, ddof=1) / 3
    sources, _ = scatters([apart], follow=True)
    assert [source.freedom for source in sources] == [2, 2]
    assert sum(float(source.of_rows()[0]) for source in sources) == pytest.approx(
        variances.sum() / 4
    )


def test_repetitions_and_not_windows_are_drawn():
    """Windows that are alike within a repetition do not make its interval narrower."""
    values = (0.5, 0.6, 0.7)
    one, many = (
        runs(
            *(
                record("a", [value] * windows, seed=n, trace_seed=n, trace_hash=str(n))
                for n, value in enumerate(values)
            )
        )
        for windows in (1, 50)
    )
    assert width(one)[0] == pytest.approx(width(many)[0])
    # Standard error 0.1 / √3, and Student's t of 2 degrees of freedom is 4.303.
    assert width(one)[0] == pytest.approx(2 * 4.303 * 0.1 / np.sqrt(3), rel=1e-3)


def test_neighbours_that_are_alike_make_it_wider():
    """The same windows of a recording in blocks say less than in any order."""
    row = runs(record("a", np.repeat(np.random.default_rng(2).random(9), 3)))
    assert width(row)[0] > 1.2 * width(row, follow=False)[0]


def test_runs_of_a_random_candidate_are_drawn_too():
    """Its own luck is in its interval, even where all windows are alike."""
    several = [record("a", [value] * 8, seed=seed) for seed, value in enumerate((0.5, 0.6, 0.7))]
    seeded, still = width(runs(*several), runs(record("b", [0.6] * 8)))
    assert seeded > 0.05
    assert still < 1e-12


def test_scenarios_are_not_drawn():
    """Two scenarios far apart, each without scatter, leave their mean of 0.5 certain."""
    low, high = ends([runs(record("a", [0.2] * 4), record("a", [0.8] * 4, "two"))])
    assert (low[0], high[0]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_scenario_with_a_single_window_gives_no_interval():
    """Nothing is known of its scatter, however many windows other scenarios have."""
    low, high = ends([runs(record("a", [0.2] * 4), record("a", 0.8, "two"))])
    assert (low[0], high[0]) == (-np.inf, np.inf)


def test_a_recording_adds_its_own_scatter_to_that_of_repetitions():
    """A mixed suite is as uncertain as both parts together."""
    random = np.random.default_rng(3)
    repeated = [
        record("a", 0.5 + 0.1 * random.random(), seed=n, trace_seed=n, trace_hash=str(n))
        for n in range(9)
    ]
    recorded = record("a", 0.5 + 0.1 * random.random(27), "two")
    still = record("a", [0.5] * 27, "two")
    both, one = width(runs(*repeated, recorded), runs(*repeated, still))
    assert both > one


def test_the_same_records_give_the_same_interval():
    """Nothing depends on a clock or on global chance."""
    row = runs(record("a", np.random.default_rng(3).random(9)))
    assert ends([row]) == ends([row])
