"""The law of DeepSeek-R1 meets what was measured on the recordings."""

import functools

import numpy as np
import pytest

import lb
from lb.dispatchers.optimal import optimal
from tests.traces.generators.loads import r1_facts
from traces.generators import loads
from traces.generators.loads.deepseek_r1 import deepseek_r1

NAMES = tuple(r1_facts.DEVIATION)
#: Layers of DeepSeek-R1 by their number; the first three are dense.
DEPTH = np.arange(3, 61)


@functools.cache
def law():
    """Return the law."""
    return loads.preset("deepseek-r1")


@functools.cache
def share(name):
    """Return the shares of a condition, each recording being a sample of requests of its own."""
    return law().share(name, sample=1 + NAMES.index(name))


@functools.cache
def modes():
    """Return the directions of the twelve."""
    return loads.modes({name: share(name) for name in NAMES})


@functools.cache
def served(plan, serve, ranks, slots):
    """Return the balancedness of a plan on other loads, with even and with best split."""
    problem = lb.Problem(1e7 * share(plan)[None], ranks, slots)
    placement = lb.solve(problem, "local-search")
    best = optimal(placement, share(serve))
    return tuple(
        float(placement.balancedness(share(serve), split).mean()) for split in (None, best)
    )


@pytest.mark.parametrize("name", NAMES)
def test_deviation_of_log_loads(name):
    """Within 5 % of the recorded one in each of the twelve conditions."""
    found = np.log(share(name)).std(axis=1).mean()
    assert found == pytest.approx(r1_facts.DEVIATION[name][0], rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_hottest_expert(name):
    """Within 12 % of the recorded multiple of the mean."""
    found = 256 * share(name).max(axis=1).mean()
    assert found == pytest.approx(r1_facts.DEVIATION[name][1], rel=0.12)


@pytest.mark.parametrize("name", r1_facts.LOAD_OVER_MEAN)
def test_percentiles(name):
    """Load over mean within 15 % at all nine percentiles, within 10 % at the middle five."""
    found = np.percentile(256 * share(name), r1_facts.PERCENTILES, axis=1).mean(axis=1)
    recorded = r1_facts.LOAD_OVER_MEAN[name]
    assert found == pytest.approx(recorded, rel=0.15)
    assert found[2:7] == pytest.approx(recorded[2:7], rel=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_upper_tail_is_heavier(name):
    """Skewness of log loads is 0.21 to 0.54, within 0.05."""
    log = np.log(share(name))
    centred = log - log.mean(axis=1, keepdims=True)
    skewness = ((centred**3).mean(axis=1) / (centred**2).mean(axis=1) ** 1.5).mean()
    assert 0.21 - 0.05 <= skewness <= 0.54 + 0.05


def test_deviation_by_layer():
    """Least, median and most are 0.45, 0.67 and 0.84, within 0.05."""
    by_layer = np.mean([np.log(share(name)).std(axis=1) for name in NAMES], axis=0)
    found = [by_layer.min(), np.median(by_layer), by_layer.max()]
    assert found == pytest.approx([0.45, 0.67, 0.84], abs=0.05)


def test_hottest_by_depth():
    """2.8 to 10.3 times the mean, within 15 %; medians of 3 to 5 and, deeper, of 6 to 8.5."""
    hottest = 256 * share("decode_in1000out1000").max(axis=1)
    assert [hottest.min(), hottest.max()] == pytest.approx([2.8, 10.3], rel=0.15)
    assert 3 <= np.median(hottest[(DEPTH >= 10) & (DEPTH <= 25)]) <= 5
    assert 6 <= np.median(hottest[(DEPTH >= 38) & (DEPTH <= 55)]) <= 8.5


@pytest.mark.parametrize(("layers", "low", "high"), [((10, 25), 3, 5), ((38, 55), 6, 8.5)])
def test_hottest_of_single_layers(layers, low, high):
    """Of the layers of a stretch 85 % are in its range, give or take 15 %."""
    hottest = 256 * share("decode_in1000out1000").max(axis=1)
    within = hottest[(layers[0] <= DEPTH) & (layers[1] >= DEPTH)]
    assert ((within >= 0.85 * low) & (within <= 1.15 * high)).mean() >= 0.85


@pytest.mark.parametrize("name", NAMES)
def test_no_expert_is_idle(name):
    """Of no layer: the coldest has 2 % of the mean and more."""
    assert (256 * share(name).min(axis=1) > 0.015).all()


@pytest.mark.parametrize("name", NAMES)
def test_groups(name):
    """The fullest of 8 groups of 32 experts has 1.5 to 2.1 times the mean."""
    groups = share(name).reshape(58, 8, 32).sum(axis=2)
    assert 1.5 <= 8 * groups.max(axis=1).mean() <= 2.1


@pytest.mark.parametrize("pair", r1_facts.DISTANCE)
def test_distance(pair):
    """Total variation and log ratio within 10 %, correlation within 0.02, hottest within 0.05."""
    found = loads.distance(*map(share, pair))
    variation, correlation, ratio, top = r1_facts.DISTANCE[pair]
    assert found.total_variation == pytest.approx(variation, rel=0.1)
    assert found.correlation == pytest.approx(correlation, abs=0.02)
    assert found.log_ratio_deviation == pytest.approx(ratio, rel=0.1)
    assert found.top_shared == pytest.approx(top, abs=0.05)


@pytest.mark.parametrize("pair", r1_facts.NEAR_PAIRS)
def test_distance_of_another_sample(pair):
    """In the recorded ranges: at most 15 % beyond, correlation 0.002, top-16 0.02."""
    found = loads.distance(*map(share, pair))
    variation, correlation, ratio, top = r1_facts.NEAR_DISTANCE
    assert 0.85 * variation[0] <= found.total_variation <= 1.15 * variation[1]
    assert found.correlation == pytest.approx(correlation[0], abs=0.002)
    assert 0.85 * ratio[0] <= found.log_ratio_deviation <= 1.15 * ratio[1]
    assert top[0] - 0.02 <= found.top_shared <= top[1] + 0.02


def test_three_directions():
    """They carry 57.7, 32.2 and 8.6 %, within 2 %; that these are three is found."""
    found = modes()
    assert found.directions.shape == (3, 58, 256)
    assert found.variance_share[:3] == pytest.approx(r1_facts.VARIANCE_SHARE, abs=0.02)
    assert found.explained == pytest.approx(0.985, abs=0.01)


def test_coordinates():
    """On the first direction within 3 of the recorded ranges, on the second within 3."""
    first, second = modes().coordinates[:, 0], modes().coordinates[:, 1]
    first = first * -np.sign(first[0])  # decode with long outputs is negative
    second = second * np.sign(second[NAMES.index("prefill_in512")])
    for name, (low, high) in r1_facts.FIRST.items():
        assert low - 3 <= first[NAMES.index(name)] <= high + 3
    for name, recorded in r1_facts.SECOND.items():
        assert second[NAMES.index(name)] == pytest.approx(recorded, abs=3)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("pair", r1_facts.PLAN_AND_SERVE)
def test_plan_and_serve(pair, place):
    """Balancedness on the loads of another condition: within 0.03, even and best split."""
    ranks, slots = r1_facts.RANKS_AND_SLOTS[place]
    recorded = r1_facts.PLAN_AND_SERVE[pair][place]
    assert served(*pair, ranks, slots) == pytest.approx(recorded, abs=0.03)


@pytest.mark.parametrize("place", range(3))
def test_plan_on_itself(place):
    """Balancedness on the very loads that were planned for: within 0.03."""
    even, _ = served(
        "decode_in1000out1000", "decode_in1000out1000", *r1_facts.RANKS_AND_SLOTS[place]
    )
    assert even == pytest.approx(r1_facts.PLANNED_ON_ITSELF[place], abs=0.03)


@pytest.mark.parametrize("pair", r1_facts.NEAR_PAIRS)
def test_plan_on_another_sample(pair):
    """Balancedness at EP32: in the recorded ranges."""
    even, best = served(*pair, 32, 9)
    (least_even, most_even), (least_best, most_best) = r1_facts.NEAR_SERVED
    assert least_even <= even <= most_even
    assert least_best <= best <= most_best


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_other_seeds_are_as_near_but_for_plans(seed):
    """Deviations and distances within 15 % of the facts; plans within 0.05, not 0.03."""
    other = deepseek_r1(seed)
    shares = {name: other.share(name, sample=1 + NAMES.index(name)) for name in NAMES}
    for name, (deviation, _) in r1_facts.DEVIATION.items():
        assert np.log(shares[name]).std(axis=1).mean() == pytest.approx(deviation, rel=0.15)
    for (one, two), recorded in r1_facts.DISTANCE.items():
        found = loads.distance(shares[one], shares[two])
        assert found.total_variation == pytest.approx(recorded[0], rel=0.15)
        assert found.log_ratio_deviation == pytest.approx(recorded[2], rel=0.15)
        assert found.correlation == pytest.approx(recorded[1], abs=0.03)
        assert found.top_shared == pytest.approx(recorded[3], abs=0.06)
    for (plan, serve), recorded in r1_facts.PLAN_AND_SERVE.items():
        for (ranks, slots), (even, best) in zip(r1_facts.RANKS_AND_SLOTS, recorded, strict=True):
            problem = lb.Problem(1e7 * shares[plan][None], ranks, slots)
            placement, load = lb.solve(problem, "local-search"), shares[serve]
            found = placement.balancedness(load).mean()
            assert found == pytest.approx(even, abs=0.05)
            found = placement.balancedness(load, optimal(placement, load)).mean()
            assert found == pytest.approx(best, abs=0.05)
