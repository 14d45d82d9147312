"""Random faults are reproducible, exponential and independent."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.random_faults import random_faults, random_kinds

RATES = {"die": 500.0, "node": 900.0, "glitch": 50.0}


def _executor(name: str = "decode-0", dies: int = 32) -> ExecutorDies:
    return ExecutorDies(name, "decode", dies, 16, dies)


def test_every_kind_is_drawn(decode) -> None:
    """A busy hour has some of each, and all of them can happen."""
    mtbf_s = dict.fromkeys(random_kinds(), 2e4) | {"node": 2e3, "glitch": 60}
    result = random_faults([decode], mtbf_s, 3600, 1)
    assert {fault.kind for fault in result} == set(random_kinds())
    dies_and_nodes = [fault for fault in result if fault.kind in ("die", "node", "glitch")]
    assert check(dies_and_nodes, [decode]) == tuple(dies_and_nodes)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.floats(1, 5000), st.booleans())
def test_one_seed_gives_one_sequence(seed, until_s, repaired) -> None:
    """In order of time, before the end, whatever else is drawn; a longer run begins the same."""
    repair_s = {"die": 100.0} if repaired else None
    result = random_faults([_executor()], RATES, until_s, seed, repair_s)
    assert result == random_faults([_executor()], RATES, until_s, seed, repair_s)
    assert [fault.at_s for fault in result] == sorted(fault.at_s for fault in result)
    assert all(0 <= fault.at_s < until_s for fault in result)
    longer = random_faults([_executor()], RATES, 2 * until_s, seed, repair_s)
    assert result == tuple(fault for fault in longer if fault.at_s < until_s)
    more = random_faults([_executor("a"), _executor()], RATES, until_s, seed, repair_s)
    assert result == tuple(fault for fault in more if fault.executor == "decode-0")
    dies = random_faults([_executor()], {"die": 500.0}, until_s, seed, repair_s)
    assert dies == tuple(fault for fault in result if fault.kind == "die")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_a_device_fails_only_while_it_works(seed) -> None:
    """Once if it is never repaired; else not before it is."""
    once = random_faults([_executor()], {"die": 10.0}, 1e4, seed)
    assert len({fault.index for fault in once}) == len(once) == 32
    again = random_faults([_executor(dies=2)], {"die": 10.0}, 500, seed, {"die": 20.0})
    for index in (0, 1):
        own = [fault for fault in again if fault.index == index]
        assert all(one.ends_s <= other.at_s for one, other in pairwise(own))
    assert len(again) > 2


def test_other_seeds_give_other_faults() -> None:
    """And two executors do not fail together."""
    one = random_faults([_executor(), _executor("decode-1")], {"die": 500.0}, 1e3, 1)
    assert one != random_faults([_executor(), _executor("decode-1")], {"die": 500.0}, 1e3, 2)
    times = [fault.at_s for fault in one]
    assert len(set(times)) == len(times)


def test_rates_are_those_asked_for() -> None:
    """Numbers of faults lie within five standard deviations of a Poisson and a binomial law."""
    mtbf_s, until_s, dies = 1000.0, 700.0, 4000
    once = random_faults([_executor(dies=dies)], {"die": mtbf_s}, until_s, 7)
    failed = 1 - math.exp(-until_s / mtbf_s)
    assert abs(len(once) - dies * failed) < 5 * math.sqrt(dies * failed * (1 - failed))
    glitches = len(random_faults([_executor()], {"glitch": 2.0}, 8000.0, 7))
    assert abs(glitches - 4000) < 5 * math.sqrt(4000)


def test_failures_and_repairs_take_turns() -> None:
    """A renewal every mtbf + repair: 1,000 dies, 100 renewals each, within five deviations."""
    result = random_faults([_executor(dies=1000)], {"die": 60.0}, 1e4, 3, {"die": 40.0})
    # renewal theory: t / mu - E[first] / mu + E[cycle^2] / (2 mu^2), variance t sigma^2 / mu^3
    mean = 1e4 / 100 - 60 / 100 + (60**2 + 100**2) / (2 * 100**2)
    deviation = math.sqrt(1e4 * 60**2 / 100**3 / 1000)
    assert abs(len(result) / 1000 - mean) < 5 * deviation


def test_times_are_exponential() -> None:
    """Kolmogorov and Smirnov do not refuse 2,000 first failures at one in a thousand."""
    from scipy.stats import kstest

    result = random_faults([_executor(dies=2000)], {"die": 10.0}, 1e6, 11)
    assert len(result) == 2000
    assert kstest([fault.at_s for fault in result], "expon", args=(0, 10.0)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("mtbf_s", "repair_s", "until_s", "seed", "message"),
    [
        ({"dei": 1.0}, None, 10, 0, "mtbf_s: 'dei' is not one of die"),
        ({"slow": 1.0}, None, 10, 0, "mtbf_s: 'slow' is not one of"),
        ({"die": 0}, None, 10, 0, "mtbf_s: die = 0; give a finite number > 0"),
        ({"die": float("nan")}, None, 10, 0, "mtbf_s: die = nan"),
        ({"die": 1.0}, {"die": -1}, 10, 0, "repair_s: die = -1; give"),
        ({"die": 1.0}, {"node": 1}, 10, 0, "repair_s: node never fails"),
        ({"die": 1.0}, None, 0, 0, "until_s = 0; give"),
        ({"die": 1.0}, None, float("inf"), 0, "until_s = inf; give"),
        ({"die": 1.0}, None, 10, -1, "seed = -1; give"),
        ({"link": 1.0}, None, 10, 0, "decode-0 has no fabric whose link could fail"),
    ],
)
def test_impossible_rates_are_refused(mtbf_s, repair_s, until_s, seed, message) -> None:
    """The kind and the value are named."""
    with pytest.raises(ValueError, match=message):
        random_faults([_executor()], mtbf_s, until_s, seed, repair_s)
